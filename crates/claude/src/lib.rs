//! A client for exactly the calls of the Claude API that we make: every kind of resource that webhooks tell of, and the
//! events of sessions.
//!
//! It owns the request (headers, timeouts, retries in place) and the reading of the answer, and tells every
//! failure's [`domain::FailureClass`]. It does not own what an answer means for an event, sees no database, and
//! knows no budget: whoever shares the API with other workers slows it down through [`Config::pace`].
//!
//! Three rules hold everywhere:
//!
//! - **Answers are read tolerantly.** The platform adds members and values every month. Unknown members are kept in
//!   [`Fetched::raw`], unknown values in an `Other` variant; only what decisions rest on must be there.
//! - **Nothing secret leaves.** Keys are redacted wherever they could be printed, redirects are not followed (the
//!   target would receive the key), and texts of the server are searched for the key before they enter an error.
//! - **Time and chance come in** through [`Config::now`] and [`Config::jitter`].

mod body;
mod call;
mod client;
mod config;
mod error;
mod event;
mod fetched;
mod filter;
mod key;
mod object;
mod observe;
mod open_enum;
mod outgoing;
mod pace;
mod page;
mod path;
mod refusal;
mod resource;
mod retry;
mod session;
mod thread;
mod validation;

mod event_calls;
mod resource_calls;
mod session_calls;
mod thread_calls;

pub use client::Client;
pub use config::{Auth, Config};
pub use error::{Defect, Error};
pub use event::{Permission, RetryStatus, SessionError, SessionEvent, StopKind, StopReason};
pub use fetched::Fetched;
pub use filter::{EventFilter, Order, Paging, ResourceFilter, SessionFilter, TimeRange};
pub use key::Key;
pub use observe::{Attempt, AttemptOutcome, Observer};
pub use outgoing::{Confirmation, Content, MAX_EVENTS_PER_CALL, OutgoingEvent};
pub use pace::{Pace, Paced};
pub use page::Page;
pub use refusal::Refusal;
pub use resource::{Reason, Resource};
pub use retry::{Retry, RetryPolicy};
pub use session::{AgentRef, Session, Status};
pub use thread::SessionThread;
pub use validation::{Validation, ValidationStatus};
