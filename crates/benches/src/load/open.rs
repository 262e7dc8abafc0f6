//! Open loop: requests begin at a fixed rate, whatever the answers do. Latency counts from the moment at which a request
//! should have begun, so that a server that stalls is charged for everybody who had to wait.

use super::connection::Connection;
use super::{Deliveries, Outcome};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections that wait for something to send. More than are ever needed at once.
const CONNECTIONS: usize = 256;

/// When each request is to begin.
struct Schedule {
    start: Instant,
    interval: Duration,
    taken: AtomicU32,
    due: Semaphore,
}

/// Loads `address` with `rate` requests per second.
pub(crate) async fn open_loop(
    address: SocketAddr,
    deliveries: &Deliveries,
    rate: u32,
    warm_up: Duration,
    duration: Duration,
) -> Result<Outcome> {
    let schedule = Arc::new(Schedule {
        start: Instant::now() + Duration::from_millis(200),
        interval: Duration::from_secs(1) / rate,
        taken: AtomicU32::new(0),
        due: Semaphore::new(0),
    });
    let begin = schedule.start + warm_up;
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        senders.spawn(send(address, deliveries.clone(), Arc::clone(&schedule), begin));
    }
    // A thread of its own: the timers of the async runtime are a millisecond coarse.
    let end = begin + duration;
    let clock = Arc::clone(&schedule);
    let ticking = std::thread::spawn(move || tick(&clock, end));
    let mut total = Outcome::new()?;
    while let Some(outcome) = senders.join_next().await {
        total.add(&outcome.context("a sender ended badly")??)?;
    }
    ticking.join().ok().context("the clock of the load ended badly")?;
    // A server that cannot follow is charged for those whose turn never came, too: they waited at least until now.
    let next = |number| schedule.start + schedule.interval * number;
    let unsent = (schedule.taken.load(Ordering::Relaxed)..).map(next).take_while(|turn| *turn < end);
    for turn in unsent.filter(|turn| *turn >= begin) {
        total.miss(end - turn);
    }
    total.took = duration;
    Ok(total)
}

/// Lets one request after the other begin, and ends the loop.
fn tick(schedule: &Schedule, end: Instant) {
    let mut next = schedule.start;
    while next < end {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        schedule.due.add_permits(1);
        next += schedule.interval;
    }
    schedule.due.close();
}

async fn send(
    address: SocketAddr,
    deliveries: Deliveries,
    schedule: Arc<Schedule>,
    begin: Instant,
) -> Result<Outcome> {
    let mut connection = Connection::open(address).await?;
    let mut outcome = Outcome::new()?;
    let mut request = Vec::with_capacity(1_024);
    while let Ok(permit) = schedule.due.acquire().await {
        permit.forget();
        let should_begin =
            schedule.start + schedule.interval * schedule.taken.fetch_add(1, Ordering::Relaxed);
        deliveries.write_next(&mut request);
        let status = connection.exchange(&request).await?;
        if should_begin >= begin {
            outcome.count(status, should_begin.elapsed());
        }
    }
    Ok(outcome)
}
