//! `worker migrate`.

use crate::answer::Answer;
use crate::connect;
use crate::print::text::counted;
use crate::print::{Form, json};
use serde::Serialize;
use settings::DatabaseArgs;
use std::time::Duration;
use store::Store;
use tokio::time::Instant;

/// How long to rest between two looks at a Postgres that is still starting.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker migrate                what a deployment runs before the new version starts
  worker migrate --wait 5m      for a Postgres that is slow to start

Safe to run twice, and by several processes at once.")]
pub(crate) struct Args {
    /// How long to wait for Postgres to come up
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    wait: Duration,

    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Serialize)]
struct Migrated {
    /// How many migrations were applied.
    applied: usize,
}

/// Brings the schema up to date.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    wait_for(&store, args.wait).await?;
    let applied = store.migrate().await?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Migrated { applied })?,
        Form::Text(_) if applied == 0 => "the schema is up to date\n".to_owned(),
        Form::Text(_) => {
            let migrations = counted(i64::try_from(applied).unwrap_or(i64::MAX), "migration");
            format!("the schema is up to date now: {migrations} applied\n")
        }
    }))
}

/// Waits until Postgres answers. A refusal, such as that of a wrong password, is an answer.
async fn wait_for(store: &Store, wait: Duration) -> Result<(), store::Error> {
    let deadline = Instant::now() + wait;
    loop {
        match store.server().await {
            Err(error) if error.is_unavailable() && Instant::now() < deadline => {
                tracing::info!(error = %telemetry::Chain(&error), "waiting for Postgres");
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer.map(drop),
        }
    }
}
