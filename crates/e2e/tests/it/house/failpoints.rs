//! Failpoints: the list, the code and the document name the same lines.

use super::tree::{read, rust_files};
use anyhow::{Context, Result};
use std::collections::BTreeSet;

#[test]
fn every_failpoint_is_listed_documented_and_in_the_code() -> Result<()> {
    let list = read("crates/failpoints/src/names.rs")?;
    let (_, list) = list.split_once("NAMES").context("no list")?;
    let listed: BTreeSet<String> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(listed.len() > 10, "{listed:?}");

    let mut placed = BTreeSet::new();
    for (path, text) in rust_files()? {
        if path.contains("/src/") && !path.starts_with("crates/failpoints/") {
            let names = text.split("failpoint!(\"").skip(1).filter_map(|rest| rest.split('"').next());
            placed.extend(names.map(str::to_owned));
        }
    }
    assert_eq!(placed, listed);

    let document = read("docs/CONTRIBUTING.md")?;
    let section = document.split("\n## ").find(|section| section.starts_with("Failpoints"));
    let rows = section.context("no section about failpoints")?.lines();
    let documented: BTreeSet<String> =
        rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    assert_eq!(documented, listed);
    Ok(())
}
