//! The ways in which the API says no.

/// A call that the API refuses; `api::answer` turns it into status and body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{message}")]
    Invalid { message: String },
    #[error("{message}")]
    Coded { code: &'static str, message: &'static str },
    #[error("{message}")]
    Unauthenticated { message: String },
    #[error("no {what} with that id in this workspace")]
    NotFound { what: &'static str },
    #[error("{message}")]
    Conflict { message: String },
}

impl Refusal {
    /// 400: the request is wrong, or wrong for the state of its target.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into() }
    }

    /// 400 with the machine-readable code of a cause that has one.
    pub(crate) fn coded(code: &'static str, message: &'static str) -> Self {
        Self::Coded { code, message }
    }

    /// The code of the cause, if it has one.
    pub(crate) fn code(&self) -> Option<&'static str> {
        if let Self::Coded { code, .. } = self { Some(code) } else { None }
    }

    /// 409: the target is in a final state.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into() }
    }

    /// 401: no usable credential.
    pub(crate) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::Unauthenticated { message: message.into() }
    }
}
