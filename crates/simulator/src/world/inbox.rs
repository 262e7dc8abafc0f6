//! Events that a client sends: which are accepted in which state, and what they cause.

use serde_json::{Value, json};

use crate::world::{
    refusal::Refusal,
    session::{Session, ToolUse},
    stamp::{Notice, Object, Stamp, text},
    stop_reason::StopReason,
};

/// The sheet's working assumption; the platform publishes no number.
const MAX_EVENTS: usize = 50;

/// The types that are accepted while tool calls are pending.
const SETTLING: &str = "user.tool_confirmation, user.custom_tool_result, user.tool_result, user.interrupt";

impl Session {
    /// Accepts all events or none: the caller applies this to a copy. Answers the echoes.
    pub(crate) fn receive(
        &mut self,
        events: &[Object],
        stamp: &mut Stamp<'_>,
    ) -> Result<(Vec<Value>, Vec<Notice>), Refusal> {
        if events.is_empty() || events.len() > MAX_EVENTS {
            return Err(Refusal::invalid(format!(
                "events: between 1 and {MAX_EVENTS} are accepted in one call"
            )));
        }
        if self.is_archived() {
            return Err(Refusal::conflict("the session is archived"));
        }
        if self.status() == "terminated" {
            return Err(Refusal::invalid("the session is terminated"));
        }
        let waited = !self.blocking.is_empty();
        let blocked_before = self.blocking.len();
        let (mut echoes, mut notices, mut previous) = (Vec::new(), Vec::new(), "");
        for (index, event) in events.iter().enumerate() {
            let kind = text(event, "type");
            let last = index + 1 == events.len();
            echoes.push(match kind {
                "user.message" => self.receive_message(event, stamp, &mut notices)?,
                "user.interrupt" => self.receive_interrupt(event, stamp, &mut notices),
                "user.custom_tool_result" | "user.tool_confirmation" | "user.tool_result" => {
                    self.receive_answer(kind, event, stamp)?
                }
                "user.define_outcome" => self.receive_outcome(event, stamp, &mut notices)?,
                "system.message" => self.receive_system(event, last, previous, stamp)?,
                other => return Err(Refusal::invalid(format!("events: unknown type {other:?}"))),
            });
            previous = kind;
        }
        // Several replies in one call count together: only then is it clear whether something is left.
        if waited && !self.is_running() && self.blocking.len() < blocked_before {
            if self.blocking.is_empty() && self.stopped_by == "requires_action" {
                notices.extend(self.run(stamp));
            } else if !self.blocking.is_empty() {
                let rest = StopReason::RequiresAction(self.blocking.clone());
                self.append("session.status_idle", json!({ "stop_reason": rest.to_value() }), stamp);
                notices.push(self.notice("session.status_idled", stamp));
            }
        }
        Ok((echoes, notices))
    }

