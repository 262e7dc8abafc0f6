//! Full load for longer than any buffer could hide: what is accepted must reach the queue at the same pace.

use super::Bench;
use super::accept::{compare, others};
use super::loaded::{Loaded, SESSIONS, Shape};
use crate::figures::Sheet;
use crate::figures::measure::{BACKLOG_END, BACKLOG_MOST, MESSAGES, PUBLISHED};
use crate::probe::sample_while;
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::{Result, ensure};
use std::time::Duration;
use testkit::broker;

/// One run. The others publish before they answer, so that for them accepting is end to end.
pub(super) async fn once(bench: &Bench) -> Result<Sheet> {
    let mut sheet = Sheet::default();
    others(bench, &mut sheet).await?;

    let us = System::Holdfast.name();
    bench.progress.step(us);
    let stack = Stack::new().await?;
    let server = Server::start(System::Holdfast, &stack).await?;
    let deliveries = stack.deliveries(SESSIONS)?;
    let load = Loaded::run_for(bench.plan.endurance, bench, &server, &deliveries, Shape::FULL);
    let second = Duration::from_secs(1);
    let (loaded, backlog) = sample_while(load, second, async || stack.unpublished().await).await?;
    // At once: a moment later there would be no backlog at all.
    let at_the_end = stack.unpublished().await?;
    let loaded = loaded?;
    loaded.note(&mut sheet, us);
    compare(&mut sheet);

    let accepted = stack.number("SELECT count(*) FROM events").await?;
    sheet.add(us, BACKLOG_MOST, backlog.into_iter().fold(at_the_end, f64::max));
    sheet.add(us, BACKLOG_END, at_the_end);
    sheet.add(us, PUBLISHED, 1.0 - at_the_end / accepted);
    stack.until_published(Duration::from_mins(1)).await?;
    let messages = broker::depth(&stack.queues.work()).await?;
    ensure!(messages > 0, "everything is published and the queue is empty");
    sheet.add(us, MESSAGES, messages.into());
    Ok(sheet)
}
