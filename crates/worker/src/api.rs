//! The API client, from settings.

use ops::Metrics;
use runtime::SystemClock;
use settings::{AuthStyle, Claude};
use std::sync::Arc;

/// A client as the settings say; its requests are counted where there are metrics.
///
/// # Errors
/// When no client can be built from the settings.
pub(crate) fn client(settings: &Claude, metrics: Option<Metrics>) -> Result<claude::Client, claude::Error> {
    let key = claude::Key::new(settings.key.reveal());
    let auth = match settings.auth {
        AuthStyle::ApiKey => claude::Auth::ApiKeyHeader(key),
        AuthStyle::Bearer => claude::Auth::Bearer(key),
    };
    let mut config = claude::Config::new(auth, || domain::Clock::now(&SystemClock), rand::random::<f64>);
    config.base_url.clone_from(&settings.base_url);
    config.version.clone_from(&settings.version);
    config.beta.clone_from(&settings.beta);
    config.total_timeout = settings.timeout;
    config.read_timeout = config.read_timeout.min(settings.timeout);
    config.observer = metrics.map(|metrics| {
        let observer: claude::Observer = Arc::new(move |attempt| metrics.count_api_call(attempt));
        observer
    });
    claude::Client::new(config)
}
