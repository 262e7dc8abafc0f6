//! Accepting beside millions of stored events, and beside none, in turns.

use super::Bench;
use super::filling::fill_events;
use super::loaded::{Loaded, SESSIONS, Shape};
use crate::figures::Sheet;
use crate::figures::measure::OF_EMPTY;
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::Result;
use std::time::{Duration, Instant};

/// All runs: the table is filled once.
pub(super) async fn measure(bench: &Bench, name: &str) -> Result<Vec<Sheet>> {
    bench.progress.run(name, 1);
    bench.progress.step("filling the table");
    let began = Instant::now();
    let full = Stack::new().await?;
    fill_events(&full, &bench.progress, bench.plan.rows).await?;
    let bytes = full.number("SELECT pg_total_relation_size('events')").await?;
    bench.progress.remark(&format!(
        "{} events stored in {:.0} s, {:.1} GiB with their indexes",
        bench.plan.rows,
        began.elapsed().as_secs_f64(),
        bytes / 1_073_741_824.0
    ));
    let mut sheets = Vec::new();
    for run in 1..=bench.plan.runs {
        bench.progress.run(name, run);
        let mut sheet = Sheet::default();
        let empty = Stack::new().await?;
        loaded(bench, &empty, "empty").await?.note(&mut sheet, "empty");
        full.execute("CHECKPOINT".to_owned()).await?;
        loaded(bench, &full, AFTER_CHECKPOINT).await?.note(&mut sheet, AFTER_CHECKPOINT);
        bench.progress.step("until the pages are touched");
        touch_pages(bench, &full).await?;
        loaded(bench, &full, "full").await?.note(&mut sheet, "full");
        for subject in [AFTER_CHECKPOINT, "full"] {
            sheet.compare(subject, "empty", OF_EMPTY);
        }
        sheets.push(sheet);
        bench.progress.advance();
    }
    Ok(sheets)
}

/// The first seconds after a checkpoint: each change of a page that was not touched since is written whole.
const AFTER_CHECKPOINT: &str = "full, after a checkpoint";

async fn loaded(bench: &Bench, stack: &Stack, subject: &str) -> Result<Loaded> {
    bench.progress.step(subject);
    let server = Server::start(System::Holdfast, stack).await?;
    let deliveries = stack.deliveries(SESSIONS)?;
    Loaded::run(bench, &server, &deliveries, Shape::FULL).await
}

/// Accepts events until nearly each page of the unique index was touched since the last checkpoint, as it is for most of
/// the time between two: so many events as it has pages leave a third untouched, three times as many a twentieth.
async fn touch_pages(bench: &Bench, stack: &Stack) -> Result<()> {
    let pages = stack
        .number(
            "SELECT pg_relation_size('events_endpoint_event_id_key') / current_setting('block_size')::int",
        )
        .await?;
    let server = Server::start(System::Holdfast, stack).await?;
    let deliveries = stack.deliveries(SESSIONS)?;
    let before = stack.number("SELECT count(*) FROM events WHERE status = 'pending'").await?;
    loop {
        Loaded::run_for(TOUCHING, bench, &server, &deliveries, Shape::FULL).await?;
        let now = stack.number("SELECT count(*) FROM events WHERE status = 'pending'").await?;
        if now - before >= 3.0 * pages {
            return Ok(());
        }
    }
}

/// How long events are accepted before the pages are counted again.
const TOUCHING: Duration = Duration::from_secs(5);