    fn receive_message(
        &mut self,
        event: &Object,
        stamp: &mut Stamp<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<Value, Refusal> {
        check_content(event, Presence::Required)?;
        if !self.blocking.is_empty() {
            let ids = self.blocking.join(", ");
            return Err(Refusal::invalid(format!(
                "waiting for responses to {ids}; only {SETTLING} are accepted"
            )));
        }
        if self.stopped_by == "budget_reached" {
            return Err(Refusal::invalid("the session has reached its budget"));
        }
        let queued = self.is_running();
        let mut stored = echo(event, stamp);
        let mut echoed = stored.clone();
        echoed.insert("processed_at".into(), Value::Null);
        if queued {
            stored.insert("processed_at".into(), Value::Null);
        }
        self.record(stored, stamp.now);
        if !queued {
            notices.extend(self.run(stamp));
        }
        Ok(Value::Object(echoed))
    }

    /// Ends the turn; on an idle session that waits for nothing it has no effect.
    fn receive_interrupt(
        &mut self,
        event: &Object,
        stamp: &mut Stamp<'_>,
        notices: &mut Vec<Notice>,
    ) -> Value {
        let echoed = echo(event, stamp);
        self.record(echoed.clone(), stamp.now);
        if self.is_running() || !self.blocking.is_empty() {
            self.settle_open(stamp);
            notices.extend(self.idle(&StopReason::EndTurn, stamp));
        }
        Value::Object(echoed)
    }

    fn receive_answer(
        &mut self,
        kind: &str,
        event: &Object,
        stamp: &mut Stamp<'_>,
    ) -> Result<Value, Refusal> {
        let custom = kind == "user.custom_tool_result";
        let member = if custom { "custom_tool_use_id" } else { "tool_use_id" };
        let id = text(event, member);
        if self.answered.contains(id) {
            return Err(Refusal::invalid(format!("{member}: {id} has been answered already")));
        }
        let Some((tool_use, thread)) = self.open.get(id).cloned() else {
            return Err(Refusal::invalid(format!(
                "{member}: {id:?} matches no tool use event that can be answered"
            )));
        };
        let answered_by = match tool_use {
            ToolUse::Custom => "user.custom_tool_result",
            ToolUse::Approval => "user.tool_confirmation",
            ToolUse::SelfHosted => "user.tool_result",
        };
        if kind != answered_by {
            return Err(Refusal::invalid(format!("{member}: {id} is answered with {answered_by}")));
        }
        if tool_use == ToolUse::Approval {
            check_confirmation(event)?;
        } else {
            check_content(event, Presence::Optional)?;
        }
        let mut stored = echo(event, stamp);
        if let Some(thread) = thread {
            stored.insert("session_thread_id".into(), thread.into());
        }
        let mut echoed = stored.clone();
        if tool_use == ToolUse::Approval {
            // Results are processed on receipt, confirmations a moment later.
            echoed.insert("processed_at".into(), Value::Null);
        }
        self.record(stored, stamp.now);
        Ok(Value::Object(echoed))
    }

    fn receive_outcome(
        &mut self,
        event: &Object,
        stamp: &mut Stamp<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<Value, Refusal> {
        if text(event, "description").is_empty() || !event.get("rubric").is_some_and(Value::is_object) {
            return Err(Refusal::invalid("user.define_outcome: description and rubric are required"));
        }
        if !self.blocking.is_empty() {
            return Err(Refusal::invalid(format!(
                "only {SETTLING} are accepted while tool calls are pending"
            )));
        }
        if self.open_outcome().is_some() {
            return Err(Refusal::invalid("user.define_outcome: another outcome is still open"));
        }
        let mut echoed = echo(event, stamp);
        echoed.insert("outcome_id".into(), stamp.ids.resource("outc").into());
        self.record(echoed.clone(), stamp.now);
        if !self.is_running() {
            notices.extend(self.run(stamp));
        }
        Ok(Value::Object(echoed))
    }

    fn receive_system(
        &mut self,
        event: &Object,
        last: bool,
        previous: &str,
        stamp: &mut Stamp<'_>,
    ) -> Result<Value, Refusal> {
        check_content(event, Presence::Required)?;
        if !last {
            return Err(Refusal::invalid("system.message: must be the last event of a request"));
        }
        let after_result = matches!(previous, "user.custom_tool_result" | "user.tool_result");
        if !self.blocking.is_empty() && !after_result {
            return Err(Refusal::invalid(
                "system.message: follows a tool result while tool calls are pending",
            ));
        }
        let echoed = echo(event, stamp);
        self.record(echoed.clone(), stamp.now);
        Ok(Value::Object(echoed))
    }

    /// The id of the outcome that is not decided yet.
    pub(crate) fn open_outcome(&self) -> Option<String> {
        let entries = self.object.get("outcome_evaluations")?.as_array()?;
        let open =
            entries.iter().rev().find(|entry| entry.get("completed_at").is_some_and(Value::is_null))?;
        open.get("outcome_id")?.as_str().map(str::to_owned)
    }
}

/// The event as it will be listed: what was sent, with id and time.
fn echo(event: &Object, stamp: &mut Stamp<'_>) -> Object {
    stamp.event(text(event, "type"), Value::Object(event.clone()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

fn check_content(event: &Object, presence: Presence) -> Result<(), Refusal> {
    let blocks = match event.get("content") {
        None if presence == Presence::Optional => return Ok(()),
        Some(Value::Array(blocks)) if !blocks.is_empty() || presence == Presence::Optional => blocks,
        _ => return Err(Refusal::invalid("content: a list of content blocks is required")),
    };
    for block in blocks {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "text" | "image" | "document" | "search_result") {
            return Err(Refusal::invalid(format!("content: blocks of type {kind:?} are not accepted")));
        }
    }
    Ok(())
}

fn check_confirmation(event: &Object) -> Result<(), Refusal> {
    match text(event, "result") {
        "deny" => Ok(()),
        "allow" if event.get("deny_message").is_none_or(Value::is_null) => Ok(()),
        "allow" => Err(Refusal::invalid("deny_message: only with result deny")),
        _ => Err(Refusal::invalid("result: allow or deny")),
    }
}
