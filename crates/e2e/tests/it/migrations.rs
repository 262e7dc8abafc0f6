//! `worker migrate`, again and at the same time.

use anyhow::Result;
use futures_util::future::try_join_all;
use std::time::Duration;
use testkit::Database;
use testkit::process::run;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn migrating_at_the_same_time_and_again_is_fine() -> Result<()> {
    let database = Database::empty().await?;
    let url = database.url();
    let environment = [("DATABASE_URL", url.as_str())];
    let migrate = || run("worker", &["migrate", "--json"], &environment, PATIENCE);
    for output in try_join_all((0..4).map(|_| migrate())).await? {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let applied = "SELECT count(*) FROM _sqlx_migrations WHERE success";
    let before: i64 = sqlx::query_scalar(applied).fetch_one(database.pool()).await?;
    assert!(before > 0);
    assert_eq!(migrate().await?.status.code(), Some(0));
    let after: i64 = sqlx::query_scalar(applied).fetch_one(database.pool()).await?;
    assert_eq!(before, after);
    Ok(())
}
