//! One event's story, for people to read.

use crate::print::Colours;
use crate::print::json::laid_out;
use crate::print::table::Rows;
use crate::print::text::harmless;
use crate::print::time::{instant, instant_or_dash};
use ops::story::EventStory;
use store::{Attempt, EffectRow};

/// The facts, then the tries, the effects and the payload.
pub(crate) fn story_text(story: &EventStory, colours: Colours) -> String {
    let mut text = facts(story, colours);
    if !story.attempts.is_empty() {
        text += "\nFailed tries\n";
        text += &tries(&story.attempts, colours);
    }
    if !story.effects.is_empty() {
        text += "\nEffects\n";
        text += &effect_table(&story.effects, colours);
    }
    text += "\nPayload\n";
    text += &harmless_lines(&laid_out(story.payload.get()));
    text
}

fn facts(story: &EventStory, colours: Colours) -> String {
    let (event, row) = (&story.event, &story.event.row);
    let mut rows = Rows::without_header(colours);
    rows.add(["event", &row.event_id]).add(["type", &row.event_type]).add(["status", &row.status]);
    let mut fact = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            rows.add([name, value]);
        }
    };
    let resource = row.resource_type.as_deref().zip(row.resource_id.as_deref());
    fact("resource", resource.map(|(kind, id)| format!("{kind} {id}")).as_deref());
    fact("parent", event.parent_id.as_deref());
    fact("created", Some(&instant(row.created_at)));
    fact("received", Some(&format!("{} by endpoint {}", instant(row.received_at), row.endpoint)));
    fact("deliveries", Some(&row.deliveries.to_string()));
    fact("tries", Some(&format!("{} in generation {}", row.tries, row.generation)));
    fact("next due", event.due_at.map(instant).as_deref());
    fact("error", row.error_class.as_deref());
    fact("last error", row.last_error.as_deref());
    fact("died", row.dead_at.map(instant).as_deref());
    fact("finished", event.finished_at.map(instant).as_deref());
    fact("discarded", event.discard_reason.as_deref());
    fact("workspace", event.workspace_id.as_deref());
    fact("envelope", Some(&format!("{}, by {}", event.dialect, event.source)));
    fact("trace", row.trace_id.as_deref());
    rows.render()
}

fn tries(attempts: &[Attempt], colours: Colours) -> String {
    let mut rows = Rows::with_header(
        &["try", "generation", "began", "failed", "class", "error", "request", "worker"],
        colours,
    );
    for attempt in attempts {
        rows.add([
            &attempt.number.to_string(),
            &attempt.generation.to_string(),
            &instant(attempt.started_at),
            &instant(attempt.failed_at),
            &attempt.error_class,
            &attempt.error,
            attempt.request_id.as_deref().unwrap_or("-"),
            &attempt.worker,
        ]);
    }
    rows.render()
}

/// Effects as a table.
pub(crate) fn effect_table(effects: &[EffectRow], colours: Colours) -> String {
    let mut rows =
        Rows::with_header(&["kind", "standing", "about", "detail", "recorded", "carried out"], colours);
    for effect in effects {
        rows.add([
            &effect.kind,
            &effect.standing,
            &effect.key,
            &effect.detail,
            &instant(effect.recorded_at),
            &instant_or_dash(effect.done_at),
        ]);
    }
    rows.render()
}

/// The lines of a text, each of them fit for a terminal.
pub(crate) fn harmless_lines(text: &str) -> String {
    text.lines().map(|line| harmless(line) + "\n").collect()
}
