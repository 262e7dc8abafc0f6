//! Asking before many things change.

use crate::answer::remark;
use crate::error::Error;
use crate::print::text::counted;
use std::io::{IsTerminal, stderr, stdin};

/// Whether somebody is there to be asked.
pub(crate) fn somebody_is_there() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks on the terminal whether to go on.
///
/// # Errors
/// When the person does not say yes.
pub(crate) fn ask(action: &str, count: i64) -> Result<(), Error> {
    remark(&format!("{action} {}? Type yes to go on.", counted(count, "dead letter")));
    let mut line = String::new();
    // A terminal that cannot be read has said nothing, which is not yes.
    let read = stdin().read_line(&mut line);
    let answer = line.trim().to_lowercase();
    if read.is_ok() && matches!(answer.as_str(), "y" | "yes") { Ok(()) } else { Err(Error::Declined) }
}
