//! Keeping signed bodies that are no events, off the way of those that are.

use std::time::Duration;
use store::{Kept, Quarantined, Store};
use telemetry::Chain;
use tokio::sync::mpsc;

/// Bodies that may wait to be kept; one more is only logged. Each may be as large as a delivery.
const WAITING: usize = 64;

/// Bodies that are kept at most. Whoever can sign sends what the platform sends, so the first of them say it all.
const BOUND: i64 = 10_000;

/// How long keeping one may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Where a receiver leaves what is to be kept.
#[derive(Clone)]
pub(super) struct Hatch(mpsc::Sender<Quarantined>);

impl Hatch {
    /// Leaves a body, without waiting. Losing it loses nothing that could have been processed.
    pub(super) fn leave(&self, body: Quarantined) {
        if let Err(refused) = self.0.try_send(body) {
            let body = refused.into_inner();
            tracing::error!(endpoint = %body.endpoint, problem = body.problem, "signed body is no event, and too many wait to be quarantined");
        }
    }
}

/// Keeps bodies, over and over.
pub struct Quarantine {
    bodies: mpsc::Receiver<Quarantined>,
    store: Store,
}

impl Quarantine {
    pub(super) fn new(store: Store) -> (Hatch, Self) {
        let (hatch, bodies) = mpsc::channel(WAITING);
        (Hatch(hatch), Self { bodies, store })
    }

    /// Runs until every receiver is gone and all that they left is kept or given up.
    pub async fn run(mut self) {
        while let Some(body) = self.bodies.recv().await {
            self.keep(&body).await;
        }
    }

    async fn keep(&self, body: &Quarantined) {
        let keeping = async {
            let mut connection = self.store.connection().await?;
            store::quarantine(&mut connection, body, Some(BOUND)).await
        };
        let (endpoint, problem) = (&body.endpoint, &body.problem);
        match self.store.within(LIMIT, "quarantine a body", keeping).await {
            Ok(Kept::New) => {
                tracing::warn!(%endpoint, problem, "signed body is no event; kept in quarantine");
            }
            Ok(Kept::Again) => {
                tracing::warn!(%endpoint, problem, "signed body is no event; it was in quarantine before");
            }
            Ok(Kept::Full) => {
                tracing::error!(%endpoint, problem, bound = BOUND, "signed body is no event, and the quarantine is full");
            }
            Err(error) => {
                tracing::error!(%endpoint, problem, error = %Chain(&error), "signed body is no event, and could not be quarantined");
            }
        }
    }
}
