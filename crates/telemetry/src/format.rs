//! What a log line looks like.
//!
//! The formats of `tracing-subscriber` do not know trace ids, so ours add them. The id comes from OpenTelemetry's own
//! current context, which the trace layer keeps in step with the entered spans.

use crate::Chain;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, TraceId};
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Members that are always ours; a field of the same name is not shown.
const RESERVED: [&str; 5] = ["timestamp", "level", "target", "message", "trace_id"];

/// One JSON object per line: time, level, target, message, trace id, then the fields of the event and of the spans it
/// happened in, all on one level.
#[derive(Debug)]
pub(crate) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        // From the root inwards, so that the innermost value of a name wins.
        for span in ctx.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(formatted) = span.extensions().get::<FormattedFields<N>>()
                && let Ok(Value::Object(object)) = serde_json::from_str(formatted)
            {
                fields.0.extend(object);
            }
        }
        event.record(&mut fields);
        let line = json_line(event, &fields.0).map_err(|_| fmt::Error)?;
        writeln!(writer, "{}", String::from_utf8_lossy(&line))
    }
}

fn json_line(event: &Event<'_>, fields: &Map<String, Value>) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("timestamp", &timestamp())?;
    object.serialize_entry("level", event.metadata().level().as_str())?;
    object.serialize_entry("target", event.metadata().target())?;
    if let Some(message) = fields.get("message") {
        object.serialize_entry("message", message)?;
    }
    if let Some(trace_id) = current_trace_id() {
        object.serialize_entry("trace_id", &trace_id.to_string())?;
    }
    for (name, value) in fields.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str())) {
        object.serialize_entry(name, value)?;
    }
    object.end()?;
    Ok(line)
}

/// The format for people that `tracing-subscriber` brings, with the trace id at the end.
#[derive(Debug)]
pub(crate) struct Text {
    full: Format<Full, SystemTime>,
}

impl Text {
    pub(crate) fn new(ansi: bool) -> Self {
        Self { full: Format::default().with_ansi(ansi) }
    }
}

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::with_capacity(256);
        self.full.format_event(ctx, Writer::new(&mut line), event)?;
        writer.write_str(line.trim_end_matches('\n'))?;
        if let Some(trace_id) = current_trace_id() {
            write!(writer, " trace_id={trace_id}")?;
        }
        writeln!(writer)
    }
}

fn timestamp() -> String {
    let mut text = String::with_capacity(32);
    // Writing to a string cannot fail.
    if SystemTime.format_time(&mut Writer::new(&mut text)).is_err() {
        text.clear();
    }
    text
}

fn current_trace_id() -> Option<TraceId> {
    let trace_id = Context::map_current(|context| context.span().span_context().trace_id());
    (trace_id != TraceId::INVALID).then_some(trace_id)
}

/// Fields of an event as JSON values.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        // A raw identifier such as `r#type` is how a field with the name of a keyword is written.
        let name = field.name();
        self.0.insert(name.strip_prefix("r#").unwrap_or(name).to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field, Chain(value).to_string());
    }
}
