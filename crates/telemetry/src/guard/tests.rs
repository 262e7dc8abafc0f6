use super::{Guard, provider};
use crate::subscriber::tests::Captured;
use crate::subscriber::{Sink, subscriber};
use crate::{Config, Error, LogFormat};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn config(otlp_endpoint: Option<String>) -> Config {
    Config {
        service_name: "example",
        instance_id: "example-1".to_owned(),
        log_filter: "info".to_owned(),
        log_format: LogFormat::Json,
        otlp_endpoint,
    }
}

/// Makes `spans` spans as a process would.
fn trace(guard: &Guard, spans: usize) {
    let sink = Sink { writer: Captured::default(), format: LogFormat::Json, ansi: false };
    let subscriber = subscriber("info", sink, &guard.provider).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..spans {
            tracing::info_span!("finished").in_scope(|| ());
        }
    });
}

#[test]
fn a_shutdown_delivers_the_last_span_to_the_traces_path_of_the_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/", listener.local_addr().unwrap());
    let collector = std::thread::spawn(move || {
        let (mut stream, _peer) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.windows(8).any(|bytes| bytes == b"finished") {
            let read = stream.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "the request ended without the span");
            request.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        request
    });

    let guard = Guard { provider: provider(&config(Some(base_url))).unwrap() };
    trace(&guard, 1);
    guard.shutdown().unwrap();
    let request = collector.join().unwrap();
    assert!(request.starts_with(b"POST /v1/traces HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&request));
    assert!(request.windows(9).any(|bytes| bytes == b"example-1"), "the instance is named");
}

#[test]
fn a_collector_that_hangs_delays_neither_the_work_nor_the_end_for_long() {
    // Connections are taken by the operating system and never answered.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let guard = Guard { provider: provider(&config(Some(base_url))).unwrap() };

    let start = Instant::now();
    trace(&guard, 20_000);
    assert!(start.elapsed() < Duration::from_secs(5), "the work took {:?}", start.elapsed());

    let start = Instant::now();
    assert!(matches!(guard.shutdown(), Err(Error::Flush(_))));
    assert!(start.elapsed() < Duration::from_secs(8), "the end took {:?}", start.elapsed());
}

#[test]
fn a_bad_collector_url_is_named() {
    let error = provider(&config(Some("no url".to_owned()))).err().unwrap();
    assert!(error.to_string().contains("no url/v1/traces"), "{error}");
}
