//! Telling a quiet queue from a consumer that was forgotten.

#[cfg(test)]
mod tests;

/// How many looks in a row must find messages waiting before the consumer counts as stuck. One look may fall between
/// the arrival of a message and its delivery.
const STRIKES: u32 = 2;

/// What one look at the queue found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Messages that wait in the queue.
    pub(super) ready: u32,
    /// Deliveries of ours that are not settled.
    pub(super) unsettled: usize,
    /// How many may be.
    pub(super) prefetch: u16,
}

/// Decides from the looks at a queue, between two deliveries, whether the broker owes us some.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    strikes: u32,
}

impl Watchdog {
    /// A delivery came, all is well.
    pub(super) const fn delivered(&mut self) {
        self.strikes = 0;
    }

    /// Whether the consumer is stuck, now that another look was taken and nothing was delivered since the last one.
    pub(super) const fn is_stuck(&mut self, look: Look) -> bool {
        let owed = look.ready > 0 && look.unsettled < look.prefetch as usize;
        self.strikes = if owed { self.strikes + 1 } else { 0 };
        self.strikes >= STRIKES
    }
}
