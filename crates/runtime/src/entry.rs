//! From `main` to the first future and back to an exit code.

use crate::{Exit, Failure, OrExit, Tasks};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;
use telemetry::{Chain, Config, Guard};
use tokio::runtime::{Builder, Runtime};

/// How long blocking work that nobody waits for any more may delay the end of the process.
const BLOCKING_GRACE: Duration = Duration::from_secs(1);

/// Runs a process: sets up telemetry, runs `work` on a tokio runtime, prints its error with all causes to standard
/// error, flushes telemetry and returns the exit code.
///
/// A server ends its `work` with [`Tasks::run_until_shutdown`]; a command just returns.
pub fn main_with<W, F>(config: &Config, work: W) -> ExitCode
where
    W: FnOnce(Tasks) -> F,
    F: Future<Output = Result<Exit, Failure>>,
{
    let exit = prepare(config).and_then(|(guard, runtime)| {
        // A panic unwinds to here and no further, so that telemetry is flushed after it.
        let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work(Tasks::new()))));
        runtime.shutdown_timeout(BLOCKING_GRACE);
        if let Err(error) = guard.shutdown() {
            tracing::warn!(error = %Chain(&error), "the last traces are lost");
        }
        // The panic itself is already in the log.
        result.unwrap_or(Ok(Exit::Internal))
    });
    exit.unwrap_or_else(|failure| {
        eprintln!("{}: {:#}", config.service_name, failure.error);
        failure.exit
    })
    .into()
}

fn prepare(config: &Config) -> Result<(Guard, Runtime), Failure> {
    failpoints::arm().or_exit(Exit::Usage)?;
    let guard = telemetry::init(config).or_exit(Exit::Usage)?;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name(config.service_name)
        .build()
        .or_exit(Exit::Internal)?;
    Ok((guard, runtime))
}
