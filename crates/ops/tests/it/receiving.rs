//! One delivery, from raw bytes to a durable event.

use crate::bench::{Bench, Duty, PATIENCE, after, noon, publisher};
use anyhow::{Result, ensure};
use domain::{Clock, EndpointName};
use ops::accept::{Acceptance, Acceptor, Config};
use ops::receive::{Delivery, Receiver, Refusal, Verification};
use serde_json::Value;
use signing::{Headers, Reason, Schemes, Secret, sign, sign_body_hex};
use std::sync::Arc;
use std::time::Duration;
use testkit::{eventually, payload};

/// A receiver with two live secrets.
struct Door {
    bench: Bench,
    receiver: Receiver,
    secrets: [Secret; 2],
    _duties: [Duty; 3],
}

impl Door {
    async fn open() -> Result<Self> {
        let bench = Bench::new().await?;
        let (publisher, duty) = publisher(&bench.broker, Duration::from_secs(5)).await?;
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
        let (acceptor, committer, _first) = Acceptor::new(
            Config::default(),
            bench.store.clone(),
            publisher,
            Arc::clone(&clock),
            bench.metrics.clone(),
        );
        let secrets = [testkit::deliver::random_secret(), testkit::deliver::random_secret()];
        let secrets = [Secret::parse(&secrets[0])?, Secret::parse(&secrets[1])?];
        let verification =
            Verification { secrets: secrets.to_vec(), schemes: Schemes::All, tolerance_seconds: 300 };
        let (receiver, quarantine) =
            Receiver::new(verification, acceptor, bench.store.clone(), clock, bench.metrics.clone());
        let (committer, quarantine) = (Duty::start(|_| committer.run()), Duty::start(|_| quarantine.run()));
        Ok(Self { bench, receiver, secrets, _duties: [duty, committer, quarantine] })
    }

    async fn deliver(&self, headers: Headers<'_>, body: &[u8]) -> Result<Result<Acceptance, Refusal>> {
        Ok(self
            .receiver
            .receive(Delivery {
                endpoint: EndpointName::new("default")?,
                headers,
                content_type: Some("application/json; charset=utf-8"),
                body: body.to_vec().into(),
                traceparent: None,
            })
            .await)
    }

    /// Delivers with a signature of the standard kind, made at noon.
    async fn deliver_signed(
        &self,
        secret: &Secret,
        id: &str,
        body: &[u8],
    ) -> Result<Result<Acceptance, Refusal>> {
        let at = noon().timestamp();
        let signature = sign(secret, id, at, body);
        let headers = Headers {
            webhook_id: Some(id),
            webhook_timestamp: Some(&at.to_string()),
            webhook_signature: Some(&signature),
            ..Headers::default()
        };
        self.deliver(headers, body).await
    }
}

