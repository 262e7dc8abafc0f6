//! What the reconciler asks: what is held, how far a pass is, what stands in the history of a session.

mod held;
mod histories;
mod passes;

pub use held::{first_event_at, held, held_children, held_ids, owner, pending_among, vanished};
pub use histories::{histories, recent_histories};
pub use passes::{
    NewPass, Pass, Stage, Tally, begin_pass, drop_pass, end_pass, last_pass, last_reconciled, note_page,
    open_pass, record_reconciled, seen_in, try_lock_reconciling,
};
