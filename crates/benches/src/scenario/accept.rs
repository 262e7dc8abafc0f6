//! The three systems under the same load, one after the other.

use super::Bench;
use super::loaded::{Loaded, SESSIONS, Shape};
use crate::figures::Sheet;
use crate::figures::measure::{OF_BARE, OF_OBVIOUS};
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::Result;

/// One run. Every `repeat_every`-th delivery is a duplicate; 0 for none.
pub(super) async fn once(bench: &Bench, shape: Shape, repeat_every: u64) -> Result<Sheet> {
    let mut sheet = Sheet::default();
    for system in System::ALL {
        one(bench, system, shape, repeat_every, &mut sheet).await?;
    }
    // In an open loop, all who can follow have the same rate.
    if matches!(shape, Shape::Closed { .. }) {
        compare(&mut sheet);
    }
    Ok(sheet)
}

/// The two that Holdfast is compared with.
pub(super) async fn others(bench: &Bench, sheet: &mut Sheet) -> Result<()> {
    for system in [System::Bare, System::Obvious] {
        one(bench, system, Shape::FULL, 0, sheet).await?;
    }
    Ok(())
}

/// Notes how Holdfast compares with the others.
pub(super) fn compare(sheet: &mut Sheet) {
    sheet.compare(System::Holdfast.name(), System::Bare.name(), OF_BARE);
    sheet.compare(System::Holdfast.name(), System::Obvious.name(), OF_OBVIOUS);
}

async fn one(
    bench: &Bench,
    system: System,
    shape: Shape,
    repeat_every: u64,
    sheet: &mut Sheet,
) -> Result<()> {
    bench.progress.step(system.name());
    let stack = Stack::new().await?;
    let server = Server::start(system, &stack).await?;
    let deliveries = stack.deliveries(SESSIONS)?.repeating_every(repeat_every);
    Loaded::run(bench, &server, &deliveries, shape).await?.note(sheet, system.name());
    Ok(())
}
