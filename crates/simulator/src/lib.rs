//! A local stand-in for the Claude API and its webhook sender, for development and tests only.
//!
//! It owns a simulated workspace (sessions, their events and threads), the API in front of it with the real
//! one's header checks, lists, cursors and errors, a sender of webhooks signed rightly or wrongly, and a control
//! API under `/_sim` that plays scenarios, injects faults and sends batches. It refuses to own anything of the
//! receiver: it knows neither its storage nor its queues, and nothing that is shipped may depend on it.
//!
//! Invariants:
//!
//! - the state of a session follows from its event stream, so the object, the list and the threads agree;
//! - a change is made whole or not at all, and before the webhook about it leaves;
//! - the same seed and the same calls make the same ids and the same plans; only times differ.
//!
//! # The control API
//!
//! JSON, no credentials, everything below `/_sim`; unknown members are refused.
//!
//! | Call | Body | What it does |
//! | --- | --- | --- |
//! | `PUT /sessions/{id}` | session members | puts a session, the members over defaults |
//! | `GET /sessions/{id}` | | the true session, events, threads and blocking ids, not counted as a fetch |
//! | `POST /sessions/{id}/events` | `events` | appends raw stream events; the state follows from them |
//! | `POST /scenarios/{name}` | `session`, `tools`, `lag`, `shuffle`, `dialect`, `options`, `silent`, `wait` | plays a scenario and sends its webhooks |
//! | `PUT`, `POST`, `GET`, `DELETE /faults` | list of rules, or one rule | replaces, adds to, shows, clears the faults |
//! | `PUT`, `GET /endpoint` | `url`, `signing_key`, `types`, `options`, `enabled` | the receiver of all webhooks |
//! | `POST /deliveries` | `type`, `id`, `session`, `data`, `extra`, `raw`, `created_at`, `dialect`, `options`, `url` | sends one webhook, answers every attempt |
//! | `GET /deliveries?event_id=&session=&type=&outcome=&limit=` | | what was sent, newest first |
//! | `POST /send`, `GET /send/{id}` | see `simulator send --help` | starts a batch, shows its progress |
//! | `GET /state`, `POST /reset` | | counters; back to the start |
//!
//! Delivery `options`: `duplicates`, `delay_ms`, `stale_seconds`, `signature` (`valid`, `wrong_secret`, `garbage`,
//! `missing`, `with_v1a`, `rotating`, `x_standard`, `x_timestamped_hex`, `x_body_hex`, `x_body_base64`), `dropped`,
//! `attempts`. A fault rule: `path` (prefix, or pattern with `*`), `method`, `status`, `body` (`json`, `html`,
//! `truncated`, `cut`, `empty`), `times`, `latency_ms`, `retry_after`, `should_retry`, `probability`, `phase`
//! (`before`, `after`).
//!
//! # Example
//!
//! ```no_run
//! # async fn example() -> Result<(), simulator::Error> {
//! let simulator = simulator::Simulator::start(simulator::Options::default()).await?;
//! let api = simulator.base_url();
//! simulator.stop().await;
//! # Ok(())
//! # }
//! ```

mod api;
mod batch;
mod calls;
pub mod cli;
mod clock;
mod control;
mod error;
mod faults;
mod lock;
mod options;
mod server;
mod shared;
mod webhook;
mod world;

pub use self::{error::Error, options::Options, server::Simulator};
