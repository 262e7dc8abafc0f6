//! All that is wrong with the settings, told at once.

use std::fmt;

/// Mistakes found so far.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// No mistake yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a mistake: which setting, what is wrong, what would be right.
    pub fn note(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// The value if it was valid and nothing else was wrong either.
    ///
    /// # Errors
    /// When any mistake was noted.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) | None => Err(self),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the settings cannot be used: {one}"),
            many => {
                write!(f, "the settings cannot be used:")?;
                many.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}
