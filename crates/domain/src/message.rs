//! What a classic event says of its message: the members that people look for.

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A message, as far as its newest payload says something that can be used. Nothing has to be there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Message {
    /// The model that was asked.
    pub model: Option<String>,
    /// Tokens that went in.
    pub prompt_tokens: Option<i64>,
    /// Tokens that came out.
    pub response_tokens: Option<i64>,
    /// What found something wrong, each once.
    pub flagged_by: Vec<String>,
    /// How sure moderation was, each level once: `high`, `medium`, `low`. Open.
    pub levels: Vec<String>,
    /// The categories for which the message was refused, each once. Open.
    pub blocked_categories: Vec<String>,
    /// All categories that were looked at, with the level of each.
    pub scored_categories: BTreeMap<String, String>,
}

impl Message {
    /// Reads the `data` of a classic event. What is not there, or is something else than it should be, is left out.
    #[must_use]
    pub fn read(data: &str) -> Self {
        let data: Value = serde_json::from_str(data).unwrap_or_default();
        let mut message = Self {
            model: data.get("model").and_then(text),
            prompt_tokens: data.get("prompt_tokens").and_then(Value::as_i64),
            response_tokens: data.get("response_tokens").and_then(Value::as_i64),
            ..Self::default()
        };
        for result in list(&data, "moderation_results") {
            add(&mut message.flagged_by, result.get("flagged_by").and_then(text));
            add(&mut message.levels, result.get("level").and_then(text));
            for category in list(result, "blocked_categories") {
                add(&mut message.blocked_categories, text(category));
            }
            let scored = result.get("scored_categories").and_then(Value::as_object);
            for (category, level) in scored.into_iter().flatten() {
                if let Some(level) = text(level) {
                    message.scored_categories.insert(storable(category), level);
                }
            }
        }
        message
    }

    /// Why it was refused, in a few words.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let blocked = self.blocked_categories.join(", ");
        match (blocked.is_empty(), self.levels.is_empty()) {
            (true, _) => None,
            (false, true) => Some(blocked),
            (false, false) => Some(format!("{blocked} (level {})", self.levels.join(", "))),
        }
    }
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(storable)
}

/// Postgres keeps no NUL in a text.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

fn add(known: &mut Vec<String>, new: Option<String>) {
    known.extend(new.filter(|new| !known.contains(new)));
}
