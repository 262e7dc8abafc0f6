//! The workspace as cargo and git know it.

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub(super) fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    Ok(root.context("the crate is not where it belongs")?.to_path_buf())
}

/// The workspace with all its dependencies.
pub(super) fn metadata() -> Result<Metadata> {
    let metadata = MetadataCommand::new()
        .current_dir(root()?)
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec();
    metadata.context("cargo metadata")
}

/// The paths of all files that git tracks or would track.
pub(super) fn files() -> Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(root()?)
        .output()
        .context("cannot run git")?;
    ensure!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let root = root()?;
    let files = String::from_utf8(listed.stdout)?;
    // What was deleted and is not committed yet is listed, too.
    Ok(files.lines().filter(|path| root.join(path).is_file()).map(str::to_owned).collect())
}

/// The Rust files of our crates.
pub(super) fn rust_files() -> Result<Vec<(String, String)>> {
    let root = root()?;
    let paths =
        files()?.into_iter().filter(|path| Path::new(path).extension().is_some_and(|kind| kind == "rs"));
    paths.map(|path| Ok((path.clone(), std::fs::read_to_string(root.join(path))?))).collect()
}

/// A file of the repository.
pub(super) fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root()?.join(path)).with_context(|| format!("cannot read {path}"))
}
