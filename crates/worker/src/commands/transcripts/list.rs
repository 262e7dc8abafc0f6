//! `worker transcripts list`.

use crate::answer::Answer;
use crate::connect;
use crate::limit::LimitArgs;
use crate::print::table::Rows;
use crate::print::text::shortened;
use crate::print::time::instant_or_dash;
use crate::print::{Colours, Form, json};
use indicatif::HumanBytes;
use settings::DatabaseArgs;
use store::{TranscriptFilter, TranscriptRow};

/// Characters of a reason that a table shows.
const REASON_LENGTH: usize = 80;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker transcripts list
  worker transcripts list --incomplete
  worker transcripts list --json | jq -r '.[].session_id'")]
pub(crate) struct Args {
    /// Only those that lack something
    #[arg(long)]
    incomplete: bool,

    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Lists transcripts.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let filter = TranscriptFilter { incomplete: args.incomplete, limit: args.limit.rows_to_read(form) };
    let mut transcripts = store::list_transcripts(&mut *store.connection().await?, &filter).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&transcripts)?,
        Form::Text(_) if transcripts.is_empty() => "no transcripts\n".to_owned(),
        Form::Text(colours) => {
            let more = args.limit.cut(&mut transcripts);
            table(&transcripts, colours) + &more
        }
    }))
}

fn table(transcripts: &[TranscriptRow], colours: Colours) -> String {
    let header = ["session", "state", "fetched", "events", "threads", "size", "stored", "why"];
    let mut rows = Rows::list(&header, colours);
    for transcript in transcripts {
        rows.add([
            &transcript.session_id,
            state(transcript),
            &instant_or_dash(transcript.fetched_at),
            &transcript.events.to_string(),
            &transcript.threads.to_string(),
            &size(transcript.bytes),
            &size(transcript.stored_bytes),
            &shortened(transcript.reason.as_deref().unwrap_or("-"), REASON_LENGTH),
        ]);
    }
    rows.render()
}

/// One word for where it stands.
pub(super) const fn state(transcript: &TranscriptRow) -> &'static str {
    match (transcript.generation, transcript.complete) {
        (0, _) => "fetching",
        (_, true) => "complete",
        (_, false) => "incomplete",
    }
}

/// A number of bytes, for people.
pub(super) fn size(bytes: i64) -> String {
    HumanBytes(u64::try_from(bytes).unwrap_or_default()).to_string()
}
