//! What the audit counts and shows. All names are listed in docs/telemetry.md.

use chrono::{DateTime, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use store::Figures;

/// How a round ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// A state of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

/// Counters and gauges of the audit. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    rounds: Family<Outcome, Counter>,
    requeued: Counter,
    ledger: Family<Status, Gauge>,
    accepted: Gauge,
    difference: Gauge,
    ledger_age: Gauge,
    pending: Gauge,
    pending_age: Gauge,
    dead: Gauge,
    outbox: Gauge,
    overdue: Gauge,
    figures_age: Gauge,
}

impl Metrics {
    /// Names the metrics in the registry of a worker.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("worker_audits", "Rounds of the audit that this worker ended", self.rounds.clone());
        registry.register(
            "worker_audit_requeued_events",
            "Events that were in no queue and were queued again by this worker",
            self.requeued.clone(),
        );
        registry.register(
            "worker_ledger_events",
            "Events by status, at the last count of all",
            self.ledger.clone(),
        );
        registry.register(
            "worker_ledger_accepted_events",
            "All events, at the last count of all",
            self.accepted.clone(),
        );
        registry.register(
            "worker_ledger_difference_events",
            "Accepted less the sum of all statuses; anything but 0 is a bug",
            self.difference.clone(),
        );
        registry.register(
            "worker_ledger_age_seconds",
            "Time since the last count of all events",
            self.ledger_age.clone(),
        );
        registry.register("worker_pending_events", "Events that are not finished", self.pending.clone());
        registry.register(
            "worker_oldest_pending_age_seconds",
            "Age of the oldest event that is not finished",
            self.pending_age.clone(),
        );
        registry.register("worker_dead_events", "Events in the dead-letter queue", self.dead.clone());
        registry.register("worker_outbox_rows", "Messages still to be published", self.outbox.clone());
        registry.register(
            "worker_outbox_overdue_seconds",
            "How long the most overdue of them has been due",
            self.overdue.clone(),
        );
        registry.register(
            "worker_figures_age_seconds",
            "Time since pending, dead and outbox were counted",
            self.figures_age.clone(),
        );
    }

    pub(super) fn count_round(&self, outcome: &'static str, requeued: i64) {
        self.rounds.get_or_create(&Outcome { outcome }).inc();
        self.requeued.inc_by(requeued.unsigned_abs());
    }

    /// Shows the figures that were kept, as old as they are.
    pub(super) fn show(&self, figures: &Figures, now: DateTime<Utc>) {
        let age = |at: DateTime<Utc>| (now - at).num_seconds().max(0);
        if let Some((at, ledger)) = figures.ledger {
            for (status, events) in ledger.by_status() {
                self.ledger.get_or_create(&Status { status: status.as_str() }).set(events);
            }
            self.accepted.set(ledger.accepted);
            self.difference.set(ledger.difference());
            self.ledger_age.set(age(at));
        }
        if let Some((at, unfinished)) = figures.unfinished {
            self.pending.set(unfinished.pending);
            self.pending_age.set(unfinished.oldest_pending_at.map_or(0, age));
            self.dead.set(unfinished.dead);
            self.outbox.set(unfinished.outbox);
            self.overdue.set(unfinished.oldest_due_at.map_or(0, age));
            self.figures_age.set(age(at));
        }
    }
}
