//! Which servers the tests use. The only place of this crate that reads the environment.

use anyhow::{Context, Result};

/// The value of an environment variable that the tests cannot do without.
pub(crate) fn required(name: &str, example: &str) -> Result<String> {
    optional(name).with_context(|| {
        format!("{name} is not set: these tests need a real server, for example {name}={example}")
    })
}

/// The value of an environment variable; `None` when it is unset or not UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings of their own, they are told where the servers are"
)]
pub(crate) fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
