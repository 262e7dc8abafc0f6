//! Names that people rely on are in the documents, and the documents hold no others.

use super::tree::{read, rust_files};
use anyhow::{Context, Result};
use std::collections::BTreeSet;

/// The parts of a text that stand between `before` and the next quote.
fn quoted_after<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// What shipped code says, by file.
fn sources() -> Result<Vec<(String, String)>> {
    let shipped =
        |path: &str| path.contains("/src/") && !path.contains("tests") && !path.contains("/simulator/");
    Ok(rust_files()?.into_iter().filter(|(path, _)| shipped(path)).collect())
}

/// The first cell of each row of a table whose first column is in backticks.
fn first_cells(document: &str) -> BTreeSet<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn every_metric_is_documented_and_every_documented_metric_exists() -> Result<()> {
    let mut registered = BTreeSet::new();
    for (_, text) in sources()? {
        // `register("name"`, on one line or two.
        let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let names = [quoted_after(&flat, ".register( \""), quoted_after(&flat, ".register(\"")].concat();
        registered.extend(names.into_iter().map(str::to_owned));
    }
    assert!(registered.len() > 5, "{registered:?}");
    let is_metric = |name: &String| {
        ["ingest_", "worker_", "broker_", "store_"].iter().any(|start| name.starts_with(start))
    };
    let documented: BTreeSet<String> = first_cells(&read("docs/telemetry.md")?)
        .into_iter()
        .filter(is_metric)
        // Counters are registered without the ending that they are scraped with.
        .map(|name| name.strip_suffix("_total").map_or(name.clone(), str::to_owned))
        .collect();
    assert_eq!(registered, documented);
    Ok(())
}

#[test]
fn every_reason_for_a_refusal_is_documented_and_every_documented_one_is_given() -> Result<()> {
    let errors = read("docs/errors.md")?;
    let answers = errors.split("\n## ").find(|section| section.starts_with("Answers of `ingest`"));
    let mut documented = first_cells(answers.context("no section about answers")?);
    documented.remove("reason"); // the head of the table
    assert!(documented.len() > 10, "{documented:?}");
    let texts: Vec<String> = sources()?
        .into_iter()
        .filter(|(path, _)| {
            ["crates/ingest/", "crates/ops/src/receive", "crates/signing/src/rejection.rs"]
                .iter()
                .any(|part| path.starts_with(part))
        })
        .map(|(_, text)| text)
        .collect();
    for reason in &documented {
        assert!(texts.iter().any(|text| text.contains(&format!("\"{reason}\""))), "nothing gives {reason}");
    }
    // A reason is what a `match` gives, or the second argument of an answer.
    let mut given = BTreeSet::new();
    for text in &texts {
        let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let answers =
            flat.split("rejected(").skip(1).filter(|call| call.trim_start().starts_with("StatusCode"));
        given.extend(answers.filter_map(|call| call.split('"').nth(1)).map(str::to_owned));
        given.extend(quoted_after(&flat, "=> \"").into_iter().map(str::to_owned));
    }
    // What is counted beside the reasons.
    let taken = ["accepted", "duplicate"];
    let is_name = |text: &str| text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    let undocumented: Vec<&String> = given
        .iter()
        .filter(|name| is_name(name) && !taken.contains(&name.as_str()) && !documented.contains(*name))
        .collect();
    assert_eq!(undocumented, Vec::<&String>::new());
    Ok(())
}
