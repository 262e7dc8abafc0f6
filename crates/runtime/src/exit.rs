//! How a process ends.

use std::process::ExitCode;

/// The exit codes of our binaries; those from 64 on are those of `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done as asked.
    Ok,
    /// 1: it could not be done, or a check found something wrong.
    Failure,
    /// 64: the command line or the configuration is wrong; trying again changes nothing.
    Usage,
    /// 70: a bug of ours.
    Internal,
    /// 75: something we depend on is away; trying again later may help.
    Temporary,
}

impl Exit {
    /// The number that the operating system gets.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 64,
            Self::Internal => 70,
            Self::Temporary => 75,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error at the top of a process, with the exit code it leads to.
///
/// Any error becomes one through `?`, with [`Exit::Failure`]; [`OrExit::or_exit`] chooses another code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is printed.
    pub error: anyhow::Error,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Failure, error: error.into() }
    }
}

/// Choosing the exit code of an error.
pub trait OrExit<T> {
    /// Turns the error into a [`Failure`] with this exit code.
    ///
    /// # Errors
    /// When there was one.
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into() })
    }
}
