//! What to list, as the query of a list call.

use crate::Status;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::ResourceKind;

/// The direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// Bounds of an instant; all given ones hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// Later than.
    pub gt: Option<DateTime<Utc>>,
    /// Not earlier than.
    pub gte: Option<DateTime<Utc>>,
    /// Earlier than.
    pub lt: Option<DateTime<Utc>>,
    /// Not later than.
    pub lte: Option<DateTime<Utc>>,
}

/// Which part of a list to answer with. What is `None` is left to the platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paging {
    /// Most entries of one page.
    pub limit: Option<u32>,
    /// A [`Page::next_page`](crate::Page::next_page) of the same list.
    pub page: Option<String>,
}

/// Which sessions to list. Without an order, the newest come first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionFilter {
    /// Which part of the list.
    pub paging: Paging,
    /// By `created_at`.
    pub order: Option<Order>,
    /// Only sessions in one of these; empty for all.
    pub statuses: Vec<Status>,
    /// Only sessions created then.
    pub created_at: TimeRange,
    /// Archived sessions too.
    pub include_archived: bool,
}

/// Which resources of any kind to list, in the order that the platform chose. Not every list has every filter: one that
/// it does not have is not sent, so that more may be listed than was asked for, but never less.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceFilter {
    /// Which part of the list.
    pub paging: Paging,
    /// Only sessions or threads in one of these; empty for all.
    pub statuses: Vec<Status>,
    /// Only what was created then. Vaults, credentials, environments and threads have no such filter; agents,
    /// deployments and memory stores know `gte` and `lte` only.
    pub created_at: TimeRange,
    /// Archived ones too. Threads and runs have no such filter.
    pub include_archived: bool,
}

/// Which events of a session to list. Without an order, the oldest come first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Which part of the list.
    pub paging: Paging,
    /// By `processed_at`.
    pub order: Option<Order>,
    /// Only events of these types, such as `session.status_idle`; empty for all.
    pub types: Vec<String>,
    /// Only events of that time; the platform compares it with `processed_at`.
    pub created_at: TimeRange,
}

/// Names and values of a query, not yet encoded.
pub(crate) type Query = Vec<(&'static str, String)>;

impl Paging {
    pub(crate) fn query(&self) -> Query {
        let limit = self.limit.map(|limit| ("limit", limit.to_string()));
        let page = self.page.clone().map(|page| ("page", page));
        limit.into_iter().chain(page).collect()
    }
}

impl TimeRange {
    fn query(&self) -> impl Iterator<Item = (&'static str, String)> {
        let bounds = [
            ("created_at[gt]", self.gt),
            ("created_at[gte]", self.gte),
            ("created_at[lt]", self.lt),
            ("created_at[lte]", self.lte),
        ];
        bounds.into_iter().filter_map(|(name, time)| {
            time.map(|time| (name, time.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
        })
    }
}

impl Order {
    fn query(self) -> (&'static str, String) {
        let text = match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        };
        ("order", text.to_owned())
    }
}

impl SessionFilter {
    pub(crate) fn query(&self) -> Query {
        let mut query = self.paging.query();
        query.extend(self.order.map(Order::query));
        query.extend(self.statuses.iter().map(|status| ("statuses[]", status.to_string())));
        query.extend(self.created_at.query());
        query.extend(self.include_archived.then(|| ("include_archived", "true".to_owned())));
        query
    }
}

impl ResourceFilter {
    pub(crate) fn query(&self, kind: ResourceKind) -> Query {
        use ResourceKind as Kind;
        let mut query = self.paging.query();
        if matches!(kind, Kind::Session | Kind::SessionThread) {
            query.extend(self.statuses.iter().map(|status| ("statuses[]", status.to_string())));
        }
        match kind {
            Kind::Session | Kind::DeploymentRun => query.extend(self.created_at.query()),
            Kind::Agent | Kind::Deployment | Kind::MemoryStore => {
                let inclusive = TimeRange { gt: None, lt: None, ..self.created_at };
                query.extend(inclusive.query());
            }
            Kind::SessionThread
            | Kind::Vault
            | Kind::VaultCredential
            | Kind::Environment
            | Kind::ExternalKey
            | Kind::UserProfile
            | Kind::Message => {}
        }
        let has_archive = !matches!(kind, Kind::SessionThread | Kind::DeploymentRun);
        query.extend((has_archive && self.include_archived).then(|| ("include_archived", "true".to_owned())));
        query
    }
}

impl EventFilter {
    pub(crate) fn query(&self) -> Query {
        let mut query = self.paging.query();
        query.extend(self.order.map(Order::query));
        query.extend(self.types.iter().map(|kind| ("types[]", kind.clone())));
        query.extend(self.created_at.query());
        query
    }
}
