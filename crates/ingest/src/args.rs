//! The command line of `ingest`, and the settings it leads to.

use clap::Parser;
use runtime::{Exit, Failure, OrExit};
use settings::{
    Broker, BrokerArgs, Database, DatabaseArgs, IngestListenArgs, Problems, SignatureArgs, Signatures,
    TelemetryArgs,
};
use std::net::SocketAddr;
use std::time::Duration;

/// Receive Claude webhooks: verify each delivery, store it in Postgres, hand it to RabbitMQ, answer
///
/// A delivery that is answered 200 is durable. Every option can be given as an environment variable.
#[derive(Debug, Parser)]
#[command(name = "ingest", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    listen: IngestListenArgs,

    /// Largest body that is read, in bytes
    #[arg(long, env = "HOLDFAST_BODY_LIMIT", value_name = "BYTES", default_value_t = 262_144, value_parser = clap::value_parser!(u64).range(1024..=16_777_216), help_heading = "Listeners")]
    body_limit: u64,

    /// Threads that serve requests; 0 means one per core
    #[arg(long, env = "HOLDFAST_HTTP_THREADS", value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=256), help_heading = "Listeners")]
    http_threads: u16,

    /// On shutdown, how long to go on serving while load balancers notice that /readyz says no
    #[arg(long, env = "HOLDFAST_DRAIN_DELAY", value_name = "TIME", default_value = "0s", value_parser = humantime::parse_duration, help_heading = "Listeners")]
    drain_delay: Duration,

    /// On shutdown, longest time for open requests to finish
    #[arg(long, env = "HOLDFAST_DRAIN", value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration, help_heading = "Listeners")]
    drain: Duration,

    #[command(flatten)]
    signatures: SignatureArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

const EXAMPLES: &str = "\
Example:
  DATABASE_URL=postgres://holdfast:…@localhost/holdfast \\
  AMQP_URL=amqp://holdfast:…@localhost:5672/%2f \\
  ANTHROPIC_WEBHOOK_SIGNING_KEY=whsec_… ingest --listen 0.0.0.0:8080

Point the endpoint of the Claude Console at https://YOUR-HOST/webhooks/default";

/// What `ingest` runs with, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) internal_listen: SocketAddr,
    pub(crate) body_limit: usize,
    pub(crate) http_threads: usize,
    pub(crate) drain_delay: Duration,
    pub(crate) drain: Duration,
    pub(crate) signatures: Signatures,
    pub(crate) database: Database,
    pub(crate) broker: Broker,
    /// Whether spans are exported.
    pub(crate) traced: bool,
}

impl Args {
    /// What is logged and traced.
    pub(crate) fn telemetry(&self) -> telemetry::Config {
        telemetry::Config {
            service_name: "ingest",
            instance_id: format!("ingest-{}", std::process::id()),
            log_filter: self.telemetry.filter(),
            log_format: match self.telemetry.log_format {
                settings::LogFormat::Json => telemetry::LogFormat::Json,
                settings::LogFormat::Text => telemetry::LogFormat::Text,
            },
            otlp_endpoint: self.telemetry.otlp_endpoint.clone(),
        }
    }

    /// Checks everything, and tells everything that is wrong at once.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let mut problems = Problems::new();
        let signatures = self.signatures.validate(&mut problems);
        let database = self.database.validate(&mut problems);
        let broker = self.broker.validate(&mut problems);
        let listen = settings::address(&self.listen.listen, "--listen (HOLDFAST_LISTEN)", &mut problems);
        let internal_listen = settings::address(
            &self.listen.internal_listen,
            "--internal-listen (HOLDFAST_INTERNAL_LISTEN)",
            &mut problems,
        );
        let complete = || {
            Some(Settings {
                listen: listen?,
                internal_listen: internal_listen?,
                body_limit: usize::try_from(self.body_limit).ok()?,
                http_threads: usize::from(self.http_threads),
                drain_delay: self.drain_delay,
                drain: self.drain,
                signatures: signatures?,
                database: database?,
                broker: broker?,
                traced: self.telemetry.otlp_endpoint.is_some(),
            })
        };
        problems.into_result(complete()).or_exit(Exit::Usage)
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
