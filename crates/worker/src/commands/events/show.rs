//! `worker events show`.

mod story;

pub(crate) use story::{effect_table, harmless_lines, story_text};

use crate::answer::Answer;
use crate::connect;
use crate::error::Error;
use crate::print::{Form, json};
use ops::story::{EventStory, event_stories};
use settings::DatabaseArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker events show whe_01ABC
  worker events show whe_01ABC --json | jq '.attempts[].error'")]
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

/// Shows one event.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let found = one_of(&args.id, event_stories(&store, &args.id, args.endpoint.as_deref()).await?)?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&found)?,
        Form::Text(colours) => story_text(&found, colours),
    }))
}

/// The one event of that id.
///
/// # Errors
/// When there is none, or one per endpoint.
pub(crate) fn one_of(id: &str, mut stories: Vec<EventStory>) -> Result<EventStory, Error> {
    if stories.len() > 1 {
        let endpoints: Vec<&str> = stories.iter().map(|story| story.event.row.endpoint.as_str()).collect();
        return Err(Error::SeveralEndpoints { id: id.to_owned(), endpoints: endpoints.join(", ") });
    }
    stories.pop().ok_or_else(|| Error::NoEvent { id: id.to_owned() })
}
