//! The migrations and what they leave.

use crate::bench::{Bench, after, event};
use anyhow::Result;
use futures_util::future::join_all;
use store::Error;
use testkit::Database;

#[tokio::test]
async fn migrating_twice_changes_nothing_the_second_time() -> Result<()> {
    let bench = Bench::on(Database::empty().await?)?;
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations"))?;
    let files = files.flatten().filter(|file| file.path().extension() == Some("sql".as_ref())).count();
    assert_eq!(bench.store.migrate().await?, files);
    assert_eq!(bench.store.migrate().await?, 0);
    bench.store.check_schema().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_may_migrate_an_empty_database_at_once() -> Result<()> {
    let bench = Bench::on(Database::empty().await?)?;
    let stores = (0..4)
        .map(|_| store::Store::new(&crate::bench::options(bench.database.url())))
        .collect::<Result<Vec<_>, _>>()?;
    let mut applied = Vec::new();
    for outcome in join_all(stores.iter().map(store::Store::migrate)).await {
        applied.push(outcome?);
    }
    applied.sort_unstable();
    assert!(matches!(applied[..], [0, 0, 0, all] if all > 0), "each counts what it did itself: {applied:?}");
    bench.store.check_schema().await?;
    assert_eq!(bench.accept(&[event("evt_1")?]).await?.outcomes.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_empty_database_is_told_from_a_broken_one() -> Result<()> {
    let bench = Bench::on(Database::empty().await?)?;
    assert!(matches!(bench.store.check_schema().await, Err(Error::NotMigrated { .. })));
    let mut tx = bench.store.begin("accept").await?;
    let error = store::accept_batch(&mut tx, &[event("evt_1")?], Some(after(10))).await.unwrap_err();
    assert!(matches!(error, Error::NotMigrated { .. }), "{error:?}");
    assert!(error.to_string().contains("worker migrate"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_database_that_lacks_the_last_migration_is_not_migrated() -> Result<()> {
    let bench = Bench::new().await?;
    bench.store.check_schema().await?;
    bench
        .sql("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .await?;
    assert!(matches!(bench.store.check_schema().await, Err(Error::NotMigrated { .. })));
    Ok(())
}

#[tokio::test]
async fn every_table_says_what_it_holds() -> Result<()> {
    let bench = Bench::new().await?;
    let silent = bench
        .texts(
            "SELECT relname::text FROM pg_class \
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v') \
                 AND relname <> '_sqlx_migrations' AND obj_description(oid, 'pg_class') IS NULL \
                 AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'i')",
        )
        .await?;
    assert_eq!(silent, [""; 0], "tables without a comment");
    Ok(())
}

/// Ids of a row, and words whose meaning is that of the platform or of the table's comment.
const SELF_EVIDENT: [&str; 26] = [
    "id",
    "endpoint",
    "event",
    "event_id",
    "event_type",
    "resource_type",
    "resource_id",
    "parent_id",
    "organization_id",
    "workspace_id",
    "content_type",
    "received_at",
    "created_at",
    "updated_at",
    "started_at",
    "failed_at",
    "recorded_at",
    "generation",
    "kind",
    "class",
    "status",
    "detail",
    "body",
    "replayed",
    "rank",
    "last_event_id",
];

#[tokio::test]
async fn every_column_whose_name_does_not_say_it_all_is_explained() -> Result<()> {
    let bench = Bench::new().await?;
    let silent = bench
        .texts(
            "SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid \
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 \
                 AND NOT attisdropped AND relname <> '_sqlx_migrations' \
                 AND col_description(attrelid, attnum) IS NULL ORDER BY relname, attnum",
        )
        .await?;
    let unexplained: Vec<&String> = silent
        .iter()
        .filter(|column| !SELF_EVIDENT.iter().any(|word| column.ends_with(&format!(".{word}"))))
        .collect();
    assert_eq!(unexplained, [""; 0], "columns without a comment");
    Ok(())
}
