//! What is logged and traced.

use clap::{Args, ValueEnum};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line
    Json,
    /// Text for people
    Text,
}

/// Logs and traces
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs and traces")]
pub struct TelemetryArgs {
    /// What is logged, for example info or info,broker=debug
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info", global = true)]
    pub log: String,

    /// How log lines look
    #[arg(long, env = "HOLDFAST_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json, global = true)]
    pub log_format: LogFormat,

    /// OpenTelemetry collector to send traces to by OTLP over HTTP; none are sent without it
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", global = true)]
    pub otlp_endpoint: Option<String>,
}

impl TelemetryArgs {
    /// The filter to use. Unless the setting names them, the AMQP library is held to errors, since it logs returned
    /// messages with their payload, and the HTTP server to warnings, since it tells of every thread.
    #[must_use]
    pub fn filter(&self) -> String {
        format!("lapin=error,actix_server=warn,{}", self.log)
    }
}
