//! `worker resources show`.

use super::kind;
use super::message::{listed, scored, tokens};
use crate::answer::Answer;
use crate::commands::events::{effect_table, harmless_lines};
use crate::connect;
use crate::error::Error;
use crate::print::json::laid_out;
use crate::print::table::Rows;
use crate::print::time::instant;
use crate::print::{Colours, Form, json};
use domain::{Message, ResourceKind};
use ops::story::{ResourceStory, resource_story};
use settings::DatabaseArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker resources show session sesn_01ABC
  worker resources show session sesn_01ABC --json | jq -r '.history[].event_id'")]
pub(crate) struct Args {
    /// What it is
    #[arg(value_name = "TYPE", value_parser = kind(), hide_possible_values = true)]
    kind: ResourceKind,

    /// Its id
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// Shows one resource.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let found = resource_story(&store, args.kind, &args.id)
        .await?
        .ok_or_else(|| Error::NoResource { kind: args.kind, id: args.id.clone() })?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&found)?,
        Form::Text(colours) => text(&found, colours),
    }))
}

fn text(story: &ResourceStory, colours: Colours) -> String {
    let mut text = facts(story, colours);
    text += "\nHistory\n";
    text += &history(story, colours);
    if !story.effects.is_empty() {
        text += "\nEffects\n";
        text += &effect_table(&story.effects, colours);
    }
    if let Some(snapshot) = &story.snapshot {
        text += "\nSnapshot\n";
        text += &harmless_lines(&laid_out(snapshot.get()));
    }
    text
}

fn facts(story: &ResourceStory, colours: Colours) -> String {
    let mut rows = Rows::without_header(colours);
    rows.add(["id", &story.id]).add(["type", &story.resource_type]);
    let mut fact = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            rows.add([name, value]);
        }
    };
    fact("status", story.status.as_deref());
    fact("waits for", story.waiting.as_ref().map(waits_for).as_deref());
    fact("parent", story.parent_id.as_deref());
    fact("workspace", story.workspace_id.as_deref());
    let from = story.snapshot_source.as_deref().unwrap_or("unknown");
    fact("fetched", story.fetched_at.map(|at| format!("{} ({from})", instant(at))).as_deref());
    if let (Some(snapshot), "message") = (&story.snapshot, story.resource_type.as_str()) {
        let message = Message::read(snapshot.get());
        fact("model", message.model.as_deref());
        fact("tokens", Some(&tokens(&message)));
        fact("flagged by", Some(&listed(&message.flagged_by)));
        fact("level", Some(&listed(&message.levels)));
        fact("blocked", Some(&listed(&message.blocked_categories)));
        fact("scored", Some(&scored(&message)));
    }
    let last = story.last_event.as_deref().zip(story.last_event_at);
    fact("last event", last.map(|(id, at)| format!("{id} of {}", instant(at))).as_deref());
    fact("deleted", story.deleted_at.map(instant).as_deref());
    rows.render()
}

/// The reason, and the tool uses that wait for an answer.
fn waits_for(waiting: &domain::Waiting) -> String {
    if waiting.blocking_event_ids.is_empty() {
        return waiting.reason.clone();
    }
    format!("{}: {}", waiting.reason, waiting.blocking_event_ids.join(", "))
}

fn history(story: &ResourceStory, colours: Colours) -> String {
    let mut rows = Rows::with_header(&["created", "event", "type", "status", "received"], colours);
    for event in &story.history {
        rows.add([
            &instant(event.created_at),
            &event.event_id,
            &event.event_type,
            &event.status,
            &instant(event.received_at),
        ]);
    }
    rows.render()
}
