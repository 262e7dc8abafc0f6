//! The architecture, as a test. Needs no server.

mod alerts;
mod edges;
mod failpoints;
mod files;
mod names;
mod tree;
