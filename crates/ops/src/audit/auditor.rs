//! Auditing by itself: each worker says what it holds and takes in markers; one of them places and decides.

use super::figures::Figures;
use super::{AuditError, Config, Metrics, rounds};
use broker::{Broker, Hands, Held, LinkState, MarkerDelivery};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Clock;
use std::sync::Arc;
use std::time::Instant;
use store::{Round, Store, WorkerReport};
use telemetry::{Chain, LogLimiter};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// What an auditor sees of its own worker.
#[derive(Debug)]
pub struct Eyes {
    /// What the consumer has handed out.
    pub hands: Hands,
    /// Whether the consumer is connected. One that is not says nothing: RabbitMQ gives its messages to others.
    pub link: watch::Receiver<LinkState>,
    /// The markers that it is handed.
    pub markers: mpsc::Receiver<MarkerDelivery>,
}

/// Audits for one worker. Any number may run: one at a time places markers and decides.
pub struct Auditor {
    config: Config,
    store: Store,
    broker: Broker,
    clock: Arc<dyn Clock>,
    worker: String,
    metrics: Metrics,
    figures: Figures,
    shown: Option<store::Figures>,
    next_report: Option<Instant>,
    next_place: Option<Instant>,
    log: LogLimiter,
}

impl Auditor {
    /// An auditor that calls its worker by this name.
    #[must_use]
    pub fn new(
        config: Config,
        store: Store,
        broker: Broker,
        clock: Arc<dyn Clock>,
        worker: String,
        metrics: Metrics,
    ) -> Self {
        Self {
            config,
            store,
            broker,
            clock,
            worker,
            metrics,
            figures: Figures::default(),
            shown: None,
            next_report: None,
            next_place: None,
            log: LogLimiter::new(std::time::Duration::from_mins(1)),
        }
    }

    /// Runs until `stop`. A round that is interrupted is taken up by the next auditor.
    pub async fn run(mut self, mut eyes: Eyes, stop: CancellationToken) {
        let mut ticks = interval(self.config.poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                marker = eyes.markers.recv(), if open => match marker {
                    Some(marker) => self.note(marker).await,
                    None => open = false,
                },
                _ = ticks.tick() => {
                    let duty = tokio::select! {
                        duty = self.step(&eyes) => duty,
                        () = stop.cancelled() => return,
                    };
                    if let Err(error) = duty
                        && let Some(suppressed) = self.log.admit("step", Instant::now())
                    {
                        tracing::warn!(error = %Chain(&error), suppressed, "audit waits");
                    }
                }
            }
        }
    }

    /// A marker came back. When Postgres cannot be told, it is let go all the same: the next marker says as much.
    async fn note(&self, delivery: MarkerDelivery) {
        let MarkerDelivery { marker, delivered, acker } = delivery;
        let returned_at = before(self.clock.now(), delivered.elapsed());
        let noted = async {
            let mut connection = self.store.connection().await?;
            store::mark_returned(&mut connection, marker.number, marker.placed_at, returned_at).await
        };
        match noted.await {
            Ok(true) => {}
            Ok(false) => tracing::debug!(round = marker.number, "marker of a round that is over"),
            Err(error) => {
                tracing::debug!(error = %Chain(&error), round = marker.number, "marker not noted");
            }
        }
        let _session_is_over = acker.ack().await.is_err();
    }

    async fn step(&mut self, eyes: &Eyes) -> Result<(), AuditError> {
        if self.next_report.is_none_or(|next| Instant::now() >= next) {
            self.report(eyes).await?;
            self.next_report = Some(Instant::now() + self.config.report_every);
        }
        // The lock is held by a transaction that does nothing else, and goes with it however this ends.
        let mut election = self.store.begin("elect the auditor").await?;
        if !store::try_lock_auditing(&mut election).await? {
            return Ok(());
        }
        if let Some(round) = rounds::decide_open(&self.store, &*self.clock, &self.config).await? {
            self.tell(&round);
        }
        self.place().await?;
        self.figures.step(&self.store, &*self.clock).await?;
        Ok(election.commit().await?)
    }

    /// Says what this worker holds, and shows the figures that one of the workers took.
    async fn report(&mut self, eyes: &Eyes) -> Result<(), store::Error> {
        let now = self.clock.now();
        if let Some(figures) = &self.shown {
            // Without Postgres, too, they grow older.
            self.metrics.show(figures, now);
        }
        let mut connection = self.store.connection().await?;
        if *eyes.link.borrow() == LinkState::Up {
            let (held_since, holds_redelivered) = match eyes.hands.held() {
                Held::Nothing => (None, false),
                Held::For(age) => (Some(before(now, age)), false),
                Held::Redelivered => (None, true),
            };
            let worker = self.worker.clone();
            let report = WorkerReport { worker, reported_at: now, held_since, holds_redelivered };
            store::report_held(&mut connection, &report).await?;
        }
        let figures = store::figures(&mut connection).await?;
        self.metrics.show(&figures, now);
        self.shown = Some(figures);
        Ok(())
    }

    /// Places the next marker when it is time, and anything is in the queue by rights.
    async fn place(&mut self) -> Result<(), AuditError> {
        if self.next_place.is_some_and(|next| Instant::now() < next) {
            return Ok(());
        }
        let since = {
            let mut connection = self.store.connection().await?;
            let last = store::last_rounds(&mut connection, 1).await?;
            let since = last.first().map(|round| self.clock.now() - round.placed_at);
            let since =
                since.and_then(|since| since.to_std().ok()).filter(|since| *since < self.config.interval);
            if since.is_none() && !store::any_unpublished_pending(&mut connection).await? {
                self.next_place = Some(Instant::now() + self.config.interval);
                return Ok(());
            }
            since
        };
        // Another worker, or a person, was here before.
        if let Some(since) = since {
            self.next_place = Some(Instant::now() + self.config.interval.saturating_sub(since));
            return Ok(());
        }
        // Also when it fails: an outage must not lead to a marker each second.
        self.next_place = Some(Instant::now() + self.config.interval);
        let placed = rounds::place(&self.store, &self.broker, &*self.clock, &self.config, false).await?;
        if !placed.begun {
            self.metrics.count_round("skipped", 0);
            tracing::warn!(
                round = placed.number,
                most = self.config.most_unpublished,
                "audit skipped: too much is still to be published"
            );
        }
        Ok(())
    }

    fn tell(&self, round: &Round) {
        if round.requeued > 0 {
            self.metrics.count_round("requeued", round.requeued);
            tracing::error!(
                round = round.number,
                requeued = round.requeued,
                examples = round.examples.join(" "),
                "RabbitMQ has lost messages; their events are queued again"
            );
        } else {
            self.metrics.count_round("clean", 0);
            tracing::debug!(round = round.number, "audit found every event");
        }
    }
}

/// The instant so long before `now`.
fn before(now: DateTime<Utc>, age: std::time::Duration) -> DateTime<Utc> {
    TimeDelta::from_std(age).ok().and_then(|age| now.checked_sub_signed(age)).unwrap_or(DateTime::UNIX_EPOCH)
}
