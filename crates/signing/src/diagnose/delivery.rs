//! A delivery under examination.

use super::{Code, Finding, content};
use crate::claim::{scheme_of_x_signature, timestamp_of};
use crate::headers::{
    Headers, Triple, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, X_WEBHOOK_ID, X_WEBHOOK_TIMESTAMP,
};
use crate::scheme::{Scheme, Schemes};

/// A delivery, as far as it can be read.
pub(super) struct Delivery<'a> {
    /// The scheme it seems to be meant in.
    pub(super) scheme: Scheme,
    /// The headers of that scheme.
    pub(super) own: Triple<'a>,
    /// The other family of headers.
    pub(super) other: Triple<'a>,
    /// The text of the signed time, from the header or from `t=`.
    pub(super) timestamp: Option<&'a str>,
    pub(super) body: &'a [u8],
    /// The id that the body gives to its event.
    pub(super) body_id: Option<String>,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(headers: &Headers<'a>, body: &'a [u8], schemes: Schemes) -> Self {
        let (standard, x) = (headers.standard(), headers.x());
        let x_value = x.signature.filter(|_| schemes == Schemes::All && !standard.is_complete());
        let (scheme, own, other) = match x_value {
            Some(value) => (scheme_of_x_signature(value), x, standard),
            None => (Scheme::Standard, standard, x),
        };
        let timestamp = match scheme {
            Scheme::Standard | Scheme::StandardX => own.timestamp,
            // Two times are as unreadable as none.
            Scheme::TimestampedHex => own.signature.map(|value| timestamp_of(value).unwrap_or_default()),
            Scheme::BodyOnly => None,
        };
        Self { scheme, own, other, timestamp, body, body_id: content::id_in(body) }
    }

    /// One finding for each header without which the scheme cannot be verified.
    pub(super) fn missing_headers(&self, schemes: Schemes) -> Vec<Finding> {
        let (id, timestamp) = match self.scheme {
            Scheme::Standard => (WEBHOOK_ID, WEBHOOK_TIMESTAMP),
            Scheme::StandardX => (X_WEBHOOK_ID, X_WEBHOOK_TIMESTAMP),
            Scheme::TimestampedHex | Scheme::BodyOnly => return Vec::new(),
        };
        let required =
            [(id, self.own.id), (timestamp, self.own.timestamp), (WEBHOOK_SIGNATURE, self.own.signature)];
        let missing = required.into_iter().filter(|(_, value)| value.is_none()).map(|(name, _)| {
            Finding::with_fact(Code::MissingHeader, &format!("The header `{name}` is missing or empty."))
        });
        let ignored =
            schemes == Schemes::Standard && !self.own.is_complete() && self.other.signature.is_some();
        missing.chain(ignored.then(|| Code::XHeaderIgnored.into())).collect()
    }

    pub(super) fn id_differs_from_body(&self) -> bool {
        matches!((self.own.id, &self.body_id), (Some(header), Some(body)) if header != body)
    }

    /// Whether everything is there that the scheme needs for verification.
    pub(super) fn is_complete(&self) -> bool {
        match self.scheme {
            Scheme::Standard | Scheme::StandardX => self.own.is_complete(),
            Scheme::TimestampedHex | Scheme::BodyOnly => self.own.signature.is_some(),
        }
    }
}
