use super::Quiet;
use crate::LogFormat;
use crate::subscriber::tests::Captured;
use crate::subscriber::{Sink, subscriber};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

/// A collector that is away.
#[derive(Debug)]
struct Away;

impl SpanExporter for Away {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("connection refused".to_owned()))
    }
}

#[test]
fn a_collector_that_is_away_is_mentioned_once() {
    let captured = Captured::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(Quiet::new(Away)).build();
    let sink = Sink { writer: captured.clone(), format: LogFormat::Json, ansi: false };
    tracing::subscriber::with_default(subscriber("info", sink, &provider).unwrap(), || {
        for _ in 0..100 {
            tracing::info_span!("work").in_scope(|| ());
        }
    });
    let complaints: Vec<_> =
        captured.lines().into_iter().filter(|line| line.contains("cannot export traces")).collect();
    assert_eq!(complaints.len(), 1, "{complaints:?}");
}
