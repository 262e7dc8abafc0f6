//! `simulator serve`.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::{Options, Simulator, cli::args::Serve};

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(args: Serve) -> anyhow::Result<ExitCode> {
    // Before binding, so that a signal right after the start is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
    if args.signing_key.is_none() {
        warn!("no signing key: webhooks carry no signature");
    }
    let simulator = Simulator::start(options(args)).await?;
    tokio::select! {
        _ = terminate.recv() => info!("SIGTERM, stopping"),
        _ = interrupt.recv() => info!("SIGINT, stopping"),
    }
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn options(args: Serve) -> Options {
    Options {
        listen: args.listen,
        webhook_url: Some(args.webhook_url),
        signing_key: args.signing_key.filter(|key| !key.trim().is_empty()),
        api_key: args.api_key.filter(|key| !key.is_empty()),
        seed: args.seed,
        time_scale: args.time_scale,
        turn_time: (args.turn_ms > 0).then(|| Duration::from_millis(args.turn_ms)),
        created_webhooks: false,
        drop: args.drop,
        requests_per_minute: args.requests_per_minute,
        http_threads: 2,
    }
}
