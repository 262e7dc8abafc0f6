use super::*;

#[test]
fn a_duration_is_counted_back_from_now() {
    let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
    assert_eq!("1h".parse::<Moment>().unwrap().at(now), now - TimeDelta::hours(1));
    assert_eq!("7days".parse::<Moment>().unwrap().at(now), now - TimeDelta::days(7));
}

#[test]
fn an_instant_in_another_zone_is_the_same_instant() {
    let here: Moment = "2026-11-22T01:41:05+01:00".parse().unwrap();
    assert_eq!(here, "2026-11-22T00:41:05Z".parse().unwrap());
}

#[test]
fn other_texts_and_endless_times_are_refused() {
    for text in ["", "yesterday", "2026-11-22", "2000years", "-1h"] {
        assert_eq!(text.parse::<Moment>(), Err(InvalidMoment), "{text:?}");
    }
}
