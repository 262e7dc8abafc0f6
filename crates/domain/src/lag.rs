//! Whether the API shows a state from before an event: what it can be asked lags what it tells by a moment.

use crate::event::Event;
use crate::state::{Snapshot, SnapshotSource};
use chrono::{SubsecRound, TimeDelta};

/// Whether a snapshot contradicts an event that is younger than the state it shows, so that it is worth to look once more
/// a moment later. Only where both name a status: everything else may well change without any trace in the snapshot.
#[must_use]
pub fn shows_before(event: &Event, snapshot: &Snapshot) -> bool {
    let (Some(status), Some(updated_at)) = (snapshot.status.as_deref(), snapshot.updated_at) else {
        return false;
    };
    // The platform's events have whole seconds.
    if snapshot.source != SnapshotSource::Api || updated_at.trunc_subsecs(0) >= event.created_at {
        return false;
    }
    match event.event_type.as_str() {
        "session.status_idled"
        | "session.idled"
        | "session.requires_action"
        | "tool.result_pending"
        | "session.budget_reached" => status == "running",
        "session.status_run_started" | "session.running" => status == "idle",
        "session.status_rescheduled" => matches!(status, "idle" | "running"),
        "session.status_terminated" | "session.archived" => status != "terminated",
        _ => false,
    }
}

/// How much younger than an event a state has to be: the platform's events have whole seconds, and its own clocks differ.
const YOUNGER: TimeDelta = TimeDelta::seconds(3);

/// Whether a snapshot shows a state that is younger than an event, so that it contains what the event tells of. Both times
/// are the platform's.
#[must_use]
pub fn shows_after(event: &Event, snapshot: &Snapshot) -> bool {
    snapshot.source == SnapshotSource::Api
        && snapshot.updated_at.is_some_and(|updated_at| updated_at > event.created_at + YOUNGER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::parse;
    use chrono::{DateTime, Utc};

    fn happened() -> DateTime<Utc> {
        DateTime::from_timestamp(1_773_568_800, 0).unwrap()
    }

    fn event(event_type: &str) -> Event {
        let body = serde_json::json!({ "type": "event", "id": "whe_1", "created_at": happened(),
            "data": { "type": event_type, "id": "sesn_1" } });
        parse(body.to_string().as_bytes()).unwrap()
    }

    fn snapshot(status: &str, age: i64) -> Snapshot {
        Snapshot {
            body: "{}".to_owned(),
            status: Some(status.to_owned()),
            updated_at: Some(happened() - TimeDelta::milliseconds(age)),
            fetched_at: happened(),
            source: SnapshotSource::Api,
            waiting: None,
        }
    }

    #[test]
    fn only_an_older_state_that_contradicts_the_event_is_from_before_it() {
        let rows = [
            ("session.status_idled", "running", 1, true),
            ("session.status_idled", "running", 0, false),
            ("session.status_idled", "idle", 5_000, false),
            ("session.status_idled", "terminated", 5_000, false),
            ("session.status_terminated", "idle", 5_000, true),
            ("session.status_terminated", "terminated", 5_000, false),
            ("session.status_run_started", "idle", 5_000, true),
            ("session.updated", "running", 5_000, false),
            ("session.not_known_yet", "running", 5_000, false),
        ];
        for (event_type, status, age, expected) in rows {
            let found = shows_before(&event(event_type), &snapshot(status, age));
            assert_eq!(found, expected, "{event_type} {status} {age}");
        }
    }

    #[test]
    fn a_state_contains_what_happened_well_before_it_and_nothing_else() {
        let event = event("session.status_idled");
        for (age, expected) in [(1, false), (0, false), (-3_000, false), (-3_001, true), (-86_400_000, true)]
        {
            assert_eq!(shows_after(&event, &snapshot("running", age)), expected, "{age}");
        }
        let unknown = Snapshot { updated_at: None, ..snapshot("idle", -5_000) };
        let payload = Snapshot { source: SnapshotSource::Payload, ..snapshot("idle", -5_000) };
        assert!(!shows_after(&event, &unknown) && !shows_after(&event, &payload));
    }
}
