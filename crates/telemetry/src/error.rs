//! What can go wrong here.

/// Why telemetry could not be set up, flushed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The log filter is not in the syntax of `RUST_LOG`.
    #[error(
        "the log filter (--log, RUST_LOG) cannot be read at {directive:?}; write for example info or info,broker=debug"
    )]
    LogFilter {
        /// The part of the filter that cannot be read.
        directive: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The trace exporter could not be built.
    #[error("cannot export traces to {endpoint}")]
    Exporter {
        /// The URL that traces would be posted to.
        endpoint: String,
        /// Why not.
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// Another subscriber is already installed in this process.
    #[error("logging is already set up in this process")]
    AlreadyInstalled(#[source] tracing::dispatcher::SetGlobalDefaultError),
    /// The last spans did not reach the collector.
    #[error("cannot flush the last traces")]
    Flush(#[source] opentelemetry_sdk::error::OTelSdkError),
    /// The text is no W3C `traceparent`. The text itself is not shown: it comes from strangers.
    #[error("invalid traceparent")]
    InvalidTraceparent,
    /// The metrics could not be written as text.
    #[error("cannot encode the metrics")]
    EncodeMetrics(#[source] std::fmt::Error),
}
