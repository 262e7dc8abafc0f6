//! The command line, and settings that cannot be used.

use crate::bench::PATIENCE;
use anyhow::Result;
use std::process::Output;
use testkit::process::run;

async fn ingest(args: &[&str], environment: &[(&str, &str)]) -> Result<(Option<i32>, String, String)> {
    let Output { status, stdout, stderr } = run("ingest", args, environment, PATIENCE).await?;
    Ok((status.code(), String::from_utf8(stdout)?, String::from_utf8(stderr)?))
}

#[tokio::test]
async fn the_help_is_as_reviewed() -> Result<()> {
    let (code, help, errors) = ingest(&["--help"], &[]).await?;
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    insta::assert_snapshot!("help", help);
    Ok(())
}

#[tokio::test]
async fn help_shows_no_value_of_the_environment_that_is_secret() -> Result<()> {
    let environment = [
        ("DATABASE_URL", "postgres://u:hunter2@h/d"),
        ("AMQP_URL", "amqp://u:hunter2@h"),
        ("ANTHROPIC_WEBHOOK_SIGNING_KEY", "whsec_hunter2"),
    ];
    for argument in ["--help", "-h", "--version", "--nonsense"] {
        let (_, help, errors) = ingest(&[argument], &environment).await?;
        assert!(!help.contains("hunter2") && !errors.contains("hunter2"), "{argument}: {help}{errors}");
    }
    Ok(())
}

#[tokio::test]
async fn all_missing_settings_are_named_at_once() -> Result<()> {
    let (code, _, said) = ingest(&[], &[]).await?;
    assert_eq!(code, Some(64), "{said}");
    for setting in ["DATABASE_URL", "AMQP_URL", "ANTHROPIC_WEBHOOK_SIGNING_KEY"] {
        assert!(said.contains(setting), "{setting}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named_without_their_secrets() -> Result<()> {
    let fine = [
        ("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/d"),
        ("AMQP_URL", "amqp://u:hunter2@127.0.0.1:1/%2f"),
        ("ANTHROPIC_WEBHOOK_SIGNING_KEY", "whsec_aHVudGVyMg=="),
    ];
    let table = [
        ("DATABASE_URL", "mysql://u:hunter2@h/d"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgres://u:hunter2@[h/d"),
        ("AMQP_URL", "http://u:hunter2@h"),
        ("AMQP_URL", "amqp://u:hunter2@h:port"),
        ("ANTHROPIC_WEBHOOK_SIGNING_KEY", "whsec_hunter2%%%"),
        ("ANTHROPIC_WEBHOOK_SIGNING_KEY", " "),
        ("HOLDFAST_QUEUE_PREFIX", "with space"),
        ("HOLDFAST_LISTEN", "nowhere"),
        ("HOLDFAST_INTERNAL_LISTEN", "127.0.0.1:99999"),
        ("HOLDFAST_BODY_LIMIT", "1"),
        ("HOLDFAST_SIGNATURE_TOLERANCE", "soon"),
        ("HOLDFAST_SIGNATURE_SCHEMES", "none"),
        ("HOLDFAST_DATABASE_CONNECTIONS", "0"),
    ];
    for (setting, value) in table {
        let mut environment = fine.to_vec();
        environment.push((setting, value));
        let (code, _, said) = ingest(&[], &environment).await?;
        assert_eq!(code, Some(64), "{setting}={value}: {said}");
        // clap itself names the flag, our own checks name both.
        let flag = setting.trim_start_matches("HOLDFAST_").to_lowercase().replace('_', "-");
        assert!(said.contains(setting) || said.contains(&flag), "{setting}={value}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_log_filter_or_collector_that_cannot_be_used_is_a_mistake_in_the_settings() -> Result<()> {
    for (setting, value, said_of_it) in [
        ("RUST_LOG", "info,in[fo", "\"in[fo\"; write for example"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "no url", "no url"),
    ] {
        let (code, _, said) = ingest(&[], &[(setting, value)]).await?;
        assert_eq!(code, Some(64), "{setting}={value}: {said}");
        assert!(said.contains(said_of_it), "{setting}={value}: {said}");
    }
    Ok(())
}
