//! Filling gaps as they show: an event of a session was applied, and its history cannot have been so.
//!
//! Whoever applies events only names the session. A while later (deliveries overtake each other, and what is missing may be
//! on its way) its history is looked at, which costs nothing but a statement. Only a history with a gap costs a call of the
//! API, and only one for each newest event of it.

use super::accept::Found;
use super::look::{lost, transitions};
use super::{Error, POSTGRES_LIMIT, Reconciler, rows};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ResourceKind;
use domain::gaps::{Entry, Gap, TOLERANCE, find};
use domain::reconcile::Owner;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};
use telemetry::{Chain, LogLimiter};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Sessions that may wait to be noted; one more is forgotten, and left to the next event or the next pass.
const NOTED: usize = 1_024;

/// Sessions whose histories are read together, and those that may wait for it.
const TOGETHER: (usize, usize) = (50, 10_000);

/// Events of a history that are looked at.
const RECENT: usize = 200;

/// How often it is looked whether a session is due.
const LOOK: Duration = Duration::from_millis(500);

/// How long a session is left alone after the API did not answer.
const PAUSE: Duration = Duration::from_mins(1);

/// Names sessions of which an event was applied. Clones name them to the same looker.
#[derive(Debug, Clone)]
pub struct Waker(mpsc::Sender<String>);

impl Waker {
    /// Names a session. Never waits: a session that is forgotten is found by the next pass.
    pub(crate) fn wake(&self, session: &str) {
        let _forgotten = self.0.try_send(session.to_owned()).is_err();
    }
}

/// Looks for gaps, and fills them.
pub struct Wake {
    reconciler: Reconciler,
    woken: mpsc::Receiver<String>,
    rest: TimeDelta,
    due: BTreeMap<String, Instant>,
    /// The newest event of those whose list was read already.
    looked: HashMap<String, DateTime<Utc>>,
}

impl Wake {
    /// A looker, and the way to name sessions to it. `rest` is how long a session is left alone before its history is
    /// looked at; what is younger may still be delivered.
    #[must_use]
    pub fn new(reconciler: Reconciler, rest: TimeDelta) -> (Waker, Self) {
        let (waker, woken) = mpsc::channel(NOTED);
        let (due, looked) = (BTreeMap::new(), HashMap::new());
        (Waker(waker), Self { reconciler, woken, rest, due, looked })
    }

    /// Runs until `stop`. What was noted until then is left to the next pass.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut log = LogLimiter::new(Duration::from_mins(1));
        let mut named = Vec::new();
        loop {
            tokio::select! {
                count = self.woken.recv_many(&mut named, NOTED) => {
                    if count == 0 {
                        return;
                    }
                    for session in named.drain(..) {
                        self.note(session);
                    }
                }
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            let round = tokio::select! {
                round = self.round() => round,
                () = stop.cancelled() => return,
            };
            if let Err(error) = round
                && let Some(suppressed) = log.admit("round", Instant::now())
            {
                tracing::warn!(error = %Chain(&error), suppressed, "histories not looked at for gaps");
            }
        }
    }

    fn note(&mut self, session: String) {
        if self.due.len() < TOGETHER.1 {
            let due = Instant::now() + self.rest.to_std().unwrap_or_default();
            self.due.entry(session).or_insert(due);
        }
    }

    /// Looks at the sessions that are due.
    async fn round(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        let due = self.due.iter().filter(|(_, due)| **due <= now).map(|(session, _)| session.clone());
        let sessions: Vec<String> = due.take(TOGETHER.0).collect();
        if sessions.is_empty() {
            return Ok(());
        }
        // Whatever happens, the next look is later.
        for session in &sessions {
            self.due.insert(session.clone(), now + PAUSE);
        }
        let ids: Vec<&str> = sessions.iter().map(String::as_str).collect();
        let store = &self.reconciler.store;
        let reading = async {
            let mut connection = store.connection().await?;
            let limit = i64::try_from(RECENT).unwrap_or(i64::MAX);
            let histories = rows::recent_histories(&mut connection, &ids, limit).await?;
            let pending = rows::pending_among(&mut connection, ResourceKind::Session, &ids).await?;
            Ok::<_, store::Error>((histories, pending))
        };
        let (mut histories, pending) =
            store.within(POSTGRES_LIMIT, "look at histories for gaps", reading).await?;
        for session in sessions {
            let history = histories.remove(&session).unwrap_or_default();
            // What is not applied yet may be all that is missing.
            let early = pending.contains(&session);
            if !early {
                self.look(&session, &history).await?;
            }
            self.due.remove(&session);
            if early {
                self.note(session);
            }
        }
        Ok(())
    }

    /// Looks at one history, and where it has a gap, at the session's own list.
    async fn look(&mut self, session: &str, history: &[Entry]) -> Result<(), Error> {
        let whole = history.iter().filter(|entry| entry.thread.is_none()).count() < RECENT;
        let newest = history.iter().map(|entry| entry.created_at).max();
        let (Some(gap), Some(newest)) = (find(history, whole), newest) else { return Ok(()) };
        if self.looked.get(session) == Some(&newest) {
            return Ok(());
        }
        let window = window(gap, history, whole);
        let until = self.reconciler.clock.now() - self.rest;
        let listed = transitions(&self.reconciler.claude, session, window).await;
        let listed = listed.inspect_err(|_| self.reconciler.metrics.count_gap("failed"))?;
        let found = lost(session, history, &listed, window, until);
        self.fill(session, gap, &found).await?;
        if self.looked.len() >= TOGETHER.1 {
            // To forget them costs a call each, if their histories still look so.
            self.looked.clear();
        }
        self.looked.insert(session.to_owned(), newest);
        Ok(())
    }

    async fn fill(&self, session: &str, gap: Gap, found: &[Found]) -> Result<(), Error> {
        self.reconciler.metrics.count_gap(if found.is_empty() { "nothing" } else { "filled" });
        if found.is_empty() {
            tracing::debug!(
                session,
                why = gap.why,
                "a history looks as if something was missing, and nothing is"
            );
            return Ok(());
        }
        let store = &self.reconciler.store;
        let asking = async { rows::owner(&mut *store.connection().await?).await };
        let owner: Owner = store.within(POSTGRES_LIMIT, "ask for the owner", asking).await?;
        let new = self.reconciler.accept(found, &owner).await?;
        let queued = new.into_iter().filter(|new| *new).count();
        tracing::info!(session, why = gap.why, queued, "a gap in a history is filled");
        Ok(())
    }
}

/// From when on the list is read. Of a part of a history, never before its beginning: what is older is there and was not
/// read.
fn window(gap: Gap, history: &[Entry], whole: bool) -> Option<DateTime<Utc>> {
    let since = gap.since.map(|since| since - TOLERANCE);
    let first = history.iter().filter(|entry| entry.thread.is_none()).map(|entry| entry.created_at).min();
    if whole { since } else { since.max(first) }
}
