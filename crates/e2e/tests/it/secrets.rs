//! No signature, secret or key is written anywhere.

use crate::message;
use crate::node::Role;
use crate::operator;
use crate::stack::Stack;
use crate::stage::failing;
use crate::system::System;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use signing::Secret;
use testkit::clock::unix_seconds;
use testkit::deliver::{Answer, random_secret};
use testkit::{Deliverer, broker, payload};

/// Everything that must not be found again, with a name for the complaint.
#[derive(Default)]
struct Needles(Vec<(String, String)>);

impl Needles {
    fn add(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.to_owned()));
    }

    /// A signature header: each of its parts that is a digest.
    fn add_signature(&mut self, name: &str, header: &str) {
        for part in header.split([' ', ',', '=']).filter(|part| part.len() >= 40) {
            self.add(name, part.trim_end_matches('='));
        }
    }

    fn assert_absent(&self, place: &str, text: &str) {
        for (name, needle) in &self.0 {
            let found = text.find(needle.as_str());
            let start = found.map(|at| text.floor_char_boundary(at.saturating_sub(300)));
            let before = start.zip(found).map(|(start, at)| &text[start..at]);
            assert_eq!(before, None, "{name} is in {place}, after this");
        }
    }
}

/// A sender that notes the signatures that it sends.
struct NotingSender<'a> {
    sender: Deliverer,
    needles: &'a mut Needles,
}

impl NotingSender<'_> {
    async fn post(&mut self, headers: &[(&str, String)], body: &str) -> Result<Answer> {
        for (name, value) in headers.iter().filter(|(name, _)| name.ends_with("signature")) {
            self.needles.add_signature(name, value);
        }
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.sender.post(&headers, body.to_owned()).await
    }

    async fn standard(&mut self, secret: &Secret, id: &str, skew_seconds: i64, body: &str) -> Result<u16> {
        let at = unix_seconds() + skew_seconds;
        let signature = signing::sign(secret, id, at, body.as_bytes());
        let headers = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at.to_string()),
            ("webhook-signature", signature),
        ];
        Ok(self.post(&headers, body).await?.status)
    }
}

/// All text, bytes and JSON of all columns of all tables.
async fn database_text(stack: &Stack) -> Result<Vec<(String, String)>> {
    let columns = "SELECT table_name, column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'public'";
    let mut found = Vec::new();
    for column in stack.rows(columns).await? {
        let text = |member: &str| column[member].as_str().unwrap_or_default();
        let (table, name) = (text("table_name"), text("column_name"));
        let value = match text("data_type") {
            "bytea" => format!("encode(\"{name}\", 'escape')"),
            _ => format!("\"{name}\"::text"),
        };
        let rows = stack.rows(&format!("SELECT {value} AS value FROM \"{table}\"")).await?;
        let all: Vec<&str> = rows.iter().filter_map(|row| row["value"].as_str()).collect();
        found.push((format!("{table}.{name}"), all.join("\n")));
    }
    Ok(found)
}

