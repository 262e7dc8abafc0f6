//! A fixed number of deliveries, as fast as they are taken, to fill a backlog.

use super::Deliveries;
use super::connection::Connection;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// Sends `count` deliveries over so many connections. Each must be answered 2xx.
pub(crate) async fn deliver(
    address: SocketAddr,
    deliveries: &Deliveries,
    connections: usize,
    count: u64,
) -> Result<()> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        senders.spawn(send(address, deliveries.clone(), Arc::clone(&taken), count));
    }
    while let Some(sent) = senders.join_next().await {
        sent.context("a sender ended badly")??;
    }
    Ok(())
}

async fn send(address: SocketAddr, deliveries: Deliveries, taken: Arc<AtomicU64>, count: u64) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut request = Vec::with_capacity(1_024);
    while taken.fetch_add(1, Ordering::Relaxed) < count {
        deliveries.write_next(&mut request);
        let status = connection.exchange(&request).await?;
        ensure!((200..300).contains(&status), "a delivery was answered {status}");
    }
    Ok(())
}
