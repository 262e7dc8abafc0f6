//! The events of a resource, in the order in which they happened.

use crate::bench::{Bench, after, event, session};
use anyhow::{Context, Result};
use domain::{EventId, Order};
use store::HistoryEntry;

/// Records places in this order, each `(seconds, rank, id)`, of events that are stored first.
async fn record(bench: &Bench, places: &[(i64, u8, &str)]) -> Result<()> {
    let events = places.iter().map(|(_, _, id)| event(id)).collect::<Result<Vec<_>>>()?;
    bench.accept(&events).await?;
    let resource = session("sesn_1");
    let mut tx = bench.store.begin("record").await?;
    let locked =
        store::lock_events(&mut tx, &events.iter().map(store::NewEvent::key).collect::<Vec<_>>()).await?;
    let entries = places
        .iter()
        .zip(&events)
        .map(|((seconds, rank, id), event)| {
            Ok(HistoryEntry {
                resource: &resource,
                order: Order { created_at: after(*seconds), rank: *rank, event_id: EventId::new(*id)? },
                event_type: "session.status_idled",
                event: locked.get(&event.key()).context("the event is stored")?.event,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    store::record_history(&mut tx, &entries).await?;
    tx.commit().await?;
    Ok(())
}

async fn history(bench: &Bench) -> Result<Vec<String>> {
    let mut connection = bench.store.connection().await?;
    let rows = store::history_of(&mut connection, "session", "sesn_1").await?;
    Ok(rows.into_iter().map(|row| row.event_id).collect())
}

#[tokio::test]
async fn history_is_ordered_by_time_then_rank_then_id_whatever_came_first() -> Result<()> {
    let bench = Bench::new().await?;
    record(&bench, &[(2, 10, "evt_d"), (1, 51, "evt_a"), (1, 20, "evt_c")]).await?;
    record(&bench, &[(1, 20, "evt_b"), (-1, 90, "evt_e")]).await?;
    assert_eq!(history(&bench).await?, ["evt_e", "evt_b", "evt_c", "evt_a", "evt_d"]);
    let mut connection = bench.store.connection().await?;
    assert!(store::history_of(&mut connection, "session", "sesn_2").await?.is_empty());
    assert!(store::history_of(&mut connection, "vault", "sesn_1").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_place_is_recorded_once_however_often_it_is_recorded() -> Result<()> {
    let bench = Bench::new().await?;
    for _ in 0..3 {
        record(&bench, &[(1, 20, "evt_b"), (1, 20, "evt_a"), (1, 20, "evt_b")]).await?;
    }
    assert_eq!(history(&bench).await?, ["evt_a", "evt_b"]);
    Ok(())
}

/// Many servers sort text by the rules of a language, where `b` comes before `C`. The order of events is that of
/// `domain::Order` on every server: by bytes.
#[tokio::test]
async fn ids_break_ties_by_their_bytes_also_where_the_database_sorts_by_language() -> Result<()> {
    let bench = Bench::new().await?;
    bench.sql("ALTER TABLE resource_history ALTER COLUMN event_id TYPE text COLLATE \"en-x-icu\"").await?;
    let ids = ["evt_b", "evt_C", "evt_a1", "evt_A", "evt-z", "evt_\u{e9}"];
    record(&bench, &ids.map(|id| (1, 20, id))).await?;
    let mut expected = ids.map(str::to_owned);
    expected.sort();
    assert_eq!(history(&bench).await?, expected);
    Ok(())
}
