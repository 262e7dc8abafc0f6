use super::{slack_text, webhook_body};
use chrono::DateTime;
use serde_json::json;
use store::{AlertPhase, AlertRow};

fn alert() -> AlertRow {
    AlertRow {
        id: 7,
        kind: "session_error".to_owned(),
        key: "session sesn_1".to_owned(),
        severity: "critical".to_owned(),
        title: "it <broke> & fell".to_owned(),
        resource_type: None,
        resource_id: None,
        event_id: None,
        times: 1,
        raised_at: DateTime::UNIX_EPOCH,
        last_raised_at: DateTime::UNIX_EPOCH,
        resolved_at: None,
        resolution: Some("fixed".to_owned()),
        details: json!({}),
    }
}

#[test]
fn slack_is_told_in_one_line_that_cannot_mention_anybody() {
    assert_eq!(slack_text(AlertPhase::Raised, &alert()), "*critical* it &lt;broke&gt; &amp; fell (alert 7)");
    assert!(slack_text(AlertPhase::Resolved, &alert()).ends_with("(alert 7: fixed)"));
}

#[test]
fn a_webhook_says_what_happened_and_to_which_alert() {
    let raised = webhook_body(AlertPhase::Escalated, &alert(), DateTime::UNIX_EPOCH);
    assert_eq!((&raised["type"], &raised["alert"]["id"]), (&json!("alert.raised"), &json!(7)));
    let resolved = webhook_body(AlertPhase::Resolved, &alert(), DateTime::UNIX_EPOCH);
    assert_eq!(resolved["type"], "alert.resolved");
}
