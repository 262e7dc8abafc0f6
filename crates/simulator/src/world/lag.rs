//! A readable state that lags behind the true one.

use crate::world::stamp::Object;

/// The state that the next fetches still see, whatever happens meanwhile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lag {
    past: Object,
    fetches: u32,
}

impl Lag {
    /// The next `fetches` reads see `now`.
    pub(crate) fn behind(now: &Object, fetches: u32) -> Self {
        Self { past: if fetches > 0 { now.clone() } else { Object::new() }, fetches }
    }

    /// What a fetch sees: the past for so many times, then the truth.
    pub(crate) fn read(&mut self, truth: &Object) -> Object {
        if self.fetches == 0 {
            return truth.clone();
        }
        self.fetches -= 1;
        self.past.clone()
    }
}
