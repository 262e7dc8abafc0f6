//! Vaults. Archiving or deleting one does the same to its credentials, one webhook each, after its own.

use crate::world::catalog::{
    listing::ListRules,
    rules::{Calls, METADATA, Rules, Shape, as_given, required},
};

pub(super) const RULES: Rules = Rules {
    name: "vault",
    prefix: "vlt",
    path: "/vaults",
    parent: None,
    members: &[required("display_name", Shape::Text), METADATA],
    initial: "{}",
    normalize: as_given,
    calls: Calls::Delete,
    announces_updates: false,
    list: ListRules { max_limit: 100, filters: &["include_archived"] },
};
