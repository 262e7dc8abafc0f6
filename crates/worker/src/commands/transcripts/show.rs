//! `worker transcripts show`.

use super::list::{size, state};
use super::words::{Style, list_head, turns};
use crate::answer::Answer;
use crate::connect;
use crate::print::table::Rows;
use crate::print::time::instant_or_dash;
use crate::print::{Colours, Form, json};
use ops::transcripts::{InPostgres, Reader};
use serde::Serialize;
use settings::DatabaseArgs;
use store::{TranscriptRow, TranscriptThread};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker transcripts show sesn_01ABC | less
  worker transcripts show sesn_01ABC --json | jq .sha256

With --json it tells what is kept, not the words: `worker transcripts export` writes these.")]
pub(crate) struct Args {
    /// The session
    #[arg(value_name = "SESSION")]
    session: String,

    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    transcript: &'a TranscriptRow,
    /// In the order of the lines of an export.
    lists: &'a [TranscriptThread],
}

/// Shows a transcript.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let transcript = super::find(&store, &args.session).await?;
    let (session, generation) = (&transcript.session_id, transcript.generation);
    let colours = match form {
        Form::Json => {
            let mut connection = store.connection().await?;
            let lists = store::transcript_threads(&mut connection, session, generation).await?;
            return Ok(Answer::new(json::object(&Report { transcript: &transcript, lists: &lists })?));
        }
        Form::Text(colours) => colours,
    };
    let mut text = facts(&transcript, colours);
    let mut reader = Reader::new(InPostgres::new(store), session, generation).await?;
    let mut position = None;
    while let Some((part, lines)) = reader.next().await? {
        if position.replace(part.position) != Some(part.position) {
            text.push('\n');
            text += &list_head(Style::Plain, session, part.thread_id.as_deref());
        }
        text += &turns(Style::Plain, &lines);
    }
    Ok(Answer::new(text))
}

fn facts(transcript: &TranscriptRow, colours: Colours) -> String {
    let mut rows = Rows::without_header(colours);
    rows.add(["session", &transcript.session_id]).add(["state", state(transcript)]);
    if let Some(reason) = &transcript.reason {
        rows.add(["why", reason]);
    }
    rows.add(["fetched", &instant_or_dash(transcript.fetched_at)])
        .add(["events", &transcript.events.to_string()])
        .add(["threads", &transcript.threads.to_string()])
        .add(["size", &format!("{}, {} stored", size(transcript.bytes), size(transcript.stored_bytes))]);
    rows.render()
}
