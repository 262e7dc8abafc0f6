//! Who works on reviews.

use crate::error::Error;
use clap::builder::NonEmptyStringValueParser;

/// Who decides.
#[derive(Debug, clap::Args)]
pub(super) struct PersonArgs {
    /// Who you are; kept with what you decide [default: your login name]
    #[arg(
        long = "as",
        env = "HOLDFAST_REVIEWER",
        value_name = "NAME",
        value_parser = NonEmptyStringValueParser::new()
    )]
    name: Option<String>,

    // Not an option of its own: this is how the login name gets here.
    #[arg(long, env = "USER", hide = true, value_name = "NAME")]
    login_name: Option<String>,
}

impl PersonArgs {
    /// The name.
    ///
    /// # Errors
    /// When nobody said it.
    pub(super) fn name(&self) -> Result<&str, Error> {
        let given = [self.name.as_deref(), self.login_name.as_deref()];
        given.into_iter().flatten().find(|name| !name.is_empty()).ok_or(Error::WhoAreYou)
    }
}
