//! `worker transcripts export`.

use super::words::{Style, list_head, turns};
use crate::answer::Answer;
use crate::connect;
use crate::error::Error;
use crate::print::text::counted;
use crate::print::{Form, json};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use ops::transcripts::{InPostgres, Reader};
use serde::Serialize;
use settings::DatabaseArgs;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use store::TranscriptRow;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One event per line, as the platform sent it
    Jsonl,
    /// For reading
    Markdown,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker transcripts export sesn_01ABC | jq -r .type | sort | uniq -c
  worker transcripts export sesn_01ABC --format markdown --output sesn_01ABC.md

The events of child threads come after the session's own, thread by thread; --thread chooses one.")]
pub(crate) struct Args {
    /// The session
    #[arg(value_name = "SESSION")]
    session: String,

    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,

    /// Only the events of this child thread
    #[arg(long, value_name = "ID")]
    thread: Option<String>,

    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Serialize)]
struct Report<'a> {
    session_id: &'a str,
    output: &'a Path,
    events: i64,
    complete: bool,
}

/// Where the text goes: a file as it comes, or the answer.
enum Sink {
    File(PathBuf, File),
    Answer(Vec<u8>),
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Answer(text) => {
                text.extend_from_slice(bytes);
                Ok(())
            }
            Self::File(path, file) => file
                .write_all(bytes)
                .map_err(|source| Error::Unwritable { path: path.display().to_string(), source }),
        }
    }
}

/// Writes a transcript out.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let transcript = super::find(&store, &args.session).await?;
    if let Some(thread) = &args.thread {
        let mut connection = store.connection().await?;
        let (session, generation) = (&transcript.session_id, transcript.generation);
        let lists = store::transcript_threads(&mut connection, session, generation).await?;
        if !lists.iter().any(|list| list.thread_id.as_ref() == Some(thread)) {
            return Err(Error::NoThread { id: thread.clone(), session: session.clone() }.into());
        }
    }
    let mut sink = match &args.output {
        None => Sink::Answer(Vec::new()),
        Some(path) => {
            let failed = |source| Error::Unwritable { path: path.display().to_string(), source };
            Sink::File(path.clone(), File::create(path).map_err(failed)?)
        }
    };
    let bar = bar(&transcript);
    let written = copy(args, &transcript, InPostgres::new(store), &mut sink, &bar).await;
    bar.finish_and_clear();
    let events = written?;
    Ok(match sink {
        Sink::Answer(text) => Answer::new(String::from_utf8_lossy(&text).into_owned()),
        Sink::File(path, _) => Answer::new(match form {
            Form::Json => json::object(&Report {
                session_id: &transcript.session_id,
                output: &path,
                events,
                complete: transcript.complete,
            })?,
            Form::Text(_) => {
                let lacks = transcript.reason.map_or_else(String::new, |why| format!("; incomplete: {why}"));
                format!("{} written to {}{lacks}\n", counted(events, "event"), path.display())
            }
        }),
    })
}

/// Copies all parts that were asked for. Returns how many events they hold.
async fn copy(
    args: &Args,
    transcript: &TranscriptRow,
    storage: InPostgres,
    sink: &mut Sink,
    bar: &ProgressBar,
) -> anyhow::Result<i64> {
    let mut reader = Reader::new(storage, &transcript.session_id, transcript.generation).await?;
    let (mut events, mut position) = (0, None);
    while let Some((part, lines)) = reader.next().await? {
        bar.inc(u64::from(part.events.unsigned_abs()));
        if args.thread.is_some() && args.thread != part.thread_id {
            continue;
        }
        events += i64::from(part.events);
        if args.format == Format::Jsonl {
            sink.write(&lines)?;
            continue;
        }
        if position.replace(part.position) != Some(part.position) {
            let head = list_head(Style::Markdown, &transcript.session_id, part.thread_id.as_deref());
            sink.write(head.as_bytes())?;
        }
        sink.write(turns(Style::Markdown, &lines).as_bytes())?;
    }
    let digest: String = reader
        .sha256()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(u32::from(half), 16))
        .collect();
    if transcript.sha256.as_deref() != Some(&digest) {
        return Err(Error::TranscriptDamaged { id: transcript.session_id.clone() }.into());
    }
    Ok(events)
}

/// On standard error, and nothing where that is no terminal.
fn bar(transcript: &TranscriptRow) -> ProgressBar {
    let bar = ProgressBar::new(transcript.events.unsigned_abs());
    // An unreadable template would only cost looks, so the default stays then.
    if let Ok(style) = ProgressStyle::with_template("exporting {wide_bar} {pos}/{len}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
