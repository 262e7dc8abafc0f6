//! What a command says in the end.

use runtime::Exit;
use std::io::{self, ErrorKind, Write};

/// The text for standard output, and the exit code.
#[derive(Debug)]
pub(crate) struct Answer {
    text: String,
    exit: Exit,
}

impl Answer {
    /// All is well.
    pub(crate) const fn new(text: String) -> Self {
        Self { text, exit: Exit::Ok }
    }

    /// The same text, and an exit code that says whether something was found wrong.
    pub(crate) fn failed_if(self, wrong: bool) -> Self {
        Self { exit: if wrong { Exit::Failure } else { Exit::Ok }, ..self }
    }

    /// The same text, and an exit code that says that the question is to be asked again later, or that something was found
    /// wrong, which weighs more.
    pub(crate) fn open_or_failed(self, open: bool, wrong: bool) -> Self {
        let exit = match (wrong, open) {
            (true, _) => Exit::Failure,
            (false, true) => Exit::Temporary,
            (false, false) => Exit::Ok,
        };
        Self { exit, ..self }
    }

    /// Writes the text to standard output. A reader that has seen enough (`| head`) is no error.
    ///
    /// # Errors
    /// When the text cannot be written, for example because the disk is full.
    pub(crate) fn print(self) -> io::Result<Exit> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(self.text.as_bytes()).and_then(|()| stdout.flush());
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            Ok(()) | Err(_) => Ok(self.exit),
        }
    }
}

/// Tells the person at the terminal something that is not part of the answer. Whether anybody reads it does not matter.
pub(crate) fn remark(text: &str) {
    let _nobody_reads = writeln!(io::stderr(), "{text}").is_err();
}
