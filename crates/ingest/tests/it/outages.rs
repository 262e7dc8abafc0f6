//! Postgres or RabbitMQ away, and back again.

use crate::bench::{Bench, Ingest, PATIENCE};
use crate::raw::{self, exchange};
use anyhow::{Result, ensure};
use futures_util::future::join_all;
use serde_json::{Value, json};
use signing::Secret;
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::broker::Peeked;
use testkit::clock::{real_now, unix_seconds};
use testkit::proxy::TcpProxy;
use testkit::{broker, eventually, payload};

/// Between the process and each of its stores.
struct Wires {
    postgres: TcpProxy,
    rabbitmq: TcpProxy,
}

async fn wired(bench: &Bench) -> Result<(Wires, Ingest)> {
    let (postgres, database_url) = TcpProxy::start_before(&bench.database.url()).await?;
    let (rabbitmq, amqp_url) = TcpProxy::start_before(&broker::url()?).await?;
    let settings = [("DATABASE_URL", database_url.as_str()), ("AMQP_URL", &amqp_url)];
    let ingest = bench.ingest(&settings).await?;
    connected(&ingest, 1).await?;
    Ok((Wires { postgres, rabbitmq }, ingest))
}

/// Waits until ingest knows that it has so many connections to RabbitMQ.
async fn connected(ingest: &Ingest, connections: u8) -> Result<()> {
    let line = format!("broker_connected{{direction=\"publish\"}} {connections}\n");
    eventually(PATIENCE, "the state of the connection to RabbitMQ", async || {
        let (_, metrics) = ingest.internal("/metrics").await?;
        Ok(metrics.contains(&line).then_some(()))
    })
    .await
}

/// Waits until the readiness page answers with this status.
async fn readiness(ingest: &Ingest, status: u16) -> Result<()> {
    eventually(PATIENCE, "the readiness", async || {
        let (found, page) = ingest.internal("/readyz").await?;
        ensure!(found == status, "{found}: {page}");
        Ok(Some(()))
    })
    .await
}

fn event(id: &str) -> Value {
    payload::message_created(id, "msg_1", real_now())
}

#[tokio::test]
async fn without_postgres_deliveries_are_confirmed_by_rabbitmq() -> Result<()> {
    let bench = Bench::new().await?;
    let (wires, ingest) = wired(&bench).await?;
    // Closed at once, and open but silent: the second is what a machine that vanished looks like.
    for (number, silence) in [TcpProxy::cut, TcpProxy::stall].into_iter().enumerate() {
        silence(&wires.postgres);
        for part in ["a", "b"] {
            let id = format!("evt_{number}{part}");
            let answer = ingest.sender.deliver(&id, &event(&id)).await?;
            assert_eq!((answer.status, answer.json()?), (200, json!({ "status": "success" })), "{id}");
        }
        readiness(&ingest, 200).await?;
        wires.postgres.heal();
    }
    let messages = broker::get_all(&bench.queues.work()).await?;
    let ids: BTreeSet<String> = messages
        .iter()
        .filter_map(|message| message.properties.message_id().as_ref())
        .map(ToString::to_string)
        .collect();
    assert_eq!(ids, ["evt_0a", "evt_0b", "evt_1a", "evt_1b"].map(str::to_owned).into());
    Ok(())
}

/// Refuses every row as Postgres does when it cannot make a file longer.
const FILL_DISK: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse()";

