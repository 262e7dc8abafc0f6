//! What can be said of a subject, with its unit.

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    /// Empty for ratios and counts.
    pub(crate) unit: &'static str,
    /// Digits behind the point when it is printed.
    pub(crate) digits: usize,
}

const fn measure(name: &'static str, unit: &'static str, digits: usize) -> Measure {
    Measure { name, unit, digits }
}

/// Deliveries answered 2xx, or events dealt with.
pub(crate) const RATE: Measure = measure("rate", "/s", 0);
pub(crate) const P50: Measure = measure("p50", "ms", 2);
pub(crate) const P99: Measure = measure("p99", "ms", 2);
pub(crate) const MAX: Measure = measure("max", "ms", 1);
/// Answers other than 2xx.
pub(crate) const OTHERS: Measure = measure("not 2xx", "", 0);
/// Requests of an open loop whose turn never came.
pub(crate) const MISSED: Measure = measure("never sent", "", 0);
pub(crate) const OF_BARE: Measure = measure("of bare", "", 3);
pub(crate) const OF_OBVIOUS: Measure = measure("of obvious", "", 2);
pub(crate) const OF_EMPTY: Measure = measure("of empty", "", 3);
/// Processor time per delivery or event: of the process that is measured, of what measures, of the rest.
pub(crate) const CPU: Measure = measure("CPU", "µs", 0);
pub(crate) const CPU_TOOLS: Measure = measure("CPU of the load", "µs", 0);
pub(crate) const CPU_REST: Measure = measure("CPU of the rest", "µs", 0);
/// High-water of the process.
pub(crate) const MEMORY: Measure = measure("memory", "MiB", 0);
pub(crate) const MEMORY_AFTER: Measure = measure("memory, caught up", "MiB", 0);
/// Resident memory at quarters of the time.
pub(crate) const MEMORY_AT: [Measure; 4] = [
    measure("at 25 %", "MiB", 0),
    measure("at 50 %", "MiB", 0),
    measure("at 75 %", "MiB", 0),
    measure("at 100 %", "MiB", 0),
];
/// Resident memory at the end over that at half-time.
pub(crate) const GROWTH: Measure = measure("end over half", "", 2);
/// Events that the broker had not confirmed.
pub(crate) const BACKLOG_MOST: Measure = measure("unpublished at most", "", 0);
pub(crate) const BACKLOG_END: Measure = measure("unpublished at the end", "", 0);
pub(crate) const PUBLISHED: Measure = measure("published of accepted", "", 4);
pub(crate) const MESSAGES: Measure = measure("messages in the queue", "", 0);
pub(crate) const CATCH_UP: Measure = measure("all published after", "s", 1);
pub(crate) const FETCHES: Measure = measure("fetches per event", "", 4);
pub(crate) const TIME: Measure = measure("time", "ms", 0);
