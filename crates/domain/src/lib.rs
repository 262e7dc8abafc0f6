//! The rules of the business: what an event is, in which order events happened, what a new event does to the
//! resource it names, and what a failed try leads to.
//!
//! Everything here is a function of its arguments. There is no clock, no dice, no network and no disk: time and
//! jitter come in as values, and what should happen goes out as a value ([`Decision`]), for others to carry out.
//! `domain` does not know that Postgres, RabbitMQ or HTTP exist.
//!
//! The life of an event: [`envelope::parse`] turns a signed body into an [`Event`]; its [`Rule`] says which
//! resource to fetch; [`decide()`] says what the event and what was fetched do to the stored [`ResourceState`];
//! when a try fails, [`RetryPolicy::after_failure`] says what comes next, and [`Breaker`] whether upstream is to blame;
//! [`budget`] says how many calls may be made.

pub mod alert;
mod alerting;
pub mod breaker;
pub mod budget;
pub mod clock;
pub mod decide;
pub mod envelope;
pub mod event;
pub mod failure;
pub mod gaps;
pub mod ids;
pub mod lag;
pub mod message;
pub mod policy;
pub mod reconcile;
pub mod resource;
pub mod retry;
pub mod review;
pub mod rules;
pub mod state;
pub mod status;

pub use alert::{AlertKind, Severity};
pub use breaker::Breaker;
pub use budget::{CallClass, Rate};
pub use clock::Clock;
pub use decide::{Decision, Effect, EffectKind, Outcome, Standing, decide};
pub use event::{Dialect, Event, EventKey, Order};
pub use failure::FailureClass;
pub use ids::{EndpointName, EventId, EventType};
pub use message::Message;
pub use policy::Policy;
pub use resource::{ResourceKind, ResourceRef};
pub use retry::{Next, RetryPolicy};
pub use review::{Answer, ReviewStatus};
pub use rules::{Consequence, Fetch, Rule, rule_for};
pub use state::{Explanation, Idle, Observation, ResourceState, Snapshot, SnapshotSource, Waiting};
pub use status::EventStatus;
