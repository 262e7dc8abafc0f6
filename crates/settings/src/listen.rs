//! Where the processes listen.

use crate::problems::Problems;
use clap::Args;
use std::net::{SocketAddr, ToSocketAddrs};

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

/// Reads an address to listen on, such as `127.0.0.1:8080` or `localhost:8080`.
pub fn address(text: &str, setting: &str, problems: &mut Problems) -> Option<SocketAddr> {
    let address = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    if address.is_none() {
        problems.note(format!("{setting} must be an address such as 127.0.0.1:8080, and {text:?} is none"));
    }
    address
}
