//! The subcommands, one module each: its arguments, and what it does with them.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod dlq;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod migrate;
pub(crate) mod reconcile;
pub(crate) mod resources;
pub(crate) mod reviews;
pub(crate) mod transcripts;
