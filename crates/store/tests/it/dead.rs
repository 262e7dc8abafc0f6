//! Dead letters as Postgres knows them.

use crate::bench::{Bench, after, event, failure, key, noon, session};
use anyhow::Result;
use domain::{EndpointName, EventStatus, EventType, FailureClass};
use store::{DeadFilter, Failure, NewEvent};

fn typed(id: &str, event_type: &str) -> Result<NewEvent> {
    let mut new = event(id)?;
    new.event.event_type = EventType::new(event_type)?;
    Ok(new)
}

/// Four dead letters that differ in everything, and one event that lives.
async fn filled() -> Result<Bench> {
    let bench = Bench::new().await?;
    let mut other_resource = typed("evt_3", "session.archived")?;
    other_resource.event.resource = Some(session("sesn_%"));
    let elsewhere = NewEvent { endpoint: EndpointName::new("billing")?, ..typed("evt_4", "vault.created")? };
    let events = [
        event("evt_1")?,
        typed("evt_2", "session.status_error")?,
        other_resource,
        elsewhere,
        event("evt_5")?,
    ];
    let rows = bench.scheduled(&events).await?;
    let causes = [
        (FailureClass::Gone, "404 Not Found"),
        (FailureClass::Transient, "504 after 100% of the time"),
        (FailureClass::Bug, "panicked: a_b\\c"),
        (FailureClass::Permanent, "the payload has no data"),
    ];
    for (((class, error), row), seconds) in causes.into_iter().zip(rows).zip([0, 10, 20, 30]) {
        let error = error.to_owned();
        let failed = Failure { class, error, ..failure(row.event, 3, true) };
        let mut tx = bench.store.begin("die").await?;
        store::record_failures(&mut tx, &[failed], "worker-1", after(seconds)).await?;
        tx.commit().await?;
    }
    Ok(bench)
}

async fn ids(bench: &Bench, filter: &DeadFilter) -> Result<Vec<String>> {
    let mut tx = bench.store.begin("select").await?;
    let listed = store::list_dead(&mut tx, filter, 10).await?;
    assert_eq!(store::count_dead(&mut tx, filter).await?, i64::try_from(listed.len())?, "{filter:?}");
    let mut rows: Vec<i64> = listed.iter().map(|listed| listed.row).collect();
    rows.reverse();
    assert_eq!(store::select_dead(&mut tx, filter, 10).await?, rows, "selected oldest first: {filter:?}");
    // A transaction that is only dropped keeps its locks for a moment.
    tx.commit().await?;
    Ok(listed.into_iter().map(|listed| listed.event_id).collect())
}

#[tokio::test]
async fn each_filter_narrows_the_list_the_count_and_the_selection_alike() -> Result<()> {
    let bench = filled().await?;
    let none = DeadFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (none(), &["evt_4", "evt_3", "evt_2", "evt_1"][..]),
        (
            DeadFilter {
                event_ids: Some(["evt_1", "evt_4", "evt_5", "evt_9"].map(str::to_owned).to_vec()),
                ..none()
            },
            &["evt_4", "evt_1"],
        ),
        (DeadFilter { event_ids: Some(Vec::new()), ..none() }, &[]),
        (DeadFilter { event_type: text("session.status_idled"), ..none() }, &["evt_1"]),
        (DeadFilter { event_type: text("session.*"), ..none() }, &["evt_3", "evt_2", "evt_1"]),
        (DeadFilter { event_type: text("session.status%"), ..none() }, &[]),
        (DeadFilter { event_type: text("*"), ..none() }, &["evt_4", "evt_3", "evt_2", "evt_1"]),
        (DeadFilter { resource_id: text("sesn_%"), ..none() }, &["evt_3"]),
        (DeadFilter { error_class: Some(FailureClass::Transient), ..none() }, &["evt_2"]),
        (DeadFilter { text: text("NOT FOUND"), ..none() }, &["evt_1"]),
        (DeadFilter { text: text("100%"), ..none() }, &["evt_2"]),
        (DeadFilter { text: text("a_b\\c"), ..none() }, &["evt_3"]),
        (DeadFilter { text: text("aXb"), ..none() }, &[]),
        (DeadFilter { text: text("0_"), ..none() }, &[]),
        (DeadFilter { endpoint: text("billing"), ..none() }, &["evt_4"]),
        (DeadFilter { died_before: Some(after(10)), ..none() }, &["evt_1"]),
        (DeadFilter { died_after: Some(after(10)), ..none() }, &["evt_4", "evt_3", "evt_2"]),
        (
            DeadFilter { died_after: Some(after(10)), died_before: Some(after(30)), ..none() },
            &["evt_3", "evt_2"],
        ),
        (DeadFilter { endpoint: text("default"), error_class: Some(FailureClass::Permanent), ..none() }, &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&bench, &filter).await?, expected, "{filter:?}");
    }
    Ok(())
}

