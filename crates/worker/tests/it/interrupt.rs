//! A replay that is interrupted, taken up again, or cancelled.

use crate::lab::{Lab, PATIENCE};
use anyhow::{Context, Result};
use serde_json::json;
use testkit::eventually;

/// Begins to replay three dead letters, one per second, and interrupts that after the first. Returns what was printed.
async fn interrupted(lab: &Lab) -> Result<String> {
    for _ in 0..3 {
        lab.dead("session.status_idled").await?;
    }
    let mut replaying = lab.spawn(&["dlq", "replay", "--all", "--yes", "--rate", "1"])?;
    eventually(PATIENCE, "the first replayed dead letter", async || {
        let mut connection = lab.store.connection().await?;
        let replay = store::find_replay(&mut connection, 1).await?.context("it has not begun")?;
        Ok((replay.replayed >= 1).then_some(()))
    })
    .await?;
    replaying.signal("INT")?;
    let status = replaying.wait_exit(PATIENCE).await?;
    let logs = replaying.logs()?;
    assert_eq!(status.code(), Some(1), "{logs}");
    Ok(logs)
}

#[tokio::test]
async fn ctrl_c_stops_between_chunks_and_the_rest_can_be_taken_up() -> Result<()> {
    let lab = Lab::new().await?;
    let logs = interrupted(&lab).await?;
    assert!(logs.contains("worker dlq replay --resume 1"), "{logs}");
    let left = lab.worker(&["dlq", "list", "--json"]).await?.json()?.as_array().map(Vec::len);
    assert!(matches!(left, Some(1 | 2)), "{left:?}");
    let said = lab.worker(&["dlq", "replay", "--resume", "1", "--json"]).await?;
    assert_eq!((said.code, &said.json()?["status"]), (Some(0), &json!("finished")));
    assert_eq!(said.json()?["replayed"], 3);
    assert_eq!(lab.worker(&["dlq", "list", "--json"]).await?.json()?, json!([]));
    Ok(())
}

#[tokio::test]
async fn a_cancelled_replay_cannot_be_taken_up() -> Result<()> {
    let lab = Lab::new().await?;
    interrupted(&lab).await?;
    let said = lab.worker(&["dlq", "replay", "--cancel", "1", "--json"]).await?;
    assert_eq!((said.code, &said.json()?["status"]), (Some(0), &json!("cancelled")));
    let again = lab.worker(&["dlq", "replay", "--cancel", "1"]).await?;
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("replay 1 is cancelled"), "{}", again.stderr);
    let resumed = lab.worker(&["dlq", "replay", "--resume", "1"]).await?;
    assert_eq!((resumed.code, resumed.stdout.as_str()), (Some(1), ""));
    assert!(resumed.stderr.contains("replay 1 is cancelled"), "{}", resumed.stderr);
    let unknown = lab.worker(&["dlq", "replay", "--resume", "99"]).await?;
    assert_eq!(unknown.code, Some(1));
    assert_eq!(lab.worker(&["dlq", "replay", "--cancel", "99"]).await?.code, Some(1));
    assert!(
        lab.worker(&["dlq", "list", "--json"]).await?.json()?.as_array().is_some_and(|left| !left.is_empty())
    );
    Ok(())
}
