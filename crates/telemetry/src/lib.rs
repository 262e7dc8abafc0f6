//! Logs, traces and the metric registry: building them at the start of a process and flushing them at its end.
//!
//! Owns the subscriber and the OTLP exporter ([`init`], whose [`Guard`] `main` keeps), trace context in and out of
//! strings ([`TraceContext`]), the text form of the metric registry ([`metrics`]) and the printer of error chains
//! ([`Chain`]). Each crate that measures something defines its own metrics and is handed a [`Registry`]; nothing here is
//! global but the one subscriber that `tracing` allows.
//!
//! Invariants: a log line written inside a span carries the `trace_id` of its trace, with or without a collector; a
//! collector that is away costs spans, never time or log lines; logs go to standard error, so that standard output
//! belongs to the command.
//!
//! `telemetry` knows no word of the business.

mod chain;
mod config;
mod error;
mod exporter;
mod format;
mod guard;
pub mod metrics;
mod subscriber;
mod throttle;
mod trace_context;

pub use chain::Chain;
pub use config::{Config, LogFormat, UnknownLogFormat};
pub use error::Error;
pub use guard::{Guard, init};
pub use metrics::Registry;
pub use subscriber::UNTRACED;
pub use throttle::{LogLimiter, Throttle};
pub use trace_context::TraceContext;
