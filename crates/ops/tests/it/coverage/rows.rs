//! What is delivered for each type, what the API says of it, and what has to follow.

#![expect(clippy::indexing_slicing, reason = "members of JSON that stands here")]
#![expect(clippy::needless_pass_by_value, reason = "so that rows can be written down")]

use crate::bench::after;
use chrono::SecondsFormat;
use serde_json::{Value, json};
use testkit::payload::{self, ORGANIZATION};

/// One type of event with everything around it.
pub(super) struct Row {
    pub(super) event_type: &'static str,
    /// The delivered body.
    pub(super) body: Value,
    pub(super) kind: &'static str,
    pub(super) id: String,
    /// What the API gives out, by request.
    pub(super) objects: Vec<(String, Value)>,
    /// What is asked, in order; the ids of the row are in it.
    pub(super) asked: Vec<String>,
    /// What people see in the end.
    pub(super) status: Option<&'static str>,
    /// Kind, key (`*`: any) and detail of what is to be done.
    pub(super) effects: Vec<(&'static str, String, &'static str)>,
}

/// A row of the platform's dialect, about a resource that is found at `path` (below `/v1`, without its id).
fn platform(
    event_type: &'static str,
    (kind, path): (&'static str, &str),
    status: &'static str,
    object: Value,
) -> Row {
    let id = format!("{kind}_of_{}", event_type.replace('.', "_"));
    let request = format!("GET /v1/{path}/{id}");
    let mut object = object;
    object["id"] = json!(id);
    object["created_at"] = json!("2026-03-15T08:00:00Z");
    object["updated_at"] = json!("2026-03-15T11:59:00Z");
    Row {
        event_type,
        body: payload::platform(&event_id(event_type), event_type, &id, after(-60)),
        kind,
        id,
        objects: vec![(request.clone(), object)],
        asked: vec![request],
        status: Some(status),
        effects: Vec::new(),
    }
}

pub(super) fn event_id(event_type: &str) -> String {
    format!("whe_{event_type}")
}

/// A deletion: nothing is asked.
fn deletion(event_type: &'static str, kind: &'static str) -> Row {
    let row = platform(event_type, (kind, "nowhere"), "deleted", json!({}));
    Row { objects: Vec::new(), asked: Vec::new(), ..row }
}

fn session(event_type: &'static str, status: &'static str) -> Row {
    let object = json!({ "type": "session", "status": status, "archived_at": null });
    platform(event_type, ("session", "sessions"), status, object)
}

/// A session that went idle for a reason; with `requires_action` it waits for two tool uses.
fn idle(event_type: &'static str, reason: &'static str) -> Row {
    let mut row = session(event_type, "idle");
    let request = format!("GET /v1/sessions/{}/events", row.id);
    let asks: Vec<String> = (1..=2).map(|n| format!("{}_ask_{n}", row.id)).collect();
    let mut stop = json!({ "type": reason });
    if reason == "requires_action" {
        stop["event_ids"] = json!(asks);
        let review = |id: String| ("review", id, "tool use waits for an answer");
        row.effects.extend(asks.into_iter().map(review));
    }
    let at = after(-61).to_rfc3339_opts(SecondsFormat::Millis, true);
    let event = json!({ "id": format!("{}_idle", row.id), "type": "session.status_idle",
        "stop_reason": stop, "processed_at": at });
    row.objects.push((request.clone(), json!({ "data": [event], "next_page": null })));
    row.asked.push(request);
    row
}

/// The same in the flat dialect of the document, which names the session by `session_id`.
fn flat(row: Row) -> Row {
    let body = payload::flat(&event_id(row.event_type), row.event_type, &row.id, after(-60));
    Row { body, ..row }
}

fn alerting(mut row: Row, key: &str, detail: &'static str) -> Row {
    row.effects.push(("alert", key.to_owned(), detail));
    row
}

fn closing(mut row: Row) -> Row {
    row.effects.push(("archive", "*".to_owned(), "session closed"));
    row
}

fn thread(event_type: &'static str, status: &'static str) -> Row {
    let session = format!("sesn_of_{}", event_type.replace('.', "_"));
    let object = json!({ "type": "session_thread", "status": status, "session_id": session });
    let path = format!("sessions/{session}/threads");
    let mut row = platform(event_type, ("session_thread", &path), status, object);
    // `data.id` is the session.
    row.body["data"]["session_thread_id"] = json!(row.id);
    row.body["data"]["id"] = json!(session);
    row
}

fn credential(event_type: &'static str, archived_at: Value, status: &'static str) -> Row {
    let vault = format!("vlt_of_{}", event_type.replace('.', "_"));
    let object = json!({ "type": "vault_credential", "vault_id": vault, "archived_at": archived_at,
        "auth": { "type": "mcp_oauth", "mcp_server_url": "https://mcp.tracker.example/mcp" } });
    let path = format!("vaults/{vault}/credentials");
    let mut row = platform(event_type, ("vault_credential", &path), status, object);
    row.body["data"]["vault_id"] = json!(vault);
    row
}

fn refresh_failed() -> Row {
    let mut row = credential("vault_credential.refresh_failed", Value::Null, "active");
    let probe = row.asked[0].replace("GET", "POST") + "/mcp_oauth_validate";
    let found = json!({ "type": "vault_credential_validation", "status": "invalid", "has_refresh_token": true,
        "refresh": { "status": "failed", "http_response": { "status_code": 400 } }, "mcp_probe": null });
    row.objects.push((probe.clone(), found));
    row.asked.push(probe);
    let detail = "vault_credential.refresh_failed: credential is invalid, refresh failed (HTTP 400)";
    let key = event_id(row.event_type);
    alerting(row, &key, detail)
}

/// A resource that says no more of itself than whether it is archived.
fn plain(event_type: &'static str, place: (&'static str, &str)) -> Row {
    if event_type.ends_with(".archived") {
        platform(event_type, place, "archived", json!({ "archived_at": "2026-03-15T11:59:00Z" }))
    } else {
        platform(event_type, place, "active", json!({ "archived_at": null }))
    }
}

