//! What belongs to what is compared: the threads of a session, the credentials of a vault.

use super::accept::Found;
use super::compare::{Comparison, count, note_found};
use super::report::Report;
use super::{Error, POSTGRES_LIMIT, list, look, rows};
use domain::reconcile::{Held, Listed};
use domain::{ResourceKind, ResourceRef};
use std::collections::HashMap;

impl Comparison<'_> {
    /// The threads of a session that differ and of which its own list does not say why.
    pub(super) async fn threads(&self, looked: &look::Looked, report: &mut Report) -> Result<(), Error> {
        let kind = ResourceKind::SessionThread;
        if looked.threads.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = looked.threads.iter().map(|thread| thread.resource.id.as_str()).collect();
        let stored = self.stored(kind, &ids).await?;
        self.compared(kind, ids.len(), report);
        for thread in &looked.threads {
            let id = &thread.resource.id;
            let held = stored.held.get(id);
            let is_told = looked.lost.iter().any(|lost| lost.resource == thread.resource);
            if stored.pending.contains(id) {
                report.note(kind, |report| report.unsettled += 1);
            } else if is_told {
                note_found(report, kind, held.is_some());
            } else {
                self.child(held, thread, report).await?;
            }
        }
        Ok(())
    }

    /// The credentials of a vault, those included that we hold and it has no more.
    pub(super) async fn credentials(&self, vault: &str, report: &mut Report) -> Result<(), Error> {
        let kind = ResourceKind::VaultCredential;
        let Some(listed) = list::credentials(&self.reconciler.claude, vault).await? else { return Ok(()) };
        let held = self.held_credentials(vault).await?;
        let ids: Vec<&str> = listed.iter().map(|credential| credential.resource.id.as_str()).collect();
        let pending = self.stored(kind, &ids).await?.pending;
        self.compared(kind, ids.len(), report);
        for credential in &listed {
            let id = &credential.resource.id;
            if pending.contains(id) {
                report.note(kind, |report| report.unsettled += 1);
            } else {
                self.child(held.get(id), credential, report).await?;
            }
        }
        for (id, held) in &held {
            if ids.contains(&id.as_str()) || held.deleted || held.status.is_none() {
                continue;
            }
            let resource = ResourceRef { kind, id: id.clone(), parent_id: Some(vault.to_owned()) };
            match list::one(&self.reconciler.claude, &resource).await? {
                Some(listed) => self.child(Some(held), &listed, report).await?,
                None => self.deleted(&[(resource, held.updated_at)], report).await?,
            }
        }
        Ok(())
    }

    /// The credentials that went with a deleted vault: the platform tells of each.
    pub(super) async fn deleted_credentials(&self, vault: &str, report: &mut Report) -> Result<(), Error> {
        let held = self.held_credentials(vault).await?.into_iter().filter(|(_, held)| !held.deleted);
        let resource =
            |id| ResourceRef { kind: ResourceKind::VaultCredential, id, parent_id: Some(vault.to_owned()) };
        let gone: Vec<_> = held.map(|(id, held)| (resource(id), held.updated_at)).collect();
        self.deleted(&gone, report).await
    }

    async fn held_credentials(&self, vault: &str) -> Result<HashMap<String, Held>, Error> {
        let store = &self.reconciler.store;
        let reading = async {
            rows::held_children(&mut *store.connection().await?, ResourceKind::VaultCredential, vault).await
        };
        Ok(store.within(POSTGRES_LIMIT, "compare credentials", reading).await?)
    }

    async fn child(&self, held: Option<&Held>, listed: &Listed, report: &mut Report) -> Result<(), Error> {
        let kind = listed.resource.kind;
        let missed = self.missed(held, listed);
        if missed.is_empty() {
            return Ok(());
        }
        note_found(report, kind, held.is_some());
        let found: Vec<Found> = missed.iter().map(|missed| Found::of(&listed.resource, missed)).collect();
        self.queue(kind, &found, report).await?;
        Ok(())
    }

    fn compared(&self, kind: ResourceKind, resources: usize, report: &mut Report) {
        self.reconciler.metrics.count_compared(kind, resources);
        report.note(kind, |report| report.compared += count(resources));
    }
}
