//! What alerts count. All names are listed in docs/telemetry.md.

use domain::{AlertKind, Severity};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A severity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SeverityLabel {
    severity: &'static str,
}

/// A kind of alert.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// A sink, and how telling it went.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabel {
    sink: &'static str,
    outcome: &'static str,
}

/// Figures about alerts. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    open: Family<SeverityLabel, Gauge>,
    raised: Family<KindLabel, Counter>,
    deliveries: Family<DeliveryLabel, Counter>,
}

impl Metrics {
    /// Names them in the registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("worker_alerts_open", "Open alerts of the stack, by severity", self.open.clone());
        registry.register(
            "worker_alerts_raised",
            "Alerts that this worker has raised, again ones included, by kind",
            self.raised.clone(),
        );
        registry.register(
            "worker_alert_deliveries",
            "Attempts to tell sinks of alerts, by outcome",
            self.deliveries.clone(),
        );
    }

    pub(super) fn count_raised(&self, kind: AlertKind) {
        self.raised.get_or_create(&KindLabel { kind: kind.as_str() }).inc();
    }

    pub(super) fn count_delivery(&self, sink: &'static str, outcome: &'static str) {
        self.deliveries.get_or_create(&DeliveryLabel { sink, outcome }).inc();
    }

    /// Every severity has its series from the start, so that a rule on it has data.
    pub(super) fn show_open(&self, open: &[(Severity, i64)]) {
        for severity in Severity::ALL {
            let count = open.iter().find(|(of, _)| *of == severity).map_or(0, |(_, count)| *count);
            self.open.get_or_create(&SeverityLabel { severity: severity.as_str() }).set(count);
        }
    }
}
