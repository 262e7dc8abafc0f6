//! The update call: which members may change, and when.

use serde_json::Value;

use crate::world::{
    refusal::Refusal,
    session::Session,
    stamp::{Notice, Object, Stamp},
};

impl Session {
    /// Changes title, metadata, budget or (while idle) the agent; raising or removing a reached budget resumes.
    pub(crate) fn update(&mut self, given: Object, stamp: &mut Stamp<'_>) -> Result<Vec<Notice>, Refusal> {
        if self.is_archived() {
            return Err(Refusal::invalid("an archived session cannot be updated"));
        }
        let mut changes = Object::new();
        for (name, value) in given {
            let value = match name.as_str() {
                "title" if value.is_null() || value.is_string() => value,
                "budget" if value.is_null() || value.is_object() => value,
                "metadata" => self.patched_metadata(&value)?,
                "agent" if self.status() != "idle" => {
                    return Err(Refusal::invalid("agent: can only be changed while the session is idle"));
                }
                "agent" if value.is_object() => value,
                other => {
                    return Err(Refusal::invalid(format!("{other}: cannot be updated or has a wrong type")));
                }
            };
            if self.object.get(&name) != Some(&value) {
                changes.insert(name, value);
            }
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let resumes = changes.contains_key("budget") && self.stopped_by == "budget_reached";
        self.append("session.updated", Value::Object(changes), stamp);
        let mut notices = vec![self.notice("session.updated", stamp)];
        if resumes {
            notices.extend(self.run(stamp));
        }
        Ok(notices)
    }

    /// Members given as null are removed, the others set.
    fn patched_metadata(&self, patch: &Value) -> Result<Value, Refusal> {
        let wrong = || Refusal::invalid("metadata: an object of strings");
        let mut metadata =
            self.object.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, value) in patch.as_object().ok_or_else(wrong)? {
            if value.is_null() {
                metadata.remove(name);
            } else if value.is_string() {
                metadata.insert(name.clone(), value.clone());
            } else {
                return Err(wrong());
            }
        }
        Ok(Value::Object(metadata))
    }
}
