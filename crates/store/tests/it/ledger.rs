//! The sum of all events, and what is waiting.

use crate::bench::{Bench, after, again, event, failure, noon};
use anyhow::Result;
use bytes::Bytes;
use domain::{EndpointName, EventStatus};
use store::{Finished, Kept, Ledger, NewEvent, Quarantined};

#[tokio::test]
async fn an_empty_ledger_balances() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let ledger = store::ledger(&mut connection).await?;
    assert!(ledger.balances());
    assert_eq!(ledger.accepted, 0);
    let backlog = store::backlog(&mut connection).await?;
    assert_eq!((backlog.pending, backlog.outbox, backlog.dead), (0, 0, 0));
    assert_eq!(backlog.oldest_pending, None);
    Ok(())
}

#[tokio::test]
async fn every_event_is_counted_in_exactly_one_state() -> Result<()> {
    let bench = Bench::new().await?;
    let ids: Vec<String> = (0..15).map(|n| format!("evt_{n}")).collect();
    let rows = bench.stored(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let finished: Vec<Finished> = [
        (0_usize, EventStatus::Applied),
        (1, EventStatus::Applied),
        (2, EventStatus::Applied),
        (3, EventStatus::Superseded),
        (4, EventStatus::Superseded),
        (5, EventStatus::Ignored),
    ]
    .map(|(n, status)| Finished { event: rows[n].event, status })
    .to_vec();
    let dying: Vec<_> = rows[6..10].iter().map(|row| failure(row.event, 3, true)).collect();
    let mut tx = bench.store.begin("settle").await?;
    store::finish(&mut tx, &finished, noon()).await?;
    store::record_failures(&mut tx, &dying, "worker-1", noon()).await?;
    store::discard(&mut tx, &[rows[6].event], "noise", noon()).await?;
    tx.commit().await?;
    bench.accept(&[again("evt_0", 5)?]).await?;

    let mut connection = bench.store.connection().await?;
    let ledger = store::ledger(&mut connection).await?;
    let expected =
        Ledger { accepted: 15, pending: 5, applied: 3, superseded: 2, ignored: 1, dead: 3, discarded: 1 };
    assert_eq!(ledger, expected);
    assert!(ledger.balances());
    assert!(!Ledger { pending: 4, ..ledger }.balances());
    Ok(())
}

#[tokio::test]
async fn the_backlog_names_the_oldest_event_that_is_not_finished() -> Result<()> {
    let bench = Bench::new().await?;
    let older = NewEvent { received_at: after(-60), ..event("evt_older")? };
    let oldest = NewEvent { received_at: after(-90), ..event("evt_oldest")? };
    let rows = bench.scheduled(&[event("evt_1")?, older, oldest]).await?;
    let mut tx = bench.store.begin("finish").await?;
    let done = Finished { event: rows[2].event, status: EventStatus::Applied };
    store::finish(&mut tx, &[done], noon()).await?;
    store::record_failures(&mut tx, &[failure(rows[0].event, 3, true)], "worker-1", noon()).await?;
    tx.commit().await?;
    let mut connection = bench.store.connection().await?;
    let backlog = store::backlog(&mut connection).await?;
    assert_eq!((backlog.pending, backlog.outbox, backlog.dead), (1, 2, 1));
    assert_eq!(backlog.oldest_pending, Some(after(-60)));
    Ok(())
}

#[tokio::test]
async fn what_is_to_be_published_counts_whether_in_a_bundle_or_alone() -> Result<()> {
    let bench = Bench::new().await?;
    bench.stored(&["evt_1"]).await?;
    bench.accept(&[event("evt_2")?, event("evt_3")?]).await?;
    bench.accept(&[event("evt_4")?]).await?;
    bench
        .sql(format!("UPDATE bundles SET due_at = '{}' WHERE 1 = cardinality(events)", after(7).to_rfc3339()))
        .await?;
    let mut connection = bench.store.connection().await?;
    assert_eq!(store::backlog(&mut connection).await?.outbox, 4);
    let unfinished = store::unfinished(&mut connection).await?;
    assert_eq!((unfinished.pending, unfinished.outbox, unfinished.oldest_due_at), (4, 4, Some(after(7))));
    Ok(())
}

#[tokio::test]
async fn a_quarantined_body_is_kept_byte_for_byte() -> Result<()> {
    let bench = Bench::new().await?;
    let body = Quarantined {
        endpoint: EndpointName::new("default")?,
        received_at: noon(),
        body: vec![0, 255, b'{', 10],
        content_type: None,
        problem: "the body is not JSON".to_owned(),
    };
    let mut connection = bench.store.connection().await?;
    assert_eq!(store::quarantine(&mut connection, &body, None).await?, Kept::New);
    let empty = Quarantined { content_type: Some("text/\u{fe0f}".into()), body: Vec::new(), ..body };
    assert_eq!(store::quarantine(&mut connection, &empty, None).await?, Kept::New);
    assert_eq!(store::quarantined(&mut connection).await?, 2);
    let kept = bench.texts("SELECT encode(body, 'hex') FROM quarantine ORDER BY id").await?;
    assert_eq!(kept, ["00ff7b0a", ""]);
    Ok(())
}

#[tokio::test]
async fn a_body_is_quarantined_once_and_new_ones_only_up_to_the_bound() -> Result<()> {
    let bench = Bench::new().await?;
    let body = |text: &str, endpoint: &str| {
        anyhow::Ok(Quarantined {
            endpoint: EndpointName::new(endpoint)?,
            received_at: noon(),
            body: text.into(),
            content_type: None,
            problem: "the body is not JSON".to_owned(),
        })
    };
    let mut connection = bench.store.connection().await?;
    let mut keep = async |text, endpoint, bound| {
        anyhow::Ok(store::quarantine(&mut connection, &body(text, endpoint)?, bound).await?)
    };
    assert_eq!(keep("a", "default", Some(2)).await?, Kept::New);
    assert_eq!(keep("a", "default", Some(2)).await?, Kept::Again);
    assert_eq!(keep("a", "other", Some(2)).await?, Kept::New);
    assert_eq!(keep("b", "default", Some(2)).await?, Kept::Full);
    assert_eq!(keep("a", "default", Some(2)).await?, Kept::Again, "a full quarantine still counts");
    assert_eq!(keep("b", "default", None).await?, Kept::New);
    let times = bench
        .texts(
            "SELECT concat_ws(' ', endpoint, convert_from(body, 'UTF8'), times) FROM quarantine ORDER BY id",
        )
        .await?;
    assert_eq!(times, ["default a 3", "other a 1", "default b 1"]);
    Ok(())
}

#[tokio::test]
async fn a_payload_is_kept_byte_for_byte() -> Result<()> {
    let bench = Bench::new().await?;
    let payload = Bytes::from((0..=255).collect::<Vec<u8>>());
    bench.accept(&[NewEvent { payload: payload.clone(), ..event("evt_1")? }]).await?;
    let mut connection = bench.store.connection().await?;
    assert_eq!(store::find_events(&mut connection, "evt_1", None).await?[0].payload, payload);
    Ok(())
}
