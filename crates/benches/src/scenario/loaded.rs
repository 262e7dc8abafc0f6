//! One server under one load.

use super::Bench;
use crate::figures::Sheet;
use crate::figures::measure::{CPU, CPU_REST, CPU_TOOLS, MAX, MEMORY, MISSED, OTHERS, P50, P99, RATE};
use crate::load::{Deliveries, Outcome, closed_loop, float, open_loop};
use crate::probe::cpu::{Meter, Spent};
use crate::probe::memory;
use crate::server::Server;
use anyhow::{Result, ensure};
use std::time::Duration;

/// Sessions that the events of a load go round. Nothing is fetched, so only the length of the rows matters.
pub(super) const SESSIONS: u64 = 10_000;

/// The way in which requests are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Closed { connections: usize },
    Open { rate: u32 },
}

impl Shape {
    /// The load at which systems are compared.
    pub(super) const FULL: Self = Self::Closed { connections: 64 };
}

/// What came of it.
pub(super) struct Loaded {
    outcome: Outcome,
    shape: Shape,
    spent: Spent,
    deliveries: u64,
    memory: f64,
}

impl Loaded {
    /// Loads `server` for as long as `bench` plans.
    pub(super) async fn run(
        bench: &Bench,
        server: &Server,
        deliveries: &Deliveries,
        shape: Shape,
    ) -> Result<Self> {
        Self::run_for(bench.plan.measurement, bench, server, deliveries, shape).await
    }

    /// Loads `server` for `duration`, after the warm-up.
    pub(super) async fn run_for(
        duration: Duration,
        bench: &Bench,
        server: &Server,
        deliveries: &Deliveries,
        shape: Shape,
    ) -> Result<Self> {
        let warm_up = bench.plan.warm_up;
        let meter = Meter::start(server.pid(), &[])?;
        let outcome = match shape {
            Shape::Closed { connections } => {
                closed_loop(server.address(), deliveries, connections, warm_up, duration).await?
            }
            Shape::Open { rate } => open_loop(server.address(), deliveries, rate, warm_up, duration).await?,
        };
        ensure!(
            outcome.ok + outcome.missed > 0,
            "nothing was answered 2xx within {duration:?}, {} answers were others",
            outcome.refused
        );
        let memory = memory::high_water(server.pid())?;
        Ok(Self { outcome, shape, spent: meter.read()?, deliveries: deliveries.made(), memory })
    }

    /// Notes what every load tells.
    pub(super) fn note(&self, sheet: &mut Sheet, subject: &str) {
        sheet.add(subject, RATE, self.outcome.rate());
        sheet.add(subject, P50, self.outcome.milliseconds(0.5));
        sheet.add(subject, P99, self.outcome.milliseconds(0.99));
        sheet.add(subject, MAX, self.outcome.milliseconds(1.0));
        sheet.add(subject, OTHERS, float(self.outcome.refused));
        if matches!(self.shape, Shape::Open { .. }) {
            sheet.add(subject, MISSED, float(self.outcome.missed));
        }
        note_cost(sheet, subject, self.spent, self.deliveries);
        sheet.add(subject, MEMORY, self.memory);
    }
}

/// Notes processor time per event.
pub(super) fn note_cost(sheet: &mut Sheet, subject: &str, spent: Spent, events: u64) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / float(events.max(1));
    sheet.add(subject, CPU, each(spent.subject));
    sheet.add(subject, CPU_TOOLS, each(spent.tools));
    sheet.add(subject, CPU_REST, each(spent.rest));
}
