//! Death at each named line.

use crate::scenario::Allowed::{DeadLetters, Refusals};
use crate::scenario::Way::{
    Ingest, IngestAlone, IngestWithRetries, Replaying, Settling, Worker, WorkerWithDeadLetters,
};
use crate::scenario::{Allowed, Failpoint, Fault, Scenario, Way};

const NONE: &[Allowed] = &[];
const TRIES_FAIL: &[Allowed] = &[DeadLetters];

/// An ingest that starts without Postgres has nobody to give events to until it is connected to RabbitMQ. Its `/readyz`
/// says so, but the sender does not ask.
const UNREADY: &[Allowed] = &[Refusals];

pub(super) const ROWS: &[Scenario] = &[
    row("at-accept.committed", "committed, not answered", "accept.committed", 20, Ingest, NONE, true),
    row(
        "at-accept.confirmed",
        "confirmed without Postgres, not answered",
        "accept.confirmed",
        5,
        IngestAlone,
        UNREADY,
        false,
    ),
    row("at-publish.begin", "answered, not published", "publish.begin", 20, Ingest, NONE, false),
    row(
        "at-publish.confirmed",
        "published, still in the outbox",
        "publish.confirmed",
        20,
        Ingest,
        NONE,
        true,
    ),
    row(
        "at-relay.claimed",
        "claimed by the relay, not published",
        "relay.claimed",
        3,
        IngestWithRetries,
        TRIES_FAIL,
        false,
    ),
    row(
        "at-relay.published",
        "published by the relay, still in the outbox",
        "relay.published",
        3,
        IngestWithRetries,
        TRIES_FAIL,
        true,
    ),
    row("at-intake.read", "read by a worker", "intake.read", 60, Worker, NONE, false),
    row("at-intake.known", "looked up by a worker", "intake.known", 10, Worker, NONE, false),
    row("at-apply.written", "written, not committed", "apply.written", 10, Worker, NONE, false),
    row(
        "at-apply.committed",
        "committed, dead letters not published",
        "apply.committed",
        10,
        WorkerWithDeadLetters,
        TRIES_FAIL,
        true,
    ),
    row(
        "at-apply.dead_published",
        "dead letters published, still in the outbox",
        "apply.dead_published",
        2,
        WorkerWithDeadLetters,
        TRIES_FAIL,
        false,
    ),
    row(
        "at-apply.acknowledging",
        "committed, not acknowledged",
        "apply.acknowledging",
        10,
        Worker,
        NONE,
        true,
    ),
    row(
        "at-settle.judged",
        "dead letters judged, none removed",
        "settle.judged",
        1,
        Settling,
        TRIES_FAIL,
        false,
    ),
    row(
        "at-settle.copied",
        "dead letters copied, originals there",
        "settle.copied",
        1,
        Settling,
        TRIES_FAIL,
        false,
    ),
    row(
        "at-settle.removed",
        "dead letters moved, pass unfinished",
        "settle.removed",
        1,
        Settling,
        TRIES_FAIL,
        false,
    ),
    row("at-replay.chunk", "between two chunks of a replay", "replay.chunk", 1, Replaying, TRIES_FAIL, false),
];

const fn row(
    name: &'static str,
    about: &'static str,
    line: &'static str,
    pass: u32,
    way: Way,
    allows: &'static [Allowed],
    short: bool,
) -> Scenario {
    Scenario { name, about, fault: Fault::Failpoint(Failpoint { name: line, pass, way }), allows, short }
}
