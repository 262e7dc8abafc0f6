use serde_json::json;

use super::*;

fn request(kind: &str, tool: &str, input: &Value) -> Request {
    serde_json::from_value(json!({ "type": "tool_call", "tool_use_id": "sevt_1", "kind": kind, "tool": tool,
        "server": null, "input": input, "session": { "id": "sesn_1", "title": null }, "attempt": 1 }))
    .unwrap()
}

#[test]
fn each_tool_use_fails_as_often_as_told_and_is_counted() {
    let mut executor = Executor::new(Behaviour { fail: 2, ..Behaviour::default() });
    let refund = request("custom_tool_use", "issue_refund", &json!({ "order_id": "8841" }));
    let statuses: Vec<u16> = (0..3).map(|_| executor.carry_out(&refund).status).collect();
    assert_eq!(statuses, [500, 500, 200]);
    let shown = executor.shown();
    assert_eq!((&shown["total"], &shown["tool_uses"]["sevt_1"]["failed"]), (&json!(3), &json!(2)));
}

#[test]
fn the_same_tool_use_gets_the_same_receipt() {
    let mut executor = Executor::default();
    let refund = request("custom_tool_use", "issue_refund", &json!({ "order_id": "8841" }));
    let first = executor.carry_out(&refund);
    assert_eq!(first.body["content"][0]["text"], "refund 8841 issued, receipt rcpt_1");
    assert_eq!(executor.carry_out(&refund), first);
}

#[test]
fn echo_gives_the_text_back_and_asks_for_approval_are_allowed_unless_told_otherwise() {
    let mut executor = Executor::default();
    let said = executor.carry_out(&request("custom_tool_use", "echo", &json!({ "text": "hello" })));
    assert_eq!(said.body, json!({ "content": "hello" }));
    let ask = request("tool_use", "bash", &json!({ "command": "ls" }));
    assert_eq!(executor.carry_out(&ask).body["decision"], "allow");
    executor.behaviour.answers.insert("bash".into(), json!({ "decision": "deny", "message": "no" }));
    assert_eq!(executor.carry_out(&ask).body["decision"], "deny");
}
