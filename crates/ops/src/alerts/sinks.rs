//! Who is told of alerts: the log, a webhook, Slack or what speaks like it.

use callout::{Caller, Request};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use signing::Secret;
use std::time::Duration;
use store::{AlertPhase, AlertRow};
use telemetry::Chain;

/// How long a sink may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Somebody who is told. Not printable: URLs of sinks are secrets.
#[derive(Clone)]
pub enum Sink {
    /// A line in the log of whichever worker is first.
    Log,
    /// A POST that is signed like the platform's own webhooks.
    Webhook {
        /// Where to.
        url: String,
        /// Signs it.
        secret: Box<Secret>,
    },
    /// A POST of `{"text": …}`.
    Slack {
        /// Where to; whoever has it may write there.
        url: String,
    },
}

impl Sink {
    /// The name under which its deliveries are stored and counted.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
        }
    }

    /// Tells the sink, once. Returns how it answered.
    ///
    /// # Errors
    /// Why it was not told, in words that hold no URL.
    pub async fn tell(
        &self,
        caller: &Caller,
        phase: AlertPhase,
        alert: &AlertRow,
        now: DateTime<Utc>,
    ) -> Result<&'static str, String> {
        let (url, sent) = match self {
            Self::Log => {
                log(phase, alert);
                return Ok("written");
            }
            Self::Webhook { url, secret } => {
                // The same on every attempt, so that the other side can tell a repetition.
                let id = format!("alert_{}_{}", alert.id, phase.as_str());
                let body = webhook_body(phase, alert, now).to_string();
                let timestamp_unix_seconds = now.timestamp();
                let body = body.as_bytes();
                let request = Request { url, secret, id: &id, timestamp_unix_seconds, body, timeout: LIMIT };
                (url, caller.post(&request).await)
            }
            Self::Slack { url } => {
                let body = json!({ "text": slack_text(phase, alert) }).to_string();
                (url, caller.post_unsigned(url, body.as_bytes(), LIMIT).await)
            }
        };
        // What the other side says may repeat where it was asked.
        sent.map(|_body| "accepted").map_err(|error| Chain(&error).to_string().replace(url.as_str(), "(URL)"))
    }
}

fn log(phase: AlertPhase, alert: &AlertRow) {
    let AlertRow { id, kind, key, severity, title, resolution, .. } = alert;
    match phase {
        AlertPhase::Resolved => {
            tracing::info!(alert = id, kind, key, severity, resolution, "alert is over: {title}");
        }
        AlertPhase::Raised | AlertPhase::Escalated if severity == "info" => {
            tracing::info!(alert = id, kind, key, severity, "alert: {title}");
        }
        AlertPhase::Raised | AlertPhase::Escalated => {
            tracing::warn!(alert = id, kind, key, severity, "alert: {title}");
        }
    }
}

fn webhook_body(phase: AlertPhase, alert: &AlertRow, now: DateTime<Utc>) -> Value {
    let event = match phase {
        AlertPhase::Raised | AlertPhase::Escalated => "alert.raised",
        AlertPhase::Resolved => "alert.resolved",
    };
    json!({ "type": event, "created_at": now, "alert": alert })
}

/// One line with the essentials; `&`, `<` and `>` are the only characters that mean something there.
fn slack_text(phase: AlertPhase, alert: &AlertRow) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let title = escaped(&alert.title);
    match phase {
        AlertPhase::Raised => format!("*{}* {title} (alert {})", alert.severity, alert.id),
        AlertPhase::Escalated => format!("*now {}* {title} (alert {})", alert.severity, alert.id),
        AlertPhase::Resolved => {
            let why = alert.resolution.as_deref().map(escaped).unwrap_or_default();
            format!("*over* {title} (alert {}: {why})", alert.id)
        }
    }
}

#[cfg(test)]
mod tests;
