//! The outbox: the whole scheduler of what is still to be published.

use crate::accept::Source;
use crate::error::{Error, count, word};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::EventKey;
use sqlx::PgConnection;
use std::str::FromStr;

/// Which queue a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// To be processed.
    Work,
    /// The dead-letter queue.
    Dead,
    /// To be posted to the API.
    Replies,
}

impl Queue {
    /// The name under which the queue is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Dead => "dead",
            Self::Replies => "replies",
        }
    }

    /// Where the messages of pending events go that came to us like this.
    pub(crate) fn of_source(source: &str) -> Self {
        if source == Source::Reply.as_str() { Self::Replies } else { Self::Work }
    }
}

impl FromStr for Queue {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "work" => Ok(Self::Work),
            "dead" => Ok(Self::Dead),
            "replies" => Ok(Self::Replies),
            _ => Err(()),
        }
    }
}

/// Names one intention to publish. An intention that was replaced by a newer one has another number, so that
/// confirming it late does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The event.
    pub event: i64,
    /// The number of the intention.
    pub number: i64,
}

/// An intention to publish, to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intention {
    /// The event.
    pub event: i64,
    /// Where it is to go.
    pub queue: Queue,
    /// The generation that the message is to carry.
    pub generation: u32,
    /// The tries used up that the message is to carry.
    pub tries: u32,
    /// Not before.
    pub due_at: DateTime<Utc>,
}

/// A claimed row, with all that a message needs.
#[derive(Debug, Clone)]
pub struct Due {
    /// The intention.
    pub ticket: Ticket,
    /// Where it is to go.
    pub queue: Queue,
    /// Which event.
    pub key: EventKey,
    /// The body as it was signed.
    pub payload: Bytes,
    /// The first delivery's content type.
    pub content_type: Option<String>,
    /// When it was first read.
    pub received_at: DateTime<Utc>,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
    /// The generation that the message is to carry.
    pub generation: u32,
    /// The tries used up that the message is to carry.
    pub tries: u32,
    /// Class and text of the last failure, for dead letters.
    pub failure: Option<(String, String)>,
}

/// Claims up to `limit` rows that are due at `now`, until `lease_ends`: until then nobody else gets them, and after
/// it they are due again unless they were confirmed.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn claim_due(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH due AS (
            SELECT event FROM outbox WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE outbox SET due_at = $2 FROM due WHERE outbox.event = due.event
            RETURNING outbox.event, outbox.ticket, outbox.queue, outbox.generation, outbox.tries
        )
        SELECT claimed.event, claimed.ticket, claimed.queue, claimed.generation, claimed.tries,
            events.endpoint, events.event_id, events.payload, events.content_type, events.received_at,
            events.traceparent, events.error_class, events.last_error
        FROM claimed JOIN events ON events.id = claimed.event
        "#,
        now,
        lease_ends,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("claim what is due"))?;
    rows.into_iter()
        .map(|row| {
            Ok(Due {
                ticket: Ticket { event: row.event, number: row.ticket },
                queue: word("outbox", "queue", row.event, &row.queue)?,
                key: crate::events::key(row.event, row.endpoint, row.event_id)?,
                payload: row.payload.into(),
                content_type: row.content_type,
                received_at: row.received_at,
                traceparent: row.traceparent,
                generation: count("outbox", "generation", row.event, row.generation)?,
                tries: count("outbox", "tries", row.event, row.tries)?,
                failure: row.error_class.zip(row.last_error),
            })
        })
        .collect()
}

/// Removes intentions that the broker has confirmed. Those replaced by newer ones stay. Returns how many went.
///
/// # Errors
/// When Postgres is away or refuses; the rows are then published once more, which does no harm.
pub async fn confirm(connection: &mut PgConnection, tickets: &[Ticket]) -> Result<u64, Error> {
    let events: Vec<i64> = tickets.iter().map(|ticket| ticket.event).collect();
    let numbers: Vec<i64> = tickets.iter().map(|ticket| ticket.number).collect();
    let done = sqlx::query!(
        r#"
        WITH done AS (
            -- ORDER BY: a worker may finish these events right now, and everybody locks in the same order.
            SELECT outbox.event
            FROM unnest($1::bigint[], $2::bigint[]) AS confirmed (event, ticket)
            JOIN outbox ON outbox.event = confirmed.event AND outbox.ticket = confirmed.ticket
            ORDER BY outbox.event FOR UPDATE OF outbox
        )
        DELETE FROM outbox USING done WHERE outbox.event = done.event
        "#,
        &events,
        &numbers,
    )
    .execute(connection)
    .await
    .map_err(Error::of("remove what is published"))?;
    Ok(done.rows_affected())
}

