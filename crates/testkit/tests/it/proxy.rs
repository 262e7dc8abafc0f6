//! The proxy forwards, and holds back what it is told to.

use anyhow::Result;
use std::time::{Duration, Instant};
use testkit::proxy::TcpProxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_slowed_connection_takes_the_delay_in_each_direction_until_it_is_healed() -> Result<()> {
    const DELAY: Duration = Duration::from_millis(80);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = TcpProxy::start(&listener.local_addr()?.to_string()).await?;
    let mut client = TcpStream::connect(proxy.address()).await?;
    let (mut server, _) = listener.accept().await?;
    let mut there_and_back = async || -> Result<Duration> {
        let began = Instant::now();
        let mut byte = [7];
        client.write_all(&byte).await?;
        server.read_exact(&mut byte).await?;
        server.write_all(&byte).await?;
        client.read_exact(&mut byte).await?;
        Ok(began.elapsed())
    };
    there_and_back().await?;
    proxy.slow(DELAY);
    let slowed = there_and_back().await?;
    proxy.heal();
    let healed = there_and_back().await?;
    assert!(slowed >= 2 * DELAY, "{slowed:?}");
    assert!(healed < 2 * DELAY, "{healed:?}");
    Ok(())
}
