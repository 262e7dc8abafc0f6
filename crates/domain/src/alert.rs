//! What a person should know, how urgent it is, and when it is over.

mod endpoint;
mod kind;
mod over;
mod severity;

pub use endpoint::{Fares, failing, together};
pub use kind::{AlertKind, UnknownAlertKind};
pub use over::{Cause, LaterEvent, matters_since, over};
pub use severity::{Severity, UnknownSeverity};

#[cfg(test)]
mod tests;
