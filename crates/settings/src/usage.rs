//! What happens when the command line cannot be read, or asks for help.

use std::process::ExitCode;

/// The exit code of `sysexits.h` for a command line or settings that cannot be used.
const EX_USAGE: u8 = 64;

/// Prints what clap has to say and gives the exit code: 0 for help and version, 64 for a mistake.
#[must_use]
pub fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to complain: `ingest --help | head -1` is fine.
    let _pipe_is_closed = error.print().is_err();
    if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS }
}
