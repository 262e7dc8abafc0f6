//! `worker dlq check` and `worker dlq settle`.

use crate::lab::{Lab, PATIENCE};
use anyhow::{Result, ensure};
use serde_json::json;
use testkit::eventually;

#[tokio::test]
async fn two_sides_that_agree_are_fine() -> Result<()> {
    let lab = Lab::new().await?;
    let empty = lab.worker(&["dlq", "check", "--json"]).await?;
    let agreed = json!({ "postgres": 0, "unpublished": 0, "broker": 0, "agree": true });
    assert_eq!((empty.code, empty.json()?), (Some(0), agreed));
    let id = lab.dead("session.status_idled").await?;
    lab.publish_dead(&id).await?;
    eventually(PATIENCE, "agreement", async || {
        let said = lab.worker(&["dlq", "check"]).await?;
        ensure!(said.code == Some(0) && said.stdout.contains("They agree."), "{said:?}");
        Ok(Some(()))
    })
    .await
}

#[tokio::test]
async fn a_copy_that_is_over_is_told_and_settled() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.dead("session.status_idled").await?;
    lab.publish_dead(&id).await?;
    lab.publish_dead(&id).await?;
    lab.wait_for_copies(2).await?;
    let said = lab.worker(&["dlq", "check"]).await?;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("worker dlq settle"), "{}", said.stdout);
    let settled = lab.worker(&["dlq", "settle", "--json"]).await?;
    assert_eq!(settled.code, Some(0), "{settled:?}");
    let counts = settled.json()?;
    assert_eq!((&counts["seen"], &counts["kept"], &counts["removed"]), (&json!(2), &json!(1), &json!(1)));
    lab.wait_for_copies(1).await
}
