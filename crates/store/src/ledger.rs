//! The sum of all accepted events, and what is waiting.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::EventStatus;
use serde::Serialize;
use sqlx::PgConnection;

/// How many events there are, and where they stand. `accepted` is counted on its own, so that the sum can be wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the states of an event, see domain::EventStatus")]
pub struct Ledger {
    pub accepted: i64,
    pub pending: i64,
    pub applied: i64,
    pub superseded: i64,
    pub ignored: i64,
    pub dead: i64,
    pub discarded: i64,
}

impl Ledger {
    /// The states with their events, in the order in which people read them.
    #[must_use]
    pub const fn by_status(&self) -> [(EventStatus, i64); 6] {
        [
            (EventStatus::Pending, self.pending),
            (EventStatus::Applied, self.applied),
            (EventStatus::Superseded, self.superseded),
            (EventStatus::Ignored, self.ignored),
            (EventStatus::Dead, self.dead),
            (EventStatus::Discarded, self.discarded),
        ]
    }

    /// Accepted less the sum of all states; anything but 0 is a bug.
    #[must_use]
    pub fn difference(&self) -> i64 {
        self.accepted - self.by_status().iter().map(|(_, events)| events).sum::<i64>()
    }

    /// Whether every accepted event is in exactly one state.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.difference() == 0
    }

    /// Adds another part of the events.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            pending: self.pending + other.pending,
            applied: self.applied + other.applied,
            superseded: self.superseded + other.superseded,
            ignored: self.ignored + other.ignored,
            dead: self.dead + other.dead,
            discarded: self.discarded + other.discarded,
        }
    }
}

/// Counts all events. Reads the whole table: for people, not for a loop.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn ledger(connection: &mut PgConnection) -> Result<Ledger, Error> {
    sqlx::query_as!(
        Ledger,
        r#"
        SELECT count(*) AS "accepted!",
            count(*) FILTER (WHERE status = 'pending') AS "pending!",
            count(*) FILTER (WHERE status = 'applied') AS "applied!",
            count(*) FILTER (WHERE status = 'superseded') AS "superseded!",
            count(*) FILTER (WHERE status = 'ignored') AS "ignored!",
            count(*) FILTER (WHERE status = 'dead') AS "dead!",
            count(*) FILTER (WHERE status = 'discarded') AS "discarded!"
        FROM events
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("count events"))
}

/// What is not finished yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// Events that are not finished.
    pub pending: i64,
    /// When the oldest of them was received.
    pub oldest_pending: Option<DateTime<Utc>>,
    /// Events still to be published.
    pub outbox: i64,
    /// Events in the dead-letter queue.
    pub dead: i64,
}

/// Counts what is not finished, by indexes that hold nothing else.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn backlog(connection: &mut PgConnection) -> Result<Backlog, Error> {
    sqlx::query_as!(
        Backlog,
        r#"
        SELECT (SELECT count(*) FROM events WHERE status = 'pending') AS "pending!",
            (SELECT min(received_at) FROM events WHERE status = 'pending') AS oldest_pending,
            (SELECT count(*) FROM outbox)
                + (SELECT coalesce(sum(cardinality(events)), 0)::bigint FROM bundles) AS "outbox!",
            (SELECT count(*) FROM events WHERE status = 'dead') AS "dead!"
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(Error::of("count what is waiting"))
}
