//! The calls about a session's threads. Without the right beta header they answer 404, as if they did not exist.

use crate::call::Call;
use crate::path::Segment::{Id, Word};
use crate::{Client, Error, Fetched, Page, Paging, SessionEvent, SessionThread};
use domain::ResourceKind;

impl Client {
    /// Fetches a thread of a session.
    ///
    /// # Errors
    /// See [`Error`]; [`FailureClass::Gone`](domain::FailureClass::Gone) if there is no such thread.
    pub async fn thread(&self, session_id: &str, thread_id: &str) -> Result<Fetched<SessionThread>, Error> {
        let path = [
            Word("sessions"),
            Id(ResourceKind::Session, session_id),
            Word("threads"),
            Id(ResourceKind::SessionThread, thread_id),
        ];
        self.send(&Call::get("get_thread", &path)).await?.object()
    }

    /// Lists one page of a session's threads, the primary one first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn threads(&self, session_id: &str, paging: &Paging) -> Result<Page<SessionThread>, Error> {
        let path = [Word("sessions"), Id(ResourceKind::Session, session_id), Word("threads")];
        self.send(&Call::get("list_threads", &path).with_query(paging.query())).await?.page()
    }

    /// Lists one page of a thread's events.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn thread_events(
        &self,
        session_id: &str,
        thread_id: &str,
        paging: &Paging,
    ) -> Result<Page<SessionEvent>, Error> {
        let path = thread_events_path(session_id, thread_id);
        self.send(&Call::get("list_thread_events", &path).with_query(paging.query())).await?.page()
    }

    /// Lists a thread's events page by page to the end, but at most `max_pages` pages (at least one): `next_page`
    /// then tells where to go on.
    ///
    /// # Errors
    /// The first error of [`Client::thread_events`]; what was listed before it is lost.
    pub async fn all_thread_events(
        &self,
        session_id: &str,
        thread_id: &str,
        paging: &Paging,
        max_pages: u32,
    ) -> Result<Page<SessionEvent>, Error> {
        let path = thread_events_path(session_id, thread_id);
        self.list_all(Call::get("list_thread_events", &path).with_query(paging.query()), max_pages).await
    }
}

const fn thread_events_path<'a>(session_id: &'a str, thread_id: &'a str) -> [crate::path::Segment<'a>; 5] {
    [
        Word("sessions"),
        Id(ResourceKind::Session, session_id),
        Word("threads"),
        Id(ResourceKind::SessionThread, thread_id),
        Word("events"),
    ]
}
