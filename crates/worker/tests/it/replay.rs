//! `worker dlq list`, `show`, `stats` and `replay`.

use crate::lab::Lab;
use anyhow::{Context, Result};
use chrono::TimeDelta;
use domain::FailureClass;
use serde_json::json;
use testkit::clock::real_now;

#[tokio::test]
async fn a_replay_begins_a_second_generation_and_the_brokers_copy_goes() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.dead("session.status_idled").await?;
    lab.publish_dead(&id).await?;
    lab.wait_for_copies(1).await?;

    let said = lab.worker(&["dlq", "replay", &id, "--json"]).await?;
    assert_eq!(said.code, Some(0), "{said:?}");
    let answer = said.json()?;
    assert_eq!(
        (&answer["total"], &answer["replayed"], &answer["status"]),
        (&json!(1), &json!(1), &json!("finished"))
    );
    assert_eq!(answer["settled"]["removed"], 1);
    lab.wait_for_copies(0).await?;

    let event = lab.worker(&["events", "show", &id, "--json"]).await?.json()?;
    assert_eq!(
        (&event["status"], &event["generation"], &event["tries"]),
        (&json!("pending"), &json!(2), &json!(0))
    );
    assert_eq!(event["attempts"].as_array().map(Vec::len), Some(3), "the first life is not forgotten");
    let now = real_now();
    let mut connection = lab.store.connection().await?;
    let due = store::claim_due(&mut connection, now, now + TimeDelta::minutes(1), 10).await?;
    let due = due.first().context("nothing is due")?;
    assert_eq!(
        (due.key.id.as_str(), due.queue, due.generation, due.tries),
        (id.as_str(), store::Queue::Work, 2, 0)
    );
    Ok(())
}

#[tokio::test]
async fn a_dry_run_shows_what_it_would_take_and_changes_nothing() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.dead("session.status_idled").await?;
    lab.dead("vault.created").await?;
    let filter = ["--type", "session.*", "--dry-run"];
    let said = lab.worker(&[&["dlq", "replay", "--json"], &filter[..]].concat()).await?;
    let answer = said.json()?;
    assert_eq!((said.code, &answer["dry_run"], &answer["total"]), (Some(0), &json!(true), &json!(1)));
    assert_eq!(answer["events"][0]["event_id"], json!(id));
    let text = lab.worker(&[&["dlq", "replay"], &filter[..]].concat()).await?.stdout;
    assert!(text.contains(&id) && text.contains("nothing was changed"), "{text}");
    assert_eq!(lab.worker(&["dlq", "list", "--json"]).await?.json()?.as_array().map(Vec::len), Some(2));
    assert_eq!(
        store::find_replay(&mut *lab.store.connection().await?, 1).await?.map(|replay| replay.id),
        None
    );
    Ok(())
}

#[tokio::test]
async fn a_filter_replays_what_matches_and_nothing_else() -> Result<()> {
    let lab = Lab::new().await?;
    lab.dead("session.status_idled").await?;
    let spared = lab.accept("session.updated").await?;
    lab.kill(&spared, FailureClass::Permanent, "cannot be read").await?;
    let said = lab.worker(&["dlq", "replay", "--class", "transient", "--yes"]).await?;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.starts_with("1 dead letter replayed of 1"), "{}", said.stdout);
    let left = lab.worker(&["dlq", "list", "--json"]).await?.json()?;
    assert_eq!((left.as_array().map(Vec::len), &left[0]["event_id"]), (Some(1), &json!(spared)));
    let none = lab.worker(&["dlq", "replay", "--class", "transient", "--yes"]).await?;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), "no dead letters match\n"));
    Ok(())
}

#[tokio::test]
async fn many_are_never_replayed_unasked() -> Result<()> {
    let lab = Lab::new().await?;
    lab.dead("session.status_idled").await?;
    for args in [&["--all"][..], &["--type", "session.*"], &["--endpoint", "default"]] {
        let said = lab.worker(&[&["dlq", "replay"], args].concat()).await?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""), "{args:?}");
        assert!(said.stderr.contains("--yes"), "{}", said.stderr);
    }
    let said = lab.worker(&["dlq", "replay", "--yes"]).await?;
    assert_eq!(said.code, Some(64));
    assert!(said.stderr.contains("say which dead letters"), "{}", said.stderr);
    assert_eq!(lab.worker(&["dlq", "replay", "whe_1", "--all"]).await?.code, Some(64));
    assert_eq!(lab.worker(&["dlq", "list", "--json"]).await?.json()?.as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn an_event_that_is_not_dead_is_named_with_its_status_and_nothing_happens() -> Result<()> {
    let lab = Lab::new().await?;
    let dead = lab.dead("session.created").await?;
    let alive = lab.accept("session.updated").await?;
    for command in [&["dlq", "replay"][..], &["dlq", "discard", "--reason", "test"]] {
        let said = lab.worker(&[command, &[&dead, &alive]].concat()).await?;
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{command:?}");
        assert!(said.stderr.contains(&format!("{alive} is pending")), "{}", said.stderr);
    }
    let said = lab.worker(&["dlq", "replay", "whe_nobody"]).await?;
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("there is no event whe_nobody"), "{}", said.stderr);
    let said = lab.worker(&["dlq", "show", &alive, "--json"]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert_eq!(lab.worker(&["events", "show", &dead, "--json"]).await?.json()?["status"], "dead");
    Ok(())
}

#[tokio::test]
async fn dead_letters_are_listed_shown_and_counted_with_the_names_that_were_promised() -> Result<()> {
    let lab = Lab::new().await?;
    assert_eq!(lab.worker(&["dlq", "list"]).await?.stdout, "no dead letters\n");
    let id = lab.dead("session.status_idled").await?;
    let list = lab
        .worker(&["dlq", "list", "--text", "answered 500", "--newer-than", "1h", "--json"])
        .await?
        .json()?;
    assert_eq!((&list[0]["event_id"], &list[0]["error_class"]), (&json!(id), &json!("transient")));
    assert_eq!((&list[0]["tries"], &list[0]["last_error"]), (&json!(3), &json!("the API answered 500")));
    assert!(list[0]["dead_at"].is_string(), "{list}");
    for filter in [&["--older-than", "1h"][..], &["--text", "answered 5_0"], &["whe_nobody"]] {
        let none = lab.worker(&[&["dlq", "list", "--json"], filter].concat()).await?;
        assert_eq!(none.json()?, json!([]), "{filter:?}");
    }
    let story = lab.worker(&["dlq", "show", &id, "--json"]).await?.json()?;
    assert_eq!(story["attempts"].as_array().map(Vec::len), Some(3));
    assert_eq!(story["payload"]["id"], json!(id));
    let stats = lab.worker(&["dlq", "stats", "--json"]).await?.json()?;
    assert_eq!((&stats[0]["type"], &stats[0]["count"]), (&json!("session.status_idled"), &json!(1)));
    assert!(lab.worker(&["dlq", "list"]).await?.stdout.contains("transient"));
    assert!(lab.worker(&["dlq", "stats"]).await?.stdout.contains("1 dead letter in all"));
    Ok(())
}