#[tokio::test]
async fn a_postgres_whose_disk_is_full_counts_as_away_until_there_is_room_again() -> Result<()> {
    let bench = Bench::new().await?;
    let ingest = bench.ingest(&[]).await?;
    connected(&ingest, 1).await?;
    sqlx::raw_sql(FILL_DISK).execute(bench.database.pool()).await?;
    for n in 0..5 {
        let id = format!("evt_full_{n}");
        let answer = ingest.sender.deliver(&id, &event(&id)).await?;
        assert_eq!((answer.status, answer.json()?), (200, json!({ "status": "success" })), "{id}");
    }
    assert_eq!(bench.count("events").await?, 0);
    assert_eq!(broker::get_all(&bench.queues.work()).await?.len(), 5);
    sqlx::raw_sql("DROP TRIGGER full_disk ON events").execute(bench.database.pool()).await?;
    let mut n = 0;
    eventually(PATIENCE, "an event in Postgres again", async || {
        n += 1;
        let id = format!("evt_room_{n}");
        let answer = ingest.sender.deliver(&id, &event(&id)).await?;
        ensure!(answer.status == 200, "{}", answer.status);
        Ok((bench.count("events").await? > 0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_postgres_that_has_dropped_its_connections_is_not_away() -> Result<()> {
    let bench = Bench::new().await?;
    let (wires, ingest) = wired(&bench).await?;
    // Several duties use the pool, so that it has several connections by now.
    let events: Vec<(String, Value)> =
        (0..40).map(|n| format!("evt_{n}")).map(|id| (id.clone(), event(&id))).collect();
    join_all(events.iter().map(|(id, body)| ingest.sender.deliver(id, body))).await;
    wires.rabbitmq.cut();
    for round in 0..5 {
        wires.postgres.drop_connections();
        let id = format!("evt_dropped_{round}");
        let answer = ingest.sender.deliver(&id, &event(&id)).await?;
        assert_eq!((answer.status, answer.json()?), (200, json!({ "status": "success" })), "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn while_rabbitmq_is_away_a_slow_postgres_is_given_time() -> Result<()> {
    /// Longer than Postgres gets when RabbitMQ could take the event instead.
    const SLOWNESS: Duration = Duration::from_millis(2500);
    let bench = Bench::new().await?;
    let (wires, ingest) = wired(&bench).await?;
    wires.rabbitmq.cut();
    connected(&ingest, 0).await?;
    wires.postgres.stall();
    let slow = async {
        tokio::time::sleep(SLOWNESS).await;
        wires.postgres.resume();
    };
    let body = event("evt_1");
    let (answer, ()) = tokio::join!(ingest.sender.deliver("evt_1", &body), slow);
    let answer = answer?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(bench.count("events").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_rabbitmq_that_goes_during_a_slow_commit_leaves_the_event_to_postgres() -> Result<()> {
    let bench = Bench::new().await?;
    let (wires, ingest) = wired(&bench).await?;
    wires.postgres.stall();
    let body = event("evt_1");
    let outage = async {
        // The commit has begun by then, and its second is not over.
        tokio::time::sleep(Duration::from_millis(400)).await;
        wires.rabbitmq.cut();
        connected(&ingest, 0).await?;
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        wires.postgres.resume();
        anyhow::Ok(())
    };
    let (answer, outage) = tokio::join!(ingest.sender.deliver("evt_1", &body), outage);
    outage?;
    let answer = answer?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(bench.count("events").await?, 1);
    Ok(())
}

#[tokio::test]
async fn what_a_silent_rabbitmq_does_not_confirm_is_stored_by_a_postgres_that_is_back() -> Result<()> {
    let bench = Bench::new().await?;
    let (wires, ingest) = wired(&bench).await?;
    wires.postgres.stall();
    wires.rabbitmq.stall();
    let body = event("evt_1");
    let back = async {
        // The event was handed to RabbitMQ by then.
        tokio::time::sleep(Duration::from_secs(2)).await;
        wires.postgres.resume();
    };
    let (answer, ()) = tokio::join!(ingest.sender.deliver("evt_1", &body), back);
    let answer = answer?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(bench.count("events").await?, 1);
    Ok(())
}

#[tokio::test]
async fn without_both_stores_senders_are_asked_to_come_back_and_then_served() -> Result<()> {
    let bench = Bench::new().await?;
    let (wires, ingest) = wired(&bench).await?;
    wires.postgres.cut();
    wires.rabbitmq.cut();
    readiness(&ingest, 503).await?;
    assert_eq!(ingest.internal("/livez").await?.0, 200);
    let (text, now) = (event("evt_1").to_string(), unix_seconds());
    let signature = signing::sign(&Secret::parse(&bench.secret)?, "evt_1", now, text.as_bytes());
    let (now, length) = (now.to_string(), text.len().to_string());
    let headers = [
        ("webhook-id", "evt_1"),
        ("webhook-timestamp", &now),
        ("webhook-signature", &signature),
        ("content-length", &length),
    ];
    let reply = exchange(ingest.port, &raw::post(&headers, text.as_bytes())).await?;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")), "{reply:?}");
    assert_eq!(reply.json()?["reason"], "unavailable");

    wires.postgres.heal();
    eventually(PATIENCE, "deliveries to be taken again", async || {
        let answer = ingest.sender.deliver("evt_1", &event("evt_1")).await?;
        ensure!(answer.status == 200, "{}", answer.body);
        Ok(Some(()))
    })
    .await?;
    readiness(&ingest, 200).await?;
    assert_eq!(bench.count("events").await?, 1);
    Ok(())
}

#[tokio::test]
async fn without_rabbitmq_deliveries_are_taken_and_published_later() -> Result<()> {
    const EVENTS: u64 = 20;
    let bench = Bench::new().await?;
    let (proxy, through) = TcpProxy::start_before(&broker::url()?).await?;
    proxy.cut();
    let ingest = bench.ingest(&[("AMQP_URL", &through)]).await?;
    for status in ["success", "skipped"] {
        for number in 0..EVENTS {
            let id = format!("evt_{number}");
            let answer = ingest.sender.deliver(&id, &event(&id)).await?;
            assert_eq!((answer.status, answer.json()?["status"].clone()), (200, json!(status)));
        }
    }
    // One after the other, so that each has its own commit.
    assert_eq!((bench.count("events").await?, bench.count("bundles").await?), (EVENTS, EVENTS));

    proxy.heal();
    // The relay leaves fresh events to the first publish for ten seconds.
    eventually(2 * PATIENCE, "everything confirmed", async || {
        let left = bench.count("bundles").await?;
        ensure!(left == 0, "{left} bundles are left");
        Ok(Some(()))
    })
    .await?;
    let messages = broker::get_all(&bench.queues.work()).await?;
    assert_eq!(messages.iter().map(Peeked::events).sum::<u64>(), EVENTS);
    assert!(messages.iter().all(|message| message.properties.delivery_mode() == &Some(2)));
    Ok(())
}

#[tokio::test]
async fn a_duplicate_of_an_event_that_was_never_published_has_it_published_at_once() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, through) = TcpProxy::start_before(&broker::url()?).await?;
    proxy.cut();
    let ingest = bench.ingest(&[("AMQP_URL", &through)]).await?;
    let body = event("evt_1");
    assert_eq!(ingest.sender.deliver("evt_1", &body).await?.json()?["status"], "success");
    let far = "UPDATE bundles SET due_at = now() + interval '1 day' RETURNING id";
    let moved: Vec<i64> = sqlx::query_scalar(far).fetch_all(bench.database.pool()).await?;
    assert_eq!(moved.len(), 1);
    proxy.heal();
    eventually(PATIENCE, "the message in the queue", async || {
        // Counts only for events that are older than a second, so that a copy sent in parallel changes nothing.
        assert_eq!(ingest.sender.deliver("evt_1", &body).await?.json()?["status"], "skipped");
        let depth = broker::depth(&bench.queues.work()).await?;
        ensure!(depth == 1, "{depth}");
        Ok(Some(()))
    })
    .await
}

#[tokio::test]
async fn a_process_started_without_any_store_is_not_ready_from_its_first_answer_until_they_come() -> Result<()>
{
    let bench = Bench::new().await?;
    let (postgres, database_url) = TcpProxy::start_before(&bench.database.url()).await?;
    let (rabbitmq, amqp_url) = TcpProxy::start_before(&broker::url()?).await?;
    postgres.cut();
    rabbitmq.cut();
    let settings = [("DATABASE_URL", database_url.as_str()), ("AMQP_URL", &amqp_url)];
    let ingest = bench.spawn(&settings)?;
    let first =
        eventually(PATIENCE, "an answer", async || Ok(Some(ingest.internal("/readyz").await?))).await?;
    assert_eq!(first.0, 503, "{}", first.1);
    postgres.heal();
    rabbitmq.heal();
    readiness(&ingest, 200).await?;
    let body = event("evt_1");
    assert_eq!(ingest.sender.deliver("evt_1", &body).await?.status, 200);
    Ok(())
}
