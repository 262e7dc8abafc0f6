//! The headers a signature can come in.

use std::fmt;

/// Name of the header with the delivery's id, the same on every attempt.
pub const WEBHOOK_ID: &str = "webhook-id";
/// Name of the header with the time of the attempt, in whole Unix seconds.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// Name of the header with the space-separated list of signatures.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";
/// Like [`WEBHOOK_ID`], beside `X-Webhook-Signature`.
pub const X_WEBHOOK_ID: &str = "x-webhook-id";
/// Like [`WEBHOOK_TIMESTAMP`], beside `X-Webhook-Signature`.
pub const X_WEBHOOK_TIMESTAMP: &str = "x-webhook-timestamp";
/// Name of the signature header that older guides give.
pub const X_WEBHOOK_SIGNATURE: &str = "x-webhook-signature";

/// The values of a delivery's signature headers, borrowed. An empty value counts as absent.
#[derive(Clone, Copy, Default)]
pub struct Headers<'a> {
    /// Value of [`WEBHOOK_ID`].
    pub webhook_id: Option<&'a str>,
    /// Value of [`WEBHOOK_TIMESTAMP`].
    pub webhook_timestamp: Option<&'a str>,
    /// Value of [`WEBHOOK_SIGNATURE`].
    pub webhook_signature: Option<&'a str>,
    /// Value of [`X_WEBHOOK_ID`].
    pub x_webhook_id: Option<&'a str>,
    /// Value of [`X_WEBHOOK_TIMESTAMP`].
    pub x_webhook_timestamp: Option<&'a str>,
    /// Value of [`X_WEBHOOK_SIGNATURE`].
    pub x_webhook_signature: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Asks `lookup` for each header by its lower-case name. Header names are case-insensitive; that is the
    /// business of `lookup`.
    pub fn from_lookup(mut lookup: impl FnMut(&'static str) -> Option<&'a str>) -> Self {
        Self {
            webhook_id: lookup(WEBHOOK_ID),
            webhook_timestamp: lookup(WEBHOOK_TIMESTAMP),
            webhook_signature: lookup(WEBHOOK_SIGNATURE),
            x_webhook_id: lookup(X_WEBHOOK_ID),
            x_webhook_timestamp: lookup(X_WEBHOOK_TIMESTAMP),
            x_webhook_signature: lookup(X_WEBHOOK_SIGNATURE),
        }
    }

    /// The three `webhook-*` headers, those that are not empty.
    pub(crate) fn standard(&self) -> Triple<'a> {
        Triple::new(self.webhook_id, self.webhook_timestamp, self.webhook_signature)
    }

    /// The three `x-webhook-*` headers, those that are not empty.
    pub(crate) fn x(&self) -> Triple<'a> {
        Triple::new(self.x_webhook_id, self.x_webhook_timestamp, self.x_webhook_signature)
    }
}

/// Signatures are never printed, and ids and times only to the log line that wants them: here it is presence only.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let presence = |value: Option<&str>| if value.is_some() { "present" } else { "absent" };
        f.debug_struct("Headers")
            .field("webhook_id", &presence(self.webhook_id))
            .field("webhook_timestamp", &presence(self.webhook_timestamp))
            .field("webhook_signature", &presence(self.webhook_signature))
            .field("x_webhook_id", &presence(self.x_webhook_id))
            .field("x_webhook_timestamp", &presence(self.x_webhook_timestamp))
            .field("x_webhook_signature", &presence(self.x_webhook_signature))
            .finish()
    }
}

/// One family of headers.
#[derive(Clone, Copy)]
pub(crate) struct Triple<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) signature: Option<&'a str>,
}

impl<'a> Triple<'a> {
    fn new(id: Option<&'a str>, timestamp: Option<&'a str>, signature: Option<&'a str>) -> Self {
        let present = |value: Option<&'a str>| value.filter(|value| !value.is_empty());
        Self { id: present(id), timestamp: present(timestamp), signature: present(signature) }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.id.is_some() && self.timestamp.is_some() && self.signature.is_some()
    }
}
