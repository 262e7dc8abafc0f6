//! The published test vectors, against this crate and against an independent implementation.
#![expect(clippy::expect_used, clippy::panic, reason = "this is a test")]

mod vectors;
