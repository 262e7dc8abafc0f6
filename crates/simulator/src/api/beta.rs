//! Which beta header each collection asks for.

/// Agents, sessions, threads, events, environments, vaults, deployments.
const MANAGED_AGENTS: &str = "managed-agents-2026-04-01";

/// Every beta value the simulator knows; another one is refused.
pub(crate) const KNOWN: &[&str] = &[MANAGED_AGENTS, "agent-memory-2026-07-22"];

/// One collection of the API.
pub(crate) struct Collection {
    /// The path segment after `/v1/`.
    name: &'static str,
    /// The beta value its calls need.
    pub(crate) beta: &'static str,
}

/// The collections the simulator serves.
const COLLECTIONS: &[Collection] = &[Collection { name: "sessions", beta: MANAGED_AGENTS }];

/// The collection that a path belongs to.
pub(crate) fn collection(path: &str) -> Option<&'static Collection> {
    let name = path.strip_prefix("/v1/")?.split('/').next()?;
    COLLECTIONS.iter().find(|collection| collection.name == name)
}

/// Thread paths pretend not to exist without the beta header; the others say what is missing.
pub(crate) fn hides_itself(path: &str) -> bool {
    path.split('/').nth(4) == Some("threads")
}
