//! Human review: from a waiting session to one decision.

mod deciding;
mod desk;
mod looking;
mod waiting;
