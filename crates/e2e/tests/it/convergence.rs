//! Neither order nor number of deliveries changes where a session ends.

use crate::system::System;
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

/// Four events with two ties, among them two that alert and one that asks for a review.
const EVENTS: [(&str, &str); 4] = [
    ("session.status_run_started", "2026-11-22T10:00:00Z"),
    ("session.budget_reached", "2026-11-22T10:00:01Z"),
    ("session.status_idled", "2026-11-22T10:00:01Z"),
    ("session.status_error", "2026-11-22T10:00:02Z"),
];

const COPIES: u32 = 5;

fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (position, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(position);
        all.extend(permutations(&rest).into_iter().map(|tail| [vec![*first], tail].concat()));
    }
    all
}

/// What must be the same, whichever way it came about. Ids of the session's own are left out.
fn essence(shown: &Value) -> Result<Value> {
    let history = shown["history"].as_array().context("no history")?;
    let types: Vec<&Value> = history.iter().map(|entry| &entry["type"]).collect();
    let mut effects: Vec<String> = shown["effects"]
        .as_array()
        .context("no effects")?
        .iter()
        .map(|effect| format!("{} {} {}", effect["kind"], effect["standing"], effect["detail"]))
        .collect();
    effects.sort();
    Ok(
        json!({ "status": shown["status"], "history": types, "effects": effects, "waiting": shown["waiting"]["reason"] }),
    )
}

#[tokio::test]
async fn every_order_of_four_events_delivered_five_times_each_ends_in_the_same_state() -> Result<()> {
    let system = System::start().await?;
    let orders = permutations(&[0, 1, 2, 3]);
    assert_eq!(orders.len(), 24);
    for number in 0..orders.len() {
        let session = format!("sesn_{number}");
        system.stage.put_session(&session, json!({})).await?;
        system.stage.play("requires_action", json!({ "session": session, "silent": true })).await?;
    }
    // One event of each session at a time, so that they are processed in the order of the permutation.
    for position in 0..EVENTS.len() {
        let deliveries = orders.iter().enumerate().map(|(number, order)| {
            let event = order[position];
            let (kind, at) = EVENTS[event];
            system.stage.deliver(json!({
                "id": format!("whe_{number}_{event}"), "type": kind, "created_at": at,
                "session": format!("sesn_{number}"), "options": { "duplicates": COPIES - 1 },
            }))
        });
        for report in try_join_all(deliveries).await? {
            ensure!(report["outcome"] == "acknowledged", "{report}");
        }
        system.all_finished(((position + 1) * orders.len()) as u64).await?;
    }
    let mut seen: Vec<(Value, usize)> = Vec::new();
    for number in 0..orders.len() {
        let shown = system.ask(&["resources", "show", "session", &format!("sesn_{number}")]).await?;
        let essence = essence(&shown)?;
        match seen.iter_mut().find(|(known, _)| *known == essence) {
            Some((_, count)) => *count += 1,
            None => seen.push((essence, 1)),
        }
    }
    let expected = json!({
        "status": "idle",
        "waiting": "requires_action",
        "history": EVENTS.map(|(kind, _)| kind).into_iter().collect::<Vec<_>>(),
        "effects": [
            "\"alert\" \"due\" \"session.budget_reached\"",
            "\"alert\" \"due\" \"session.status_error\"",
            "\"review\" \"due\" \"tool use waits for an answer\"",
        ],
    });
    assert_eq!(seen, [(expected, orders.len())]);
    let often = system.stack.rows("SELECT deliveries, count(*) FROM events GROUP BY deliveries").await?;
    assert_eq!(often, [json!({ "deliveries": COPIES, "count": orders.len() * EVENTS.len() })]);
    system.balanced().await?;
    Ok(())
}

#[tokio::test]
async fn a_shuffled_batch_with_duplicates_ends_where_the_platform_is() -> Result<()> {
    let system = System::start().await?;
    let order = json!({ "count": 300, "sessions": 20, "duplicates": 0.3, "shuffle": true, "stale": 5,
        "bad_signatures": 9, "dropped": 0, "dialect": "mixed" });
    let batch = system.stage.begin_batch(order).await?;
    let figures = system.stage.end_batch(batch).await?;
    assert_eq!((&figures["unexpected"], &figures["rejected"]), (&json!(0), &json!(14)), "{figures}");
    system.all_finished(300).await?;
    let rows = "SELECT resource_id, status, snapshot->>'updated_at' AS updated_at FROM resources
        WHERE resource_type = 'session'";
    for row in system.stack.rows(rows).await? {
        let session = row["resource_id"].as_str().context("no id")?;
        let truth = system.stage.truth(session).await?;
        let truth = &truth["session"];
        assert_eq!(
            (&row["status"], &row["updated_at"]),
            (&truth["status"], &truth["updated_at"]),
            "{session}"
        );
    }
    let ledger = system.balanced().await?;
    assert_eq!((&ledger["accepted"], &ledger["dead"]), (&json!(300), &json!(0)));
    Ok(())
}
