//! Waiting until everything has settled.

use crate::load::Journal;
use crate::system::{Operator, Storage};
use anyhow::{Result, ensure};
use std::collections::HashSet;
use std::time::Duration;
use testkit::eventually;

/// Longest time until everything is finished after the healing. The longest rests of ours are half a minute, a silent
/// connection may be held for a minute, and losses of RabbitMQ are noticed after minutes.
const SETTLED: Duration = Duration::from_mins(5);

/// Longest time until both sides of the dead letters agree: workers compare them every five seconds.
const AGREED: Duration = Duration::from_mins(2);

/// Waits until all that was acknowledged is stored, no event is pending and nothing waits to be published.
///
/// # Errors
/// When that does not come true; says what was left.
pub(crate) async fn finished(storage: &Storage, journal: &Journal) -> Result<()> {
    eventually(SETTLED, "all events to be finished", async || {
        let pending =
            storage.number("SELECT count(*) AS number FROM events WHERE status = 'pending'").await?;
        let outbox = storage.number("SELECT count(*) AS number FROM outbox").await?;
        ensure!((pending, outbox) == (0, 0), "{pending} pending, {outbox} in the outbox");
        let stored: HashSet<String> =
            storage.texts("SELECT event_id AS text FROM events").await?.into_iter().collect();
        let missing = journal.acknowledged().iter().filter(|id| !stored.contains(*id)).count();
        ensure!(missing == 0, "{missing} acknowledged events are not stored");
        Ok(Some(()))
    })
    .await
}

/// Waits until the work queue is empty and both sides of the dead letters agree, and checks the sum of all events.
///
/// # Errors
/// When one of them does not come true.
pub(crate) async fn agreed(storage: &Storage, operator: &Operator) -> Result<()> {
    eventually(AGREED, "an empty work queue", async || {
        let depth = storage.work_depth().await?;
        ensure!(depth == 0, "{depth} messages");
        Ok(Some(()))
    })
    .await?;
    eventually(AGREED, "agreement on the dead letters", async || {
        let check = operator.worker(&["dlq", "check"]).await?;
        ensure!(check.code == Some(0), "{}", check.text);
        Ok(Some(()))
    })
    .await?;
    operator.must(&["events", "stats"]).await.map(|_| ())
}
