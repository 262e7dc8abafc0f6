//! Commands and their options.

use std::net::SocketAddr;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::batch::DialectChoice;

/// A local stand-in for the Claude API and its webhook sender.
#[derive(Parser)]
#[command(name = "simulator", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the API, send webhooks, take control calls under /_sim
    Serve(Serve),
    /// Let a running simulator send a batch of webhooks, and wait for it
    Send(Send),
    /// Let sessions of a running simulator work, ask, wait for answers and go on, and wait for their end
    Live(Live),
    /// Make API calls of a running simulator fail
    Fault(Fault),
    /// Serve an example executor: carries out the tool calls that a worker sends it
    Executor(ExecutorArgs),
    /// Print the counters of a running simulator as JSON
    State(State),
}

#[derive(ClapArgs)]
pub(crate) struct Serve {
    /// Address to listen on
    #[arg(long, env = "HOLDFAST_SIMULATOR_LISTEN", default_value = "127.0.0.1:8090")]
    pub(crate) listen: SocketAddr,
    /// Where webhooks are sent
    #[arg(
        long,
        env = "HOLDFAST_SIMULATOR_WEBHOOK_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/webhooks/default"
    )]
    pub(crate) webhook_url: String,
    /// Secret that webhooks are signed with (whsec_...); unsigned without it
    #[arg(long, env = "ANTHROPIC_WEBHOOK_SIGNING_KEY", value_name = "SECRET", hide_env_values = true)]
    pub(crate) signing_key: Option<String>,
    /// The only API key to accept; any key without it
    #[arg(long, env = "HOLDFAST_SIMULATOR_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// Seed for ids, jitter and batches; random without it
    #[arg(long, env = "HOLDFAST_SIMULATOR_SEED")]
    pub(crate) seed: Option<u64>,
    /// Factor on the waits between delivery attempts, which are 5 to 120 s at 1.0
    #[arg(long, env = "HOLDFAST_SIMULATOR_TIME_SCALE", value_name = "FACTOR", default_value_t = 0.01)]
    pub(crate) time_scale: f64,
    /// Milliseconds until a turn that an API call started ends by itself; 0 for never
    #[arg(long, env = "HOLDFAST_SIMULATOR_TURN_MS", value_name = "MS", default_value_t = 2000)]
    pub(crate) turn_ms: u64,
    /// Share of all webhooks that never leave, 0 to 1
    #[arg(long, env = "HOLDFAST_SIMULATOR_DROP", value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) drop: f64,
    /// API calls to let through in a minute, the others get 429; no limit without it
    #[arg(long, env = "HOLDFAST_SIMULATOR_REQUESTS_PER_MINUTE", value_name = "N")]
    pub(crate) requests_per_minute: Option<usize>,
    /// What to log, to standard error
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info,actix_server=warn")]
    pub(crate) log: String,
}

/// Which simulator to talk to.
#[derive(ClapArgs)]
pub(crate) struct Target {
    /// Address of a running simulator
    #[arg(
        long,
        env = "HOLDFAST_SIMULATOR_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8090",
        global = true
    )]
    pub(crate) simulator: String,
}

