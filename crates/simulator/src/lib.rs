//! A local stand-in for the Claude API and its webhook sender, for development and tests only.
//!
//! It owns a simulated workspace (sessions with their events and threads, agents, environments, vaults with their
//! credentials, deployments and their runs, memory stores), the API in front of it with the real
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
//! | `POST /scenarios/{name}` | see below | plays a scenario and sends its webhooks |
//! | `PUT /resources/{type}/{id}` | members | puts a resource, the members over those of a plausible one |
//! | `PUT /validations/{credential_id}` | members | what `mcp_oauth_validate` answers from now on, over a valid one |
//! | `GET /resources` | | everything ever created, see below |
//! | `GET /replies` | | every tool use and its replies, see below |
//! | `PUT`, `POST`, `GET`, `DELETE /faults` | list of rules, or one rule | replaces, adds to, shows, clears the faults |
//! | `PUT`, `GET /endpoint` | `url`, `signing_key`, `types`, `options`, `enabled`, `disable_after_ms` | the receiver of all webhooks |
//! | `POST /deliveries` | `type`, `id`, `session`, `data`, `extra`, `raw`, `created_at`, `dialect`, `options`, `url` | sends one webhook, answers every attempt |
//! | `GET /deliveries?event_id=&session=&resource=&type=&outcome=&limit=` | | what was sent, newest first |
//! | `POST /send`, `GET /send/{id}` | see `simulator send --help` | starts a batch, shows its progress |
//! | `POST /lives`, `GET /lives/{id}` | see `simulator live --help` | starts lives that wait for answers, shows their progress |
//! | `PUT /limit` | `requests_per_minute`, `window_ms` | 429 with `retry-after` for API calls beyond it; null for no limit |
//! | `POST`, `GET`, `PUT /executor` | a tool call; –; `secret`, `fail`, `status`, `delay_ms`, `answers` | the example executor: carries a call out, shows the calls per tool use, behaves otherwise |
//! | `GET /state`, `POST /reset` | | counters; back to the start |
//!
//! Delivery `options`: `duplicates`, `delay_ms`, `stale_seconds`, `signature` (`valid`, `wrong_secret`, `garbage`,
//! `missing`, `with_v1a`, `rotating`, `x_standard`, `x_timestamped_hex`, `x_body_hex`, `x_body_base64`), `dropped`,
//! `drop` (share that is never sent, the endpoint's holding for all; which ones follows from the seed and their ids),
//! `attempts`. A fault rule: `path` (prefix, pattern with `*`, or the whole path with `$` at its end), `method`, `query` (a part of it:
//! `page=` with status 400 makes cursors expire), `status`, `body` (`json`, `html`, `truncated`, `cut`, `slow`,
//! `no_next_page`, `empty`), `times`, `latency_ms`, `retry_after`, `error_code`, `should_retry`, `probability`, `phase`
//! (`before`, `after`).
//!
//! # Scenarios
//!
//! A scenario has a name of its own (`run_started`, `turn_end`, `requires_action`, `refusal`, `error`, `retries_exhausted`,
//! `terminated`, `archived`, `deleted`, `budget_reached`, `updated`, `created`, `outcome`, `thread_lifecycle`, …), or that of
//! the webhook type it leads to, with dots or underscores: `vault.archived`, `vault_credential.refresh_failed`,
//! `deployment_run.failed` (which pauses the deployment), `session.requires_action`, `external_key.failed`,
//! `tool.result_pending`, `content_moderation.denied`. Every type that the platform, the flat contract and the classic
//! contract know can be had that way. What has to exist first is made, and announced, too.
//!
//! The body may hold: `session` or `resource` (whom it happens to; for `deployment_run.*` a deployment, or a run that was
//! started), `members` (of what is made, or what an update changes), `error` (with which a run fails), `tools`, `lag` (so
//! many fetches still see the state from before), `hide` (so many fetches answer 404), `shuffle`, `reverse`, `data` and
//! `omit` (members of `data` that the webhooks have besides, or lack), `dialect`, `options`, `silent`, `wait`.
//!
//! # What to compare a receiver with
//!
//! `GET /_sim/resources` is an array of `{type, id, parent_id, status, deleted, archived_at, updated_at, object}` with a row for
//! everything that exists or has existed, sessions and their threads included. `parent_id` is a thread's session or a
//! credential's vault. `status` is one word: sessions and threads have their own, a deployment is `archived` or what its
//! status says, a deployment run is `failed`, `succeeded` or `started`, everything else is `archived` or `active`, and
//! whatever was deleted (threads with their session) is `deleted`.
//!
//! `GET /_sim/replies` is an array of `{tool_use_id, session, type, name, answered_by, accepted, refused, open}` with a row for
//! every tool use there has been. `answered_by` is the event type that answers it, null when nobody needs to. `accepted`
//! must end at 1 where somebody was asked and nothing happened in between (an interrupt, the end of the session);
//! `refused` counts the calls that named it and were answered 400 or 409; `open` tells whether an answer would still
//! be accepted.
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
mod executor;
mod faults;
mod limit;
mod lives;
mod lock;
mod options;
mod server;
mod shared;
mod webhook;
mod world;

pub use self::{error::Error, options::Options, server::Simulator};
