//! A pass over one kind: the list, then what is at work, then what was not listed.

use super::compare::Comparison;
use super::report::{KindReport, Report};
use super::{Error, KEPT, OVERLAP, Options, POSTGRES_LIMIT, Progress, Reconciler, Tell, WHOLE_EVERY};
use super::{list, root_of, rows};
use chrono::TimeDelta;
use domain::reconcile::{Listed, deletion_of};
use domain::{ResourceKind, ResourceRef};
use futures_util::future::join_all;
use rows::{NewPass, Pass, Stage, Tally};
use std::collections::HashSet;

/// What happened so long before our first event may have been missed, too.
const BEFORE: TimeDelta = TimeDelta::hours(24);

/// Resources that are asked for one by one at the same time, and in one go.
const ASKED: (usize, i64) = (8, 200);

/// Makes a pass, or ends one that was interrupted.
pub(super) async fn run(
    reconciler: &Reconciler,
    kind: ResourceKind,
    options: &Options,
    report: &mut Report,
    tell: Tell<'_>,
) -> Result<(), Error> {
    report.note(kind, |_| {});
    let pass = begin(reconciler, kind, options).await?;
    let until = reconciler.clock.now() - options.grace;
    let store = &reconciler.store;
    let reading = async {
        let mut connection = store.connection().await?;
        let owner = rows::owner(&mut connection).await?;
        let first = rows::first_event_at(&mut connection).await?;
        let seen = if options.dry_run { Vec::new() } else { rows::seen_in(&mut connection, pass.id).await? };
        Ok::<_, store::Error>((owner, first, seen))
    };
    let (owner, first, seen) = store.within(POSTGRES_LIMIT, "begin a pass", reading).await?;
    let comparison = Comparison {
        reconciler,
        kind,
        owner,
        since: pass.since,
        until,
        beginning: (!options.all).then(|| first.unwrap_or_else(|| reconciler.clock.now()) - BEFORE),
        dry_run: options.dry_run,
        with_all_children: pass.whole,
    };
    let (seen, before) = (seen.into_iter().collect(), pass.tally);
    let mut run = Run { comparison, pass, before, seen, report, tell };
    if run.pass.stage == Stage::Listing {
        run.list(false).await?;
        let has_more = kind == ResourceKind::Session && !run.pass.whole;
        run.next(if has_more { Stage::Unfinished } else { Stage::Held }).await?;
    }
    if run.pass.stage == Stage::Unfinished {
        run.list(true).await?;
        run.next(Stage::Held).await?;
    }
    run.held().await?;
    run.vanished().await?;
    run.end().await
}

/// The open pass, unless something else is asked for; or a new one.
async fn begin(reconciler: &Reconciler, kind: ResourceKind, options: &Options) -> Result<Pass, Error> {
    let now = reconciler.clock.now();
    let is_own = options.all || options.since.is_some();
    let beginning = async {
        let mut connection = reconciler.store.connection().await?;
        if !options.dry_run
            && let Some(open) = rows::open_pass(&mut connection, kind).await?
        {
            if !is_own {
                return Ok(open);
            }
            rows::drop_pass(&mut connection, open.id).await?;
        }
        let last = rows::last_pass(&mut connection, kind, false).await?;
        let last_whole = rows::last_pass(&mut connection, kind, true).await?;
        let whole_is_due = last_whole.is_none_or(|last| now - last >= WHOLE_EVERY);
        let whole = options.all || !list::has_parts(kind) || (options.since.is_none() && whole_is_due);
        let since = if options.all { None } else { options.since.or(last.map(|last| last - OVERLAP)) };
        let new = NewPass { kind, whole, since, started_at: now };
        // Another process may have begun one meanwhile: that one is gone on with, too.
        let id = if options.dry_run { None } else { rows::begin_pass(&mut connection, &new).await? };
        if !options.dry_run
            && id.is_none()
            && let Some(open) = rows::open_pass(&mut connection, kind).await?
        {
            return Ok(open);
        }
        Ok::<_, store::Error>(Pass {
            id: id.unwrap_or_default(),
            whole,
            since,
            started_at: now,
            stage: Stage::Listing,
            cursor: None,
            tally: Tally::default(),
        })
    };
    Ok(reconciler.store.within(POSTGRES_LIMIT, "begin a pass", beginning).await?)
}

struct Run<'a, 'b> {
    comparison: Comparison<'a>,
    pass: Pass,
    /// What the pass had found before it was interrupted.
    before: Tally,
    seen: HashSet<String>,
    report: &'b mut Report,
    tell: Tell<'b>,
}

impl Run<'_, '_> {
    /// Goes through a list, the newest first, until its end or until everything on a page is old. A cursor that the API
    /// does not take any more begins the list anew, once.
    async fn list(&mut self, at_work: bool) -> Result<(), Error> {
        let client = &self.comparison.reconciler.claude;
        let mut may_begin_anew = true;
        loop {
            let cursor = self.pass.cursor.clone();
            let since = self.pass.since.filter(|_| !self.pass.whole);
            let wanted = list::Wanted { at_work, since, cursor: cursor.as_deref() };
            let page = match list::page(client, self.comparison.kind, wanted).await {
                Err(error) if may_begin_anew && cursor.is_some() && error.is_about_the_cursor() => {
                    may_begin_anew = false;
                    self.pass.cursor = None;
                    continue;
                }
                page => page?,
            };
            let is_old = |listed: &Listed| {
                let at = listed.changed_at();
                self.pass.since.is_some_and(|since| at.is_some_and(|at| at < since))
            };
            let may_end = !self.pass.whole && !at_work && list::is_newest_first(self.comparison.kind);
            let all_old = may_end && !page.items.is_empty() && page.items.iter().all(is_old);
            // Of a single page of vaults, all credentials are looked at: that is a hundred calls at most.
            self.comparison.with_all_children |= cursor.is_none() && page.next.is_none();
            self.compare(page.items).await?;
            // A list that names the page we have read as the next one would have no end.
            let is_end = all_old || page.next.is_none() || page.next == cursor;
            self.pass.cursor = if is_end { None } else { page.next };
            if is_end {
                return Ok(());
            }
            self.note().await?;
        }
    }

