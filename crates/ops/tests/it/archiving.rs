//! Transcripts: whole, never a mixture, and fetched again when a session is closed again.

use crate::bench::{Bench, PATIENCE, Platform, platform_event};
use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use domain::{Clock, EffectKind};
use ops::effects::Runner;
use ops::transcripts::{Archivist, InPostgres, Reader, Storage};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use store::{NewTranscriptPart, PartRow, TranscriptHold, TranscriptRow};
use testkit::eventually;
use tokio::time::timeout;

const SESSION: &str = "sesn_1";

/// What happens when a storage has kept as many parts as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Fails,
    Hangs,
}

/// Keeps some parts, and then no more.
#[derive(Clone)]
struct Faltering {
    inner: InPostgres,
    left: Arc<AtomicI32>,
    then: Then,
}

impl Storage for Faltering {
    async fn put(
        &self,
        hold: &TranscriptHold,
        part: &NewTranscriptPart<'_>,
        lease_ends: DateTime<Utc>,
    ) -> Result<bool, store::Error> {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return self.inner.put(hold, part, lease_ends).await;
        }
        match self.then {
            Then::Fails => Err(store::Error::Silent { action: "test", limit: Duration::ZERO }),
            Then::Hangs => std::future::pending().await,
        }
    }

    async fn parts(&self, session_id: &str, generation: i32) -> Result<Vec<PartRow>, store::Error> {
        self.inner.parts(session_id, generation).await
    }

    async fn body(
        &self,
        session_id: &str,
        generation: i32,
        part: &PartRow,
    ) -> Result<Option<Vec<u8>>, store::Error> {
        self.inner.body(session_id, generation, part).await
    }
}

fn archivist<S: Storage + Clone>(
    bench: &Bench,
    platform: &Platform,
    storage: S,
) -> Result<Runner<Archivist<S>>> {
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let handler = Archivist::new(bench.store.clone(), storage, platform.client()?, Arc::clone(&clock));
    Ok(Runner::new(EffectKind::Archive, handler, bench.store.clone(), clock, || 0.5, 4))
}

fn sound(bench: &Bench, platform: &Platform) -> Result<Runner<Archivist<InPostgres>>> {
    archivist(bench, platform, InPostgres::new(bench.store.clone()))
}

fn faltering(
    bench: &Bench,
    platform: &Platform,
    parts: i32,
    then: Then,
) -> Result<Runner<Archivist<Faltering>>> {
    let inner = InPostgres::new(bench.store.clone());
    archivist(bench, platform, Faltering { inner, left: Arc::new(AtomicI32::new(parts)), then })
}

/// A session with so many messages.
async fn session(platform: &Platform, events: usize) -> Result<()> {
    platform.running(SESSION).await?;
    platform.append(SESSION, &messages(0, events)).await
}

fn messages(from: usize, to: usize) -> Vec<Value> {
    (from..to)
        .map(|n| {
            json!({ "id": format!("sevt_{n:05}"), "type": "agent.message", "session_thread_id": null,
            "content": [{ "type": "text", "text": format!("line\n{n}") }] })
        })
        .collect()
}

/// An event closed the session, and was processed.
async fn close(bench: &Bench, platform: &Platform, id: &str, seconds: i64) -> Result<()> {
    let event = platform_event(id, "session.status_terminated", SESSION, seconds)?;
    bench.process(platform, &[event]).await
}

async fn transcript(bench: &Bench) -> Result<TranscriptRow> {
    let mut connection = bench.store.connection().await?;
    store::find_transcript(&mut connection, SESSION).await?.context("there is no transcript")
}

/// Its lines, and whether they have the digest of the row.
async fn lines(bench: &Bench) -> Result<Vec<String>> {
    let row = transcript(bench).await?;
    let mut reader = Reader::new(InPostgres::new(bench.store.clone()), SESSION, row.generation).await?;
    let mut text = Vec::new();
    while let Some((_, part)) = reader.next().await? {
        text.extend(part);
    }
    let digest = reader.sha256().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    ensure!(row.sha256.as_deref() == Some(&digest), "the digest is {:?}, not {digest}", row.sha256);
    ensure!(usize::try_from(row.bytes)? == text.len(), "{} bytes, not {}", row.bytes, text.len());
    let lines: Vec<String> = String::from_utf8(text)?.lines().map(str::to_owned).collect();
    ensure!(usize::try_from(row.events)? == lines.len(), "{} events, {} lines", row.events, lines.len());
    Ok(lines)
}

