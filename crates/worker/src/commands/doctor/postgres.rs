//! What can be wrong with Postgres and what is in it.

use super::check::{Check, major};
use crate::connect;
use crate::print::text::counted;
use crate::print::time::span;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Clock;
use runtime::SystemClock;
use settings::{DatabaseArgs, Problems};
use std::ops::RangeInclusive;
use store::{Backlog, Ledger, Store};
use telemetry::Chain;

/// The major versions that the tests run on.
const SUPPORTED: RangeInclusive<u32> = 15..=18;

/// An event that is unfinished for longer is not just waiting for its next try.
const LONG: TimeDelta = TimeDelta::minutes(10);

/// Settings, reachability, schema, ledger, backlog, in this order; the first that fails ends the list.
pub(super) async fn checks(args: &DatabaseArgs) -> Vec<Check> {
    let mut problems = Problems::new();
    let database = args.validate(&mut problems);
    let database = match problems.into_result(database) {
        Ok(database) => database,
        Err(problems) => return vec![Check::failed_saying("postgres", &problems)],
    };
    let store = match connect::open_store(&database) {
        Ok(store) => store,
        Err(error) => {
            let advice = "give DATABASE_URL as postgres://USER:PASSWORD@HOST:PORT/DATABASE";
            return vec![Check::failed("postgres", format!("{error:#}"), advice)];
        }
    };
    let mut checks = Vec::new();
    // Each says something only if the one before it did not fail.
    if let Err(failed) = all(&store, &mut checks).await {
        checks.push(failed);
    }
    checks
}

async fn all(store: &Store, checks: &mut Vec<Check>) -> Result<(), Check> {
    let server = store.server().await.map_err(|error| {
        let advice = "is it running, and are host, port, user and password in DATABASE_URL right?";
        Check::failed("postgres", Chain(&error).to_string(), advice)
    })?;
    checks.push(version_check(&server.version));
    checks.push(encoding_check(&server.encoding));
    // An error about the schema itself says what to do.
    store.check_schema().await.map_err(|error| Check::failed_saying("schema", &error))?;
    checks.push(Check::ok("schema", "up to date"));
    let (ledger, backlog) = figures(store).await.map_err(|error| {
        Check::failed("ledger", Chain(&error).to_string(), "may this user read all tables?")
    })?;
    checks.push(ledger_check(&ledger));
    checks.push(backlog_check(&backlog, SystemClock.now()));
    checks.push(dead_check(backlog.dead));
    Ok(())
}

async fn figures(store: &Store) -> Result<(Ledger, Backlog), store::Error> {
    let mut connection = store.connection().await?;
    Ok((store::ledger(&mut connection).await?, store::backlog(&mut connection).await?))
}

fn version_check(version: &str) -> Check {
    let found = format!("version {version}");
    if major(version).is_some_and(|major| SUPPORTED.contains(&major)) {
        Check::ok("postgres", found)
    } else {
        Check::warning("postgres", found, "only 15 to 18 are tested")
    }
}

/// Ids, types and errors are stored as text, and may hold anything that Unicode has.
fn encoding_check(encoding: &str) -> Check {
    if encoding == "UTF8" {
        Check::ok("encoding", encoding)
    } else {
        let advice = "events with other letters will be refused; create the database with ENCODING 'UTF8'";
        Check::warning("encoding", encoding, advice)
    }
}

fn ledger_check(ledger: &Ledger) -> Check {
    let accepted = counted(ledger.accepted, "event");
    if ledger.balances() {
        Check::ok("ledger", format!("{accepted} accepted, each in exactly one state"))
    } else {
        let advice = "see `worker events stats`, keep the database as it is and report this";
        Check::failed("ledger", format!("{accepted} accepted, and the states do not add up"), advice)
    }
}

fn backlog_check(backlog: &Backlog, now: DateTime<Utc>) -> Check {
    let Some(oldest) = backlog.oldest_pending else {
        return Check::ok("backlog", "nothing is waiting");
    };
    let age = now - oldest;
    let found = format!("{} unfinished, the oldest for {}", counted(backlog.pending, "event"), span(age));
    if age <= LONG {
        return Check::ok("backlog", found);
    }
    let advice =
        "is a `worker run` running, and what does its log say? See `worker events list --status pending`";
    Check::warning("backlog", found, advice)
}

fn dead_check(dead: i64) -> Check {
    if dead == 0 {
        return Check::ok("dead letters", "none");
    }
    let advice = "see `worker dlq stats`, then replay or discard them";
    Check::warning("dead letters", counted(dead, "dead letter"), advice)
}

#[cfg(test)]
mod tests;
