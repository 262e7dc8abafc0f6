//! Databases of tests.

use anyhow::Result;
use sqlx::{Connection, PgConnection, Row};
use testkit::Database;

async fn count(database: &Database, statement: &'static str) -> Result<i64> {
    Ok(sqlx::raw_sql(statement).fetch_one(database.pool()).await?.try_get(0)?)
}

#[tokio::test]
async fn two_databases_do_not_see_each_other() -> Result<()> {
    let (one, other) = tokio::try_join!(Database::create(), Database::create())?;
    assert_ne!(one.name(), other.name());
    sqlx::raw_sql("CREATE TABLE only_here (id int)").execute(one.pool()).await?;
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'";
    assert_eq!(count(&one, tables).await?, 1);
    assert_eq!(count(&other, tables).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_created_database_is_migrated_and_an_empty_one_is_not() -> Result<()> {
    let (migrated, empty) = tokio::try_join!(Database::create(), Database::empty())?;
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations"))?;
    let files = folder.flatten().filter(|file| file.path().extension() == Some("sql".as_ref()));
    let applied = count(&migrated, "SELECT count(*) FROM _sqlx_migrations WHERE success").await?;
    assert_eq!(usize::try_from(applied)?, files.count());
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(count(&empty, tables).await?, 0);
    Ok(())
}

#[tokio::test]
async fn the_url_leads_to_the_database_and_a_drop_removes_it() -> Result<()> {
    let survivor = Database::empty().await?;
    let database = Database::empty().await?;
    let url = database.url();
    let mut connection = PgConnection::connect(&url).await?;
    let row = sqlx::raw_sql("SELECT current_database()::text").fetch_one(&mut connection).await?;
    let name: String = row.try_get(0)?;
    assert_eq!(name, database.name());

    // The open connection must not keep the database alive.
    drop(database);
    let rows = sqlx::raw_sql("SELECT datname::text FROM pg_database").fetch_all(survivor.pool()).await?;
    let names = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
    assert!(!names.contains(&name));
    Ok(())
}
