//! `worker dlq show`.

use crate::answer::Answer;
use crate::commands::events::{one_of, story_text};
use crate::connect;
use crate::error::Error;
use crate::print::{Form, json};
use domain::EventStatus;
use ops::story::event_stories;
use settings::DatabaseArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker dlq show whe_01ABC
  worker dlq show whe_01ABC --json | jq '.attempts'")]
pub(crate) struct Args {
    /// The event's id, as its sender gave it
    #[arg(value_name = "ID")]
    id: String,

    /// The endpoint that received it, where several did
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// Shows one dead letter.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let stories = event_stories(&store, &args.id, args.endpoint.as_deref()).await?;
    let (dead, others): (Vec<_>, Vec<_>) =
        stories.into_iter().partition(|story| story.event.row.status == EventStatus::Dead.as_str());
    if let (true, Some(other)) = (dead.is_empty(), others.first()) {
        let events = format!("{} is {}", args.id, other.event.row.status);
        return Err(Error::NotDead { events }.into());
    }
    let found = one_of(&args.id, dead)?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&found)?,
        Form::Text(colours) => story_text(&found, colours),
    }))
}
