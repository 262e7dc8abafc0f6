//! What a live probe of a credential found.

use crate::Defect;
use crate::fetched::FromObject;
use crate::object::Object;
use crate::open_enum::open_enum;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::fmt;

open_enum! {
    /// Whether a credential can be used.
    ValidationStatus {
        /// It works.
        Valid = "valid",
        /// It does not; its user must authorize again.
        Invalid = "invalid",
        /// The probe could not tell; ask again later.
        Unknown = "unknown",
    }
}

/// The result of a probe. The answers of the other servers, which the platform repeats, are in
/// [`Fetched::raw`](crate::Fetched::raw): think before showing them, they are texts of strangers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// Whether the credential can be used.
    pub status: ValidationStatus,
    /// When it was probed.
    pub validated_at: Option<DateTime<Utc>>,
    /// Whether there is a refresh token at all.
    pub has_refresh_token: Option<bool>,
    /// How the refresh ended, if one was tried: `succeeded`, `failed`, `connect_error`, `no_refresh_token`. Open.
    pub refresh: Option<String>,
    /// The HTTP status that the token endpoint answered the refresh with.
    pub refresh_http_status: Option<u16>,
    /// The HTTP status that the MCP server answered the probe with.
    pub probe_http_status: Option<u16>,
}

impl FromObject for Validation {
    fn from_object(object: Object) -> Result<Self, Defect> {
        let within = |member: &str, pointer: &str| object.0.get(member)?.pointer(pointer).cloned();
        let http_status = |member: &str| {
            let status = within(member, "/http_response/status_code")?;
            u16::try_from(status.as_u64()?).ok()
        };
        Ok(Self {
            status: ValidationStatus::from(object.required_text("status")?.as_str()),
            validated_at: object.readable_time("validated_at"),
            has_refresh_token: object.0.get("has_refresh_token").and_then(Value::as_bool),
            refresh: within("refresh", "/status").and_then(|status| status.as_str().map(str::to_owned)),
            refresh_http_status: http_status("refresh"),
            probe_http_status: http_status("mcp_probe"),
        })
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "credential is {}", self.status)?;
        if let Some(refresh) = &self.refresh {
            write!(f, ", refresh {refresh}")?;
        }
        if let Some(status) = self.refresh_http_status {
            write!(f, " (HTTP {status})")?;
        }
        if let Some(status) = self.probe_http_status {
            write!(f, ", MCP server answered HTTP {status}")?;
        }
        Ok(())
    }
}
