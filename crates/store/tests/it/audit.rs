//! Who is a suspect of a round, and who is not.

use crate::bench::{Bench, after, event, failure, noon};
use anyhow::Result;
use sqlx::Row;
use store::{Finished, NewRound, Requeued, Ticket};

async fn place(bench: &Bench) -> Result<i64> {
    Ok(place_within(bench, 100).await?.number)
}

async fn place_within(bench: &Bench, most: i64) -> Result<NewRound> {
    let mut tx = bench.store.begin("place").await?;
    let round = store::place_round(&mut tx, after(60), most, false).await?;
    tx.commit().await?;
    Ok(round)
}

async fn requeue(bench: &Bench, round: i64, limit: i64) -> Result<Requeued> {
    let mut tx = bench.store.begin("requeue").await?;
    let chunk = store::requeue_chunk(&mut tx, round, after(90), limit).await?;
    tx.commit().await?;
    Ok(chunk)
}

/// As the relay does when RabbitMQ has confirmed a message.
async fn confirmed(bench: &Bench, tickets: &[Ticket]) -> Result<()> {
    let mut connection = bench.store.connection().await?;
    store::confirm(&mut connection, tickets).await?;
    Ok(())
}

/// Stores events whose messages are in the queue.
async fn queued(bench: &Bench, ids: &[&str]) -> Result<Vec<Ticket>> {
    let tickets = bench.stored(ids).await?;
    confirmed(bench, &tickets).await?;
    Ok(tickets)
}

const NOTHING: Requeued = Requeued { looked_at: 0, requeued: 0 };

#[tokio::test]
async fn an_event_that_was_published_before_the_round_and_has_not_moved_is_queued_again() -> Result<()> {
    let bench = Bench::new().await?;
    queued(&bench, &["evt_1"]).await?;
    let round = place(&bench).await?;
    assert!(store::any_suspect(&mut *bench.store.connection().await?, round).await?);
    assert_eq!(requeue(&bench, round, 10).await?, Requeued { looked_at: 1, requeued: 1 });
    let rows = bench
        .texts("SELECT queue || generation || tries || (due_at = '2026-03-15T12:01:30Z')::text FROM outbox")
        .await?;
    assert_eq!(rows, ["work10true"]);
    let found = store::find_round(&mut *bench.store.connection().await?, round).await?.expect("the round");
    assert_eq!((found.requeued, found.examples, found.requeueing), (1, vec!["evt_1".to_owned()], true));
    Ok(())
}

#[tokio::test]
async fn what_was_still_to_be_published_comes_after_the_marker_and_is_asked_by_the_next_round() -> Result<()>
{
    let bench = Bench::new().await?;
    let tickets = bench.stored(&["evt_1"]).await?;
    let round = place(&bench).await?;
    confirmed(&bench, &tickets).await?;
    assert_eq!(requeue(&bench, round, 10).await?, NOTHING);
    let next = place(&bench).await?;
    assert_eq!(requeue(&bench, next, 10).await?.requeued, 1);
    Ok(())
}

#[tokio::test]
async fn what_was_still_in_a_bundle_comes_after_the_marker_as_well() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let before = bench.accept(&[event("evt_before")?]).await?;
    store::confirm_bundles(&mut connection, before.bundle.as_slice()).await?;
    let after_it = bench.accept(&[event("evt_after")?]).await?;
    let round = place(&bench).await?;
    store::confirm_bundles(&mut connection, after_it.bundle.as_slice()).await?;
    assert_eq!(requeue(&bench, round, 10).await?, Requeued { looked_at: 1, requeued: 1 });
    let queued = "SELECT event_id FROM outbox JOIN events ON events.id = event";
    assert_eq!(bench.texts(queued).await?, ["evt_before"]);
    Ok(())
}

/// Such an event is where it belongs, and needs no worker to prove it.
#[tokio::test]
async fn an_event_in_a_bundle_is_not_in_the_queue_yet() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    assert!(!store::any_unpublished_pending(&mut connection).await?);
    let accepted = bench.accept(&[event("evt_1")?, event("evt_2")?]).await?;
    assert!(!store::any_unpublished_pending(&mut connection).await?);
    store::confirm_bundles(&mut connection, accepted.bundle.as_slice()).await?;
    assert!(store::any_unpublished_pending(&mut connection).await?);
    Ok(())
}

