//! Closing dead letters, in chunks, each of which is one transaction.

use super::replay::{CHUNK, CHUNK_LIMIT, COME_BACK, HELD};
use domain::Clock;
use store::{DeadFilter, Store};

/// What a discard did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discarded {
    /// Dead letters that were closed.
    pub count: u64,
    /// Dead letters that match and that somebody else held all the time.
    pub held: i64,
}

/// Closes all dead letters that match. What was closed before an outage stays closed.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn discard(
    store: &Store,
    clock: &dyn Clock,
    filter: &DeadFilter,
    reason: &str,
) -> Result<Discarded, store::Error> {
    let mut count = 0;
    let mut times_held = 0;
    loop {
        let chunk = discard_chunk(store, clock, filter, reason);
        match store.within(CHUNK_LIMIT, "discard dead letters", chunk).await? {
            Chunk::Closed(closed) => {
                count += closed;
                times_held = 0;
            }
            Chunk::Held(held) if held > 0 && times_held < COME_BACK => {
                times_held += 1;
                tokio::time::sleep(HELD).await;
            }
            Chunk::Held(held) => return Ok(Discarded { count, held }),
        }
    }
}

enum Chunk {
    /// So many were closed.
    Closed(u64),
    /// None could be taken: others hold so many that match, or none are left.
    Held(i64),
}

async fn discard_chunk(
    store: &Store,
    clock: &dyn Clock,
    filter: &DeadFilter,
    reason: &str,
) -> Result<Chunk, store::Error> {
    let mut tx = store.begin("discard dead letters").await?;
    let events = store::select_dead(&mut tx, filter, CHUNK).await?;
    let chunk = if events.is_empty() {
        Chunk::Held(store::count_dead(&mut tx, filter).await?)
    } else {
        Chunk::Closed(store::discard(&mut tx, &events, reason, clock.now()).await?)
    };
    tx.commit().await?;
    Ok(chunk)
}
