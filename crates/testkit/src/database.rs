//! A Postgres database of its own for every test.

mod template;

use crate::cleanup::block_on_own_thread;
use crate::environment;
use anyhow::{Context, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use std::str::FromStr;
use std::time::Duration;

/// Enough for a test and its background tasks, and few enough for many tests on a server with 100 connections.
const POOL_CONNECTIONS: u32 = 5;

/// A fresh database on the server that `DATABASE_URL` names.
///
/// Cleans up: the database is dropped with the value, connections to it are cut. A test process that is killed leaves
/// its databases behind; a later one drops them when they are some hours old.
#[derive(Debug)]
pub struct Database {
    name: String,
    server: PgConnectOptions,
    pool: PgPool,
}

impl Database {
    /// Creates a database with all migrations applied, as a copy of a template that is built once per state of the
    /// `migrations` folder.
    ///
    /// # Errors
    /// When `DATABASE_URL` is missing, the server cannot be reached or a migration fails.
    pub async fn create() -> Result<Self> {
        let server = server()?;
        let mut admin = connect(&server).await?;
        let name = template::clone_migrated(&mut admin, &server).await?;
        admin.close().await.context("cannot close the connection that created the database")?;
        Ok(Self::named(name, server))
    }

    /// Creates a database without any table, for tests of the migrations themselves.
    ///
    /// # Errors
    /// When `DATABASE_URL` is missing or the server cannot be reached.
    pub async fn empty() -> Result<Self> {
        let server = server()?;
        let mut admin = connect(&server).await?;
        let name = template::unique_name(&mut admin).await?;
        execute(&mut admin, format!("CREATE DATABASE {name} {}", template::EMPTY)).await?;
        admin.close().await.context("cannot close the connection that created the database")?;
        Ok(Self::named(name, server))
    }

    /// From now on lets nobody connect, or everybody again. Refusing ends the connections that there are.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn allow_connections(&self, allowed: bool) -> Result<()> {
        let name = &self.name;
        let mut admin = connect(&self.server).await?;
        execute(&mut admin, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")).await?;
        if !allowed {
            let end =
                format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            execute(&mut admin, end).await?;
        }
        admin.close().await.context("cannot close the connection that changed the database")
    }

    fn named(name: String, server: PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(POOL_CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(server.clone().database(&name));
        Self { name, server, pool }
    }

    /// The name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL that a process under test gets as its `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// A small pool of connections to the database.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = block_on_own_thread(async move {
            let mut admin = connect(&server).await?;
            execute(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
        });
        if let Err(error) = dropped {
            eprintln!("database {} is left behind: {error:#}", self.name);
        }
    }
}

fn server() -> Result<PgConnectOptions> {
    let url = environment::required("DATABASE_URL", "postgres://holdfast@127.0.0.1:5432/postgres")?;
    PgConnectOptions::from_str(&url).context("DATABASE_URL is not a Postgres URL")
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    PgConnection::connect_with(options).await.with_context(|| {
        format!("cannot connect to Postgres at {}:{} (DATABASE_URL)", options.get_host(), options.get_port())
    })
}

/// Runs a statement whose only variable parts are names made in this module.
async fn execute(connection: &mut PgConnection, statement: String) -> Result<()> {
    let context = format!("cannot run: {statement}");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.context(context)?;
    Ok(())
}
