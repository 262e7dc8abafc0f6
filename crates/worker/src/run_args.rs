//! The settings of `worker run`.

use chrono::TimeDelta;
use clap::Args;
use domain::RetryPolicy;
use runtime::{Exit, Failure, OrExit};
use settings::{
    Broker, BrokerArgs, Claude, ClaudeArgs, Database, DatabaseArgs, PolicyArgs, Problems, RetryArgs,
    ReviewPolicy, SinkArgs, Sinks, TelemetryArgs, Watch, WatchArgs, WorkerListenArgs,
};
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    /// Resources that are fetched at the same time
    #[arg(long, env = "HOLDFAST_CONCURRENCY", value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Pace")]
    concurrency: u16,

    /// Messages that the worker holds at the same time, of up to 32 events each; events of one resource share a fetch
    #[arg(long, env = "HOLDFAST_PREFETCH", value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Pace")]
    prefetch: u16,

    /// How often the workers together check that no event was lost by RabbitMQ
    #[arg(long, env = "HOLDFAST_AUDIT_INTERVAL", value_name = "TIME", default_value = "60s", value_parser = audit_interval, help_heading = "Pace")]
    audit_interval: Duration,

    /// How long a worker has to post answers to a session, before another one looks what has become of them
    #[arg(long, env = "HOLDFAST_REPLY_LEASE", value_name = "TIME", default_value = "2m", value_parser = reply_lease, help_heading = "Pace")]
    reply_lease: Duration,

    /// How often what is stored is compared with what the API lists, by one worker at a time; 0s: never
    #[arg(long, env = "HOLDFAST_RECONCILE_INTERVAL", value_name = "TIME", default_value = "5m", value_parser = reconcile_interval, help_heading = "Pace")]
    reconcile_interval: Duration,

    /// On shutdown, longest time to finish what has been begun
    #[arg(long, env = "HOLDFAST_DRAIN", value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration, help_heading = "Pace")]
    drain: Duration,

    #[command(flatten)]
    retry: RetryArgs,
    #[command(flatten)]
    reviews: PolicyArgs,
    #[command(flatten)]
    listen: WorkerListenArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    claude: ClaudeArgs,
    #[command(flatten)]
    sinks: SinkArgs,
    #[command(flatten)]
    watch: WatchArgs,
    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,
}

const EXAMPLES: &str = "\
Example:
  DATABASE_URL=postgres://holdfast:…@localhost/holdfast \\
  AMQP_URL=amqp://holdfast:…@localhost:5672/%2f \\
  ANTHROPIC_API_KEY=sk-ant-… worker run --tries 3 --retry-delays 10s,60s

Start as many workers as you like, on as many machines: they share the queue.";

/// What `worker run` runs with, checked.
#[derive(Debug)]
pub(crate) struct RunSettings {
    pub(crate) database: Database,
    pub(crate) broker: Broker,
    pub(crate) claude: Claude,
    pub(crate) policy: RetryPolicy,
    pub(crate) review_policy: ReviewPolicy,
    pub(crate) internal_listen: SocketAddr,
    pub(crate) concurrency: usize,
    pub(crate) prefetch: u16,
    pub(crate) drain: Duration,
    pub(crate) audit_interval: Duration,
    pub(crate) reply_lease: Duration,
    /// `None`: never.
    pub(crate) reconcile_interval: Option<TimeDelta>,
    pub(crate) sinks: Sinks,
    pub(crate) watch: Watch,
}

/// At least a second: a marker is a message like any other.
fn audit_interval(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(interval) if interval < Duration::from_secs(1) => Err("at least 1s".to_owned()),
        Ok(interval) => Ok(interval),
        Err(error) => Err(error.to_string()),
    }
}

/// Long enough for two or three calls.
fn reply_lease(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(lease) if lease < Duration::from_secs(5) => Err("at least 5s".to_owned()),
        Ok(lease) if lease > Duration::from_hours(1) => Err("at most 1h".to_owned()),
        Ok(lease) => Ok(lease),
        Err(error) => Err(error.to_string()),
    }
}

/// At least a second: a pass is some calls of the API.
fn reconcile_interval(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(interval) if !interval.is_zero() && interval < Duration::from_secs(1) => {
            Err("at least 1s, or 0s for never".to_owned())
        }
        Ok(interval) => Ok(interval),
        Err(error) => Err(error.to_string()),
    }
}

impl RunArgs {
    /// Checks everything, and tells everything that is wrong at once.
    pub(crate) fn validate(&self) -> Result<RunSettings, Failure> {
        let mut problems = Problems::new();
        let database = self.database.validate(&mut problems);
        let broker = self.broker.validate(&mut problems);
        let claude = self.claude.validate(&mut problems);
        let policy = self.retry.validate(&mut problems);
        let review_policy = self.reviews.validate(&mut problems);
        let sinks = self.sinks.validate(&mut problems);
        let internal_listen = settings::address(
            &self.listen.internal_listen,
            "--internal-listen (HOLDFAST_INTERNAL_LISTEN)",
            &mut problems,
        );
        let complete = || {
            Some(RunSettings {
                database: database?,
                broker: broker?,
                claude: claude?,
                policy: policy?,
                review_policy: review_policy?,
                internal_listen: internal_listen?,
                concurrency: usize::from(self.concurrency),
                prefetch: self.prefetch,
                drain: self.drain,
                audit_interval: self.audit_interval,
                reply_lease: self.reply_lease,
                sinks: sinks?,
                watch: self.watch.values(),
                reconcile_interval: TimeDelta::from_std(self.reconcile_interval)
                    .ok()
                    .filter(|interval| *interval > TimeDelta::zero()),
            })
        };
        problems.into_result(complete()).or_exit(Exit::Usage)
    }
}