fn deployment(event_type: &'static str, own: &str, status: &'static str, more: Value) -> Row {
    let mut object =
        json!({ "type": "deployment", "status": own, "archived_at": null, "paused_reason": null });
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    platform(event_type, ("deployment", "deployments"), status, object)
}

fn run(event_type: &'static str, status: &'static str, session: Value, error: Value) -> Row {
    let object =
        json!({ "type": "deployment_run", "deployment_id": "depl_1", "session_id": session, "error": error });
    platform(event_type, ("deployment_run", "deployment_runs"), status, object)
}

/// An event of an organization: no workspace, and nothing to ask.
fn organization(event_type: &'static str, kind: &'static str) -> Row {
    let mut row = platform(event_type, (kind, "nowhere"), "", json!({}));
    row.body["data"] = json!({ "type": event_type, "id": row.id, "organization_id": ORGANIZATION });
    if event_type.contains("enforcement_action") {
        row.body["data"]["enforcement_action_id"] = json!("enac_1");
    }
    Row { objects: Vec::new(), asked: Vec::new(), status: None, ..row }
}

fn classic(event_type: &'static str, status: &'static str, body: Value) -> Row {
    Row {
        body,
        objects: Vec::new(),
        asked: Vec::new(),
        ..platform(event_type, ("message", "nowhere"), status, json!({}))
    }
}

