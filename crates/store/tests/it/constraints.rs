//! Illegal states are refused by the database itself, whoever writes them.

use crate::bench::{Bench, event, noon};
use anyhow::{Result, bail};
use sqlx::{AssertSqlSafe, Error};

/// The name of the constraint that refuses a statement.
async fn refused_by(bench: &Bench, statement: &str) -> Result<String> {
    match sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(bench.database.pool()).await {
        Err(Error::Database(error)) => match error.constraint() {
            Some(constraint) => Ok(constraint.to_owned()),
            None => bail!("{statement}: refused for another reason: {error}"),
        },
        Err(error) => Err(error.into()),
        Ok(_) => bail!("not refused: {statement}"),
    }
}

#[tokio::test]
async fn events_are_only_in_legal_states() -> Result<()> {
    let bench = Bench::new().await?;
    bench.accept(&[event("evt_1")?]).await?;
    for (change, constraint) in [
        ("status = 'lost', finished_at = now()", "events_status_check"),
        ("status = 'applied'", "events_finished_or_pending"),
        ("finished_at = now()", "events_finished_or_pending"),
        ("status = 'dead', finished_at = now()", "events_dead_has_cause"),
        ("status = 'dead', finished_at = now(), dead_at = now()", "events_dead_has_cause"),
        ("status = 'dead', finished_at = now(), error_class = 'bug'", "events_dead_has_cause"),
        ("status = 'discarded', finished_at = now()", "events_discarded_has_reason"),
        ("discard_reason = 'why'", "events_discarded_has_reason"),
        ("error_class = 'unlucky'", "events_error_class_check"),
        ("resource_type = NULL", "events_resource_is_whole"),
        ("resource_id = NULL", "events_resource_is_whole"),
        ("deliveries = 0", "events_deliveries_check"),
        ("generation = 0", "events_generation_check"),
        ("tries = -1", "events_tries_check"),
        ("dialect = 'latin'", "events_dialect_check"),
        ("source = 'hearsay'", "events_source_check"),
    ] {
        assert_eq!(refused_by(&bench, &format!("UPDATE events SET {change}")).await?, constraint, "{change}");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_id_is_unique_within_its_endpoint() -> Result<()> {
    let bench = Bench::new().await?;
    bench.accept(&[event("evt_1")?, event("evt_2")?]).await?;
    let constraint = refused_by(&bench, "UPDATE events SET event_id = 'evt_1'").await?;
    assert_eq!(constraint, "events_endpoint_event_id_key");
    Ok(())
}

#[tokio::test]
async fn the_other_tables_refuse_what_makes_no_sense() -> Result<()> {
    let bench = Bench::new().await?;
    let event = bench.stored(&["evt_1"]).await?[0].event;
    let at = noon().to_rfc3339();
    let attempt = |number: i32, started: &str, class: &str| {
        format!(
            "INSERT INTO attempts (event, generation, number, started_at, failed_at, class, error, worker) \
             VALUES ({event}, 1, {number}, '{started}', '{at}', '{class}', 'no', 'w')"
        )
    };
    let effect = |kind: &str, standing: &str| {
        format!(
            "INSERT INTO effects (resource_type, resource_id, kind, key, standing, detail, event, recorded_at) \
             VALUES ('session', 's', '{kind}', 'k', '{standing}', '', {event}, '{at}')"
        )
    };
    let replay = |total: i32, status: &str| {
        format!(
            "INSERT INTO replays (started_at, updated_at, selection, total, status) \
             VALUES ('{at}', '{at}', '{{}}', {total}, '{status}')"
        )
    };
    for (statement, constraint) in [
        (attempt(0, &at, "bug"), "attempts_number_check"),
        (attempt(1, "2100-01-01", "bug"), "attempts_check"),
        (attempt(1, &at, "unlucky"), "attempts_class_check"),
        (effect("gift", "due"), "effects_kind_check"),
        (effect("alert", "perhaps"), "effects_standing_check"),
        (replay(-1, "running"), "replays_total_check"),
        (replay(1, "walking"), "replays_status_check"),
        ("UPDATE outbox SET queue = 'nowhere'".to_owned(), "outbox_queue_check"),
        (
            "INSERT INTO resources (resource_type, resource_id, snapshot) VALUES ('session', 's', '{}')"
                .to_owned(),
            "resources_snapshot_is_whole",
        ),
        (
            "INSERT INTO resources (resource_type, resource_id, last_event_id) VALUES ('session', 's', 'e')"
                .to_owned(),
            "resources_last_event_is_whole",
        ),
    ] {
        assert_eq!(refused_by(&bench, &statement).await?, constraint, "{statement}");
    }
    Ok(())
}
