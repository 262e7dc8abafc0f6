//! `worker events`.

use crate::lab::{Lab, SESSION, TRACE_ID};
use anyhow::{Context, Result};
use domain::FailureClass;
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|event| event["event_id"].as_str()).collect()
}

#[tokio::test]
async fn a_list_has_the_names_that_were_promised() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.accept("session.status_idled").await?;
    let said = lab.worker(&["events", "list", "--json"]).await?;
    let list = said.json()?;
    let event = &list[0];
    assert_eq!(event["event_id"], json!(id));
    assert_eq!(event["endpoint"], "default");
    assert_eq!(event["type"], "session.status_idled");
    assert_eq!(event["status"], "pending");
    assert_eq!(
        (&event["deliveries"], &event["tries"], &event["generation"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!((&event["resource_type"], &event["resource_id"]), (&json!("session"), &json!(SESSION)));
    assert_eq!(event["trace_id"], TRACE_ID);
    for time in ["created_at", "received_at"] {
        let text = event[time].as_str().context("no time")?;
        chrono::DateTime::parse_from_rfc3339(text)?;
        assert!(text.ends_with('Z'), "{text}");
    }
    for absent in ["error_class", "last_error", "dead_at", "payload", "row"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    Ok(())
}

#[tokio::test]
async fn filters_narrow_the_list() -> Result<()> {
    let lab = Lab::new().await?;
    let idled = lab.accept("session.status_idled").await?;
    let vault = lab.accept("vault.created").await?;
    lab.accept_at("other", "whe_other", "session.updated").await?;
    let dead = lab.dead("session.created").await?;
    for (filter, expected) in [
        (&["--status", "dead"][..], vec![dead.as_str()]),
        (&["--type", "session.*"], vec![&dead, "whe_other", &idled]),
        (&["--type", "vault.created"], vec![&vault]),
        (&["--endpoint", "other"], vec!["whe_other"]),
        (&["--resource", "sesn_nobody"], vec![]),
        (&["--source", "reply"], vec![]),
        (&["--source", "webhook", "--limit", "1"], vec![&dead]),
        (&["--since", "1h", "--limit", "1"], vec![&dead]),
        (&["--since", "2999-01-01T00:00:00Z"], vec![]),
    ] {
        let args = [&["events", "list", "--json"], filter].concat();
        assert_eq!(ids(&lab.worker(&args).await?.json()?), expected, "{filter:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_table_is_for_people() -> Result<()> {
    let lab = Lab::new().await?;
    assert_eq!(lab.worker(&["events", "list"]).await?.stdout, "no events\n");
    assert_eq!(lab.worker(&["events", "list", "--json"]).await?.stdout, "[]\n");
    let id = lab.accept("session.created").await?;
    lab.accept("session.updated").await?;
    let said = lab.worker(&["events", "list", "--limit", "1"]).await?;
    assert!(said.stdout.starts_with("EVENT "), "{}", said.stdout);
    assert!(!said.stdout.contains(&id) && said.stdout.contains("more than these 1"), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'), "colours without a terminal: {}", said.stdout);
    Ok(())
}

#[tokio::test]
async fn the_story_of_an_event_has_its_tries_and_its_payload() -> Result<()> {
    let lab = Lab::new().await?;
    let id = lab.accept("session.status_idled").await?;
    lab.kill(&id, FailureClass::Transient, "get_session: the API answered \u{1b}[31m500").await?;
    let said = lab.worker(&["events", "show", &id, "--json"]).await?;
    let story = said.json()?;
    assert_eq!((&story["status"], &story["tries"]), (&json!("dead"), &json!(3)));
    assert_eq!(story["payload"]["data"]["id"], SESSION);
    assert_eq!(story["error_class"], "transient");
    let attempts = story["attempts"].as_array().context("no attempts")?;
    let numbers: Vec<_> = attempts.iter().map(|attempt| &attempt["number"]).collect();
    assert_eq!(numbers, [1, 2, 3]);
    for member in ["started_at", "failed_at", "error_class", "error", "request_id", "worker"] {
        assert!(attempts[0][member].is_string(), "{member}: {attempts:?}");
    }
    let text = lab.worker(&["events", "show", &id]).await?.stdout;
    for part in [id.as_str(), "Failed tries", "req_01", "Payload", "\"type\": \"event\""] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    Ok(())
}

#[tokio::test]
async fn an_id_that_two_endpoints_received_asks_for_a_choice() -> Result<()> {
    let lab = Lab::new().await?;
    lab.accept_at("one", "whe_both", "session.created").await?;
    lab.accept_at("two", "whe_both", "session.created").await?;
    let said = lab.worker(&["events", "show", "whe_both", "--json"]).await?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(64), ""));
    assert!(said.stderr.contains("one, two") && said.stderr.contains("--endpoint"), "{}", said.stderr);
    let chosen = lab.worker(&["events", "show", "whe_both", "--endpoint", "two", "--json"]).await?;
    assert_eq!(chosen.json()?["endpoint"], "two");
    Ok(())
}

#[tokio::test]
async fn the_ledger_adds_up() -> Result<()> {
    let lab = Lab::new().await?;
    lab.accept("session.created").await?;
    lab.dead("session.updated").await?;
    let said = lab.worker(&["events", "stats", "--json"]).await?;
    let expected = json!({
        "accepted": 2, "pending": 1, "applied": 0, "superseded": 0, "ignored": 0, "dead": 1, "discarded": 0,
        "balances": true,
    });
    assert_eq!((said.code, said.json()?), (Some(0), expected));
    Ok(())
}
