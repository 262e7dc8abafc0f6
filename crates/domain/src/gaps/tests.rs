use super::*;
use proptest::prelude::*;

mod convergence;
mod story;

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_773_568_800_000 + milliseconds).unwrap()
}

/// A delivered event: whole seconds.
fn entry(event_type: &str, seconds: i64) -> Entry {
    let (name, thread) = match event_type.split_once('@') {
        Some((name, thread)) => (name, Some(thread.to_owned())),
        None => (event_type, None),
    };
    Entry { event_type: format!("session.{name}"), thread, created_at: at(seconds * 1_000) }
}

fn history(events: &[(&str, i64)]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = events.iter().map(|(name, seconds)| entry(name, *seconds)).collect();
    entries.sort_by_key(|entry| entry.created_at);
    entries
}

const RUN: &str = "status_run_started";
const IDLE: &str = "status_idled";
const END: &str = "status_terminated";

#[test]
fn a_life_that_was_told_whole_has_no_gap() {
    for life in [
        &[][..],
        &[(RUN, 0)],
        &[(RUN, 0), (IDLE, 5), (RUN, 9), (IDLE, 12), (END, 20)],
        &[("created", 0), ("updated", 1), (RUN, 2), ("status_rescheduled", 4), (RUN, 8), (IDLE, 9)],
        &[(RUN, 0), ("outcome_evaluation_ended", 3), (IDLE, 4), ("updated", 9)],
        &[(RUN, 0), ("budget_reached", 3), (IDLE, 3), (RUN, 9)],
        // Within one second nobody can say what came first.
        &[(RUN, 0), (IDLE, 0), (RUN, 0), (IDLE, 0)],
        &[(RUN, 0), (IDLE, 1), (RUN, 1)],
        // Two names of the same thing.
        &[(RUN, 0), ("running", 0), (IDLE, 4), ("idled", 4), ("requires_action", 4)],
        &[
            (RUN, 0),
            ("thread_created@sthr_1", 1),
            ("thread_idled@sthr_1", 2),
            ("thread_idled@sthr_1", 3),
            (IDLE, 4),
        ],
        &[(RUN, 0), (IDLE, 4), ("archived", 9), (END, 9), ("deleted", 12)],
    ] {
        assert_eq!(find(&history(life), true), None, "{life:?}");
    }
}

#[test]
fn a_succession_that_is_impossible_shows_where_something_is_missing() {
    for (life, since, why) in [
        (&[(IDLE, 5)][..], None, "a session rests before it ran"),
        (&[(END, 5)], None, "a session ended before it did anything"),
        (&[("status_rescheduled", 5)], None, "a session was rescheduled that rests"),
        (&[("outcome_evaluation_ended", 5)], None, "an outcome was graded in a session that rests"),
        (&[(RUN, 0), (IDLE, 5), (IDLE, 9)], Some(5), "a session rests again without a run"),
        (&[(RUN, 0), (RUN, 9)], Some(0), "a session ran again without a rest"),
        (
            &[(RUN, 0), (IDLE, 3), ("outcome_evaluation_ended", 9)],
            Some(3),
            "an outcome was graded in a session that rests",
        ),
        (
            &[(RUN, 0), ("budget_reached", 9), (RUN, 60)],
            Some(0),
            "a budget was reached, and the session did not come to rest",
        ),
        (&[(RUN, 0), ("thread_idled@sthr_1", 3)], None, "a thread did something before it was created"),
    ] {
        let expected = Gap { since: since.map(|seconds: i64| at(seconds * 1_000)), why };
        assert_eq!(find(&history(life), true), Some(expected), "{life:?}");
    }
}

#[test]
fn of_a_part_of_a_history_nobody_can_say_what_came_before() {
    for life in [&[(IDLE, 5)][..], &[(END, 5)], &[("status_rescheduled", 5)], &[("thread_idled@sthr_1", 3)]] {
        assert_eq!(find(&history(life), false), None, "{life:?}");
    }
    let again = history(&[(IDLE, 5), (IDLE, 9)]);
    assert_eq!(find(&again, false).map(|gap| gap.since), Some(Some(at(5_000))));
}

fn transition(kind: &str, milliseconds: i64) -> Transition {
    let (name, thread) = match kind.split_once('@') {
        Some((name, thread)) => (name, Some(thread.to_owned())),
        None => (kind, None),
    };
    let (name, stop_reason) = match name.split_once('/') {
        Some((name, reason)) => (name, Some(reason.to_owned())),
        None => (name, None),
    };
    let (name, changes_budget) = (name.trim_end_matches('$'), name.ends_with('$'));
    let kind = if name.starts_with("span.") { name.to_owned() } else { format!("session.{name}") };
    let id = format!("sevt_{milliseconds}_{kind}");
    Transition { id, kind, thread, at: at(milliseconds), stop_reason, changes_budget }
}

fn filled(had: &[(&str, i64)], listed: &[(&str, i64)]) -> Vec<(String, i64)> {
    let listed: Vec<Transition> = listed.iter().map(|(kind, at)| transition(kind, *at)).collect();
    let lost = fill("sesn_1", &history(had), &listed);
    let name = |lost: Lost| {
        let thread = lost.resource.parent_id.map_or(String::new(), |_| format!("@{}", lost.resource.id));
        let short = lost.event_type.trim_start_matches("session.");
        (format!("{short}{thread}"), (lost.at - at(0)).num_milliseconds())
    };
    lost.into_iter().map(name).collect()
}

