//! Lives: many sessions that work, ask, wait to be answered and go on, and other resources beside them.
//!
//! A batch (`send`) sends webhooks that were planned to the last one; nothing that the receiver does changes it. A life is
//! the opposite: a session that asks goes on when it has been answered, whoever answers and however long it takes. In the
//! end everything has happened that was planned, and each tool use should have one answer.

mod order;
mod plan;
mod progress;
mod run;

pub(crate) use self::{order::LiveOrder, progress::Lives, run::start};