/// Records intentions, each in the place of any earlier one of its event. Returns their tickets.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn schedule(connection: &mut PgConnection, intentions: &[Intention]) -> Result<Vec<Ticket>, Error> {
    let Columns { events, queues, generations, tries, due } = Columns::of(intentions);
    let rows = sqlx::query!(
        r#"
        INSERT INTO outbox (event, queue, generation, tries, due_at)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::integer[], $5::timestamptz[])
        ON CONFLICT (event) DO UPDATE SET ticket = nextval('outbox_ticket'), queue = excluded.queue,
            generation = excluded.generation, tries = excluded.tries, due_at = excluded.due_at
        RETURNING event, ticket
        "#,
        &events,
        &queues as _,
        &generations,
        &tries,
        &due,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("schedule a publish"))?;
    Ok(rows.into_iter().map(|row| Ticket { event: row.event, number: row.ticket }).collect())
}

/// Records intentions for events that have none; the others keep theirs. Returns how many were recorded.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn schedule_missing(connection: &mut PgConnection, intentions: &[Intention]) -> Result<u64, Error> {
    let Columns { events, queues, generations, tries, due } = Columns::of(intentions);
    let done = sqlx::query!(
        r#"
        INSERT INTO outbox (event, queue, generation, tries, due_at)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::integer[], $5::timestamptz[])
        ON CONFLICT (event) DO NOTHING
        "#,
        &events,
        &queues as _,
        &generations,
        &tries,
        &due,
    )
    .execute(connection)
    .await
    .map_err(Error::of("schedule a publish"))?;
    Ok(done.rows_affected())
}

/// One array per column, as the statements take them.
struct Columns {
    events: Vec<i64>,
    queues: Vec<&'static str>,
    generations: Vec<i32>,
    tries: Vec<i32>,
    due: Vec<DateTime<Utc>>,
}

impl Columns {
    /// Sorted: everybody locks in the same order.
    fn of(intentions: &[Intention]) -> Self {
        let mut intentions: Vec<&Intention> = intentions.iter().collect();
        intentions.sort_by_key(|intention| intention.event);
        let of = intentions.iter();
        Self {
            events: of.clone().map(|intention| intention.event).collect(),
            queues: of.clone().map(|intention| intention.queue.as_str()).collect(),
            generations: of.clone().map(|intention| as_integer(intention.generation)).collect(),
            tries: of.clone().map(|intention| as_integer(intention.tries)).collect(),
            due: of.map(|intention| intention.due_at).collect(),
        }
    }
}

/// Drops all intentions of events.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn unschedule(connection: &mut PgConnection, events: &[i64]) -> Result<(), Error> {
    drop_intentions(connection, events, &[Queue::Work, Queue::Dead, Queue::Replies])
        .await
        .map_err(Error::of("drop what was scheduled"))
}

/// Drops the intentions of events for these queues, in the order in which everybody locks them.
pub(crate) async fn drop_intentions(
    connection: &mut PgConnection,
    events: &[i64],
    queues: &[Queue],
) -> Result<(), sqlx::Error> {
    let queues: Vec<&str> = queues.iter().copied().map(Queue::as_str).collect();
    sqlx::query!(
        r#"
        WITH dropped AS (
            SELECT event FROM outbox WHERE event = ANY($1) AND queue = ANY($2) ORDER BY event FOR UPDATE
        )
        DELETE FROM outbox USING dropped WHERE outbox.event = dropped.event
        "#,
        events,
        &queues as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counters are far below the largest integer; one that is not is as good as the largest.
pub(crate) fn as_integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
