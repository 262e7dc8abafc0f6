//! An example of an executor: the HTTP endpoint that carries tool calls out for a worker that waits for them.
//!
//! It shows what the owner of a real one has to do: verify the signature (Standard Webhooks), read `tool` and `input`,
//! answer 2xx with the result, and expect the same `tool_use_id` again after a failure. It counts, so that tests see what
//! was asked how often.

mod answer;
mod routes;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use signing::Secret;

use self::answer::answer;
pub(crate) use self::routes::{alone, mounted};

/// What is asked for, as far as the executor reads it.
#[derive(Debug, Deserialize)]
struct Request {
    #[serde(rename = "type")]
    kind: String,
    tool_use_id: String,
    /// `custom_tool_use`, or `tool_use` and `mcp_tool_use`, which ask for a decision.
    #[serde(rename = "kind")]
    tool_kind: String,
    tool: String,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    attempt: u64,
}

/// How it behaves. No `Debug` of the secret: `Secret` redacts itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Behaviour {
    /// Calls must be signed with it; without one nothing is verified.
    pub(crate) secret: Option<Secret>,
    /// So many calls of each tool use fail before one succeeds.
    pub(crate) fail: u64,
    /// With this status; 500 when it is none.
    pub(crate) status: u16,
    /// How long an answer takes.
    pub(crate) delay: Duration,
    /// Answers by tool, instead of the usual ones.
    pub(crate) answers: BTreeMap<String, Value>,
}

/// What happened to one tool use.
#[derive(Debug, Clone, Default, Serialize)]
struct Record {
    tool: String,
    kind: String,
    /// Calls with a valid signature.
    calls: u64,
    /// Those of them that were answered with a failure.
    failed: u64,
    /// The highest `attempt` that a caller gave.
    attempt: u64,
}

/// An executor's memory.
#[derive(Debug, Default)]
pub(crate) struct Executor {
    pub(crate) behaviour: Behaviour,
    records: BTreeMap<String, Record>,
    /// Calls without a valid signature, and bodies that were no tool call.
    rejected: u64,
}

/// What is answered.
#[derive(Debug, PartialEq)]
struct Reply {
    status: u16,
    body: Value,
}

impl Executor {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        Self { behaviour, ..Self::default() }
    }

    /// Counts a call and decides its answer.
    fn carry_out(&mut self, request: &Request) -> Reply {
        let record = self.records.entry(request.tool_use_id.clone()).or_default();
        record.tool.clone_from(&request.tool);
        record.kind.clone_from(&request.tool_kind);
        record.calls += 1;
        record.attempt = record.attempt.max(request.attempt);
        if record.calls <= self.behaviour.fail {
            record.failed += 1;
            let status = if self.behaviour.status == 0 { 500 } else { self.behaviour.status };
            return Reply { status, body: serde_json::json!({ "error": "this executor was told to fail" }) };
        }
        let scripted = self.behaviour.answers.get(&request.tool).cloned();
        Reply { status: 200, body: scripted.unwrap_or_else(|| answer(request)) }
    }

    /// What is shown of it.
    fn shown(&self) -> Value {
        let total: u64 = self.records.values().map(|record| record.calls).sum();
        serde_json::json!({ "total": total, "rejected": self.rejected, "tool_uses": self.records })
    }
}

#[cfg(test)]
mod tests;
