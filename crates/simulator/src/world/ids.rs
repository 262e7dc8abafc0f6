//! Ids in the platform's shapes, from a seeded generator.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Base 58: what the published examples look like.
const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A source of ids. The same seed gives the same ids in the same order.
#[derive(Debug)]
pub(crate) struct Ids {
    rng: StdRng,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    /// An id such as `sesn_01…`: a prefix, the version `01`, and 22 random characters.
    pub(crate) fn resource(&mut self, prefix: &str) -> String {
        let tail: String = (0..22)
            .filter_map(|_| ALPHABET.get(self.rng.random_range(0..ALPHABET.len())))
            .map(|byte| char::from(*byte))
            .collect();
        format!("{prefix}_01{tail}")
    }

    /// A webhook event id: `whe_` and 32 hex digits.
    pub(crate) fn webhook(&mut self) -> String {
        format!("whe_{:032x}", self.rng.random::<u128>())
    }

    /// A seed for something that wants its own generator.
    pub(crate) fn seed(&mut self) -> u64 {
        self.rng.random()
    }
}