fn named(lost: &[(&str, i64)]) -> Vec<(String, i64)> {
    lost.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect()
}

#[test]
fn what_is_listed_and_not_told_is_lost() {
    let listed = [
        ("status_running", 1_100),
        ("span.outcome_evaluation_end", 2_500),
        ("status_idle/end_turn", 3_900),
        ("updated", 5_000),
        ("status_running", 7_000),
        ("status_rescheduled", 8_000),
        ("status_terminated", 9_000),
    ];
    let all = named(&[
        (RUN, 1_100),
        ("outcome_evaluation_ended", 2_500),
        (IDLE, 3_900),
        ("updated", 5_000),
        (RUN, 7_000),
        ("status_rescheduled", 8_000),
        (END, 9_000),
    ]);
    assert_eq!(filled(&[], &listed), all);
    let had = [(RUN, 1), (IDLE, 3), (RUN, 7), (END, 9)];
    let lost = [("outcome_evaluation_ended", 2_500), ("updated", 5_000), ("status_rescheduled", 8_000)];
    assert_eq!(filled(&had, &listed), named(&lost));
}

#[test]
fn a_webhook_that_came_some_seconds_off_stands_for_its_transition() {
    assert_eq!(filled(&[(RUN, 4)], &[("status_running", 1_000)]), []);
    assert_eq!(filled(&[(RUN, 7)], &[("status_running", 1_000)]), named(&[(RUN, 1_000)]));
}

#[test]
fn each_webhook_stands_for_one_transition_and_for_the_nearest() {
    let listed: Vec<(&str, i64)> = (1..=4).map(|n| ("status_running", n * 1_000 + 400)).collect();
    assert_eq!(filled(&[(RUN, 3)], &listed), named(&[(RUN, 1_400), (RUN, 2_400), (RUN, 4_400)]));
}

#[test]
fn a_budget_is_told_once_for_each_of_its_values() {
    let listed = [
        ("status_idle/budget_reached", 1_000),
        ("status_idle/budget_reached", 20_000),
        ("updated$", 30_000),
        ("status_idle/budget_reached", 40_000),
        ("status_running", 50_000),
        ("status_idle/budget_reached", 60_000),
    ];
    let budgets: Vec<i64> = filled(&[], &listed)
        .into_iter()
        .filter(|(name, _)| name == "budget_reached")
        .map(|(_, at)| at)
        .collect();
    assert_eq!(budgets, [1_000, 40_000, 60_000]);
}

#[test]
fn the_primary_thread_is_told_of_by_no_webhook() {
    let listed = [
        ("thread_status_idle@sthr_primary", 1_000),
        ("thread_created@sthr_child", 2_000),
        ("thread_status_idle@sthr_child", 3_000),
        ("thread_status_terminated@sthr_child", 4_000),
    ];
    let lost = [
        ("thread_created@sthr_child", 2_000),
        ("thread_idled@sthr_child", 3_000),
        ("thread_terminated@sthr_child", 4_000),
    ];
    assert_eq!(filled(&[], &listed), named(&lost));
    // A child that was opened before what is listed is known from its history.
    assert_eq!(filled(&[("thread_created@sthr_child", 2)], &listed[2..]), named(&lost[1..]),);
}

#[test]
fn what_the_list_says_beside_transitions_is_no_webhook() {
    assert_eq!(
        filled(&[], &[("usage", 1_000), ("thread_status_running@sthr_1", 2_000), ("error", 3_000)]),
        []
    );
}

proptest! {
    /// Whatever is filled in closes the gap, and is found once.
    #[test]
    fn a_history_that_was_filled_has_no_gap_and_lacks_nothing(story in story::told(), kept in proptest::collection::vec(any::<bool>(), 0..64)) {
        let (listed, all) = story;
        let kept_by = |n: usize| kept.get(n).copied().unwrap_or(true);
        let mut had: Vec<Entry> =
            all.iter().enumerate().filter(|(n, _)| kept_by(*n)).map(|(_, entry)| entry.clone()).collect();
        let lost = fill("sesn_1", &had, &listed);
        prop_assert_eq!(had.len() + lost.len(), all.len());
        had.extend(lost.iter().map(|lost| Entry {
            event_type: lost.event_type.to_owned(),
            thread: lost.resource.parent_id.as_ref().map(|_| lost.resource.id.clone()),
            created_at: DateTime::from_timestamp(lost.at.timestamp(), 0).unwrap(),
        }));
        had.sort_by(|one, other| (one.created_at, &one.event_type).cmp(&(other.created_at, &other.event_type)));
        prop_assert_eq!(find(&had, true), None);
        prop_assert_eq!(fill("sesn_1", &had, &listed), vec![]);
        // Exactly what was dropped, seconds apart as the transitions of these stories are.
        let mut whole = all.clone();
        whole.sort_by(|one, other| (one.created_at, &one.event_type).cmp(&(other.created_at, &other.event_type)));
        prop_assert_eq!(had, whole);
    }
}