/// The ids of the messages among the lines.
async fn message_ids(bench: &Bench) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for line in lines(bench).await? {
        let event: Value = serde_json::from_str(&line)?;
        if event.get("type").is_some_and(|kind| kind == "agent.message") {
            ids.push(event.get("id").and_then(Value::as_str).context("no id")?.to_owned());
        }
    }
    Ok(ids)
}

fn expected(to: usize) -> Vec<String> {
    (0..to).map(|n| format!("sevt_{n:05}")).collect()
}

async fn open_effects(bench: &Bench) -> Result<i64> {
    bench
        .number(
            "SELECT count(*) FROM effects WHERE kind = 'archive' AND standing = 'due' AND done_at IS NULL",
        )
        .await
}

#[tokio::test]
async fn three_thousand_events_and_those_of_a_child_thread_are_kept_as_the_platform_gives_them() -> Result<()>
{
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 3_000).await?;
    let child = "sthr_child";
    let opened = json!({ "type": "session.thread_created", "session_thread_id": child, "agent_name": "B" });
    let words = json!({ "type": "agent.message", "session_thread_id": child, "content": [] });
    platform.append(SESSION, &[opened, words]).await?;
    close(&bench, &platform, "whe_1", -10).await?;
    assert_eq!(sound(&bench, &platform)?.round().await?, 1);
    let row = transcript(&bench).await?;
    assert_eq!((row.complete, row.reason.as_deref(), row.threads), (true, None, 1));
    assert!(row.stored_bytes * 5 < row.bytes, "{} of {} bytes", row.stored_bytes, row.bytes);
    let client = platform.client()?;
    let listed = client.all_session_events(SESSION, &claude::EventFilter::default(), 10).await?;
    let of_child = client.all_thread_events(SESSION, child, &claude::Paging::default(), 10).await?;
    assert!(listed.items.len() >= 3_000 && !of_child.items.is_empty());
    let raw = listed.items.iter().chain(&of_child.items).map(|event| event.raw.get().to_owned());
    assert_eq!(lines(&bench).await?, raw.collect::<Vec<_>>());
    assert_eq!(row.last_event_id.as_deref(), listed.items.last().map(|event| event.value.id.as_str()));
    assert_eq!(open_effects(&bench).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_fetch_that_fails_half_way_is_gone_on_with() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 2_500).await?;
    close(&bench, &platform, "whe_1", -10).await?;
    faltering(&bench, &platform, 2, Then::Fails)?.round().await?;
    assert_eq!(transcript(&bench).await?.generation, 0);
    assert_eq!(open_effects(&bench).await?, 1);
    bench.advance(20);
    sound(&bench, &platform)?.round().await?;
    let row = transcript(&bench).await?;
    // The same generation: what was there was not fetched again.
    assert_eq!((row.generation, row.complete), (1, true));
    assert_eq!(message_ids(&bench).await?, expected(2_500));
    assert_eq!(open_effects(&bench).await?, 0);
    Ok(())
}

#[tokio::test]
async fn nobody_joins_a_fetch_that_is_under_way_and_somebody_goes_on_when_it_died() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 2_500).await?;
    close(&bench, &platform, "whe_1", -10).await?;
    let dying = faltering(&bench, &platform, 1, Then::Hangs)?;
    let parts = async {
        eventually(PATIENCE, "a part", async || {
            let parts = bench.number("SELECT count(*) FROM transcript_parts").await?;
            Ok((parts > 0).then_some(()))
        })
        .await
    };
    tokio::select! {
        _ = dying.round() => anyhow::bail!("it ended"),
        kept = parts => kept?,
    }
    drop(dying);
    // Another event of the same session: its worker waits.
    close(&bench, &platform, "whe_2", -5).await?;
    bench.advance(20);
    assert_eq!(sound(&bench, &platform)?.round().await?, 1);
    assert_eq!(transcript(&bench).await?.generation, 0);
    bench.advance(3_600);
    timeout(PATIENCE, async {
        while open_effects(&bench).await? > 0 {
            sound(&bench, &platform)?.round().await?;
            bench.advance(20);
        }
        anyhow::Ok(())
    })
    .await??;
    assert_eq!(message_ids(&bench).await?, expected(2_500));
    assert_eq!(bench.number("SELECT count(DISTINCT generation) FROM transcript_parts").await?, 1);
    Ok(())
}

