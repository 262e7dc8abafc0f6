//! `worker reviews`.

use crate::lab::{Lab, Said, worker};
use anyhow::{Context, Result};
use chrono::TimeDelta;
use domain::policy::{Patience, Route};
use domain::review::{Question, ToolKind};
use domain::{Effect, EffectKind, ResourceKind, ResourceRef, Severity, Standing};
use serde_json::{Value, json};
use store::{NewEffect, NewReview};
use testkit::clock::real_now;

const SESSION: &str = "sesn_01Asks";

/// Puts a review on the table, as a worker would: due so many minutes from now.
async fn asks(lab: &Lab, id: &str, kind: ToolKind, minutes: i64) -> Result<()> {
    let (now, due) = (real_now(), TimeDelta::minutes(minutes));
    let resource = ResourceRef { kind: ResourceKind::Session, id: SESSION.to_owned(), parent_id: None };
    let effect = Effect {
        kind: EffectKind::Review,
        key: id.to_owned(),
        standing: Standing::Due,
        detail: "tool use waits for an answer".to_owned(),
    };
    let mut tx = lab.store.begin("ask").await?;
    store::record_effects(&mut tx, &[NewEffect { resource: &resource, event: 1, effect }], now).await?;
    let wanted = store::unprepared_reviews(&mut tx, SESSION).await?;
    let (effect, _) = wanted.into_iter().find(|(_, key)| key == id).context("no effect")?;
    let review = NewReview {
        effect,
        tool_use_id: id.to_owned(),
        question: Question {
            kind,
            tool: "issue_refund".to_owned(),
            server: None,
            permission: (!kind.takes_result()).then(|| "ask".to_owned()),
            agent_id: Some("agent_01".to_owned()),
            agent_name: Some("Support desk".to_owned()),
        },
        input: r#"{"order":8841.00,"evil":"\u001b[31m"}"#.to_owned(),
        thread_id: None,
        session_title: Some("Order 8841".to_owned()),
        context: json!([{ "from": "user", "text": "where is my money?" }]),
        asked_at: Some(now),
        route: Route::Person(Patience { due, severity: Severity::Warning }),
        because: "no rule matches".to_owned(),
    };
    store::keep_reviews(&mut tx, SESSION, &[review], now).await?;
    Ok(tx.commit().await?)
}

/// Runs a command as Ada.
async fn ada(lab: &Lab, args: &[&str]) -> Result<Said> {
    lab.worker(&[&["reviews"], args, &["--as", "ada"]].concat()).await
}

async fn show(lab: &Lab, id: &str) -> Result<Value> {
    lab.worker(&["reviews", "show", id, "--json"]).await?.json()
}

