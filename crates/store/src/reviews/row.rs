//! A review as it is read.

use crate::error::{Error, count, word};
use chrono::{DateTime, Utc};
use domain::Answer;
use domain::alert::Severity;
use domain::review::{Question, ReviewStatus, ToolKind};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// All that is known of a review. What belongs to the question is absent while it was not looked up.
#[derive(Debug, Clone, Serialize)]
pub struct Review {
    /// The effect that it belongs to.
    #[serde(skip)]
    pub effect: i64,
    /// The tool use.
    pub id: String,
    /// The session that waits.
    pub session_id: String,
    /// How it stands.
    pub status: ReviewStatus,
    /// What kind of tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ToolKind>,
    /// The tool's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The MCP server that has the tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What the agent's own policy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// The arguments, as the agent gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Box<RawValue>>,
    /// The thread that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// What a person called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// What a person called the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_title: Option<String>,
    /// What the session is doing, as far as we know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_status: Option<String>,
    /// The last things that were said before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// When the question became known.
    pub recorded_at: DateTime<Utc>,
    /// When the agent asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<DateTime<Utc>>,
    /// Who answers: `person`, `allow`, `deny` or `executor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The rule that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Name of the executor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// What the agent is told when the policy denies.
    #[serde(skip)]
    pub message: Option<String>,
    /// By when a person is to have answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Severity of the alert when nobody has.
    #[serde(skip)]
    pub severity: Option<Severity>,
    /// When it was raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<DateTime<Utc>>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    /// Until when nobody else may decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<DateTime<Utc>>,
    /// Calls of the executor that have begun.
    pub calls: u32,
    /// When the last one began, while its end is not known.
    #[serde(skip)]
    pub called_at: Option<DateTime<Utc>>,
    /// What was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    /// Why no answer is wanted, where the first look has shown it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_as: Option<String>,
    /// The event that carries the last answer; the commands for events and dead letters know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_event: Option<String>,
    /// How far that is: `queued`, `posting`, `posted`, `elsewhere`, `obsolete` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_state: Option<String>,
    /// Why the last step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl Review {
    /// The question, once it was looked up.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        Some(Question {
            kind: self.kind?,
            tool: self.tool.clone()?,
            server: self.server.clone(),
            permission: self.permission.clone(),
            agent_id: self.agent_id.clone(),
            agent_name: self.agent_name.clone(),
        })
    }

    /// Whether somebody else than `who` has it at `now`.
    #[must_use]
    pub fn is_claimed_from(&self, who: &str, now: DateTime<Utc>) -> bool {
        self.claimed_until.is_some_and(|until| until > now)
            && self.claimed_by.as_deref().is_some_and(|claimant| claimant != who)
    }
}

/// A row of the statements in `find`.
pub(super) struct Row {
    pub(super) effect: i64,
    pub(super) id: String,
    pub(super) session_id: String,
    pub(super) status: String,
    pub(super) kind: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) server: Option<String>,
    pub(super) permission: Option<String>,
    pub(super) input: Option<String>,
    pub(super) thread_id: Option<String>,
    pub(super) agent_id: Option<String>,
    pub(super) agent_name: Option<String>,
    pub(super) session_title: Option<String>,
    pub(super) session_status: Option<String>,
    pub(super) context: Option<Value>,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) asked_at: Option<DateTime<Utc>>,
    pub(super) route: Option<String>,
    pub(super) because: Option<String>,
    pub(super) executor: Option<String>,
    pub(super) message: Option<String>,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) severity: Option<String>,
    pub(super) escalated_at: Option<DateTime<Utc>>,
    pub(super) claimed_by: Option<String>,
    pub(super) claimed_until: Option<DateTime<Utc>>,
    pub(super) calls: Option<i32>,
    pub(super) called_at: Option<DateTime<Utc>>,
    pub(super) answer: Option<Value>,
    pub(super) decided_by: Option<String>,
    pub(super) decided_at: Option<DateTime<Utc>>,
    pub(super) closed_as: Option<String>,
    pub(super) reply_event: Option<String>,
    pub(super) reply_state: Option<String>,
    pub(super) last_error: Option<String>,
}

impl TryFrom<Row> for Review {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let unreadable = |column, value: &str| Error::Inconsistent {
            table: "reviews",
            column,
            row: row.effect.to_string(),
            value: value.to_owned(),
        };
        let kind = row.kind.map(|kind| word::<ToolKind>("reviews", "kind", row.effect, &kind)).transpose()?;
        let severity = row
            .severity
            .map(|severity| word::<Severity>("reviews", "severity", row.effect, &severity))
            .transpose()?;
        let input = row
            .input
            .map(|input| {
                RawValue::from_string(input).map_err(|error| unreadable("input", &error.to_string()))
            })
            .transpose()?;
        let answer = row
            .answer
            .map(|answer| {
                let text = answer.to_string();
                serde_json::from_value(answer).map_err(|_unreadable| unreadable("answer", &text))
            })
            .transpose()?;
        Ok(Self {
            status: word("reviews", "status", row.effect, &row.status)?,
            calls: count("reviews", "calls", row.effect, row.calls.unwrap_or_default())?,
            effect: row.effect,
            id: row.id,
            session_id: row.session_id,
            kind,
            tool: row.tool,
            server: row.server,
            permission: row.permission,
            input,
            thread_id: row.thread_id,
            agent_id: row.agent_id,
            agent_name: row.agent_name,
            session_title: row.session_title,
            session_status: row.session_status,
            context: row.context,
            recorded_at: row.recorded_at,
            asked_at: row.asked_at,
            route: row.route,
            because: row.because,
            executor: row.executor,
            message: row.message,
            due_at: row.due_at,
            severity,
            escalated_at: row.escalated_at,
            claimed_by: row.claimed_by,
            claimed_until: row.claimed_until,
            called_at: row.called_at,
            answer,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            closed_as: row.closed_as,
            reply_event: row.reply_event,
            reply_state: row.reply_state,
            last_error: row.last_error,
        })
    }
}
