//! `worker doctor`.

use crate::lab::{Lab, Said, worker};
use anyhow::{Context, Result};
use simulator::{Options, Simulator};

const SIGNING_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Status and sentence of a check.
fn check(said: &Said, name: &str) -> Result<(String, String)> {
    let checks = said.json()?;
    let found = checks.as_array().into_iter().flatten().find(|check| check["check"] == name);
    let found = found.with_context(|| format!("no check {name}: {checks}"))?;
    let word = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
    Ok((word("status"), format!("{}: {}", word("detail"), word("advice"))))
}

async fn doctor(lab: &Lab, api: &str, key: &str) -> Result<Said> {
    lab.worker(&["doctor", "--json", "--api-url", api, "--api-key", key, "--signing-key", SIGNING_KEY]).await
}

#[tokio::test]
async fn a_sound_system_has_no_failed_check() -> Result<()> {
    let lab = Lab::new().await?;
    let simulator = Simulator::start(Options::default()).await?;
    let said = doctor(&lab, &simulator.base_url(), "sk-ant-test").await?;
    assert_eq!(said.code, Some(0), "{said:?}");
    let sound = [
        "postgres",
        "schema",
        "ledger",
        "backlog",
        "dead letters",
        "rabbitmq",
        "queues",
        "claude api",
        "signing secrets",
    ];
    for name in sound {
        assert_eq!(check(&said, name)?.0, "ok", "{name}: {said:?}");
    }
    let (status, sentence) = check(&said, "workers")?;
    assert_eq!(status, "warning");
    assert!(sentence.contains("worker run"), "{sentence}");
    simulator.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_named_with_what_to_do_and_exits_1() -> Result<()> {
    let lab = Lab::new().await?;
    lab.dead("session.status_idled").await?;
    let simulator =
        Simulator::start(Options { api_key: Some("sk-ant-right".to_owned()), ..Options::default() }).await?;
    let said = doctor(&lab, &simulator.base_url(), "sk-ant-wrong").await?;
    assert_eq!(said.code, Some(1), "{said:?}");
    let (status, sentence) = check(&said, "claude api")?;
    assert!(status == "failed" && sentence.contains("ANTHROPIC_API_KEY"), "{sentence}");
    let (status, sentence) = check(&said, "dead letters")?;
    assert!(status == "warning" && sentence.contains("worker dlq stats"), "{sentence}");
    simulator.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_empty_database_needs_a_migration() -> Result<()> {
    let database = testkit::Database::empty().await?;
    let said = worker(&["doctor", "--json"], &[("DATABASE_URL", &database.url())]).await?;
    let (status, sentence) = check(&said, "schema")?;
    assert!(status == "failed" && sentence.contains("worker migrate"), "{sentence}");
    Ok(())
}

#[tokio::test]
async fn missing_settings_are_failed_checks_and_not_the_end() -> Result<()> {
    let said = worker(&["doctor", "--json"], &[]).await?;
    assert_eq!(said.code, Some(1), "{said:?}");
    for (name, variable) in [
        ("postgres", "DATABASE_URL"),
        ("rabbitmq", "AMQP_URL"),
        ("claude api", "ANTHROPIC_API_KEY"),
        ("signing secrets", "ANTHROPIC_WEBHOOK_SIGNING_KEY"),
    ] {
        let (status, sentence) = check(&said, name)?;
        assert!(status == "failed" && sentence.contains(variable), "{name}: {sentence}");
    }
    let text = worker(&["doctor"], &[]).await?;
    assert_eq!(text.code, Some(1));
    assert!(text.stdout.starts_with("CHECK "), "{}", text.stdout);
    Ok(())
}
