//! Publishing what was just committed, so that the healthy way takes milliseconds.

use broker::{Message, Publisher, Queue};
use domain::Clock;
use failpoints::failpoint;
use std::sync::Arc;
use std::time::Duration;
use store::{Connection, Store, Ticket};
use telemetry::Chain;
use tokio::sync::mpsc;

/// Commits whose events are published in one round of confirms at most.
const ROUND: usize = 16;

/// How long the removal of confirmed rows may take. The relay publishes once more what was not removed.
const CONFIRM_LIMIT: Duration = Duration::from_secs(8);

/// The new events of one commit.
pub(super) struct Fresh {
    /// Their schedule.
    pub(super) bundle: i64,
    /// Our number of each.
    pub(super) numbers: Vec<i64>,
    /// The message of each.
    pub(super) messages: Vec<Message>,
}

/// Publishes fresh events and removes their schedule. Whatever goes wrong here is mended by the relay.
pub struct FirstPublish {
    fresh: mpsc::Receiver<Fresh>,
    publisher: Publisher,
    store: Store,
    clock: Arc<dyn Clock>,
    /// Kept from one round to the next.
    connection: Option<Connection>,
}

impl FirstPublish {
    pub(super) fn new(
        fresh: mpsc::Receiver<Fresh>,
        publisher: Publisher,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { fresh, publisher, store, clock, connection: None }
    }

    /// Runs until the committer is gone and all that waited is published or left to the relay.
    pub async fn run(mut self) {
        let mut round = Vec::new();
        while self.fresh.recv_many(&mut round, ROUND).await > 0 {
            if let Err(error) = self.publish(std::mem::take(&mut round)).await {
                // The relay publishes them once more, and the worker knows duplicates.
                tracing::debug!(error = %Chain(&error), "published events stay scheduled");
            }
        }
    }

    async fn publish(&mut self, round: Vec<Fresh>) -> Result<(), store::Error> {
        let mut messages = Vec::new();
        let mut bundles = Vec::with_capacity(round.len());
        for Fresh { bundle, numbers, messages: new } in round {
            messages.extend(new);
            bundles.push((bundle, numbers));
        }
        failpoint!("publish.begin");
        let outcomes = self.publisher.publish_bundled(Queue::Work, &messages).await;
        failpoint!("publish.confirmed");
        let confirmed: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
        settle(&self.store, &mut self.connection, &bundles, &confirmed, self.clock.as_ref()).await
    }
}

/// Removes the bundles whose events were all confirmed; of the others leaves what was not, due at once. `confirmed` is in
/// the order of the events of all bundles. The connection is kept for the next time, unless something went wrong.
pub(crate) async fn settle(
    store: &Store,
    kept_connection: &mut Option<Connection>,
    bundles: &[(i64, Vec<i64>)],
    confirmed: &[bool],
    clock: &dyn Clock,
) -> Result<(), store::Error> {
    let mut confirmed = confirmed.iter().copied();
    let mut done = Vec::with_capacity(bundles.len());
    let mut kept = Vec::new();
    for (bundle, numbers) in bundles {
        let unconfirmed: Vec<i64> = numbers
            .iter()
            .copied()
            .zip(confirmed.by_ref())
            .filter_map(|(number, confirmed)| (!confirmed).then_some(number))
            .collect();
        if unconfirmed.is_empty() {
            done.push(*bundle);
        } else if unconfirmed.len() < numbers.len() {
            kept.push((*bundle, unconfirmed));
        }
        // Nothing of it was confirmed: its grace or its lease brings it back.
    }
    if done.is_empty() && kept.is_empty() {
        return Ok(());
    }
    let settling = async {
        let mut connection = match kept_connection.take() {
            Some(kept) => kept,
            None => store.connection().await?,
        };
        if !done.is_empty() {
            store::confirm_bundles(&mut connection, &done).await?;
        }
        for (bundle, unconfirmed) in kept {
            store::keep_in_bundle(&mut connection, bundle, &unconfirmed, clock.now()).await?;
        }
        *kept_connection = Some(connection);
        Ok(())
    };
    store.within(CONFIRM_LIMIT, "remove what is published", settling).await
}

/// Removes confirmed intentions.
pub(crate) async fn confirm(store: &Store, tickets: &[Ticket]) -> Result<u64, store::Error> {
    if tickets.is_empty() {
        return Ok(0);
    }
    let confirming = async {
        let mut connection = store.connection().await?;
        store::confirm(&mut connection, tickets).await
    };
    store.within(CONFIRM_LIMIT, "remove what is published", confirming).await
}