/// It waits for budget: neither its tries nor its generation tell that it was published once more.
#[tokio::test]
async fn an_event_that_failed_without_using_up_a_try_is_no_suspect_of_an_older_round() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = queued(&bench, &["evt_1"]).await?;
    let round = place(&bench).await?;
    let waits = store::Failure { counts: false, ..failure(tickets[0].event, 0, false) };
    let intention = store::Intention {
        event: tickets[0].event,
        queue: store::Queue::Work,
        generation: 1,
        tries: 0,
        due_at: noon(),
    };
    let mut tx = bench.store.begin("fail").await?;
    store::record_failures(&mut tx, &[waits], "worker-1", noon()).await?;
    let again = store::schedule(&mut tx, &[intention]).await?;
    tx.commit().await?;
    confirmed(&bench, &again).await?;
    assert_eq!(requeue(&bench, round, 10).await?, NOTHING);
    assert!(!store::any_suspect(&mut *bench.store.connection().await?, round).await?);
    Ok(())
}

/// Numbers are drawn before a commit, so an event with a smaller number may appear later.
#[tokio::test]
async fn an_event_that_was_committed_after_the_round_began_is_no_suspect_whatever_its_number() -> Result<()> {
    let bench = Bench::new().await?;
    let mut late = bench.store.begin("accept").await?;
    store::accept_batch(&mut late, &[event("evt_late")?], Some(after(10))).await?;
    queued(&bench, &["evt_early"]).await?;
    let round = place(&bench).await?;
    late.commit().await?;
    bench.sql("DELETE FROM bundles").await?;
    assert_eq!(requeue(&bench, round, 10).await?, Requeued { looked_at: 1, requeued: 1 });
    assert_eq!(
        bench.texts("SELECT event_id FROM outbox JOIN events ON events.id = event").await?,
        ["evt_early"]
    );
    Ok(())
}

#[tokio::test]
async fn a_row_that_a_worker_has_locked_and_one_that_is_finished_are_left_alone() -> Result<()> {
    let bench = Bench::new().await?;
    let tickets = queued(&bench, &["evt_done", "evt_held", "evt_lost"]).await?;
    let round = place(&bench).await?;
    let done = Finished { event: tickets[0].event, status: domain::EventStatus::Applied };
    store::finish(&mut *bench.store.connection().await?, &[done], noon()).await?;
    let mut worker = bench.store.begin("apply").await?;
    store::lock_events(&mut worker, &[event("evt_held")?.key()]).await?;
    assert_eq!(requeue(&bench, round, 10).await?, Requeued { looked_at: 2, requeued: 1 });
    assert_eq!(
        bench.texts("SELECT event_id FROM outbox JOIN events ON events.id = event").await?,
        ["evt_lost"]
    );
    Ok(())
}

#[tokio::test]
async fn an_existing_row_of_the_outbox_stays_as_it_is() -> Result<()> {
    let bench = Bench::new().await?;
    queued(&bench, &["evt_1"]).await?;
    let round = place(&bench).await?;
    bench
        .sql("INSERT INTO outbox (event, queue, generation, tries, due_at) SELECT id, 'work', 1, 0, 'infinity' FROM events")
        .await?;
    assert_eq!(requeue(&bench, round, 10).await?, NOTHING);
    assert_eq!(bench.number("SELECT count(*) FROM outbox WHERE due_at = 'infinity'").await?, 1);
    Ok(())
}

#[tokio::test]
async fn chunks_go_on_where_the_last_one_was_committed_and_take_nothing_twice() -> Result<()> {
    let bench = Bench::new().await?;
    queued(&bench, &["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"]).await?;
    let round = place(&bench).await?;
    assert_eq!(requeue(&bench, round, 2).await?.requeued, 2);
    {
        let mut killed = bench.store.begin("requeue").await?;
        assert_eq!(store::requeue_chunk(&mut killed, round, after(90), 2).await?.requeued, 2);
    }
    // What was published in between is not taken for lost again.
    bench.sql("DELETE FROM outbox").await?;
    assert_eq!(requeue(&bench, round, 2).await?.requeued, 2);
    assert_eq!(requeue(&bench, round, 2).await?.requeued, 1);
    assert_eq!(requeue(&bench, round, 2).await?, NOTHING);
    let mut connection = bench.store.connection().await?;
    store::end_round(&mut connection, round, after(99)).await?;
    let ended = store::find_round(&mut connection, round).await?.expect("the round");
    assert_eq!((ended.requeued, ended.outcome.as_deref()), (5, Some("requeued")));
    Ok(())
}

