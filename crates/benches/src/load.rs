//! The load: signed deliveries over kept-alive connections, in a closed or an open loop.

mod closed;
mod connection;
mod delivery;
mod fixed;
mod open;
mod outcome;

pub(crate) use closed::closed_loop;
pub(crate) use delivery::Deliveries;
pub(crate) use fixed::deliver;
pub(crate) use open::open_loop;
pub(crate) use outcome::{Outcome, float};
