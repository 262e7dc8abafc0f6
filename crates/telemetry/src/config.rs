//! What `init` is told.

use std::fmt;
use std::str::FromStr;

/// How a process logs and where its traces go.
#[derive(Debug, Clone)]
pub struct Config {
    /// `service.name` of the traces, for example `ingest`.
    pub service_name: &'static str,
    /// `service.instance.id` of the traces: tells one pod from the next.
    pub instance_id: String,
    /// Which events are logged, in the syntax of `RUST_LOG`.
    pub log_filter: String,
    /// How they are written.
    pub log_format: LogFormat,
    /// Base URL of an OTLP collector that speaks HTTP, as in `OTEL_EXPORTER_OTLP_ENDPOINT`; traces are posted to
    /// `/v1/traces` below it. Without one, traces have ids and are exported nowhere.
    pub otlp_endpoint: Option<String>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object per line, for machines.
    #[default]
    Json,
    /// Lines for people, coloured on a terminal.
    Text,
}

impl LogFormat {
    /// The name of the format in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a log format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown log format {0:?}, expected json or text")]
pub struct UnknownLogFormat(pub String);

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Json, Self::Text]
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownLogFormat(text.to_owned()))
    }
}
