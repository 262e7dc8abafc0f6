//! `worker dlq discard`.

use crate::lab::Lab;
use anyhow::Result;
use serde_json::json;

#[tokio::test]
async fn a_discarded_event_keeps_its_reason_and_the_brokers_copy_goes() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.dead("session.status_idled").await?;
    lab.publish_dead(&id).await?;
    lab.wait_for_copies(1).await?;
    let said = lab.worker(&["dlq", "discard", &id, "--reason", "test traffic", "--json"]).await?;
    assert_eq!((said.code, &said.json()?["discarded"]), (Some(0), &json!(1)));
    lab.wait_for_copies(0).await?;
    let event = lab.worker(&["events", "show", &id, "--json"]).await?.json()?;
    assert_eq!((&event["status"], &event["discard_reason"]), (&json!("discarded"), &json!("test traffic")));
    Ok(())
}

#[tokio::test]
async fn nothing_is_discarded_without_a_reason() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.dead("session.status_idled").await?;
    for args in [&["dlq", "discard", &id][..], &["dlq", "discard", &id, "--reason", ""]] {
        let said = lab.worker(args).await?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""), "{args:?}");
        assert!(said.stderr.contains("--reason"), "{}", said.stderr);
    }
    assert_eq!(lab.worker(&["events", "show", &id, "--json"]).await?.json()?["status"], "dead");
    Ok(())
}

#[tokio::test]
async fn many_are_discarded_only_when_somebody_says_yes() -> Result<()> {
    let lab = Lab::new().await?;
    lab.dead("session.status_idled").await?;
    lab.dead("session.updated").await?;
    let refused = lab.worker(&["dlq", "discard", "--all", "--reason", "old"]).await?;
    assert_eq!(refused.code, Some(64));
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    let said = lab.worker(&["dlq", "discard", "--all", "--reason", "old", "--yes"]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "2 dead letters discarded\n"));
    let ledger = lab.worker(&["events", "stats", "--json"]).await?.json()?;
    assert_eq!((&ledger["discarded"], &ledger["balances"]), (&json!(2), &json!(true)));
    Ok(())
}
