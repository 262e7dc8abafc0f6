//! Human review: from a waiting session to one decision.

mod deciding;
mod desk;
mod executing;
mod looking;
mod program;
mod waiting;
