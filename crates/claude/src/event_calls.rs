//! The calls about a session's events.

use crate::call::{Beta, Call};
use crate::outgoing::Outgoing;
use crate::path::Segment::{Id, Word};
use crate::{
    Client, Error, EventFilter, Fetched, MAX_EVENTS_PER_CALL, OutgoingEvent, Page, Retry, SessionEvent,
};
use domain::ResourceKind;
use reqwest::Method;

impl Client {
    /// Lists one page of a session's events, as its primary thread sees them.
    ///
    /// # Errors
    /// See [`Error`]; an expired cursor is a refusal with status 400.
    pub async fn session_events(
        &self,
        session_id: &str,
        filter: &EventFilter,
    ) -> Result<Page<SessionEvent>, Error> {
        let path = [Word("sessions"), Id(ResourceKind::Session, session_id), Word("events")];
        let call = Call::get("list_session_events", &path).with_query(filter.query());
        self.send(&call).await?.page()
    }

    /// Lists a session's events page by page to the end, but at most `max_pages` pages (at least one): `next_page`
    /// then tells where to go on.
    ///
    /// # Errors
    /// The first error of [`Client::session_events`]; what was listed before it is lost.
    pub async fn all_session_events(
        &self,
        session_id: &str,
        filter: &EventFilter,
        max_pages: u32,
    ) -> Result<Page<SessionEvent>, Error> {
        let path = [Word("sessions"), Id(ResourceKind::Session, session_id), Word("events")];
        let call = Call::get("list_session_events", &path).with_query(filter.query());
        self.list_all(call, max_pages).await
    }

    /// Sends events into a session, in one request. Returns their echoes, which carry the ids that the platform
    /// gave them.
    ///
    /// The platform does not deduplicate: a second reply to the same tool use is refused, a second message is said
    /// twice. So the call is repeated in place only where the first one was certainly not carried out
    /// ([`Retry::Unambiguous`]). After an error of which [`Error::may_have_been_applied`] is true, list the events
    /// before sending again.
    ///
    /// # Errors
    /// [`Error::EventCount`] unless there are 1 to [`MAX_EVENTS_PER_CALL`] events; else see [`Error`].
    pub async fn send_events(
        &self,
        session_id: &str,
        events: &[OutgoingEvent],
    ) -> Result<Vec<Fetched<SessionEvent>>, Error> {
        if !(1..=MAX_EVENTS_PER_CALL).contains(&events.len()) {
            return Err(Error::EventCount { count: events.len() });
        }
        let path = [Word("sessions"), Id(ResourceKind::Session, session_id), Word("events")];
        let call = Call {
            operation: "send_session_events",
            method: Method::POST,
            path: &path,
            query: Vec::new(),
            beta: Beta::Agents,
            body: Some(Outgoing { events }),
            retry: Retry::Unambiguous,
        };
        Ok(self.send(&call).await?.page()?.items)
    }
}
