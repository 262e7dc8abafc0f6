//! What happens between two sessions: how long to wait, what to say, what to count.

use crate::metrics::{Direction, Metrics};
use crate::repeats::Repeats;
use crate::{Error, LinkState};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::error::Error as _;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::sync::watch;

#[cfg(test)]
mod tests;

const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// Jitter adds up to as much again.
const LONGEST_PAUSE_BEFORE_JITTER: Duration = Duration::from_secs(15);

/// The pauses between two sessions: 0.5 to 30 s, doubling, each stretched by up to its own length, without end. The
/// jitter keeps a fleet from coming back in step after the broker restarted.
fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(SHORTEST_PAUSE)
        .with_max_delay(LONGEST_PAUSE_BEFORE_JITTER)
        .with_factor(2.0)
        .without_max_times()
        .with_jitter()
        .build()
}

/// Follows one supervised connection over all its sessions.
#[derive(Debug)]
pub(crate) struct Supervision {
    direction: Direction,
    state: watch::Sender<LinkState>,
    metrics: Metrics,
    pauses: ExponentialBackoff,
    last_pause: Duration,
    up_since: Option<Instant>,
    complaints: Repeats,
}

impl Supervision {
    pub(crate) fn new(direction: Direction, metrics: Metrics) -> Self {
        metrics.set_connected(direction, false);
        Self {
            direction,
            state: watch::Sender::new(LinkState::Down),
            metrics,
            pauses: pauses(),
            last_pause: Duration::ZERO,
            up_since: None,
            complaints: Repeats::default(),
        }
    }

    pub(crate) fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    /// The session is ready for use.
    pub(crate) fn up(&mut self) {
        self.up_since = Some(Instant::now());
        self.set(LinkState::Up);
        tracing::info!(direction = self.direction.as_str(), "connected to RabbitMQ");
    }

    /// The session ended as it was told to.
    pub(crate) fn stopped(&mut self) {
        self.up_since = None;
        self.set(LinkState::Down);
    }

    /// The session ended in an error, or never began. Returns how long to wait before the next one.
    pub(crate) fn failed(&mut self, error: &Error) -> Duration {
        self.set(LinkState::Down);
        self.metrics.count_reconnect(self.direction);
        let lived = self.up_since.take().map(|since| since.elapsed());
        // A session that outlived the pause before it was a good one: its end is a new trouble. One that fails as soon
        // as it begins must not reset anything, or it would be rebuilt in a hot loop.
        if lived.is_some_and(|lived| lived > self.last_pause.max(SHORTEST_PAUSE)) {
            self.pauses = pauses();
            self.complaints.reset();
        }
        self.last_pause = self.pauses.next().unwrap_or(LONGEST_PAUSE_BEFORE_JITTER);
        self.complain(error);
        self.last_pause
    }

    fn complain(&mut self, error: &Error) {
        let chain = chain(error);
        if let Some(unsaid) = self.complaints.admit(chain.clone(), Instant::now()) {
            tracing::warn!(
                direction = self.direction.as_str(),
                error = chain,
                error.class = error.class().as_str(),
                retry_in_ms = self.last_pause.as_millis(),
                unsaid_repetitions = unsaid,
                "no session with RabbitMQ, will build a new one"
            );
        }
    }

    fn set(&self, state: LinkState) {
        self.metrics.set_connected(self.direction, state == LinkState::Up);
        self.state.send_replace(state);
    }
}

/// An error with all its causes, on one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        // Writing into a string cannot fail.
        write!(text, ": {source}").ok();
        cause = source.source();
    }
    text
}
