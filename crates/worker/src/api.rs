//! The API client, from settings.

use domain::{Clock, Rate};
use ops::Metrics;
use ops::budget::{Budget, Rates};
use runtime::SystemClock;
use settings::{AuthStyle, Claude};
use std::sync::Arc;
use store::Store;

/// The gate that keeps this process within the budget that all workers share. Give it to [`client`].
pub(crate) fn budget(
    settings: &Claude,
    store: &Store,
    clock: Arc<dyn Clock>,
    metrics: ops::budget::Metrics,
) -> Arc<Budget> {
    let rates = Rates {
        reads: Rate::per_minute(settings.reads_per_minute),
        writes: Rate::per_minute(settings.writes_per_minute),
    };
    Arc::new(Budget::new(rates, store.clone(), clock, metrics))
}

/// A client as the settings say; its requests are counted where there are metrics, and kept within the budget where there
/// is one.
///
/// # Errors
/// When no client can be built from the settings.
pub(crate) fn client(
    settings: &Claude,
    metrics: Option<Metrics>,
    budget: Option<Arc<Budget>>,
) -> Result<claude::Client, claude::Error> {
    let key = claude::Key::new(settings.key.reveal());
    let auth = match settings.auth {
        AuthStyle::ApiKey => claude::Auth::ApiKeyHeader(key),
        AuthStyle::Bearer => claude::Auth::Bearer(key),
    };
    let mut config = claude::Config::new(auth, || domain::Clock::now(&SystemClock), rand::random::<f64>);
    config.base_url.clone_from(&settings.base_url);
    config.version.clone_from(&settings.version);
    config.beta.clone_from(&settings.beta);
    config.memory_beta.clone_from(&settings.memory_beta);
    config.total_timeout = settings.timeout;
    config.read_timeout = config.read_timeout.min(settings.timeout);
    config.observer = metrics.map(|metrics| {
        let observer: claude::Observer = Arc::new(move |attempt| metrics.count_api_call(attempt));
        observer
    });
    config.pace = budget.map(|budget| {
        let pace: Arc<dyn claude::Pace> = budget;
        pace
    });
    claude::Client::new(config)
}
