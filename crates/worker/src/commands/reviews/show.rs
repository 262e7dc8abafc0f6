//! `worker reviews show`.

use super::one::one;
use crate::answer::Answer;
use crate::commands::events::harmless_lines;
use crate::connect;
use crate::print::json::laid_out;
use crate::print::table::Rows;
use crate::print::time::instant;
use crate::print::{Colours, Form, json};
use domain::ReviewStatus;
use domain::review::ToolKind;
use serde::Serialize;
use settings::DatabaseArgs;
use store::{Review, ReviewStep};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker reviews show sevt_01ABC
  worker reviews show sevt_01ABC --json | jq .input")]
pub(crate) struct Args {
    /// The id of the tool use, or a unique beginning of it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// A review with its story.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    review: Review,
    history: Vec<ReviewStep>,
}

/// Shows one review.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let review = one(&store, &args.id).await?;
    let history = store::steps_of(&mut *store.connection().await?, review.effect).await?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Shown { review, history })?,
        Form::Text(colours) => text(&review, &history, colours),
    }))
}

fn text(review: &Review, history: &[ReviewStep], colours: Colours) -> String {
    let mut text = facts(review, colours);
    if let Some(input) = &review.input {
        text += "\nInput\n";
        text += &harmless_lines(&laid_out(input.get()));
    }
    let turns = review.context.as_ref().and_then(serde_json::Value::as_array);
    if let Some(turns) = turns.filter(|turns| !turns.is_empty()) {
        text += "\nWhat led to it\n";
        let member = |turn: &serde_json::Value, name: &str| {
            turn.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        };
        for turn in turns {
            text += &harmless_lines(&format!("{}: {}", member(turn, "from"), member(turn, "text")));
        }
    }
    if let Some(answer) = review.answer.as_ref().and_then(|answer| serde_json::to_string(answer).ok()) {
        text += "\nAnswer\n";
        text += &harmless_lines(&laid_out(&answer));
    }
    if !history.is_empty() {
        text += "\nHistory\n";
        let mut rows = Rows::with_header(&["at", "step", "by", "note"], colours);
        for step in history {
            rows.add([&instant(step.at), &step.step, &step.actor, step.note.as_deref().unwrap_or("-")]);
        }
        text += &rows.render();
    }
    text + &next(review)
}

fn facts(review: &Review, colours: Colours) -> String {
    let mut rows = Rows::without_header(colours);
    rows.add(["id", &review.id]).add(["status", review.status.as_str()]);
    let mut fact = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            rows.add([name, value]);
        }
    };
    fact("because", review.closed_as.as_deref());
    fact("kind", review.kind.map(ToolKind::as_str));
    fact("tool", review.tool.as_deref());
    fact("server", review.server.as_deref());
    fact("permission", review.permission.as_deref());
    let named = |name: Option<&str>, id: &str| name.map_or(id.to_owned(), |name| format!("{name} ({id})"));
    let agent_id = review.agent_id.as_deref();
    fact("agent", agent_id.map(|id| named(review.agent_name.as_deref(), id)).as_deref());
    fact("session", Some(&named(review.session_title.as_deref(), &review.session_id)));
    fact("session is", review.session_status.as_deref());
    fact("thread", review.thread_id.as_deref());
    fact("asked", review.asked_at.map(instant).as_deref());
    let because = review.because.as_deref().unwrap_or("-");
    let route = review.route.as_deref().map(|route| {
        let name = review.executor.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        format!("{route}{name} ({because})")
    });
    fact("goes to", route.as_deref());
    fact("due", review.due_at.map(instant).as_deref());
    fact("overdue since", review.escalated_at.map(instant).as_deref());
    let claim = review.claimed_by.as_deref().zip(review.claimed_until);
    fact("claimed by", claim.map(|(by, until)| format!("{by} until {}", instant(until))).as_deref());
    let decision = review.decided_by.as_deref().zip(review.decided_at);
    fact("decided by", decision.map(|(by, at)| format!("{by} at {}", instant(at))).as_deref());
    let reply = review.reply_event.as_deref().zip(review.reply_state.as_deref());
    fact("reply", reply.map(|(event, state)| format!("{event} ({state})")).as_deref());
    // What failed before a step that succeeded is history.
    let stuck = matches!(review.status, ReviewStatus::Preparing | ReviewStatus::Executing);
    fact("last error", review.last_error.as_deref().filter(|_| stuck));
    rows.render()
}

/// What a person can do about it.
fn next(review: &Review) -> String {
    let id = &review.id;
    match (review.status, review.kind.map(ToolKind::takes_result)) {
        (ReviewStatus::Open, Some(true)) => format!("\nAnswer it: worker reviews answer {id} --text …\n"),
        (ReviewStatus::Open, Some(false)) => {
            format!("\nAnswer it: worker reviews approve {id}, or worker reviews deny {id}\n")
        }
        (ReviewStatus::Failed, _) => {
            let event = review.reply_event.as_deref().unwrap_or("EVENT");
            format!("\nSee why: worker dlq show {event}. Try again: worker dlq replay {event}\n")
        }
        _ => String::new(),
    }
}
