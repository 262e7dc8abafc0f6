//! The pool, the migrations and the one place that begins transactions.

use crate::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Postgres, Transaction};
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::time::Duration;

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
}

/// A pool of connections to Postgres.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
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
            .disable_statement_logging();
        if let Some(timeout) = options.statement_timeout {
            connect = connect.options([("statement_timeout", timeout.as_millis().to_string())]);
        }
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.acquire_timeout)
            // A broken connection shows at its next statement: `begin` takes another one then, and whoever has a lone
            // statement tries again anyway.
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        Ok(Self { pool })
    }

    /// Brings the schema up to date. Safe to run twice, and by several processes at once: an advisory lock lets
    /// one after the other in. Returns how many migrations were applied.
    ///
    /// # Errors
    /// When Postgres is away or a migration fails.
    pub async fn migrate(&self) -> Result<usize, Error> {
        let before = self.applied_migrations().await?;
        MIGRATIONS.run(&self.pool).await.map_err(|source| Error::Migration { source })?;
        Ok(self.applied_migrations().await?.saturating_sub(before))
    }

    /// Checks that the schema is the one this version was built for.
    ///
    /// # Errors
    /// [`Error::NotMigrated`] when migrations are missing; others when Postgres is away.
    pub async fn check_schema(&self) -> Result<(), Error> {
        if self.applied_migrations().await? < MIGRATIONS.iter().count() {
            return Err(Error::NotMigrated { source: None });
        }
        Ok(())
    }

    async fn applied_migrations(&self) -> Result<usize, Error> {
        let failed = Error::of("read the migrations");
        let present =
            sqlx::query_scalar!(r#"SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS "present!""#)
                .fetch_one(&self.pool)
                .await
                .map_err(&failed)?;
        if !present {
            return Ok(0);
        }
        // `AS count`: the table belongs to the migrator, so the checked macros do not know it.
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE success")
            .fetch_one(&self.pool)
            .await
            .map_err(&failed)?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The version of the server, for people.
    ///
    /// # Errors
    /// When Postgres is away.
    pub async fn server_version(&self) -> Result<String, Error> {
        sqlx::query_scalar!(r#"SELECT current_setting('server_version') AS "version!""#)
            .fetch_one(&self.pool)
            .await
            .map_err(Error::of("ask for the server's version"))
    }

    /// Begins a transaction. Dropping it without [`Tx::commit`] undoes all of it.
    ///
    /// # Errors
    /// When Postgres is away or no connection is free in time.
    pub async fn begin(&self, action: &'static str) -> Result<Tx, Error> {
        // After a restart of Postgres all idle connections are dead, and each shows it at its next statement. Here that
        // is the BEGIN, so asking the next connection is safe; there are as many to ask as were idle.
        let mut idle = self.pool.num_idle();
        loop {
            let source = match self.pool.begin().await {
                Ok(inner) => return Ok(Tx { inner, action }),
                Err(source) => source,
            };
            let timed_out = matches!(source, sqlx::Error::PoolTimedOut);
            let error = Error::of(action)(source);
            if idle == 0 || timed_out || !error.is_unavailable() {
                return Err(error);
            }
            idle -= 1;
        }
    }

    /// A connection for statements that stand alone.
    ///
    /// # Errors
    /// When Postgres is away or no connection is free in time.
    pub async fn connection(&self) -> Result<impl DerefMut<Target = PgConnection> + use<>, Error> {
        self.pool.acquire().await.map_err(Error::of("get a connection"))
    }

    /// Connections in use and idle, for the metrics.
    #[must_use]
    pub fn pool_size(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction with a name.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    action: &'static str,
}

impl Tx {
    /// Makes all of it last.
    ///
    /// # Errors
    /// When Postgres refuses or went away; it is then unknown whether the commit took place.
    pub async fn commit(self) -> Result<(), Error> {
        self.inner.commit().await.map_err(Error::of(self.action))
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
