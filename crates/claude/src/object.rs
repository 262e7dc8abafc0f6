//! Reading the members of an object that may have grown since.

use crate::Defect;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// The members of a JSON object.
///
/// Two kinds of readers: those that return a `Result` are for members on which decisions rest, where a wrong type must
/// not pass as "absent"; those that return an `Option` are for members people look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object(pub(crate) Map<String, Value>);

impl Object {
    /// A text that must be there.
    pub(crate) fn required_text(&self, member: &'static str) -> Result<String, Defect> {
        self.text(member).map(str::to_owned).ok_or(Defect::Member { member, expected: "a text" })
    }

    /// An instant, unless it is missing or null.
    pub(crate) fn time(&self, member: &'static str) -> Result<Option<DateTime<Utc>>, Defect> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => instant(value)
                .map(Some)
                .ok_or(Defect::Member { member, expected: "an RFC 3339 time or null" }),
        }
    }

    /// An instant, if there is one to read.
    pub(crate) fn readable_time(&self, member: &str) -> Option<DateTime<Utc>> {
        self.0.get(member).and_then(instant)
    }

    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str()
    }

    pub(crate) fn owned_text(&self, member: &str) -> Option<String> {
        self.text(member).map(str::to_owned)
    }
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.with_timezone(&Utc))
}
