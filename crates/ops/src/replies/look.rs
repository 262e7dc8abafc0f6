//! What the platform knows about tool uses: answered, waited for, or past.

use claude::{
    Client, Error, EventFilter, Fetched, Order, Paging, SessionEvent, Status, StopKind, StopReason,
};
use domain::FailureClass;
use std::collections::{HashMap, HashSet};

/// What has become of a tool use.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sight {
    /// This event answers it.
    Answered(SessionEvent),
    /// The session says that it waits for it.
    Blocking,
    /// It has no answer, and the session does not say that it waits: another thread of it runs, or what we see is late.
    Unanswered,
    /// Nobody waits for it any more.
    Past,
}

/// The types of events that answer a tool use.
const REPLIES: [&str; 3] = ["user.custom_tool_result", "user.tool_confirmation", "user.tool_result"];

/// The types of events that are tool uses.
const TOOL_USES: [&str; 3] = ["agent.custom_tool_use", "agent.tool_use", "agent.mcp_tool_use"];

/// The types of events that say that a tool use is past.
const ENDS: [&str; 4] =
    ["agent.tool_result", "agent.mcp_tool_result", "user.interrupt", "session.thread_status_terminated"];

const IDLE: &str = "session.status_idle";

/// Events of one page.
const PAGE: u32 = 1_000;

/// Pages that are read at most. The session has waited since the tool use, so it is near the end of the history.
const MOST_PAGES: usize = 20;

/// Looks at a session and says for each tool use what has become of it.
pub(super) async fn look(
    claude: &Client,
    session_id: &str,
    tool_uses: &[&str],
) -> Result<HashMap<String, Sight>, Error> {
    let all = |sight: &Sight| tool_uses.iter().map(|id| ((*id).to_owned(), sight.clone())).collect();
    let session = match claude.session(session_id).await {
        Ok(session) => session.value,
        Err(error) if error.class() == FailureClass::Gone => return Ok(all(&Sight::Past)),
        Err(error) => return Err(error),
    };
    let is_over = session.archived_at.is_some() || session.status == Status::Terminated;
    let history = match History::read(claude, session_id, tool_uses).await {
        Ok(history) => history,
        Err(error) if error.class() == FailureClass::Gone => return Ok(all(&Sight::Past)),
        Err(error) => return Err(error),
    };
    let is_idle = session.status == Status::Idle;
    Ok(tool_uses.iter().map(|id| ((*id).to_owned(), history.sight(id, is_idle, is_over))).collect())
}

/// What matters of the newest events, back to the tool uses that are asked for.
#[derive(Debug, Default)]
struct History {
    answers: HashMap<String, SessionEvent>,
    /// Why the session last went idle.
    stop: Option<StopReason>,
    past: HashSet<String>,
    terminated_threads: HashSet<String>,
    /// Threads that were interrupted after everything that is read from now on; `None` is all of them.
    interrupted: HashSet<Option<String>>,
}

impl History {
    async fn read(claude: &Client, session_id: &str, tool_uses: &[&str]) -> Result<Self, Error> {
        let mut missing: HashSet<&str> = tool_uses.iter().copied().collect();
        let mut history = Self::default();
        let types = REPLIES.iter().chain(&TOOL_USES).chain(&ENDS).chain([&IDLE]);
        let mut filter = EventFilter {
            paging: Paging { limit: Some(PAGE), page: None },
            order: Some(Order::Descending),
            types: types.map(ToString::to_string).collect(),
            ..EventFilter::default()
        };
        for _ in 0..MOST_PAGES {
            let page = claude.session_events(session_id, &filter).await?;
            for Fetched { value, .. } in page.items {
                if TOOL_USES.contains(&value.kind.as_str()) {
                    missing.remove(value.id.as_str());
                }
                history.take_in(value);
            }
            if missing.is_empty() || page.next_page.is_none() {
                break;
            }
            filter.paging.page = page.next_page;
        }
        Ok(history)
    }

    /// Newest first.
    fn take_in(&mut self, event: SessionEvent) {
        let thread = event.session_thread_id().map(str::to_owned);
        match event.kind.as_str() {
            IDLE => self.stop = self.stop.take().or_else(|| event.stop_reason()),
            "user.interrupt" => {
                self.interrupted.insert(thread);
            }
            "session.thread_status_terminated" => self.terminated_threads.extend(thread),
            "agent.tool_result" | "agent.mcp_tool_result" => {
                self.past.extend(event.answers().map(str::to_owned));
            }
            kind if TOOL_USES.contains(&kind) => {
                let is_interrupted = self.interrupted.contains(&None)
                    || (thread.is_some() && self.interrupted.contains(&thread));
                let is_terminated = thread.is_some_and(|thread| self.terminated_threads.contains(&thread));
                if is_interrupted || is_terminated {
                    self.past.insert(event.id);
                }
            }
            kind if REPLIES.contains(&kind) => {
                if let Some(id) = event.answers().map(str::to_owned) {
                    self.answers.insert(id, event);
                }
            }
            _ => {}
        }
    }

    fn sight(&self, id: &str, is_idle: bool, is_over: bool) -> Sight {
        if let Some(answer) = self.answers.get(id) {
            return Sight::Answered(answer.clone());
        }
        if is_over || self.past.contains(id) {
            return Sight::Past;
        }
        match &self.stop {
            Some(stop) if is_idle => {
                let waits = stop.kind == StopKind::RequiresAction
                    && stop.event_ids.iter().any(|waited_for| waited_for == id);
                if waits { Sight::Blocking } else { Sight::Past }
            }
            Some(_) | None => Sight::Unanswered,
        }
    }
}
