//! What is to be done because of events, each thing once.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::decide::Overtaken;
use domain::{Effect, ResourceRef};
use serde::Serialize;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// An effect to be recorded.
#[derive(Debug)]
pub struct NewEffect<'a> {
    /// The resource it concerns.
    pub resource: &'a ResourceRef,
    /// The event that causes it.
    pub event: i64,
    /// What is to be done.
    pub effect: Effect,
}

/// Records effects. One that was carried out is left alone; one that was not takes the newer standing.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_effects(
    tx: &mut PgConnection,
    effects: &[NewEffect<'_>],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    // One statement cannot touch a row twice: of several decisions on the same effect, the last one counts.
    let mut last: BTreeMap<_, &NewEffect<'_>> = BTreeMap::new();
    for new in effects {
        last.insert((new.resource.kind, &new.resource.id, new.effect.kind, &new.effect.key), new);
    }
    let resource_types: Vec<&str> = last.values().map(|new| new.resource.kind.as_str()).collect();
    let resource_ids: Vec<&str> = last.values().map(|new| new.resource.id.as_str()).collect();
    let kinds: Vec<&str> = last.values().map(|new| new.effect.kind.as_str()).collect();
    let keys: Vec<&str> = last.values().map(|new| new.effect.key.as_str()).collect();
    let standings: Vec<&str> = last.values().map(|new| new.effect.standing.as_str()).collect();
    let details: Vec<&str> = last.values().map(|new| new.effect.detail.as_str()).collect();
    let events: Vec<i64> = last.values().map(|new| new.event).collect();
    sqlx::query!(
        r#"
        INSERT INTO effects (resource_type, resource_id, kind, key, standing, detail, event, recorded_at, due_at)
        SELECT resource_type, resource_id, kind, key, standing, detail, event, $8, $8
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
            AS wanted (resource_type, resource_id, kind, key, standing, detail, event)
        ON CONFLICT ON CONSTRAINT effects_once DO UPDATE SET standing = excluded.standing
            WHERE effects.done_at IS NULL AND effects.standing <> excluded.standing
        "#,
        &resource_types as _,
        &resource_ids as _,
        &kinds as _,
        &keys as _,
        &standings as _,
        &details as _,
        &events,
        now,
    )
    .execute(tx)
    .await
    .map_err(Error::of("record effects"))?;
    Ok(())
}

/// Closes the effects of resources that have lost their cause and were not carried out yet.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn close_overtaken(
    tx: &mut PgConnection,
    overtaken: &[(&ResourceRef, Overtaken)],
) -> Result<(), Error> {
    let mut closing = [const { Vec::new() }; 3];
    let mut open = [const { Vec::new() }; 3];
    for (resource, overtaken) in overtaken {
        let (kinds, still_open): (&[&str], &[String]) = match overtaken {
            Overtaken::Nothing => continue,
            Overtaken::ReviewsExcept(still_open) => (&["review"], still_open),
            Overtaken::AllButAlerts => (&["review", "archive"], &[]),
        };
        let [types, ids, names] = &mut closing;
        for kind in kinds {
            types.push(resource.kind.as_str());
            ids.push(resource.id.as_str());
            names.push(*kind);
        }
        let [types, ids, keys] = &mut open;
        for key in still_open {
            types.push(resource.kind.as_str());
            ids.push(resource.id.as_str());
            keys.push(key.as_str());
        }
    }
    let [closing_types, closing_ids, closing_kinds] = closing;
    let [open_types, open_ids, open_keys] = open;
    sqlx::query!(
        r#"
        UPDATE effects SET standing = 'obsolete'
        FROM unnest($1::text[], $2::text[], $3::text[]) AS closing (resource_type, resource_id, kind)
        WHERE effects.resource_type = closing.resource_type AND effects.resource_id = closing.resource_id
            AND effects.kind = closing.kind AND effects.standing = 'due' AND effects.done_at IS NULL
            AND NOT EXISTS (
                SELECT FROM unnest($4::text[], $5::text[], $6::text[]) AS open (resource_type, resource_id, key)
                WHERE open.resource_type = effects.resource_type AND open.resource_id = effects.resource_id
                    AND open.key = effects.key
            )
        "#,
        &closing_types as _,
        &closing_ids as _,
        &closing_kinds as _,
        &open_types as _,
        &open_ids as _,
        &open_keys as _,
    )
    .execute(tx)
    .await
    .map_err(Error::of("close overtaken effects"))?;
    Ok(())
}

/// One effect, for people.
#[derive(Debug, Clone, Serialize)]
pub struct EffectRow {
    /// What: `alert`, `review` or `archive`.
    pub kind: String,
    /// Its natural key.
    pub key: String,
    /// `due` or `obsolete`.
    pub standing: String,
    /// What it is about.
    pub detail: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// When it was carried out.
    pub done_at: Option<DateTime<Utc>>,
}

/// The effects that an event was the first to cause.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn effects_of_event(connection: &mut PgConnection, event: i64) -> Result<Vec<EffectRow>, Error> {
    sqlx::query_as!(
        EffectRow,
        "SELECT kind, key, standing, detail, recorded_at, done_at FROM effects WHERE event = $1 ORDER BY id",
        event,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read the effects of an event"))
}

/// The effects of a resource, oldest first.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn effects_of_resource(
    connection: &mut PgConnection,
    kind: &str,
    id: &str,
) -> Result<Vec<EffectRow>, Error> {
    sqlx::query_as!(
        EffectRow,
        r#"
        SELECT kind, key, standing, detail, recorded_at, done_at FROM effects
        WHERE resource_type = $1 AND resource_id = $2 ORDER BY id
        "#,
        kind,
        id,
    )
    .fetch_all(connection)
    .await
    .map_err(Error::of("read the effects of a resource"))
}
