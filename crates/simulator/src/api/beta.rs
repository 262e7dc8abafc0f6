//! Which beta header each collection asks for.

/// Agents, sessions, threads, events, environments, vaults, deployments.
const MANAGED_AGENTS: &str = "managed-agents-2026-04-01";

/// Memory stores.
const MEMORY: &str = "agent-memory-2026-07-22";

/// Every beta value the simulator knows; another one is refused.
pub(crate) const KNOWN: &[&str] = &[MANAGED_AGENTS, MEMORY];

/// The collections that are behind the common beta.
const COLLECTIONS: &[&str] =
    &["sessions", "agents", "environments", "vaults", "deployments", "deployment_runs"];

/// What is wrong with the beta values of a call, if anything.
pub(crate) fn complaint(path: &str, given: &[&str]) -> Option<String> {
    let collection = path.strip_prefix("/v1/")?.split('/').next()?;
    let (common, memory) = (given.contains(&MANAGED_AGENTS), given.contains(&MEMORY));
    if collection == "memory_stores" {
        // The newest SDK says that either one will do, and the documentation that both together will not.
        return match (common, memory) {
            (false, false) => Some(format!("anthropic-beta: {MEMORY} is required")),
            (true, true) => Some(format!("anthropic-beta: {MEMORY} excludes {MANAGED_AGENTS}")),
            _ => None,
        };
    }
    (COLLECTIONS.contains(&collection) && !common)
        .then(|| format!("anthropic-beta: {MANAGED_AGENTS} is required"))
}

/// Thread paths pretend not to exist without the beta header; the others say what is missing.
pub(crate) fn hides_itself(path: &str) -> bool {
    path.split('/').nth(4) == Some("threads")
}
