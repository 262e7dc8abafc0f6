//! From an order, a seed and a time to the list of deliveries.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{
    batch::{
        order::{DialectChoice, SendOrder},
        story::{flat_type, story, webhook_type},
    },
    webhook::{Dialect, SignatureMode},
    world::{Ids, Scenario},
};

/// Time between two steps of one session. Below a second, so that whole-second timestamps tie.
const STEP: TimeDelta = TimeDelta::milliseconds(700);

/// What becomes of an event's webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Sent as it should be.
    Valid,
    /// Sent once more, after its first copy was planned.
    Duplicate,
    /// Signed correctly, too long ago.
    Stale,
    BadSignature(SignatureMode),
    /// Never sent.
    Dropped,
}

/// One event of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedEvent {
    pub(crate) event_id: String,
    pub(crate) kind: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) at: DateTime<Utc>,
    /// Which step of which session; none for classic events.
    pub(crate) step: Option<(usize, usize)>,
}

/// One session of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedSession {
    pub(crate) id: String,
    pub(crate) steps: Vec<(Scenario, DateTime<Utc>)>,
}

/// Everything a batch will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) sessions: Vec<PlannedSession>,
    pub(crate) events: Vec<PlannedEvent>,
    /// Indexes into `events` in the order of sending.
    pub(crate) sends: Vec<(usize, Fate)>,
}

/// Plans a batch whose last step happens at `now`.
pub(crate) fn plan(order: &SendOrder, seed: u64, now: DateTime<Utc>) -> Plan {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut ids = Ids::new(seed);
    let total = order.count + order.stale + order.bad_signatures + order.dropped;
    let classic = match order.dialect {
        DialectChoice::Classic => total,
        DialectChoice::Mixed => total / 10,
        DialectChoice::Platform | DialectChoice::Flat => 0,
    };
    let mut sessions = Vec::new();
    let mut events: Vec<PlannedEvent> =
        (0..classic).map(|_| classic_event(&mut ids, &mut rng, now)).collect();
    let about_sessions = total - classic;
    let count = order.sessions.clamp(1, about_sessions.max(1)).min(about_sessions);
    for index in 0..count {
        let length = about_sessions / count + usize::from(index < about_sessions % count);
        let flat = match order.dialect {
            DialectChoice::Flat => true,
            DialectChoice::Mixed => rng.random_bool(0.3),
            DialectChoice::Platform | DialectChoice::Classic => false,
        };
        let steps = dated(story(length, &order.mix, &mut rng), now, &mut rng);
        for (position, (scenario, at)) in steps.iter().enumerate() {
            events.push(PlannedEvent {
                event_id: ids.webhook(),
                kind: if flat { flat_type(*scenario) } else { webhook_type(*scenario) },
                dialect: if flat { Dialect::Flat } else { Dialect::Platform },
                at: *at,
                step: Some((index, position)),
            });
        }
        sessions.push(PlannedSession { id: ids.resource("sesn"), steps });
    }
    events.sort_by(|a, b| (a.at, &a.event_id).cmp(&(b.at, &b.event_id)));
    let sends = sends(order, events.len(), &mut rng);
    Plan { sessions, events, sends }
}

fn classic_event(ids: &mut Ids, rng: &mut StdRng, now: DateTime<Utc>) -> PlannedEvent {
    PlannedEvent {
        event_id: ids.resource("evt"),
        kind: if rng.random_bool(0.2) { "content_moderation.denied" } else { "message.created" },
        dialect: Dialect::Classic,
        at: now - TimeDelta::milliseconds(rng.random_range(0..10_000)),
        step: None,
    }
}

/// Steps with times that increase and end at about `now`.
fn dated(steps: Vec<Scenario>, now: DateTime<Utc>, rng: &mut StdRng) -> Vec<(Scenario, DateTime<Utc>)> {
    let length = i32::try_from(steps.len()).unwrap_or(i32::MAX);
    let at = |position: i32, jitter: i64| now - STEP * (length - position) + TimeDelta::milliseconds(jitter);
    (0..length).zip(steps).map(|(position, step)| (step, at(position, rng.random_range(0..600)))).collect()
}

/// Deals out the fates and the order of sending.
fn sends(order: &SendOrder, total: usize, rng: &mut StdRng) -> Vec<(usize, Fate)> {
    let bad = [SignatureMode::WrongSecret, SignatureMode::Garbage, SignatureMode::Missing];
    let bad = bad.into_iter().cycle().map(Fate::BadSignature).take(order.bad_signatures);
    let mut fates: Vec<Fate> = std::iter::repeat_n(Fate::Valid, order.count)
        .chain(std::iter::repeat_n(Fate::Stale, order.stale))
        .chain(std::iter::repeat_n(Fate::Dropped, order.dropped))
        .chain(bad)
        .take(total)
        .collect();
    fates.shuffle(rng);
    let valid: Vec<usize> =
        fates.iter().enumerate().filter(|(_, fate)| **fate == Fate::Valid).map(|(index, _)| index).collect();
    // A send's place is its event's, a duplicate's a little later.
    let mut sends: Vec<(usize, usize, Fate)> =
        fates.into_iter().enumerate().map(|(index, fate)| (index, index, fate)).collect();
    for _ in 0..order.duplicate_count() {
        if let Some(index) = valid.get(rng.random_range(0..valid.len().max(1))) {
            sends.push((index + rng.random_range(0..20), *index, Fate::Duplicate));
        }
    }
    if order.shuffle {
        sends.shuffle(rng);
    } else {
        sends.sort_by_key(|(place, _, _)| *place); // stable: an event comes before its duplicates
    }
    sends.into_iter().map(|(_, index, fate)| (index, fate)).collect()
}

#[cfg(test)]
mod tests;
