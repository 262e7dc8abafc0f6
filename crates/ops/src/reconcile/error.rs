//! Why a comparison did not come to its end.

use domain::ResourceKind;

/// A comparison was given up; the next one goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Postgres is away or refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The API is away, asks us to slow down, or refuses.
    #[error("the API does not show us resources of type {kind}")]
    Api {
        /// What was asked for.
        kind: ResourceKind,
        /// What it said.
        #[source]
        source: claude::Error,
    },
}

impl Error {
    pub(super) fn api(kind: ResourceKind) -> impl Fn(claude::Error) -> Self {
        move |source| Self::Api { kind, source }
    }

    /// Whether the API refuses the cursor: it has expired, or was made for another list.
    pub(super) fn is_about_the_cursor(&self) -> bool {
        matches!(self, Self::Api { source: claude::Error::Refused(refusal), .. } if refusal.status == 400)
    }
}
