//! Why a session went idle.

use serde_json::{Value, json};

use crate::world::stamp::{Object, object};

/// The `stop_reason` of an idle event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StopReason {
    EndTurn,
    /// Blocked on these tool-use events.
    RequiresAction(Vec<String>),
    RetriesExhausted,
    BudgetReached,
    Refusal,
}

impl StopReason {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::EndTurn => json!({ "type": "end_turn" }),
            Self::RequiresAction(ids) => json!({ "type": "requires_action", "event_ids": ids }),
            Self::RetriesExhausted => json!({ "type": "retries_exhausted" }),
            Self::BudgetReached => json!({ "type": "budget_reached" }),
            Self::Refusal => json!({ "type": "refusal" }),
        }
    }

    /// The members of an idle event that say why. Details of a refusal stand beside the reason, not in it.
    pub(crate) fn members(&self) -> Object {
        let mut members = object(json!({ "stop_reason": self.to_value() }));
        if *self == Self::Refusal {
            let details = json!({ "type": "refusal", "category": "general_harms", "explanation": null });
            members.insert("stop_details".into(), details);
        }
        members
    }
}
