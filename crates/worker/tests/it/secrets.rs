//! Secrets are never printed.

use crate::lab::{Lab, worker};
use anyhow::Result;
use testkit::process::free_port;
use tokio::task::JoinSet;

const COMMANDS: [&[&str]; 6] = [
    &["doctor"],
    &["dlq", "check"],
    &["events", "list", "--json"],
    &["--help"],
    &["dlq", "check", "--help"],
    &["run", "--internal-listen", "nowhere"],
];

const SECRETS: [&str; 4] = ["hunter2-postgres", "hunter2-rabbit", "sk-ant-hunter2", "aHVudGVyMi1zaWduaW5n"];

#[tokio::test]
async fn no_command_prints_a_secret_even_when_everything_fails() -> Result<()> {
    let lab = Lab::new().await?;
    let [postgres, rabbit, key, signing] = SECRETS;
    let port = free_port()?;
    let away = (
        format!("postgres://holdfast:{postgres}@127.0.0.1:{port}/postgres"),
        format!("amqp://guest:{rabbit}@127.0.0.1:{port}/%2f"),
    );
    // Without a scheme, without a port that is a number: what no parser likes.
    let broken = (format!("holdfast:{postgres}@host"), format!("amqp://guest:{rabbit}@host:port/%2f"));
    let refused = (
        lab.database.url().replacen("holdfast@", &format!("holdfast:{postgres}@"), 1),
        testkit::broker::url()?.replacen("guest:guest@", &format!("guest:{rabbit}@"), 1),
    );
    let secret = format!("whsec_{signing}");
    let mut running = JoinSet::new();
    for (database, amqp) in [away, broken, refused] {
        for args in COMMANDS {
            let (database, amqp, secret) = (database.clone(), amqp.clone(), secret.clone());
            running.spawn(async move {
                let envs = [
                    ("DATABASE_URL", database.as_str()),
                    ("AMQP_URL", amqp.as_str()),
                    ("ANTHROPIC_API_KEY", key),
                    ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9"),
                    ("ANTHROPIC_WEBHOOK_SIGNING_KEY", secret.as_str()),
                    ("RUST_LOG", "debug"),
                ];
                worker(args, &envs).await
            });
        }
    }
    while let Some(said) = running.join_next().await {
        let said = said??;
        for secret in SECRETS {
            assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "{said:?}");
        }
    }
    Ok(())
}
