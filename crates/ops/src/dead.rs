//! The dead-letter queue: replaying, closing, and keeping the broker's copies and Postgres in agreement.

mod bundled;
mod check;
mod discard;
mod inspect;
mod replay;
mod settle;
mod settler;

pub use check::{Agreement, check};
pub use discard::{Discarded, discard};
pub use inspect::{Inspection, inspect};
pub use replay::{Progress, ReplayError, Selection, replay, resume};
pub use settle::{SettleError, Settled, settle};
pub use settler::Settler;
