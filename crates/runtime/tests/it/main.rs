//! `runtime` as a process and over HTTP.

mod health;
mod process;
