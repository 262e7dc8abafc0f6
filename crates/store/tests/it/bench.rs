//! One test's database, and the events it stores.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Dialect, EndpointName, Event, EventId, EventKey, EventType, FailureClass, ResourceKind, ResourceRef,
};
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashMap;
use std::time::Duration;
use store::{Accepted, AcceptedBatch, Failure, Intention, NewEvent, Options, Queue, Source, Store, Ticket};
use testkit::{Database, eventually};

/// Long enough for anything that Postgres does in these tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A migrated database and a store that speaks to it. Cleans up: the database is dropped with it.
pub(crate) struct Bench {
    pub(crate) database: Database,
    pub(crate) store: Store,
}

impl Bench {
    pub(crate) async fn new() -> Result<Self> {
        Self::on(Database::create().await?)
    }

    pub(crate) fn on(database: Database) -> Result<Self> {
        let store = Store::new(&options(database.url()))?;
        Ok(Self { database, store })
    }

    /// Runs a statement that is no business of the store's.
    pub(crate) async fn sql(&self, statement: impl Into<String>) -> Result<()> {
        let statement = statement.into();
        let context = format!("cannot run: {statement}");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(self.database.pool()).await.context(context)?;
        Ok(())
    }

    /// The one number that a statement gives.
    pub(crate) async fn number(&self, statement: impl Into<String>) -> Result<i64> {
        let statement = statement.into();
        let context = format!("cannot run: {statement}");
        let row =
            sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(self.database.pool()).await.context(context)?;
        Ok(row.try_get(0)?)
    }

    /// The first column of all rows of a statement, which must be text.
    pub(crate) async fn texts(&self, statement: impl Into<String>) -> Result<Vec<String>> {
        let statement = statement.into();
        let context = format!("cannot run: {statement}");
        let rows =
            sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(self.database.pool()).await.context(context)?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// Accepts events as ingest does, without a transaction around it; the relay takes over ten seconds after noon.
    pub(crate) async fn accept(&self, events: &[NewEvent]) -> Result<AcceptedBatch> {
        let mut connection = self.store.connection().await?;
        Ok(store::accept_batch(&mut connection, events, Some(after(10))).await?)
    }

    /// Stores new events, each with a message of its own that is due ten seconds after noon. Returns their tickets.
    pub(crate) async fn scheduled(&self, events: &[NewEvent]) -> Result<Vec<Ticket>> {
        let mut tx = self.store.begin("accept").await?;
        let rows = numbers(&store::accept_batch(&mut tx, events, None).await?)?;
        let intention = |event: &i64| Intention {
            event: *event,
            queue: Queue::Work,
            generation: 1,
            tries: 0,
            due_at: after(10),
        };
        let tickets = store::schedule(&mut tx, &rows.iter().map(intention).collect::<Vec<_>>()).await?;
        tx.commit().await?;
        let tickets: HashMap<i64, Ticket> =
            tickets.into_iter().map(|ticket| (ticket.event, ticket)).collect();
        rows.iter().map(|row| tickets.get(row).copied().context("an event without a ticket")).collect()
    }

    /// The same for events of these ids.
    pub(crate) async fn stored(&self, ids: &[&str]) -> Result<Vec<Ticket>> {
        let events: Vec<NewEvent> = ids.iter().map(|id| event(id)).collect::<Result<_>>()?;
        self.scheduled(&events).await
    }

    /// Stores new events and lets them die of a 404 at noon.
    pub(crate) async fn died(&self, events: &[NewEvent]) -> Result<Vec<i64>> {
        let rows: Vec<i64> = self.scheduled(events).await?.iter().map(|ticket| ticket.event).collect();
        let failures: Vec<Failure> = rows.iter().map(|row| failure(*row, 3, true)).collect();
        let mut tx = self.store.begin("die").await?;
        store::record_failures(&mut tx, &failures, "worker-1", noon()).await?;
        store::unschedule(&mut tx, &rows).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Waits until so many sessions of this database wait for a lock.
    pub(crate) async fn waits_for_a_lock(&self, sessions: i64) -> Result<()> {
        let what = format!("{sessions} sessions that wait for a lock");
        eventually(PATIENCE, &what, async || {
            let waiting = self
                .number(
                    "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'",
                )
                .await?;
            ensure!(waiting == sessions, "there are {waiting}");
            Ok(Some(()))
        })
        .await
    }
}

pub(crate) fn options(url: String) -> Options {
    Options {
        url,
        connections: 12,
        acquire_timeout: PATIENCE,
        statement_timeout: None,
        application: "store-tests",
        by_keys: false,
    }
}

/// Noon of the fifteenth of March, when everything here happens.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_576_000, 0).unwrap_or_default()
}

/// So many seconds after noon.
pub(crate) fn after(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}

pub(crate) fn session(id: &str) -> ResourceRef {
    ResourceRef { kind: ResourceKind::Session, id: id.to_owned(), parent_id: None }
}

/// An idle event of the session `sesn_1`, received at noon.
pub(crate) fn event(id: &str) -> Result<NewEvent> {
    Ok(NewEvent {
        endpoint: EndpointName::new("default")?,
        event: Event {
            id: EventId::new(id)?,
            event_type: EventType::new("session.status_idled")?,
            created_at: after(-5),
            dialect: Dialect::Platform,
            resource: Some(session("sesn_1")),
            organization_id: Some("org_1".to_owned()),
            workspace_id: Some("wrkspc_1".to_owned()),
        },
        source: Source::Webhook,
        received_at: noon(),
        payload: Bytes::from_static(b"{}"),
        content_type: Some("application/json".to_owned()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    })
}

/// Another delivery of an event, read so many seconds after noon.
pub(crate) fn again(id: &str, seconds: i64) -> Result<NewEvent> {
    Ok(NewEvent { received_at: after(seconds), ..event(id)? })
}

pub(crate) fn key(id: &str) -> Result<EventKey> {
    Ok(event(id)?.key())
}

/// The numbers of events that must all be new.
pub(crate) fn numbers(accepted: &AcceptedBatch) -> Result<Vec<i64>> {
    accepted
        .outcomes
        .iter()
        .map(|accepted| match accepted {
            Accepted::New(number) => Ok(*number),
            Accepted::Duplicate => anyhow::bail!("an event was known before"),
        })
        .collect()
}

/// A counted failure of the first generation.
pub(crate) fn failure(event: i64, tries: u32, dead: bool) -> Failure {
    Failure {
        event,
        generation: 1,
        tries,
        counts: true,
        dead,
        started_at: after(-1),
        class: FailureClass::Gone,
        error: "the API does not know it".to_owned(),
        request_id: Some("req_1".to_owned()),
    }
}
