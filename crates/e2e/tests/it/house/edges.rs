//! Which crate may depend on which.

use super::tree::metadata;
use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// Each crate, and those of ours that it may depend on. Those below the line are for development only.
const ALLOWED: [(&str, &[&str]); 18] = [
    ("domain", &[]),
    ("failpoints", &[]),
    ("signing", &[]),
    ("telemetry", &[]),
    ("store", &["domain"]),
    ("broker", &["domain", "failpoints"]),
    ("callout", &["signing"]),
    ("claude", &["domain"]),
    ("runtime", &["domain", "failpoints", "telemetry"]),
    ("settings", &["domain", "signing"]),
    ("ops", &["broker", "callout", "claude", "domain", "failpoints", "signing", "store", "telemetry"]),
    ("ingest", SHIPPED),
    ("worker", SHIPPED),
    // ---
    ("simulator", &["signing"]),
    ("testkit", EVERYTHING),
    ("e2e", &[]),
    ("benches", EVERYTHING),
    ("chaos", &["simulator", "testkit"]),
];

const SHIPPED: &[&str] =
    &["broker", "callout", "claude", "domain", "ops", "runtime", "settings", "signing", "store", "telemetry"];

const EVERYTHING: &[&str] = &[
    "broker",
    "callout",
    "claude",
    "domain",
    "ops",
    "runtime",
    "settings",
    "signing",
    "simulator",
    "store",
    "telemetry",
    "testkit",
];

/// Which crates may use what speaks to the outside.
const DRIVERS: [(&str, &[&str]); 4] = [
    ("sqlx", &["benches", "chaos", "store", "testkit"]),
    ("lapin", &["benches", "broker", "testkit"]),
    ("reqwest", &["benches", "callout", "chaos", "claude", "simulator", "testkit"]),
    ("actix-web", &["benches", "ingest", "runtime", "simulator"]),
];

/// What the pure crates must not reach, by however many steps.
const IMPURE: [&str; 6] = ["tokio", "sqlx", "lapin", "reqwest", "actix-web", "tracing"];

fn normal_dependencies(package: &Package) -> BTreeSet<&str> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn dependencies_point_inwards_only() -> Result<()> {
    let metadata = metadata()?;
    let members = metadata.workspace_packages();
    let ours: BTreeSet<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut forbidden = Vec::new();
    for package in members {
        let name = package.name.as_str();
        let allowed = allowed.get(name).with_context(|| format!("{name} has no row in the table"))?;
        let edges = normal_dependencies(package).into_iter().filter(|other| ours.contains(other));
        forbidden
            .extend(edges.filter(|other| !allowed.contains(other)).map(|other| format!("{name} -> {other}")));
    }
    assert_eq!(forbidden, Vec::<String>::new(), "forbidden edges");
    Ok(())
}

#[test]
fn each_outside_system_has_one_crate_that_speaks_to_it() -> Result<()> {
    let metadata = metadata()?;
    let mut forbidden = Vec::new();
    for package in metadata.workspace_packages() {
        let dependencies = normal_dependencies(package);
        for (driver, users) in DRIVERS {
            if dependencies.contains(driver) && !users.contains(&package.name.as_str()) {
                forbidden.push(format!("{} -> {driver}", package.name));
            }
        }
    }
    assert_eq!(forbidden, Vec::<String>::new(), "forbidden edges");
    Ok(())
}

#[test]
fn the_pure_crates_reach_nothing_that_does_anything() -> Result<()> {
    let metadata = metadata()?;
    for name in ["domain", "signing"] {
        let reached = reached_from(&metadata, name)?;
        for impure in IMPURE {
            assert!(!reached.contains_key(impure), "{name} reaches {impure}: {}", path(&reached, impure));
        }
    }
    Ok(())
}

/// All that a crate's own code is built with, each with the crate through which it was found.
fn reached_from(metadata: &Metadata, name: &str) -> Result<BTreeMap<String, String>> {
    let graph = metadata.resolve.as_ref().context("no graph of dependencies")?;
    let packages = metadata.workspace_packages();
    let start = packages.iter().find(|package| package.name.as_str() == name).context("no such crate")?;
    let mut reached = BTreeMap::new();
    let mut waiting: Vec<&PackageId> = vec![&start.id];
    while let Some(id) = waiting.pop() {
        let node = graph.nodes.iter().find(|node| node.id == *id).context("a hole in the graph")?;
        let from = metadata[id].name.to_string();
        for next in &node.deps {
            let normal = next.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            let to = metadata[&next.pkg].name.to_string();
            if normal && !reached.contains_key(&to) {
                reached.insert(to, from.clone());
                waiting.push(&next.pkg);
            }
        }
    }
    Ok(reached)
}

/// The way by which a crate was reached, for the complaint.
fn path(reached: &BTreeMap<String, String>, to: &str) -> String {
    let mut steps = vec![to.to_owned()];
    while let Some(from) = steps.last().and_then(|last| reached.get(last)) {
        steps.push(from.clone());
    }
    steps.reverse();
    steps.join(" -> ")
}
