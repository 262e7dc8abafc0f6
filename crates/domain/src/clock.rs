//! Time, as an argument.

use chrono::{DateTime, Utc};

/// Where the present comes from. The one real clock lives in `runtime`; tests bring their own.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}
