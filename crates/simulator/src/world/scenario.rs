//! Named scenarios: what the platform does to a session without being asked through the API.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::{
    World,
    refusal::Refusal,
    session::Session,
    stamp::{Notice, Stamp, text_block},
    stop_reason::StopReason,
};

/// What can happen to a session. Each leads through the states that come before it: ending the turn of an idle
/// session first starts one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scenario {
    Created,
    RunStarted,
    TurnEnd,
    RequiresAction,
    Refusal,
    /// A transient error: the platform reschedules.
    Error,
    RetriesExhausted,
    /// A fatal error.
    Terminated,
    Archived,
    Deleted,
    BudgetReached,
    Updated,
    /// One graded iteration of an outcome.
    Outcome,
    ThreadCreated,
    ThreadIdled,
    ThreadTerminated,
    /// A child thread opened, idle, ended.
    ThreadLifecycle,
}

/// A tool call that the agent makes in `requires_action`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolRequest {
    /// The event type: `agent.custom_tool_use` unless given.
    #[serde(default = "custom", rename = "type")]
    pub(crate) kind: String,
    #[serde(default = "refund")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) input: Value,
    /// For built-in and MCP tools: `ask` unless given.
    #[serde(default)]
    pub(crate) evaluated_permission: Option<String>,
    #[serde(default)]
    pub(crate) session_thread_id: Option<String>,
}

fn custom() -> String {
    "agent.custom_tool_use".into()
}

fn refund() -> String {
    "issue_refund".into()
}

impl Default for ToolRequest {
    fn default() -> Self {
        let input = json!({ "order_id": "8841" });
        Self { kind: custom(), name: refund(), input, evaluated_permission: None, session_thread_id: None }
    }
}

impl World {
    /// Plays a scenario on a session and answers the webhooks it causes, in their true order.
    pub(crate) fn play(
        &mut self,
        scenario: Scenario,
        id: &str,
        tools: &[ToolRequest],
        now: DateTime<Utc>,
    ) -> Result<Vec<Notice>, Refusal> {
        if scenario == Scenario::Deleted {
            let mut notices =
                self.change(id, now, |session, stamp| Ok(end_turn_if_running(session, stamp)))?;
            notices.extend(self.delete(id, now)?);
            return Ok(notices);
        }
        self.change(id, now, |session, stamp| session.play(scenario, tools, stamp))
    }
}

impl Session {
    fn play(
        &mut self,
        scenario: Scenario,
        tools: &[ToolRequest],
        stamp: &mut Stamp<'_>,
    ) -> Result<Vec<Notice>, Refusal> {
        let quiet = [Scenario::Created, Scenario::Updated, Scenario::Archived, Scenario::Deleted];
        let mut notices = if quiet.contains(&scenario) { Vec::new() } else { self.ensure_running(stamp)? };
        notices.extend(match scenario {
            Scenario::Created => vec![self.notice("session.created", stamp)],
            Scenario::TurnEnd => {
                self.model_turn("Done.", stamp);
                self.idle(&StopReason::EndTurn, stamp)
            }
            Scenario::RequiresAction => self.ask(tools, stamp),
            Scenario::Refusal => self.idle(&StopReason::Refusal, stamp),
            Scenario::Error => self.reschedule(stamp),
            Scenario::RetriesExhausted => self.exhaust(stamp),
            Scenario::Terminated => self.fail(stamp),
            Scenario::Archived => {
                let mut notices = end_turn_if_running(self, stamp);
                notices.extend(self.archive(stamp)?);
                notices
            }
            // Running already; and `World::play` deletes, because a session cannot remove itself.
            Scenario::RunStarted | Scenario::Deleted => Vec::new(),
            Scenario::BudgetReached => self.reach_budget(stamp),
            Scenario::Updated => {
                let title = format!("Renamed {}", stamp.text());
                self.append("session.updated", json!({ "title": title }), stamp);
                vec![self.notice("session.updated", stamp)]
            }
            Scenario::Outcome => self.grade(stamp),
            Scenario::ThreadCreated => vec![self.open_child(stamp).1],
            Scenario::ThreadIdled => {
                let (child, mut notices) = self.any_child(stamp);
                notices.push(self.idle_child(&child, stamp)?);
                notices
            }
            Scenario::ThreadTerminated => {
                let (child, mut notices) = self.any_child(stamp);
                notices.push(self.end_child(&child, stamp)?);
                notices
            }
            Scenario::ThreadLifecycle => {
                let (child, created) = self.open_child(stamp);
                vec![created, self.idle_child(&child, stamp)?, self.end_child(&child, stamp)?]
            }
        });
        Ok(notices)
    }

