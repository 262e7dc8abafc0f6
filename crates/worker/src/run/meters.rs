//! What a worker counts, by who counts it.

use telemetry::Registry;

/// The metrics of all parts. Cloning one shares it.
pub(super) struct Meters {
    pub(super) processing: ops::Metrics,
    pub(super) broker: broker::Metrics,
    pub(super) reconcile: ops::reconcile::Metrics,
    pub(super) audit: ops::audit::Metrics,
    pub(super) replies: ops::replies::Metrics,
    pub(super) alerts: ops::alerts::Metrics,
    pub(super) budget: ops::budget::Metrics,
}

impl Meters {
    /// New ones, named in the registry.
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let meters = Self {
            processing: ops::Metrics::default(),
            broker: broker::Metrics::default(),
            reconcile: ops::reconcile::Metrics::default(),
            audit: ops::audit::Metrics::default(),
            replies: ops::replies::Metrics::default(),
            alerts: ops::alerts::Metrics::default(),
            budget: ops::budget::Metrics::default(),
        };
        meters.processing.register_worker(registry);
        meters.broker.register(registry);
        meters.reconcile.register(registry);
        meters.audit.register(registry);
        meters.replies.register(registry);
        meters.alerts.register(registry);
        meters.budget.register(registry);
        meters
    }
}
