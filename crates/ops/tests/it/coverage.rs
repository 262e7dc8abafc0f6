//! Every type of event, from its payload to what follows.

mod api;
mod rows;

use crate::bench::{Bench, PATIENCE, Worker, event, message, platform_event};
use anyhow::{Context, Result, ensure};
use api::Api;
use broker::Queue;
use domain::rules::RULES;
use domain::{EventStatus, ResourceKind};
use rows::{Row, event_id, rows};
use serde_json::json;
use std::collections::BTreeSet;
use store::NewEvent;
use testkit::eventually;

/// Has the events processed with what this API says.
async fn processed(bench: &Bench, api: &Api, events: &[NewEvent]) -> Result<()> {
    bench.accept(events).await?;
    let messages: Vec<_> = events.iter().map(message).collect();
    bench.publish(Queue::Work, &messages).await?;
    let worker = Worker::of_client(bench, api.client()?).await?;
    eventually(PATIENCE, "no pending event", async || {
        let ledger = bench.ledger().await?;
        ensure!(ledger.pending == 0, "{ledger:?}");
        Ok(Some(()))
    })
    .await?;
    worker.stopped().await
}

#[test]
fn every_type_has_a_row_here() {
    let known: BTreeSet<&str> = RULES.iter().map(|rule| rule.event_type).collect();
    let tested: BTreeSet<&str> = rows().iter().map(|row| row.event_type).collect();
    assert_eq!(tested, known);
    for row in rows() {
        let parsed = domain::envelope::parse(row.body.to_string().as_bytes()).unwrap();
        let resource = parsed.resource.unwrap();
        assert_eq!((resource.kind.as_str(), &resource.id), (row.kind, &row.id), "{}", row.event_type);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_applied_with_what_its_row_says() -> Result<()> {
    let (bench, api) = (Bench::new().await?, Api::start()?);
    let rows = rows();
    for (request, object) in rows.iter().flat_map(|row| &row.objects) {
        api.put(request, 200, object.clone());
    }
    let events: Vec<NewEvent> = rows.iter().map(|row| event(&row.body)).collect::<Result<_>>()?;
    processed(&bench, &api, &events).await?;
    for row in &rows {
        check(&bench, &api, row).await.with_context(|| format!("the row of {}", row.event_type))?;
    }
    Ok(())
}

async fn check(bench: &Bench, api: &Api, row: &Row) -> Result<()> {
    let told = bench.detail(&event_id(row.event_type)).await?;
    ensure!(told.row.status == "applied", "the event is {} ({:?})", told.row.status, told.row.last_error);
    let kind: ResourceKind = row.kind.parse()?;
    let story = ops::story::resource_story(&bench.store, kind, &row.id).await?;
    let story = story.context("the resource is not stored")?;
    ensure!(story.status.as_deref() == row.status, "it is {:?}, not {:?}", story.status, row.status);
    let source = match row.kind {
        "message" => Some("payload"),
        _ if row.asked.is_empty() => None,
        _ => Some("api"),
    };
    ensure!(story.snapshot_source.as_deref() == source, "the snapshot is of {:?}", story.snapshot_source);
    ensure!(story.history.len() == 1, "the history has {} entries", story.history.len());
    let asked = api.asked(&row.id);
    ensure!(asked == row.asked, "asked was {asked:?} and not {:?}", row.asked);
    let effects: BTreeSet<_> = story
        .effects
        .iter()
        .map(|effect| {
            let any = row.effects.iter().any(|(kind, key, _)| *kind == effect.kind && key == "*");
            let key = if any { "*" } else { &effect.key };
            (effect.kind.clone(), key.to_owned(), effect.detail.clone())
        })
        .collect();
    let wanted =
        row.effects.iter().map(|(kind, key, detail)| ((*kind).to_owned(), key.clone(), (*detail).to_owned()));
    let wanted: BTreeSet<_> = wanted.collect();
    ensure!(effects == wanted, "the effects are {effects:?} and not {wanted:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_leads_to_another_look_at_its_resource() -> Result<()> {
    let (bench, api) = (Bench::new().await?, Api::start()?);
    let kinds = [("vault", "vaults"), ("agent", "agents"), ("memory_store", "memory_stores")];
    let mut events = Vec::new();
    for (kind, path) in kinds {
        let id = format!("{kind}_1");
        api.put(&format!("GET /v1/{path}/{id}"), 200, json!({ "id": id }));
        events.push(platform_event(&format!("whe_{kind}"), &format!("{kind}.polished"), &id, -1)?);
    }
    events.push(platform_event("whe_key", "external_key.polished", "external_key_1", -1)?);
    processed(&bench, &api, &events).await?;
    for (kind, path) in kinds {
        bench.until_status(&format!("whe_{kind}"), EventStatus::Applied).await?;
        assert_eq!(api.asked(&format!("{kind}_1")), [format!("GET /v1/{path}/{kind}_1")]);
    }
    bench.until_status("whe_key", EventStatus::Applied).await?;
    assert_eq!(
        bench.texts("SELECT DISTINCT status FROM resources WHERE status IS NOT NULL").await?,
        ["active"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_overtakes_is_the_last_word_and_spares_a_look_in_vain() -> Result<()> {
    let (bench, api) = (Bench::new().await?, Api::start()?);
    let kinds = ["vault", "agent", "deployment", "environment", "memory_store", "vault_credential"];
    // Deleted later than archived, and delivered before. The API does not know any of them any more.
    let of = |verb: &str, seconds: i64| -> Result<Vec<NewEvent>> {
        let event = |kind: &&str| {
            let id = format!("{kind}_1");
            platform_event(&format!("whe_{kind}_{verb}"), &format!("{kind}.{verb}"), &id, seconds)
        };
        kinds.iter().map(event).collect()
    };
    processed(&bench, &api, &of("deleted", -1)?).await?;
    processed(&bench, &api, &of("archived", -2)?).await?;
    for kind in kinds {
        bench.until_status(&format!("whe_{kind}_deleted"), EventStatus::Applied).await?;
        bench.until_status(&format!("whe_{kind}_archived"), EventStatus::Superseded).await?;
        assert_eq!(api.asked(&format!("{kind}_1")), Vec::<String>::new());
    }
    assert_eq!(bench.texts("SELECT DISTINCT status FROM resources").await?, ["deleted"]);
    assert_eq!(bench.number("SELECT count(*) FROM attempts").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_name_the_vault_of_a_credential_uses_the_one_that_is_known() -> Result<()> {
    let (bench, api) = (Bench::new().await?, Api::start()?);
    api.put("GET /v1/vaults/vlt_1/credentials/vcrd_1", 200, json!({ "id": "vcrd_1" }));
    let mut named =
        testkit::payload::platform("whe_1", "vault_credential.created", "vcrd_1", crate::bench::after(-9));
    named["data"]["vault_id"] = json!("vlt_1");
    let events = [event(&named)?];
    processed(&bench, &api, &events).await?;
    let unnamed = platform_event("whe_2", "vault_credential.archived", "vcrd_1", -1)?;
    processed(&bench, &api, &[unnamed]).await?;
    bench.until_status("whe_2", EventStatus::Applied).await?;
    assert_eq!(api.asked("vcrd_1").len(), 2);
    assert_eq!(bench.texts("SELECT parent_id FROM resources").await?, ["vlt_1"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_no_known_vault_is_a_dead_letter_that_says_so() -> Result<()> {
    let (bench, api) = (Bench::new().await?, Api::start()?);
    let unnamed = platform_event("whe_1", "vault_credential.created", "vcrd_1", -1)?;
    processed(&bench, &api, &[unnamed]).await?;
    let dead = bench.until_status("whe_1", EventStatus::Dead).await?;
    assert_eq!((dead.row.tries, dead.row.error_class.as_deref()), (1, Some("permanent")));
    let error = dead.row.last_error.expect("it says why");
    assert!(error.contains("id of its vault, and that is not known"), "{error}");
    // A later event names the vault, and so serves the replay of the first one.
    api.put("GET /v1/vaults/vlt_1/credentials/vcrd_1", 200, json!({ "id": "vcrd_1" }));
    let mut named =
        testkit::payload::platform("whe_2", "vault_credential.archived", "vcrd_1", crate::bench::after(-1));
    named["data"]["vault_id"] = json!("vlt_1");
    processed(&bench, &api, &[event(&named)?]).await?;
    assert_eq!(bench.texts("SELECT parent_id FROM resources").await?, ["vlt_1"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_refused_is_an_answer_and_one_that_fails_is_a_failed_try() -> Result<()> {
    let (bench, api) = (Bench::new().await?, Api::start()?);
    let failed = |n: u32| {
        let mut body = testkit::payload::platform(
            &format!("whe_{n}"),
            "vault_credential.refresh_failed",
            &format!("vcrd_{n}"),
            crate::bench::after(-1),
        );
        body["data"]["vault_id"] = json!("vlt_1");
        event(&body)
    };
    let refusal =
        json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "Not OAuth." } });
    for (n, status) in [(1, 400), (2, 500)] {
        let path = format!("/v1/vaults/vlt_1/credentials/vcrd_{n}");
        api.put(&format!("GET {path}"), 200, json!({ "id": format!("vcrd_{n}") }));
        api.put(&format!("POST {path}/mcp_oauth_validate"), status, refusal.clone());
    }
    // The second question of an outage: the API is there.
    api.put("GET /v1/sessions", 200, json!({ "data": [] }));
    let events = [failed(1)?, failed(2)?];
    bench.accept(&events).await?;
    bench.publish(Queue::Work, &events.each_ref().map(message)).await?;
    let worker = Worker::of_client(&bench, api.client()?).await?;
    bench.until_status("whe_1", EventStatus::Applied).await?;
    let second = bench.until("whe_2", "one try", |detail| detail.row.tries == 1).await?;
    worker.stopped().await?;
    assert_eq!(second.row.error_class.as_deref(), Some("transient"));
    let detail = bench.texts("SELECT detail FROM effects").await?;
    assert_eq!(detail.len(), 1);
    assert!(
        detail[0].ends_with("validate_credential was answered 400 invalid_request_error: Not OAuth."),
        "{detail:?}"
    );
    Ok(())
}
