//! Resources of every kind: where each is found, and the one status that is made of its members.

use crate::fake::{Fake, Reply, noon};
use anyhow::{Context, Result};
use claude::{Error, Paging, Reason, ResourceFilter, Status, TimeRange, ValidationStatus};
use domain::{FailureClass, ResourceKind, ResourceRef};

const AGENTS: &str = "managed-agents-2026-04-01";
const MEMORY: &str = "agent-memory-2026-07-22";

/// Kind, parent, path of the list, beta header.
const PLACES: [(ResourceKind, Option<&str>, &str, &str); 9] = [
    (ResourceKind::Session, None, "/v1/sessions", AGENTS),
    (ResourceKind::SessionThread, Some("sesn_1"), "/v1/sessions/sesn_1/threads", AGENTS),
    (ResourceKind::Vault, None, "/v1/vaults", AGENTS),
    (ResourceKind::VaultCredential, Some("vlt_1"), "/v1/vaults/vlt_1/credentials", AGENTS),
    (ResourceKind::Agent, None, "/v1/agents", AGENTS),
    (ResourceKind::Deployment, None, "/v1/deployments", AGENTS),
    (ResourceKind::DeploymentRun, None, "/v1/deployment_runs", AGENTS),
    (ResourceKind::Environment, None, "/v1/environments", AGENTS),
    (ResourceKind::MemoryStore, None, "/v1/memory_stores", MEMORY),
];

const TIMES: &str =
    r#""created_at":"2026-07-01T12:00:00.412Z","updated_at":"2026-08-21T08:00:00.007Z","archived_at":null"#;
const ARCHIVED: &str = r#""created_at":"2026-07-01T12:00:00Z","updated_at":"2026-08-21T08:00:00Z","archived_at":"2026-08-21T08:00:00Z""#;

fn reference(kind: ResourceKind, id: &str, parent: Option<&str>) -> ResourceRef {
    ResourceRef { kind, id: id.to_owned(), parent_id: parent.map(str::to_owned) }
}

