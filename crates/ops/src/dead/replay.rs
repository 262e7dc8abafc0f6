//! New lives for dead letters, in chunks, each of which is one transaction.

use domain::Clock;
use failpoints::failpoint;
use std::ops::ControlFlow;
use std::time::Duration;
use store::{DeadFilter, Replay, Store, Tx};

/// What a replay is to take.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Which dead letters.
    pub filter: DeadFilter,
    /// Events per second at most; `None` means as fast as Postgres takes them.
    pub rate: Option<u32>,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The replay's number.
    pub id: i64,
    /// How many it takes.
    pub total: i64,
    /// How many have new tries.
    pub replayed: i64,
}

/// A replay could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Postgres is away or refuses. What was replayed so far stays replayed; resume later.
    #[error("the replay stopped")]
    Store(#[from] store::Error),
    /// There is no such replay.
    #[error("there is no replay {0}")]
    Unknown(i64),
    /// It has ended before.
    #[error("replay {id} is {status} and cannot be resumed")]
    Over {
        /// Its number.
        id: i64,
        /// `finished` or `cancelled`.
        status: String,
    },
    /// What it was to take cannot be read by this version.
    #[error("the selection of replay {0} cannot be read by this version")]
    Unreadable(i64),
}

/// Letters that change in one transaction.
pub(super) const CHUNK: i64 = 500;

/// How long such a transaction may take before its connection is taken for dead.
pub(super) const CHUNK_LIMIT: Duration = Duration::from_mins(1);

/// How often, and after which rest, to come back for letters that somebody else holds: another command, or a duplicate
/// delivery that is being counted. Both take moments.
pub(super) const COME_BACK: u32 = 50;
pub(super) const HELD: Duration = Duration::from_millis(100);

/// Begins a replay of all dead letters that match and died before now. `report` is told of each step and may stop the
/// command; what is left can be taken up by [`resume`].
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn replay(
    store: &Store,
    clock: &dyn Clock,
    selection: Selection,
    report: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Replay, ReplayError> {
    let now = clock.now();
    // What dies again while the replay runs is not taken twice.
    let before = selection.filter.died_before.map_or(now, |before| before.min(now));
    let filter = DeadFilter { died_before: Some(before), ..selection.filter };
    let (id, total) = {
        let mut tx = store.begin("replay").await?;
        let total = store::count_dead(&mut tx, &filter).await?;
        let id = store::start_replay(&mut tx, &filter, total, now).await?;
        tx.commit().await?;
        (id, total)
    };
    run(store, clock, Progress { id, total, replayed: 0 }, &filter, selection.rate, report).await
}

/// Takes up a replay that was interrupted.
///
/// # Errors
/// When there is no such replay, it has ended, or Postgres is away.
pub async fn resume(
    store: &Store,
    clock: &dyn Clock,
    id: i64,
    rate: Option<u32>,
    report: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Replay, ReplayError> {
    let found = find(store, id).await?;
    if found.status != "running" {
        return Err(ReplayError::Over { id, status: found.status });
    }
    let filter: DeadFilter =
        serde_json::from_value(found.selection).map_err(|_unreadable| ReplayError::Unreadable(id))?;
    let progress = Progress { id, total: found.total, replayed: found.replayed };
    run(store, clock, progress, &filter, rate, report).await
}

async fn find(store: &Store, id: i64) -> Result<Replay, ReplayError> {
    let mut tx = store.begin("find a replay").await?;
    let found = find_in(&mut tx, id).await?;
    tx.commit().await?;
    Ok(found)
}

async fn find_in(tx: &mut Tx, id: i64) -> Result<Replay, ReplayError> {
    store::find_replay(tx, id).await?.ok_or(ReplayError::Unknown(id))
}

async fn run(
    store: &Store,
    clock: &dyn Clock,
    mut progress: Progress,
    filter: &DeadFilter,
    rate: Option<u32>,
    mut report: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Replay, ReplayError> {
    // With a rate, a chunk is what fits into a quarter of a second, so that it feels even.
    let chunk = rate.map_or(CHUNK, |rate| i64::from(rate / 4).clamp(1, CHUNK));
    let mut held = 0;
    loop {
        if report(progress).is_break() {
            break;
        }
        // Boxed: the futures around it hold it more than once, and commands hold these on their stack.
        let step = Box::pin(step(store, clock, progress.id, filter, chunk));
        let Step { taken, left, running } = store.within(CHUNK_LIMIT, "replay", step).await?;
        if !running || held == COME_BACK {
            break;
        }
        if left > 0 {
            held += 1;
            tokio::time::sleep(HELD).await;
            continue;
        }
        failpoint!("replay.chunk");
        held = 0;
        progress.replayed = progress.replayed.saturating_add_unsigned(taken);
        if let Some(rate) = rate {
            tokio::time::sleep(pause(taken, rate)).await;
        }
    }
    let _last = report(progress);
    find(store, progress.id).await
}

/// What one chunk did.
struct Step {
    /// Letters with new tries.
    taken: u64,
    /// Letters that match and are held by others, where none could be taken.
    left: i64,
    /// Whether there is to be another chunk.
    running: bool,
}

async fn step(
    store: &Store,
    clock: &dyn Clock,
    id: i64,
    filter: &DeadFilter,
    chunk: i64,
) -> Result<Step, ReplayError> {
    let mut tx = store.begin("replay").await?;
    let taken = store::replay_chunk(&mut tx, id, filter, chunk, clock.now()).await?;
    let left = if taken == 0 { store::count_dead(&mut tx, filter).await? } else { 0 };
    if taken == 0 && left == 0 {
        store::finish_replay(&mut tx, id, clock.now()).await?;
    }
    let running = find_in(&mut tx, id).await?.status == "running";
    tx.commit().await?;
    Ok(Step { taken, left, running })
}

fn pause(taken: u64, rate: u32) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "chunks are small")]
    let events = taken as f64;
    Duration::from_secs_f64(events / f64::from(rate.max(1)))
}
