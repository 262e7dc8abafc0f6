//! `worker dlq replay --dry-run`.

use crate::answer::Answer;
use crate::commands::dlq::list::letter_table;
use crate::print::text::counted;
use crate::print::{Form, json};
use serde::Serialize;
use store::{DeadFilter, EventRow, Store};

/// Rows that a person sees of what would be replayed.
const ROWS: i64 = 50;

#[derive(Serialize)]
struct Preview {
    /// Always true, so that nobody takes this for a replay.
    dry_run: bool,
    /// How many would be replayed.
    total: i64,
    /// Each of them.
    events: Vec<EventRow>,
}

/// Says what a replay would take, and changes nothing.
pub(super) async fn run(store: &Store, filter: &DeadFilter, form: Form) -> anyhow::Result<Answer> {
    let mut connection = store.connection().await?;
    let total = store::count_dead(&mut connection, filter).await?;
    let limit = match form {
        Form::Json => i64::MAX,
        Form::Text(_) => ROWS,
    };
    let events = store::list_dead(&mut connection, filter, limit).await?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Preview { dry_run: true, total, events })?,
        Form::Text(_) if total == 0 => "no dead letters match\n".to_owned(),
        Form::Text(colours) => {
            let would = counted(total, "dead letter");
            format!("{}{would} would be replayed; nothing was changed\n", letter_table(&events, colours))
        }
    }))
}