#[tokio::test]
async fn what_waits_is_listed_and_shown_with_its_question() -> Result<()> {
    let lab = Lab::new().await?;
    assert_eq!(lab.worker(&["reviews", "list"]).await?.stdout, "no reviews\n");
    asks(&lab, "sevt_01First", ToolKind::CustomToolUse, 60).await?;
    asks(&lab, "sevt_02Late", ToolKind::ToolUse, -60).await?;
    let list = lab.worker(&["reviews", "list", "--json"]).await?.json()?;
    let ids: Vec<_> = list.as_array().context("no list")?.iter().map(|review| &review["id"]).collect();
    assert_eq!(ids, ["sevt_01First", "sevt_02Late"]);
    assert_eq!((&list[0]["status"], &list[0]["tool"]), (&json!("open"), &json!("issue_refund")));
    assert_eq!(list[0].get("input"), None, "that is for show");
    for (filter, expected) in [
        (&["--overdue"][..], 1),
        (&["--status", "open"], 2),
        (&["--status", "answered"], 0),
        (&["--agent", "Support desk", "--session", SESSION, "--tool", "issue_refund"], 2),
        (&["--tool", "bash"], 0),
        (&["--all", "--limit", "1"], 1),
    ] {
        let found = lab.worker(&[&["reviews", "list", "--json"], filter].concat()).await?.json()?;
        assert_eq!(found.as_array().map(Vec::len), Some(expected), "{filter:?}");
    }
    let table = lab.worker(&["reviews", "list"]).await?.stdout;
    assert!(table.starts_with("ID ") && table.contains("Order 8841"), "{table}");

    let text = lab.worker(&["reviews", "show", "sevt_01"]).await?.stdout;
    for part in [
        "8841.00",
        "user: where is my money?",
        "Support desk (agent_01)",
        "worker reviews answer sevt_01First",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    let json = lab.worker(&["reviews", "show", "sevt_01", "--json"]).await?.stdout;
    assert!(json.contains("8841.00"), "digit for digit: {json}");
    Ok(())
}

#[tokio::test]
async fn an_answer_is_taken_once_and_the_second_is_told_who_was_faster() -> Result<()> {
    let lab = Lab::new().await?;
    asks(&lab, "sevt_01", ToolKind::CustomToolUse, 60).await?;
    let said = ada(&lab, &["answer", "sevt_01", "--text", "refund 8841 issued", "--json"]).await?;
    let decided = said.json()?;
    assert_eq!(
        (said.code, &decided["status"], &decided["decided_by"]),
        (Some(0), &json!("decided"), &json!("ada"))
    );
    let review = show(&lab, "sevt_01").await?;
    assert_eq!((&review["status"], &review["reply_state"]), (&json!("decided"), &json!("queued")));
    assert_eq!(review["answer"]["content"][0]["text"], "refund 8841 issued");
    assert_eq!(review["history"][0]["step"], "decided");
    let event = review["reply_event"].as_str().context("no event")?;
    let story = lab.worker(&["events", "show", event, "--json"]).await?.json()?;
    assert_eq!(story["payload"]["data"]["reply"]["custom_tool_use_id"], "sevt_01");
    let late = lab.worker(&["reviews", "answer", "sevt_01", "--text", "x", "--as", "bob"]).await?;
    assert_eq!(late.code, Some(1));
    assert!(late.stderr.contains("decided by ada"), "{}", late.stderr);
    Ok(())
}

#[tokio::test]
async fn a_result_may_be_text_json_a_file_or_standard_input() -> Result<()> {
    let lab = Lab::new().await?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), "two\nlines\n")?;
    let path = file.path().to_str().context("no path")?;
    let block = |text: &str| json!([{ "type": "text", "text": text }]);
    for (n, (args, content, is_error)) in [
        (&["--text", "done", "--error"][..], block("done"), true),
        (&["--json-body", r#"{"content":"no order","is_error":true}"#], block("no order"), true),
        (&["--json-body", r#"{"order":8841}"#], block(r#"{"order":8841}"#), false),
        (&["--file", path], block("two\nlines"), false),
        (&["-"], json!([]), false), // nothing is on the standard input
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("sevt_{n}");
        asks(&lab, &id, ToolKind::CustomToolUse, 60).await?;
        let said = ada(&lab, &[&["answer", &id], args].concat()).await?;
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
        let answer = show(&lab, &id).await?["answer"].clone();
        assert_eq!((&answer["content"], &answer["is_error"]), (&content, &json!(is_error)), "{args:?}");
    }
    asks(&lab, "sevt_bad", ToolKind::CustomToolUse, 60).await?;
    for (args, code, reason) in [
        (&["--json-body", "{"][..], 64, "--text"),
        (&["--file", "/nowhere/at/all"], 1, "/nowhere/at/all"),
        (&[], 64, "required"),
        (&["--text", "a", "--json-body", "1"], 64, "cannot be used with"),
    ] {
        let said = ada(&lab, &[&["answer", "sevt_bad"], args].concat()).await?;
        assert_eq!(said.code, Some(code), "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(reason), "{args:?}: {}", said.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn tools_that_run_elsewhere_are_approved_or_denied() -> Result<()> {
    let lab = Lab::new().await?;
    asks(&lab, "sevt_1", ToolKind::ToolUse, 60).await?;
    asks(&lab, "sevt_2", ToolKind::McpToolUse, 60).await?;
    asks(&lab, "sevt_3", ToolKind::CustomToolUse, 60).await?;
    let said = ada(&lab, &["answer", "sevt_1", "--text", "x"]).await?;
    assert_eq!(said.code, Some(64));
    assert!(said.stderr.contains("worker reviews approve sevt_1"), "{}", said.stderr);
    let said = ada(&lab, &["approve", "sevt_3"]).await?;
    assert_eq!(said.code, Some(64));
    assert!(said.stderr.contains("worker reviews answer sevt_3"), "{}", said.stderr);
    let said = ada(&lab, &["approve", "sevt_1"]).await?;
    assert!(said.stdout.contains("issue_refund is allowed"), "{said:?}");
    ada(&lab, &["deny", "sevt_2", "--message", "not here"]).await?;
    let denied = show(&lab, "sevt_2").await?;
    assert_eq!(denied["answer"], json!({ "answer": "deny", "message": "not here" }));
    assert_eq!(show(&lab, "sevt_3").await?["status"], "open");
    Ok(())
}

#[tokio::test]
async fn a_claim_is_respected() -> Result<()> {
    let lab = Lab::new().await?;
    asks(&lab, "sevt_1", ToolKind::ToolUse, 60).await?;
    let claim = ada(&lab, &["claim", "sevt_1", "--for", "1h", "--json"]).await?.json()?;
    assert_eq!(claim["claimed_by"], "ada");
    let said = lab.worker(&["reviews", "approve", "sevt_1", "--as", "bob"]).await?;
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("claimed by ada until"), "{}", said.stderr);
    assert_eq!(ada(&lab, &["claim", "sevt_1", "--for", "2days"]).await?.code, Some(64));
    assert_eq!(ada(&lab, &["release", "sevt_1"]).await?.stdout, "sevt_1 is everybody's again\n");
    assert_eq!(lab.worker(&["reviews", "approve", "sevt_1", "--as", "bob"]).await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_review_is_named_by_a_unique_beginning_and_a_person_by_a_name() -> Result<()> {
    let lab = Lab::new().await?;
    asks(&lab, "sevt_01A", ToolKind::ToolUse, 60).await?;
    asks(&lab, "sevt_01AB", ToolKind::ToolUse, 60).await?;
    let said = ada(&lab, &["approve", "sevt_01"]).await?;
    assert_eq!(said.code, Some(64));
    assert!(said.stderr.contains("sevt_01A, sevt_01AB"), "{}", said.stderr);
    assert_eq!(ada(&lab, &["approve", "sevt_09"]).await?.code, Some(1));
    let nobody = lab.worker(&["reviews", "approve", "sevt_01A"]).await?;
    assert_eq!(nobody.code, Some(64));
    assert!(nobody.stderr.contains("--as NAME"), "{}", nobody.stderr);
    assert_eq!(ada(&lab, &["approve", "sevt_01A"]).await?.code, Some(0), "the whole id is not ambiguous");
    Ok(())
}

#[tokio::test]
async fn a_policy_file_is_checked_and_asked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("policy.toml");
    let file = path.to_str().context("no path")?;
    std::fs::write(&path, "[[rules]]\ntool = \"bash\"\nroute = \"nobody\"\n")?;
    let said = worker(&["reviews", "policy", file], &[]).await?;
    assert_eq!(said.code, Some(64));
    assert!(said.stderr.contains("line 3: route must be"), "{}", said.stderr);
    let run = worker(&["run", "--policy", file], &[]).await?;
    assert!(run.code == Some(64) && run.stderr.contains("line 3"), "{}", run.stderr);
    std::fs::write(&path, "[[rules]]\nname = \"no shell\"\ntool = \"bash\"\nroute = \"deny\"\n")?;
    let said = worker(&["reviews", "policy", file], &[]).await?;
    assert!(said.code == Some(0) && said.stdout.contains("no shell"), "{said:?}");
    let asked = ["reviews", "policy", file, "--kind", "tool_use", "--tool", "bash"];
    assert_eq!(worker(&asked, &[]).await?.stdout, "denied at once (no shell)\n");
    let odd = [&asked[..], &["--permission", "escalate", "--json"]].concat();
    assert_eq!(worker(&odd, &[]).await?.json()?["example"]["route"], "person");
    Ok(())
}
