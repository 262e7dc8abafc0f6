//! A system that is told of some of what the platform does, and what is left of it in the end.

use crate::bench::{Bench, PATIENCE, Platform, Worker, event};
use anyhow::{Result, ensure};
use bytes::Bytes;
use domain::Clock;
use ops::reconcile::{Metrics, Options, Reconciler, Report};
use std::sync::Arc;
use store::NewEvent;
use testkit::eventually;

/// One system.
pub(crate) struct Stand {
    pub(crate) bench: Bench,
}

impl Stand {
    /// A system whose clock shows the real time, as the simulator's does.
    pub(crate) async fn new() -> Result<Self> {
        let stand = Self { bench: Bench::new().await? };
        stand.now();
        Ok(stand)
    }

    /// Moves the clock to the present, if it is not ahead already.
    pub(crate) fn now(&self) {
        self.bench.clock.set(testkit::clock::real_now().max(self.bench.clock.now()));
    }

    pub(crate) fn reconciler(&self, platform: &Platform) -> Result<Reconciler> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.bench.clock) as _;
        Ok(Reconciler::new(self.bench.store.clone(), platform.client()?, clock, Metrics::default()))
    }

    pub(crate) async fn reconcile(&self, platform: &Platform, options: &Options) -> Result<Report> {
        self.now();
        Ok(self.reconciler(platform)?.reconcile(options, &mut |_| {}).await?)
    }

    /// Takes deliveries in.
    pub(crate) async fn told(&self, bodies: &[Bytes]) -> Result<()> {
        self.now();
        let mut events = Vec::new();
        for body in bodies {
            let received_at = self.bench.clock.now();
            let delivered: NewEvent = event(&serde_json::from_slice(body)?)?;
            events.push(NewEvent { received_at, ..delivered });
        }
        let mut connection = self.bench.store.connection().await?;
        store::accept_batch(&mut connection, &events, Some(self.bench.clock.now())).await?;
        Ok(())
    }

    /// Publishes and processes until nothing is left to do.
    pub(crate) async fn processed(&self, platform: &Platform) -> Result<()> {
        self.now();
        let relay = self.bench.relay().await?;
        let worker = Worker::start(&self.bench, platform).await?;
        eventually(PATIENCE * 2, "no pending event", async || {
            let ledger = self.bench.ledger().await?;
            // What failed is tried again.
            self.bench.advance(1);
            ensure!(ledger.pending == 0 && ledger.balances(), "{ledger:?}");
            Ok(Some(()))
        })
        .await?;
        relay.stopped_within(PATIENCE).await?;
        worker.stopped_with_nothing_left(&self.bench, platform).await
    }

    /// Everything that is left: states, histories and effects, without what tells one delivery from another. The time of
    /// a fetch, the ids of events, and the keys of alerts, which are ids of events; nor the time of a deletion, which nobody
    /// knows but the platform, and that of a thread's last change, which may be told by nothing.
    pub(crate) async fn end(&self) -> Result<Vec<String>> {
        self.bench
            .texts(
                "SELECT concat_ws(' ', 'state', resource_type, resource_id, status, \
                     CASE resource_type WHEN 'session' THEN snapshot_updated_at END, \
                     deleted_at IS NOT NULL, waiting::text) AS line FROM resources WHERE last_event_id IS NOT NULL \
                 UNION ALL \
                 SELECT concat_ws(' ', 'history', resource_type, resource_id, \
                     CASE WHEN event_type NOT LIKE '%.deleted' THEN created_at END, event_type) \
                     FROM resource_history \
                 UNION ALL \
                 SELECT concat_ws(' ', 'effect', resource_type, resource_id, kind, standing, detail, \
                     CASE kind WHEN 'review' THEN key END) FROM effects \
                 ORDER BY 1",
            )
            .await
    }
}
