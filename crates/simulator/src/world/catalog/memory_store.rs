//! Memory stores. Their memories are not simulated: no webhook speaks of them.

use crate::world::catalog::{
    listing::ListRules,
    rules::{Calls, METADATA, Rules, Shape, as_given, or, required},
};

pub(super) const RULES: Rules = Rules {
    name: "memory_store",
    prefix: "memstore",
    path: "/memory_stores",
    parent: None,
    members: &[required("name", Shape::Text), or("description", Shape::TextOrNull, "\"\""), METADATA],
    initial: "{}",
    normalize: as_given,
    calls: Calls::Delete,
    announces_updates: false,
    list: ListRules { max_limit: 100, filters: &["include_archived", "created_at[gte]", "created_at[lte]"] },
};
