//! Publishing what was just committed, so that the healthy way takes milliseconds.

use crate::message::first_message;
use broker::{Message, Publisher, Queue};
use failpoints::failpoint;
use store::{NewEvent, Store, Ticket};
use telemetry::Chain;
use tokio::sync::mpsc;

/// Messages in one round of confirms at most.
const ROUND: usize = 512;

/// Publishes fresh events and removes their outbox rows. Whatever goes wrong here is mended by the relay.
pub struct FirstPublish {
    to_publish: mpsc::Receiver<(NewEvent, Ticket)>,
    publisher: Publisher,
    store: Store,
}

impl FirstPublish {
    pub(super) fn new(
        to_publish: mpsc::Receiver<(NewEvent, Ticket)>,
        publisher: Publisher,
        store: Store,
    ) -> Self {
        Self { to_publish, publisher, store }
    }

    /// Runs until the committer is gone and all that waited is published or left to the relay.
    pub async fn run(mut self) {
        let mut round = Vec::new();
        while self.to_publish.recv_many(&mut round, ROUND).await > 0 {
            self.publish(&std::mem::take(&mut round)).await;
        }
    }

    async fn publish(&self, round: &[(NewEvent, Ticket)]) {
        let messages: Vec<Message> = round.iter().map(|(event, _)| first_message(event)).collect();
        failpoint!("publish.begin");
        let outcomes = self.publisher.publish_all(Queue::Work, &messages).await;
        failpoint!("publish.confirmed");
        let confirmed: Vec<Ticket> = round
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|((_, ticket), _)| *ticket)
            .collect();
        if let Err(error) = confirm(&self.store, &confirmed).await {
            // The relay publishes them once more, and the worker knows duplicates.
            tracing::debug!(error = %Chain(&error), "published events stay in the outbox");
        }
    }
}

/// Removes confirmed intentions.
pub(crate) async fn confirm(store: &Store, tickets: &[Ticket]) -> Result<u64, store::Error> {
    if tickets.is_empty() {
        return Ok(0);
    }
    let mut connection = store.connection().await?;
    store::confirm(&mut connection, tickets).await
}
