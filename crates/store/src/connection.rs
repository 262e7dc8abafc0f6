//! The pool, the migrations, and the deadline on what is done with a connection.

use crate::error::Error;
use crate::lease::{Connection, Tx};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long closing the pool may take. Nothing depends on it: a network that fell silent is left to itself then.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// How long to rest between two looks at whether somebody else still migrates.
const LOCK_PAUSE: Duration = Duration::from_millis(200);

/// Names migrating among all advisory locks of the database; the number is arbitrary.
const MIGRATING: i64 = 7_061_510_002;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// How to reach Postgres.
#[derive(Clone)]
pub struct Options {
    /// `postgres://…`; holds a password, so these options are never printed.
    pub url: String,
    /// Connections at most.
    pub connections: u32,
    /// How long to wait for a free connection (or a new one).
    pub acquire_timeout: Duration,
    /// Longest time a single statement may take; Postgres ends it then. `None`: no limit.
    pub statement_timeout: Option<Duration>,
    /// Shown in `pg_stat_activity`.
    pub application: &'static str,
    /// For processes that ask for rows by their keys all day long: Postgres goes by indexes whatever it believes about the
    /// size of the tables, and plans each statement once. Without this, tables that grew since Postgres last looked at
    /// them are read whole for a few dozen rows.
    pub by_keys: bool,
}

/// A pool of connections to Postgres.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// `host:port`, for people who look for the reason why there is no connection.
    address: Arc<str>,
}

