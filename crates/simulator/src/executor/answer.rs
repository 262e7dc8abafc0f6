//! What the example tools do.

use serde_json::{Value, json};

use crate::executor::Request;

/// The body of a 200.
pub(super) fn answer(request: &Request) -> Value {
    if request.tool_kind != "custom_tool_use" {
        return json!({ "decision": "allow", "message": "Allowed by the example executor." });
    }
    match request.tool.as_str() {
        "echo" => json!({ "content": echoed(&request.input) }),
        "issue_refund" => {
            let order = request.input.get("order_id").map_or_else(|| "unknown".to_owned(), plain);
            // Derived from the tool use, so that a second call for the same one gives the same receipt.
            let receipt = format!("rcpt_{}", request.tool_use_id.trim_start_matches("sevt_"));
            json!({
                "content": [{ "type": "text", "text": format!("refund {order} issued, receipt {receipt}") }],
                "receipt": receipt,
            })
        }
        tool => json!({ "content": format!("{tool} is done") }),
    }
}

/// The text of an input that has one, else all of it.
fn echoed(input: &Value) -> String {
    input.get("text").map_or_else(|| plain(input), plain)
}

/// A string without its quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