    /// Compares what was not compared before, and notes that it was.
    async fn compare(&mut self, mut listed: Vec<Listed>) -> Result<(), Error> {
        listed.retain(|listed| !self.seen.contains(&listed.resource.id));
        if listed.is_empty() {
            return Ok(());
        }
        self.comparison.batch(&listed, self.report).await?;
        let ids: Vec<String> = listed.into_iter().map(|listed| listed.resource.id).collect();
        self.note_seen(&ids).await?;
        self.seen.extend(ids);
        let progress = Progress { kind: self.comparison.kind, compared: self.sum(|report| report.compared) };
        (self.tell)(progress);
        Ok(())
    }

    /// What we hold and the list does not have: everything, after a whole list; else what is at work as far as we know.
    async fn held(&mut self) -> Result<(), Error> {
        let Comparison { reconciler, kind, .. } = self.comparison;
        let unfinished = !self.pass.whole;
        let mut after = String::new();
        loop {
            let store = &reconciler.store;
            let reading = async {
                let mut connection = store.connection().await?;
                rows::held_ids(&mut connection, kind, unfinished, &after, ASKED.1).await
            };
            let ids = store.within(POSTGRES_LIMIT, "list what is held", reading).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after.clone_from(last);
            let unseen = ids.into_iter().filter(|id| !self.seen.contains(id));
            let unseen = unseen.map(|id| ResourceRef { kind, id, parent_id: None }).collect();
            self.ask(unseen).await?;
        }
    }

    /// What is dead because it was not there, and of which we never had a snapshot: its deletion was lost, too. Only where
    /// the API has shown us others of the same workspace, for another key would see nothing at all.
    async fn vanished(&mut self) -> Result<(), Error> {
        let Comparison { reconciler, kind, .. } = self.comparison;
        if deletion_of(kind).is_none() {
            return Ok(());
        }
        let store = &reconciler.store;
        let reading = async { rows::vanished(&mut *store.connection().await?, kind, ASKED.1).await };
        let vanished = store.within(POSTGRES_LIMIT, "list what was not there", reading).await?;
        let resource = |(id, parent_id)| ResourceRef { kind, id, parent_id };
        self.ask(vanished.into_iter().map(resource).collect()).await
    }

    /// Asks for resources one by one, and compares them or queues their deletion.
    async fn ask(&mut self, resources: Vec<ResourceRef>) -> Result<(), Error> {
        let Comparison { reconciler, kind, .. } = self.comparison;
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        for together in resources.chunks(ASKED.0) {
            let asked = together.iter().map(|resource| list::one(&reconciler.claude, resource));
            for (resource, found) in together.iter().zip(join_all(asked).await) {
                match found? {
                    Some(listed) => there.push(listed),
                    None => gone.push(resource.clone()),
                }
            }
        }
        let ids: Vec<&str> = gone.iter().map(|resource| resource.id.as_str()).collect();
        let stored = self.comparison.stored(kind, &ids).await?;
        for resource in gone {
            if stored.pending.contains(&resource.id) {
                self.report.note(kind, |report| report.unsettled += 1);
                continue;
            }
            if kind == ResourceKind::Vault {
                self.comparison.deleted_credentials(&resource.id, self.report).await?;
            }
            let last = stored.held.get(&resource.id).and_then(|held| held.updated_at);
            self.comparison.deleted(&[(resource, last)], self.report).await?;
        }
        self.compare(there).await
    }

    async fn next(&mut self, stage: Stage) -> Result<(), Error> {
        self.pass.stage = stage;
        self.pass.cursor = None;
        self.note().await
    }

    async fn note(&mut self) -> Result<(), Error> {
        self.note_seen(&[]).await
    }

    async fn note_seen(&mut self, ids: &[String]) -> Result<(), Error> {
        if self.comparison.dry_run {
            return Ok(());
        }
        self.pass.tally = self.tally();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let store = &self.comparison.reconciler.store;
        let noting = async { rows::note_page(&mut *store.connection().await?, &self.pass, &ids).await };
        Ok(store.within(POSTGRES_LIMIT, "note how far a pass is", noting).await?)
    }

    async fn end(mut self) -> Result<(), Error> {
        self.note().await?;
        if self.comparison.dry_run {
            return Ok(());
        }
        let now = self.comparison.reconciler.clock.now();
        let store = &self.comparison.reconciler.store;
        let ending =
            async { rows::end_pass(&mut *store.connection().await?, self.pass.id, now, now - KEPT).await };
        Ok(store.within(POSTGRES_LIMIT, "end a pass", ending).await?)
    }

    fn tally(&self) -> Tally {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Tally {
            compared: self.before.compared + signed(self.sum(|report| report.compared)),
            missing: self.before.missing + signed(self.sum(|report| report.missing)),
            differing: self.before.differing + signed(self.sum(|report| report.differing)),
            deleted: self.before.deleted + signed(self.sum(|report| report.deleted)),
            queued: self.before.queued + signed(self.sum(|report| report.queued)),
        }
    }

    /// The sum over the kind and what is compared along with it.
    fn sum(&self, figure: impl Fn(&KindReport) -> u64) -> u64 {
        let kinds = self.report.kinds.iter();
        kinds.filter(|report| root_of(report.kind) == self.comparison.kind).map(figure).sum()
    }
}
