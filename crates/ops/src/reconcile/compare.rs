//! Comparing what was listed with what is held, and queueing what follows.

use super::accept::Found;
use super::report::Report;
use super::{Error, OVERLAP, POSTGRES_LIMIT, Reconciler, look, rows};
use chrono::{DateTime, Utc};
use domain::gaps::Entry;
use domain::reconcile::{Held, Listed, Missed, Owner, deletion_of, id_of_change, missed};
use domain::{EndpointName, EventId, EventKey, ResourceKind, ResourceRef};
use futures_util::future::join_all;
use std::collections::{HashMap, HashSet};

/// Sessions that are looked into at the same time.
const LOOKS: usize = 8;

/// What all comparisons of a pass have in common.
pub(super) struct Comparison<'a> {
    pub(super) reconciler: &'a Reconciler,
    pub(super) kind: ResourceKind,
    /// Whose resources these are, where they do not say it themselves.
    pub(super) owner: Owner,
    /// What has changed since is looked into; `None`: everything is, from its beginning.
    pub(super) since: Option<DateTime<Utc>>,
    /// What happened later may still be delivered.
    pub(super) until: DateTime<Utc>,
    /// What is unknown and has not changed since is older than this system: nothing of it was missed. `None`: everything
    /// is taken in.
    pub(super) beginning: Option<DateTime<Utc>>,
    pub(super) dry_run: bool,
    /// Whether the credentials of all vaults are compared, and not only of those that have changed.
    pub(super) with_all_children: bool,
}

/// What Postgres says of some resources.
pub(super) struct Stored {
    pub(super) held: HashMap<String, Held>,
    pub(super) pending: HashSet<String>,
}

/// A resource to which something happened that we were not told.
struct Candidate<'a> {
    listed: &'a Listed,
    known: bool,
    missed: Vec<Missed>,
    /// From when on it is looked into; `None`: from its beginning.
    window: Option<DateTime<Utc>>,
}