#[tokio::test]
async fn two_events_that_close_a_session_cost_one_fetch_and_a_later_one_another() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 10).await?;
    close(&bench, &platform, "whe_1", -20).await?;
    close(&bench, &platform, "whe_2", -10).await?;
    sound(&bench, &platform)?.round().await?;
    assert_eq!((transcript(&bench).await?.generation, open_effects(&bench).await?), (1, 0));
    platform.append(SESSION, &messages(10, 20)).await?;
    close(&bench, &platform, "whe_3", -5).await?;
    sound(&bench, &platform)?.round().await?;
    assert_eq!((transcript(&bench).await?.generation, open_effects(&bench).await?), (2, 0));
    assert_eq!(message_ids(&bench).await?, expected(20));
    Ok(())
}

#[tokio::test]
async fn a_cursor_that_the_platform_refuses_begins_the_transcript_anew() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 2_500).await?;
    close(&bench, &platform, "whe_1", -10).await?;
    faltering(&bench, &platform, 2, Then::Fails)?.round().await?;
    platform.fails(&format!("{SESSION}/events"), json!({ "status": 400, "times": 1 })).await?;
    for _ in 0..2 {
        bench.advance(60);
        sound(&bench, &platform)?.round().await?;
    }
    assert_eq!(transcript(&bench).await?.generation, 2);
    assert_eq!(message_ids(&bench).await?, expected(2_500));
    Ok(())
}

#[tokio::test]
async fn a_session_that_is_gone_leaves_what_is_known_and_no_endless_tries() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 10).await?;
    close(&bench, &platform, "whe_1", -20).await?;
    sound(&bench, &platform)?.round().await?;
    close(&bench, &platform, "whe_2", -10).await?;
    platform.fails(SESSION, json!({ "status": 404 })).await?;
    sound(&bench, &platform)?.round().await?;
    let row = transcript(&bench).await?;
    assert_eq!((row.complete, open_effects(&bench).await?), (false, 0));
    assert!(row.reason.is_some_and(|reason| reason.contains("not there")));
    assert_eq!(message_ids(&bench).await?, expected(10));
    Ok(())
}

#[tokio::test]
async fn a_session_that_was_deleted_before_has_no_transcript() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 10).await?;
    close(&bench, &platform, "whe_1", -20).await?;
    bench.process(&platform, &[platform_event("whe_2", "session.deleted", SESSION, -10)?]).await?;
    assert_eq!(sound(&bench, &platform)?.round().await?, 0);
    let mut connection = bench.store.connection().await?;
    assert!(store::find_transcript(&mut connection, SESSION).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn three_failures_tell_a_person_and_a_success_ends_the_alert() -> Result<()> {
    let (bench, platform) = (Bench::new().await?, Platform::start().await?);
    session(&platform, 10).await?;
    close(&bench, &platform, "whe_1", -20).await?;
    platform.fails(SESSION, json!({ "status": 500 })).await?;
    let alerts = "SELECT kind || ' ' || (resolved_at IS NOT NULL)::text FROM alerts";
    for failures in 1..=3 {
        assert!(bench.texts(alerts).await?.is_empty(), "after {failures}");
        sound(&bench, &platform)?.round().await?;
        bench.advance(60);
    }
    assert_eq!(bench.texts(alerts).await?, ["transcript_not_fetched false"]);
    platform.heals().await?;
    sound(&bench, &platform)?.round().await?;
    assert_eq!(bench.texts(alerts).await?, ["transcript_not_fetched true"]);
    assert_eq!(message_ids(&bench).await?, expected(10));
    Ok(())
}
