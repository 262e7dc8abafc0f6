//! The metric registry and its text form.

use crate::Error;
use prometheus_client::encoding::text;

pub use prometheus_client::registry::Registry;

/// The media type of what [`encode`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of a registry as `OpenMetrics` text.
///
/// # Errors
/// [`Error::EncodeMetrics`] when a metric cannot be written.
pub fn encode(registry: &Registry) -> Result<String, Error> {
    let mut text = String::new();
    text::encode(&mut text, registry).map_err(Error::EncodeMetrics)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
