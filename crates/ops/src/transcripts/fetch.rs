//! Fetching event lists page by page, and going on where an earlier attempt died.

use super::lines::{of_events, packed};
use super::storage::Storage;
use crate::effects::NotCarriedOut;
use chrono::TimeDelta;
use claude::{Client, Error, EventFilter, Order, Page, Paging, SessionEvent};
use domain::{Clock, FailureClass};
use store::{NewTranscriptPart, PartRow, TranscriptHold};
use telemetry::Chain;

/// Events of a page: as many as the platform's own library asks for.
const PAGE: u32 = 1000;

/// How long a page and its keeping may take before somebody else may go on.
pub(super) const LEASE: TimeDelta = TimeDelta::minutes(2);

/// How many threads a session can have at most, in pages of threads.
const THREAD_PAGES: usize = 100;

/// Why a fetch ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Try again later.
    Failed { error: NotCarriedOut, class: FailureClass, anew: bool },
    /// Somebody else goes on with it.
    Lost,
}

impl Stop {
    fn of_api(error: claude::Error, with_cursor: bool) -> Self {
        // A cursor that is too old is refused, and will be for ever: begin anew.
        let refused = matches!(&error, Error::Refused(refusal) if refusal.status == 400);
        Self::Failed { class: error.class(), anew: refused && with_cursor, error: error.into() }
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Failed { error: error.into(), class: FailureClass::Transient, anew: false }
    }
}

/// Fetches what is missing of a generation.
pub(super) struct Fetch<'a, S> {
    pub(super) claude: &'a Client,
    pub(super) storage: &'a S,
    pub(super) clock: &'a dyn Clock,
    pub(super) hold: &'a TranscriptHold,
}

impl<S: Storage> Fetch<'_, S> {
    /// Fetches all lists to their ends. Returns why the transcript cannot be complete, or `None`.
    pub(super) async fn run(&self) -> Result<Option<String>, Stop> {
        let kept = self.storage.parts(&self.hold.session_id, self.hold.generation).await?;
        if !self.list(0, None, &kept).await? {
            return Ok(Some("the session was not there any more when it was fetched".to_owned()));
        }
        let Some(threads) = self.child_threads().await? else {
            return Ok(Some("the session went away while it was fetched".to_owned()));
        };
        let mut gone = Vec::new();
        for (position, thread) in (1..).zip(&threads) {
            if !self.list(position, Some(thread), &kept).await? {
                gone.push(thread.as_str());
            }
        }
        if gone.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!("threads that were not there any more: {}", gone.join(", "))))
    }

    /// Fetches one list to its end. Returns `false` when it is not there (any more).
    async fn list(&self, position: i32, thread: Option<&str>, kept: &[PartRow]) -> Result<bool, Stop> {
        let last = kept.iter().rfind(|part| part.position == position);
        let (mut part, mut cursor) = match last {
            None => (0, None),
            Some(PartRow { next_page: None, .. }) => return Ok(true),
            Some(last) => (last.part + 1, last.next_page.clone()),
        };
        let mut limit = PAGE;
        loop {
            let page = match self.page(thread, limit, cursor.clone()).await {
                Ok(page) => page,
                Err(error) if error.class() == FailureClass::Gone => return Ok(false),
                // Fewer events are a shorter answer; the limit may change while a cursor is used.
                Err(Error::TooLarge { .. }) if limit > 1 => {
                    limit = (limit / 10).max(1);
                    continue;
                }
                Err(error) => return Err(Stop::of_api(error, cursor.is_some())),
            };
            if page.next_page.is_some() && page.next_page == cursor {
                let error = NotCarriedOut::new("the API repeats the cursor of a list of events");
                return Err(Stop::Failed { error, class: FailureClass::Transient, anew: true });
            }
            self.keep(position, part, thread, &page).await?;
            cursor = page.next_page;
            if cursor.is_none() {
                return Ok(true);
            }
            part += 1;
        }
    }

    async fn page(
        &self,
        thread: Option<&str>,
        limit: u32,
        cursor: Option<String>,
    ) -> Result<Page<SessionEvent>, Error> {
        let (session, paging) = (&self.hold.session_id, Paging { limit: Some(limit), page: cursor });
        if let Some(thread) = thread {
            return self.claude.thread_events(session, thread, &paging).await;
        }
        let filter = EventFilter { paging, order: Some(Order::Ascending), ..EventFilter::default() };
        self.claude.session_events(session, &filter).await
    }

    async fn keep(
        &self,
        position: i32,
        part: i32,
        thread_id: Option<&str>,
        page: &Page<SessionEvent>,
    ) -> Result<(), Stop> {
        let lines = of_events(&page.items);
        let body = packed(&lines).map_err(|error| Stop::Failed {
            error: NotCarriedOut::new(Chain(&error).to_string()),
            class: FailureClass::Bug,
            anew: false,
        })?;
        let new = NewTranscriptPart {
            position,
            part,
            thread_id,
            events: i32::try_from(page.items.len()).unwrap_or(i32::MAX),
            bytes: i64::try_from(lines.len()).unwrap_or(i64::MAX),
            last_event_id: page.items.last().map(|event| event.value.id.as_str()),
            next_page: page.next_page.as_deref(),
            body: &body,
        };
        let kept = self.storage.put(self.hold, &new, self.clock.now() + LEASE).await?;
        if kept { Ok(()) } else { Err(Stop::Lost) }
    }

    /// The ids of all threads that another one has opened; `None` when the session is not there any more.
    async fn child_threads(&self) -> Result<Option<Vec<String>>, Stop> {
        let (mut threads, mut cursor) = (Vec::new(), None);
        for _ in 0..THREAD_PAGES {
            let paging = Paging { limit: Some(PAGE), page: cursor };
            let page = match self.claude.threads(&self.hold.session_id, &paging).await {
                Ok(page) => page,
                Err(error) if error.class() == FailureClass::Gone => return Ok(None),
                Err(error) => return Err(Stop::of_api(error, false)),
            };
            let children = page.items.into_iter().filter(|thread| thread.value.parent_thread_id.is_some());
            threads.extend(children.map(|thread| thread.value.id));
            cursor = page.next_page;
            if cursor.is_none() {
                return Ok(Some(threads));
            }
        }
        let error = NotCarriedOut::new("the API's list of threads has no end");
        Err(Stop::Failed { error, class: FailureClass::Transient, anew: true })
    }
}
