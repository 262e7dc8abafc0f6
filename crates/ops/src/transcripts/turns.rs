//! Events of a session as a person reads them.

use serde_json::Value;

/// One event that is worth reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who, or what: `user`, `agent`, `tool`, `session`.
    pub who: &'static str,
    /// What it is, for the head of the turn.
    pub what: String,
    /// When the platform took it up, as it says.
    pub at: Option<String>,
    /// The words.
    pub text: String,
}

/// What an event says to a person; `None` for those that only tell machines something.
#[must_use]
pub fn turn(event: &Value) -> Option<Turn> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (who, what, text) = match text("type").as_str() {
        "user.message" => ("user", "message".to_owned(), content(event)),
        "system.message" => ("user", "system message".to_owned(), content(event)),
        "user.interrupt" => ("user", "interrupt".to_owned(), String::new()),
        "user.define_outcome" => ("user", "outcome".to_owned(), text("description")),
        "user.tool_confirmation" => ("user", format!("{} the tool", text("result")), text("deny_message")),
        "user.custom_tool_result" | "user.tool_result" => {
            ("user", result_of("tool result", event), content(event))
        }
        "agent.message" => ("agent", "message".to_owned(), content(event)),
        "agent.tool_use" | "agent.custom_tool_use" => {
            ("agent", format!("uses {}", text("name")), input(event))
        }
        "agent.mcp_tool_use" => {
            ("agent", format!("uses {} of {}", text("name"), text("mcp_server_name")), input(event))
        }
        "agent.tool_result" | "agent.mcp_tool_result" => ("tool", result_of("result", event), content(event)),
        "agent.thread_message_sent" => {
            ("agent", format!("to thread {}", text("to_session_thread_id")), content(event))
        }
        "agent.thread_message_received" => {
            ("agent", format!("from thread {}", text("from_session_thread_id")), content(event))
        }
        "session.error" => ("session", "error".to_owned(), member(event, "/error/message")),
        "session.status_idle" => ("session", "idle".to_owned(), member(event, "/stop_reason/type")),
        "session.status_terminated" => ("session", "terminated".to_owned(), String::new()),
        "span.outcome_evaluation_end" => {
            ("session", format!("outcome {}", text("result")), text("explanation"))
        }
        _ => return None,
    };
    let at = event.get("processed_at").and_then(Value::as_str).map(str::to_owned);
    Some(Turn { who, what, at, text })
}

fn member(event: &Value, pointer: &str) -> String {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn result_of(what: &str, event: &Value) -> String {
    let failed = event.get("is_error").and_then(Value::as_bool).unwrap_or_default();
    if failed { format!("{what}, an error") } else { what.to_owned() }
}

fn input(event: &Value) -> String {
    event.get("input").map(ToString::to_string).unwrap_or_default()
}

/// The texts of all blocks; of other blocks, what they are.
fn content(event: &Value) -> String {
    let blocks = match event.get("content") {
        Some(Value::String(text)) => return text.clone(),
        Some(Value::Array(blocks)) => blocks,
        _ => return String::new(),
    };
    let words = blocks.iter().map(|block| match block.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => format!("[{}]", block.get("type").and_then(Value::as_str).unwrap_or("content")),
    });
    words.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
