use super::turn;
use serde_json::json;

#[test]
fn messages_tools_and_ends_are_read_and_usage_is_not() {
    let message = json!({ "type": "agent.message", "processed_at": "2026-01-01T00:00:00Z",
        "content": [{ "type": "text", "text": "one" }, { "type": "redacted" }] });
    let read = turn(&message).map(|turn| (turn.who, turn.text, turn.at.is_some()));
    assert_eq!(read, Some(("agent", "one\n[redacted]".to_owned(), true)));
    let tool = json!({ "type": "agent.custom_tool_use", "name": "refund", "input": { "order": 1 } });
    let read = turn(&tool).map(|turn| (turn.what, turn.text));
    assert_eq!(read, Some(("uses refund".to_owned(), r#"{"order":1}"#.to_owned())));
    let failed = json!({ "type": "agent.tool_result", "is_error": true, "content": "no" });
    assert_eq!(turn(&failed).map(|turn| turn.what), Some("result, an error".to_owned()));
    let idle = json!({ "type": "session.status_idle", "stop_reason": { "type": "end_turn" } });
    assert_eq!(turn(&idle).map(|turn| turn.text), Some("end_turn".to_owned()));
    assert_eq!(turn(&json!({ "type": "session.usage" })), None);
    assert_eq!(turn(&json!("no event")), None);
}
