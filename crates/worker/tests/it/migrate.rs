//! `worker migrate`.

use crate::lab::{open, worker};
use anyhow::Result;
use serde_json::json;
use std::time::Duration;
use testkit::proxy::TcpProxy;
use testkit::{Database, Process, eventually};

const MIGRATE: [&str; 2] = ["migrate", "--json"];

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() -> Result<()> {
    let database = Database::empty().await?;
    let url = database.url();
    let first = worker(&MIGRATE, &[("DATABASE_URL", &url)]).await?;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.json()?["applied"].as_u64().is_some_and(|applied| applied >= 3), "{first:?}");
    let second = worker(&MIGRATE, &[("DATABASE_URL", &url)]).await?;
    assert_eq!((second.code, second.json()?), (Some(0), json!({ "applied": 0 })));
    let text = worker(&["migrate"], &[("DATABASE_URL", &url)]).await?;
    assert_eq!(text.stdout, "the schema is up to date\n");
    Ok(())
}

#[tokio::test]
async fn four_at_once_all_succeed() -> Result<()> {
    let database = Database::empty().await?;
    let url = database.url();
    let envs = [("DATABASE_URL", url.as_str())];
    let run = || worker(&MIGRATE, &envs);
    let all = tokio::try_join!(run(), run(), run(), run())?;
    for said in [&all.0, &all.1, &all.2, &all.3] {
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    open(&url)?.check_schema().await?;
    Ok(())
}

#[tokio::test]
async fn it_waits_for_a_postgres_that_is_not_up_yet() -> Result<()> {
    let database = Database::empty().await?;
    let (proxy, through) = TcpProxy::start_before(&database.url()).await?;
    proxy.cut();
    let envs = [("DATABASE_URL", through.as_str()), ("RUST_LOG", "info")];
    let mut migrating = Process::spawn("worker", &MIGRATE, &envs)?;
    let patience = Duration::from_secs(30);
    eventually(patience, "word of the wait", async || {
        Ok(migrating.logs()?.contains("waiting for Postgres").then_some(()))
    })
    .await?;
    proxy.heal();
    let status = migrating.wait_exit(patience).await?;
    assert!(status.success(), "{}", migrating.logs()?);
    open(&database.url())?.check_schema().await?;
    Ok(())
}
