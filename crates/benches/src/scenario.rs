//! What is measured.

mod accept;
mod broker_away;
mod dead_letters;
mod drain;
mod end_to_end;
mod filling;
mod full_table;
mod list;
mod loaded;
mod through;

pub(crate) use list::{Group, SCENARIOS};

use crate::figures::Sheet;
use crate::plan::Plan;
use crate::progress::Progress;
use anyhow::Result;
use loaded::Shape;

/// One thing that is measured, some times.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    pub(crate) what: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The three systems under the same load.
    Accept(Shape),
    /// The same, some deliveries being duplicates.
    Duplicates {
        every: u64,
    },
    EndToEnd,
    Through {
        rate: u32,
    },
    BrokerAway,
    FullTable,
    Drain {
        per_session: u64,
        latency_ms: u64,
    },
    DeadLetters,
}

/// What a measurement has to know.
pub(crate) struct Bench {
    pub(crate) plan: Plan,
    pub(crate) progress: Progress,
}

impl Scenario {
    /// Measures it as often as planned.
    pub(crate) async fn measure(&self, bench: &Bench) -> Result<Vec<Sheet>> {
        if matches!(self.kind, Kind::FullTable) {
            return full_table::measure(bench, self.name).await;
        }
        let mut sheets = Vec::new();
        for run in 1..=bench.plan.runs {
            bench.progress.run(self.name, run);
            sheets.push(self.once(bench).await?);
            bench.progress.advance();
        }
        Ok(sheets)
    }

    async fn once(&self, bench: &Bench) -> Result<Sheet> {
        match self.kind {
            Kind::Accept(shape) => accept::once(bench, shape, 0).await,
            Kind::Duplicates { every } => accept::once(bench, Shape::FULL, every).await,
            Kind::EndToEnd => end_to_end::once(bench).await,
            Kind::Through { rate } => through::once(bench, rate).await,
            Kind::BrokerAway => broker_away::once(bench).await,
            Kind::FullTable => Ok(Sheet::default()),
            Kind::Drain { per_session, latency_ms } => drain::once(bench, per_session, latency_ms).await,
            Kind::DeadLetters => dead_letters::once(bench).await,
        }
    }
}
