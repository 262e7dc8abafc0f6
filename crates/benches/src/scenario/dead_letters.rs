//! The operator's commands beside very many dead letters.

use super::Bench;
use crate::figures::Sheet;
use crate::figures::measure::{CATCH_UP, RATE, TIME};
use crate::load::float;
use crate::server::{Server, System};
use crate::stack::Stack;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use testkit::process;

/// Longest time for one command.
const COMMAND: Duration = Duration::from_mins(10);

/// What is only looked at.
const LOOKS: [(&str, &[&str]); 5] = [
    ("dlq list", &["dlq", "list"]),
    (
        "dlq list, filtered",
        &["dlq", "list", "--class", "transient", "--text", "overloaded", "--newer-than", "6h"],
    ),
    ("dlq list --json, all", &["dlq", "list", "--json"]),
    ("dlq stats", &["dlq", "stats"]),
    ("dlq replay --dry-run", &["dlq", "replay", "--all", "--dry-run"]),
];

/// One run.
pub(super) async fn once(bench: &Bench) -> Result<Sheet> {
    let letters = bench.plan.dead_letters;
    bench.progress.step("making dead letters");
    let stack = Stack::new().await?;
    // It declares the queues, and publishes what is replayed.
    let _ingest = Server::start(System::Holdfast, &stack).await?;
    stack.execute(events(letters)).await?;
    stack.execute(ATTEMPTS.to_owned()).await?;
    stack.execute("VACUUM (ANALYZE) events, attempts".to_owned()).await?;

    let mut sheet = Sheet::default();
    for (name, arguments) in LOOKS {
        bench.progress.step(name);
        let took = command(&stack, arguments).await?;
        sheet.add(name, TIME, took.as_secs_f64() * 1e3);
    }
    let name = "dlq replay --all";
    bench.progress.step(name);
    let began = Instant::now();
    let took = command(&stack, &["dlq", "replay", "--all", "--yes"]).await?;
    sheet.add(name, TIME, took.as_secs_f64() * 1e3);
    sheet.add(name, RATE, float(letters) / took.as_secs_f64());
    stack.until_published(COMMAND).await?;
    sheet.add(name, CATCH_UP, began.elapsed().as_secs_f64());
    let left = stack.number("SELECT count(*) FROM events WHERE status = 'dead'").await?;
    ensure!(left == 0.0, "{left} dead letters were not replayed");
    Ok(sheet)
}

/// How long a command takes, from its start to its end. It must succeed.
async fn command(stack: &Stack, arguments: &[&str]) -> Result<Duration> {
    let environment = stack.environment();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let began = Instant::now();
    let output = process::run("worker", arguments, &environment, COMMAND).await?;
    let took = began.elapsed();
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(took)
}

/// Dead events of three types and two classes, one death every second until now.
fn events(letters: u64) -> String {
    format!(
        r#"INSERT INTO events (endpoint, event_id, event_type, dialect, source, resource_type, resource_id, created_at,
            received_at, payload, content_type, tries, status, error_class, last_error, dead_at, finished_at)
        SELECT 'default', event_id, event_type, 'platform', 'webhook', 'session', session, at - interval '2 min',
            at - interval '2 min',
            convert_to(format('{{"type":"event","id":"%s","created_at":"%s","data":{{"type":"%s","id":"%s"}}}}', event_id,
                to_char(at - interval '2 min', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), event_type, session), 'UTF8'),
            'application/json', 3, 'dead', (ARRAY['transient', 'gone'])[1 + n % 2],
            (ARRAY['the API answered 529: overloaded_error: Overloaded', 'the API answered 404: not_found_error',
                'the API answered 500: api_error: Internal server error'])[1 + n % 3], at, at
        FROM (
            SELECT n, 'wevt_' || left(md5('event' || n), 24) AS event_id, 'sesn_' || left(md5('session' || n / 10), 24) AS session,
                (ARRAY['session.status_running', 'session.status_idled', 'session.updated'])[1 + n % 3] AS event_type,
                now() - n * interval '1 s' AS at
            FROM generate_series(1, {letters}) AS n
        ) AS made"#
    )
}

/// The three tries of each.
const ATTEMPTS: &str = "
    INSERT INTO attempts (event, generation, number, started_at, failed_at, class, error, request_id, worker)
    SELECT id, generation, number, dead_at - (3 - number) * interval '30 s' - interval '1 s',
        dead_at - (3 - number) * interval '30 s', error_class, last_error, 'req_' || left(md5(id::text), 24), 'bench-1'
    FROM events CROSS JOIN generate_series(1, 3) AS number WHERE status = 'dead'";
