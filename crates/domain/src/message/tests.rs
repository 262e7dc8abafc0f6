use super::*;
use serde_json::json;

#[test]
fn a_denied_message_says_what_was_wrong_with_it() {
    let data = json!({
        "id": "msg_abc123", "model": "claude-test", "prompt_tokens": 150, "response_tokens": 50,
        "content": [{"type": "text", "text": "…"}],
        "moderation_results": [
            {"input": ["…"], "flagged_by": "content_policy", "level": "high",
             "scored_categories": {"sexual": "high", "hate_speech": "medium", "self_harm": "low"},
             "blocked_categories": ["sexual"]},
            {"flagged_by": "content_policy", "level": "medium", "blocked_categories": ["violence", "sexual"]},
        ],
    });
    let message = Message::read(&data.to_string());
    assert_eq!(message.model.as_deref(), Some("claude-test"));
    assert_eq!((message.prompt_tokens, message.response_tokens), (Some(150), Some(50)));
    assert_eq!(message.flagged_by, ["content_policy"]);
    assert_eq!(message.levels, ["high", "medium"]);
    assert_eq!(message.blocked_categories, ["sexual", "violence"]);
    assert_eq!(message.scored_categories.get("hate_speech").map(String::as_str), Some("medium"));
    assert_eq!(message.refusal().as_deref(), Some("sexual, violence (level high, medium)"));
}

#[test]
fn what_cannot_be_used_is_left_out() {
    let odd = json!({
        "model": 7, "prompt_tokens": "many", "response_tokens": 1.5,
        "moderation_results": [7, {"flagged_by": null, "blocked_categories": "all", "scored_categories": []},
            {"blocked_categories": [1, "a\u{0}b"], "scored_categories": {"x\u{0}": "low", "y": 2}}],
    });
    for data in ["", "7", "{}", "{\"moderation_results\":{}}"] {
        assert_eq!(Message::read(data), Message::default(), "{data}");
    }
    let message = Message::read(&odd.to_string());
    let scored = [("x".to_owned(), "low".to_owned())].into();
    let expected = Message {
        blocked_categories: vec!["ab".to_owned()],
        scored_categories: scored,
        ..Message::default()
    };
    assert_eq!(message, expected);
    assert_eq!(message.refusal().as_deref(), Some("ab"));
}
