//! Trace context in and out of strings: the W3C `traceparent`, version 00.

use crate::Error;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use std::fmt;
use std::str::FromStr;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetrySpanExt, SetParentError};

/// The length of `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`.
const LENGTH: usize = 55;

/// Where in which trace we are: what is stored with an event and sent with a message, so that one trace follows an
/// event through the queue and all its tries.
///
/// `Display` writes the `traceparent`, `FromStr` reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

impl TraceContext {
    /// The context of the span that is entered right now, or a new trace when there is none.
    #[must_use]
    pub fn current() -> Self {
        Context::map_current(|context| Self::of(context.span().span_context())).unwrap_or_else(Self::random)
    }

    /// A new trace, not sampled: nobody has recorded its root.
    #[must_use]
    pub fn random() -> Self {
        let ids = RandomIdGenerator::default();
        Self { trace_id: ids.new_trace_id(), span_id: ids.new_span_id(), flags: TraceFlags::NOT_SAMPLED }
    }

    /// A step of the trace that a `traceparent` names, or of a new one, that no span records.
    #[must_use]
    pub fn unrecorded(traceparent: Option<&str>) -> Self {
        let fresh = Self::random();
        let parent = traceparent.and_then(|text| text.parse::<Self>().ok());
        parent.map_or(fresh, |parent| Self { span_id: fresh.span_id, ..parent })
    }

    /// Makes `span` a continuation of the trace that a `traceparent` names. Without one, or with one that is invalid,
    /// the span keeps the parent it has.
    ///
    /// Must happen before the span is entered (or instruments a future): a span's ids are fixed when it is first used.
    pub fn continue_from(span: &Span, traceparent: Option<&str>) {
        let Some(parent) = traceparent.and_then(|text| text.parse::<Self>().ok()) else {
            return;
        };
        match span.set_parent(Context::new().with_remote_span_context(parent.to_span_context())) {
            Ok(()) | Err(SetParentError::LayerNotFound | SetParentError::SpanDisabled) => {}
            Err(SetParentError::AlreadyStarted) => {
                tracing::warn!(
                    span = span.metadata().map(tracing::Metadata::name),
                    "trace continued too late"
                );
            }
        }
    }

    /// Links `span` to this context: related, but not its cause, as the many events that one fetch serves.
    pub fn link(self, span: &Span) {
        span.add_link(self.to_span_context());
    }

    /// The id of the trace; its `Display` is 32 hex digits.
    #[must_use]
    pub const fn trace_id(self) -> TraceId {
        self.trace_id
    }

    /// The id of the span within the trace; its `Display` is 16 hex digits.
    #[must_use]
    pub const fn span_id(self) -> SpanId {
        self.span_id
    }

    /// Whether somebody upstream records this trace.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags.is_sampled()
    }

    /// `None` for the all-zero context that OpenTelemetry has where no span is.
    fn of(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            flags: context.trace_flags(),
        })
    }

    fn to_span_context(self) -> SpanContext {
        SpanContext::new(self.trace_id, self.span_id, self.flags, true, TraceState::NONE)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags.to_u8())
    }
}

impl FromStr for TraceContext {
    type Err = Error;

    /// Strict: lower-case digits, no all-zero id, version `ff` refused. A later version may carry more fields after the
    /// known ones, as the specification demands.
    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or(Error::InvalidTraceparent)
    }
}

fn parse(text: &str) -> Option<TraceContext> {
    let (known, rest) = text.split_at_checked(LENGTH)?;
    let mut fields = known.split('-');
    let version = hex(fields.next()?, 2)?;
    let trace_id = TraceId::from(hex(fields.next()?, 32)?);
    let span_id = SpanId::from(u64::try_from(hex(fields.next()?, 16)?).ok()?);
    let flags = TraceFlags::new(u8::try_from(hex(fields.next()?, 2)?).ok()?);
    let rest_is_allowed = rest.is_empty() || (version > 0 && rest.starts_with('-'));
    let ids_are_real = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    (version != 0xff && rest_is_allowed && ids_are_real).then_some(TraceContext { trace_id, span_id, flags })
}

/// Exactly `digits` lower-case hex digits; `from_str_radix` alone would also take a sign and upper case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == digits && text.bytes().all(is_lower_hex)).then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests;
