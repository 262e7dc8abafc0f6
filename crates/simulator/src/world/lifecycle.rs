//! The transitions of a session and what each appends to the stream and announces by webhook.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::{
    refusal::Refusal,
    session::Session,
    stamp::{Notice, Object, Stamp, object, text, text_block},
    stop_reason::StopReason,
};

impl Session {
    pub(crate) fn notice(&self, kind: &str, stamp: &Stamp<'_>) -> Notice {
        Notice::about(kind, self.id(), stamp.now)
    }

    pub(crate) fn append(&mut self, kind: &str, members: Value, stamp: &mut Stamp<'_>) -> String {
        let event = stamp.event(kind, members);
        let id = text(&event, "id").to_owned();
        self.record(event, stamp.now);
        id
    }

    /// Idle (or rescheduling) to running.
    pub(crate) fn run(&mut self, stamp: &mut Stamp<'_>) -> Vec<Notice> {
        self.append("session.status_running", json!({}), stamp);
        let primary = self.primary_members();
        self.append("session.thread_status_running", primary, stamp);
        vec![self.notice("session.status_run_started", stamp)]
    }

    /// Starts a turn with a message unless one is going on already.
    pub(crate) fn ensure_running(&mut self, stamp: &mut Stamp<'_>) -> Result<Vec<Notice>, Refusal> {
        if self.status() == "terminated" {
            return Err(Refusal::conflict("the session is terminated"));
        }
        if self.is_running() {
            return Ok(Vec::new());
        }
        self.append("user.message", json!({ "content": text_block("Go on.") }), stamp);
        self.settle_open(stamp);
        Ok(self.run(stamp))
    }

    /// A model turn: what happens between running and idle, without a webhook.
    pub(crate) fn model_turn(&mut self, said: &str, stamp: &mut Stamp<'_>) {
        let start = self.append("span.model_request_start", json!({}), stamp);
        self.append("agent.message", json!({ "content": text_block(said) }), stamp);
        self.append(
            "span.model_request_end",
            json!({ "model_request_start_id": start, "is_error": false,
                "model_usage": { "input_tokens": 120, "output_tokens": 24, "cache_read_input_tokens": 0,
                    "cache_creation_input_tokens": 0 } }),
            stamp,
        );
    }

    /// Running to idle. Messages that were queued meanwhile start the next turn at once.
    pub(crate) fn idle(&mut self, reason: &StopReason, stamp: &mut Stamp<'_>) -> Vec<Notice> {
        let mut members = object(self.primary_members());
        members.extend(reason.members());
        self.append("session.thread_status_idle", Value::Object(members), stamp);
        let usage = self.spent();
        let budget = self.object.get("budget").cloned().unwrap_or_default();
        self.append("session.usage", json!({ "usage": usage, "budget": budget }), stamp);
        self.append("session.status_idle", Value::Object(reason.members()), stamp);
        let mut notices = Vec::new();
        if *reason == StopReason::BudgetReached {
            notices.push(self.notice("session.budget_reached", stamp));
        }
        notices.push(self.notice("session.status_idled", stamp));
        // Exhausted retries flush the queue; a blocked or paused session keeps it.
        match reason {
            StopReason::EndTurn | StopReason::Refusal => {
                if self.take_queued(stamp) > 0 {
                    notices.extend(self.run(stamp));
                }
            }
            StopReason::RetriesExhausted => {
                self.take_queued(stamp);
            }
            StopReason::RequiresAction(_) | StopReason::BudgetReached => {}
        }
        notices
    }

    /// The platform retries by itself.
    pub(crate) fn reschedule(&mut self, stamp: &mut Stamp<'_>) -> Vec<Notice> {
        self.append("session.error", failure("model_overloaded_error", "retrying"), stamp);
        self.append("session.status_rescheduled", json!({}), stamp);
        vec![self.notice("session.status_rescheduled", stamp)]
    }

    /// The turn is dead, the session is not.
    pub(crate) fn exhaust(&mut self, stamp: &mut Stamp<'_>) -> Vec<Notice> {
        self.append("session.error", failure("model_request_failed_error", "exhausted"), stamp);
        self.idle(&StopReason::RetriesExhausted, stamp)
    }

    /// An error nothing recovers from.
    pub(crate) fn fail(&mut self, stamp: &mut Stamp<'_>) -> Vec<Notice> {
        self.append("session.error", failure("unknown_error", "terminal"), stamp);
        self.append("session.status_terminated", json!({}), stamp);
        vec![self.notice("session.status_terminated", stamp)]
    }

    /// Archives; doing it again is silent.
    pub(crate) fn archive(&mut self, stamp: &mut Stamp<'_>) -> Result<Vec<Notice>, Refusal> {
        if self.is_archived() {
            return Ok(Vec::new());
        }
        self.refuse_running("archived")?;
        let ended_before = self.status() == "terminated";
        if !ended_before {
            self.append("session.status_terminated", json!({}), stamp);
        }
        let time = stamp.text();
        self.set("archived_at", time, stamp.now);
        Ok(if ended_before { Vec::new() } else { vec![self.notice("session.status_terminated", stamp)] })
    }

    pub(crate) fn refuse_running(&self, what: &str) -> Result<(), Refusal> {
        if self.is_running() {
            return Err(Refusal::invalid(format!("a running session cannot be {what}; interrupt it first")));
        }
        Ok(())
    }

    /// Closes every unanswered tool use with an error result, as an interrupt does.
    pub(crate) fn settle_open(&mut self, stamp: &mut Stamp<'_>) {
        for id in std::mem::take(&mut self.open).into_keys() {
            let closed = json!({ "tool_use_id": id, "content": text_block("interrupted"), "is_error": true });
            self.append("agent.tool_result", closed, stamp);
            self.blocking.retain(|blocking| *blocking != id);
        }
    }

    /// Marks queued messages as processed and tells how many there were.
    fn take_queued(&mut self, stamp: &Stamp<'_>) -> usize {
        let queued =
            self.events.iter_mut().filter(|event| event.get("processed_at").is_some_and(Value::is_null));
        queued.map(|event| Arc::make_mut(event).insert("processed_at".into(), stamp.text().into())).count()
    }

    fn primary_members(&self) -> Value {
        self.primary().map_or_else(
            || json!({}),
            |thread| json!({ "session_thread_id": thread.id(), "agent_name": thread.agent_name() }),
        )
    }

    /// Usage after one more turn: every turn costs the same.
    fn spent(&self) -> Value {
        let mut usage: Object = self.object.get("usage").cloned().map(object).unwrap_or_default();
        for (member, amount) in [("input_tokens", 120), ("output_tokens", 24)] {
            let so_far = usage.get(member).and_then(Value::as_u64).unwrap_or_default();
            usage.insert(member.into(), (so_far + amount).into());
        }
        Value::Object(usage)
    }
}

fn failure(kind: &str, retry_status: &str) -> Value {
    json!({ "error": { "type": kind, "message": "simulated", "retry_status": { "type": retry_status } } })
}
