//! Signed deliveries.

use anyhow::Result;
use signing::{Headers, Schemes, Secret, verify};
use testkit::clock::{real_now, unix_seconds};
use testkit::{Deliverer, deliver, payload};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers one request and returns it as text.
async fn receive_one(listener: TcpListener) -> Result<String> {
    let (mut stream, _peer) = listener.accept().await?;
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        anyhow::ensure!(stream.read_buf(&mut request).await? > 0, "the request broke off");
    }
    let answer = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(answer.as_bytes()).await?;
    Ok(String::from_utf8(request)?)
}

#[tokio::test]
async fn a_delivery_verifies_and_a_redirect_is_not_followed() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let secret = deliver::random_secret();
    let sender = Deliverer::new(format!("http://{}/webhooks/default", listener.local_addr()?), &secret)?;
    let id = payload::event_id();
    let body = payload::platform(&id, "session.status_idled", "sesn_01", real_now());

    let (answer, request) = tokio::try_join!(sender.deliver(&id, &body), receive_one(listener))?;
    assert_eq!((answer.status, answer.json()?), (307, serde_json::json!({})));

    let (head, received) = request.split_once("\r\n\r\n").expect("a request has a head");
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}: ")));
        line.and_then(|line| line.split_once(": ")).map(|(_name, value)| value)
    };
    assert!(head.starts_with("POST /webhooks/default "), "{head}");
    assert_eq!(header("webhook-id"), Some(id.as_str()));
    assert_eq!(serde_json::from_str::<serde_json::Value>(received)?, body);
    let headers = Headers::from_lookup(header);
    let secrets = [Secret::parse(&secret)?];
    verify(&headers, received.as_bytes(), &secrets, unix_seconds(), 300, Schemes::Standard)?;
    Ok(())
}
