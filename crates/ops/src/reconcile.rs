//! Finding what the platform failed to deliver.
//!
//! The platform tries a delivery three times within minutes and then forgets it. So now and then everything that it lists
//! is compared with what we hold, and for what differs an event is put through the same way as a delivered one (`source` =
//! `reconcile`): it is stored together with the schedule of its publish, fetched, decided, applied. Nothing is written but
//! events.
//!
//! A session that differs, or has changed since the last pass, is looked into by its own list of events, which tells each
//! transition that a webhook should have told ([`domain::gaps::fill`]). Only what that does not explain becomes an event
//! made of the difference itself ([`domain::reconcile::missed`]).
//!
//! Any number of reconcilers may run: what they find has the same id whoever finds it, and becomes one event.

mod accept;
mod children;
mod compare;
mod error;
mod list;
mod look;
mod metrics;
mod pass;
mod report;
mod timer;
mod wake;

pub use error::Error;
pub use metrics::Metrics;
pub use report::{KindReport, Report};
pub use timer::Timer;
pub use wake::{Wake, Waker};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, ResourceKind};
use std::sync::Arc;
use std::time::Duration;
use store::{Store, Tx, reconcile as rows};

/// How long a statement may take, network included.
const POSTGRES_LIMIT: Duration = Duration::from_mins(1);

/// How far passes reach back beyond the beginning of the last one: what happened right before it may have been listed
/// late, and clocks differ.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// How often everything is listed, however old.
const WHOLE_EVERY: TimeDelta = TimeDelta::hours(24);

/// How long ended passes are kept on record.
const KEPT: TimeDelta = TimeDelta::days(7);

/// The kinds of which a pass is made. Threads and credentials are compared along with what they belong to.
pub const ROOTS: [ResourceKind; 7] = [
    ResourceKind::Session,
    ResourceKind::Deployment,
    ResourceKind::DeploymentRun,
    ResourceKind::Agent,
    ResourceKind::Environment,
    ResourceKind::Vault,
    ResourceKind::MemoryStore,
];

/// What is to be compared, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The kinds; empty for all.
    pub kinds: Vec<ResourceKind>,
    /// What changed since then is looked into; `None`: since the last pass, or everything before the first.
    pub since: Option<DateTime<Utc>>,
    /// Everything is looked into, from its beginning.
    pub all: bool,
    /// Nothing is written.
    pub dry_run: bool,
    /// What is younger is left alone: its delivery may be on the way.
    pub grace: TimeDelta,
}

/// How far a comparison is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// What is compared right now.
    pub kind: ResourceKind,
    /// How many were compared so far.
    pub compared: u64,
}

/// Whoever wants to know how far a comparison is.
pub type Tell<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// Compares what we hold with what the API lists.
pub struct Reconciler {
    store: Store,
    claude: claude::Client,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Reconciler {
    /// A reconciler.
    #[must_use]
    pub fn new(store: Store, claude: claude::Client, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { store, claude, clock, metrics }
    }

    /// The right to reconcile, which only one of all processes has at a time; `None` when somebody else has it. It goes
    /// with the transaction, however this ends. The passes would do no harm to each other, but cost twice.
    ///
    /// # Errors
    /// When Postgres is away or refuses.
    pub async fn elect(&self) -> Result<Option<Tx>, store::Error> {
        let electing = async {
            let mut election = self.store.begin("elect the reconciler").await?;
            if rows::try_lock_reconciling(&mut election).await? {
                return Ok(Some(election));
            }
            election.commit().await?;
            Ok(None)
        };
        self.store.within(POSTGRES_LIMIT, "elect the reconciler", electing).await
    }

    /// Makes a pass of each kind, and tells what was found. One that was interrupted earlier is gone on with, unless the
    /// options ask for something of their own.
    ///
    /// # Errors
    /// When Postgres or the API is away or refuses. What was found until then is queued, and the next call goes on there.
    pub async fn reconcile(&self, options: &Options, tell: Tell<'_>) -> Result<Report, Error> {
        let mut report = Report { dry_run: options.dry_run, ..Report::default() };
        for root in ROOTS {
            if options.kinds.is_empty() || options.kinds.iter().any(|kind| root_of(*kind) == root) {
                pass::run(self, root, options, &mut report, tell).await?;
            }
        }
        Ok(report)
    }
}

/// The kind along with which a kind is compared.
#[must_use]
pub const fn root_of(kind: ResourceKind) -> ResourceKind {
    if matches!(kind, ResourceKind::SessionThread) {
        ResourceKind::Session
    } else if matches!(kind, ResourceKind::VaultCredential) {
        ResourceKind::Vault
    } else {
        kind
    }
}
