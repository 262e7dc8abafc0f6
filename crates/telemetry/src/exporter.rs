//! The way of finished spans to a collector.

use crate::{Chain, Error, Throttle};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one batch may take. Meanwhile spans wait in a bounded queue, and are dropped when it is full.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a collector that is away is worth a log line.
const COMPLAINT_PERIOD: Duration = Duration::from_mins(1);

/// Exports to the collector at this base URL.
///
/// # Errors
/// [`Error::Exporter`] when the URL is none.
pub(crate) fn otlp(base_url: &str) -> Result<Quiet<opentelemetry_otlp::SpanExporter>, Error> {
    let endpoint = format!("{}/v1/traces", base_url.trim_end_matches('/'));
    opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(&endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map(Quiet::new)
        .map_err(|source| Error::Exporter { endpoint, source })
}

/// An exporter whose failures are logged rarely instead of once per batch.
#[derive(Debug)]
pub(crate) struct Quiet<E> {
    exporter: E,
    complaints: Mutex<Throttle>,
}

impl<E> Quiet<E> {
    pub(crate) fn new(exporter: E) -> Self {
        Self { exporter, complaints: Mutex::new(Throttle::new(COMPLAINT_PERIOD)) }
    }
}

impl<E: SpanExporter> SpanExporter for Quiet<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        if let Err(error) = &result {
            let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(suppressed) = complaints.admit(Instant::now()) {
                tracing::warn!(error = %Chain(error), spans, suppressed, "cannot export traces");
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests;
