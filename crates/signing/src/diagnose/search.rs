//! Looking for the mistakes that explain a signature.

use super::delivery::Delivery;
use super::signature::Signature;
use super::{Finding, body, content, reading};
use crate::secret::Secret;

pub(super) struct Explanation {
    /// Index of the secret that was used.
    pub(super) secret: usize,
    /// What was done differently from the rules; empty when nothing was.
    pub(super) departures: Vec<Finding>,
}

/// Tries every combination of key, content and body spelling against every signature, and returns the match with
/// the fewest departures from the rules, the first of them when there are several.
pub(super) fn fewest_departures(
    delivery: &Delivery<'_>,
    signatures: &[Signature],
    secrets: &[Secret],
) -> Option<Explanation> {
    let contents = content::candidates(delivery);
    let readings = reading::readings(secrets);
    let mut best: Option<Explanation> = None;
    for spelling in body::spellings(delivery.body) {
        for content in &contents {
            for reading in &readings {
                let tag = reading.key.tag(&content.prefix, &spelling.bytes);
                for signature in signatures.iter().filter(|signature| tag.matches(&signature.digest)) {
                    let codes = reading.departure.into_iter().chain(content.departure);
                    let codes = codes.chain(signature.flaws.iter().copied());
                    let departures: Vec<Finding> =
                        codes.map(Finding::from).chain(spelling.departure.clone()).collect();
                    if best.as_ref().is_none_or(|best| departures.len() < best.departures.len()) {
                        best = Some(Explanation { secret: reading.secret, departures });
                    }
                }
            }
        }
    }
    best
}
