//! A diagnosis, in words and for machines. It holds neither secrets nor signatures.

use serde::Serialize;
use signing::Diagnosis;
use std::fmt;

/// What is said about a delivery.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    /// Whether the delivery would be accepted.
    pub(super) accepted: bool,
    /// Why not: the reason that the sender would be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The form of the signature that was right.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<&'static str>,
    /// Which of the secrets made it, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_number: Option<usize>,
    /// Seconds from signing to arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    skew_seconds: Option<i64>,
    /// Causes and remarks.
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    code: &'static str,
    message: String,
}

impl From<Diagnosis> for Explanation {
    fn from(diagnosis: Diagnosis) -> Self {
        let findings = diagnosis
            .findings
            .into_iter()
            .map(|finding| Finding { code: finding.code.as_str(), message: finding.message.into_owned() });
        let findings = findings.collect();
        match diagnosis.outcome {
            Ok(verified) => Self {
                accepted: true,
                reason: None,
                scheme: Some(verified.scheme.as_str()),
                secret_number: Some(verified.secret.saturating_add(1)),
                skew_seconds: verified.skew_seconds,
                findings,
            },
            Err(rejection) => Self {
                accepted: false,
                reason: Some(rejection.reason.as_str()),
                scheme: None,
                secret_number: None,
                skew_seconds: rejection.skew_seconds,
                findings,
            },
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, self.scheme, self.secret_number) {
            (Some(reason), ..) => write!(f, "This delivery would be refused: {reason}")?,
            (None, Some(scheme), Some(number)) => {
                write!(f, "This delivery would be accepted: form {scheme}, secret {number}")?;
            }
            (None, ..) => write!(f, "This delivery would be accepted")?,
        }
        match self.skew_seconds {
            Some(skew) if skew < 0 => writeln!(f, ", signed {} s after its arrival.", skew.unsigned_abs())?,
            Some(skew) => writeln!(f, ", signed {skew} s before its arrival.")?,
            None => writeln!(f, ".")?,
        }
        self.findings.iter().try_for_each(|finding| writeln!(f, "- {} ({})", finding.message, finding.code))
    }
}
