//! Decisions that go back to the platform, each an event of our own.

mod accept;

pub use accept::{NewReply, accept_reply};
