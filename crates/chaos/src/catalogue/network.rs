//! The network between each pair, cut, half-open and slow.

use crate::scenario::Allowed::{DeadLetters, Refusals};
use crate::scenario::Link::{IngestPostgres, IngestRabbitMq, WorkerApi, WorkerPostgres, WorkerRabbitMq};
use crate::scenario::Trouble::{Cut, Silent, Slow};
use crate::scenario::{Allowed, Fault, Link, Scenario, Trouble};

/// Held back per chunk and direction, in milliseconds. A commit takes some four exchanges, so Postgres stays below its
/// deadline of a second.
const LAG_MS: u64 = 60;

const NONE: &[Allowed] = &[];

pub(super) const ROWS: &[Scenario] = &[
    row("cut-ingest-postgres", "no connection from ingest to Postgres", &[IngestPostgres], Cut, NONE, false),
    row("cut-ingest-rabbitmq", "no connection from ingest to RabbitMQ", &[IngestRabbitMq], Cut, NONE, false),
    row("cut-worker-postgres", "no connection from workers to Postgres", &[WorkerPostgres], Cut, NONE, false),
    row("cut-worker-rabbitmq", "no connection from workers to RabbitMQ", &[WorkerRabbitMq], Cut, NONE, false),
    row("cut-worker-api", "no connection from workers to the API", &[WorkerApi], Cut, &[DeadLetters], false),
    row("silent-ingest-postgres", "half-open: ingest and Postgres", &[IngestPostgres], Silent, NONE, true),
    row("silent-ingest-rabbitmq", "half-open: ingest and RabbitMQ", &[IngestRabbitMq], Silent, NONE, false),
    row("silent-worker-postgres", "half-open: workers and Postgres", &[WorkerPostgres], Silent, NONE, false),
    row("silent-worker-rabbitmq", "half-open: workers and RabbitMQ", &[WorkerRabbitMq], Silent, NONE, false),
    row("silent-worker-api", "half-open: workers and the API", &[WorkerApi], Silent, &[DeadLetters], false),
    row(
        "silent-both-stores",
        "half-open: ingest and both stores",
        &[IngestPostgres, IngestRabbitMq],
        Silent,
        &[Refusals],
        false,
    ),
    row("slow-ingest-postgres", "slow: ingest and Postgres", &[IngestPostgres], Slow(LAG_MS), NONE, false),
    row("slow-ingest-rabbitmq", "slow: ingest and RabbitMQ", &[IngestRabbitMq], Slow(LAG_MS), NONE, false),
    row("slow-worker-postgres", "slow: workers and Postgres", &[WorkerPostgres], Slow(LAG_MS), NONE, false),
    row("slow-worker-rabbitmq", "slow: workers and RabbitMQ", &[WorkerRabbitMq], Slow(LAG_MS), NONE, false),
    row("slow-worker-api", "slow: workers and the API", &[WorkerApi], Slow(LAG_MS), NONE, false),
];

const fn row(
    name: &'static str,
    about: &'static str,
    links: &'static [Link],
    trouble: Trouble,
    allows: &'static [Allowed],
    short: bool,
) -> Scenario {
    Scenario { name, about, fault: Fault::Network(links, trouble), allows, short }
}
