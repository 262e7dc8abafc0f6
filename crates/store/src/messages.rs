//! Messages of classic events: what can be looked for in them.

use crate::error::Error;
use crate::resources::{ResourceFilter, ResourceRow};
use domain::Message;
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct New<'a> {
    resource_id: &'a str,
    #[serde(flatten)]
    message: &'a Message,
}

/// Writes what the newest snapshots of messages say. The rows of the resources are locked by the transaction.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn save_messages(tx: &mut PgConnection, messages: &[(&str, Message)]) -> Result<(), Error> {
    // As JSON, because arrays of arrays would all have to be of one length.
    let new: Vec<New<'_>> = messages.iter().map(|(id, message)| New { resource_id: id, message }).collect();
    let new = serde_json::to_value(&new).unwrap_or_default();
    sqlx::query!(
        r#"
        INSERT INTO messages (resource_id, model, prompt_tokens, response_tokens, flagged_by, levels,
            blocked_categories, scored_categories)
        SELECT resource_id, model, prompt_tokens, response_tokens, flagged_by, levels, blocked_categories,
            scored_categories
        FROM jsonb_to_recordset($1) AS new (resource_id text, model text, prompt_tokens bigint,
            response_tokens bigint, flagged_by text[], levels text[], blocked_categories text[],
            scored_categories jsonb)
        ON CONFLICT (resource_id) DO UPDATE SET model = excluded.model, prompt_tokens = excluded.prompt_tokens,
            response_tokens = excluded.response_tokens, flagged_by = excluded.flagged_by,
            levels = excluded.levels, blocked_categories = excluded.blocked_categories,
            scored_categories = excluded.scored_categories
        "#,
        new,
    )
    .execute(tx)
    .await
    .map_err(Error::of("write messages"))?;
    Ok(())
}

/// Which messages to list.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// As for all resources; the kind does not matter.
    pub resource: ResourceFilter,
    /// Only those that were refused for this category.
    pub blocked: Option<String>,
    /// Only those of which moderation was so sure.
    pub level: Option<String>,
}

/// One line of a list of messages.
#[derive(Debug, Clone, Serialize)]
pub struct MessageRow {
    /// What every resource has.
    #[serde(flatten)]
    pub resource: ResourceRow,
    /// What its newest payload says.
    #[serde(flatten)]
    pub message: Message,
}

/// The messages that match, those with the newest events first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn list_messages(
    connection: &mut PgConnection,
    filter: &MessageFilter,
) -> Result<Vec<MessageRow>, Error> {
    let blocked: Vec<String> = filter.blocked.iter().cloned().collect();
    let levels: Vec<String> = filter.level.iter().cloned().collect();
    let rows = sqlx::query!(
        r#"
        SELECT resource_type, resource_id AS "resource_id!", parent_id, workspace_id, status, fetched_at,
            last_event_created_at, last_event_id, model AS "model?", prompt_tokens AS "prompt_tokens?",
            response_tokens AS "response_tokens?", flagged_by AS "flagged_by?", levels AS "levels?",
            blocked_categories AS "blocked_categories?", scored_categories AS "scored_categories?"
        FROM resources LEFT JOIN messages USING (resource_id)
        WHERE resource_type = 'message' AND (last_event_id IS NOT NULL OR snapshot IS NOT NULL)
            AND ($1::text IS NULL OR status = $1)
            AND (cardinality($2::text[]) = 0 OR blocked_categories @> $2)
            AND (cardinality($3::text[]) = 0 OR levels @> $3)
        ORDER BY last_event_created_at DESC NULLS LAST, resource_id LIMIT $4
        "#,
        filter.resource.status,
        &blocked,
        &levels,
        filter.resource.limit,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("list messages"))?;
    let scored = |value: Option<serde_json::Value>| -> BTreeMap<String, String> {
        value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    };
    let row = rows.into_iter().map(|row| MessageRow {
        resource: ResourceRow {
            resource_type: row.resource_type,
            id: row.resource_id,
            parent_id: row.parent_id,
            workspace_id: row.workspace_id,
            status: row.status,
            fetched_at: row.fetched_at,
            last_event_at: row.last_event_created_at,
            last_event: row.last_event_id,
        },
        message: Message {
            model: row.model,
            prompt_tokens: row.prompt_tokens,
            response_tokens: row.response_tokens,
            flagged_by: row.flagged_by.unwrap_or_default(),
            levels: row.levels.unwrap_or_default(),
            blocked_categories: row.blocked_categories.unwrap_or_default(),
            scored_categories: scored(row.scored_categories),
        },
    });
    Ok(row.collect())
}
