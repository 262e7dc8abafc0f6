//! What scripts/sdk asks the simulator with the official SDK, asked with our client. So both are held to the same answers.

use crate::fake::config;
use anyhow::{Context, Result, ensure};
use claude::{
    Auth, Client, Config, Confirmation, Content, Error, EventFilter, Key, Order, OutgoingEvent, Paging,
    ResourceFilter, StopKind, ValidationStatus,
};
use domain::{FailureClass, ResourceKind, ResourceRef};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Simulator};
use std::{collections::BTreeMap, str::FromStr};

const KEY: &str = "sk-ant-right";

struct Stage {
    simulator: Simulator,
    client: Client,
    http: reqwest::Client,
}

impl Stage {
    async fn set() -> Result<Self> {
        let simulator =
            Simulator::start(Options { api_key: Some(KEY.to_owned()), ..Options::default() }).await?;
        let client = Client::new(bearer(&simulator, KEY))?;
        Ok(Self { simulator, client, http: reqwest::Client::builder().build()? })
    }

    async fn control(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}/_sim/{path}", self.simulator.base_url());
        let answer = self.http.request(method, url).json(&body).send().await?;
        let status = answer.status();
        let value = answer.json().await?;
        ensure!(status.is_success(), "{path}: {status} {value}");
        Ok(value)
    }

    async fn play(&self, scenario: &str, how: Value) -> Result<Value> {
        self.control(Method::POST, &format!("scenarios/{scenario}"), how).await
    }

    async fn fault(&self, rule: Value) -> Result<()> {
        self.control(Method::PUT, "faults", json!([rule])).await.map(drop)
    }

    async fn calls(&self, kind: &str) -> Result<u64> {
        let state = self.control(Method::GET, "state", json!({})).await?;
        let calls = state.pointer("/calls/by_kind").and_then(|calls| calls.get(kind));
        Ok(calls.and_then(Value::as_u64).unwrap_or_default())
    }
}

