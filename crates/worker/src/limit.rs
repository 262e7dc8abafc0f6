//! How long lists get.

use crate::print::Form;
use clap::Args;

/// Rows of a table when nobody asks for more.
const ROWS: u32 = 50;

/// How many rows to print.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LimitArgs {
    /// How many to list at most [default: 50, and all of them with --json]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

impl LimitArgs {
    /// How many rows to ask for. For people it is one more than they see, which tells whether there are more.
    pub(crate) fn rows_to_read(self, form: Form) -> i64 {
        match form {
            Form::Json => self.limit.map_or(i64::MAX, i64::from),
            Form::Text(_) => i64::from(self.limit.unwrap_or(ROWS)) + 1,
        }
    }

    /// Drops the row that nobody sees; the sentence about it, or nothing when there was none.
    pub(crate) fn cut<T>(self, rows: &mut Vec<T>) -> String {
        let shown = self.limit.unwrap_or(ROWS);
        let length = usize::try_from(shown).unwrap_or(usize::MAX);
        if rows.len() <= length {
            return String::new();
        }
        rows.truncate(length);
        format!("There are more than these {shown}: see more with --limit.\n")
    }
}

#[cfg(test)]
mod tests;
