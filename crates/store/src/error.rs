//! What can go wrong between us and Postgres.

use std::sync::Arc;
use std::time::Duration;

/// An answer of Postgres that we cannot work with, or none at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection settings make no sense.
    #[error("the database URL cannot be used")]
    Settings {
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// There was no connection in time: the server is away, or all connections are in use.
    #[error("no connection to Postgres at {address} ({action})")]
    NoConnection {
        /// The server, `host:port`.
        address: Arc<str>,
        /// What was being done.
        action: &'static str,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// A connection broke, or Postgres cannot serve it at the moment.
    #[error("Postgres is not available ({action})")]
    Unavailable {
        /// What was being done.
        action: &'static str,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// No answer in time, and no word of why: Postgres is too slow, or the network fell silent.
    #[error("Postgres gave no answer within {limit:?} ({action})")]
    Silent {
        /// What was being done.
        action: &'static str,
        /// How long it was given.
        limit: Duration,
    },
    /// Postgres refused a statement.
    #[error("Postgres refused a statement ({action})")]
    Refused {
        /// What was being done.
        action: &'static str,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value that this version cannot read.
    #[error("{table}.{column} of row {row} holds {value:?}, which this version cannot read")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Which row.
        row: String,
        /// What it holds.
        value: String,
    },
    /// The request for a decision has an answer that is on its way or has arrived.
    #[error("request {effect} has an answer already: reply {number} is {state}")]
    Answered {
        /// The request.
        effect: i64,
        /// Which decision on it that is.
        number: i32,
        /// What became of it so far.
        state: String,
    },
    /// The schema is not the one this version needs.
    #[error("the database is not migrated; run `worker migrate`")]
    NotMigrated {
        /// What is missing, where that is known.
        #[source]
        source: Option<sqlx::migrate::MigrateError>,
    },
    /// A migration failed.
    #[error("migration failed")]
    Migration {
        /// What the driver says.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
}

impl Error {
    /// Whether the same call may succeed later without anybody changing anything but Postgres' health.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::NoConnection { .. } | Self::Silent { .. })
    }

    /// Whether no connection became free, or could be made, within the whole time that there was for it.
    pub(crate) const fn is_pool_timeout(&self) -> bool {
        matches!(self, Self::NoConnection { source: sqlx::Error::PoolTimedOut, .. })
    }

    /// Whether it is about the values themselves: Postgres objects to them (SQLSTATE classes 21 to 23), or we cannot read
    /// what is stored. The same values will fail again, and others will not. A refused login, a missing grant or an older schema say nothing about the values.
    #[must_use]
    pub fn is_about_the_data(&self) -> bool {
        let source = match self {
            Self::Inconsistent { .. } => return true,
            Self::Refused { source, .. } => source,
            Self::Settings { .. }
            | Self::NoConnection { .. }
            | Self::Unavailable { .. }
            | Self::Silent { .. }
            | Self::Answered { .. }
            | Self::NotMigrated { .. }
            | Self::Migration { .. } => return false,
        };
        source
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| ["21", "22", "23"].iter().any(|class| code.starts_with(class)))
    }

    /// Sorts a driver error: is Postgres away (or full, or shutting down), or does it object to what we said?
    pub(crate) fn of(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| {
            let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
            // 08 connection, 40 deadlock or serialization, 53 out of resources (disk full, too many connections), 57 shutting down, starting up
            // or statement timeout, 58 system error, 25006 read-only: all heal.
            let heals = code.as_deref().is_some_and(|code| {
                ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)) || code == "25006"
            });
            let cut = matches!(
                &source,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            );
            match (code.as_deref(), heals || cut) {
                (Some("42P01"), _) => Self::NotMigrated { source: None },
                (_, true) => Self::Unavailable { action, source },
                (_, false) => Self::Refused { action, source },
            }
        }
    }
}

/// Reads a stored word of ours.
pub(crate) fn word<T: std::str::FromStr>(
    table: &'static str,
    column: &'static str,
    row: impl std::fmt::Display,
    value: &str,
) -> Result<T, Error> {
    value.parse().map_err(|_| Error::Inconsistent {
        table,
        column,
        row: row.to_string(),
        value: value.to_owned(),
    })
}

/// Reads a stored number that is never negative.
pub(crate) fn count(table: &'static str, column: &'static str, row: i64, value: i32) -> Result<u32, Error> {
    u32::try_from(value).map_err(|_| Error::Inconsistent {
        table,
        column,
        row: row.to_string(),
        value: value.to_string(),
    })
}
