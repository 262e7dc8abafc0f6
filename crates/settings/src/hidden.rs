//! Secrets from flags, environment or files.

use crate::problems::Problems;
use std::fmt;
use std::path::Path;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Takes a secret from its setting or from the file that its `…_FILE` twin names; the setting wins. Surrounding
/// white space goes, since files end in a line feed.
pub(crate) fn secret(
    setting: Option<&Hidden>,
    file: Option<&Path>,
    names: &str,
    problems: &mut Problems,
) -> Option<Hidden> {
    let text = match (setting, file) {
        (Some(text), _) => text.0.clone(),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                problems.note(format!("cannot read the file {} for {names}: {error}", path.display()));
                return None;
            }
        },
        (None, None) => return None,
    };
    let text = text.trim();
    if text.is_empty() {
        problems.note(format!("{names} is empty"));
        return None;
    }
    Some(Hidden::new(text))
}
