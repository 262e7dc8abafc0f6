//! Events that we send into a session.

use serde::Serialize;

/// Most events of one call. The platform publishes a limit for the creation of sessions only; this is it.
pub const MAX_EVENTS_PER_CALL: usize = 50;

/// An event for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum OutgoingEvent {
    /// Says something to the agent. Refused while tool calls are pending or the budget is used up.
    #[serde(rename = "user.message")]
    Message {
        /// What is said.
        content: Vec<Content>,
    },
    /// Answers an `agent.custom_tool_use`.
    #[serde(rename = "user.custom_tool_result")]
    CustomToolResult {
        /// The id of that event (`sevt_…`), not of the tool.
        custom_tool_use_id: String,
        /// What the tool returned.
        content: Vec<Content>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// Decides on an `agent.tool_use` or `agent.mcp_tool_use` that waits for a person.
    #[serde(rename = "user.tool_confirmation")]
    ToolConfirmation {
        /// The id of that event (`sevt_…`).
        tool_use_id: String,
        /// The decision.
        #[serde(flatten)]
        confirmation: Confirmation,
    },
    /// Stops the turn.
    #[serde(rename = "user.interrupt")]
    Interrupt {
        /// Only this thread; `None` stops all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        session_thread_id: Option<String>,
    },
    /// Any event, whole, with its `type`: an answer that was made and kept elsewhere.
    #[serde(untagged)]
    Verbatim(serde_json::Value),
}

/// A person's decision on a tool use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Confirmation {
    /// Go ahead.
    Allow,
    /// Do not. Only a denial may carry a text.
    Deny {
        /// What the agent is told about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        deny_message: Option<String>,
    },
}

/// A piece of content. The API knows images and documents too; nothing here sends any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
}

impl Content {
    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// The body of the sending call.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Outgoing<'a> {
    pub(crate) events: &'a [OutgoingEvent],
}
