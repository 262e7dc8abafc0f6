//! The ledger for the metrics: what is unfinished often, by small indexes; all events seldom, a piece at a time.
//!
//! A table of ten million events takes a while to read. So a count goes through it in pieces, spends a quarter of a second
//! of each second on it at most, and the longer it took, the longer the next one waits. Each piece is counted at another
//! instant; as an event is in one state at every instant, the sum still has to be right.

use domain::Clock;
use std::time::{Duration, Instant};
use store::{Ledger, Store};

/// Events per piece.
const PIECE: i64 = 20_000;

/// How long one step may count.
const STEP: Duration = Duration::from_millis(250);

/// Shortest time between two counts of all events.
const COUNT_EVERY: Duration = Duration::from_mins(1);

/// Shortest time between two looks at what is unfinished.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// A figure that took so long to get is got again after this many times as long.
const REST: u32 = 20;

/// Takes the figures; one worker at a time does.
#[derive(Debug, Default)]
pub(super) struct Figures {
    next_look: Option<Instant>,
    next_count: Option<Instant>,
    count: Count,
}

/// A count that is under way.
#[derive(Debug, Default)]
struct Count {
    after: i64,
    ledger: Ledger,
    spent: Duration,
}

fn is_due(next: Option<Instant>) -> bool {
    next.is_none_or(|next| Instant::now() >= next)
}

fn rest(spent: Duration, least: Duration) -> Instant {
    Instant::now() + spent.saturating_mul(REST).max(least)
}

impl Figures {
    /// One step: takes what is due, for a short time.
    pub(super) async fn step(&mut self, store: &Store, clock: &dyn Clock) -> Result<(), store::Error> {
        let mut connection = store.connection().await?;
        if is_due(self.next_look) {
            let began = Instant::now();
            let unfinished = store::unfinished(&mut connection).await?;
            store::keep_unfinished(&mut connection, clock.now(), &unfinished).await?;
            self.next_look = Some(rest(began.elapsed(), LOOK_EVERY));
        }
        if !is_due(self.next_count) {
            return Ok(());
        }
        let began = Instant::now();
        while began.elapsed() < STEP {
            let Some((ledger, last)) = store::ledger_chunk(&mut connection, self.count.after, PIECE).await?
            else {
                store::keep_ledger(&mut connection, clock.now(), &self.count.ledger).await?;
                self.next_count = Some(rest(self.count.spent + began.elapsed(), COUNT_EVERY));
                self.count = Count::default();
                return Ok(());
            };
            self.count.ledger = self.count.ledger.plus(ledger);
            self.count.after = last;
        }
        self.count.spent += began.elapsed();
        Ok(())
    }
}
