//! Messages in our queue that no ingest has put there.

use crate::stack::Stack;
use crate::system::{PATIENCE, System};
use anyhow::{Result, ensure};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::json;
use testkit::clock::real_now;
use testkit::{broker, eventually, payload};

/// The headers of our own messages, with these in the place of the usual ones.
fn headers(changed: &[(&str, AMQPValue)]) -> FieldTable {
    let text = |value: &str| AMQPValue::LongString(value.into());
    let mut table = FieldTable::default();
    table.insert("holdfast-version".into(), AMQPValue::LongLongInt(1));
    table.insert("holdfast-endpoint".into(), text("default"));
    table.insert("holdfast-received-at".into(), text("2026-11-22T10:00:00.000000Z"));
    table.insert("holdfast-generation".into(), AMQPValue::LongLongInt(1));
    table.insert("holdfast-tries".into(), AMQPValue::LongLongInt(0));
    for (name, value) in changed {
        table.insert((*name).into(), value.clone());
    }
    table
}

/// Publishes bodies with their properties to the work queue.
async fn publish(stack: &Stack, messages: &[(BasicProperties, Vec<u8>)]) -> Result<()> {
    let connection = Connection::connect(&broker::url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    for (properties, body) in messages {
        let options = BasicPublishOptions::default();
        let queue = stack.queues.work();
        let sent = channel.basic_publish("".into(), queue.as_str().into(), options, body, properties.clone());
        ensure!(sent.await?.await?.is_ack());
    }
    connection.close(200, "done".into()).await?;
    Ok(())
}

#[tokio::test]
async fn what_no_worker_can_read_is_kept_where_people_find_it_and_holds_up_nothing() -> Result<()> {
    let system = System::start().await?;
    let ours = |id: &str, changed: &[(&str, AMQPValue)]| {
        BasicProperties::default().with_message_id(id.into()).with_headers(headers(changed))
    };
    let event = |id: &str| payload::message_created(id, "msg_1", real_now()).to_string().into_bytes();
    let messages = vec![
        (BasicProperties::default(), b"from nobody".to_vec()),
        (BasicProperties::default(), Vec::new()),
        (ours("evt_body", &[]), b"no envelope".to_vec()),
        (ours("evt_version", &[("holdfast-version", AMQPValue::LongLongInt(99))]), event("evt_version")),
        (
            ours("evt_generation", &[("holdfast-generation", AMQPValue::LongLongInt(-1))]),
            event("evt_generation"),
        ),
        (ours("evt_time", &[("holdfast-received-at", AMQPValue::Void)]), event("evt_time")),
        (ours("line\nbreak", &[]), event("evt_break")),
    ];
    publish(&system.stack, &messages).await?;
    let fine = json!({ "id": "evt_fine", "type": "message.created", "dialect": "classic" });
    system.stage.deliver(fine).await?;
    system.event("evt_fine", "applied").await?;
    let bodies = "SELECT count(*) AS number FROM quarantine";
    eventually(PATIENCE, "all of them in quarantine", async || {
        let kept = system.stack.number(bodies).await?;
        ensure!(kept == messages.len() as u64, "{kept} of {}", messages.len());
        Ok(Some(()))
    })
    .await?;
    system.dead_messages(0).await?;
    let ledger = system.balanced().await?;
    assert_eq!(ledger["accepted"], 1, "{ledger}");
    Ok(())
}

#[tokio::test]
async fn a_message_of_an_event_that_is_not_stored_is_enough_to_process_it_and_only_once() -> Result<()> {
    let system = System::start().await?;
    let body = payload::moderation_denied("evt_1", "msg_1", real_now()).to_string().into_bytes();
    let message =
        (BasicProperties::default().with_message_id("evt_1".into()).with_headers(headers(&[])), body);
    publish(&system.stack, &[message.clone(), message.clone(), message]).await?;
    let story = system.event("evt_1", "applied").await?;
    assert_eq!(story["source"], "queue");
    let ledger = system.balanced().await?;
    assert_eq!(ledger["accepted"], 1);
    assert_eq!(system.stack.number("SELECT count(*) AS number FROM effects").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_message_of_an_earlier_life_or_try_changes_nothing() -> Result<()> {
    let system = System::start().await?;
    let fine = json!({ "id": "evt_1", "type": "message.created", "dialect": "classic" });
    system.stage.deliver(fine).await?;
    let before = system.event("evt_1", "applied").await?;
    let body = payload::message_created("evt_1", "msg_other", real_now()).to_string().into_bytes();
    let stale: Vec<_> = [(1, 0), (1, 2), (7, 0)]
        .into_iter()
        .map(|(generation, tries)| {
            let changed = [
                ("holdfast-generation", AMQPValue::LongLongInt(generation)),
                ("holdfast-tries", AMQPValue::LongLongInt(tries)),
            ];
            let properties = BasicProperties::default().with_message_id("evt_1".into());
            (properties.with_headers(headers(&changed)), body.clone())
        })
        .collect();
    publish(&system.stack, &stale).await?;
    system.balanced().await?;
    assert_eq!(system.event("evt_1", "applied").await?, before);
    Ok(())
}
