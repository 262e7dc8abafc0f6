//! The whole life of a process. The tests of this crate send it signals.
//!
//! Arguments: what its one task does (`finish` or `hang` when the shutdown begins, `fail` or panic before), and the
//! address of its internal listener.

use anyhow::{anyhow, bail};
use runtime::{Exit, Failure, Health, HealthServer, OrExit, Shutdown, Tasks, listen, main_with};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use telemetry::{Config, LogFormat, Registry};

const DRAIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let config = Config {
        service_name: "lifecycle",
        instance_id: std::process::id().to_string(),
        log_filter: "info".to_owned(),
        log_format: LogFormat::Json,
        otlp_endpoint: None,
    };
    main_with(&config, run)
}

async fn run(tasks: Tasks) -> Result<Exit, Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(behaviour), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err(anyhow!("usage: lifecycle BEHAVIOUR ADDRESS")).or_exit(Exit::Usage);
    };
    let address: SocketAddr = address.parse().or_exit(Exit::Usage)?;
    let health = Health::new(tasks.shutdown().clone(), Arc::new(Registry::default()));
    let server = HealthServer::new(listen(address, "the second argument")?, health);
    tasks.spawn_lasting("health", async { Ok(server.serve().await?) });
    tasks.spawn_critical("work", work(behaviour, tasks.shutdown().clone()));
    tasks.run_until_shutdown(DRAIN).await?;
    Ok(Exit::Ok)
}

async fn work(behaviour: String, shutdown: Shutdown) -> anyhow::Result<()> {
    match behaviour.as_str() {
        "finish" => {
            shutdown.soft().cancelled().await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            tracing::info!("work is finished");
            Ok(())
        }
        "hang" => std::future::pending().await,
        "fail" => bail!("nothing works"),
        unknown => unreachable!("unknown behaviour {unknown}"),
    }
}
