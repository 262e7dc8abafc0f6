use super::*;

fn question(kind: ToolKind, permission: Option<&str>) -> Question {
    Question {
        kind,
        tool: "x".to_owned(),
        server: None,
        permission: permission.map(str::to_owned),
        agent_id: None,
        agent_name: None,
    }
}

#[test]
fn only_what_was_decided_elsewhere_needs_nobody() {
    for kind in [ToolKind::ToolUse, ToolKind::McpToolUse] {
        assert!(question(kind, Some("allow")).needs_nobody());
        assert!(question(kind, Some("deny")).needs_nobody());
        assert!(!question(kind, Some("ask")).needs_nobody());
        assert!(!question(kind, Some("escalate")).needs_nobody());
        assert!(!question(kind, None).needs_nobody());
    }
    assert!(!question(ToolKind::CustomToolUse, None).needs_nobody());
    assert!(!question(ToolKind::CustomToolUse, Some("allow")).needs_nobody(), "it waits for a result");
}

#[test]
fn an_unknown_permission_is_not_understood() {
    assert!(question(ToolKind::CustomToolUse, None).is_understood());
    assert!(question(ToolKind::ToolUse, Some("ask")).is_understood());
    assert!(!question(ToolKind::ToolUse, Some("escalate")).is_understood());
    assert!(!question(ToolKind::McpToolUse, None).is_understood(), "a tool use without any permission");
    assert!(!question(ToolKind::CustomToolUse, Some("escalate")).is_understood());
}

#[test]
fn each_kind_is_answered_with_its_own_event() {
    let result = Answer::text("done", false).reply(ToolKind::CustomToolUse, "sevt_1").unwrap();
    assert_eq!(
        result,
        json!({ "type": "user.custom_tool_result", "custom_tool_use_id": "sevt_1",
            "content": [{ "type": "text", "text": "done" }], "is_error": false })
    );
    let allow = Answer::Allow.reply(ToolKind::ToolUse, "sevt_2").unwrap();
    assert_eq!(
        allow,
        json!({ "type": "user.tool_confirmation", "tool_use_id": "sevt_2", "result": "allow" })
    );
    let deny = Answer::Deny { message: Some("no".to_owned()) }.reply(ToolKind::McpToolUse, "sevt_3").unwrap();
    assert_eq!((&deny["result"], &deny["deny_message"]), (&json!("deny"), &json!("no")));
    let silent = Answer::Deny { message: None }.reply(ToolKind::ToolUse, "sevt_4").unwrap();
    assert_eq!(silent.get("deny_message"), None);
}

#[test]
fn an_answer_of_the_wrong_kind_is_refused() {
    for answer in [Answer::Allow, Answer::Deny { message: None }] {
        assert_eq!(answer.reply(ToolKind::CustomToolUse, "sevt_1"), Err(Mismatch::NeedsResult));
    }
    for kind in [ToolKind::ToolUse, ToolKind::McpToolUse] {
        assert_eq!(Answer::text("x", false).reply(kind, "sevt_1"), Err(Mismatch::NeedsConfirmation));
    }
}

#[test]
fn a_refusal_fits_every_kind() {
    for kind in ToolKind::ALL {
        assert!(Answer::refusal(kind, Some("not on production")).reply(kind, "sevt_1").is_ok());
        assert!(Answer::refusal(kind, None).reply(kind, "sevt_1").is_ok());
    }
    assert_eq!(Answer::refusal(ToolKind::CustomToolUse, None).as_str(), "error");
}

#[test]
fn a_body_becomes_a_result_by_its_shape() {
    let text = |text: &str, is_error| Answer::text(text, is_error);
    for (body, expected) in [
        ("refund 8841 issued\n", text("refund 8841 issued", false)),
        ("", Answer::Result { content: Vec::new(), is_error: false }),
        (r#"{"content":"done"}"#, text("done", false)),
        (r#"{"content":"no such order","is_error":true}"#, text("no such order", true)),
        (r#"{"content":[{"type":"text","text":"a"}]}"#, text("a", false)),
        // Neither text nor blocks: the caller's own data, passed on as it is.
        (r#"{"content":["a"]}"#, text(r#"{"content":["a"]}"#, false)),
        (r#"{"order":8841}"#, text(r#"{"order":8841}"#, false)),
        ("[1, 2]", text("[1, 2]", false)),
        ("{\"content\":\"a\\u0000b\"}", text("a\u{fffd}b", false)),
    ] {
        assert_eq!(result_of(body.as_bytes()), Ok(expected), "{body}");
    }
    assert_eq!(result_of(b"\xff"), Err(Unreadable::NotText));
}

#[test]
fn a_decision_is_a_word_and_nothing_else_is() {
    assert_eq!(confirmation_of(br#"{"decision":"allow"}"#), Ok(Answer::Allow));
    let denied = Answer::Deny { message: Some("why".to_owned()) };
    assert_eq!(confirmation_of(br#"{"decision":"deny","message":"why"}"#), Ok(denied));
    assert_eq!(confirmation_of(br#"{"decision":"deny"}"#), Ok(Answer::Deny { message: None }));
    for body in ["", "allow", "{}", r#"{"decision":"yes"}"#, r#"{"decision":true}"#, "\u{0}"] {
        assert_eq!(confirmation_of(body.as_bytes()), Err(Unreadable::NoDecision), "{body}");
    }
}
