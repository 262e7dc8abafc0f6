//! One event's whole story, and one resource's, for people.

use domain::{ResourceKind, Waiting};
use serde::Serialize;
use serde_json::value::RawValue;
use store::{Attempt, EffectRow, EventDetail, HistoryRow, Store};

/// All that is known of one event.
#[derive(Debug, Serialize)]
pub struct EventStory {
    /// The event.
    #[serde(flatten)]
    pub event: EventDetail,
    /// Its payload: as JSON where it is JSON, as text otherwise.
    pub payload: Box<RawValue>,
    /// Its failed tries, oldest first.
    pub attempts: Vec<Attempt>,
    /// What it was the first to cause.
    pub effects: Vec<EffectRow>,
}

/// The stories of all events with that id: one per endpoint that received it.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn event_stories(
    store: &Store,
    event_id: &str,
    endpoint: Option<&str>,
) -> Result<Vec<EventStory>, store::Error> {
    let mut connection = store.connection().await?;
    let mut stories = Vec::new();
    for event in store::find_events(&mut connection, event_id, endpoint).await? {
        let attempts = store::attempts_of(&mut connection, event.row.row).await?;
        let effects = store::effects_of_event(&mut connection, event.row.row).await?;
        let payload = payload(&event.payload);
        stories.push(EventStory { event, payload, attempts, effects });
    }
    Ok(stories)
}

fn payload(bytes: &[u8]) -> Box<RawValue> {
    serde_json::from_slice::<Box<RawValue>>(bytes)
        .or_else(|_not_json| serde_json::value::to_raw_value(&String::from_utf8_lossy(bytes)))
        .unwrap_or_else(|_impossible| RawValue::NULL.to_owned())
}

/// All that is known of one resource.
#[derive(Debug, Serialize)]
pub struct ResourceStory {
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// What it belongs to.
    pub parent_id: Option<String>,
    /// The workspace it is in.
    pub workspace_id: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// The newest snapshot, as it came.
    pub snapshot: Option<Box<RawValue>>,
    /// `api` or `payload`.
    pub snapshot_source: Option<String>,
    /// When the newest fetch began.
    pub fetched_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Why the session waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Its newest event.
    pub last_event: Option<String>,
    /// When that happened.
    pub last_event_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Its events in the order in which they happened.
    pub history: Vec<HistoryRow>,
    /// What is or was to be done about it.
    pub effects: Vec<EffectRow>,
}

/// The story of one resource.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn resource_story(
    store: &Store,
    kind: ResourceKind,
    id: &str,
) -> Result<Option<ResourceStory>, store::Error> {
    let mut connection = store.connection().await?;
    let Some(found) = store::find_resource(&mut connection, kind.as_str(), id).await? else {
        return Ok(None);
    };
    let history = store::history_of(&mut connection, kind.as_str(), id).await?;
    let effects = store::effects_of_resource(&mut connection, kind.as_str(), id).await?;
    Ok(Some(ResourceStory {
        resource_type: found.row.resource_type,
        id: found.row.id,
        parent_id: found.row.parent_id,
        workspace_id: found.row.workspace_id,
        status: found.row.status,
        snapshot: found.snapshot.map(|snapshot| payload(snapshot.as_bytes())),
        snapshot_source: found.snapshot_source,
        fetched_at: found.row.fetched_at,
        waiting: found.waiting.and_then(|waiting| serde_json::from_value(waiting).ok()),
        deleted_at: found.deleted_at,
        last_event: found.row.last_event,
        last_event_at: found.row.last_event_at,
        history,
        effects,
    }))
}