    fn ask(&mut self, tools: &[ToolRequest], stamp: &mut Stamp<'_>) -> Vec<Notice> {
        let one = [ToolRequest::default()];
        let mut ids = Vec::new();
        for tool in if tools.is_empty() { one.as_slice() } else { tools } {
            let mut members = json!({ "name": tool.name, "input": tool.input });
            if let Some(members) = members.as_object_mut() {
                if tool.kind != "agent.custom_tool_use" {
                    let permission = tool.evaluated_permission.as_deref().unwrap_or("ask");
                    members.insert("evaluated_permission".into(), permission.into());
                }
                if tool.kind == "agent.mcp_tool_use" {
                    members.insert("mcp_server_name".into(), "tracker".into());
                }
                if let Some(thread) = &tool.session_thread_id {
                    members.insert("session_thread_id".into(), thread.as_str().into());
                }
            }
            ids.push(self.append(&tool.kind, members, stamp));
        }
        ids.retain(|id| self.open.contains_key(id));
        self.idle(&StopReason::RequiresAction(ids), stamp)
    }

    fn reach_budget(&mut self, stamp: &mut Stamp<'_>) -> Vec<Notice> {
        if self.object.get("budget").is_none_or(Value::is_null) {
            let limit = json!({ "type": "limit", "max_list_cost": { "amount": "100", "currency": "USD" } });
            self.set("budget", limit, stamp.now);
        }
        self.idle(&StopReason::BudgetReached, stamp)
    }

    fn grade(&mut self, stamp: &mut Stamp<'_>) -> Vec<Notice> {
        let outcome = self.open_outcome().unwrap_or_else(|| {
            let id = stamp.ids.resource("outc");
            let rubric = json!({ "type": "text", "content": "Every criterion is met." });
            let define = json!({ "outcome_id": id, "description": "A summary", "rubric": rubric });
            self.append("user.define_outcome", define, stamp);
            id
        });
        let iteration = json!({ "outcome_id": outcome, "iteration": 0 });
        let start = self.append("span.outcome_evaluation_start", iteration.clone(), stamp);
        self.append("span.outcome_evaluation_ongoing", iteration, stamp);
        let verdict = json!({ "outcome_id": outcome, "iteration": 0, "outcome_evaluation_start_id": start,
            "result": "satisfied", "explanation": "Every criterion is met.",
            "usage": { "input_tokens": 60, "output_tokens": 12, "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0 } });
        self.append("span.outcome_evaluation_end", verdict, stamp);
        let said = json!({ "content": text_block("The summary is ready.") });
        self.append("agent.message", said, stamp);
        vec![self.notice("session.outcome_evaluation_ended", stamp)]
    }

    /// A child to do something with, opened when there is none.
    fn any_child(&mut self, stamp: &mut Stamp<'_>) -> (String, Vec<Notice>) {
        if let Some(child) = self.newest_child() {
            return (child, Vec::new());
        }
        let (child, created) = self.open_child(stamp);
        (child, vec![created])
    }
}

/// Archiving and deleting are refused while running, so the turn is interrupted first.
fn end_turn_if_running(session: &mut Session, stamp: &mut Stamp<'_>) -> Vec<Notice> {
    if session.is_running() { session.idle(&StopReason::EndTurn, stamp) } else { Vec::new() }
}
