//! Programs of the operator that answer tool uses: one signed call, and what its answer means.
//!
//! When to call, how often, and what follows a failure is the reviewer's business ([`crate::reviews`]). An executor's
//! idempotency key is the `webhook-id`: the id of the tool use and the number of the attempt.

use callout::{Caller, Request};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Answer;
use domain::policy::{Plan, Reached};
use domain::review::{ToolKind, confirmation_of, result_of};
use serde::Serialize;
use serde_json::value::RawValue;
use signing::Secret;
use std::collections::BTreeMap;
use std::time::Duration;
use store::Review;
use telemetry::Chain;

/// A program that answers.
#[derive(Clone)]
pub struct Executor {
    /// Where it is.
    pub url: String,
    /// Signs the calls.
    pub secret: Secret,
    /// For one call, answer included.
    pub timeout: Duration,
    /// How often it is called, and what follows when it does not answer.
    pub plan: Plan,
}

/// All executors of the policy, by name.
#[derive(Clone, Default)]
pub struct Executors {
    caller: Option<Caller>,
    by_name: BTreeMap<String, Executor>,
}

/// A call that brought no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedCall {
    /// Why, with the whole chain of causes.
    pub(crate) error: String,
    /// One word for the metric.
    pub(crate) outcome: &'static str,
    /// Whether the executor may have seen it.
    pub(crate) reached: Reached,
    /// How long the executor asks us to wait.
    pub(crate) retry_after: Option<TimeDelta>,
}

/// What is sent.
#[derive(Serialize)]
struct Call<'a> {
    r#type: &'static str,
    tool_use_id: &'a str,
    kind: ToolKind,
    tool: &'a str,
    server: Option<&'a str>,
    input: Option<&'a RawValue>,
    session: Session<'a>,
    agent: Agent<'a>,
    attempt: u32,
}

#[derive(Serialize)]
struct Session<'a> {
    id: &'a str,
    title: Option<&'a str>,
}

#[derive(Serialize)]
struct Agent<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
}

impl Executors {
    /// These executors.
    ///
    /// # Errors
    /// When the HTTP library cannot set itself up.
    pub fn new(by_name: BTreeMap<String, Executor>) -> Result<Self, callout::Error> {
        let caller = if by_name.is_empty() { None } else { Some(Caller::new()?) };
        Ok(Self { caller, by_name })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Executor> {
        self.by_name.get(name)
    }

    /// Calls an executor, once.
    pub(crate) async fn call(
        &self,
        executor: &Executor,
        review: &Review,
        attempt: u32,
        now: DateTime<Utc>,
    ) -> Result<Answer, FailedCall> {
        let kind = review.kind.unwrap_or(ToolKind::CustomToolUse);
        let call = Call {
            r#type: "tool_call",
            tool_use_id: &review.id,
            kind,
            tool: review.tool.as_deref().unwrap_or_default(),
            server: review.server.as_deref(),
            input: review.input.as_deref(),
            session: Session { id: &review.session_id, title: review.session_title.as_deref() },
            agent: Agent { id: review.agent_id.as_deref(), name: review.agent_name.as_deref() },
            attempt,
        };
        let nothing_sent = |error: String| FailedCall {
            error,
            outcome: "unreachable",
            reached: Reached::No,
            retry_after: None,
        };
        let body = serde_json::to_vec(&call).map_err(|error| nothing_sent(Chain(&error).to_string()))?;
        let caller =
            self.caller.as_ref().ok_or_else(|| nothing_sent("no executor is configured".to_owned()))?;
        let request = Request {
            url: &executor.url,
            secret: &executor.secret,
            id: &format!("{}_{attempt}", review.id),
            timestamp_unix_seconds: now.timestamp(),
            body: &body,
            timeout: executor.timeout,
        };
        let answer = caller.post(&request).await.map_err(|error| FailedCall {
            outcome: error.outcome(),
            reached: if error.was_not_sent() { Reached::No } else { Reached::Maybe },
            retry_after: error.retry_after().and_then(|wait| TimeDelta::from_std(wait).ok()),
            error: Chain(&error).to_string(),
        })?;
        let read = if kind.takes_result() { result_of(&answer) } else { confirmation_of(&answer) };
        read.map_err(|unreadable| FailedCall {
            error: format!("the endpoint's answer cannot be used: {unreadable}"),
            outcome: "unreadable",
            reached: Reached::Maybe,
            retry_after: None,
        })
    }
}
