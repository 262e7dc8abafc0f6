//! The layers that a process logs and traces through.

use crate::format::{Json, Text};
use crate::{Error, LogFormat};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, FilterFn, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// The target of spans that lend their fields to log lines and are no part of any trace: those of long-lived tasks, whose
/// trace would never end and would swallow every piece of work that begins inside.
///
/// ```
/// let span = tracing::info_span!(target: telemetry::UNTRACED, "runtime.task", task = "relay");
/// ```
pub const UNTRACED: &str = "untraced";

/// Where log lines go and how they look.
pub(crate) struct Sink<W> {
    pub(crate) writer: W,
    pub(crate) format: LogFormat,
    pub(crate) ansi: bool,
}

/// Logs what `log_filter` selects to `sink` and traces through `provider`.
///
/// The filter decides about log lines only. Spans exist from level INFO on whatever it says, since a trace that breaks
/// when somebody sets `RUST_LOG=warn` is worth little.
///
/// # Errors
/// [`Error::LogFilter`] when the filter cannot be read.
pub(crate) fn subscriber<W>(
    log_filter: &str,
    sink: Sink<W>,
    provider: &SdkTracerProvider,
) -> Result<impl Subscriber + Send + Sync + use<W>, Error>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder()
        .parse(log_filter)
        .map_err(|source| Error::LogFilter { directive: unreadable(log_filter).to_owned(), source })?;
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("holdfast"))
        // Two clock reads and a map per span, for columns that nobody looks at.
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_filter(traced());
    let lines = fmt::layer().with_writer(sink.writer).with_ansi(sink.ansi);
    let lines = match sink.format {
        LogFormat::Json => lines.fmt_fields(JsonFields::new()).event_format(Json).boxed(),
        LogFormat::Text => lines.event_format(Text::new(sink.ansi)).boxed(),
    };
    let lines = lines.with_filter(filter.or(filter_fn(is_span)));
    Ok(Registry::default().with(traces).with(lines))
}

/// The part of a filter that cannot be read, or all of it where each part can.
fn unreadable(log_filter: &str) -> &str {
    let mut parts = log_filter.split(',');
    parts.find(|part| EnvFilter::builder().parse(part).is_err()).unwrap_or(log_filter)
}

/// Spans from INFO on, and inside them what went wrong.
fn traced() -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    let traced = |metadata: &Metadata<'_>| {
        let traced_span = is_span(metadata) && metadata.target() != UNTRACED;
        traced_span || (metadata.is_event() && *metadata.level() <= Level::WARN)
    };
    filter_fn(traced).with_max_level_hint(LevelFilter::INFO)
}

/// Spans that exist whatever the log filter says.
fn is_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

#[cfg(test)]
pub(crate) mod tests;
