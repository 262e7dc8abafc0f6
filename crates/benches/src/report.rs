//! What came out, for people and for machines.

mod grid;
mod json;
mod markdown;
mod number;
mod plot;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use json::json;
pub(crate) use markdown::write_between_markers;
pub(crate) use plot::plot;

use crate::figures::Figure;
use crate::plan::Plan;
use crate::probe::machine::Machine;
use crate::scenario::Scenario;

/// What became of one scenario.
pub(crate) struct Record {
    pub(crate) scenario: &'static Scenario,
    pub(crate) figures: Vec<Figure>,
    /// Why there are none.
    pub(crate) failure: Option<String>,
}

/// Everything that is to be told.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) plan: Plan,
    pub(crate) records: Vec<Record>,
}

impl Report {
    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let tables: Vec<String> = tables::all(self).iter().map(grid::Grid::text).collect();
        format!("{}\n\n{}", self.circumstances().join("\n"), tables.join("\n"))
    }

    /// For the document.
    pub(crate) fn markdown(&self) -> String {
        let tables: Vec<String> = tables::all(self).iter().map(grid::Grid::markdown).collect();
        format!("- {}\n\n{}", self.circumstances().join("\n- "), tables.join("\n"))
    }

    fn circumstances(&self) -> Vec<String> {
        let Machine {
            date,
            processor,
            cores,
            memory_gib,
            kernel,
            postgres,
            postgres_settings,
            rabbitmq,
            build,
        } = &self.machine;
        let Plan { runs, measurement, warm_up, endurance, rows, backlog, dead_letters } = &self.plan;
        vec![
            format!("{date}, {build} build"),
            format!("Machine: {processor}, {cores} cores, {memory_gib:.0} GiB, Linux {kernel}"),
            format!("Postgres {postgres}: {postgres_settings}"),
            format!("RabbitMQ {rabbitmq}"),
            format!(
                "{runs} runs, {} s each after {} s of warm-up, {} s where it is about endurance; full table {} events, \
                 backlog {} events, {} dead letters",
                measurement.as_secs_f64(),
                warm_up.as_secs_f64(),
                endurance.as_secs_f64(),
                number::grouped_count(*rows),
                number::grouped_count(*backlog),
                number::grouped_count(*dead_letters),
            ),
        ]
    }
}
