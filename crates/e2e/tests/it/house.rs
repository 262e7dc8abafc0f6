//! The architecture, as a test. Needs no server.

mod edges;
mod files;
mod names;
mod tree;