/// As the newest SDK presents itself.
fn bearer(simulator: &Simulator, key: &str) -> Config {
    let auth = Auth::Bearer(Key::new(key));
    Config { auth, version: "2026-10-21".to_owned(), ..config(&simulator.base_url()) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_resource_is_retrieved_and_listed_with_the_state_that_the_platform_sees() -> Result<()> {
    let stage = Stage::set().await?;
    for scenario in [
        "turn_end",
        "archived",
        "thread_idled",
        "vault.archived",
        "vault_credential.created",
        "vault_credential.created",
        "agent.updated",
        "deployment.archived",
        "deployment_run.started",
        "deployment_run.succeeded",
        "deployment_run.failed",
        "environment.created",
        "memory_store.archived",
        "memory_store.created",
    ] {
        stage.play(scenario, json!({})).await?;
    }
    let rows = stage.control(Method::GET, "resources", json!({})).await?;
    let mut listed_by_platform: BTreeMap<(ResourceKind, Option<String>), Vec<String>> = BTreeMap::new();
    for row in rows.as_array().context("no rows")? {
        let kind = ResourceKind::from_str(row["type"].as_str().context("no type")?)?;
        let parent_id = row["parent_id"].as_str().map(str::to_owned);
        let reference = ResourceRef { kind, id: text(&row["id"]), parent_id: parent_id.clone() };
        let found = stage.client.resource(&reference).await?;
        assert_eq!(found.value.status.as_deref(), row["status"].as_str(), "{reference}");
        assert_eq!(found.value.parent_id, parent_id, "{reference}");
        assert_eq!(serde_json::from_str::<Value>(found.raw.get())?, row["object"], "{reference}");
        listed_by_platform.entry((kind, parent_id)).or_default().push(reference.id);
    }
    assert_eq!(
        listed_by_platform.keys().map(|(kind, _)| kind).collect::<std::collections::BTreeSet<_>>().len(),
        9
    );
    for ((kind, parent), mut ids) in listed_by_platform {
        let paging = Paging { limit: Some(1), page: None };
        let filter = ResourceFilter { paging, include_archived: true, ..ResourceFilter::default() };
        let page = stage.client.all_resources(kind, parent.as_deref(), &filter, 100).await?;
        let mut listed: Vec<String> = page.items.into_iter().map(|item| item.value.id).collect();
        ids.sort();
        listed.sort();
        assert_eq!(listed, ids, "{kind} of {parent:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_waiting_session_is_read_answered_once_and_goes_on() -> Result<()> {
    let stage = Stage::set().await?;
    let tools =
        json!([{ "name": "issue_refund" }, { "type": "agent.tool_use", "name": "bash", "input": {} }]);
    let session = text(&stage.play("requires_action", json!({ "tools": tools })).await?["id"]);
    let newest = EventFilter {
        paging: Paging { limit: Some(1), page: None },
        order: Some(Order::Descending),
        types: vec!["session.status_idle".to_owned()],
        ..EventFilter::default()
    };
    let idle = stage.client.session_events(&session, &newest).await?;
    let reason = idle.items[0].value.stop_reason().context("no reason")?;
    assert_eq!(reason.kind, StopKind::RequiresAction);
    let [custom, bash] = &reason.event_ids[..] else { anyhow::bail!("{reason:?}") };
    let result = OutgoingEvent::CustomToolResult {
        custom_tool_use_id: custom.clone(),
        content: vec![Content::text("refund 8841 issued")],
        is_error: false,
    };
    let deny = OutgoingEvent::ToolConfirmation {
        tool_use_id: bash.clone(),
        confirmation: Confirmation::Deny { deny_message: Some("Not on production.".to_owned()) },
    };
    let echoes = stage.client.send_events(&session, &[result.clone(), deny]).await?;
    assert_eq!(echoes.len(), 2);
    assert_eq!(stage.client.session(&session).await?.value.status.to_string(), "running");
    let again = stage.client.send_events(&session, &[result]).await.map(drop);
    assert!(matches!(&again, Err(error) if error.class() == FailureClass::Permanent), "{again:?}");
    let replies = stage.control(Method::GET, "replies", json!({})).await?;
    assert_eq!((&replies[0]["accepted"], &replies[0]["refused"]), (&json!(1), &json!(1)));
    let all = EventFilter { paging: Paging { limit: Some(2), page: None }, ..EventFilter::default() };
    let whole = stage.client.all_session_events(&session, &all, 100).await?;
    assert!(whole.next_page.is_none() && whole.items.len() > 8, "{}", whole.items.len());
    Ok(())
}

#[tokio::test]
async fn a_failed_refresh_is_found_by_the_validation() -> Result<()> {
    let stage = Stage::set().await?;
    let credential = stage.play("vault_credential.refresh_failed", json!({})).await?["resource"].clone();
    let (vault, id) = (text(&credential["vault_id"]), text(&credential["id"]));
    let found = stage.client.validate_credential(&vault, &id).await?.value;
    assert_eq!(found.status, ValidationStatus::Invalid);
    assert_eq!((found.refresh.as_deref(), found.refresh_http_status), (Some("failed"), Some(400)));
    Ok(())
}

#[tokio::test]
async fn refusals_and_faults_have_their_class_and_only_what_may_pass_is_tried_again() -> Result<()> {
    const ONE: &str = "GET /v1/sessions/{session_id}";
    let stage = Stage::set().await?;
    let class = |answer: Result<(), Error>| answer.err().map(|error| error.class());
    let wrong = Client::new(bearer(&stage.simulator, "sk-ant-wrong"))?;
    let answer = wrong.session("sesn_1").await.map(drop);
    assert_eq!(class(answer), Some(FailureClass::Configuration));
    let answer = stage.client.session("sesn_none").await.map(drop);
    assert_eq!((class(answer), stage.calls(ONE).await?), (Some(FailureClass::Gone), 2));

    let session = text(&stage.play("created", json!({})).await?["id"]);
    let path = format!("/v1/sessions/{session}");
    stage.fault(json!({ "path": path, "status": 500, "times": 2 })).await?;
    assert_eq!(stage.client.session(&session).await?.value.id, session);
    assert_eq!(stage.calls(ONE).await?, 5, "the third attempt is answered");
    stage.fault(json!({ "path": path, "status": 429, "retry_after": 1, "times": 1 })).await?;
    assert_eq!(stage.client.session(&session).await?.value.id, session);
    for (status, expected) in [(529, FailureClass::Transient), (503, FailureClass::Transient)] {
        stage.fault(json!({ "path": path, "status": status })).await?;
        assert_eq!(class(stage.client.session(&session).await.map(drop)), Some(expected), "{status}");
    }
    stage.fault(json!({ "path": path, "status": 429, "should_retry": false })).await?;
    assert_eq!(class(stage.client.session(&session).await.map(drop)), Some(FailureClass::Throttled));
    Ok(())
}
