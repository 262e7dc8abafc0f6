//! Publishing what is due.

use crate::bench::{Bench, Duty, PATIENCE, after, broker_at, platform_event, publisher, stored_message};
use anyhow::Result;
use broker::{LinkState, Queue};
use std::time::Duration;
use store::{Intention, NewEvent};
use testkit::proxy::TcpProxy;
use tokio::time::timeout;

fn events(count: u32) -> Result<Vec<NewEvent>> {
    (0..count).map(|n| platform_event(&format!("whe_{n}"), "session.status_idled", "sesn_1", -1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_published_when_it_is_due_and_not_before() -> Result<()> {
    let bench = Bench::new().await?;
    let rows = bench.stored(&events(2)?).await?;
    let (sooner, later) = (rows[0], rows[1]);
    let planned = |event, seconds, tries| Intention {
        event,
        queue: store::Queue::Work,
        generation: 1,
        tries,
        due_at: after(seconds),
    };
    let mut connection = bench.store.connection().await?;
    store::schedule(&mut connection, &[planned(sooner, 5, 1), planned(later, 60, 2)]).await?;
    drop(connection);
    let relay = bench.relay().await?;
    bench.advance(5);
    bench.until_outbox(1).await?;
    bench.until_ready(Queue::Work, 1).await?;
    assert_eq!(bench.detail("whe_1").await?.due_at, Some(after(60)), "nobody has touched the later one");
    bench.advance(55);
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Work, 2).await?;
    let tries: Vec<_> = bench
        .messages(Queue::Work)
        .await?
        .iter()
        .map(|message| stored_message(message, "holdfast-tries"))
        .collect();
    assert_eq!(tries, [Some("1".to_owned()), Some("2".to_owned())]);
    relay.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_for_both_queues_are_published_with_what_each_needs() -> Result<()> {
    let bench = Bench::new().await?;
    bench.accept(&events(2)?).await?;
    let row = bench.detail("whe_1").await?.row.row;
    let dead = Intention { event: row, queue: store::Queue::Dead, generation: 2, tries: 3, due_at: after(0) };
    let failure = store::Failure {
        event: row,
        generation: 2,
        tries: 3,
        counts: true,
        dead: true,
        started_at: after(0),
        class: domain::FailureClass::Transient,
        error: "no answer".to_owned(),
        request_id: None,
    };
    let mut tx = bench.store.begin("die").await?;
    store::schedule(&mut tx, &[dead]).await?;
    store::record_failures(&mut tx, &[failure], "worker-1", after(0)).await?;
    tx.commit().await?;
    bench.advance(10);
    let relay = bench.relay().await?;
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Work, 1).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    let messages = bench.messages(Queue::Dead).await?;
    let header = |name| stored_message(&messages[0], name).unwrap_or_default();
    assert_eq!((header("holdfast-generation"), header("holdfast-tries")), ("2".into(), "3".into()));
    assert_eq!(header("holdfast-failure-class"), "transient");
    assert_eq!(header("holdfast-failure-reason"), "no answer");
    let confirmed = bench.metric("ingest_relayed_total{outcome=\"confirmed\"}")?;
    assert!((confirmed - 2.0).abs() < 0.1, "{confirmed}");
    relay.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_share_the_rows_and_publish_none_twice() -> Result<()> {
    let bench = Bench::new().await?;
    bench.scheduled(&events(1_200)?).await?;
    bench.advance(10);
    let (one, other) = tokio::try_join!(bench.relay(), bench.relay())?;
    bench.until_outbox(0).await?;
    one.stopped_within(PATIENCE).await?;
    other.stopped_within(PATIENCE).await?;
    // A queue counts its messages now and then; the metric counts each confirm.
    let confirmed = bench.metric("ingest_relayed_total{outcome=\"confirmed\"}")?;
    assert!((confirmed - 1_200.0).abs() < 0.5, "{confirmed}");
    bench.until_ready(Queue::Work, 1_200).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_rows_keep_their_due_time_and_go_out_when_it_is_back() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    let broker = broker_at(&url, &bench.queues)?;
    let (publisher, _duty) = publisher(&broker, Duration::from_secs(2)).await?;
    proxy.cut();
    let mut state = publisher.state();
    timeout(PATIENCE, state.wait_for(|state| *state == LinkState::Down)).await??;
    bench.scheduled(&events(20)?).await?;
    bench.advance(10);
    let relay = Duty::start(|stop| bench.relay_with(publisher, Duration::from_millis(10)).run(stop));
    // Another relay, with a broker, takes them over at once: nothing has been leased away.
    let row = bench.detail("whe_0").await?;
    assert_eq!(row.due_at, Some(after(10)));
    proxy.heal();
    bench.until_outbox(0).await?;
    bench.until_ready(Queue::Work, 20).await?;
    relay.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_postgres_ends_no_relay() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let through = Bench { store: crate::bench::store_at(url)?, ..Bench::new().await? };
    // The relay of `through` reads the rows of `bench` through the proxy.
    bench.scheduled(&events(3)?).await?;
    proxy.cut();
    through.advance(10);
    let relay = through.relay().await?;
    proxy.heal();
    through.until_ready(Queue::Work, 3).await?;
    bench.until_outbox(0).await?;
    relay.stopped_within(PATIENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_stops_quickly_while_it_rests_and_while_the_broker_is_away() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&testkit::broker::url()?).await?;
    let broker = broker_at(&url, &bench.queues)?;
    let (publisher, _duty) = publisher(&broker, Duration::from_secs(2)).await?;
    let resting = bench.relay_with(publisher.clone(), Duration::from_hours(1));
    let resting = Duty::start(|stop| resting.run(stop));
    resting.stopped_within(Duration::from_secs(2)).await?;

    proxy.cut();
    let mut state = publisher.state();
    timeout(PATIENCE, state.wait_for(|state| *state == LinkState::Down)).await??;
    let waiting = bench.relay_with(publisher, Duration::from_hours(1));
    let waiting = Duty::start(|stop| waiting.run(stop));
    waiting.stopped_within(Duration::from_secs(2)).await
}
