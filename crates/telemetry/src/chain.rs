//! Errors with all their causes.

use std::error::Error;
use std::fmt;

/// Prints an error and its sources as `what failed: why: why that`.
///
/// In this house an error's `Display` never repeats its source, so whoever logs one wraps it: `error = %Chain(&error)`.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
