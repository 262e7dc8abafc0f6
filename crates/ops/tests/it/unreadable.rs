//! Messages that no worker can read.

use crate::bench::{Bench, PATIENCE, Platform, Worker, message, platform_event};
use anyhow::Result;
use broker::{Message, Queue};
use domain::EventStatus;
use testkit::payload;

#[tokio::test(flavor = "multi_thread")]
async fn each_goes_to_the_dead_letters_alone_and_the_others_are_processed() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let event = platform_event("whe_1", "session.running", "sesn_1", -1)?;
    let right = message(&event);
    let messages = [
        Message { endpoint: String::new(), ..right.clone() },
        Message { payload: "\0 garbage".into(), ..right.clone() },
        Message { event_id: payload::event_id(), ..right.clone() },
        right,
    ];
    bench.publish(Queue::Work, &messages).await?;
    let worker = Worker::start(&bench, &platform).await?;
    bench.until_status("whe_1", EventStatus::Applied).await?;
    bench.until_ready(Queue::Dead, 3).await?;
    worker.stopped().await?;
    let unreadable = bench.metric("worker_events_total{outcome=\"unreadable\"}")?;
    assert!((unreadable - 3.0).abs() < 0.1, "{unreadable}");
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_in_a_message_goes_to_the_dead_letters_without_the_others() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let event = |n: u32| platform_event(&format!("whe_{n}"), "session.running", "sesn_1", -1);
    let events = [event(1)?, event(2)?, event(3)?];
    bench.stored(&events).await?;
    let mut messages: Vec<Message> = events.iter().map(message).collect();
    messages.insert(1, Message { payload: "garbage".into(), ..messages[0].clone() });
    bench.publish_bundled(Queue::Work, &messages).await?;
    let worker = Worker::start(&bench, &platform).await?;
    for event in &events {
        bench.until_status(event.event.id.as_str(), EventStatus::Applied).await?;
    }
    bench.until_ready(Queue::Dead, 1).await?;
    worker.stopped_with_nothing_left(&bench, &platform).await?;
    let letters = bench.messages(Queue::Dead).await?;
    assert_eq!(letters.iter().map(|letter| &letter.body[..]).collect::<Vec<_>>(), [b"garbage"]);
    let unreadable = bench.metric("worker_events_total{outcome=\"unreadable\"}")?;
    assert!((unreadable - 1.0).abs() < 0.1, "{unreadable}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_none_of_ours_is_kept_in_the_quarantine_byte_for_byte() -> Result<()> {
    let bench = Bench::new().await?;
    let right = message(&platform_event("whe_1", "session.running", "sesn_1", -1)?);
    let messages = [
        Message { endpoint: String::new(), payload: "no names".into(), ..right.clone() },
        Message { payload: "\0 garbage".into(), ..right.clone() },
        Message { event_id: "whe_other".to_owned(), ..right },
    ];
    let bodies: Vec<String> =
        messages.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect();
    bench.publish(Queue::Work, &messages).await?;
    bench.reject_all(3).await?;
    bench.until_ready(Queue::Dead, 3).await?;
    let settled = ops::dead::settle(&bench.store, &bench.broker, &*bench.clock, "worker-1").await?;
    assert_eq!((settled.seen, settled.foreign, settled.removed, settled.adopted), (3, 3, 0, 0));
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 0, "nothing is taken for an event");
    let mut kept = bench.texts("SELECT encode(body, 'base64') FROM quarantine").await?;
    let mut expected: Vec<String> = bodies.iter().map(|body| mime(body)).collect();
    kept.sort();
    expected.sort();
    assert_eq!(kept, expected);
    bench.until_ready(Queue::Dead, 0).await?;
    let agreement = ops::dead::check(&bench.store, &bench.broker).await?;
    assert!(agreement.agree, "{agreement:?}");
    Ok(())
}

/// Base64 as Postgres writes it, in lines of 76.
fn mime(body: &str) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(body);
    let lines: Vec<&str> = text.as_bytes().chunks(76).filter_map(|line| str::from_utf8(line).ok()).collect();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_event_is_not_harmed_by_a_damaged_copy() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    platform.running("sesn_1").await?;
    let event = platform_event("whe_1", "session.running", "sesn_1", -1)?;
    bench.accept(std::slice::from_ref(&event)).await?;
    let right = message(&event);
    let damaged = Message { payload: "damaged".into(), ..right.clone() };
    bench.publish(Queue::Work, &[damaged]).await?;
    let worker = Worker::start(&bench, &platform).await?;
    bench.until_ready(Queue::Dead, 1).await?;
    // Its own message comes a little later.
    bench.publish(Queue::Work, &[right]).await?;
    bench.until_status("whe_1", EventStatus::Applied).await?;
    worker.stopped().await?;
    let settled = ops::dead::settle(&bench.store, &bench.broker, &*bench.clock, "worker-1").await?;
    assert_eq!((settled.removed, settled.adopted), (1, 0));
    assert_eq!(bench.detail("whe_1").await?.row.status, "applied");
    tokio::time::timeout(PATIENCE, bench.until_ready(Queue::Dead, 0)).await?
}
