//! All lines that have a name, in the order in which an event passes them. `docs/CONTRIBUTING.md` says where each one is.

/// The names of all failpoints.
pub const NAMES: &[&str] = &[
    "accept.committed",
    "accept.confirmed",
    "publish.begin",
    "publish.confirmed",
    "relay.claimed",
    "relay.published",
    "intake.read",
    "intake.known",
    "apply.written",
    "apply.committed",
    "apply.dead_published",
    "apply.acknowledging",
    "replies.taken",
    "replies.posted",
    "replies.written",
    "replies.committed",
    "settle.judged",
    "settle.copied",
    "settle.removed",
    "replay.chunk",
    "reconcile.accepted",
];
