//! What no event tells of: endpoints that fail or are silent, unfinished events, dead letters.

use crate::bench::{Bench, after};
use anyhow::Result;
use chrono::TimeDelta;
use domain::Clock;
use ops::alerts::{Watch, WatchConfig};
use std::sync::Arc;
use store::{EndpointHealth, Unfinished};

fn watch(bench: &Bench, silence: Option<TimeDelta>) -> Watch {
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let config = WatchConfig { unfinished_age: TimeDelta::minutes(15), silence };
    Watch::new(config, bench.store.clone(), clock)
}

fn health(process: &str, failures: i64, since: i64, last_success: Option<i64>) -> EndpointHealth {
    EndpointHealth {
        endpoint: "default".to_owned(),
        process: process.to_owned(),
        successes: 1,
        failures,
        failures_in_a_row: failures,
        failing_since: (failures > 0).then(|| after(since)),
        last_success_at: last_success.map(after),
        last_failure_at: (failures > 0).then(|| after(since + failures)),
        last_failure_reason: (failures > 0).then(|| "no_match".to_owned()),
    }
}

async fn write(bench: &Bench, health: &[EndpointHealth]) -> Result<()> {
    let mut connection = bench.store.connection().await?;
    Ok(store::write_endpoint_health(&mut connection, health, bench.clock.now()).await?)
}

async fn alerts(bench: &Bench) -> Result<Vec<String>> {
    bench
        .texts(
            "SELECT concat_ws(' ', kind, key, severity, CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'over' END) \
             FROM alerts ORDER BY id",
        )
        .await
}

#[tokio::test]
async fn failures_of_all_processes_add_up_escalate_and_end_with_a_success() -> Result<()> {
    let bench = Bench::new().await?;
    let watch = watch(&bench, None);
    write(&bench, &[health("a", 4, 1, None)]).await?;
    watch.pass().await?;
    assert!(alerts(&bench).await?.is_empty());
    write(&bench, &[health("b", 3, 2, None)]).await?;
    watch.pass().await?;
    watch.pass().await?;
    assert_eq!(alerts(&bench).await?, ["endpoint_failing default warning open"]);
    assert_eq!(bench.number("SELECT times FROM alerts").await?, 1);
    write(&bench, &[health("b", 12, 2, None)]).await?;
    watch.pass().await?;
    assert_eq!(alerts(&bench).await?, ["endpoint_failing default critical open"]);
    write(&bench, &[health("a", 0, 0, Some(60))]).await?;
    watch.pass().await?;
    assert_eq!(alerts(&bench).await?, ["endpoint_failing default critical over"]);
    Ok(())
}

#[tokio::test]
async fn silence_is_told_of_only_where_somebody_expects_deliveries() -> Result<()> {
    let bench = Bench::new().await?;
    write(&bench, &[health("a", 0, 0, Some(0))]).await?;
    bench.advance(3_700);
    watch(&bench, None).pass().await?;
    watch(&bench, Some(TimeDelta::hours(2))).pass().await?;
    assert!(alerts(&bench).await?.is_empty());
    let watch = watch(&bench, Some(TimeDelta::hours(1)));
    watch.pass().await?;
    assert_eq!(alerts(&bench).await?, ["endpoint_silent default warning open"]);
    // The process begins anew under the same name: what was known of it stays.
    write(&bench, &[health("a", 0, 0, None)]).await?;
    watch.pass().await?;
    assert_eq!(alerts(&bench).await?, ["endpoint_silent default warning open"]);
    write(&bench, &[health("a", 0, 0, Some(3_699))]).await?;
    watch.pass().await?;
    assert_eq!(alerts(&bench).await?, ["endpoint_silent default warning over"]);
    Ok(())
}

#[tokio::test]
async fn old_unfinished_events_and_dead_letters_are_told_of_while_there_are_any() -> Result<()> {
    let bench = Bench::new().await?;
    let watch = watch(&bench, None);
    let keep = async |oldest: Option<i64>, dead: i64| {
        let unfinished = Unfinished {
            pending: i64::from(oldest.is_some()),
            oldest_pending_at: oldest.map(after),
            dead,
            outbox: 0,
            oldest_due_at: None,
        };
        let mut connection = bench.store.connection().await?;
        store::keep_unfinished(&mut connection, bench.clock.now(), &unfinished).await?;
        watch.pass().await
    };
    bench.advance(1_000);
    keep(Some(200), 0).await?;
    assert!(alerts(&bench).await?.is_empty());
    keep(Some(50), 2).await?;
    keep(Some(50), 2).await?;
    let open = ["events_unfinished oldest event critical open", "dead_letters dead letters warning open"];
    assert_eq!(alerts(&bench).await?, open);
    assert_eq!(bench.number("SELECT max(times) FROM alerts").await?, 1);
    keep(None, 3).await?;
    assert_eq!(bench.number("SELECT max(times) FROM alerts").await?, 2);
    keep(None, 0).await?;
    let over = ["events_unfinished oldest event critical over", "dead_letters dead letters warning over"];
    assert_eq!(alerts(&bench).await?, over);
    // Figures that nobody renews say nothing.
    keep(Some(50), 0).await?;
    bench.advance(600);
    bench.texts("UPDATE alerts SET resolved_at = resolved_at RETURNING kind").await?;
    watch.pass().await?;
    assert_eq!(alerts(&bench).await?.len(), 3);
    Ok(())
}
