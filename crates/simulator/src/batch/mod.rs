//! Batches: many sessions living plausible lives, and the webhooks about them, sent well or badly.
//!
//! A batch is planned first (a pure function of the order, a seed and the time) and carried out in the background.

mod order;
mod plan;
mod progress;
mod run;
mod story;

pub(crate) use self::{
    order::{DialectChoice, SendOrder},
    progress::Batches,
    run::start,
};
