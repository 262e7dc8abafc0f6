//! Resources of all kinds, against the simulator's own record of the truth.

use super::postbox::Postbox;
use super::stand::Stand;
use super::{dropping, of};
use crate::bench::Platform;
use anyhow::{Context, Result};
use ops::reconcile::{Options, Report};
use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What happens to resources that are not sessions, by the type of the webhook that tells it.
const HAPPENINGS: [&str; 16] = [
    "vault.created",
    "vault_credential.created",
    "vault_credential.archived",
    "vault.archived",
    "agent.created",
    "agent.updated",
    "agent.archived",
    "deployment.created",
    "deployment.paused",
    "deployment.unpaused",
    "deployment_run.succeeded",
    "deployment_run.failed",
    "environment.updated",
    "environment.archived",
    "memory_store.created",
    "memory_store.archived",
];

const DELETIONS: [&str; 4] =
    ["vault.deleted", "vault_credential.deleted", "environment.deleted", "memory_store.deleted"];

async fn happens(platform: &Platform, what: &str) -> Result<String> {
    let body = json!({ "wait": true });
    let answer = platform.control(Method::POST, &format!("/scenarios/{what}"), &body).await?;
    Ok(answer.get("id").and_then(Value::as_str).context("no id")?.to_owned())
}

/// What there is, by type and id, in the words under which we store it.
async fn truth(platform: &Platform) -> Result<BTreeMap<String, String>> {
    let resources = platform.control(Method::GET, "/resources", &json!({})).await?;
    let resources = resources.as_array().context("no list")?.clone();
    let text = |resource: &Value, member: &str| {
        resource.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let named = resources.iter().map(|resource| {
        (format!("{} {}", text(resource, "type"), text(resource, "id")), text(resource, "status"))
    });
    // Primary threads are told of by nothing.
    Ok(named.filter(|(name, _)| !name.starts_with("session_thread")).collect())
}

async fn stored(stand: &Stand) -> Result<BTreeMap<String, String>> {
    let lines = stand
        .bench
        .texts(
            "SELECT resource_type || ' ' || resource_id || '=' || coalesce(status, '') FROM resources \
             WHERE last_event_id IS NOT NULL AND resource_type <> 'session_thread'",
        )
        .await?;
    let pairs = lines.iter().filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, status)| (name.to_owned(), status.to_owned())).collect())
}

fn queued(report: &Report) -> u64 {
    report.kinds.iter().map(|kind| kind.queued).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_kinds_end_as_they_are_at_the_platform_although_a_third_was_never_told() -> Result<()> {
    let mut dice = StdRng::seed_from_u64(11);
    let platform = Platform::start().await?;
    let postbox = Postbox::of(&platform).await?;
    let stand = Stand::new().await?;
    for what in HAPPENINGS {
        happens(&platform, what).await?;
    }
    let all = postbox.emptied();
    let heard = dropping(&all, 0.3, &mut dice);
    assert!(heard.len() < all.len());
    stand.told(&heard).await?;
    stand.processed(&platform).await?;
    stand.reconcile(&platform, &Options::default()).await?;
    stand.processed(&platform).await?;
    assert_eq!(stored(&stand).await?, truth(&platform).await?);

    // None of the deletions is heard, nor are those of the credentials that went with their vault.
    for what in DELETIONS {
        happens(&platform, what).await?;
    }
    let report = stand.reconcile(&platform, &Options { all: true, ..Options::default() }).await?;
    assert!(queued(&report) > 0, "{report:?}");
    stand.processed(&platform).await?;
    let report = stand.reconcile(&platform, &Options { all: true, ..Options::default() }).await?;
    assert!(!report.differs(), "{report:?}");
    // What was made and deleted without a word is not known to us at all; all else is equal.
    let held = stored(&stand).await?;
    let truth: BTreeMap<String, String> =
        truth(&platform).await?.into_iter().filter(|(name, _)| held.contains_key(name)).collect();
    assert_eq!(held, truth);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_vault_takes_its_credentials_with_it() -> Result<()> {
    let platform = Platform::start().await?;
    let postbox = Postbox::of(&platform).await?;
    let stand = Stand::new().await?;
    let credential = happens(&platform, "vault_credential.created").await?;
    stand.told(&postbox.emptied()).await?;
    stand.processed(&platform).await?;
    let vault = stand.bench.texts("SELECT resource_id FROM resources WHERE resource_type = 'vault'").await?;
    let body = json!({ "resource": vault[0], "silent": true });
    platform.control(Method::POST, "/scenarios/vault.deleted", &body).await?;

    let report = stand.reconcile(&platform, &Options { all: true, ..Options::default() }).await?;
    assert_eq!((of(&report, "vault").deleted, of(&report, "vault_credential").deleted), (1, 1));
    stand.processed(&platform).await?;
    let stored = stored(&stand).await?;
    assert_eq!(stored.get(&format!("vault {}", vault[0])).map(String::as_str), Some("deleted"));
    assert_eq!(stored.get(&format!("vault_credential {credential}")).map(String::as_str), Some("deleted"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_were_started_by_hand_are_found_although_nothing_tells_of_them() -> Result<()> {
    let platform = Platform::start().await?;
    let stand = Stand::new().await?;
    let postbox = Postbox::of(&platform).await?;
    happens(&platform, "deployment_run.succeeded").await?;
    postbox.emptied();
    stand.reconcile(&platform, &Options::default()).await?;
    stand.processed(&platform).await?;
    let history = stand
        .bench
        .texts(
            "SELECT event_type FROM resource_history WHERE resource_type = 'deployment_run' \
             ORDER BY created_at, rank",
        )
        .await?;
    assert_eq!(history, ["deployment_run.started", "deployment_run.succeeded"]);
    Ok(())
}
