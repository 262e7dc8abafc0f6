//! `worker audit`.

use crate::lab::Lab;
use anyhow::Result;
use serde_json::json;
use store::{Intention, Queue};
use testkit::clock::real_now;

#[tokio::test]
async fn an_empty_system_is_accounted_for() -> Result<()> {
    let lab = Lab::new().await?;
    let said = lab.worker(&["audit"]).await?;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("The sum is right."), "{}", said.stdout);
    assert!(said.stdout.contains("Every event is finished."), "{}", said.stdout);
    let json = lab.worker(&["audit", "--json"]).await?.json()?;
    assert_eq!((&json["accounted"], &json["queue"]), (&json!(true), &json!({ "state": "accounted" })));
    Ok(())
}

#[tokio::test]
async fn without_a_worker_it_says_that_it_cannot_tell_and_changes_nothing() -> Result<()> {
    let lab = Lab::new().await?;
    lab.accept("session.status_idled").await?;
    // It is still to be published, which is a place to be.
    assert_eq!(lab.worker(&["audit"]).await?.code, Some(0));
    lab.published().await?;
    let said = lab.worker(&["audit", "--wait", "1s"]).await?;
    assert_eq!(said.code, Some(75), "{said:?}");
    assert!(said.stdout.contains("No worker consumes the queue"), "{}", said.stdout);
    let json = lab.worker(&["audit", "--json"]).await?.json()?;
    assert_eq!((&json["accounted"], &json["queue"]["state"]), (&json!(false), &json!("no_worker")));
    assert_eq!((&json["pending"], &json["outbox"], &json["rounds"]), (&json!(1), &json!(0), &json!([])));
    Ok(())
}

#[tokio::test]
async fn rows_that_contradict_each_other_are_found() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.dead("session.status_idled").await?;
    let row = lab.row(&id).await?;
    let needless = Intention { event: row, queue: Queue::Work, generation: 1, tries: 3, due_at: real_now() };
    store::schedule(&mut *lab.store.connection().await?, &[needless]).await?;
    let said = lab.worker(&["audit"]).await?;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("1 row breaks it"), "{}", said.stdout);
    assert!(said.stdout.contains("keep the database as it is"), "{}", said.stdout);
    Ok(())
}
