//! What lies where, and how long it may be.

use super::tree::{files, rust_files};
use anyhow::{Context, Result};
use std::collections::BTreeSet;

/// Everything at the top of the repository that is no dotfile.
const TOP: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "crates",
    "deploy",
    "docker-compose.yml",
    "docs",
    "migrations",
    "scripts",
];

const LONGEST_FILE_LINES: usize = 800;
const MEDIAN_FILE_LINES: usize = 150;

/// Names of modules that hold what found no home.
const HOMELESS: [&str; 4] = ["utils.rs", "helpers.rs", "common.rs", "misc.rs"];

#[test]
fn the_top_of_the_repository_is_what_it_is_to_be() -> Result<()> {
    let files = files()?;
    let top: BTreeSet<&str> = files
        .iter()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert_eq!(top, TOP.into_iter().collect());
    assert!(files.iter().any(|path| path == ".ci/run"));
    Ok(())
}

#[test]
fn files_are_short() -> Result<()> {
    let mut lengths: Vec<(usize, String)> =
        rust_files()?.into_iter().map(|(path, text)| (text.lines().count(), path)).collect();
    lengths.sort();
    let (longest, path) = lengths.last().context("no files")?;
    assert!(*longest <= LONGEST_FILE_LINES, "{path} has {longest} lines");
    let (median, _) = lengths.get(lengths.len() / 2).context("no files")?;
    assert!(*median < MEDIAN_FILE_LINES, "the median is {median} lines");
    Ok(())
}

#[test]
fn no_module_is_a_drawer_for_everything() -> Result<()> {
    let drawers: Vec<String> = files()?
        .into_iter()
        .filter(|path| HOMELESS.iter().any(|name| path.ends_with(&format!("/{name}"))))
        .collect();
    assert_eq!(drawers, Vec::<String>::new());
    Ok(())
}