/// All of them.
#[expect(clippy::too_many_lines, reason = "one line for each type")]
pub(super) fn rows() -> Vec<Row> {
    let denied = "content_moderation.denied";
    let message = |event_type: &str| format!("message_of_{}", event_type.replace('.', "_"));
    let pending = {
        let mut row = flat(idle("tool.result_pending", "requires_action"));
        row.body["data"] = json!({ "id": format!("{}_ask_1", row.id) });
        row
    };
    let archived = json!({ "archived_at": "2026-03-15T11:59:00Z", "schedule": { "upcoming_runs_at": [] } });
    let paused =
        json!({ "paused_reason": { "type": "error", "error": { "type": "environment_archived_error" } } });
    let error = json!({ "type": "environment_archived_error", "message": "It is archived." });
    let vault = ("vault", "vaults");
    let agent = ("agent", "agents");
    let environment = ("environment", "environments");
    let memory_store = ("memory_store", "memory_stores");
    let terminated = |event_type, archived_at: Value| {
        let mut row = session(event_type, "terminated");
        row.objects[0].1["archived_at"] = archived_at;
        closing(row)
    };
    vec![
        session("session.created", "running"),
        session("session.status_scheduled", "rescheduling"),
        session("session.pending", "rescheduling"),
        session("session.updated", "running"),
        session("session.running", "running"),
        session("session.status_run_started", "running"),
        session("session.status_rescheduled", "rescheduling"),
        session("session.outcome_evaluation_ended", "running"),
        alerting(
            idle("session.budget_reached", "budget_reached"),
            "session_of_session_budget_reached_idle",
            "budget_reached",
        ),
        idle("session.idled", "end_turn"),
        idle("session.status_idled", "requires_action"),
        idle("session.requires_action", "requires_action"),
        pending,
        alerting(
            flat(idle("session.status_error", "retries_exhausted")),
            "session_of_session_status_error_idle",
            "retries_exhausted",
        ),
        closing(flat(idle("session.status_completed", "end_turn"))),
        alerting(
            terminated("session.status_terminated", Value::Null),
            "terminated",
            "session.status_error: the session failed for good",
        ),
        terminated("session.archived", json!("2026-03-15T11:59:00Z")),
        deletion("session.deleted", "session"),
        thread("session.thread_created", "running"),
        thread("session.thread_idled", "idle"),
        thread("session.thread_terminated", "terminated"),
        alerting(
            classic(
                denied,
                "denied",
                payload::moderation_denied(&event_id(denied), &message(denied), after(-60)),
            ),
            &event_id(denied),
            "content_moderation.denied: sexual (level high)",
        ),
        classic(
            "message.created",
            "created",
            payload::message_created(&event_id("message.created"), &message("message.created"), after(-60)),
        ),
        plain("vault.created", vault),
        plain("vault.archived", vault),
        deletion("vault.deleted", "vault"),
        credential("vault_credential.created", Value::Null, "active"),
        refresh_failed(),
        credential("vault_credential.archived", json!("2026-03-15T11:59:00Z"), "archived"),
        deletion("vault_credential.deleted", "vault_credential"),
        plain("agent.created", agent),
        plain("agent.updated", agent),
        plain("agent.archived", agent),
        deletion("agent.deleted", "agent"),
        deployment("deployment.created", "active", "active", json!({})),
        deployment("deployment.updated", "active", "active", json!({})),
        alerting(
            deployment("deployment.paused", "paused", "paused", paused),
            &event_id("deployment.paused"),
            "deployment.paused: environment_archived_error",
        ),
        deployment("deployment.unpaused", "active", "active", json!({})),
        // The platform goes on calling it active.
        deployment("deployment.archived", "active", "archived", archived),
        deletion("deployment.deleted", "deployment"),
        run("deployment_run.started", "started", Value::Null, Value::Null),
        run("deployment_run.succeeded", "succeeded", json!("sesn_1"), Value::Null),
        alerting(
            run("deployment_run.failed", "failed", Value::Null, error),
            &event_id("deployment_run.failed"),
            "deployment_run.failed: environment_archived_error: It is archived.",
        ),
        plain("environment.created", environment),
        plain("environment.updated", environment),
        plain("environment.archived", environment),
        deletion("environment.deleted", "environment"),
        plain("memory_store.created", memory_store),
        plain("memory_store.archived", memory_store),
        deletion("memory_store.deleted", "memory_store"),
        alerting(
            organization("external_key.failed", "external_key"),
            &event_id("external_key.failed"),
            "external_key.failed",
        ),
        organization("external_key.recovered", "external_key"),
        alerting(
            organization("user_profile.enforcement_action_opened", "user_profile"),
            &event_id("user_profile.enforcement_action_opened"),
            "user_profile.enforcement_action_opened",
        ),
        organization("user_profile.enforcement_action_resolved", "user_profile"),
        organization("user_profile.program_status_updated", "user_profile"),
    ]
}
