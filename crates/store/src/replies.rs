//! Decisions that go back to the platform, each an event of our own.
//!
//! The event has the tries and the dead letters; the row in `replies` says what is to be posted, by whom right now, and
//! what became of it. Both are always written in one transaction.

mod accept;
mod life;
mod posting;
mod stray;

pub use accept::{NewReply, REPLY_ENDPOINT, REPLY_EVENT_TYPE, accept_reply};
pub(crate) use life::{fail_replies, revive_replies};
pub use posting::{Reply, ReplyEnd, end_replies, hold_replies, lock_replies, release_replies};
pub use stray::{ReplyFigures, StrayReply, reply_figures, requeue_replies, stray_replies, try_lock_replies};
