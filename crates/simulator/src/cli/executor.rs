//! `simulator executor`.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpServer, web::Data};
use anyhow::Context;
use signing::Secret;
use tracing::{info, warn};

use crate::{
    cli::args::ExecutorArgs,
    executor::{self, Behaviour, Executor},
};

/// Serves until SIGTERM or SIGINT, which the server itself listens for.
pub(crate) async fn executor(args: &ExecutorArgs) -> anyhow::Result<ExitCode> {
    let secret = args.secret.as_deref().map(str::trim).filter(|secret| !secret.is_empty());
    let secret = secret.map(Secret::parse).transpose().context("the secret is not usable")?;
    if secret.is_none() {
        warn!("no secret: calls are not verified");
    }
    let behaviour = Behaviour {
        secret,
        fail: args.fail,
        delay: Duration::from_millis(args.delay_ms),
        ..Behaviour::default()
    };
    let data = Data::from(Arc::new(Mutex::new(Executor::new(behaviour))));
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(executor::alone))
        .workers(1)
        .shutdown_timeout(5)
        .bind(args.listen)
        .with_context(|| format!("could not listen on {}", args.listen))?;
    let address = server.addrs().first().copied().unwrap_or(args.listen);
    info!(%address, "executor started");
    server.run().await.context("the server ended")?;
    Ok(ExitCode::SUCCESS)
}
