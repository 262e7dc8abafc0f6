//! The store against a real Postgres, a database per test. `DATABASE_URL` names the server.

mod accept;
mod alerts;
mod audit;
mod bench;
mod budget;
mod bundles;
mod constraints;
mod dead;
mod due_effects;
mod duplicates;
mod effects;
mod failures;
mod history;
mod ledger;
mod lists;
mod lock_order;
mod outages;
mod outbox;
mod plans;
mod reconcile;
mod replays;
mod replies;
mod resources;
mod reviews;
mod schema;
