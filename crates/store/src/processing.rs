//! What a worker reads and writes about the events it holds.

use crate::error::Error;
use crate::outbox::{Queue, as_integer, drop_intentions};
use crate::replies::fail_replies;
use chrono::{DateTime, Utc};
use domain::{EventStatus, FailureClass};
use sqlx::PgConnection;

/// An event that left `pending` for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// The event.
    pub event: i64,
    /// `applied`, `superseded` or `ignored`.
    pub status: EventStatus,
}

/// Writes that events are finished. Nothing of them is left to publish.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn finish(tx: &mut PgConnection, finished: &[Finished], now: DateTime<Utc>) -> Result<(), Error> {
    let failed = Error::of("finish events");
    let events: Vec<i64> = finished.iter().map(|finished| finished.event).collect();
    let statuses: Vec<&str> = finished.iter().map(|finished| finished.status.as_str()).collect();
    sqlx::query!(
        r#"
        UPDATE events SET status = done.status, finished_at = $3, error_class = NULL, last_error = NULL
        FROM unnest($1::bigint[], $2::text[]) AS done (event, status)
        WHERE events.id = done.event
        "#,
        &events,
        &statuses as _,
        now,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    drop_intentions(tx, &events, &[Queue::Work, Queue::Replies]).await.map_err(&failed)
}

/// A failed try, and what it leads to.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The event.
    pub event: i64,
    /// The generation it failed in.
    pub generation: u32,
    /// Tries used up, this one included where it counts.
    pub tries: u32,
    /// Whether the try is used up.
    pub counts: bool,
    /// Whether it was the last.
    pub dead: bool,
    /// When the try began.
    pub started_at: DateTime<Utc>,
    /// Its class.
    pub class: FailureClass,
    /// The whole chain of causes.
    pub error: String,
    /// The API's id of the request that failed.
    pub request_id: Option<String>,
}

/// Records failed tries: an attempt each (where it counts), and the event's new standing.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_failures(
    tx: &mut PgConnection,
    failures: &[Failure],
    worker: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let failed = Error::of("record failed tries");
    let counted: Vec<&Failure> = failures.iter().filter(|failure| failure.counts).collect();
    let events: Vec<i64> = counted.iter().map(|failure| failure.event).collect();
    let generations: Vec<i32> = counted.iter().map(|failure| as_integer(failure.generation)).collect();
    let numbers: Vec<i32> = counted.iter().map(|failure| as_integer(failure.tries)).collect();
    let started: Vec<DateTime<Utc>> = counted.iter().map(|failure| failure.started_at.min(now)).collect();
    let classes: Vec<&str> = counted.iter().map(|failure| failure.class.as_str()).collect();
    let errors: Vec<&str> = counted.iter().map(|failure| failure.error.as_str()).collect();
    let requests: Vec<Option<&str>> = counted.iter().map(|failure| failure.request_id.as_deref()).collect();
    sqlx::query!(
        r#"
        INSERT INTO attempts (event, generation, number, started_at, failed_at, class, error, request_id, worker)
        SELECT event, generation, number, started_at, $8, class, error, request_id, $9
        FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
            AS failed (event, generation, number, started_at, class, error, request_id)
        ON CONFLICT (event, generation, number) DO NOTHING
        "#,
        &events,
        &generations,
        &numbers,
        &started,
        &classes as _,
        &errors as _,
        &requests as _,
        now,
        worker,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;

    let events: Vec<i64> = failures.iter().map(|failure| failure.event).collect();
    let tries: Vec<i32> = failures.iter().map(|failure| as_integer(failure.tries)).collect();
    let dead: Vec<bool> = failures.iter().map(|failure| failure.dead).collect();
    let classes: Vec<&str> = failures.iter().map(|failure| failure.class.as_str()).collect();
    let errors: Vec<&str> = failures.iter().map(|failure| failure.error.as_str()).collect();
    sqlx::query!(
        r#"
        UPDATE events SET tries = failed.tries, error_class = failed.class, last_error = failed.error,
            status = CASE WHEN failed.dead THEN 'dead' ELSE 'pending' END,
            dead_at = CASE WHEN failed.dead THEN $6::timestamptz END,
            finished_at = CASE WHEN failed.dead THEN $6::timestamptz END
        FROM unnest($1::bigint[], $2::integer[], $3::boolean[], $4::text[], $5::text[])
            AS failed (event, tries, dead, class, error)
        WHERE events.id = failed.event
        "#,
        &events,
        &tries,
        &dead,
        &classes as _,
        &errors as _,
        now,
    )
    .execute(&mut *tx)
    .await
    .map_err(&failed)?;
    let died = failures.iter().filter(|failure| failure.dead).map(|failure| failure.event);
    fail_replies(tx, &died.collect::<Vec<_>>()).await
}
