//! What will happen to whom, as a function of the order and a seed. When it happens depends on the answers.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::json;

use crate::{
    lives::order::LiveOrder,
    world::{Scenario, ToolRequest},
};

/// One step of a session.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Play(Scenario),
    /// Asks, and is left alone until everything is answered.
    Ask(Vec<ToolRequest>),
    /// Asks, and does not wait: what follows settles the question.
    AskInVain(Vec<ToolRequest>),
}

/// What a turn that asks nothing is like, by weight.
const TURNS: [(Scenario, u32); 8] = [
    (Scenario::TurnEnd, 50),
    (Scenario::Updated, 10),
    (Scenario::Outcome, 10),
    (Scenario::ThreadLifecycle, 10),
    (Scenario::Error, 8),
    (Scenario::RetriesExhausted, 5),
    (Scenario::Refusal, 4),
    (Scenario::BudgetReached, 3),
];

/// How sessions end; a turn that ends leaves them idle for good.
const ENDS: [(Scenario, u32); 4] =
    [(Scenario::TurnEnd, 40), (Scenario::Archived, 25), (Scenario::Deleted, 20), (Scenario::Terminated, 15)];

/// Lives of other resources: scenarios that follow each other, all of what the first one makes.
const STORIES: [&[&str]; 6] = [
    &["vault.created", "vault.archived", "vault.deleted"],
    &["vault_credential.created", "vault_credential.refresh_failed", "vault_credential.archived"],
    &["agent.created", "agent.updated", "agent.updated", "agent.archived"],
    &[
        "deployment.created",
        "deployment.updated",
        "deployment_run.succeeded",
        "deployment_run.failed",
        "deployment.unpaused",
        "deployment.archived",
    ],
    &["environment.created", "environment.updated", "environment.archived", "environment.deleted"],
    &["memory_store.created", "memory_store.archived", "memory_store.deleted"],
];

/// Everything that will happen.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) sessions: Vec<Vec<Step>>,
    pub(crate) resources: Vec<&'static [&'static str]>,
}

/// Plans lives.
pub(crate) fn plan(order: &LiveOrder, seed: u64) -> Plan {
    let mut rng = StdRng::seed_from_u64(seed);
    let sessions = (0..order.sessions).map(|_| session(order, &mut rng)).collect();
    let resources = (0..order.resources).map(|index| story(index, &mut rng)).collect();
    Plan { sessions, resources }
}

fn session(order: &LiveOrder, rng: &mut StdRng) -> Vec<Step> {
    let turns = rng.random_range(1..=order.turns.max(1));
    let mut steps: Vec<Step> = (0..turns)
        .map(|_| {
            if !rng.random_bool(order.asks) {
                Step::Play(weighted(&TURNS, rng))
            } else if rng.random_bool(order.abandon) {
                Step::AskInVain(tools(rng))
            } else {
                Step::Ask(tools(rng))
            }
        })
        .collect();
    steps.push(Step::Play(weighted(&ENDS, rng)));
    steps
}

/// All kinds of stories in turn, each told to some point.
fn story(index: usize, rng: &mut StdRng) -> &'static [&'static str] {
    let whole = STORIES.get(index % STORIES.len()).copied().unwrap_or_default();
    whole.get(..rng.random_range(1..=whole.len().max(1))).unwrap_or(whole)
}

/// One to three tool uses; one in five of the built-in ones is refused by the platform itself, and one in ten has a
/// permission that nobody knows, which must lead to a person. At least one has to be answered.
fn tools(rng: &mut StdRng) -> Vec<ToolRequest> {
    let more = rng.random_range(0..3);
    let mut tools: Vec<ToolRequest> = (0..more).map(|_| tool(rng)).collect();
    tools.push(ToolRequest {
        input: json!({ "order_id": rng.random_range(1000..10_000).to_string() }),
        ..ToolRequest::default()
    });
    tools
}

fn tool(rng: &mut StdRng) -> ToolRequest {
    let (kind, name, input) = match rng.random_range(0..4) {
        0 => ("agent.tool_use", "bash", json!({ "command": "ls" })),
        1 => ("agent.mcp_tool_use", "search_tickets", json!({ "text": "refund" })),
        2 => ("agent.custom_tool_use", "echo", json!({ "text": "hello" })),
        _ => ("agent.custom_tool_use", "issue_refund", json!({ "order_id": "8841" })),
    };
    let permission = match rng.random_range(0..10) {
        0 | 1 => "deny",
        2 => "ask_somebody_else",
        _ => "ask",
    };
    ToolRequest {
        kind: kind.to_owned(),
        name: name.to_owned(),
        input,
        evaluated_permission: Some(permission.to_owned()),
        session_thread_id: None,
    }
}

fn weighted(choices: &[(Scenario, u32)], rng: &mut StdRng) -> Scenario {
    let chosen = choices.choose_weighted(rng, |(_, weight)| *weight);
    chosen.map_or(Scenario::TurnEnd, |(scenario, _)| *scenario)
}

#[cfg(test)]
mod tests;
