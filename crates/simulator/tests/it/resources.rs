use reqwest::Method;
use serde_json::{Value, json};
use simulator::Options;

use crate::{
    lab::{Lab, answer, until},
    receiver::Receiver,
};

/// Collection below `/v1`, a body that creates, its type, whether it can be deleted, the webhooks of its life.
type Kind<'a> = (&'a str, Value, &'a str, bool, &'a [&'a str]);

fn kinds() -> [Kind<'static>; 5] {
    let deployment =
        json!({ "name": "Nightly", "agent": "agent_1", "environment_id": "env_1", "initial_events": [] });
    [
        (
            "/v1/agents",
            json!({ "name": "A", "model": "claude-opus-5" }),
            "agent",
            false,
            &["created", "updated", "archived"],
        ),
        (
            "/v1/environments",
            json!({ "name": "E" }),
            "environment",
            true,
            &["created", "updated", "archived", "deleted"],
        ),
        ("/v1/vaults", json!({ "display_name": "V" }), "vault", true, &["created", "archived", "deleted"]),
        ("/v1/deployments", deployment, "deployment", false, &["created", "updated", "archived"]),
        (
            "/v1/memory_stores",
            json!({ "name": "M" }),
            "memory_store",
            true,
            &["created", "archived", "deleted"],
        ),
    ]
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_kind_lives_from_create_to_its_end_and_announces_it() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    for (collection, given, kind, deletable, webhooks) in kinds() {
        let (status, created) = lab.post(collection, given).await;
        assert_eq!((status.as_u16(), created["type"].as_str()), (200, Some(kind)), "{created}");
        let path = format!("{collection}/{}", id(&created));
        assert_eq!(lab.get(&path).await.1, created);
        assert_eq!(lab.get(collection).await.1["data"], json!([created]));

        let changes = json!({ "metadata": { "a": "1" } });
        let (_, updated) = lab.post(&path, changes.clone()).await;
        assert_eq!(updated["metadata"], json!({ "a": "1" }), "{kind}");
        assert_eq!(lab.post(&path, changes).await.1, updated, "{kind}: nothing changes the second time");
        assert_eq!(lab.post(&path, json!({ "nonsense": 1 })).await.0, 400, "{kind}");

        let (_, archived) = answer(lab.api(Method::POST, &format!("{path}/archive"))).await;
        assert!(archived["archived_at"].is_string(), "{kind}");
        let (_, again) = answer(lab.api(Method::POST, &format!("{path}/archive"))).await;
        assert_eq!(again, archived, "{kind}: archiving again changes nothing");
        assert_eq!(lab.get(collection).await.1["data"], json!([]));
        assert_eq!(
            lab.get(&format!("{collection}?include_archived=true")).await.1["data"],
            json!([archived])
        );
        assert_eq!(
            lab.post(&path, json!({ "metadata": {} })).await.0,
            400,
            "{kind}: archived ones are read-only"
        );

        let (status, deleted) = answer(lab.api(Method::DELETE, &path)).await;
        if deletable {
            assert_eq!(deleted, json!({ "id": id(&created), "type": format!("{kind}_deleted") }));
            assert_eq!(lab.get(&path).await.0, 404);
        } else {
            assert_eq!(status, 404, "{kind} has no delete call");
        }
        let expected: Vec<String> = webhooks.iter().map(|verb| format!("{kind}.{verb}")).collect();
        let about = |kind: &str| {
            let prefix = format!("{kind}.");
            receiver.types().into_iter().filter(|name| name.starts_with(&prefix)).collect::<Vec<_>>()
        };
        let mut seen = until(async || about(kind), |seen| seen.len() >= expected.len()).await;
        seen.sort_by_key(|name| expected.iter().position(|known| known == name));
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn credentials_hide_their_secrets_and_go_with_their_vault() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let (_, vault) = lab.post("/v1/vaults", json!({ "display_name": "V" })).await;
    let collection = format!("/v1/vaults/{}/credentials", id(&vault));
    let auth = json!({ "type": "static_bearer", "token": "hush", "mcp_server_url": "https://x.example" });
    let (_, credential) = lab.post(&collection, json!({ "auth": auth })).await;
    assert_eq!(credential["auth"], json!({ "type": "static_bearer", "mcp_server_url": "https://x.example" }));
    assert_eq!(credential["vault_id"], vault["id"]);
    let path = format!("{collection}/{}", id(&credential));
    assert_eq!(lab.get(&path).await.1, credential);
    assert_eq!(lab.get(&path.replace(&id(&vault), "vlt_other")).await.0, 404);
    assert_eq!(lab.get("/v1/vaults/vlt_other/credentials").await.0, 404);

    let (_, played) = lab.play("vault.archived", json!({ "resource": vault["id"] })).await;
    assert_eq!(types(&played), ["vault.archived", "vault_credential.archived"]);
    assert!(lab.get(&path).await.1["archived_at"].is_string());
    let (_, played) = lab.play("vault.deleted", json!({ "resource": vault["id"], "reverse": true })).await;
    assert_eq!(types(&played), ["vault.deleted", "vault_credential.deleted"]);
    assert_eq!(lab.get(&path).await.0, 404);
    let last_two: Vec<Value> =
        receiver.received().iter().rev().take(2).map(|one| one.json()["data"].clone()).collect();
    assert_eq!(
        (&last_two[0]["type"], &last_two[1]["type"]),
        (&json!("vault.deleted"), &json!("vault_credential.deleted"))
    );
    assert_eq!(last_two[1]["vault_id"], vault["id"]);
}

fn types(played: &Value) -> Vec<&str> {
    played["webhooks"].as_array().unwrap().iter().map(|webhook| webhook["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_failed_refresh_shows_in_the_validation_alone() {
    let lab = Lab::start().await;
    let (_, played) = lab.play("vault_credential.refresh_failed", json!({})).await;
    assert_eq!(
        types(&played),
        ["vault.created", "vault_credential.created", "vault_credential.refresh_failed"]
    );
    let credential = &played["resource"];
    let path =
        format!("/v1/vaults/{}/credentials/{}", credential["vault_id"].as_str().unwrap(), id(credential));
    let validate = async || answer(lab.api(Method::POST, &format!("{path}/mcp_oauth_validate"))).await.1;
    let found = validate().await;
    assert_eq!((&found["status"], &found["refresh"]["status"]), (&json!("invalid"), &json!("failed")));
    assert_eq!(lab.get(&path).await.1, *credential, "the credential carries no flag");
    lab.control(Method::PUT, &format!("/validations/{}", id(credential)), json!({ "status": "unknown" }))
        .await;
    assert_eq!(validate().await["status"], "unknown");
}

#[tokio::test]
async fn each_change_of_an_agent_makes_a_version_and_earlier_ones_stay_readable() {
    let lab = Lab::start().await;
    let (_, first) = lab.post("/v1/agents", json!({ "name": "One", "model": "claude-opus-5" })).await;
    let path = format!("/v1/agents/{}", id(&first));
    let (_, second) = lab.post(&path, json!({ "name": "Two", "version": 1 })).await;
    assert_eq!((&second["version"], &second["name"]), (&json!(2), &json!("Two")));
    assert_eq!(lab.post(&path, json!({ "name": "Two" })).await.1["version"], 2, "no change, no version");
    assert_eq!(lab.post(&path, json!({ "name": "Three", "version": 1 })).await.0, 409);
    assert_eq!(lab.get(&format!("{path}?version=1")).await.1, first);
    assert_eq!(lab.get(&format!("{path}?version=9")).await.0, 404);
    let (_, page) = lab.get(&format!("{path}/versions?limit=1")).await;
    assert_eq!(page["data"], json!([second]));
    let next = page["next_page"].as_str().unwrap();
    assert_eq!(lab.get(&format!("{path}/versions?limit=1&page={next}")).await.1["data"], json!([first]));

    let session = json!({ "agent": { "id": first["id"], "version": 1 }, "environment_id": "env_1" });
    assert_eq!(lab.post("/v1/sessions", session).await.1["agent"]["name"], "One");
}

#[tokio::test]
async fn an_archived_agent_takes_its_deployments_along_which_still_say_active() {
    let lab = Lab::start().await;
    let (_, agent) = lab.post("/v1/agents", json!({ "name": "A", "model": "claude-opus-5" })).await;
    let schedule = json!({ "type": "cron", "expression": "0 2 * * *", "timezone": "UTC" });
    let deployment = json!({ "name": "D", "agent": agent["id"], "environment_id": "env_1", "initial_events": [],
        "schedule": schedule });
    let (_, deployment) = lab.post("/v1/deployments", deployment).await;
    assert_eq!(deployment["schedule"]["upcoming_runs_at"].as_array().unwrap().len(), 5);
    let (_, played) = lab.play("agent.archived", json!({ "resource": agent["id"] })).await;
    assert_eq!(types(&played), ["agent.archived", "deployment.archived"]);
    let (_, archived) = lab.get(&format!("/v1/deployments/{}", id(&deployment))).await;
    assert!(archived["archived_at"].is_string());
    assert_eq!(
        (&archived["status"], &archived["schedule"]["upcoming_runs_at"]),
        (&json!("active"), &json!([]))
    );
}

#[tokio::test]
async fn scheduled_runs_are_announced_and_runs_by_hand_are_not() {
    let receiver = Receiver::start(&[]);
    let lab = Lab::sending_to(&receiver).await;
    let (run, played) = lab.play("deployment_run.succeeded", json!({})).await;
    assert_eq!(
        types(&played),
        [
            "deployment.created",
            "deployment_run.started",
            "deployment_run.succeeded",
            "session.status_run_started"
        ]
    );
    let (_, shown) = lab.get(&format!("/v1/deployment_runs/{run}")).await;
    let (_, session) = lab.get(&format!("/v1/sessions/{}", shown["session_id"].as_str().unwrap())).await;
    assert_eq!((&session["deployment_id"], &session["status"]), (&shown["deployment_id"], &json!("running")));

    let deployment = shown["deployment_id"].as_str().unwrap();
    let seen = receiver.types().len();
    let (_, by_hand) = answer(lab.api(Method::POST, &format!("/v1/deployments/{deployment}/run"))).await;
    assert_eq!(by_hand["trigger_context"], json!({ "type": "manual" }));
    until(async || receiver.types().len(), |count| *count > seen).await;
    assert_eq!(receiver.types()[seen..], ["session.status_run_started"]);

    let failing = json!({ "resource": deployment, "error": "session_rate_limited_error" });
    assert_eq!(
        types(&lab.play("deployment_run.failed", failing).await.1),
        ["deployment_run.started", "deployment_run.failed"]
    );
    let (_, played) = lab.play("deployment_run.failed", json!({ "resource": deployment })).await;
    assert_eq!(types(&played), ["deployment_run.started", "deployment_run.failed", "deployment.paused"]);
    let (_, paused) = lab.get(&format!("/v1/deployments/{deployment}")).await;
    assert_eq!(
        paused["paused_reason"],
        json!({ "type": "error", "error": { "type": "environment_archived_error" } })
    );
    let unpause = lab.api(Method::POST, &format!("/v1/deployments/{deployment}/unpause"));
    assert_eq!(answer(unpause).await.1["status"], "active");
    for (query, expected) in
        [("has_error=true", 2), ("trigger_type=manual", 1), ("deployment_id=depl_none", 0)]
    {
        let (_, list) = lab.get(&format!("/v1/deployment_runs?{query}")).await;
        assert_eq!(list["data"].as_array().unwrap().len(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_run_can_be_left_without_an_outcome_and_ended_later() {
    let lab = Lab::start().await;
    let (run, _) = lab.play("deployment_run.started", json!({})).await;
    let (_, shown) = lab.get(&format!("/v1/deployment_runs/{run}")).await;
    assert_eq!((&shown["session_id"], &shown["error"]), (&Value::Null, &Value::Null));
    let (same, played) = lab.play("deployment_run.failed", json!({ "resource": run })).await;
    assert_eq!((same, types(&played)), (run, vec!["deployment_run.failed", "deployment.paused"]));
}

#[tokio::test]
async fn an_environment_with_sessions_cannot_be_deleted() {
    let lab = Lab::start().await;
    let (_, environment) = lab.post("/v1/environments", json!({ "name": "E" })).await;
    let session = json!({ "agent": "agent_1", "environment_id": environment["id"] });
    lab.post("/v1/sessions", session).await;
    let path = format!("/v1/environments/{}", id(&environment));
    assert_eq!(answer(lab.api(Method::DELETE, &path)).await.0, 409);
    assert_eq!(lab.get(&path).await.0, 200);

    answer(lab.api(Method::POST, &format!("{path}/archive"))).await;
    let session = json!({ "agent": "agent_1", "environment_id": environment["id"] });
    for (path, body) in [(path.as_str(), json!({ "name": "New" })), ("/v1/sessions", session)] {
        let (status, refused) = lab.post(path, body).await;
        let code = &refused["error"]["details"]["error_code"];
        assert_eq!((status.as_u16(), code), (400, &json!("environment_archived")), "{path}");
    }
}

#[tokio::test]
async fn lists_have_their_own_limits_filters_and_cursors() {
    let lab = Lab::start().await;
    for number in 0..3 {
        let given =
            json!({ "created_at": format!("2026-08-01T00:00:0{number}Z"), "agent": { "id": "agent_9" } });
        lab.control(Method::PUT, &format!("/resources/deployment/depl_{number}"), given).await;
    }
    let (_, first) = lab.get("/v1/deployments?limit=2").await;
    let ids = |page: &Value| page["data"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ["depl_2", "depl_1"]);
    assert!(first.get("prev_page").is_none());
    let next = first["next_page"].as_str().unwrap();
    let (_, second) = lab.get(&format!("/v1/deployments?limit=2&page={next}")).await;
    assert_eq!((ids(&second), &second["next_page"]), (vec!["depl_0".to_owned()], &Value::Null));
    for (query, expected) in [
        ("/v1/deployments?limit=101", 400),
        ("/v1/deployment_runs?limit=1000", 200),
        ("/v1/deployments?status=active&include_archived=true", 400),
        ("/v1/deployments?agent_id=agent_9&created_at[gte]=2026-08-01T00:00:01Z", 200),
        ("/v1/deployments?created_at[gt]=2026-08-01T00:00:01Z", 400),
        ("/v1/vaults?created_at[gte]=2026-08-01T00:00:01Z", 400),
        ("/v1/vaults?order=asc", 400),
    ] {
        assert_eq!(lab.get(query).await.0, expected, "{query}");
    }
}

#[tokio::test]
async fn memory_stores_are_behind_another_beta_which_excludes_the_common_one() {
    let lab = Lab::with(Options::default()).await;
    for (beta, expected) in
        [("agent-memory-2026-07-22", 200), ("agent-memory-2026-07-22,managed-agents-2026-04-01", 400)]
    {
        let request = lab.http.get(lab.url("/v1/memory_stores"));
        let request = request.header("x-api-key", "k").header("anthropic-version", "2026-10-21");
        assert_eq!(answer(request.header("anthropic-beta", beta)).await.0, expected, "{beta}");
    }
}

#[tokio::test]
async fn a_deleted_agent_archives_its_deployments_when_they_would_run_next() {
    let lab = Lab::start().await;
    let (agent, _) = lab.play("agent.created", json!({})).await;
    let (deployment, _) = lab.play("deployment.created", json!({ "members": { "agent": agent } })).await;
    let (_, played) = lab.play("agent.deleted", json!({ "resource": agent })).await;
    assert_eq!(types(&played), ["agent.deleted"]);
    assert_eq!(lab.get(&format!("/v1/deployments/{deployment}")).await.1["archived_at"], Value::Null);
    let (_, played) = lab.play("deployment_run.succeeded", json!({ "resource": deployment })).await;
    assert_eq!(types(&played), ["deployment.archived"]);
}
