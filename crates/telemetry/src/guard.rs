//! Setting telemetry up and tearing it down.

use crate::subscriber::{Sink, subscriber};
use crate::{Config, Error, exporter};
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::io::{self, IsTerminal};
use std::time::Duration;

/// How long the end of a process may wait for its last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps telemetry alive. `main` owns it and flushes it last.
#[derive(Debug)]
#[must_use = "traces end when the guard is dropped"]
pub struct Guard {
    provider: SdkTracerProvider,
}

/// Starts logging to standard error and, where a collector is configured, exporting traces. Panics become log lines.
///
/// # Errors
/// When the log filter or the collector's URL is invalid, or when this process has set up logging before.
pub fn init(config: &Config) -> Result<Guard, Error> {
    let provider = provider(config)?;
    let sink = Sink { writer: io::stderr, format: config.log_format, ansi: io::stderr().is_terminal() };
    let subscriber = subscriber(&config.log_filter, sink, &provider)?;
    tracing::subscriber::set_global_default(subscriber).map_err(Error::AlreadyInstalled)?;
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    Ok(Guard { provider })
}

impl Guard {
    /// Sends the spans that are still here, within about five seconds. Blocks: call it outside of async code.
    ///
    /// # Errors
    /// [`Error::Flush`] when they did not reach the collector in time.
    pub fn shutdown(self) -> Result<(), Error> {
        self.flush()
    }

    fn flush(&self) -> Result<(), Error> {
        self.provider.shutdown_with_timeout(FLUSH_TIMEOUT).map_err(Error::Flush)
    }
}

impl Drop for Guard {
    /// Flushes as [`Guard::shutdown`] does, for a `main` that ends early. A second flush does nothing.
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            tracing::debug!(error = %crate::Chain(&error), "traces were not flushed, or had been before");
        }
    }
}

fn provider(config: &Config) -> Result<SdkTracerProvider, Error> {
    let Some(base_url) = &config.otlp_endpoint else {
        // Ids are still made and passed on, but nothing is recorded.
        return Ok(SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build());
    };
    let resource = Resource::builder()
        .with_service_name(config.service_name)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", config.instance_id.clone()))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        // Whether we record is not for the sender of a webhook to decide, so its sampled flag is not looked at.
        .with_sampler(Sampler::AlwaysOn)
        .with_batch_exporter(exporter::otlp(base_url)?)
        .build())
}

#[cfg(test)]
mod tests;
