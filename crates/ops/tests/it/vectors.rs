//! The signature vectors, as whole deliveries.

use crate::bench::{Bench, Duty, PATIENCE, publisher};
use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use bytes::Bytes;
use chrono::DateTime;
use domain::{Clock, EndpointName};
use ops::accept::{Acceptor, Config};
use ops::receive::{Delivery, Receiver, Refusal, Verification};
use serde::Deserialize;
use signing::{Headers, Schemes, Secret};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use testkit::eventually;

const DELIVERIES: &str = "SELECT coalesce(sum(deliveries), 0)::bigint FROM events";

const FILE: &str = include_str!("../../../signing/tests/vectors/webhook-signatures.json");

#[derive(Deserialize)]
struct File {
    tolerance_seconds: u32,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    expected: String,
    now: i64,
    secret: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_base64: Option<String>,
}

impl Vector {
    fn body(&self) -> Result<Bytes> {
        match (&self.body, &self.body_base64) {
            (Some(text), None) => Ok(text.clone().into()),
            (None, Some(text)) => Ok(base64::engine::general_purpose::STANDARD.decode(text)?.into()),
            _ => bail!("{}: one body is needed", self.name),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vector_is_received_or_refused_as_it_says() -> Result<()> {
    let bench = Bench::new().await?;
    let (publisher, _duty) = publisher(&bench.broker, Duration::from_secs(5)).await?;
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let (acceptor, committer, _first) = Acceptor::new(
        Config::default(),
        bench.store.clone(),
        publisher,
        Arc::clone(&clock),
        bench.metrics.clone(),
    );
    let _committer = Duty::start(|_| committer.run());
    let file: File = serde_json::from_str(FILE)?;
    assert_eq!(file.vectors.len(), 48);

    let (mut accepted, mut refused, mut no_event, mut unusable) = (0, 0, 0, 0);
    let (mut bodies, mut keepers) = (HashSet::new(), Vec::new());
    for vector in &file.vectors {
        let name = &vector.name;
        let Ok(secret) = Secret::parse(&vector.secret) else {
            assert_eq!(vector.expected, "error", "{name}");
            unusable += 1;
            continue;
        };
        bench.clock.set(DateTime::from_timestamp(vector.now, 0).context("a time")?);
        let verification = Verification {
            secrets: vec![secret],
            schemes: Schemes::All,
            tolerance_seconds: file.tolerance_seconds,
        };
        let (receiver, quarantine) = Receiver::new(
            verification,
            acceptor.clone(),
            bench.store.clone(),
            Arc::clone(&clock),
            bench.metrics.clone(),
        );
        keepers.push(Duty::start(|_| quarantine.run()));
        let body = vector.body()?;
        let delivery = Delivery {
            endpoint: EndpointName::new("default")?,
            headers: Headers::from_lookup(|header| vector.header(header)),
            content_type: Some("application/json"),
            body: body.clone(),
            traceparent: None,
        };
        let is_event = domain::envelope::parse(&body).is_ok();
        let before = bench.number(DELIVERIES).await?;
        match (receiver.receive(delivery).await, vector.expected.as_str()) {
            (Ok(_), "accept") if is_event => accepted += 1,
            // The signature counts first: only a signed body is looked at.
            (Err(Refusal::NotAnEvent(_)), "accept" | "reject") if !is_event => {
                no_event += 1;
                bodies.insert(body);
            }
            (Err(Refusal::Signature(_)), "reject") => {
                refused += 1;
                assert_eq!(bench.number(DELIVERIES).await?, before, "{name} left something behind");
            }
            (outcome, expected) => panic!("{name}: {outcome:?} instead of {expected}"),
        }
    }
    assert_eq!(accepted + refused + no_event + unusable, 48);
    assert!(accepted >= 10 && refused >= 20, "{accepted} {refused} {no_event} {unusable}");
    let mut connection = bench.store.connection().await?;
    eventually(PATIENCE, "each body that is no event in quarantine, once", async || {
        let kept = store::quarantined(&mut connection).await?;
        ensure!(usize::try_from(kept) == Ok(bodies.len()), "{kept} of {bodies:?}");
        Ok(Some(()))
    })
    .await
}