#[tokio::test]
async fn a_round_that_requeues_ends_all_others_and_a_clean_one_only_the_older() -> Result<()> {
    let bench = Bench::new().await?;
    let rounds = [place(&bench).await?, place(&bench).await?, place(&bench).await?];
    let mut connection = bench.store.connection().await?;
    store::overtake(&mut connection, rounds[1], false, after(90)).await?;
    let open: Vec<i64> =
        store::open_rounds(&mut connection).await?.iter().map(|round| round.number).collect();
    assert_eq!(open, rounds[1..]);
    store::overtake(&mut connection, rounds[1], true, after(90)).await?;
    let open: Vec<i64> =
        store::open_rounds(&mut connection).await?.iter().map(|round| round.number).collect();
    assert_eq!(open, rounds[1..2]);
    Ok(())
}

#[tokio::test]
async fn too_long_an_outbox_is_not_remembered_and_ends_the_round() -> Result<()> {
    let bench = Bench::new().await?;
    bench.stored(&["evt_1"]).await?;
    bench.accept(&[event("evt_2")?, event("evt_3")?]).await?;
    assert!(place_within(&bench, 3).await?.begun);
    let skipped = place_within(&bench, 2).await?;
    assert!(!skipped.begun);
    bench.sql("DELETE FROM outbox; DELETE FROM bundles").await?;
    assert_eq!(requeue(&bench, skipped.number, 10).await?, NOTHING);
    Ok(())
}

#[tokio::test]
async fn a_marker_of_another_database_or_of_a_round_that_is_over_returns_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let round = place(&bench).await?;
    let mut connection = bench.store.connection().await?;
    assert!(!store::mark_returned(&mut connection, round, after(61), after(70)).await?);
    assert!(store::mark_returned(&mut connection, round, after(60), after(70)).await?);
    assert!(store::mark_returned(&mut connection, round, after(60), after(80)).await?);
    let found = store::find_round(&mut connection, round).await?.expect("the round");
    assert_eq!(found.returned_at, Some(after(70)), "the first time counts");
    store::end_round(&mut connection, round, after(90)).await?;
    assert!(!store::mark_returned(&mut connection, round, after(60), after(70)).await?);
    Ok(())
}

#[tokio::test]
async fn a_report_is_read_as_it_was_made() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let says = |worker: &str, held_since, holds_redelivered| store::WorkerReport {
        worker: worker.to_owned(),
        reported_at: after(10),
        held_since,
        holds_redelivered,
    };
    let reports = [says("a", Some(noon()), false), says("b", None, true), says("c", None, false)];
    for report in &reports {
        store::report_held(&mut connection, report).await?;
    }
    assert_eq!(store::worker_reports(&mut connection, after(10)).await?, reports);
    assert_eq!(store::worker_reports(&mut connection, after(11)).await?, []);
    Ok(())
}

#[tokio::test]
async fn the_numbers_of_transactions_may_wrap() -> Result<()> {
    let bench = Bench::new().await?;
    for (writer, seen, before) in [
        (13_i64, "10:20:12", true),
        (12, "10:20:12", false),
        (20, "10:20:12", false),
        (25, "10:20:12", false),
        (3, "4294967300:4294967310:", true),
        (4_294_967_290, "4294967300:4294967310:", true),
        (5, "4294967300:4294967310:4294967301", false),
        (20, "4294967300:4294967310:", false),
    ] {
        let asked = format!("SELECT written_before('{writer}'::xid, '{seen}'::pg_snapshot)::text");
        assert_eq!(bench.texts(asked).await?, [before.to_string()], "{writer} {seen}");
    }
    Ok(())
}

#[tokio::test]
async fn finished_events_cost_a_round_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    bench
        .sql(
            "INSERT INTO events (endpoint, event_id, event_type, dialect, created_at, received_at, payload, status, \
                 finished_at) \
             SELECT 'default', 'evt_' || n, 'x', 'platform', '2026-03-15T12:00:00Z', '2026-03-15T12:00:00Z', '', \
                 CASE WHEN n % 1000 = 0 THEN 'pending' ELSE 'applied' END, CASE WHEN n % 1000 <> 0 THEN now() END \
             FROM generate_series(1, 20000) AS n",
        )
        .await?;
    bench.sql("VACUUM ANALYZE").await?;
    let round = place(&bench).await?;
    let mut tx = bench.store.begin("ask").await?;
    // From the sixth time on Postgres may choose the plan that a long-lived connection ends up with.
    for _ in 0..8 {
        store::any_suspect(&mut tx, round).await?;
        store::requeue_chunk(&mut tx, round, after(90), 1).await?;
        store::any_unpublished_pending(&mut tx).await?;
    }
    let scans =
        sqlx::raw_sql("SELECT pg_stat_get_xact_numscans('events'::regclass)").fetch_one(&mut *tx).await?;
    assert_eq!(scans.try_get::<i64, _>(0)?, 0, "the table was read from end to end");
    Ok(())
}
