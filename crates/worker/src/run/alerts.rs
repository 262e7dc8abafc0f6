//! The duties about alerts.

use super::duties::Parts;
use callout::Caller;
use chrono::TimeDelta;
use domain::EffectKind;
use ops::alerts::{AlertEffects, Courier, Metrics, PauseWatch, Resolver, Sink, Watch, WatchConfig};
use ops::effects::Runner;
use runtime::Tasks;
use std::sync::Arc;
use std::time::Duration;

/// Alerts whose details are fetched at the same time.
const CONCURRENCY: u16 = 4;

/// How this worker raises alerts, and whom it tells.
pub(super) struct Settings {
    pub(super) metrics: Metrics,
    /// What this worker counts while it processes events, pauses among it.
    pub(super) processing: ops::Metrics,
    pub(super) sinks: Vec<Sink>,
    pub(super) caller: Caller,
    pub(super) watch: WatchConfig,
}

/// The sinks of these settings, the log first.
pub(crate) fn sinks(settings: &settings::Sinks) -> Vec<Sink> {
    let webhook = settings.webhook.as_ref().map(|(url, secret)| Sink::Webhook {
        url: url.reveal().to_owned(),
        secret: Box::new(secret.clone()),
    });
    let slack = settings.slack.as_ref().map(|url| Sink::Slack { url: url.reveal().to_owned() });
    [Some(Sink::Log), webhook, slack].into_iter().flatten().collect()
}

/// When the watch of these settings tells.
pub(super) fn watch(settings: settings::Watch) -> WatchConfig {
    let span = |time: Duration| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    WatchConfig { unfinished_age: span(settings.unfinished_age), silence: settings.silence.map(span) }
}

/// Starts raising alerts, resolving them, and telling of them.
pub(super) fn spawn(parts: &Parts, tasks: &Tasks) {
    let Settings { metrics, processing, sinks, caller, watch } = &parts.alerts;
    let soft = tasks.shutdown().soft();
    let handler = AlertEffects::new(
        parts.store.clone(),
        parts.claude.clone(),
        Arc::clone(&parts.clock),
        metrics.clone(),
    );
    let runner = Runner::new(
        EffectKind::Alert,
        handler,
        parts.store.clone(),
        Arc::clone(&parts.clock),
        rand::random::<f64>,
        CONCURRENCY,
    );
    let stop = soft.clone();
    tasks.spawn_critical("alerts", async move {
        runner.run(stop).await;
        Ok(())
    });
    let resolver = Resolver::new(parts.store.clone(), Arc::clone(&parts.clock), metrics.clone());
    let stop = soft.clone();
    tasks.spawn_critical("alert resolver", async move {
        resolver.run(stop).await;
        Ok(())
    });
    let watch = Watch::new(*watch, parts.store.clone(), Arc::clone(&parts.clock));
    let stop = soft.clone();
    tasks.spawn_critical("watch", async move {
        watch.run(stop).await;
        Ok(())
    });
    let pauses = PauseWatch::new(parts.store.clone(), Arc::clone(&parts.clock), processing.clone());
    let stop = soft.clone();
    tasks.spawn_critical("pause watch", async move {
        pauses.run(stop).await;
        Ok(())
    });
    for sink in sinks {
        let (store, clock) = (parts.store.clone(), Arc::clone(&parts.clock));
        let courier = Courier::new(store, sink.clone(), caller.clone(), clock, metrics.clone());
        let stop = soft.clone();
        tasks.spawn_critical("alert courier", async move {
            courier.run(stop).await;
            Ok(())
        });
    }
}