impl Store {
    /// Prepares a pool. Connects only when first used, so that a process starts while Postgres is away.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let mut connect = PgConnectOptions::from_str(&options.url)
            .map_err(|source| Error::Settings { source })?
            .application_name(options.application)
            // Our statements are short or read much and compute little: compiling them takes longer than it saves.
            .options([("jit", "off")])
            .disable_statement_logging();
        if let Some(timeout) = options.statement_timeout {
            connect = connect.options([("statement_timeout", timeout.as_millis().to_string())]);
        }
        if options.by_keys {
            connect = connect.options([
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("plan_cache_mode", "force_generic_plan"),
            ]);
        }
        let address = format!("{}:{}", connect.get_host(), connect.get_port()).into();
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.acquire_timeout)
            // A broken connection shows at its next statement: `begin` takes another one then, and whoever has a lone
            // statement tries again anyway.
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        Ok(Self { pool, address })
    }

    /// Brings the schema up to date. Safe to run twice, and by several processes at once: an advisory lock lets
    /// one after the other in. Returns how many migrations this call has applied.
    ///
    /// # Errors
    /// When Postgres is away or a migration fails.
    pub async fn migrate(&self) -> Result<usize, Error> {
        let failed = |source| Error::Migration { source };
        let mut connection = self.connection().await?;
        // The lock is the session's: it goes with the connection, however this ends.
        connection.close_when_dropped();
        // The migrator has a lock of its own. Waiting for that one would be waiting inside a statement, which an index that
        // is built CONCURRENTLY waits for in turn; and what others apply meanwhile would be counted as applied here.
        while !try_lock_migrating(&mut connection).await? {
            sleep(LOCK_PAUSE).await;
        }
        let before = applied_migrations(&mut connection).await?;
        MIGRATIONS.run(&mut *connection).await.map_err(failed)?;
        Ok(applied_migrations(&mut connection).await?.saturating_sub(before))
    }

    /// Checks that the schema is the one this version was built for.
    ///
    /// # Errors
    /// [`Error::NotMigrated`] when migrations are missing; others when Postgres is away.
    pub async fn check_schema(&self) -> Result<(), Error> {
        if applied_migrations(&mut *self.connection().await?).await? < MIGRATIONS.iter().count() {
            return Err(Error::NotMigrated { source: None });
        }
        Ok(())
    }

    /// The version of the server and the encoding of the database, for people.
    ///
    /// # Errors
    /// When Postgres is away.
    pub async fn server(&self) -> Result<Server, Error> {
        sqlx::query_as!(
            Server,
            r#"
            SELECT current_setting('server_version') AS "version!", current_setting('server_encoding') AS "encoding!"
            "#
        )
        .fetch_one(&mut *self.connection().await?)
        .await
        .map_err(Error::of("ask for the server's version"))
    }

    /// Begins a transaction. Dropping it without [`Tx::commit`] undoes all of it.
    ///
    /// # Errors
    /// When Postgres is away or no connection is free in time.
    pub async fn begin(&self, action: &'static str) -> Result<Tx, Error> {
        // After a restart of Postgres all idle connections are dead, and each shows it at its next statement. Here that
        // is the BEGIN, so asking the next connection is safe; there are at most as many to ask as were open.
        let mut open = self.pool.size();
        loop {
            let begun = match self.acquire(action).await {
                Ok(connection) => Tx::begin(connection, action).await,
                Err(error) => Err(error),
            };
            match begun {
                Err(error) if open > 0 && error.is_unavailable() && !error.is_pool_timeout() => open -= 1,
                begun => return begun,
            }
        }
    }

    /// A connection for statements that stand alone.
    ///
    /// # Errors
    /// When Postgres is away or no connection is free in time.
    pub async fn connection(&self) -> Result<Connection, Error> {
        self.acquire("get a connection").await
    }

    /// How many connections are open, broken ones included: after a restart of Postgres all idle ones are dead, and each
    /// shows it at its next statement only. Whoever may do a thing twice asks so many before Postgres counts as away.
    #[must_use]
    pub fn open_connections(&self) -> u32 {
        self.pool.size()
    }

    async fn acquire(&self, action: &'static str) -> Result<Connection, Error> {
        // An idle one is had without waiting, and without the large future of a login.
        if let Some(idle) = self.pool.try_acquire() {
            return Ok(Connection::new(idle));
        }
        let acquired = Box::pin(self.pool.acquire()).await;
        acquired.map(Connection::new).map_err(|source| {
            let error = Error::of(action)(source);
            if let Error::Unavailable { action, source } = error {
                Error::NoConnection { address: Arc::clone(&self.address), action, source }
            } else {
                error
            }
        })
    }

    /// Does `work` with connections of this store, and gives up when it takes longer than `limit`. Postgres' own limit on
    /// statements is no help when the network falls silent: its answer does not arrive either.
    ///
    /// What `work` has not committed by then may be committed or not.
    ///
    /// # Errors
    /// [`Error::Silent`] when the time is over; otherwise what `work` fails with.
    pub async fn within<T, E: From<Error>>(
        &self,
        limit: Duration,
        action: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        if let Ok(outcome) = timeout(limit, work).await {
            return outcome;
        }
        self.test_idle();
        Err(Error::Silent { action, limit }.into())
    }

    /// Has every idle connection prove that it still works. Where one has fallen silent, the others may have too, and
    /// without this each of them would cost somebody a deadline.
    fn test_idle(&self) {
        for _ in 0..self.pool.num_idle() {
            let Some(idle) = self.pool.try_acquire() else { return };
            // Giving it back is the test.
            drop(Connection::new(idle));
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        let _silent = timeout(CLOSE_LIMIT, self.pool.close()).await.is_err();
    }
}

/// What a server says of itself.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its version, for example `17.2`.
    pub version: String,
    /// The encoding of the database, for example `UTF8`.
    pub encoding: String,
}

async fn try_lock_migrating(connection: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "taken!""#, MIGRATING)
        .fetch_one(connection)
        .await
        .map_err(Error::of("wait for other migrations"))
}

async fn applied_migrations(connection: &mut PgConnection) -> Result<usize, Error> {
    let failed = Error::of("read the migrations");
    let present = sqlx::query_scalar!(r#"SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS "present!""#)
        .fetch_one(&mut *connection)
        .await
        .map_err(&failed)?;
    if !present {
        return Ok(0);
    }
    // `AS count`: the table belongs to the migrator, so the checked macros do not know it.
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE success")
        .fetch_one(connection)
        .await
        .map_err(&failed)?;
    Ok(usize::try_from(count).unwrap_or_default())
}
