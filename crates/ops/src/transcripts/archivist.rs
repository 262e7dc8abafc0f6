//! Effects of kind `archive`: a session is over, its transcript is to be kept.

use super::POSTGRES_LIMIT;
use super::fetch::{Fetch, LEASE, Stop};
use super::reading::{ReadError, Reader};
use super::storage::Storage;
use crate::effects::{Handler, NotCarriedOut};
use chrono::TimeDelta;
use claude::Client;
use domain::{AlertKind, Clock, FailureClass};
use serde_json::json;
use std::sync::Arc;
use store::{DueEffect, FetchedTranscript, NewAlert, Store, TranscriptHold};
use telemetry::Chain;

/// How long after its beginning a fetch that died is gone on with; cursors expire.
const CURSORS_LAST: TimeDelta = TimeDelta::minutes(30);

/// When to look again while somebody else fetches the same session.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(10);

/// After so many failures a person is told.
const TRIES: u32 = 3;

/// Fetches transcripts.
pub struct Archivist<S> {
    store: Store,
    storage: S,
    claude: Client,
    clock: Arc<dyn Clock>,
}

impl<S: Storage + Clone> Archivist<S> {
    /// A handler of effects of kind `archive`.
    #[must_use]
    pub fn new(store: Store, storage: S, claude: Client, clock: Arc<dyn Clock>) -> Self {
        Self { store, storage, claude, clock }
    }

    /// Takes the right to fetch; `None` when somebody else has it, and the effect waits.
    async fn begin(&self, effect: &DueEffect) -> Result<Option<TranscriptHold>, store::Error> {
        let now = self.clock.now();
        let work = async {
            let mut tx = self.store.begin("begin a transcript").await?;
            let (session, not_before) = (&effect.resource.id, now - CURSORS_LAST);
            let hold =
                store::begin_transcript(&mut tx, session, effect.id, not_before, now, now + LEASE).await?;
            if hold.is_none() {
                store::postpone_effect(&mut tx, effect.id, Some(now + LOOK_AGAIN), None).await?;
            }
            tx.commit().await?;
            Ok(hold)
        };
        self.store.within(POSTGRES_LIMIT, "begin a transcript", work).await
    }

    /// Reads back what was fetched, so that what is stored is known to be readable, and makes it the transcript.
    async fn finish(&self, hold: &TranscriptHold, reason: Option<String>) -> Result<(), Stop> {
        let (session, generation) = (&hold.session_id, hold.generation);
        let mut reader = Reader::new(self.storage.clone(), session, generation)
            .await
            .map_err(|error| unreadable(&error))?;
        let (mut threads, mut events, mut bytes, mut last_event_id) = (0, 0, 0, None);
        while let Some((part, _lines)) = reader.next().await.map_err(|error| unreadable(&error))? {
            threads = threads.max(part.position);
            events += i64::from(part.events);
            bytes += part.bytes;
            if part.position == 0 {
                last_event_id = part.last_event_id.or(last_event_id);
            }
        }
        let sha256 = reader.sha256();
        let fetched = FetchedTranscript {
            reason: reason.as_deref(),
            threads,
            events,
            bytes,
            sha256: &sha256,
            last_event_id: last_event_id.as_deref(),
        };
        let now = self.clock.now();
        let work = async {
            let mut tx = self.store.begin("finish a transcript").await?;
            // A session that is gone leaves nothing: what an earlier fetch has found is worth more.
            let nothing_new = reason.is_some() && events == 0;
            let is_ours = match &reason {
                Some(reason) if nothing_new && store::keep_transcript(&mut tx, hold, reason).await? => true,
                _ => store::finish_transcript(&mut tx, hold, &fetched).await?,
            };
            if is_ours {
                store::finish_archiving(&mut tx, session, now).await?;
                let kind = AlertKind::TranscriptNotFetched.as_str();
                store::resolve_alert(&mut tx, kind, &alert_key(session), now).await?;
            }
            tx.commit().await?;
            Ok::<_, store::Error>(is_ours)
        };
        if !self.store.within(POSTGRES_LIMIT, "finish a transcript", work).await? {
            return Err(Stop::Lost);
        }
        tracing::info!(resource = %format_args!("session {session}"), events, threads, reason, "transcript kept");
        Ok(())
    }

    /// Gives the right back, and tells a person when it has failed too often.
    async fn give_up(
        &self,
        effect: &DueEffect,
        hold: &TranscriptHold,
        anew: bool,
        error: Option<&str>,
    ) -> Result<(), store::Error> {
        let now = self.clock.now();
        let work = async {
            let mut tx = self.store.begin("give up a transcript").await?;
            store::release_transcript(&mut tx, hold, anew).await?;
            if let Some(error) = error {
                let (kind, session) = (AlertKind::TranscriptNotFetched, &effect.resource.id);
                let alert = NewAlert {
                    kind: kind.as_str(),
                    key: &alert_key(session),
                    severity: kind.severity(),
                    resource: Some(&effect.resource),
                    title: &format!("the transcript of session {session} could not be fetched: {error}"),
                    details: json!({ "tries": effect.tries + 1, "error": error }),
                    event: Some(effect.event),
                };
                store::raise_alert(&mut tx, &alert, now).await?;
            }
            tx.commit().await
        };
        self.store.within(POSTGRES_LIMIT, "give up a transcript", work).await
    }
}

impl<S: Storage + Clone> Handler for Archivist<S> {
    async fn carry_out(&self, effect: &DueEffect) -> Result<(), NotCarriedOut> {
        let Some(hold) = self.begin(effect).await? else { return Ok(()) };
        let (claude, storage, clock) = (&self.claude, &self.storage, &*self.clock);
        let fetched = Fetch { claude, storage, clock, hold: &hold }.run().await;
        let ended = match fetched {
            Ok(reason) => self.finish(&hold, reason).await,
            Err(stop) => Err(stop),
        };
        let (error, class, anew) = match ended {
            Ok(()) => return Ok(()),
            Err(Stop::Lost) => return Err(NotCarriedOut::new("another worker fetches this transcript")),
            Err(Stop::Failed { error, class, anew }) => (error, class, anew),
        };
        let tell = (class.counts_as_try() && effect.tries + 1 >= TRIES).then_some(error.error.as_str());
        self.give_up(effect, &hold, anew, tell).await?;
        Err(error)
    }
}

fn alert_key(session: &str) -> String {
    format!("session {session}")
}

fn unreadable(error: &ReadError) -> Stop {
    let anew = !matches!(error, ReadError::Store(_));
    Stop::Failed { error: NotCarriedOut::new(Chain(error).to_string()), class: FailureClass::Bug, anew }
}
