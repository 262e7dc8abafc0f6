//! Looking a question up: what is asked, whether somebody has answered, what led to it.

use claude::{Client, EventFilter, Fetched, Order, Paging, Session, SessionEvent, Status};
use domain::FailureClass;
use domain::review::ToolKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Events of one page.
const PAGE: u32 = 100;

/// Pages of events that are gone through for a tool use. Sessions that wait for answers have it near the end.
const PAGES: u32 = 50;

/// Things that were said before a question that are kept with it, and the most characters of each.
const TURNS: usize = 8;
const TURN_CHARACTERS: usize = 2_000;

/// What is listed: tool uses, the answers to them, what ends a thread, what was said.
const TYPES: [&str; 9] = [
    "agent.tool_use",
    "agent.mcp_tool_use",
    "agent.custom_tool_use",
    "user.tool_confirmation",
    "user.custom_tool_result",
    "user.tool_result",
    "session.thread_status_terminated",
    "user.message",
    "agent.message",
];

/// What was said.
const SAID: [&str; 2] = ["user.message", "agent.message"];

/// A session with its newest events.
pub(super) struct Seen {
    pub(super) session: Session,
    /// The newest first.
    events: Vec<Fetched<SessionEvent>>,
}

/// A tool use that was found.
pub(super) struct Use<'a> {
    pub(super) kind: ToolKind,
    pub(super) event: &'a SessionEvent,
    /// Where it is among the events.
    place: usize,
}

impl Seen {
    /// Whether the session takes no answers any more.
    pub(super) fn is_over(&self) -> bool {
        self.session.archived_at.is_some() || self.session.status == Status::Terminated
    }

    /// The tool use of that id.
    pub(super) fn tool_use(&self, id: &str) -> Option<Use<'_>> {
        self.events.iter().enumerate().find_map(|(place, event)| {
            let kind = ToolKind::of_event_type(&event.value.kind)?;
            (event.value.id == id).then_some(Use { kind, event: &event.value, place })
        })
    }

    /// Whether an answer to it is listed, whoever gave it.
    pub(super) fn is_answered(&self, id: &str) -> bool {
        let answers = self.events.iter().filter(|event| event.value.kind.starts_with("user."));
        answers.into_iter().any(|event| event.value.answers() == Some(id))
    }

    /// Whether its thread has ended since.
    pub(super) fn thread_has_ended(&self, tool_use: &Use<'_>) -> bool {
        let Some(thread) = tool_use.event.session_thread_id() else { return false };
        let later = self.events.iter().take(tool_use.place);
        later
            .filter(|event| event.value.kind == "session.thread_status_terminated")
            .any(|event| event.value.session_thread_id() == Some(thread))
    }

    /// The arguments, as the agent gave them.
    pub(super) fn input(&self, tool_use: &Use<'_>) -> String {
        #[derive(Deserialize)]
        struct Members<'a> {
            #[serde(borrow)]
            input: Option<&'a RawValue>,
        }
        let raw = self.events.get(tool_use.place).map_or("{}", |event| event.raw.get());
        let members: Result<Members<'_>, _> = serde_json::from_str(raw);
        members
            .ok()
            .and_then(|members| members.input)
            .map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned())
    }

    /// The last things that were said before, oldest first.
    pub(super) fn context(&self, tool_use: &Use<'_>) -> Value {
        let earlier = self.events.iter().skip(tool_use.place);
        let said = earlier.filter(|event| SAID.contains(&event.value.kind.as_str())).take(TURNS);
        let mut turns: Vec<Value> = said.map(|event| turn(&event.value)).collect();
        turns.reverse();
        Value::Array(turns)
    }
}

fn turn(event: &SessionEvent) -> Value {
    let who = if event.kind == "user.message" { "user" } else { "agent" };
    json!({ "from": who, "at": event.processed_at, "text": text_of(event) })
}

/// The text of a message, shortened; other content is named.
fn text_of(event: &SessionEvent) -> String {
    let blocks = event.member("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts = blocks.iter().map(|block| match block.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => format!("({})", block.get("type").and_then(Value::as_str).unwrap_or("unreadable")),
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    match text.char_indices().nth(TURN_CHARACTERS) {
        None => text,
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
    }
}

/// Looks at a session and goes back through its events until all `wanted` tool uses and what led to them are found, or
/// there are no more. `None`: there is no such session.
///
/// # Errors
/// When the API is away or refuses.
pub(super) async fn look(
    claude: &Client,
    session_id: &str,
    wanted: &[&str],
) -> Result<Option<Seen>, claude::Error> {
    let session = match claude.session(session_id).await {
        Ok(session) => session.value,
        Err(error) if error.class() == FailureClass::Gone => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut seen = Seen { session, events: Vec::new() };
    let mut missing: HashSet<&str> = wanted.iter().copied().collect();
    // Messages that are older than all tool uses that are wanted.
    let mut said = 0;
    let mut filter = EventFilter {
        paging: Paging { limit: Some(PAGE), page: None },
        order: Some(Order::Descending),
        types: TYPES.map(str::to_owned).to_vec(),
        ..EventFilter::default()
    };
    for _ in 0..PAGES {
        let page = match claude.session_events(session_id, &filter).await {
            Ok(page) => page,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        for event in page.items {
            missing.remove(event.value.id.as_str());
            said += usize::from(missing.is_empty() && SAID.contains(&event.value.kind.as_str()));
            seen.events.push(event);
        }
        if page.next_page.is_none() || said >= TURNS {
            break;
        }
        filter.paging.page = page.next_page;
    }
    Ok(Some(seen))
}
