//! A worker that was away comes back to a backlog.

use super::Bench;
use super::loaded::note_cost;
use crate::figures::Sheet;
use crate::figures::measure::{FETCHES, MEMORY, RATE};
use crate::load::{deliver, float};
use crate::probe::cpu::Meter;
use crate::probe::memory;
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 64;

/// Longest time for a backlog.
const DRAINING: Duration = Duration::from_mins(30);

/// One run. The backlog came in through `ingest`; its events go round the sessions.
pub(super) async fn once(bench: &Bench, per_session: u64, latency_ms: u64) -> Result<Sheet> {
    let backlog = bench.plan.backlog;
    bench.progress.step("filling the queue");
    let stack = Stack::new().await?;
    let ingest = Server::start(System::Holdfast, &stack).await?;
    let deliveries = stack.deliveries(backlog / per_session)?;
    deliver(ingest.address(), &deliveries, CONNECTIONS, backlog).await?;
    stack.until_published(Duration::from_mins(2)).await?;
    let api = Server::api(latency_ms).await?;

    bench.progress.step("draining it");
    let worker = Server::worker(&stack, &api).await?;
    let meter = Meter::start(worker.pid(), &[api.pid()])?;
    // What was done before the worker called itself ready is not counted.
    let began = Instant::now();
    let pending = stack.number("SELECT count(*) FROM events WHERE status = 'pending'").await?;
    stack.until_finished(DRAINING).await?;
    let took = began.elapsed();
    let spent = meter.read()?;

    let applied =
        stack.number("SELECT count(*) FROM events WHERE status IN ('applied', 'superseded')").await?;
    ensure!(applied >= float(backlog), "{applied} of {backlog} events were applied");
    let mut sheet = Sheet::default();
    let subject = "worker";
    sheet.add(subject, RATE, pending / took.as_secs_f64());
    sheet.add(subject, FETCHES, float(api.requests().await?) / float(backlog));
    note_cost(&mut sheet, subject, spent, backlog);
    sheet.add(subject, MEMORY, memory::high_water(worker.pid())?);
    Ok(sheet)
}
