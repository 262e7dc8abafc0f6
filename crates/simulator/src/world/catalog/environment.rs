//! Environments. One that a session refers to cannot be deleted.

use crate::world::{
    World,
    catalog::{
        listing::ListRules,
        rules::{Calls, METADATA, Rules, Shape, as_given, or, required},
    },
    refusal::Refusal,
    stamp::text,
};

const CLOUD: &str = r#"{"type":"cloud","networking":{"type":"unrestricted"},
    "packages":{"type":"packages","apt":[],"cargo":[],"gem":[],"go":[],"npm":[],"pip":[]}}"#;

pub(super) const RULES: Rules = Rules {
    name: "environment",
    prefix: "env",
    path: "/environments",
    parent: None,
    members: &[
        required("name", Shape::Text),
        or("description", Shape::TextOrNull, "\"\""),
        or("config", Shape::Object, CLOUD),
        or("scope", Shape::TextOrNull, "\"organization\""),
        METADATA,
    ],
    initial: "{}",
    normalize: as_given,
    calls: Calls::Delete,
    announces_updates: true,
    list: ListRules { max_limit: 100, filters: &["include_archived"] },
};

impl World {
    pub(super) fn refuse_used_environment(&self, id: &str) -> Result<(), Refusal> {
        let used = self.sessions.values().any(|session| text(&session.object, "environment_id") == id);
        if used { Err(Refusal::conflict("sessions refer to this environment")) } else { Ok(()) }
    }
}
