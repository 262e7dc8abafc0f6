//! Readings of a secret, the right one and the wrong ones.

use super::{Code, Finding};
use crate::key::Key;
use crate::secret::{PREFIX, Secret};

pub(super) struct Reading {
    /// Index of the secret.
    pub(super) secret: usize,
    pub(super) key: Key,
    pub(super) departure: Option<Code>,
}

/// The keys a sender may have made of the secrets. The right ones of all secrets come first.
pub(super) fn readings(secrets: &[Secret]) -> Vec<Reading> {
    let right = secrets.iter().enumerate().flat_map(|(secret, value)| {
        value.keys().map(move |key| Reading { secret, key: key.clone(), departure: None })
    });
    let wrong = secrets.iter().enumerate().flat_map(|(secret, value)| {
        // Without the prefix, decoded and undecoded are both right.
        let undecoded = value.text().strip_prefix(PREFIX).map(|text| (text, Code::SecretNotDecoded));
        let whole = undecoded.map(|_| (value.text(), Code::SecretPrefixInKey));
        undecoded.into_iter().chain(whole).filter_map(move |(text, code)| {
            Some(Reading { secret, key: Key::new(text.as_bytes())?, departure: Some(code) })
        })
    });
    right.chain(wrong).collect()
}

/// A remark when it was not the first secret that matched.
pub(super) fn other_secret(index: usize, count: usize) -> Option<Finding> {
    if index == 0 {
        return None;
    }
    let fact = format!("Secret {} of {count} matches, not the first.", index.saturating_add(1));
    Some(Finding::with_fact(Code::OtherSecret, &fact))
}
