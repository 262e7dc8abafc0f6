//! Tool uses that wait for an answer: what is asked, and what may be answered.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// The kinds of tool use that can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// A tool of ours: somebody has to carry it out and send its result.
    CustomToolUse,
    /// A tool of the agent's own toolset: somebody has to allow it.
    ToolUse,
    /// A tool of an MCP server: somebody has to allow it.
    McpToolUse,
}

impl ToolKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::CustomToolUse, Self::ToolUse, Self::McpToolUse];

    /// The name under which the kind is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomToolUse => "custom_tool_use",
            Self::ToolUse => "tool_use",
            Self::McpToolUse => "mcp_tool_use",
        }
    }

    /// The kind that a session event of this type is a use of.
    #[must_use]
    pub fn of_event_type(event_type: &str) -> Option<Self> {
        event_type.strip_prefix("agent.")?.parse().ok()
    }

    /// Whether it is answered with a result; otherwise with a yes or a no.
    #[must_use]
    pub const fn takes_result(self) -> bool {
        matches!(self, Self::CustomToolUse)
    }
}

impl fmt::Display for ToolKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the name of a kind of tool use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of tool use {0:?}; known are custom_tool_use, tool_use and mcp_tool_use")]
pub struct UnknownToolKind(pub String);

impl FromStr for ToolKind {
    type Err = UnknownToolKind;

    fn from_str(text: &str) -> Result<Self, UnknownToolKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownToolKind(text.to_owned()))
    }
}

/// What is known of a tool use when it is decided who answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What kind of tool.
    pub kind: ToolKind,
    /// The tool's name.
    pub tool: String,
    /// The MCP server that has the tool.
    pub server: Option<String>,
    /// What the agent's own policy says (`evaluated_permission`), word for word. Custom tools have none.
    pub permission: Option<String>,
    /// The agent.
    pub agent_id: Option<String>,
    /// What a person called it.
    pub agent_name: Option<String>,
}

impl Question {
    /// Whether it is answered without anybody: what is allowed belongs to the environment, what is denied was refused by
    /// the platform.
    #[must_use]
    pub fn needs_nobody(&self) -> bool {
        !self.kind.takes_result() && matches!(self.permission.as_deref(), Some("allow" | "deny"))
    }

    /// Whether a program may answer. A permission that nobody told us about means that we do not know what we would be
    /// agreeing to.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        match self.permission.as_deref() {
            None => self.kind.takes_result(),
            Some(permission) => permission == "ask",
        }
    }
}

/// An answer to a tool use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The tool may run.
    Allow,
    /// It may not.
    Deny {
        /// What the agent is told about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// What the tool returned.
    Result {
        /// Blocks of content, as the platform takes them.
        content: Vec<Value>,
        /// Whether the tool failed.
        is_error: bool,
    },
}

/// The answer does not fit the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A yes or a no where a result is asked for.
    #[error("a custom tool is answered with its result, not with a yes or a no")]
    NeedsResult,
    /// A result where a yes or a no is asked for.
    #[error("this tool runs elsewhere: it is allowed or denied, not answered with a result")]
    NeedsConfirmation,
}

impl Answer {
    /// A result that is one text. An empty one is a result without content.
    #[must_use]
    pub fn text(text: &str, is_error: bool) -> Self {
        let block = || json!({ "type": "text", "text": text });
        Self::Result { content: (!text.is_empty()).then(block).into_iter().collect(), is_error }
    }

    /// The "no" to a tool use of this kind: a custom tool is told so as its failure.
    #[must_use]
    pub fn refusal(kind: ToolKind, message: Option<&str>) -> Self {
        if kind.takes_result() {
            Self::text(message.unwrap_or("This tool use was refused."), true)
        } else {
            Self::Deny { message: message.map(str::to_owned) }
        }
    }

    /// One word for what was decided.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny { .. } => "deny",
            Self::Result { is_error: false, .. } => "result",
            Self::Result { is_error: true, .. } => "error",
        }
    }

    /// The event that tells the session so.
    ///
    /// # Errors
    /// When the answer does not fit this kind of tool use.
    pub fn reply(&self, kind: ToolKind, tool_use_id: &str) -> Result<Value, Mismatch> {
        match (self, kind.takes_result()) {
            (Self::Result { content, is_error }, true) => Ok(json!({
                "type": "user.custom_tool_result", "custom_tool_use_id": tool_use_id, "content": content,
                "is_error": is_error,
            })),
            (Self::Allow, false) => Ok(json!({
                "type": "user.tool_confirmation", "tool_use_id": tool_use_id, "result": "allow",
            })),
            (Self::Deny { message: None }, false) => Ok(json!({
                "type": "user.tool_confirmation", "tool_use_id": tool_use_id, "result": "deny",
            })),
            (Self::Deny { message: Some(message) }, false) => Ok(json!({
                "type": "user.tool_confirmation", "tool_use_id": tool_use_id, "result": "deny",
                "deny_message": message,
            })),
            (Self::Allow | Self::Deny { .. }, true) => Err(Mismatch::NeedsResult),
            (Self::Result { .. }, false) => Err(Mismatch::NeedsConfirmation),
        }
    }
}

mod reading;
mod status;

pub use reading::{Unreadable, confirmation_of, result_of};
pub use status::{ReviewStatus, UnknownReviewStatus};

#[cfg(test)]
mod tests;
