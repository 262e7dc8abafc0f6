//! Lists, which the API gives out in pages.

use crate::object::Object;
use crate::{Defect, Fetched};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A page of a list, or several of them joined.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The entries, in the list's order.
    pub items: Vec<Fetched<T>>,
    /// The cursor that continues the list; `None` at its end. A cursor is bound to the order it was made with.
    pub next_page: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn parse(
        raw: &RawValue,
        request_id: Option<&str>,
        read: &impl Fn(Object) -> Result<T, Defect>,
    ) -> Result<Self, Defect> {
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(raw.get()).map_err(|_| Defect::NotAnObject)?;
        let data: Vec<Box<RawValue>> = members
            .get("data")
            .and_then(|data| serde_json::from_str(data.get()).ok())
            .ok_or(Defect::Member { member: "data", expected: "a list" })?;
        let next_page: Option<String> = match members.get("next_page") {
            // The last page says null, or nothing.
            None => None,
            Some(cursor) => serde_json::from_str(cursor.get())
                .map_err(|_| Defect::Member { member: "next_page", expected: "a text or null" })?,
        };
        let items = data.into_iter().map(|item| Fetched::parse(item, request_id.map(str::to_owned), read));
        Ok(Self { items: items.collect::<Result<_, _>>()?, next_page })
    }
}
