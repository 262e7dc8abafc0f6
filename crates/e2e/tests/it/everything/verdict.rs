//! Whether Holdfast and the platform agree in the end.

use crate::stage::Stage;
use crate::system::{PATIENCE, System};
use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use testkit::eventually;

/// Everything that differs, in words; empty when all is as it should be.
pub(super) async fn differences(system: &System) -> Result<Vec<String>> {
    let mut found = resources(system).await?;
    found.extend(answers(system).await?);
    found.extend(transcripts(system).await?);
    Ok(found)
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

async fn truth(stage: &Stage, path: &str) -> Result<Vec<Value>> {
    let answer = stage.control(Method::GET, path, json!({})).await?;
    let list = answer.get("data").cloned().unwrap_or(answer);
    list.as_array().cloned().with_context(|| format!("{path} is no list"))
}

/// Each resource of the platform with its status, on both sides.
async fn resources(system: &System) -> Result<Vec<String>> {
    let key =
        |value: &Value, kind: &str, id: &str| (text(value, kind).to_owned(), text(value, id).to_owned());
    let theirs: BTreeMap<(String, String), String> = truth(&system.stage, "/resources")
        .await?
        .iter()
        // Nothing is told of a primary thread, nor of the deletion of a thread with its session.
        .filter(|one| !is_primary_thread(one) && !is_deleted_thread(one))
        .map(|one| (key(one, "type", "id"), text(one, "status").to_owned()))
        .collect();
    let query = "SELECT resource_type, resource_id, status FROM resources AS ours WHERE NOT EXISTS (
        SELECT FROM resources AS parent WHERE ours.resource_type = 'session_thread'
            AND parent.resource_id = ours.parent_id AND parent.status = 'deleted')";
    let ours: BTreeMap<(String, String), String> = system
        .stack
        .rows(query)
        .await?
        .iter()
        .map(|row| (key(row, "resource_type", "resource_id"), text(row, "status").to_owned()))
        .collect();
    let keys: BTreeSet<&(String, String)> = theirs.keys().chain(ours.keys()).collect();
    // Deleted before any comparison saw it, and not one of its webhooks was delivered: nobody can know of it.
    let untold = |key: &(String, String)| {
        !ours.contains_key(key) && theirs.get(key).is_some_and(|status| status == "deleted")
    };
    let never_seen = theirs.keys().filter(|key| untold(key)).count();
    ensure!(never_seen * 20 < theirs.len(), "{never_seen} of {} were never seen", theirs.len());
    let differing = keys.into_iter().filter(|key| !untold(key) && ours.get(*key) != theirs.get(*key));
    Ok(differing
        .map(|key| format!("{key:?}: ours {:?}, theirs {:?}", ours.get(key), theirs.get(key)))
        .collect())
}

fn is_deleted_thread(one: &Value) -> bool {
    text(one, "type") == "session_thread" && text(one, "status") == "deleted"
}

fn is_primary_thread(one: &Value) -> bool {
    text(one, "type") == "session_thread" && one["object"]["parent_thread_id"].is_null()
}

/// Each tool use was answered once, or nobody waits for the answer any more.
async fn answers(system: &System) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for tool_use in truth(&system.stage, "/replies").await? {
        let accepted = tool_use["accepted"].as_u64().context("no number of answers")?;
        let refused = tool_use["refused"].as_u64().context("no number of refused answers")?;
        let open = tool_use["open"].as_bool().unwrap_or_default();
        // The platform also refuses what comes too late, to a session that is over; nobody was answered twice by that.
        if accepted > 1 || (accepted == 1 && refused > 0) || (open && accepted == 0) {
            found.push(format!("{tool_use}"));
        }
    }
    Ok(found)
}

/// Each session that is over and still there has a transcript with all of its events.
async fn transcripts(system: &System) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for session in truth(&system.stage, "/resources").await? {
        if text(&session, "type") != "session" || text(&session, "status") != "terminated" {
            continue;
        }
        let id = text(&session, "id");
        let exported = crate::operator::worker(&system.stack, &["transcripts", "export", id]).await?;
        if exported.code != Some(0) {
            found.push(format!("{id}: {exported:?}"));
            continue;
        }
        let kept: BTreeSet<String> = exported
            .stdout
            .lines()
            .map(|line| Ok(text(&serde_json::from_str::<Value>(line)?, "id").to_owned()))
            .collect::<Result<_>>()?;
        let whole = system.stage.truth(id).await?;
        let there = whole["events"].as_array().context("no events")?;
        let there: BTreeSet<String> = there.iter().map(|event| text(event, "id").to_owned()).collect();
        if kept != there {
            let (missing, more) = (there.difference(&kept).count(), kept.difference(&there).count());
            found.push(format!("{id}: of {} events {missing} are missing, {more} are unknown", there.len()));
        }
    }
    Ok(found)
}

/// No event is anywhere but where it should be. What was told of sessions after their end, whose deletion was never told,
/// has died of it; now that it is known, a replay finishes it.
pub(super) async fn accounted(system: &System) -> Result<()> {
    let replayed =
        crate::operator::worker(&system.stack, &["dlq", "replay", "--class", "gone", "--yes"]).await?;
    ensure!(matches!(replayed.code, Some(0 | 1)), "{replayed:?}");
    eventually(PATIENCE, "the end of all events", async || {
        let left = system
            .stack
            .rows("SELECT event_type, status, last_error FROM events WHERE status IN ('pending', 'dead')")
            .await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(Some(()))
    })
    .await?;
    let ledger = system.balanced().await?;
    ensure!(ledger["pending"] == 0 && ledger["dead"] == 0, "{ledger}");
    let audit = crate::operator::worker(&system.stack, &["audit", "--wait", "30s"]).await?;
    ensure!(audit.code == Some(0), "{audit:?}");
    Ok(())
}
