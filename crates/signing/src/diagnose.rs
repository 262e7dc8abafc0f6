//! Why a signature fails, for people: `worker doctor signature`.
//!
//! A rejection says as little as possible to a sender who may be an attacker. Here the secrets' owner asks, with a
//! delivery at hand, and gets the likely mistake and what to do about it. The method is to repeat the well-known
//! mistakes: other readings of the secret, other signed contents, other spellings of the body, other encodings of
//! the digest; and to see which of them makes the signature that was presented.
//!
//! An expected signature is never printed: it would let whoever reads it forge a delivery.

mod body;
mod code;
mod content;
mod delivery;
mod json;
mod reading;
mod search;
mod signature;
mod time;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use code::Code;

use self::delivery::Delivery;
use crate::headers::Headers;
use crate::rejection::Rejection;
use crate::scheme::Schemes;
use crate::secret::Secret;
use crate::verify::{Verified, verify};

/// What [`diagnose`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What [`verify`] says.
    pub outcome: Result<Verified, Rejection>,
    /// What to know about it: the causes of a rejection, or remarks on an accepted delivery. Never empty for a
    /// rejection.
    pub findings: Vec<Finding>,
}

/// One cause or remark. It contains no secret, no signature and no header value other than times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable name of the cause.
    pub code: Code,
    /// What is the matter and what to do, in whole sentences.
    pub message: Cow<'static, str>,
}

impl Finding {
    /// A finding about this delivery in particular: what was seen, then the advice.
    fn with_fact(code: Code, fact: &str) -> Self {
        Self { code, message: format!("{fact} {}", code.advice()).into() }
    }
}

impl From<Code> for Finding {
    fn from(code: Code) -> Self {
        Self { code, message: code.advice().into() }
    }
}

/// Explains a delivery. The arguments are those of [`verify`], whose answer is part of the diagnosis.
///
/// This hashes the body some hundred times for each secret; it is not meant for the path of deliveries.
#[must_use]
pub fn diagnose(
    headers: &Headers<'_>,
    body: &[u8],
    secrets: &[Secret],
    now_unix_seconds: i64,
    tolerance_seconds: u32,
    schemes: Schemes,
) -> Diagnosis {
    let outcome = verify(headers, body, secrets, now_unix_seconds, tolerance_seconds, schemes);
    let delivery = Delivery::new(headers, body, schemes);
    let mut findings: Vec<Finding> = if let Ok(verified) = outcome {
        reading::other_secret(verified.secret, secrets.len()).into_iter().collect()
    } else {
        let missing = delivery.missing_headers(schemes).into_iter();
        let time = time::finding(delivery.timestamp, now_unix_seconds, tolerance_seconds);
        missing.chain(time).chain(signature_findings(&delivery, secrets)).collect()
    };
    if delivery.id_differs_from_body() && findings.iter().all(|finding| finding.code != Code::IdRewritten) {
        findings.push(Code::IdDiffersFromBody.into());
    }
    Diagnosis { outcome, findings }
}

/// What is wrong with the signature itself, time and missing headers aside.
fn signature_findings(delivery: &Delivery<'_>, secrets: &[Secret]) -> Vec<Finding> {
    if secrets.is_empty() {
        return vec![Code::NoSecret.into()];
    }
    let Some(value) = delivery.own.signature else {
        return Vec::new();
    };
    let signatures = signature::read(value, delivery.scheme);
    if signatures.is_empty() {
        let asymmetric = signature::is_asymmetric(value);
        return vec![if asymmetric { Code::OnlyAsymmetric } else { Code::MalformedSignature }.into()];
    }
    let Some(found) = search::fewest_departures(delivery, &signatures, secrets) else {
        // Without its id or time nobody can tell whether the signature was right.
        return if delivery.is_complete() { vec![Code::Unexplained.into()] } else { Vec::new() };
    };
    let mut findings = found.departures;
    if findings.is_empty() {
        findings.push(Code::SignatureRight.into());
    }
    findings.extend(reading::other_secret(found.secret, secrets.len()));
    findings
}
