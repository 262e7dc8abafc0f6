//! Closed loop: each connection sends its next request when the last one is answered.

use super::connection::Connection;
use super::{Deliveries, Outcome};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Loads `address` over so many connections. What happens before `warm_up` is over is not counted.
pub(crate) async fn closed_loop(
    address: SocketAddr,
    deliveries: &Deliveries,
    connections: usize,
    warm_up: Duration,
    duration: Duration,
) -> Result<Outcome> {
    let begin = Instant::now() + warm_up;
    let end = begin + duration;
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        senders.spawn(send(address, deliveries.clone(), begin, end));
    }
    let mut total = Outcome::new()?;
    while let Some(outcome) = senders.join_next().await {
        total.add(&outcome.context("a sender ended badly")??)?;
    }
    total.took = duration;
    Ok(total)
}

async fn send(address: SocketAddr, deliveries: Deliveries, begin: Instant, end: Instant) -> Result<Outcome> {
    let mut connection = Connection::open(address).await?;
    let mut outcome = Outcome::new()?;
    let mut request = Vec::with_capacity(1_024);
    loop {
        deliveries.write_next(&mut request);
        let sent = Instant::now();
        let status = connection.exchange(&request).await?;
        let answered = Instant::now();
        // Counted by the moment of the answer: those under way at either edge make up for each other.
        if answered >= begin && answered < end {
            outcome.count(status, answered - sent);
        }
        if answered >= end {
            return Ok(outcome);
        }
    }
}