#[tokio::test]
async fn lists_and_selections_end_at_their_limit() -> Result<()> {
    let bench = filled().await?;
    let mut tx = bench.store.begin("select").await?;
    let listed = store::list_dead(&mut tx, &DeadFilter::default(), 2).await?;
    assert_eq!(listed.iter().map(|row| row.event_id.as_str()).collect::<Vec<_>>(), ["evt_4", "evt_3"]);
    assert_eq!(listed[0].dead_at, Some(after(30)));
    assert_eq!(listed[0].error_class.as_deref(), Some("permanent"));
    assert_eq!(store::select_dead(&mut tx, &DeadFilter::default(), 3).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn letters_that_another_command_holds_are_passed_over() -> Result<()> {
    let bench = filled().await?;
    let mut first = bench.store.begin("first").await?;
    let taken = store::select_dead(&mut first, &DeadFilter::default(), 3).await?;
    let mut second = bench.store.begin("second").await?;
    let left = store::select_dead(&mut second, &DeadFilter::default(), 10).await?;
    assert_eq!((taken.len(), left.len()), (3, 1));
    assert!(!taken.contains(&left[0]));
    Ok(())
}

#[tokio::test]
async fn statistics_group_by_type_and_class_with_the_largest_group_first() -> Result<()> {
    let bench = filled().await?;
    let more = [typed("evt_6", "vault.created")?, typed("evt_7", "vault.created")?];
    let rows = bench.scheduled(&more).await?;
    let failures: Vec<Failure> = rows
        .iter()
        .map(|row| Failure { class: FailureClass::Permanent, ..failure(row.event, 1, true) })
        .collect();
    let mut tx = bench.store.begin("die").await?;
    store::record_failures(&mut tx, &failures, "worker-1", after(100)).await?;
    let groups = store::dead_stats(&mut tx).await?;
    let figures: Vec<_> = groups
        .iter()
        .map(|group| (group.event_type.as_str(), group.error_class.as_str(), group.count))
        .collect();
    assert_eq!(
        figures,
        [
            ("vault.created", "permanent", 3),
            ("session.archived", "bug", 1),
            ("session.status_error", "transient", 1),
            ("session.status_idled", "gone", 1)
        ]
    );
    assert_eq!((groups[0].oldest, groups[0].newest), (after(30), after(100)));
    Ok(())
}

#[tokio::test]
async fn discarding_closes_dead_letters_and_only_these_with_their_reason() -> Result<()> {
    let bench = filled().await?;
    let mut tx = bench.store.begin("discard").await?;
    let alive = store::lock_events(&mut tx, &[key("evt_5")?]).await?[&key("evt_5")?].event;
    let mut rows = store::select_dead(&mut tx, &DeadFilter::default(), 2).await?;
    rows.push(alive);
    let intentions: Vec<_> = rows
        .iter()
        .map(|event| store::Intention {
            event: *event,
            queue: if *event == alive { store::Queue::Work } else { store::Queue::Dead },
            generation: 1,
            tries: 3,
            due_at: noon(),
        })
        .collect();
    store::schedule(&mut tx, &intentions).await?;
    assert_eq!(store::discard(&mut tx, &rows, "test data; \u{2713} 'ok'", after(50)).await?, 2);
    assert_eq!(store::discard(&mut tx, &rows, "again", after(60)).await?, 0);
    tx.commit().await?;
    let mut connection = bench.store.connection().await?;
    let found = &store::find_events(&mut connection, "evt_1", None).await?[0];
    assert_eq!(found.row.status, EventStatus::Discarded.as_str());
    assert_eq!(found.discard_reason.as_deref(), Some("test data; \u{2713} 'ok'"));
    assert_eq!(found.finished_at, Some(after(50)));
    assert_eq!(found.row.error_class.as_deref(), Some("gone"), "why it died stays on record");
    assert_eq!(found.due_at, None);
    let alive = &store::find_events(&mut connection, "evt_5", None).await?[0];
    assert_eq!((alive.row.status.as_str(), alive.due_at), ("pending", Some(noon())));
    Ok(())
}

#[tokio::test]
async fn figures_count_the_dead_and_those_whose_letter_is_still_to_be_published() -> Result<()> {
    let bench = filled().await?;
    let mut tx = bench.store.begin("figures").await?;
    assert_eq!(store::dead_figures(&mut tx).await?, (4, 0));
    let event = store::select_dead(&mut tx, &DeadFilter::default(), 1).await?[0];
    let planned =
        store::Intention { event, queue: store::Queue::Dead, generation: 1, tries: 3, due_at: noon() };
    store::schedule(&mut tx, &[planned]).await?;
    assert_eq!(store::dead_figures(&mut tx).await?, (4, 1));
    Ok(())
}

#[tokio::test]
async fn standings_are_read_without_waiting_for_a_lock() -> Result<()> {
    let bench = filled().await?;
    let mut holder = bench.store.begin("hold").await?;
    store::lock_events(&mut holder, &[key("evt_1")?]).await?;
    let mut connection = bench.store.connection().await?;
    let standings = store::standing_of(&mut connection, &[key("evt_1")?, key("evt_9")?]).await?;
    assert_eq!(standings.len(), 1);
    let found = standings[&key("evt_1")?];
    assert_eq!((found.status, found.generation, found.tries), (EventStatus::Dead, 1, 3));
    Ok(())
}

#[tokio::test]
async fn one_at_a_time_may_settle() -> Result<()> {
    let bench = Bench::new().await?;
    let mut first = bench.store.begin("first").await?;
    assert!(store::try_lock_settling(&mut first).await?);
    let mut second = bench.store.begin("second").await?;
    assert!(!store::try_lock_settling(&mut second).await?);
    first.commit().await?;
    assert!(store::try_lock_settling(&mut second).await?);
    Ok(())
}
