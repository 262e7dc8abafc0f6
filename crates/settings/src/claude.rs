//! How to call the Claude API.

use crate::hidden::{Hidden, secret};
use crate::problems::Problems;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// How the key travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthStyle {
    /// `x-api-key: KEY`
    ApiKey,
    /// `Authorization: Bearer KEY`
    Bearer,
}

/// Claude API
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Claude API")]
pub struct ClaudeArgs {
    /// Where the API is
    #[arg(
        long,
        env = "ANTHROPIC_BASE_URL",
        value_name = "URL",
        default_value = "https://api.anthropic.com",
        global = true
    )]
    api_url: String,

    /// API key
    #[arg(long, env = "ANTHROPIC_API_KEY", hide_env_values = true, value_name = "KEY", global = true)]
    api_key: Option<Hidden>,

    /// File that holds the API key
    #[arg(long, env = "ANTHROPIC_API_KEY_FILE", value_name = "FILE", global = true)]
    api_key_file: Option<PathBuf>,

    /// Token to send as `Authorization: Bearer` in the place of an API key
    #[arg(long, env = "ANTHROPIC_AUTH_TOKEN", hide_env_values = true, value_name = "TOKEN", global = true)]
    auth_token: Option<Hidden>,

    /// File that holds the token
    #[arg(long, env = "ANTHROPIC_AUTH_TOKEN_FILE", value_name = "FILE", global = true)]
    auth_token_file: Option<PathBuf>,

    /// How the API key is sent
    #[arg(long, env = "HOLDFAST_API_AUTH", value_enum, default_value_t = AuthStyle::ApiKey, global = true)]
    api_auth: AuthStyle,

    /// Value of the anthropic-version header
    #[arg(
        long,
        env = "HOLDFAST_API_VERSION",
        value_name = "DATE",
        default_value = "2023-06-01",
        global = true
    )]
    api_version: String,

    /// Value of the anthropic-beta header
    #[arg(
        long,
        env = "HOLDFAST_API_BETA",
        value_name = "NAMES",
        default_value = "managed-agents-2026-04-01",
        global = true
    )]
    api_beta: String,

    /// Value of the anthropic-beta header in requests about memory stores
    #[arg(
        long,
        env = "HOLDFAST_API_MEMORY_BETA",
        value_name = "NAMES",
        default_value = "agent-memory-2026-07-22",
        global = true
    )]
    api_memory_beta: String,

    /// Requests a minute that read, of all workers together; 0: no limit
    #[arg(
        long,
        env = "HOLDFAST_API_READS_PER_MINUTE",
        value_name = "N",
        default_value_t = 1_200,
        global = true
    )]
    api_reads_per_minute: u32,

    /// Requests a minute that change something, of all workers together; 0: no limit
    #[arg(
        long,
        env = "HOLDFAST_API_WRITES_PER_MINUTE",
        value_name = "N",
        default_value_t = 300,
        global = true
    )]
    api_writes_per_minute: u32,

    /// Longest time for one request, answer included
    #[arg(long, env = "HOLDFAST_API_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration, global = true)]
    api_timeout: Duration,
}

/// How to call the API, checked.
#[derive(Debug, Clone)]
pub struct Claude {
    /// Where it is.
    pub base_url: String,
    /// Key or token.
    pub key: Hidden,
    /// How it travels.
    pub auth: AuthStyle,
    /// Value of the `anthropic-version` header.
    pub version: String,
    /// Value of the `anthropic-beta` header.
    pub beta: String,
    /// Value of the `anthropic-beta` header in requests about memory stores.
    pub memory_beta: String,
    /// Requests a minute that read; 0 for no limit.
    pub reads_per_minute: u32,
    /// Requests a minute that change something; 0 for no limit.
    pub writes_per_minute: u32,
    /// Longest time for one request.
    pub timeout: Duration,
}

impl ClaudeArgs {
    /// Checks the group.
    pub fn validate(&self, problems: &mut Problems) -> Option<Claude> {
        let url = self.api_url.trim_end_matches('/');
        let url_is_fine = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
        if !url_is_fine {
            problems.note("--api-url (ANTHROPIC_BASE_URL) must begin with https:// or http://");
        }
        let key_names = "--api-key (ANTHROPIC_API_KEY)";
        let key = secret(self.api_key.as_ref(), self.api_key_file.as_deref(), key_names, problems);
        let token_names = "--auth-token (ANTHROPIC_AUTH_TOKEN)";
        let token = secret(self.auth_token.as_ref(), self.auth_token_file.as_deref(), token_names, problems);
        let (key, auth) = match (key, token) {
            (Some(key), _) => (key, self.api_auth),
            (None, Some(token)) => (token, AuthStyle::Bearer),
            (None, None) => {
                problems.note(format!(
                    "{key_names} is missing: a key that may read sessions, vaults, agents and deployments"
                ));
                return None;
            }
        };
        if !key.reveal().chars().all(|c| c.is_ascii_graphic()) {
            problems.note(format!("{key_names} holds characters that no header can carry"));
            return None;
        }
        url_is_fine.then(|| Claude {
            base_url: url.to_owned(),
            key,
            auth,
            version: self.api_version.clone(),
            beta: self.api_beta.clone(),
            memory_beta: self.api_memory_beta.clone(),
            reads_per_minute: self.api_reads_per_minute,
            writes_per_minute: self.api_writes_per_minute,
            timeout: self.api_timeout,
        })
    }
}
