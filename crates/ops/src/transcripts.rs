//! Transcripts: the events of a session that is over, fetched to the end and kept.
//!
//! An event that closes a session has recorded an effect. [`Archivist`] fetches the session's events page by page, and those
//! of every child thread, into parts of a generation of its own; the last transaction makes that generation the transcript.
//! A fetch that dies is gone on with by the next one, or begun anew when its cursors are too old. [`Storage`] is where the
//! bodies of the parts are.

mod archivist;
mod fetch;
mod lines;
mod reading;
mod storage;
mod turns;

pub use archivist::Archivist;
pub use lines::Corrupt;
pub use reading::{ReadError, Reader};
pub use storage::{InPostgres, Storage};
pub use turns::{Turn, turn};

use std::time::Duration;

/// How long a statement about transcripts may take, network included.
const POSTGRES_LIMIT: Duration = Duration::from_secs(30);
