//! What can be wrong with the variable.

/// [`VARIABLE`](crate::VARIABLE) cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no list of `name=action`.
    #[error(
        "HOLDFAST_FAILPOINTS: {0:?} is not name=abort, name=panic or name=sleep(200ms), with @N behind it or not"
    )]
    Syntax(String),
    /// There is no line of this name.
    #[error("HOLDFAST_FAILPOINTS: there is no failpoint {name:?}; there are: {}", crate::NAMES.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
}
