use super::{Sink, UNTRACED, subscriber};
use crate::{LogFormat, TraceContext};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde_json::Value;
use std::io;
use std::sync::{Arc, Mutex};
use tracing::{Instrument, info, info_span, warn};
use tracing_subscriber::fmt::MakeWriter;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const PARENT_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Log lines, kept instead of written.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for Captured {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}

/// What is logged while `work` runs, without any collector.
fn logged(format: LogFormat, filter: &str, work: impl FnOnce()) -> Vec<String> {
    let captured = Captured::default();
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
    let sink = Sink { writer: captured.clone(), format, ansi: false };
    tracing::subscriber::with_default(subscriber(filter, sink, &provider).unwrap(), work);
    captured.lines()
}

fn logged_json(filter: &str, work: impl FnOnce()) -> Vec<Value> {
    let lines = logged(LogFormat::Json, filter, work);
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_has_time_level_target_message_and_flat_fields() {
    let lines = logged_json("info", || info!(event.id = "whe_1", attempt = 2, ok = true, "tried"));
    let line = &lines[0];
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], "telemetry::subscriber::tests");
    assert_eq!(line["message"], "tried");
    assert_eq!(
        (&line["event.id"], &line["attempt"], &line["ok"]),
        (&"whe_1".into(), &2.into(), &true.into())
    );
    let timestamp = line["timestamp"].as_str().unwrap();
    assert!(timestamp.contains('T') && timestamp.ends_with('Z'), "{timestamp}");
    assert!(line.get("trace_id").is_none(), "there is no trace outside of spans");
}

#[test]
fn every_line_inside_a_continued_trace_carries_its_id() {
    let lines = logged_json("info", || {
        let span = info_span!("outer", event.id = "whe_1");
        TraceContext::continue_from(&span, Some(PARENT));
        span.in_scope(|| {
            info!("one");
            info_span!("inner", event.id = "whe_2").in_scope(|| info!("two"));
        });
        info!("outside");
    });
    assert_eq!(lines[0]["trace_id"], PARENT_TRACE);
    assert_eq!(lines[0]["event.id"], "whe_1");
    assert_eq!(lines[1]["trace_id"], PARENT_TRACE);
    assert_eq!(lines[1]["event.id"], "whe_2", "the innermost span's field wins");
    assert!(lines[2].get("trace_id").is_none());
}

#[test]
fn a_trace_without_a_parent_has_one_id_for_lines_and_messages() {
    let mut sent = None;
    let lines = logged_json("info", || {
        let span = info_span!("root");
        TraceContext::continue_from(&span, Some("not a traceparent"));
        span.in_scope(|| {
            info!("one");
            sent = Some(TraceContext::current());
        });
    });
    assert_eq!(lines[0]["trace_id"], sent.unwrap().trace_id().to_string());
}

#[test]
fn a_strict_log_filter_silences_lines_and_breaks_no_trace() {
    let mut sent = None;
    let lines = logged_json("warn", || {
        let span = info_span!("outer", event.id = "whe_1");
        TraceContext::continue_from(&span, Some(PARENT));
        span.in_scope(|| {
            info!("not shown");
            warn!("shown");
            sent = Some(TraceContext::current());
        });
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["trace_id"], PARENT_TRACE);
    assert_eq!(lines[0]["event.id"], "whe_1");
    assert_eq!(sent.unwrap().trace_id().to_string(), PARENT_TRACE);
}

#[test]
fn a_long_lived_task_names_its_lines_and_is_no_trace() {
    let lines = logged_json("info", || {
        info_span!(target: UNTRACED, "runtime.task", task = "relay").in_scope(|| {
            info!("idle");
            info_span!("piece").in_scope(|| info!("one"));
            info_span!("piece").in_scope(|| info!("two"));
        });
    });
    assert!(lines.iter().all(|line| line["task"] == "relay"));
    assert!(lines[0].get("trace_id").is_none());
    assert_ne!(lines[1]["trace_id"], lines[2]["trace_id"], "each piece of work is a trace of its own");
}

#[test]
fn an_instrumented_future_keeps_its_trace_across_awaits() {
    let lines = logged_json("info", || {
        let span = info_span!("task");
        TraceContext::continue_from(&span, Some(PARENT));
        let work = async {
            std::future::ready(()).await;
            info!("after an await");
        };
        let mut work = std::pin::pin!(work.instrument(span));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(work.as_mut().poll(&mut context).is_ready());
    });
    assert_eq!(lines[0]["trace_id"], PARENT_TRACE);
}

#[test]
fn errors_are_logged_with_their_sources() {
    let lines = logged_json("info", || {
        let error = crate::Error::EncodeMetrics(std::fmt::Error);
        warn!(error = &error as &dyn std::error::Error, "failed");
    });
    let text = lines[0]["error"].as_str().unwrap();
    assert!(text.starts_with("cannot encode the metrics: "), "{text}");
}

#[test]
fn a_field_cannot_forge_the_level_or_the_trace_id() {
    let lines = logged_json("info", || info!(level = "ERROR", trace_id = "forged", "a line"));
    assert_eq!(lines[0]["level"], "INFO");
    assert!(lines[0].get("trace_id").is_none());
}

#[test]
fn lines_for_people_end_with_the_trace_id() {
    let lines = logged(LogFormat::Text, "info", || {
        let span = info_span!("outer");
        TraceContext::continue_from(&span, Some(PARENT));
        span.in_scope(|| info!("one\ntwo"));
        info!("outside");
    });
    let traced: Vec<_> = lines.iter().filter(|line| line.contains("trace_id")).collect();
    assert_eq!(traced.len(), 1);
    assert!(traced[0].ends_with(&format!(" trace_id={PARENT_TRACE}")), "{traced:?}");
}

#[test]
fn a_bad_filter_is_named() {
    let provider = SdkTracerProvider::builder().build();
    let sink = Sink { writer: Captured::default(), format: LogFormat::Json, ansi: false };
    let error = subscriber("info,ops=loud", sink, &provider).err().unwrap();
    assert!(error.to_string().contains("ops=loud"), "{error}");
}
