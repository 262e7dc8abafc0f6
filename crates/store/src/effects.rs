//! What is to be done because of events, each thing once.

use crate::error::Error;
use chrono::{DateTime, Utc};
use domain::decide::Overtaken;
use domain::{Effect, ResourceRef};
use serde::Serialize;
use sqlx::PgConnection;

/// Records effects. One that was carried out is left alone; one that was not takes the newer standing.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn record_effects(
    tx: &mut PgConnection,
    resource: &ResourceRef,
    event: i64,
    effects: &[Effect],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let kinds: Vec<&str> = effects.iter().map(|effect| effect.kind.as_str()).collect();
    let keys: Vec<&str> = effects.iter().map(|effect| effect.key.as_str()).collect();
    let standings: Vec<&str> = effects.iter().map(|effect| effect.standing.as_str()).collect();
    let details: Vec<&str> = effects.iter().map(|effect| effect.detail.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO effects (resource_type, resource_id, kind, key, standing, detail, event, recorded_at)
        SELECT $1, $2, kind, key, standing, detail, $7, $8
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS wanted (kind, key, standing, detail)
        ON CONFLICT ON CONSTRAINT effects_once DO UPDATE SET standing = excluded.standing
            WHERE effects.done_at IS NULL AND effects.standing <> excluded.standing
        "#,
        resource.kind.as_str(),
        resource.id,
        &kinds as _,
        &keys as _,
        &standings as _,
        &details as _,
        event,
        now,
    )
    .execute(tx)
    .await
    .map_err(Error::of("record effects"))?;
    Ok(())
}

/// Closes the effects of a resource that have lost their cause and were not carried out yet.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn close_overtaken(
    tx: &mut PgConnection,
    resource: &ResourceRef,
    overtaken: &Overtaken,
) -> Result<(), Error> {
    let (kinds, open): (&[&str], &[String]) = match overtaken {
        Overtaken::Nothing => return Ok(()),
        Overtaken::ReviewsExcept(open) => (&["review"], open),
        Overtaken::AllButAlerts => (&["review", "archive"], &[]),
    };
    sqlx::query!(
        r#"
        UPDATE effects SET standing = 'obsolete'
        WHERE resource_type = $1 AND resource_id = $2 AND kind = ANY($3::text[]) AND NOT key = ANY($4::text[])
            AND standing = 'due' AND done_at IS NULL
        "#,
        resource.kind.as_str(),
        resource.id,
        kinds as _,
        open,
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
