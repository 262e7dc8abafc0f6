//! `worker dlq list`.

use super::selection::FilterArgs;
use crate::answer::Answer;
use crate::connect;
use crate::limit::LimitArgs;
use crate::print::table::Rows;
use crate::print::text::shortened;
use crate::print::time::instant_or_dash;
use crate::print::{Colours, Form, json};
use domain::Clock;
use runtime::SystemClock;
use settings::DatabaseArgs;
use store::EventRow;

/// Characters of an error that a table shows; `show` has all of it.
const ERROR_LENGTH: usize = 80;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker dlq list --class transient --newer-than 1h
  worker dlq list --text 'overloaded' --type 'session.*'
  worker dlq list --json | jq -r '.[].event_id'")]
pub(crate) struct Args {
    /// Ids of events [default: all]
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Lists dead letters.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let filter = args.filter.filter(&args.ids, SystemClock.now());
    let limit = args.limit.rows_to_read(form);
    let mut letters = store::list_dead(&mut *store.connection().await?, &filter, limit).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&letters)?,
        Form::Text(_) if letters.is_empty() => "no dead letters\n".to_owned(),
        Form::Text(colours) => {
            let more = args.limit.cut(&mut letters);
            letter_table(&letters, colours) + &more
        }
    }))
}

/// Dead letters as a table.
pub(crate) fn letter_table(letters: &[EventRow], colours: Colours) -> String {
    let mut rows = Rows::list(&["event", "type", "resource", "died", "class", "last error"], colours);
    for letter in letters {
        rows.add([
            &letter.event_id,
            &letter.event_type,
            letter.resource_id.as_deref().unwrap_or("-"),
            &instant_or_dash(letter.dead_at),
            letter.error_class.as_deref().unwrap_or("-"),
            &shortened(letter.last_error.as_deref().unwrap_or("-"), ERROR_LENGTH),
        ]);
    }
    rows.render()
}
