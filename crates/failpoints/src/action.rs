//! What a failpoint does.

use std::time::Duration;

/// What happens at an armed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The process ends at once, without unwinding: what `kill -9` at this line means.
    Abort,
    /// A panic, which unwinds as any other.
    Panic,
    /// The thread, not only the task, stands still for so long.
    Sleep(Duration),
}

impl Action {
    /// Does it, and says so on standard error first.
    pub(crate) fn carry_out(self, name: &str) {
        eprintln!("failpoint {name}: {self:?}");
        match self {
            Self::Abort => std::process::abort(),
            #[expect(clippy::panic, reason = "it was asked for")]
            Self::Panic => panic!("failpoint {name}"),
            Self::Sleep(time) => std::thread::sleep(time),
        }
    }
}
