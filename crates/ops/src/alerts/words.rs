//! One line for a person.

use domain::AlertKind;
use serde_json::Value;
use store::DueEffect;

/// What an alert says in one line: what happened, to what, and why, as far as that is known.
pub(super) fn title(kind: AlertKind, effect: &DueEffect, details: &Value) -> String {
    let text = |pointer: &str| details.pointer(pointer).and_then(Value::as_str);
    let name = text("/title").or_else(|| text("/name"));
    let resource = match name {
        Some(name) => format!("{} ({name})", effect.resource),
        None => effect.resource.to_string(),
    };
    let because = |reason: Option<&str>| reason.map_or_else(String::new, |reason| format!(": {reason}"));
    // What whoever recorded the effect has added for people.
    let note = effect.detail.split_once(": ").map(|(_, note)| note);
    let error = text("/errors/0/message").or_else(|| text("/errors/0/type")).or(note);
    match kind {
        AlertKind::SessionBudgetReached => format!("{resource} has used up its budget and waits"),
        AlertKind::SessionRetriesExhausted => {
            format!("{resource} gave up its turn after retries{}", because(error))
        }
        AlertKind::SessionRefusal => format!(
            "{resource} ended its turn with a refusal{}",
            because(text("/stop_details/category").or_else(|| text("/stop_details/explanation")))
        ),
        AlertKind::SessionError => format!("{resource} reported an error{}", because(error)),
        AlertKind::CredentialRefreshFailed => {
            format!("{resource} could not be refreshed{}", because(note.or_else(|| text("/mcp_server_url"))))
        }
        AlertKind::DeploymentPaused => format!(
            "{resource} is paused{}",
            because(text("/paused_reason/error/type").or_else(|| text("/paused_reason/type")).or(note))
        ),
        AlertKind::DeploymentRunFailed => {
            format!(
                "{resource} failed{}",
                because(text("/error/message").or_else(|| text("/error/type")).or(note))
            )
        }
        AlertKind::ModerationDenied => {
            format!("{resource} was denied by moderation{}", because(blocked(details).as_deref().or(note)))
        }
        AlertKind::ExternalKeyFailed => format!("{resource} does not work"),
        AlertKind::EnforcementActionOpened => format!("measures were opened against {resource}"),
        AlertKind::EventReported
        | AlertKind::ReviewOverdue
        | AlertKind::ExecutorFailed
        | AlertKind::EndpointFailing
        | AlertKind::EndpointSilent
        | AlertKind::EventsUnfinished
        | AlertKind::DeadLetters
        | AlertKind::ApiPaused
        | AlertKind::TranscriptNotFetched
        | AlertKind::Test => format!("{resource}: {}", effect.detail),
    }
}

/// The blocked categories of all moderation results, each once.
fn blocked(details: &Value) -> Option<String> {
    let results = details.get("moderation_results")?.as_array()?;
    let mut blocked: Vec<&str> = results
        .iter()
        .filter_map(|result| result.get("blocked_categories")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    blocked.sort_unstable();
    blocked.dedup();
    (!blocked.is_empty()).then(|| blocked.join(", "))
}
