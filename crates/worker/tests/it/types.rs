//! The table of event types, on the command line and in the document.

use crate::lab::worker;
use anyhow::{Context, Result};
use serde_json::Value;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/EVENTS.md");

const BEGIN: &str = "<!-- worker events types --markdown: begin -->\n";
const END: &str = "<!-- worker events types --markdown: end -->\n";

#[tokio::test]
async fn the_document_has_the_table_of_the_code() -> Result<()> {
    let document = std::fs::read_to_string(DOCUMENT)?;
    let (before, rest) = document.split_once(BEGIN).context("docs/EVENTS.md has no begin of the table")?;
    let (table, after) = rest.split_once(END).context("docs/EVENTS.md has no end of the table")?;
    let said = worker(&["events", "types", "--markdown"], &[]).await?;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    if table != said.stdout {
        let path = std::env::temp_dir().join("EVENTS.md");
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", said.stdout))?;
        panic!(
            "the table in docs/EVENTS.md is stale; the renewed document is {}: copy it there",
            path.display()
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_list_for_machines_has_a_row_for_each_type() -> Result<()> {
    let said = worker(&["events", "types", "--json"], &[]).await?;
    let rows: Vec<Value> = serde_json::from_str(&said.stdout)?;
    let idled = rows.iter().find(|row| row["type"] == "session.status_idled").context("no row")?;
    assert_eq!((&idled["resource"], &idled["rank"]), (&"session".into(), &51.into()));
    let text = worker(&["events", "types"], &[]).await?;
    assert_eq!(text.stdout.lines().count(), rows.len() + 1, "a header and a line for each");
    Ok(())
}

#[tokio::test]
async fn the_document_and_json_are_two_forms_and_not_one() -> Result<()> {
    let said = worker(&["events", "types", "--json", "--markdown"], &[]).await?;
    assert_eq!(said.code, Some(64), "{}", said.stdout);
    Ok(())
}
