//! Storing what RabbitMQ alone had accepted, as soon as Postgres is back.
//!
//! A worker stores such an event from its message. Until then RabbitMQ has the only copy, which may be long when workers
//! are away or far behind. So the process that accepted it does not wait for them. It is a precaution: what does not fit,
//! or dies with the process, is left to the workers.

use std::sync::Arc;
use std::time::Duration;
use store::{NewEvent, Source, Store};
use telemetry::Chain;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::sleep;

/// Batches that may wait for Postgres.
const BATCHES: usize = 64;

/// Payload bytes that may.
const BYTES: usize = 64 * 1024 * 1024;

/// How long one statement may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Rests between attempts: the first, and the longest.
const RESTS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

struct Owed {
    events: Vec<NewEvent>,
    _room: OwnedSemaphorePermit,
}

/// Where accepted batches go.
pub(super) struct Owing {
    owed: mpsc::Sender<Owed>,
    room: Arc<Semaphore>,
}

impl Owing {
    /// Has these stored later, if there is room for them.
    pub(super) fn store_later(&self, mut events: Vec<NewEvent>) {
        let bytes: usize = events.iter().map(|event| event.payload.len()).sum();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(bytes) else { return };
        for event in &mut events {
            event.source = Source::Queue;
        }
        let _left_to_the_workers = self.owed.try_send(Owed { events, _room: room }).is_err();
    }
}

/// Stores what is owed.
pub(super) struct Backfill {
    owed: mpsc::Receiver<Owed>,
    store: Store,
}

impl Backfill {
    pub(super) fn new(store: Store) -> (Owing, Self) {
        let (sender, owed) = mpsc::channel(BATCHES);
        (Owing { owed: sender, room: Arc::new(Semaphore::new(BYTES)) }, Self { owed, store })
    }

    /// Runs until nothing can come any more. What Postgres does not take by then is left to the workers.
    pub(super) async fn run(mut self) {
        while let Some(Owed { events, _room }) = self.owed.recv().await {
            let mut rest = RESTS.0;
            while let Err(error) = self.write(&events).await {
                if error.is_about_the_data() || self.owed.is_closed() {
                    tracing::debug!(error = %Chain(&error), events = events.len(), "left to the workers");
                    break;
                }
                sleep(rest).await;
                rest = (rest * 2).min(RESTS.1);
            }
        }
    }

    async fn write(&self, events: &[NewEvent]) -> Result<(), store::Error> {
        let writing = async {
            let mut connection = self.store.connection().await?;
            store::store_missing(&mut connection, events).await
        };
        self.store.within(LIMIT, "store what RabbitMQ has accepted", writing).await
    }
}
