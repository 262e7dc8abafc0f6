//! RabbitMQ goes away, the load goes on, RabbitMQ comes back.

use super::Bench;
use super::accept::{compare, others};
use super::loaded::{Loaded, SESSIONS, Shape};
use crate::figures::Sheet;
use crate::figures::measure::{BACKLOG_END, CATCH_UP, GROWTH, MEMORY_AFTER, MEMORY_AT};
use crate::probe::{memory, sample_while};
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::Result;
use std::time::{Duration, Instant};
use testkit::proxy::TcpProxy;

/// Longest time to publish what has gathered.
const CATCHING_UP: Duration = Duration::from_mins(20);

/// One run.
pub(super) async fn once(bench: &Bench) -> Result<Sheet> {
    let mut sheet = Sheet::default();
    others(bench, &mut sheet).await?;

    let us = System::Holdfast.name();
    bench.progress.step("Holdfast without the broker");
    let mut stack = Stack::new().await?;
    // The proxy serves ingest alone; the benchmark itself goes to the broker directly.
    let (proxy, through) = TcpProxy::start_before(&stack.amqp_url).await?;
    stack.amqp_url = through;
    let server = Server::start(System::Holdfast, &stack).await?;
    proxy.cut();
    let deliveries = stack.deliveries(SESSIONS)?;
    let pid = server.pid();
    let duration = bench.plan.endurance;
    let load = Loaded::run_for(duration, bench, &server, &deliveries, Shape::FULL);
    let (loaded, resident) = sample_while(load, duration / 40, async || memory::resident(pid)).await?;
    loaded?.note(&mut sheet, us);
    compare(&mut sheet);
    note_memory(&mut sheet, us, &resident);

    bench.progress.step("Holdfast catches up");
    sheet.add(us, BACKLOG_END, stack.unpublished().await?);
    proxy.heal();
    let healed = Instant::now();
    stack.until_published(CATCHING_UP).await?;
    sheet.add(us, CATCH_UP, healed.elapsed().as_secs_f64());
    sheet.add(us, MEMORY_AFTER, memory::high_water(pid)?);
    Ok(sheet)
}

/// Notes the memory at each quarter of the time, and how much it grew in the second half.
fn note_memory(sheet: &mut Sheet, subject: &str, resident: &[f64]) {
    let at = |quarter: usize| resident.get((resident.len() * quarter / 4).saturating_sub(1)).copied();
    for (quarter, measure) in (1..).zip(MEMORY_AT) {
        if let Some(held) = at(quarter) {
            sheet.add(subject, measure, held);
        }
    }
    if let (Some(half), Some(end)) = (at(2), at(4)) {
        sheet.add(subject, GROWTH, end / half);
    }
}