/// Sends good and bad deliveries of all kinds.
async fn deliver_everything(system: &System, needles: &mut Needles) -> Result<()> {
    let url = system.ingests.first().context("no ingest")?.webhook_url();
    let (ours, other) = (Secret::parse(&system.stack.secret)?, Secret::parse(&random_secret())?);
    let mut sender = NotingSender { sender: Deliverer::new(url, &system.stack.secret)?, needles };
    let now = testkit::clock::real_now();
    for (number, session) in ["sesn_1", "sesn_2", "sesn_broken"].into_iter().enumerate() {
        let id = format!("whe_{number}");
        let body = payload::platform(&id, "session.status_idled", session, now).to_string();
        for _ in 0..2 {
            assert_eq!(sender.standard(&ours, &id, 0, &body).await?, 200);
        }
        assert_eq!(sender.standard(&other, &id, 0, &body).await?, 400);
        assert_eq!(sender.standard(&ours, &id, -400, &body).await?, 400);
        assert_eq!(sender.standard(&ours, &id, 400, &body).await?, 400);
        let signature = signing::sign(&ours, &id, unix_seconds(), body.as_bytes());
        assert_eq!(sender.post(&[("webhook-signature", signature)], &body).await?.status, 400);
    }
    assert_eq!(sender.standard(&ours, "whe_odd", 0, "no event").await?, 400);
    for id in ["whe_x1", "whe_x2", "whe_x3"] {
        let body = payload::platform(id, "session.updated", "sesn_1", now).to_string();
        let signature = match id {
            "whe_x1" => signing::sign_timestamped_hex(&ours, unix_seconds(), body.as_bytes()),
            "whe_x2" => signing::sign_body_hex(&ours, body.as_bytes()),
            _ => signing::sign_body_base64(&ours, body.as_bytes()),
        };
        assert_eq!(sender.post(&[("x-webhook-signature", signature)], &body).await?.status, 200, "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_secret_is_in_any_log_table_message_or_answer() -> Result<()> {
    let mut stack = Stack::new().await?;
    stack.set("RUST_LOG", "debug");
    let mut system = System::start_on(stack).await?;
    let mut needles = Needles::default();
    needles.add("the signing secret", system.stack.secret.trim_start_matches("whsec_").trim_end_matches('='));
    needles.add("the API key", system.stack.api_key.trim_start_matches("sk-ant-"));
    for session in ["sesn_1", "sesn_2", "sesn_broken"] {
        system.stage.put_session(session, json!({})).await?;
    }
    system.stage.faults(json!([failing("sesn_broken")])).await?;
    deliver_everything(&system, &mut needles).await?;
    system.all_finished(6).await?;
    system.dead_messages(1).await?;
    // A worker whose key is refused talks about it.
    system.stack.set(
        "ANTHROPIC_API_KEY",
        format!("sk-ant-wrong-{}", system.stack.api_key.trim_start_matches("sk-ant-")),
    );
    system.add(Role::Worker).await?;
    system.workers.remove(0).process.sigterm()?;
    let refused = json!({ "id": "whe_refused", "type": "session.updated", "session": "sesn_2" });
    system.stage.deliver(refused).await?;
    testkit::eventually(crate::system::PATIENCE, "a refused call", async || {
        let refused = "SELECT count(*) AS number FROM events WHERE error_class = 'configuration'";
        Ok((system.stack.number(refused).await? > 0).then_some(()))
    })
    .await?;

    let mut logs = String::new();
    for node in system.ingests.iter().chain(&system.workers) {
        logs += &node.logs()?;
    }
    // Not each process has something to say at that level.
    assert!(logs.contains("\"level\":\"DEBUG\""), "the logs show less than they are asked for");
    needles.assert_absent("a log", &logs);
    let tables = database_text(&system.stack).await?;
    assert!(
        tables.iter().any(|(name, text)| name == "events.payload" && text.contains("whe_1")),
        "{tables:?}"
    );
    for (column, text) in &tables {
        needles.assert_absent(column, text);
    }
    for message in broker::get_all(&system.stack.queues.dead()).await? {
        let text = message::text(&message);
        assert!(text.contains("traceparent") && text.contains("whe_2"), "{text}");
        needles.assert_absent("a message", &text);
    }
    let commands: [&[&str]; 8] = [
        &["events", "list"],
        &["events", "show", "whe_1"],
        &["events", "show", "whe_refused"],
        &["dlq", "list"],
        &["dlq", "show", "whe_2"],
        &["resources", "show", "session", "sesn_1"],
        &["doctor"],
        &["run", "--help"],
    ];
    for command in commands {
        for form in [&[][..], &["--json"]] {
            let answer = operator::worker(&system.stack, &[command, form].concat()).await?;
            needles.assert_absent(&format!("{command:?}"), &format!("{}{}", answer.stdout, answer.stderr));
        }
    }
    let doctor: Value = json!(operator::worker(&system.stack, &["doctor"]).await?.stdout);
    assert!(doctor.as_str().is_some_and(|text| !text.is_empty()));
    Ok(())
}
