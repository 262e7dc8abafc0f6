//! The whole way: from the moment in which a delivery is read until its event is applied.

use super::Bench;
use super::loaded::{Loaded, SESSIONS, Shape};
use crate::figures::Sheet;
use crate::figures::measure::{MAX, P50, P99};
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::Result;
use std::time::Duration;

/// One run.
pub(super) async fn once(bench: &Bench, rate: u32) -> Result<Sheet> {
    bench.progress.step("ingest and worker");
    let mut sheet = Sheet::default();
    let stack = Stack::new().await?;
    let api = Server::api(0).await?;
    let _worker = Server::worker(&stack, &api).await?;
    let ingest = Server::start(System::Holdfast, &stack).await?;
    let deliveries = stack.deliveries(SESSIONS)?;
    Loaded::run(bench, &ingest, &deliveries, Shape::Open { rate }).await?.note(&mut sheet, "answered");
    stack.until_finished(Duration::from_mins(2)).await?;

    let milliseconds = "1000 * extract(epoch FROM finished_at - received_at)";
    let quantile = |share: f64| {
        format!("SELECT percentile_cont({share}) WITHIN GROUP (ORDER BY {milliseconds}) FROM events")
    };
    for (measure, share) in [(P50, 0.5), (P99, 0.99), (MAX, 1.0)] {
        sheet.add("applied", measure, stack.number(&quantile(share)).await?);
    }
    Ok(sheet)
}
