//! Where the processes listen.

use clap::Args;

/// Listeners
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listeners")]
pub struct IngestListenArgs {
    /// Address for webhooks: POST /webhooks/{endpoint} and POST /claude-webhook
    #[arg(long, env = "HOLDFAST_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: String,

    /// Address for /livez, /readyz and /metrics; keep it private
    #[arg(long, env = "HOLDFAST_INTERNAL_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9080")]
    pub internal_listen: String,
}

/// Listener
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listener")]
pub struct WorkerListenArgs {
    /// Address for /livez, /readyz and /metrics; keep it private
    #[arg(long, env = "HOLDFAST_INTERNAL_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9081")]
    pub internal_listen: String,
}