/// An object of each kind with its status, as the reference sheet shows them.
fn objects() -> Vec<(ResourceKind, String, &'static str)> {
    let of = |members: &str| format!(r#"{{"id":"x_1",{members},"a_member_of_tomorrow":1.50}}"#);
    let run = |members: &str| {
        of(&format!(
            r#""type":"deployment_run","deployment_id":"depl_1",{members},"created_at":"2026-08-21T00:00:08Z""#
        ))
    };
    let error =
        r#""session_id":null,"error":{"type":"environment_archived_error","message":"It is archived."}"#;
    vec![
        (ResourceKind::Session, of(&format!(r#""status":"rescheduling",{TIMES}"#)), "rescheduling"),
        (ResourceKind::Session, of(&format!(r#""status":"terminated",{ARCHIVED}"#)), "terminated"),
        (
            ResourceKind::SessionThread,
            of(&format!(r#""status":"idle","session_id":"sesn_1",{TIMES}"#)),
            "idle",
        ),
        (ResourceKind::Vault, of(&format!(r#""display_name":"Customer 77",{TIMES}"#)), "active"),
        (ResourceKind::Vault, of(&format!(r#""display_name":"Customer 77",{ARCHIVED}"#)), "archived"),
        (ResourceKind::VaultCredential, of(&format!(r#""vault_id":"vlt_1","auth":{{}},{TIMES}"#)), "active"),
        (ResourceKind::Agent, of(&format!(r#""version":5,{TIMES}"#)), "active"),
        (
            ResourceKind::Deployment,
            of(&format!(r#""status":"active","paused_reason":null,{TIMES}"#)),
            "active",
        ),
        (ResourceKind::Deployment, of(&format!(r#""status":"active",{ARCHIVED}"#)), "archived"),
        (
            ResourceKind::Deployment,
            of(&format!(r#""status":"paused","paused_reason":{{"type":"manual"}},{TIMES}"#)),
            "paused",
        ),
        (ResourceKind::DeploymentRun, run(r#""session_id":null,"error":null"#), "started"),
        (ResourceKind::DeploymentRun, run(r#""session_id":"sesn_1","error":null"#), "succeeded"),
        (ResourceKind::DeploymentRun, run(error), "failed"),
        (ResourceKind::Environment, of(&format!(r#""scope":"organization",{ARCHIVED}"#)), "archived"),
        (ResourceKind::MemoryStore, of(&format!(r#""name":"Preferences",{TIMES}"#)), "active"),
    ]
}

#[tokio::test]
async fn every_kind_is_fetched_from_its_place_with_its_beta_header_alone() -> Result<()> {
    for (kind, parent, list, beta) in PLACES {
        let fake = Fake::start([Reply::ok(r#"{"id":"x/1","status":"idle"}"#)])?;
        let fetched = fake.client()?.resource(&reference(kind, "x/1", parent)).await?;
        assert_eq!((fetched.value.kind, fetched.value.id.as_str()), (kind, "x/1"));
        assert_eq!(fake.targets(), [format!("{list}/x%2F1")], "{kind}");
        let asked = fake.asked();
        let betas: Vec<_> = asked[0].headers.iter().filter(|(name, _)| name == "anthropic-beta").collect();
        assert_eq!(betas, [&("anthropic-beta".to_owned(), beta.to_owned())], "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn every_kind_has_one_word_for_what_it_is_doing() -> Result<()> {
    for (kind, object, status) in objects() {
        let fake = Fake::start([Reply::ok(object.clone())])?;
        let parent = PLACES.iter().find(|place| place.0 == kind).context("no place")?.1;
        let fetched = fake.client()?.resource(&reference(kind, "x_1", parent)).await?;
        assert_eq!(fetched.raw.get(), object);
        let resource = fetched.value;
        assert_eq!(resource.status.as_deref(), Some(status), "{kind}: {object}");
        assert_eq!(resource.parent_id.as_deref(), parent, "{kind}");
        assert!(resource.created_at.is_some(), "{kind}");
        assert_eq!(resource.updated_at.is_some(), kind != ResourceKind::DeploymentRun, "{kind}");
        assert_eq!(resource.archived_at.is_some(), object.contains(ARCHIVED), "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn it_is_told_why_a_deployment_is_paused_and_why_a_run_failed() -> Result<()> {
    let reason = |kind: &str, message: Option<&str>| {
        Some(Reason { kind: kind.to_owned(), message: message.map(str::to_owned) })
    };
    let paused = |why: &str| Reply::ok(format!(r#"{{"id":"d","status":"paused","paused_reason":{why}}}"#));
    let fake = Fake::start([
        paused(r#"{"type":"manual"}"#),
        paused(r#"{"type":"error","error":{"type":"agent_archived_error"}}"#),
        paused("7"),
        Reply::ok(r#"{"id":"r","error":{"type":"unknown_error","message":"No."}}"#),
    ])?;
    let client = fake.client()?;
    let deployment = reference(ResourceKind::Deployment, "d", None);
    let run = reference(ResourceKind::DeploymentRun, "r", None);
    assert_eq!(client.resource(&deployment).await?.value.reason, reason("manual", None));
    assert_eq!(client.resource(&deployment).await?.value.reason, reason("agent_archived_error", None));
    assert_eq!(client.resource(&deployment).await?.value.reason, None);
    assert_eq!(client.resource(&run).await?.value.reason, reason("unknown_error", Some("No.")));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_told_in_words_and_never_sent() -> Result<()> {
    let fake = Fake::start([])?;
    let client = fake.client()?;
    for kind in [ResourceKind::ExternalKey, ResourceKind::UserProfile, ResourceKind::Message] {
        let error = client.resource(&reference(kind, "x", None)).await.unwrap_err();
        assert!(matches!(error, Error::NotOffered { .. }), "{error}");
        assert_eq!(error.class(), FailureClass::Permanent);
        assert!(!error.may_have_been_applied());
    }
    let error = client.resource(&reference(ResourceKind::VaultCredential, "c", None)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a vault_credential can only be fetched with the id of its vault, and that is not known"
    );
    assert_eq!(error.class(), FailureClass::Permanent);
    let filter = ResourceFilter::default();
    let error = client.list_resources(ResourceKind::SessionThread, None, &filter).await.unwrap_err();
    assert!(matches!(error, Error::NoParent { parent: ResourceKind::Session, .. }), "{error}");
    assert!(fake.asked().is_empty());
    Ok(())
}

#[tokio::test]
async fn every_list_ends_at_a_cursor_that_is_null_or_absent() -> Result<()> {
    for (kind, parent, list, beta) in PLACES {
        for end in ["", r#","next_page":null"#] {
            let page = |id: &str, next: &str| {
                Reply::ok(format!(r#"{{"data":[{{"id":"{id}","status":"idle","vault_id":"vlt_1"}}]{next}}}"#))
            };
            let fake = Fake::start([page("a", r#","next_page":"page_2""#), page("b", end)])?;
            let filter =
                ResourceFilter { paging: Paging { limit: Some(1), page: None }, ..ResourceFilter::default() };
            let all = fake.client()?.all_resources(kind, parent, &filter, 10).await?;
            let ids: Vec<_> = all.items.iter().map(|item| item.value.id.as_str()).collect();
            assert_eq!((ids, all.next_page), (vec!["a", "b"], None), "{kind}");
            assert_eq!(fake.targets(), [format!("{list}?limit=1"), format!("{list}?limit=1&page=page_2")]);
            assert!(fake.asked().iter().all(|asked| asked.header("anthropic-beta") == Some(beta)), "{kind}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_cursor_of_a_page_is_handed_on() -> Result<()> {
    let fake = Fake::start([Reply::ok(r#"{"data":[],"next_page":"page_2"}"#)])?;
    let page = fake.client()?.list_resources(ResourceKind::Vault, None, &ResourceFilter::default()).await?;
    assert_eq!(page.next_page.as_deref(), Some("page_2"));
    Ok(())
}

#[tokio::test]
async fn a_list_is_sent_the_filters_that_it_has() -> Result<()> {
    let every = "created_at%5Bgt%5D=2026-07-31T12%3A00%3A00Z&created_at%5Bgte%5D=2026-07-31T12%3A00%3A00Z";
    let inclusive = "created_at%5Bgte%5D=2026-07-31T12%3A00%3A00Z";
    let filter = ResourceFilter {
        paging: Paging::default(),
        statuses: vec![Status::Running],
        created_at: TimeRange { gt: Some(noon()), gte: Some(noon()), ..TimeRange::default() },
        include_archived: true,
    };
    for (kind, parent, list, _) in PLACES {
        let query = match kind {
            ResourceKind::Session => format!("statuses%5B%5D=running&{every}&include_archived=true"),
            ResourceKind::SessionThread => "statuses%5B%5D=running".to_owned(),
            ResourceKind::DeploymentRun => every.to_owned(),
            ResourceKind::Agent | ResourceKind::Deployment | ResourceKind::MemoryStore => {
                format!("{inclusive}&include_archived=true")
            }
            ResourceKind::Vault | ResourceKind::VaultCredential | ResourceKind::Environment => {
                "include_archived=true".to_owned()
            }
            ResourceKind::ExternalKey | ResourceKind::UserProfile | ResourceKind::Message => continue,
        };
        let fake = Fake::start([Reply::ok(r#"{"data":[]}"#)])?;
        fake.client()?.list_resources(kind, parent, &filter).await?;
        assert_eq!(fake.targets(), [format!("{list}?{query}")], "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn a_credential_is_probed_without_a_body_and_not_twice() -> Result<()> {
    let answer = r#"{"type":"vault_credential_validation","credential_id":"vcrd_1","vault_id":"vlt_1","status":"invalid",
        "validated_at":"2026-08-21T09:00:00Z","has_refresh_token":true,
        "refresh":{"status":"failed","http_response":{"status_code":400,"content_type":"text/html","body":"no","body_truncated":false}},
        "mcp_probe":{"method":"initialize","http_response":{"status_code":401}}}"#;
    let fake = Fake::start([Reply::ok(answer), Reply::error(500, "api_error")])?;
    let client = fake.client()?;
    let validation = client.validate_credential("vlt_1", "vcrd_1").await?.value;
    assert_eq!(validation.status, ValidationStatus::Invalid);
    assert_eq!(
        validation.to_string(),
        "credential is invalid, refresh failed (HTTP 400), MCP server answered HTTP 401"
    );
    client.validate_credential("vlt_1", "vcrd_1").await.unwrap_err();
    let asked = fake.asked();
    assert_eq!(asked.len(), 2, "a probe that may have been carried out is not repeated");
    assert_eq!(asked[0].method, "POST");
    assert_eq!(asked[0].target, "/v1/vaults/vlt_1/credentials/vcrd_1/mcp_oauth_validate");
    assert_eq!(asked[0].body, "");
    Ok(())
}