impl Comparison<'_> {
    /// Compares resources of the kind of the pass.
    pub(super) async fn batch(&self, listed: &[Listed], report: &mut Report) -> Result<(), Error> {
        let ids: Vec<&str> = listed.iter().map(|listed| listed.resource.id.as_str()).collect();
        let stored = self.stored(self.kind, &ids).await?;
        self.reconciler.metrics.count_compared(self.kind, listed.len());
        report.note(self.kind, |report| report.compared += count(listed.len()));
        let mut candidates = Vec::new();
        for listed in listed {
            if stored.pending.contains(&listed.resource.id) {
                report.note(self.kind, |report| report.unsettled += 1);
                continue;
            }
            let held = stored.held.get(&listed.resource.id);
            let missed = self.missed(held, listed);
            if held.is_none() && missed.is_empty() {
                continue;
            }
            let window = self.window(held, !missed.is_empty());
            // What belongs to others changes without them.
            let is_active = window.is_none_or(|window| listed.changed_at().is_none_or(|at| at >= window));
            let has_more = (self.kind == ResourceKind::Session && is_active)
                || (self.kind == ResourceKind::Vault && (is_active || self.with_all_children));
            if !missed.is_empty() || has_more {
                candidates.push(Candidate { listed, known: held.is_some(), missed, window });
            }
        }
        if self.kind == ResourceKind::Session {
            return self.sessions(candidates, report).await;
        }
        for candidate in candidates {
            if !candidate.missed.is_empty() {
                self.changed(&candidate, report).await?;
            }
            if self.kind == ResourceKind::Vault {
                self.credentials(&candidate.listed.resource.id, report).await?;
            }
        }
        Ok(())
    }

    /// Queues the deletion of resources that are not there any more, each with its last known time of change.
    pub(super) async fn deleted(
        &self,
        gone: &[(ResourceRef, Option<DateTime<Utc>>)],
        report: &mut Report,
    ) -> Result<(), Error> {
        for (resource, last) in gone {
            let Some(event_type) = deletion_of(resource.kind) else { continue };
            // When it was deleted, nobody can say any more. What it was before tells one deletion from another.
            let id = id_of_change(resource, &Missed::new(event_type, last.unwrap_or(DateTime::UNIX_EPOCH)));
            let missed = Missed::new(event_type, self.reconciler.clock.now());
            let found = Found { id, ..Found::of(resource, &missed) };
            report.note(resource.kind, |report| {
                report.compared += 1;
                report.deleted += 1;
            });
            self.queue(resource.kind, &[found], report).await?;
        }
        Ok(())
    }

    /// What would have been told of a resource until now, less what may still be told.
    pub(super) fn missed(&self, held: Option<&Held>, listed: &Listed) -> Vec<Missed> {
        if held.is_none() && self.is_older_than_we_are(listed) {
            return Vec::new();
        }
        let mut missed = missed(held, listed);
        missed.retain(|missed| missed.at <= self.until);
        missed
    }

    fn is_older_than_we_are(&self, listed: &Listed) -> bool {
        let changed_at = listed.changed_at();
        self.beginning.is_some_and(|beginning| changed_at.is_some_and(|at| at < beginning))
    }

    fn window(&self, held: Option<&Held>, differs: bool) -> Option<DateTime<Utc>> {
        let (since, held) = (self.since?, held?);
        if !differs {
            return Some(since);
        }
        // What differs has done so since it was last seen, which may be longer ago than the last pass.
        held.updated_at.map(|seen| since.min(seen - OVERLAP))
    }

    /// Looks into sessions, several at a time, and queues what was lost of each.
    async fn sessions(&self, candidates: Vec<Candidate<'_>>, report: &mut Report) -> Result<(), Error> {
        if candidates.is_empty() {
            return Ok(());
        }
        let histories = self.histories(&candidates).await?;
        for together in candidates.chunks(LOOKS) {
            let looks = join_all(together.iter().map(|candidate| self.look(candidate, &histories))).await;
            for (candidate, looked) in together.iter().zip(looks) {
                self.settle(candidate, &looked?, report).await?;
            }
        }
        Ok(())
    }

    async fn look(
        &self,
        candidate: &Candidate<'_>,
        histories: &HashMap<String, Vec<Entry>>,
    ) -> Result<look::Looked, Error> {
        let session = &candidate.listed.resource.id;
        let history = histories.get(session).map_or(&[][..], Vec::as_slice);
        look::into(self, session, history, candidate.window).await
    }

    /// Queues what was lost of a session.
    async fn settle(
        &self,
        candidate: &Candidate<'_>,
        looked: &look::Looked,
        report: &mut Report,
    ) -> Result<(), Error> {
        let (own, of_threads): (Vec<Found>, Vec<Found>) =
            looked.lost.iter().cloned().partition(|lost| lost.resource.kind == self.kind);
        let queued = self.queue(self.kind, &own, report).await?;
        self.queue(ResourceKind::SessionThread, &of_threads, report).await?;
        self.threads(looked, report).await?;
        if queued == 0 && !candidate.missed.is_empty() {
            // Somebody else may have queued what its own list says a moment ago.
            let id = candidate.listed.resource.id.as_str();
            if !own.is_empty() && self.stored(self.kind, &[id]).await?.pending.contains(id) {
                report.note(self.kind, |report| report.unsettled += 1);
                return Ok(());
            }
            // Its own list does not say why it differs.
            self.changed(candidate, report).await?;
        } else if !own.is_empty() {
            note_found(report, self.kind, candidate.known);
        }
        Ok(())
    }

    async fn histories(&self, candidates: &[Candidate<'_>]) -> Result<HashMap<String, Vec<Entry>>, Error> {
        let ids: Vec<&str> =
            candidates.iter().map(|candidate| candidate.listed.resource.id.as_str()).collect();
        let windows: Option<Vec<DateTime<Utc>>> =
            candidates.iter().map(|candidate| candidate.window).collect();
        let since = windows.and_then(|windows| windows.into_iter().min()).map(|since| since - OVERLAP);
        let store = &self.reconciler.store;
        let reading = async { rows::histories(&mut *store.connection().await?, &ids, since).await };
        Ok(store.within(POSTGRES_LIMIT, "read histories", reading).await?)
    }

    /// Queues the events that a difference stands for.
    async fn changed(&self, candidate: &Candidate<'_>, report: &mut Report) -> Result<(), Error> {
        let resource = &candidate.listed.resource;
        let found: Vec<Found> = candidate.missed.iter().map(|missed| Found::of(resource, missed)).collect();
        note_found(report, resource.kind, candidate.known);
        self.queue(resource.kind, &found, report).await?;
        Ok(())
    }

    /// Queues events, and tells how many of them were not known before. A dry run only asks.
    pub(super) async fn queue(
        &self,
        kind: ResourceKind,
        found: &[Found],
        report: &mut Report,
    ) -> Result<usize, Error> {
        if found.is_empty() {
            return Ok(0);
        }
        let new = if self.dry_run { self.unknown(found).await? } else { self.accept(found).await? };
        report.note(kind, |report| {
            report.queued += count(new);
            report.known += count(found.len().saturating_sub(new));
        });
        Ok(new)
    }

    async fn accept(&self, found: &[Found]) -> Result<usize, Error> {
        let new = self.reconciler.accept(found, &self.owner).await?;
        Ok(new.into_iter().filter(|new| *new).count())
    }

    async fn unknown(&self, found: &[Found]) -> Result<usize, Error> {
        let endpoint = EndpointName::default_endpoint();
        let keys: Vec<EventKey> = found
            .iter()
            .filter_map(|found| EventId::new(found.id.as_str()).ok())
            .map(|id| EventKey { endpoint: endpoint.clone(), id })
            .collect();
        let store = &self.reconciler.store;
        let asking = async { store::standing_of(&mut *store.connection().await?, &keys).await };
        let known = store.within(POSTGRES_LIMIT, "ask for events", asking).await?;
        Ok(keys.iter().filter(|key| !known.contains_key(*key)).count())
    }

    pub(super) async fn stored(&self, kind: ResourceKind, ids: &[&str]) -> Result<Stored, Error> {
        let store = &self.reconciler.store;
        let reading = async {
            let mut connection = store.connection().await?;
            let held = rows::held(&mut connection, kind, ids).await?;
            let pending = rows::pending_among(&mut connection, kind, ids).await?;
            Ok::<_, store::Error>(Stored { held, pending })
        };
        Ok(store.within(POSTGRES_LIMIT, "compare resources", reading).await?)
    }
}

pub(super) fn note_found(report: &mut Report, kind: ResourceKind, known: bool) {
    report.note(kind, |report| if known { report.differing += 1 } else { report.missing += 1 });
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
