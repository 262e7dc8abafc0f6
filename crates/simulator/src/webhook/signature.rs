//! The signature headers of one attempt, right or deliberately wrong.

use serde::{Deserialize, Serialize};
use signing::Secret;

/// How an attempt is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignatureMode {
    #[default]
    Valid,
    /// Well-formed, made with another secret.
    WrongSecret,
    /// No base64 at all.
    Garbage,
    /// The signature header is absent.
    Missing,
    /// A `v1a` item, which receivers skip, before the right `v1` item.
    WithV1a,
    /// Two `v1` items, the second right, as during a rotation.
    Rotating,
    /// `X-Webhook-Signature` with the standard content.
    XStandard,
    /// `X-Webhook-Signature: t=…,v1=<hex>`.
    XTimestampedHex,
    /// `X-Webhook-Signature: sha256=<hex>` over the body alone.
    XBodyHex,
    /// `X-Webhook-Signature: <base64>` over the body alone.
    XBodyBase64,
}

/// What there is to sign, and with what.
pub(crate) struct Signing<'a> {
    pub(crate) secret: Option<&'a Secret>,
    /// A secret the receiver does not have.
    pub(crate) wrong_secret: &'a Secret,
    pub(crate) event_id: &'a str,
    /// Unix seconds.
    pub(crate) timestamp: i64,
    pub(crate) body: &'a [u8],
}

/// One header of a request.
pub(crate) type Header = (&'static str, String);

impl Signing<'_> {
    /// The headers for a mode. Without a secret there is no signature, as at a receiver that was never set up.
    pub(crate) fn headers(&self, mode: SignatureMode) -> Vec<Header> {
        let Some(secret) = self.secret else { return self.standard(None) };
        let right = || self.sign(secret);
        let wrong = || self.sign(self.wrong_secret);
        match mode {
            SignatureMode::Valid => self.standard(Some(right())),
            SignatureMode::WrongSecret => self.standard(Some(wrong())),
            SignatureMode::Garbage => self.standard(Some("v1,this is not a signature".into())),
            SignatureMode::Missing => self.standard(None),
            SignatureMode::WithV1a => {
                let other = wrong().replacen("v1,", "v1a,", 1);
                self.standard(Some(format!("{other} {}", right())))
            }
            SignatureMode::Rotating => self.standard(Some(format!("{} {}", wrong(), right()))),
            SignatureMode::XStandard => vec![
                ("x-webhook-id", self.event_id.to_owned()),
                ("x-webhook-timestamp", self.timestamp.to_string()),
                ("x-webhook-signature", right()),
            ],
            SignatureMode::XTimestampedHex => {
                vec![(
                    "x-webhook-signature",
                    signing::sign_timestamped_hex(secret, self.timestamp, self.body),
                )]
            }
            SignatureMode::XBodyHex => {
                vec![("x-webhook-signature", signing::sign_body_hex(secret, self.body))]
            }
            SignatureMode::XBodyBase64 => {
                vec![("x-webhook-signature", signing::sign_body_base64(secret, self.body))]
            }
        }
    }

    fn sign(&self, secret: &Secret) -> String {
        signing::sign(secret, self.event_id, self.timestamp, self.body)
    }

    fn standard(&self, signature: Option<String>) -> Vec<Header> {
        let mut headers =
            vec![("webhook-id", self.event_id.to_owned()), ("webhook-timestamp", self.timestamp.to_string())];
        headers.extend(signature.map(|signature| ("webhook-signature", signature)));
        headers
    }
}
