//! Verifying a delivery.

use crate::claim::Claim;
use crate::headers::Headers;
use crate::rejection::{Reason, Rejection, check_freshness};
use crate::scheme::{Scheme, Schemes};
use crate::secret::Secret;

#[cfg(test)]
mod tests;

/// A delivery whose signature is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How it was signed.
    pub scheme: Scheme,
    /// Index of the first secret that matched, in the slice that was given.
    pub secret: usize,
    /// The signed time, in Unix seconds; `None` where the signature covers no time.
    pub signed_at: Option<i64>,
    /// How many seconds before now it was signed; negative when later than now.
    pub skew_seconds: Option<i64>,
    /// Whether a replay of an old delivery is already ruled out.
    pub freshness: Freshness,
}

/// Who makes sure that a delivery is not an old one sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// The signature covers a time, and it is near enough to now.
    Checked,
    /// The signature covers only the body: the caller checks the time in the signed body with
    /// [`check_freshness`], or knows the delivery by its id.
    FromBody,
}

/// Verifies a delivery against every secret. `body` is the raw body, byte by byte as received.
///
/// The signed time, where there is one, may be up to and including `tolerance_seconds` away from
/// `now_unix_seconds`, in either direction.
///
/// # Errors
///
/// The first thing that is wrong, in the order of the reference libraries: headers present, timestamp readable,
/// timestamp in tolerance, signature. A wrong time is therefore reported for forged deliveries as well.
pub fn verify(
    headers: &Headers<'_>,
    body: &[u8],
    secrets: &[Secret],
    now_unix_seconds: i64,
    tolerance_seconds: u32,
    schemes: Schemes,
) -> Result<Verified, Rejection> {
    let claim = Claim::read(headers, schemes).map_err(|reason| Rejection { reason, skew_seconds: None })?;
    if let Some(signed_at) = claim.signed_at {
        check_freshness(signed_at, now_unix_seconds, tolerance_seconds)?;
    }
    let skew_seconds = claim.signed_at.map(|signed_at| now_unix_seconds.saturating_sub(signed_at));
    let secret = secrets
        .iter()
        .position(|secret| makes_any(secret, &claim, body))
        .ok_or(Rejection { reason: Reason::NoMatch, skew_seconds })?;
    Ok(Verified {
        scheme: claim.scheme,
        secret,
        signed_at: claim.signed_at,
        skew_seconds,
        freshness: if claim.signed_at.is_some() { Freshness::Checked } else { Freshness::FromBody },
    })
}

fn makes_any(secret: &Secret, claim: &Claim, body: &[u8]) -> bool {
    secret.keys().any(|key| {
        let tag = key.tag(&claim.prefix, body);
        claim.digests.iter().any(|digest| tag.matches(digest))
    })
}
