//! Who is told of alerts, and when the watch tells.

use crate::hidden::{Hidden, secret};
use crate::problems::Problems;
use clap::Args;
use signing::Secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Alert sinks
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Alerts")]
#[expect(clippy::struct_field_names, reason = "the names of the flags")]
pub struct SinkArgs {
    /// Where alerts are posted to, signed; besides the log, which is always told
    #[arg(long, env = "HOLDFAST_ALERT_WEBHOOK_URL", hide_env_values = true, value_name = "URL")]
    alert_webhook_url: Option<Hidden>,

    /// Secret that signs these posts by the Standard Webhooks scheme (whsec_…)
    #[arg(long, env = "HOLDFAST_ALERT_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    alert_webhook_secret: Option<Hidden>,

    /// File that holds the secret
    #[arg(long, env = "HOLDFAST_ALERT_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    alert_webhook_secret_file: Option<PathBuf>,

    /// Incoming webhook of Slack, or of what takes the same; the URL is a secret
    #[arg(long, env = "HOLDFAST_ALERT_SLACK_URL", hide_env_values = true, value_name = "URL")]
    alert_slack_url: Option<Hidden>,

    /// File that holds this URL
    #[arg(long, env = "HOLDFAST_ALERT_SLACK_URL_FILE", value_name = "FILE")]
    alert_slack_url_file: Option<PathBuf>,
}

/// Alerts of the watch
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Alerts")]
pub struct WatchArgs {
    /// How old the oldest unfinished event may become before an alert
    #[arg(long, env = "HOLDFAST_ALERT_UNFINISHED_AGE", value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    alert_unfinished_age: Duration,

    /// How long an endpoint may be without a delivery before an alert [default: for ever]
    #[arg(long, env = "HOLDFAST_ALERT_SILENCE", value_name = "TIME", value_parser = silence)]
    alert_silence: Option<Duration>,
}

/// What is known of endpoints is forgotten after a week.
const LONGEST_SILENCE: Duration = Duration::from_hours(7 * 24);

fn silence(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(silence) if silence.is_zero() || silence > LONGEST_SILENCE => {
            Err("more than 0s, at most 7days".to_owned())
        }
        Ok(silence) => Ok(silence),
        Err(error) => Err(error.to_string()),
    }
}

/// Who is told of alerts besides the log, checked.
#[derive(Debug, Clone)]
pub struct Sinks {
    /// Where alerts are posted to, and what signs them.
    pub webhook: Option<(Hidden, Secret)>,
    /// An incoming webhook of Slack.
    pub slack: Option<Hidden>,
}

/// When the watch tells.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// How old the oldest unfinished event may become.
    pub unfinished_age: Duration,
    /// How long an endpoint may be without a delivery; `None`: for ever.
    pub silence: Option<Duration>,
}

impl SinkArgs {
    /// Checks the group.
    pub fn validate(&self, problems: &mut Problems) -> Option<Sinks> {
        let (webhook, slack) = (self.webhook(problems), self.slack(problems));
        Some(Sinks { webhook: webhook?, slack: slack? })
    }

    /// `None` where something is wrong with it.
    #[expect(clippy::option_option, reason = "wrong, absent, or there")]
    fn webhook(&self, problems: &mut Problems) -> Option<Option<(Hidden, Secret)>> {
        let names = "--alert-webhook-secret (HOLDFAST_ALERT_WEBHOOK_SECRET)";
        let secret_file = self.alert_webhook_secret_file.as_deref();
        let has_secret = self.alert_webhook_secret.is_some() || secret_file.is_some();
        let Some(url) = &self.alert_webhook_url else {
            if has_secret {
                problems.note(
                    "--alert-webhook-url (HOLDFAST_ALERT_WEBHOOK_URL) is missing, but its secret is there",
                );
                return None;
            }
            return Some(None);
        };
        let url = address(url, "--alert-webhook-url (HOLDFAST_ALERT_WEBHOOK_URL)", problems);
        if !has_secret {
            problems.note(format!("{names} is missing: alerts are posted signed"));
            return None;
        }
        let text = secret(self.alert_webhook_secret.as_ref(), secret_file, names, problems)?;
        match Secret::parse(text.reveal()) {
            Ok(secret) => Some(Some((url?, secret))),
            Err(error) => {
                problems.note(format!("{names} cannot be used: {error}"));
                None
            }
        }
    }

    #[expect(clippy::option_option, reason = "wrong, absent, or there")]
    fn slack(&self, problems: &mut Problems) -> Option<Option<Hidden>> {
        let names = "--alert-slack-url (HOLDFAST_ALERT_SLACK_URL)";
        let file: Option<&Path> = self.alert_slack_url_file.as_deref();
        if self.alert_slack_url.is_none() && file.is_none() {
            return Some(None);
        }
        let url = secret(self.alert_slack_url.as_ref(), file, names, problems)?;
        address(&url, names, problems).map(Some)
    }
}

/// The URL, if it can be one. It is not repeated: whoever has it may write there.
fn address(url: &Hidden, names: &str, problems: &mut Problems) -> Option<Hidden> {
    let text = url.reveal().trim();
    let has_scheme = ["http://", "https://"]
        .iter()
        .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !has_scheme || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        problems.note(format!("{names} must begin with https:// or http://"));
        return None;
    }
    Some(Hidden::new(text))
}

impl WatchArgs {
    /// The group; nothing in it can be wrong.
    #[must_use]
    pub const fn values(&self) -> Watch {
        Watch { unfinished_age: self.alert_unfinished_age, silence: self.alert_silence }
    }
}
