//! A captured delivery, as somebody hands it in.

use crate::error::Error;
use clap::Args;
use signing::{Headers, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use std::io::{Read, stdin};

/// Body and headers of a delivery.
#[derive(Debug, Args)]
pub(crate) struct DeliveryArgs {
    /// File with the body as it arrived; - for standard input
    #[arg(long, value_name = "FILE")]
    body: String,

    /// A header as it arrived; may be given several times, and those that do not matter are passed over
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// Value of the webhook-id header
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// Value of the webhook-timestamp header
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<String>,

    /// Value of the webhook-signature header
    #[arg(long, value_name = "SIGNATURE")]
    signature: Option<String>,
}

impl DeliveryArgs {
    /// The body, byte by byte.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn body(&self) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let read = if self.body == "-" {
            stdin().read_to_end(&mut body).map(|_length| body)
        } else {
            std::fs::read(&self.body)
        };
        read.map_err(|source| Error::Unreadable { path: self.body.clone(), source })
    }

    /// The headers that a signature can come in; the short options win.
    pub(super) fn headers(&self) -> Headers<'_> {
        Headers::from_lookup(|name| {
            let short = match name {
                WEBHOOK_ID => self.id.as_deref(),
                WEBHOOK_TIMESTAMP => self.timestamp.as_deref(),
                WEBHOOK_SIGNATURE => self.signature.as_deref(),
                _ => None,
            };
            let given =
                || self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
            short.or_else(given)
        })
    }
}

/// Reads `Name: value`.
fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("expected a header such as 'webhook-id: whe_01ABC'")?;
    Ok((name.trim().to_lowercase(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests;
