//! Messages of classic events, in words.

use domain::Message;

/// Tokens in and out.
pub(super) fn tokens(message: &Message) -> String {
    let number = |tokens: Option<i64>| tokens.map_or_else(|| "-".to_owned(), |tokens| tokens.to_string());
    match (message.prompt_tokens, message.response_tokens) {
        (None, None) => "-".to_owned(),
        (prompt, response) => format!("{} + {}", number(prompt), number(response)),
    }
}

/// Texts, one after the other.
pub(super) fn listed(texts: &[String]) -> String {
    if texts.is_empty() { "-".to_owned() } else { texts.join(", ") }
}

/// Each category with its level.
pub(super) fn scored(message: &Message) -> String {
    let scores = message.scored_categories.iter().map(|(category, level)| format!("{category} {level}"));
    listed(&scores.collect::<Vec<_>>())
}
