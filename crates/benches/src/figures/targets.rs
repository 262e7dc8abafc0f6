//! What the figures are to reach.

use super::{Figure, Measure, measure};

/// How a figure is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One demand on one figure.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) what: &'static str,
    pub(crate) scenario: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) measure: Measure,
    pub(crate) bound: Bound,
}

impl Target {
    /// The figure it is about, among those of its scenario.
    pub(crate) fn figure<'a>(&self, figures: &'a [Figure]) -> Option<&'a Figure> {
        figures.iter().find(|figure| figure.subject == self.subject && figure.measure == self.measure)
    }

    /// Whether a value will do.
    pub(crate) fn is_met_by(&self, value: f64) -> bool {
        match self.bound {
            Bound::AtLeast(least) => value >= least,
            Bound::AtMost(most) => value <= most,
        }
    }
}

const fn target(
    what: &'static str,
    scenario: &'static str,
    subject: &'static str,
    measure: Measure,
    bound: Bound,
) -> Target {
    Target { what, scenario, subject, measure, bound }
}

use Bound::{AtLeast, AtMost};

const US: &str = "Holdfast";

/// All demands, judged by the median.
pub(crate) const TARGETS: &[Target] = &[
    target("durable accept, 64 connections, against bare", "accept-64", US, measure::OF_BARE, AtLeast(0.25)),
    target(
        "durable accept, 64 connections, against obvious",
        "accept-64",
        US,
        measure::OF_OBVIOUS,
        AtLeast(4.5),
    ),
    target("into the queue, backlog flat, against bare", "end-to-end", US, measure::OF_BARE, AtLeast(0.2)),
    target(
        "into the queue, backlog flat, against obvious",
        "end-to-end",
        US,
        measure::OF_OBVIOUS,
        AtLeast(4.0),
    ),
    target("published of accepted at the end", "end-to-end", US, measure::PUBLISHED, AtLeast(0.99)),
    target("accept without the broker, against bare", "broker-away", US, measure::OF_BARE, AtLeast(0.5)),
    target("answers that are no success without the broker", "broker-away", US, measure::OTHERS, AtMost(0.0)),
    target("64 connections, closed loop, p99", "accept-64", US, measure::P99, AtMost(15.0)),
    target("open loop of 3,000/s, p50", "open-3000", US, measure::P50, AtMost(2.5)),
    target("open loop of 3,000/s, p99", "open-3000", US, measure::P99, AtMost(8.0)),
    target("one connection, p50", "accept-1", US, measure::P50, AtMost(0.8)),
    target("one connection, p99", "accept-1", US, measure::P99, AtMost(2.0)),
    target(
        "accept into the full table, against an empty one",
        "full-table",
        "full",
        measure::OF_EMPTY,
        AtLeast(0.9),
    ),
    target("drain, latency 0, 10 events per session", "drain-10", "worker", measure::RATE, AtLeast(8_000.0)),
    target("fetches per event, 100 per session", "drain-100", "worker", measure::FETCHES, AtMost(0.05)),
    target("memory of ingest without the broker", "broker-away", US, measure::MEMORY, AtMost(150.0)),
    target("the same is flat: at the end over half-time", "broker-away", US, measure::GROWTH, AtMost(1.1)),
    target("dlq list", "dead-letters", "dlq list", measure::TIME, AtMost(1_000.0)),
    target("dlq list with filters", "dead-letters", "dlq list, filtered", measure::TIME, AtMost(1_000.0)),
    target("dlq stats", "dead-letters", "dlq stats", measure::TIME, AtMost(1_000.0)),
];
