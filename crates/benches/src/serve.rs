//! The servers that Holdfast is measured against, and the API that its worker asks.

mod api;
mod bare;
mod obvious;

use anyhow::{Context, Result};
use clap::Subcommand;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

/// A server of the benchmark. Listens on loopback and serves until it is killed.
#[derive(Debug, Subcommand)]
pub(crate) enum Serve {
    /// An endpoint that verifies signatures and answers, and does nothing else
    Bare {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        secret: String,
    },
    /// What one would write first: insert, publish with confirm, answer
    Obvious {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        secret: String,
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: String,
        #[arg(long, env = "AMQP_URL", hide_env_values = true)]
        amqp_url: String,
        #[arg(long)]
        queue: String,
    },
    /// A Claude API in which every session exists, and which counts its requests
    Api {
        #[arg(long)]
        port: u16,
        /// How long each answer takes
        #[arg(long, value_parser = parse_milliseconds, default_value = "0")]
        latency_ms: Duration,
    },
}

fn parse_milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    Ok(Duration::from_millis(text.parse()?))
}

/// Serves until it is killed.
pub(crate) fn serve(what: Serve) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        match what {
            Serve::Bare { port, secret } => bare::serve(listen(port)?, &secret).await,
            Serve::Obvious { port, secret, database_url, amqp_url, queue } => {
                obvious::serve(listen(port)?, &secret, &database_url, &amqp_url, queue).await
            }
            Serve::Api { port, latency_ms } => api::serve(listen(port)?, latency_ms).await,
        }
    })
}

fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("cannot listen on port {port}"))
}
