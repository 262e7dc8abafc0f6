//! `worker reviews answer`.

use super::one::decide;
use super::person::PersonArgs;
use crate::answer::Answer;
use crate::connect;
use crate::error::Error;
use crate::print::Form;
use domain::review::result_of;
use settings::DatabaseArgs;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// The longest result, in bytes: an agent reads it.
const LIMIT: u64 = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "worker reviews answer <ID> <--text <TEXT>|--json-body <JSON>|--file <FILE>|-> [OPTIONS]",
    after_help = "\
Examples:
  worker reviews answer sevt_01ABC --text 'refund 8841 issued'
  worker reviews answer sevt_01ABC --text 'there is no order 8841' --error
  worker reviews answer sevt_01ABC --file result.json
  kubectl get pods | worker reviews answer sevt_01ABC -

JSON with a member content (a text, or a list of content blocks) and perhaps is_error is taken by
its members. Everything else, from --file and standard input too, becomes one text."
)]
pub(crate) struct Args {
    /// The id of the tool use, or a unique beginning of it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    result: ResultArgs,

    /// Tell the agent that the tool failed
    #[arg(long)]
    error: bool,

    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct ResultArgs {
    /// The result, as text
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,

    /// The result, as JSON
    #[arg(long, value_name = "JSON")]
    json_body: Option<String>,

    /// File that holds the result
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Read the result from standard input
    #[arg(value_name = "-", value_parser = ["-"], hide_possible_values = true)]
    stdin: Option<String>,
}

/// Answers a custom tool.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let who = args.person.name()?;
    let mut answer = result(&args.result)?;
    if let domain::Answer::Result { is_error, .. } = &mut answer {
        *is_error |= args.error;
    }
    let store = connect::store(&args.database)?;
    decide(&store, &args.id, &answer, who, form).await
}

fn result(args: &ResultArgs) -> Result<domain::Answer, Error> {
    if let Some(text) = &args.text {
        return Ok(domain::Answer::text(text, false));
    }
    let (name, body) = match (&args.json_body, &args.file) {
        (Some(json), _) => {
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(json);
            parsed.map_err(|source| Error::NoJson { source })?;
            ("--json-body".to_owned(), Ok(json.clone().into_bytes()))
        }
        (None, Some(path)) => (path.display().to_string(), File::open(path).and_then(read)),
        (None, None) => ("-".to_owned(), read(io::stdin().lock())),
    };
    let body = body.map_err(|source| Error::Unreadable { path: name.clone(), source })?;
    if u64::try_from(body.len()).unwrap_or(u64::MAX) > LIMIT {
        return Err(Error::TooLong { path: name, limit_bytes: LIMIT });
    }
    let not_text = |unreadable| Error::Unreadable {
        path: name,
        source: io::Error::new(io::ErrorKind::InvalidData, unreadable),
    };
    result_of(&body).map_err(not_text)
}

/// All of it, or a byte more than is allowed.
fn read(from: impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    from.take(LIMIT + 1).read_to_end(&mut body)?;
    Ok(body)
}
