//! Saying the same thing once a minute instead of at every attempt.

use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// How long an identical message stays unsaid.
const QUIET: Duration = Duration::from_mins(1);

/// Remembers what was said last. A dependency that is away for an hour then costs sixty log lines, not thousands.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    last: Option<Said>,
}

#[derive(Debug)]
struct Said {
    text: String,
    at: Instant,
    unsaid: u32,
}

impl Repeats {
    /// Whether `text` is worth saying at `now`; if so, how many repetitions went unsaid before.
    pub(crate) fn admit(&mut self, text: String, now: Instant) -> Option<u32> {
        if let Some(said) = self.last.as_mut().filter(|said| said.text == text) {
            if now.saturating_duration_since(said.at) < QUIET {
                said.unsaid += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.unsaid));
        }
        self.last = Some(Said { text, at: now, unsaid: 0 });
        Some(0)
    }

    /// Forgets what was said: after things went well, the same trouble is news again.
    pub(crate) fn reset(&mut self) {
        self.last = None;
    }
}
