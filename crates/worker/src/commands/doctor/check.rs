//! One thing that was checked.

use serde::Serialize;
use std::error::Error;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should look at it.
    Warning,
    /// It does not work.
    Failed,
}

impl Verdict {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was checked.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// What was checked.
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    /// How it ended.
    pub(super) status: Verdict,
    /// What was found.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

impl Check {
    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Verdict::Ok, detail: detail.into(), advice: None }
    }

    pub(super) fn warning(name: &'static str, detail: impl Into<String>, advice: &'static str) -> Self {
        Self { name, status: Verdict::Warning, detail: detail.into(), advice: Some(advice) }
    }

    pub(super) fn failed(name: &'static str, detail: impl Into<String>, advice: &'static str) -> Self {
        Self { name, status: Verdict::Failed, detail: detail.into(), advice: Some(advice) }
    }

    /// Failed for a cause whose own text says what to do, such as a missing setting.
    pub(super) fn failed_saying(name: &'static str, cause: &dyn Error) -> Self {
        Self { name, status: Verdict::Failed, detail: cause.to_string(), advice: None }
    }

    /// What was found and what to do, on one line.
    pub(super) fn sentence(&self) -> String {
        self.advice.map_or_else(|| self.detail.clone(), |advice| format!("{}: {advice}", self.detail))
    }
}

/// The part of a version before its first full stop.
pub(super) fn major(version: &str) -> Option<u32> {
    version.split(['.', ' ', '-']).next()?.parse().ok()
}
