//! The scenarios as data.

use super::{Kind, Scenario, Shape};

/// Scenarios that share a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Accept,
    Open,
    EndToEnd,
    Through,
    BrokerAway,
    Duplicates,
    FullTable,
    Drain,
    DeadLetters,
}

impl Group {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 9] = [
        Self::Accept,
        Self::Open,
        Self::EndToEnd,
        Self::Through,
        Self::BrokerAway,
        Self::Duplicates,
        Self::FullTable,
        Self::Drain,
        Self::DeadLetters,
    ];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Accept => "Durable accept, closed loop",
            Self::Open => "Durable accept, open loop",
            Self::EndToEnd => "Into the queue, full load for longer",
            Self::Through => "From delivery to applied, open loop",
            Self::BrokerAway => "Without the broker",
            Self::Duplicates => "One delivery in five is a duplicate",
            Self::FullTable => "Into a full table",
            Self::Drain => "Draining a backlog",
            Self::DeadLetters => "Dead letters",
        }
    }
}

const fn scenario(name: &'static str, group: Group, what: &'static str, kind: Kind) -> Scenario {
    Scenario { name, group, what, kind }
}

const fn accept(name: &'static str, what: &'static str, connections: usize) -> Scenario {
    scenario(name, Group::Accept, what, Kind::Accept(Shape::Closed { connections }))
}

const fn drain(name: &'static str, what: &'static str, per_session: u64, latency_ms: u64) -> Scenario {
    scenario(name, Group::Drain, what, Kind::Drain { per_session, latency_ms })
}

/// All of them, in the order in which they are measured.
pub(crate) const SCENARIOS: &[Scenario] = &[
    accept("accept-1", "one connection, one request at a time", 1),
    accept("accept-32", "32 connections", 32),
    accept("accept-64", "64 connections", 64),
    accept("accept-256", "256 connections", 256),
    scenario(
        "open-3000",
        Group::Open,
        "3,000 deliveries per second",
        Kind::Accept(Shape::Open { rate: 3_000 }),
    ),
    scenario(
        "end-to-end",
        Group::EndToEnd,
        "64 connections, until all is confirmed by the broker",
        Kind::EndToEnd,
    ),
    scenario(
        "through-500",
        Group::Through,
        "500 deliveries per second, with a worker",
        Kind::Through { rate: 500 },
    ),
    scenario(
        "broker-away",
        Group::BrokerAway,
        "64 connections; then the broker comes back",
        Kind::BrokerAway,
    ),
    scenario("duplicates", Group::Duplicates, "64 connections", Kind::Duplicates { every: 5 }),
    scenario("full-table", Group::FullTable, "64 connections, empty and full in turns", Kind::FullTable),
    drain("drain-1", "1 event per session, the API answers at once", 1, 0),
    drain("drain-10", "10 events per session, the API answers at once", 10, 0),
    drain("drain-100", "100 events per session, the API answers at once", 100, 0),
    drain("drain-10-50ms", "10 events per session, the API takes 50 ms", 10, 50),
    drain("drain-100-50ms", "100 events per session, the API takes 50 ms", 100, 50),
    drain("drain-10-200ms", "10 events per session, the API takes 200 ms", 10, 200),
    drain("drain-100-200ms", "100 events per session, the API takes 200 ms", 100, 200),
    scenario(
        "dead-letters",
        Group::DeadLetters,
        "the commands, start of the program included",
        Kind::DeadLetters,
    ),
];
