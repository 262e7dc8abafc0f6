//! Every kind of alert is in its document, and the document holds no others.

use super::tree::read;
use anyhow::{Context, Result};
use std::collections::BTreeSet;

#[test]
fn every_kind_of_alert_is_documented_and_every_documented_kind_exists() -> Result<()> {
    let source = read("crates/domain/src/alert/kind.rs")?;
    let names = source.split("fn as_str").nth(1).and_then(|rest| rest.split("\n    }\n").next());
    let kinds: BTreeSet<&str> = names
        .context("kinds have no names")?
        .lines()
        .filter_map(|line| line.split("=> \"").nth(1)?.split('"').next())
        .collect();
    assert!(kinds.len() > 10, "{kinds:?}");
    let document = read("docs/ALERTS.md")?;
    let table = document.split("\n## Kinds").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = table.context("no section about kinds")?.lines();
    let documented: BTreeSet<&str> =
        rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(kinds, documented);
    Ok(())
}
