//! Answers as programs and people write them: a body that becomes a result or a decision.

use super::Answer;
use serde_json::Value;

/// The kinds of content that a session takes.
const BLOCKS: [&str; 4] = ["text", "image", "document", "search_result"];

/// A body that is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No text at all.
    #[error("the body is not UTF-8 text")]
    NotText,
    /// Neither yes nor no.
    #[error("the body has no \"decision\" that is \"allow\" or \"deny\"")]
    NoDecision,
}

/// The result that a body stands for. A JSON object with a `content` that is a text or a list of content blocks is
/// taken by its members, `is_error` included; everything else becomes one text.
///
/// # Errors
/// When the body is no text.
pub fn result_of(body: &[u8]) -> Result<Answer, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_bytes| Unreadable::NotText)?;
    Ok(serde_json::from_str(text).ok().and_then(|value| structured(&value)).unwrap_or_else(|| plain(text)))
}

/// The decision that a body stands for: a JSON object with `decision`, and for a denial perhaps a `message`.
///
/// # Errors
/// When there is no such decision in it.
pub fn confirmation_of(body: &[u8]) -> Result<Answer, Unreadable> {
    let value: Value = serde_json::from_slice(body).map_err(|_no_json| Unreadable::NoDecision)?;
    match value.get("decision").and_then(Value::as_str) {
        Some("allow") => Ok(Answer::Allow),
        Some("deny") => {
            let message = value.get("message").and_then(Value::as_str).filter(|text| !text.is_empty());
            Ok(Answer::Deny { message: message.map(storable) })
        }
        Some(_) | None => Err(Unreadable::NoDecision),
    }
}

fn structured(value: &Value) -> Option<Answer> {
    let is_error = value.get("is_error").and_then(Value::as_bool).unwrap_or(false);
    let content = value.as_object()?.get("content")?;
    if let Some(text) = content.as_str() {
        return Some(Answer::text(&storable(text), is_error));
    }
    let blocks = content.as_array().filter(|blocks| blocks.iter().all(is_block))?;
    Some(Answer::Result { content: blocks.iter().map(storable_value).collect(), is_error })
}

fn plain(text: &str) -> Answer {
    Answer::text(storable(text).trim_end(), false)
}

fn is_block(value: &Value) -> bool {
    value.get("type").and_then(Value::as_str).is_some_and(|kind| BLOCKS.contains(&kind))
}

/// Postgres keeps no NUL character.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn storable_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(storable(text)),
        Value::Array(values) => values.iter().map(storable_value).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (storable(name), storable_value(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
