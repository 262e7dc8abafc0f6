//! `worker transcripts`.

mod export;
mod list;
mod show;
mod words;

use crate::answer::Answer;
use crate::error::Error;
use crate::print::Form;
use clap::Subcommand;
use store::{Store, TranscriptRow};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  worker transcripts list
  worker transcripts show sesn_01ABC
  worker transcripts export sesn_01ABC --output sesn_01ABC.jsonl")]
pub(crate) enum Command {
    /// List the transcripts that are kept
    List(list::Args),
    /// Read what was said in a session
    Show(show::Args),
    /// Write a transcript out, each event as the platform sent it
    Export(export::Args),
}

impl Command {
    pub(crate) async fn run(self, form: Form) -> anyhow::Result<Answer> {
        match self {
            Self::List(args) => list::run(&args, form).await,
            Self::Show(args) => show::run(&args, form).await,
            Self::Export(args) => export::run(&args, form).await,
        }
    }
}

/// The transcript of a session.
///
/// # Errors
/// When there is none, with what to do about it.
async fn find(store: &Store, session: &str) -> anyhow::Result<TranscriptRow> {
    let mut connection = store.connection().await?;
    let found = store::find_transcript(&mut connection, session).await?;
    if let Some(row) = found.as_ref().filter(|row| row.generation > 0) {
        return Ok(row.clone());
    }
    let effects = store::effects_of_resource(&mut connection, "session", session).await?;
    let wanted = effects.iter().rfind(|effect| effect.kind == "archive");
    let hint = match wanted {
        Some(effect) if effect.standing == "obsolete" => {
            "the session was deleted before its events could be fetched".to_owned()
        }
        Some(_) => "it is about to be fetched: is a `worker run` up, and the Claude API reachable? \
                    `worker alerts list` says what failed"
            .to_owned(),
        None => "a transcript is fetched when a session is completed, terminated or archived; \
                 `worker resources show session ID` says where it stands"
            .to_owned(),
    };
    Err(Error::NoTranscript { id: session.to_owned(), hint }.into())
}
