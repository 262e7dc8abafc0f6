//! The migrated template database, and copies of it.
//!
//! Migrating takes many times longer than copying, so the migrations run once per state of the `migrations` folder and
//! server, into a template whose name carries a hash of the folder. Test processes that start together agree through an
//! advisory lock: exclusive for whoever builds, shared for whoever copies.

use super::{connect, execute};
use anyhow::{Context, Result};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");

/// What an empty database is made of, so that tests behave the same on every server, whatever its own template and locale.
pub(super) const EMPTY: &str = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'";

/// Any number will do as long as nobody else uses it: "holdfast" in ASCII.
const LOCK: i64 = 0x686f_6c64_6661_7374;

/// Templates, and databases of test processes that were killed, are dropped by a later run when they are this old.
const LEFTOVER_SECONDS: i64 = 6 * 3600;

/// Creates a migrated database under a new name and returns the name.
pub(super) async fn clone_migrated(admin: &mut PgConnection, server: &PgConnectOptions) -> Result<String> {
    let migrator = Migrator::new(Path::new(MIGRATIONS))
        .await
        .with_context(|| format!("cannot read the migrations in {MIGRATIONS}"))?;
    let template = template_name(&migrator);
    let name = unique_name(admin).await?;
    loop {
        // The lock belongs to the session, so it ends with the connection whatever happens here.
        execute(admin, format!("SELECT pg_advisory_lock_shared({LOCK})")).await?;
        let found = exists(admin, &template).await?;
        if found {
            execute(admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        }
        execute(admin, format!("SELECT pg_advisory_unlock_shared({LOCK})")).await?;
        if found {
            return Ok(name);
        }
        execute(admin, format!("SELECT pg_advisory_lock({LOCK})")).await?;
        build(admin, server, &migrator, &template).await?;
        execute(admin, format!("SELECT pg_advisory_unlock({LOCK})")).await?;
    }
}

/// A name that no other test uses. It carries the server's time, so that leftovers can be told from live databases.
pub(super) async fn unique_name(admin: &mut PgConnection) -> Result<String> {
    let seconds = server_seconds(admin).await?;
    Ok(format!("holdfast_test_{seconds}_{:08x}", rand::random::<u32>()))
}

async fn server_seconds(admin: &mut PgConnection) -> Result<i64> {
    let row = sqlx::raw_sql("SELECT extract(epoch FROM now())::bigint AS seconds")
        .fetch_one(admin)
        .await
        .context("cannot read the server's clock")?;
    row.try_get("seconds").context("the server's clock is no number")
}

/// Builds the template, unless somebody else has done so while we waited for the lock.
async fn build(
    admin: &mut PgConnection,
    server: &PgConnectOptions,
    migrator: &Migrator,
    template: &str,
) -> Result<()> {
    if exists(admin, template).await? {
        return Ok(());
    }
    drop_leftovers(admin).await?;
    // Under another name until it is complete: a template that exists is a template that can be copied.
    let unfinished = format!("{template}_unfinished");
    execute(admin, format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await?;
    execute(admin, format!("CREATE DATABASE {unfinished} {EMPTY}")).await?;
    let mut connection = connect(&server.clone().database(&unfinished)).await?;
    migrator.run(&mut connection).await.context("cannot apply the migrations to the template database")?;
    connection.close().await.context("cannot close the connection to the template database")?;
    let seconds = server_seconds(admin).await?;
    execute(admin, format!("COMMENT ON DATABASE {unfinished} IS '{seconds}'")).await?;
    // Nobody may connect: a database with connections cannot be copied.
    execute(admin, format!("ALTER DATABASE {unfinished} WITH ALLOW_CONNECTIONS false")).await?;
    execute(admin, format!("ALTER DATABASE {unfinished} RENAME TO {template}")).await
}

async fn exists(admin: &mut PgConnection, database: &str) -> Result<bool> {
    let statement = format!("SELECT 1 FROM pg_database WHERE datname = '{database}'");
    let row = sqlx::raw_sql(AssertSqlSafe(statement))
        .fetch_optional(admin)
        .await
        .context("cannot list the databases")?;
    Ok(row.is_some())
}

/// Drops old templates and the databases of killed test processes. A young template of another state of the migrations
/// may be in use right now, by the tests of another working copy on the same server.
async fn drop_leftovers(admin: &mut PgConnection) -> Result<()> {
    let statement = format!(
        "SELECT datname::text AS name FROM pg_database WHERE (datname ~ '^holdfast_template_' \
             AND shobj_description(oid, 'pg_database')::bigint < extract(epoch FROM now()) - {LEFTOVER_SECONDS}) \
         OR (datname ~ '^holdfast_test_[0-9]+_' \
             AND split_part(datname, '_', 3)::bigint < extract(epoch FROM now()) - {LEFTOVER_SECONDS})"
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(statement))
        .fetch_all(&mut *admin)
        .await
        .context("cannot list the databases that are left over")?;
    for row in rows {
        let name: String = row.try_get("name").context("a database without a name")?;
        execute(admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    }
    Ok(())
}

fn template_name(migrator: &Migrator) -> String {
    let mut hasher = DefaultHasher::new();
    EMPTY.hash(&mut hasher);
    for migration in migrator.iter() {
        migration.version.hash(&mut hasher);
        migration.checksum.hash(&mut hasher);
    }
    format!("holdfast_template_{:016x}", hasher.finish())
}
