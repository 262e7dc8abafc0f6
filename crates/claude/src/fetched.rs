//! An object of the platform together with its own words.

use crate::Defect;
use crate::object::Object;
use serde_json::value::RawValue;

/// An object that was read from the API.
#[derive(Debug, Clone)]
pub struct Fetched<T> {
    /// What we understand of it.
    pub value: T,
    /// All of it, byte for byte as the platform sent it: the evidence, and the members that are newer than us.
    pub raw: Box<RawValue>,
    /// The `request-id` of the answer that held it.
    pub request_id: Option<String>,
}

/// A type that understands an object of the platform.
pub(crate) trait FromObject: Sized {
    fn from_object(object: Object) -> Result<Self, Defect>;
}

impl<T> Fetched<T> {
    pub(crate) fn parse(
        raw: Box<RawValue>,
        request_id: Option<String>,
        read: &impl Fn(Object) -> Result<T, Defect>,
    ) -> Result<Self, Defect> {
        // The text is known to be JSON. What can still fail is its being an object, or text that no Rust string can
        // hold (half a surrogate pair).
        let members = serde_json::from_str(raw.get()).map_err(|_| Defect::NotAnObject)?;
        Ok(Self { value: read(Object(members))?, raw, request_id })
    }
}