fn idled(id: &str, seconds: i64) -> String {
    payload::platform(id, "session.status_idled", "sesn_1", after(seconds)).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn either_live_secret_opens_and_the_second_delivery_is_a_duplicate() -> Result<()> {
    let door = Door::open().await?;
    let body = idled("whe_1", -1);
    assert_eq!(door.deliver_signed(&door.secrets[0], "whe_1", body.as_bytes()).await?, Ok(Acceptance::New));
    assert_eq!(
        door.deliver_signed(&door.secrets[1], "whe_1", body.as_bytes()).await?,
        Ok(Acceptance::Duplicate)
    );
    let found = door.bench.detail("whe_1").await?;
    assert_eq!(found.payload, body.as_bytes());
    assert_eq!(found.content_type.as_deref(), Some("application/json; charset=utf-8"));
    assert_eq!(found.row.received_at, noon());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_own_id_counts_when_the_header_says_another_one() -> Result<()> {
    let door = Door::open().await?;
    let body = idled("whe_1", -1);
    assert_eq!(
        door.deliver_signed(&door.secrets[0], "msg_other", body.as_bytes()).await?,
        Ok(Acceptance::New)
    );
    assert_eq!(
        door.deliver_signed(&door.secrets[0], "msg_third", body.as_bytes()).await?,
        Ok(Acceptance::Duplicate)
    );
    assert_eq!(door.bench.detail("whe_1").await?.row.deliveries, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_event_may_be_delivered_late_when_its_signature_is_fresh() -> Result<()> {
    let door = Door::open().await?;
    let body = idled("whe_1", -86_400);
    assert_eq!(door.deliver_signed(&door.secrets[0], "whe_1", body.as_bytes()).await?, Ok(Acceptance::New));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_without_a_time_is_as_fresh_as_its_thin_event() -> Result<()> {
    let door = Door::open().await?;
    for (seconds, expected) in [
        (-300, None),
        (300, None),
        (-301, Some(Reason::TooOld)),
        (301, Some(Reason::TooNew)),
        (-86_400, Some(Reason::TooOld)),
    ] {
        let body = idled(&format!("whe_{seconds}"), seconds);
        let signature = sign_body_hex(&door.secrets[0], body.as_bytes());
        let headers = Headers { x_webhook_signature: Some(&signature), ..Headers::default() };
        let outcome = door.deliver(headers, body.as_bytes()).await?;
        match expected {
            None => assert_eq!(outcome, Ok(Acceptance::New), "{seconds}"),
            Some(reason) => match outcome {
                Err(Refusal::Signature(rejection)) => assert_eq!(rejection.reason, reason, "{seconds}"),
                other => panic!("{seconds}: {other:?}"),
            },
        }
    }
    assert_eq!(door.bench.ledger().await?.accepted, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_body_that_is_no_event_is_refused_and_kept_in_quarantine() -> Result<()> {
    let door = Door::open().await?;
    for (n, body) in [&b"{\"id\":\"whe_1\"}"[..], b"[1]", b"\xff\xfe\0", b""].into_iter().enumerate() {
        let outcome = door.deliver_signed(&door.secrets[0], "whe_1", body).await?;
        let Err(refusal @ Refusal::NotAnEvent(_)) = outcome else { panic!("{body:?}: {outcome:?}") };
        assert_eq!(refusal.code(), "invalid_event");
        let kept = format!("{} bodies in quarantine", n + 1);
        eventually(PATIENCE, &kept, async || {
            let told = door.bench.texts("SELECT problem FROM quarantine ORDER BY id").await?;
            ensure!((told.len(), told.last()) == (n + 1, Some(&refusal.to_string())), "{told:?}");
            Ok(Some(()))
        })
        .await?;
    }
    let kept = door
        .bench
        .texts(
            "SELECT concat_ws(' ', endpoint, encode(body, 'hex'), content_type, \
                 extract(epoch FROM received_at)::bigint) FROM quarantine ORDER BY id",
        )
        .await?;
    let rest = format!("application/json; charset=utf-8 {}", noon().timestamp());
    let expected = ["7b226964223a227768655f31227d", "5b315d", "fffe00", ""];
    assert_eq!(kept, expected.map(|hex| format!("default {hex} {rest}")));
    assert_eq!(door.bench.ledger().await?.accepted, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_body_is_not_looked_at_and_leaves_nothing() -> Result<()> {
    let door = Door::open().await?;
    let body = idled("whe_1", -1);
    let unsigned = door.deliver(Headers::default(), body.as_bytes()).await?;
    assert!(matches!(unsigned, Err(Refusal::Signature(_))), "{unsigned:?}");
    let garbage = door.deliver(Headers::default(), b"\xff").await?;
    assert!(matches!(garbage, Err(Refusal::Signature(_))), "{garbage:?}");
    assert_eq!(door.bench.ledger().await?.accepted, 0);
    assert_eq!(door.bench.number("SELECT count(*) FROM quarantine").await?, 0);
    let counted = door.bench.metric("ingest_deliveries_total{outcome=\"missing_header\"}")?;
    assert!((counted - 2.0).abs() < 0.1, "{counted}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_and_members_are_accepted() -> Result<()> {
    let door = Door::open().await?;
    let mut body = payload::platform("whe_1", "session.levitated", "sesn_1", after(-1));
    body["data"]["colour"] = Value::from("blue");
    body["extra"] = Value::from([1, 2]);
    let body = body.to_string();
    assert_eq!(door.deliver_signed(&door.secrets[0], "whe_1", body.as_bytes()).await?, Ok(Acceptance::New));
    assert_eq!(door.bench.detail("whe_1").await?.row.event_type, "session.levitated");
    Ok(())
}

#[tokio::test]
async fn refusals_of_signed_deliveries_count_against_the_endpoint_until_one_is_accepted() -> Result<()> {
    let door = Door::open().await?;
    let mut writer = door.receiver.pulse_writer(door.bench.store.clone(), "ingest-1".to_owned());
    let health = async || {
        let mut connection = door.bench.store.connection().await?;
        anyhow::Ok(store::endpoint_health(&mut connection).await?)
    };
    writer.write().await?;
    assert!(health().await?.is_empty());
    // Nobody's: without a signature. And two that may be the sender's: signed with a wrong secret.
    let stranger = Secret::parse(&testkit::deliver::random_secret())?;
    assert!(door.deliver(Headers::default(), b"{}").await?.is_err());
    for id in ["whe_1", "whe_2"] {
        assert!(door.deliver_signed(&stranger, id, b"{}").await?.is_err());
    }
    writer.write().await?;
    let failing = health().await?;
    assert_eq!((failing[0].failures_in_a_row, failing[0].failing_since), (2, Some(noon())));
    assert_eq!(failing[0].last_failure_reason.as_deref(), Some("no_match"));
    let event = testkit::payload::platform("whe_3", "session.updated", "sesn_1", noon()).to_string();
    assert!(door.deliver_signed(&door.secrets[0], "whe_3", event.as_bytes()).await?.is_ok());
    writer.write().await?;
    let well = health().await?;
    assert_eq!((well.len(), well[0].failures_in_a_row, well[0].successes, well[0].failures), (1, 0, 1, 2));
    assert_eq!((well[0].failing_since, well[0].last_success_at), (None, Some(noon())));
    Ok(())
}
