//! What the rows say of each other. The constraints of the schema are asked once more here: a proof does not rest on what
//! should have been refused.

use crate::error::Error;
use serde::Serialize;
use sqlx::PgConnection;

/// One thing that is always so, and how many rows contradict it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// A stable name.
    pub rule: &'static str,
    /// The rule in words.
    pub says: &'static str,
    /// Rows that break it.
    pub rows: i64,
}

/// Makes all statements of a transaction see one instant. To be called before any other.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn see_one_instant(tx: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .execute(tx)
        .await
        .map_err(Error::of("begin a reading transaction"))?;
    Ok(())
}

/// Asks all rules. Reads every table that is about events: for people, not for a loop.
///
/// # Errors
/// When Postgres is away or refuses.
pub async fn contradictions(connection: &mut PgConnection) -> Result<Vec<Contradiction>, Error> {
    let failed = Error::of("compare rows");
    // Three statements, by what they read; see_one_instant makes them agree.
    let events = sqlx::query!(
        r#"
        SELECT count(*) FILTER (
                WHERE status NOT IN ('pending', 'applied', 'superseded', 'ignored', 'dead', 'discarded')
            ) AS "unknown!",
            count(*) FILTER (WHERE (status = 'pending') = (finished_at IS NOT NULL)) AS "unfinished!",
            count(*) FILTER (WHERE status = 'dead' AND (dead_at IS NULL OR error_class IS NULL)) AS "causeless!",
            count(*) FILTER (WHERE (status = 'discarded') = (discard_reason IS NULL)) AS "reasonless!"
        FROM events
        "#
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(&failed)?;
    let outbox = sqlx::query!(
        r#"
        SELECT count(*) FILTER (WHERE events.id IS NULL) AS "orphans!",
            count(*) FILTER (WHERE queue IN ('work', 'replies') AND status <> 'pending') AS "needless!",
            count(*) FILTER (WHERE queue <> 'dead' AND (queue = 'replies') <> (source = 'reply')) AS "astray!",
            count(*) FILTER (WHERE queue = 'dead' AND status <> 'dead') AS "undead!",
            count(*) FILTER (
                WHERE (outbox.generation, outbox.tries) <> (events.generation, events.tries)
            ) AS "stale!"
        FROM outbox LEFT JOIN events ON events.id = outbox.event
        "#
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(&failed)?;
    let rest = sqlx::query!(
        r#"
        SELECT (
                SELECT count(*) FROM resource_history AS entry
                WHERE NOT EXISTS (SELECT FROM events WHERE events.id = entry.event)
            ) AS "history!",
            (
                SELECT count(*) FROM effects WHERE NOT EXISTS (SELECT FROM events WHERE events.id = effects.event)
            ) AS "effects!",
            (
                SELECT count(*) FROM resources
                WHERE last_event_id IS NOT NULL AND NOT EXISTS (
                    SELECT FROM resource_history AS entry
                    WHERE (entry.resource_type, entry.resource_id) = (resources.resource_type, resources.resource_id)
                        AND (entry.created_at, entry.rank, entry.event_id)
                            = (last_event_created_at, last_event_rank, last_event_id)
                )
            ) AS "last_events!",
            (
                SELECT count(*) FROM attempts JOIN events ON events.id = attempts.event
                WHERE attempts.generation > events.generation
                    OR (attempts.generation = events.generation AND attempts.number > events.tries)
            ) AS "attempts!",
            (
                SELECT count(*) FROM replies JOIN events ON events.id = replies.event
                WHERE source <> 'reply' OR status <> ALL(CASE state
                    WHEN 'queued' THEN ARRAY['pending']
                    WHEN 'posting' THEN ARRAY['pending']
                    WHEN 'posted' THEN ARRAY['applied']
                    WHEN 'elsewhere' THEN ARRAY['applied']
                    WHEN 'obsolete' THEN ARRAY['superseded']
                    ELSE ARRAY['dead', 'discarded']
                END)
            ) AS "replies!"
        "#
    )
    .fetch_one(connection)
    .await
    .map_err(&failed)?;
    let found = |rule, says, rows| Contradiction { rule, says, rows };
    Ok(vec![
        found("status_known", "every event is in a known state", events.unknown),
        found(
            "finished_or_pending",
            "an event is finished exactly when it is not pending",
            events.unfinished,
        ),
        found("dead_has_cause", "every dead event has a time of death and a cause", events.causeless),
        found("discarded_has_reason", "every discarded event has a reason, and no other", events.reasonless),
        found("outbox_has_event", "what is to be published belongs to an event", outbox.orphans),
        found(
            "outbox_work_is_pending",
            "nothing of a finished event is to be published to work or replies",
            outbox.needless,
        ),
        found("outbox_fits_source", "replies go to their own queue, and nothing else does", outbox.astray),
        found("outbox_dead_is_dead", "only dead events are to be published to dead", outbox.undead),
        found("outbox_is_current", "what is to be published is for the event's current try", outbox.stale),
        found("history_has_event", "every entry of a history belongs to an event", rest.history),
        found("effect_has_event", "every effect belongs to an event", rest.effects),
        found(
            "last_event_in_history",
            "the last event of every resource is in its history",
            rest.last_events,
        ),
        found("replies_agree", "every reply stands where its event does", rest.replies),
        found("tries_counted", "no recorded try is missing from its event's count", rest.attempts),
    ])
}
