//! Exit codes mean something, and standard output belongs to machines.

use crate::lab::{Lab, worker};
use anyhow::Result;
use testkit::process::{self, free_port};

#[tokio::test]
async fn a_missing_setting_is_named_and_exits_64() -> Result<()> {
    for args in [&["events", "list"][..], &["migrate"], &["dlq", "check"], &["dlq", "replay", "whe_1"]] {
        let said = worker(args, &[]).await?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""), "{args:?}");
        assert!(said.stderr.contains("DATABASE_URL") && said.stderr.contains("missing"), "{}", said.stderr);
    }
    let both = worker(&["dlq", "check"], &[]).await?;
    assert!(both.stderr.contains("AMQP_URL"), "all at once: {}", both.stderr);
    let run = worker(&["run"], &[]).await?;
    assert_eq!(run.code, Some(64));
    for name in ["DATABASE_URL", "AMQP_URL", "ANTHROPIC_API_KEY"] {
        assert!(run.stderr.contains(name), "{name}: {}", run.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_command_line_exits_64() -> Result<()> {
    for args in
        [&["evnets"][..], &["events", "list", "--status", "lost"], &["events", "list", "--since", "soon"]]
    {
        let said = worker(args, &[]).await?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""), "{args:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_store_that_is_away_exits_75() -> Result<()> {
    let lab = Lab::new().await?;
    let port = free_port()?;
    let postgres = format!("postgres://holdfast@127.0.0.1:{port}/postgres");
    let amqp = format!("amqp://guest:guest@127.0.0.1:{port}/%2f");
    let url = lab.database.url();
    let no_postgres = [("DATABASE_URL", postgres.as_str())];
    let no_rabbitmq = [("DATABASE_URL", url.as_str()), ("AMQP_URL", amqp.as_str())];
    let (list, migrate, check) = tokio::try_join!(
        worker(&["events", "list"], &no_postgres),
        worker(&["migrate", "--wait", "0s"], &no_postgres),
        worker(&["dlq", "check"], &no_rabbitmq)
    )?;
    for said in [list, migrate, check] {
        assert_eq!((said.code, said.stdout.as_str()), (Some(75), ""), "{said:?}");
        assert!(said.stderr.starts_with("worker: "), "{}", said.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_away_does_not_make_a_replay_a_failure() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.dead("session.status_idled").await?;
    let amqp = format!("amqp://guest:guest@127.0.0.1:{}/%2f", free_port()?);
    let said = lab.worker(&["dlq", "replay", &id, "--json", "--amqp-url", &amqp]).await?;
    assert_eq!((said.code, &said.json()?["settled"]), (Some(0), &serde_json::Value::Null));
    assert!(said.stderr.contains("warning"), "{}", said.stderr);
    Ok(())
}

#[tokio::test]
async fn a_database_without_tables_says_what_to_do() -> Result<()> {
    let database = testkit::Database::empty().await?;
    let said = worker(&["events", "list"], &[("DATABASE_URL", &database.url())]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.contains("worker migrate"), "{}", said.stderr);
    Ok(())
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() -> Result<()> {
    let lab = Lab::new().await?;
    let ids: Vec<String> = (0..200).map(|number| format!("whe_{number:0200}")).collect();
    for id in &ids {
        lab.accept_at("default", id, "session.updated").await?;
    }
    let url = lab.database.url();
    let worker = std::env::current_exe()?.with_file_name("../worker");
    let script = format!("{{ {} events list --json; echo $? >&2; }} | head -n 2", worker.display());
    let output =
        process::run("/bin/sh", &["-c", &script], &[("DATABASE_URL", &url)], crate::lab::PATIENCE).await?;
    let stderr = String::from_utf8(output.stderr)?;
    assert_eq!(stderr, "0\n");
    assert!(output.stdout.starts_with(b"[\n{"));
    Ok(())
}
