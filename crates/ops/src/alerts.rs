//! Alerts: what a person should know, from the events that call for it to the moment it is over.
//!
//! An event that calls for an alert has recorded an effect. [`AlertEffects`] finds out the details and raises the alert;
//! where newer events have ended it already, it goes on record and nobody is told. The [`Resolver`] ends open alerts when
//! the state of their resource says so, in whatever order deliveries came. The [`Watch`] raises what no event tells of: how
//! endpoints fare, what is unfinished or dead; the [`PauseWatch`] that the API is away. A [`Courier`] tells each [`Sink`].

mod courier;
mod details;
mod effects;
mod metrics;
mod pauses;
mod resolver;
mod sinks;
mod watch;
mod words;

pub use courier::Courier;
pub use effects::AlertEffects;
pub use metrics::Metrics;
pub use pauses::PauseWatch;
pub use resolver::Resolver;
pub use sinks::Sink;
pub use watch::{Watch, WatchConfig};

use std::time::Duration;

/// How long a transaction about alerts may take, network included.
const POSTGRES_LIMIT: Duration = Duration::from_secs(15);
