//! Whether the Claude API answers us.

use super::check::Check;
use crate::api;
use claude::{Paging, Retry, SessionFilter};
use domain::FailureClass;
use settings::{Claude, ClaudeArgs, Problems};
use telemetry::Chain;

const NAME: &str = "claude api";

/// Settings, then one small question with the key.
pub(super) async fn checks(args: &ClaudeArgs) -> Vec<Check> {
    let mut problems = Problems::new();
    let claude = args.validate(&mut problems);
    vec![match problems.into_result(claude) {
        Ok(settings) => ask(&settings).await,
        Err(problems) => Check::failed_saying(NAME, &problems),
    }]
}

async fn ask(settings: &Claude) -> Check {
    let client = match api::client(settings, None, None) {
        Ok(client) => client.retrying_at_most(Retry::Never),
        Err(error) => return Check::failed(NAME, Chain(&error).to_string(), "correct this setting"),
    };
    let one = SessionFilter { paging: Paging { limit: Some(1), page: None }, ..SessionFilter::default() };
    match client.sessions(&one).await {
        Ok(_page) => Check::ok(NAME, "answers, and takes the key"),
        Err(error) => Check::failed(NAME, Chain(&error).to_string(), advice(error.class())),
    }
}

const fn advice(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Configuration => "give a key that may read sessions, as ANTHROPIC_API_KEY",
        FailureClass::Throttled => "the key works, but its budget is used up; try again in a minute",
        FailureClass::Gone => "is ANTHROPIC_BASE_URL right, and HOLDFAST_API_BETA?",
        FailureClass::Transient => "is ANTHROPIC_BASE_URL right, and may this machine connect to it?",
        FailureClass::Permanent | FailureClass::Bug => "is ANTHROPIC_BASE_URL really the Claude API?",
    }
}
