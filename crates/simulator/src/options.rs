//! How a simulator is set up.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Settings of one simulator. No `Debug`: it holds a signing key and an API key.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where webhooks go. Without it none are sent until `PUT /_sim/endpoint` names a place.
    pub webhook_url: Option<String>,
    /// The `whsec_…` secret webhooks are signed with. Without it they carry no signature.
    pub signing_key: Option<String>,
    /// The only API key that is accepted; without it any non-empty key is.
    pub api_key: Option<String>,
    /// Makes ids, jitter and plans repeat. Without it every run differs, so that a restarted simulator does not
    /// hand out event ids that a receiver has already seen.
    pub seed: Option<u64>,
    /// Factor on the sender's waits between attempts, which are 5 to 120 s at 1.0.
    pub time_scale: f64,
    /// How long a turn takes when an API call starts one; `None` leaves the session running until a scenario ends it.
    pub turn_time: Option<Duration>,
    /// Whether creating a session sends `session.created`, a type without a documented trigger.
    pub created_webhooks: bool,
    /// Share of all webhooks that never leave, 0 to 1; which ones follows from the seed and their ids.
    pub drop: f64,
    /// API calls that are let through in a minute; the others are answered 429.
    pub requests_per_minute: Option<usize>,
    /// Threads that serve HTTP.
    pub http_threads: usize,
}

impl Default for Options {
    /// For tests: a free local port, no endpoint, seed 1, waits of 5 to 120 ms, turns that end when told to.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            webhook_url: None,
            signing_key: None,
            api_key: None,
            seed: Some(1),
            time_scale: 0.001,
            turn_time: None,
            created_webhooks: false,
            drop: 0.0,
            requests_per_minute: None,
            http_threads: 1,
        }
    }
}
