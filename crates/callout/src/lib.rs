//! Everything that is said to HTTP endpoints of the operator's own: one signed POST at a time.
//!
//! It owns the request (signature, time limits, no redirects) and a bounded reading of the answer, and tells whether a
//! failed request may have arrived. It does not try again and does not know what is said: both are the caller's. No error
//! holds a URL, which may have a password in it, nor a secret.

mod caller;
mod error;

pub use caller::{Caller, Request};
pub use error::Error;

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
