//! The architecture, as a test. Needs no server.

mod edges;
mod failpoints;
mod files;
mod names;
mod tree;
