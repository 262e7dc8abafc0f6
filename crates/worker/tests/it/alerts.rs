//! `worker alerts`.

use crate::lab::{Lab, SESSION, worker};
use anyhow::Result;
use domain::{AlertKind, ResourceKind, ResourceRef};
use serde_json::json;
use store::NewAlert;
use testkit::clock::real_now;

async fn raise(lab: &Lab) -> Result<String> {
    let kind = AlertKind::SessionRefusal;
    let resource = ResourceRef { kind: ResourceKind::Session, id: SESSION.to_owned(), parent_id: None };
    let alert = NewAlert {
        kind: kind.as_str(),
        key: &resource.to_string(),
        severity: kind.severity(),
        resource: Some(&resource),
        title: "the session refused\u{1b}[2J",
        details: json!({ "stop_reason": { "type": "refusal" } }),
        event: None,
    };
    Ok(store::raise_alert(&mut *lab.store.connection().await?, &alert, real_now()).await?.to_string())
}

#[tokio::test]
async fn an_alert_is_listed_shown_and_closed_by_hand() -> Result<()> {
    let lab = Lab::new().await?;
    let none = lab.worker(&["alerts", "list"]).await?;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), "no open alerts\n"));
    let id = raise(&lab).await?;
    let listed = lab.worker(&["alerts", "list"]).await?;
    assert!(listed.stdout.contains("session_refusal") && !listed.stdout.contains('\u{1b}'), "{listed:?}");
    let narrowed = lab.worker(&["alerts", "list", "--severity", "critical", "--json"]).await?;
    assert_eq!(narrowed.json()?, json!([]));
    let shown = lab.worker(&["alerts", "show", &id, "--json"]).await?.json()?;
    assert_eq!(shown["details"]["stop_reason"]["type"], "refusal");
    assert_eq!((&shown["resource_id"], &shown["deliveries"]), (&json!(SESSION), &json!([])));
    let closed = lab.worker(&["alerts", "resolve", &id, "--reason", "seen"]).await?;
    assert_eq!(closed.code, Some(0), "{closed:?}");
    let again = lab.worker(&["alerts", "resolve", &id, "--reason", "seen"]).await?;
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("was resolved before"), "{again:?}");
    let all = lab.worker(&["alerts", "list", "--all", "--json"]).await?.json()?;
    assert_eq!(all[0]["resolution"], "seen");
    let unknown = lab.worker(&["alerts", "show", "999"]).await?;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("there is no alert 999"), "{unknown:?}");
    Ok(())
}

#[tokio::test]
async fn a_test_alert_says_what_each_sink_answered_and_no_url() -> Result<()> {
    let log = worker(&["alerts", "test", "--json"], &[]).await?;
    assert_eq!(log.code, Some(0), "{log:?}");
    assert_eq!(log.json()?, json!([{ "sink": "log", "told": true, "answer": "written" }]));
    // Nobody listens there.
    let envs = [("HOLDFAST_ALERT_SLACK_URL", "http://127.0.0.1:1/secret-place")];
    let slack = worker(&["alerts", "test", "--json"], &envs).await?;
    assert_eq!(slack.code, Some(1), "{slack:?}");
    let told = slack.json()?;
    assert_eq!((&told[1]["sink"], &told[1]["told"]), (&json!("slack"), &json!(false)));
    assert!(!format!("{slack:?}").contains("secret-place"), "{slack:?}");
    let unsigned = worker(&["alerts", "test"], &[("HOLDFAST_ALERT_WEBHOOK_URL", "http://x/y")]).await?;
    assert_eq!(unsigned.code, Some(64), "{unsigned:?}");
    Ok(())
}
