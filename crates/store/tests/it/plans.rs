//! The hot statements find their rows by an index, however many events there are.
//!
//! Postgres counts the scans of each table and index per transaction. The test calls the store's own function within a
//! transaction and compares these counters before and after, so that no statement is copied here and none can change
//! unnoticed. Each is called some times, because from the sixth time on Postgres may choose the generic plan that a
//! long-lived connection ends up with.

use crate::bench::{Bench, after, again, event, key, noon, session};
use anyhow::{Result, ensure};
use domain::{EndpointName, EventId, EventKey};
use sqlx::{AssertSqlSafe, Row};
use store::{DeadFilter, EventFilter, Finished, Intention, Queue, Store, Ticket, Tx};

const TIMES: u32 = 8;

/// 20,000 events of as many sessions: most are finished, 200 wait, 100 are dead. All have outbox rows, 50 are due. RabbitMQ
/// was away: 5,000 bundles are overdue, of the last moments ten.
async fn filled() -> Result<Bench> {
    let bench = Bench::new().await?;
    let at = noon().to_rfc3339();
    bench
        .sql(format!(
            "INSERT INTO events (endpoint, event_id, event_type, dialect, resource_type, resource_id, created_at, \
                 received_at, payload, status, finished_at, dead_at, error_class, last_error) \
             SELECT 'default', 'evt_' || n, 'session.status_idled', 'platform', 'session', 'sesn_' || n, '{at}', \
                 '{at}'::timestamptz + n * interval '1 ms', decode(repeat('7b7d', 100), 'hex'), \
                 CASE WHEN n % 100 = 0 THEN 'pending' WHEN n % 200 = 1 THEN 'dead' ELSE 'applied' END, \
                 CASE WHEN n % 100 <> 0 THEN '{at}'::timestamptz END, \
                 CASE WHEN n % 200 = 1 THEN '{at}'::timestamptz + n * interval '1 ms' END, \
                 CASE WHEN n % 200 = 1 THEN 'gone' END, CASE WHEN n % 200 = 1 THEN '404' END \
             FROM generate_series(1, 20000) AS n; \
             INSERT INTO outbox (event, queue, generation, tries, due_at) \
             SELECT id, 'work', 1, 0, '{at}'::timestamptz + (id - 50) * interval '1 s' FROM events; \
             INSERT INTO bundles (events, due_at) \
             SELECT ARRAY[4 * n - 3, 4 * n - 2, 4 * n - 1, 4 * n], '{at}'::timestamptz + (n - 4990) * interval '2 s' \
             FROM generate_series(1::bigint, 5000) AS n; \
             INSERT INTO resources (resource_type, resource_id) SELECT resource_type, resource_id FROM events; \
             INSERT INTO resource_history (resource_type, resource_id, created_at, rank, event_id, event_type, event) \
             SELECT resource_type, resource_id, created_at, 51, event_id, event_type, id FROM events; \
             INSERT INTO effects (resource_type, resource_id, kind, key, standing, detail, event, recorded_at) \
             SELECT resource_type, resource_id, 'alert', event_id, 'due', '', id, '{at}' FROM events; \
             INSERT INTO attempts (event, generation, number, started_at, failed_at, class, error, worker) \
             SELECT id, 1, 1, '{at}', '{at}', 'gone', '', '' FROM events"
        ))
        .await?;
    bench.sql("VACUUM ANALYZE").await?;
    Ok(bench)
}

/// How often a table was read from end to end, or an index was used, in this transaction.
async fn scans(tx: &mut Tx, relation: &str) -> Result<i64> {
    let statement = format!("SELECT pg_stat_get_xact_numscans('{relation}'::regclass)");
    let row = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(&mut **tx).await?;
    Ok(row.try_get(0)?)
}

/// Calls `statement` some times and fails unless it uses all of `indexes` and reads none of the large tables from end to
/// end. Each call is rolled back.
async fn uses(bench: &Bench, indexes: &[&str], statement: impl AsyncFn(&mut Tx) -> Result<()>) -> Result<()> {
    const LARGE: [&str; 7] =
        ["events", "outbox", "bundles", "resources", "resource_history", "effects", "attempts"];
    // A connection of its own: counters that were not handed in yet carry over from one transaction to the next.
    let store = Store::new(&crate::bench::options(bench.database.url()))?;
    let mut tx = store.begin("explain").await?;
    for time in 1..=TIMES {
        sqlx::raw_sql("SAVEPOINT call").execute(&mut *tx).await?;
        statement(&mut tx).await?;
        sqlx::raw_sql("ROLLBACK TO call").execute(&mut *tx).await?;
        for table in LARGE {
            ensure!(scans(&mut tx, table).await? == 0, "{table} was read from end to end by call {time}");
        }
        for index in indexes {
            let scans = scans(&mut tx, index).await?;
            ensure!(scans >= i64::from(time), "{index} was used {scans} times by {time} calls");
        }
    }
    Ok(())
}

fn keys(numbers: &[u32]) -> Result<Vec<EventKey>> {
    numbers
        .iter()
        .map(|n| {
            Ok(EventKey { endpoint: EndpointName::new("default")?, id: EventId::new(format!("evt_{n}"))? })
        })
        .collect()
}

#[tokio::test]
async fn a_full_table_would_be_noticed() -> Result<()> {
    let bench = filled().await?;
    let mut tx = bench.store.begin("explain").await?;
    store::ledger(&mut tx).await?;
    assert_eq!(scans(&mut tx, "events").await?, 1, "the ledger reads the whole table");
    Ok(())
}

