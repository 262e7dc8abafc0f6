//! The verdict: what Postgres has, against what the sender knows.

mod compare;

use crate::load::Journal;
use crate::system::System;
use anyhow::Result;
use compare::{Compared, Stored};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Examples that a complaint names at most.
const EXAMPLES: usize = 5;

/// The figures of Postgres.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) accepted: usize,
    pub(crate) applied: usize,
    pub(crate) superseded: usize,
    pub(crate) ignored: usize,
    /// Acknowledged events that are not stored or not finished, or whose place in the history or effects are missing.
    pub(crate) lost: usize,
    /// Entries of the history and effects that nothing calls for, or that are there twice.
    pub(crate) doubled: usize,
    /// What is lost or doubled.
    #[serde(skip)]
    pub(crate) complaints: Vec<String>,
}

/// Events that are dead.
pub(crate) async fn dead(system: &System) -> Result<u64> {
    system.storage.number("SELECT count(*) AS number FROM events WHERE status = 'dead'").await
}

/// Compares.
pub(crate) async fn judge(system: &System, journal: &Journal) -> Result<Figures> {
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let storage = &system.storage;
    let statuses: BTreeMap<String, String> = storage
        .rows("SELECT event_id, status FROM events")
        .await?
        .iter()
        .map(|row| (text(row, "event_id"), text(row, "status")))
        .collect();
    let history = storage.texts("SELECT event_id AS text FROM resource_history").await?;
    let effects = storage.rows("SELECT resource_id, kind, key FROM effects").await?;
    let effects =
        effects.iter().map(|row| (text(row, "resource_id"), text(row, "kind"), text(row, "key"))).collect();
    let stored = Stored { statuses, history, effects };
    let compared =
        compare::compare(&journal.events(), &journal.acknowledged(), &system.platform.waiting, &stored);

    let count = |status: &str| stored.statuses.values().filter(|other| *other == status).count();
    let mut figures = Figures {
        accepted: stored.statuses.len(),
        applied: count("applied"),
        superseded: count("superseded"),
        ignored: count("ignored"),
        lost: compared.lost.len(),
        doubled: compared.doubled.len(),
        complaints: Vec::new(),
    };
    let Compared { lost, doubled } = compared;
    for (what, list) in [("lost", lost), ("doubled", doubled)] {
        if !list.is_empty() {
            let examples: Vec<&str> = list.iter().take(EXAMPLES).map(String::as_str).collect();
            figures.complaints.push(format!("{what}: {}, for example {}", list.len(), examples.join("; ")));
        }
    }
    Ok(figures)
}
