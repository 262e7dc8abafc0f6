//! The calls about sessions.

use crate::call::Call;
use crate::path::Segment::{Id, Word};
use crate::{Client, Error, Fetched, Page, Session, SessionFilter};
use domain::ResourceKind;
use reqwest::Method;

impl Client {
    /// Fetches a session. Archived ones are still there, deleted ones are 404.
    ///
    /// # Errors
    /// See [`Error`]; [`FailureClass::Gone`](domain::FailureClass::Gone) if there is no such session.
    pub async fn session(&self, session_id: &str) -> Result<Fetched<Session>, Error> {
        self.send(&Call::get("get_session", &[Word("sessions"), Id(ResourceKind::Session, session_id)]))
            .await?
            .object()
    }

    /// Lists one page of the sessions.
    ///
    /// # Errors
    /// See [`Error`]; an expired cursor is a refusal with status 400.
    pub async fn sessions(&self, filter: &SessionFilter) -> Result<Page<Session>, Error> {
        let call = Call::get("list_sessions", &[Word("sessions")]);
        self.send(&call.with_query(filter.query())).await?.page()
    }

    /// Lists the sessions page by page to the end, but at most `max_pages` pages (at least one): `next_page` then
    /// tells where to go on.
    ///
    /// # Errors
    /// The first error of [`Client::sessions`]; what was listed before it is lost.
    pub async fn all_sessions(&self, filter: &SessionFilter, max_pages: u32) -> Result<Page<Session>, Error> {
        let call = Call::get("list_sessions", &[Word("sessions")]);
        self.list_all(call.with_query(filter.query()), max_pages).await
    }

    /// Archives a session. Its answer is not looked at: the state that counts is the one that is fetched.
    ///
    /// A repeated request ends in the same state, so it is retried like a question.
    ///
    /// # Errors
    /// See [`Error`]; a running session refuses with status 400.
    pub async fn archive_session(&self, session_id: &str) -> Result<(), Error> {
        let path = [Word("sessions"), Id(ResourceKind::Session, session_id), Word("archive")];
        self.send(&Call { method: Method::POST, ..Call::get("archive_session", &path) }).await.map(drop)
    }

    /// Deletes a session with its history.
    ///
    /// A repeated request ends in the same state. When the answer to the first one was lost, the second one is told
    /// that the session is gone: a caller that wants it gone takes that for success.
    ///
    /// # Errors
    /// See [`Error`]; a running session refuses with status 400.
    pub async fn delete_session(&self, session_id: &str) -> Result<(), Error> {
        let path = [Word("sessions"), Id(ResourceKind::Session, session_id)];
        let call = Call { method: Method::DELETE, ..Call::get("delete_session", &path) };
        self.send(&call).await.map(drop)
    }
}
