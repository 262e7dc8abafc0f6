//! Help is reviewed text.

use crate::lab::worker;
use anyhow::Result;

/// Every command.
const COMMANDS: &[&str] = &[
    "",
    "run",
    "migrate",
    "events",
    "events list",
    "events show",
    "events stats",
    "events types",
    "resources",
    "resources list",
    "resources show",
    "reviews",
    "reviews list",
    "reviews show",
    "reviews claim",
    "reviews release",
    "reviews approve",
    "reviews deny",
    "reviews answer",
    "reviews policy",
    "dlq",
    "dlq list",
    "dlq show",
    "dlq stats",
    "dlq replay",
    "dlq discard",
    "dlq check",
    "dlq settle",
    "transcripts",
    "transcripts list",
    "transcripts show",
    "transcripts export",
    "alerts",
    "alerts list",
    "alerts show",
    "alerts resolve",
    "alerts test",
    "audit",
    "reconcile",
    "doctor",
    "doctor signature",
    "help",
    "help dlq",
    "help dlq replay",
];

async fn help(command: &str) -> Result<String> {
    let mut args: Vec<&str> = command.split_whitespace().collect();
    if args.first() != Some(&"help") {
        args.push("--help");
    }
    let said = worker(&args, &[]).await?;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{command}");
    Ok(said.stdout)
}

#[tokio::test]
async fn the_help_of_every_command_is_as_it_was_reviewed() -> Result<()> {
    for command in COMMANDS.iter().filter(|command| !command.starts_with("help")) {
        let name = format!("help {command}").trim().replace(' ', "_");
        insta::assert_snapshot!(name, help(command).await?);
    }
    Ok(())
}

#[tokio::test]
async fn no_command_is_left_out_here() -> Result<()> {
    for command in COMMANDS.iter().filter(|command| !command.starts_with("help")) {
        let text = help(command).await?;
        let listed = text.split("\nCommands:\n").nth(1).unwrap_or_default().split("\n\n").next();
        for line in listed.unwrap_or_default().lines() {
            let name = line.split_whitespace().next().unwrap_or_default();
            let path = format!("{command} {name}").trim().to_owned();
            assert!(name == "help" || COMMANDS.contains(&path.as_str()), "{path:?} has no snapshot");
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_help_has_an_example_and_fits_the_terminal() -> Result<()> {
    for command in COMMANDS {
        let text = help(command).await?;
        assert!(text.contains("Example"), "{command}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{command}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn no_command_at_all_is_a_usage_error_that_shows_the_help() -> Result<()> {
    let said = worker(&[], &[]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""));
    assert!(said.stderr.contains("Usage: worker"), "{}", said.stderr);
    let version = worker(&["--version"], &[]).await?;
    assert_eq!(version.code, Some(0));
    assert!(version.stdout.starts_with("worker "), "{}", version.stdout);
    Ok(())
}
