//! Accepting beside millions of stored events, and beside none, in turns.

use super::Bench;
use super::filling::fill_events;
use super::loaded::{Loaded, SESSIONS, Shape};
use crate::figures::Sheet;
use crate::figures::measure::OF_EMPTY;
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::Result;
use std::time::Instant;

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
        for (stack, subject) in [(&empty, "empty"), (&full, "full")] {
            bench.progress.step(subject);
            let server = Server::start(System::Holdfast, stack).await?;
            let deliveries = stack.deliveries(SESSIONS)?;
            Loaded::run(bench, &server, &deliveries, Shape::FULL).await?.note(&mut sheet, subject);
        }
        sheet.compare("full", "empty", OF_EMPTY);
        sheets.push(sheet);
        bench.progress.advance();
    }
    Ok(sheets)
}
