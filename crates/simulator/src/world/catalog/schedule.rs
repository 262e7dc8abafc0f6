//! Schedules of deployments. Nothing here runs by itself: a scenario says when a run is due.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{
    clock,
    world::{
        refusal::Refusal,
        stamp::{Object, text},
    },
};

/// As many coming runs as the platform shows.
const SHOWN: i32 = 5;

/// Refuses what is no cron schedule.
pub(super) fn check(schedule: &Object) -> Result<(), Refusal> {
    let fields = text(schedule, "expression").split_whitespace().count();
    if text(schedule, "type") != "cron" || fields != 5 || text(schedule, "timezone").is_empty() {
        return Err(Refusal::invalid(
            "schedule: type cron, an expression of five fields and a timezone are required",
        ));
    }
    Ok(())
}

/// Says when the next runs are. The expression is not evaluated: every schedule is shown as if it were hourly.
pub(super) fn refresh(deployment: &mut Object, at: DateTime<Utc>) {
    let ended = deployment.get("archived_at").is_some_and(|at| !at.is_null());
    let Some(Value::Object(schedule)) = deployment.get_mut("schedule") else { return };
    let runs = if ended { 0 } else { SHOWN };
    let times = (1..=runs).map(|hour| clock::seconds(at + TimeDelta::hours(1) * hour).into());
    schedule.insert("upcoming_runs_at".into(), Value::Array(times.collect()));
    schedule.entry("last_run_at").or_insert(Value::Null);
}

/// Notes that a run has begun.
pub(super) fn ran(deployment: &mut Object, at: DateTime<Utc>) {
    if let Some(Value::Object(schedule)) = deployment.get_mut("schedule") {
        schedule.insert("last_run_at".into(), clock::seconds(at).into());
    }
}