#[tokio::test]
async fn accepting_uses_the_unique_key() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["events_endpoint_event_id_key"], async |tx| {
        let events = [again("evt_1", 9)?, again("evt_5000", 9)?, event("evt_new")?];
        store::accept_batch(tx, &events, Some(after(10))).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_outbox_is_read_by_its_due_times_and_cleared_by_its_key() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["outbox_due", "events_pkey"], async |tx| {
        let due = store::claim_due(tx, noon(), after(20), 20).await?;
        assert_eq!(due.len(), 20);
        Ok(())
    })
    .await?;
    uses(&bench, &["outbox_pkey"], async |tx| {
        let tickets: Vec<Ticket> = (1..20).map(|event| Ticket { event, number: event }).collect();
        store::confirm(tx, &tickets).await?;
        let planned = Intention { event: 7, queue: Queue::Work, generation: 1, tries: 1, due_at: after(10) };
        store::schedule(tx, &[planned]).await?;
        store::unschedule(tx, &[7, 8]).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bundles_are_read_by_their_due_times_with_their_events_and_go_by_their_key() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["bundles_due", "events_pkey"], async |tx| {
        let due = store::claim_bundles(tx, noon(), after(20), 16).await?;
        assert_eq!(due.len(), 16);
        Ok(())
    })
    .await?;
    uses(&bench, &["bundles_pkey"], async |tx| {
        store::keep_in_bundle(tx, 17, &[1, 2], after(10)).await?;
        store::confirm_bundles(tx, &(1..=16).collect::<Vec<i64>>()).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_duplicate_looks_for_its_bundle_among_the_last_ones() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["bundles_due"], async |tx| {
        store::accept_batch(tx, &[again("evt_100", 9)?], Some(after(20))).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_worker_finds_its_events_by_their_keys() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["events_endpoint_event_id_key"], async |tx| {
        assert_eq!(store::lock_events(tx, &keys(&[1, 17_000, 20_000])?).await?.len(), 3);
        assert_eq!(store::standing_of(tx, &keys(&[2, 9_000])?).await?.len(), 2);
        Ok(())
    })
    .await?;
    uses(&bench, &["events_pkey", "outbox_pkey"], async |tx| {
        let done = Finished { event: 100, status: domain::EventStatus::Applied };
        store::finish(tx, &[done], noon()).await?;
        store::record_failures(tx, &[crate::bench::failure(200, 2, false)], "worker-1", noon()).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn resources_their_history_and_their_effects_are_found_by_their_names() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["resources_pkey", "resource_history_pkey", "effects_once", "effects_event"], async |tx| {
        let (one, other) = (session("sesn_7"), session("sesn_19999"));
        assert_eq!(store::load_states(tx, &[&one, &other]).await?.len(), 2);
        let states = store::lock_states(tx, &[&one, &other]).await?;
        let state = &states[&(one.kind, one.id.clone())];
        store::save_states(tx, &[store::NewState { resource: &one, workspace_id: None, state }]).await?;
        store::close_overtaken(tx, &[(&one, domain::decide::Overtaken::AllButAlerts)]).await?;
        assert_eq!(store::history_of(tx, "session", "sesn_7").await?.len(), 1);
        assert_eq!(store::effects_of_resource(tx, "session", "sesn_7").await?.len(), 1);
        assert_eq!(store::effects_of_event(tx, 7).await?.len(), 1);
        store::find_resource(tx, "session", "sesn_7").await?;
        assert_eq!(store::attempts_of(tx, 7).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn reviews_are_found_and_counted_without_reading_all_effects() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["effects_pkey"], async |tx| {
        store::lock_review(tx, 7).await?;
        Ok(())
    })
    .await?;
    uses(&bench, &[], async |tx| {
        assert!(store::unprepared_reviews(tx, "sesn_7").await?.is_empty());
        Ok(())
    })
    .await?;
    uses(&bench, &[], async |tx| {
        assert_eq!(store::review_figures(tx, noon()).await?, store::ReviewFigures::default());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn dead_letters_are_listed_counted_and_taken_by_an_index_of_their_own() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["events_dead"], async |tx| {
        let filter = DeadFilter { died_after: Some(noon()), ..DeadFilter::default() };
        assert_eq!(store::list_dead(tx, &filter, 10).await?.len(), 10);
        assert_eq!(store::count_dead(tx, &filter).await?, 100);
        assert_eq!(store::select_dead(tx, &filter, 5).await?.len(), 5);
        Ok(())
    })
    .await?;
    uses(&bench, &["events_dead_kinds"], async |tx| {
        assert_eq!(store::dead_stats(tx).await?.len(), 1);
        let rare = DeadFilter { resource_id: Some("sesn_201".to_owned()), ..DeadFilter::default() };
        assert_eq!(store::list_dead(tx, &rare, 10).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_events_of_the_last_moments_are_found_by_their_receipt() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["events_received"], async |tx| {
        let filter = EventFilter { since: Some(after(20)), limit: 51, ..EventFilter::default() };
        assert_eq!(store::list_events(tx, &filter).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_its_endpoint() -> Result<()> {
    let bench = filled().await?;
    uses(&bench, &["events_endpoint_event_id_key"], async |tx| {
        assert_eq!(store::find_events(tx, "evt_7", Some("default")).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_backlog_never_reads_finished_events() -> Result<()> {
    let bench = filled().await?;
    let mut tx = bench.store.begin("explain").await?;
    let backlog = store::backlog(&mut tx).await?;
    assert_eq!((backlog.pending, backlog.dead), (200, 100));
    assert_eq!(scans(&mut tx, "events").await?, 0);
    assert!(scans(&mut tx, "events_pending").await? > 0);
    assert!(scans(&mut tx, "events_dead").await? + scans(&mut tx, "events_dead_kinds").await? > 0);
    assert_eq!(store::lock_events(&mut tx, &[key("evt_1")?]).await?.len(), 1);
    Ok(())
}