#[derive(ClapArgs)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Distinct events that arrive correctly signed
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) count: usize,
    /// Sessions the events are about
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) sessions: usize,
    /// Extra copies of these events: a share of them when below 1, else a number
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub(crate) duplicates: f64,
    /// Send in random order
    #[arg(long)]
    pub(crate) shuffle: bool,
    /// Deliveries per second; as fast as possible without it
    #[arg(long, value_name = "PER_SECOND")]
    pub(crate) rate: Option<f64>,
    /// Deliveries under way at once
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) concurrency: usize,
    /// Further events signed ten minutes ago; the receiver must refuse them
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) stale: usize,
    /// Further events without a valid signature; the receiver must refuse them
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) bad_signatures: usize,
    /// Further events that happen, but whose webhooks never arrive
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) dropped: usize,
    /// Share of the events whose webhooks never arrive, by chance, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) drop: f64,
    /// Shape of the events
    #[arg(long, value_enum, default_value_t = DialectChoice::Platform)]
    pub(crate) dialect: DialectChoice,
    /// Make every API call about one of the sessions fail, and print its id
    #[arg(long)]
    pub(crate) fail_session: bool,
    /// Repeat a batch: the same seed gives the same ids in the same order
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct Live {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Sessions
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) sessions: usize,
    /// Other resources: vaults, credentials, agents, deployments with runs, environments, memory stores
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) resources: usize,
    /// Turns of a session at most
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) turns: usize,
    /// Share of the turns that end with a question, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.4, value_parser = share)]
    pub(crate) asks: f64,
    /// Share of the questions that are not waited for: the session moves on instead, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) abandon: f64,
    /// Share of the webhooks that are sent twice, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) duplicates: f64,
    /// Share of all webhooks that never arrive from now on, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) drop: f64,
    /// Milliseconds that a webhook leaves late at most, which mixes their order
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) shuffle_ms: u64,
    /// Milliseconds between two steps of a life, on average
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pub(crate) pace_ms: u64,
    /// Seconds after which a session gives up waiting for an answer; never without it
    #[arg(long, value_name = "SECONDS")]
    pub(crate) patience_seconds: Option<u64>,
    /// Repeat the plan: the same seed lets the same things happen
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct ExecutorArgs {
    /// Address to listen on; calls are POSTs to any path
    #[arg(long, env = "HOLDFAST_EXECUTOR_LISTEN", default_value = "127.0.0.1:8091")]
    pub(crate) listen: SocketAddr,
    /// Secret that calls are signed with (whsec_...); calls are not verified without it
    #[arg(long, env = "HOLDFAST_EXECUTOR_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(crate) secret: Option<String>,
    /// How many calls of each tool use fail before one succeeds
    #[arg(long, env = "HOLDFAST_EXECUTOR_FAIL", value_name = "N", default_value_t = 0)]
    pub(crate) fail: u64,
    /// Milliseconds until a call is answered
    #[arg(
        long,
        visible_alias = "delay",
        env = "HOLDFAST_EXECUTOR_DELAY_MS",
        value_name = "MS",
        default_value_t = 0
    )]
    pub(crate) delay_ms: u64,
    /// What to log, to standard error
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info,actix_server=warn")]
    pub(crate) log: String,
}

#[derive(ClapArgs)]
pub(crate) struct Fault {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(subcommand)]
    pub(crate) action: FaultAction,
}

#[derive(Subcommand)]
pub(crate) enum FaultAction {
    /// Add a rule behind those in force; the first that matches a call counts
    Add(Box<FaultRule>),
    /// Remove all rules
    Clear,
}

#[derive(ClapArgs)]
pub(crate) struct FaultRule {
    /// Start of the path, or a pattern for all of it with *
    pub(crate) path: String,
    /// Only calls with this method
    #[arg(long)]
    pub(crate) method: Option<String>,
    /// Status to answer; without it the true answer is only slowed or spoiled
    #[arg(long)]
    pub(crate) status: Option<u16>,
    /// Only calls whose query contains this, such as page= for cursors
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
    /// Body of the answer
    #[arg(
        long,
        value_parser = ["json", "html", "truncated", "cut", "slow", "no_next_page", "empty"],
        default_value = "json"
    )]
    pub(crate) body: String,
    /// How many calls fail; all without it
    #[arg(long, value_name = "N")]
    pub(crate) times: Option<u32>,
    /// Milliseconds to wait before answering
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) latency_ms: u64,
    /// Value of the retry-after header: seconds or an HTTP date
    #[arg(long, value_name = "VALUE")]
    pub(crate) retry_after: Option<String>,
    /// Machine-readable code in the body of the error
    #[arg(long, value_name = "CODE")]
    pub(crate) error_code: Option<String>,
    /// Value of the x-should-retry header
    #[arg(long, value_name = "BOOL")]
    pub(crate) should_retry: Option<bool>,
    /// Share of the matching calls that fail, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    pub(crate) probability: f64,
    /// Carry the call out before failing it
    #[arg(long)]
    pub(crate) after: bool,
}

#[derive(ClapArgs)]
pub(crate) struct State {
    #[command(flatten)]
    pub(crate) target: Target,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("between 0 and 1".to_owned()) }
}

#[cfg(test)]
mod tests;
