//! Named lines at which a process can be made to die, panic or hang, in builds with debug assertions only.
//!
//! `kill -9` at a random moment hits the two lines that matter once in a thousand rounds. A failpoint hits them every
//! time: `HOLDFAST_FAILPOINTS='accept.committed=abort@20'` ends the process the twentieth time that it passes the line
//! `failpoint!("accept.committed")`, without unwinding, flushing or answering anybody.
//!
//! It owns the list of names, the variable's syntax and the actions. It knows nothing of what happens around a line.
//!
//! Invariants:
//!
//! - in a build without debug assertions (`--release`) [`failpoint!`] is `if false {}` and nothing reads the variable;
//! - a name that is not in [`NAMES`] stops the process at its start;
//! - nothing happens at a line that the variable does not name.

mod action;
mod error;
mod names;
mod spec;

pub use action::Action;
pub use error::Error;
pub use names::NAMES;
pub use spec::Point;

use std::sync::OnceLock;

/// The variable that arms failpoints. See [`Point`] for its syntax.
pub const VARIABLE: &str = "HOLDFAST_FAILPOINTS";

/// What this process was told at its start. Process-wide, because the lines lie below functions whose arguments
/// nobody would lengthen for it; written once, before anything runs.
static ARMED: OnceLock<Vec<Point>> = OnceLock::new();

/// Marks a line. `failpoint!("name")`, or `failpoint!("name", key)` where the variable may ask for one key only, such as
/// an event's id. The name must be in [`NAMES`].
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        $crate::failpoint!($name, "")
    };
    ($name:literal, $key:expr) => {
        if cfg!(debug_assertions) {
            $crate::pass($name, $key);
        }
    };
}

/// Arms what [`VARIABLE`] names. Without debug assertions it does nothing.
///
/// # Errors
/// When the variable cannot be read, or names a failpoint that does not exist.
pub fn arm() -> Result<(), Error> {
    if cfg!(debug_assertions) {
        #[expect(
            clippy::disallowed_methods,
            reason = "a setting of development builds only, and no business of the settings' help texts"
        )]
        let text = std::env::var(VARIABLE).unwrap_or_default();
        let points = spec::parse(&text)?;
        let _armed_before = ARMED.set(points).is_err();
    }
    Ok(())
}

/// What [`failpoint!`] calls.
#[doc(hidden)]
pub fn pass(name: &str, key: &str) {
    for point in ARMED.get().into_iter().flatten().filter(|point| point.is_hit(name, key)) {
        point.action().carry_out(name);
    }
}
