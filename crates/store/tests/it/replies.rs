//! Decisions that go back to the platform.

use crate::bench::{Bench, after, event, noon, numbers, session};
use anyhow::{Context as _, Result};
use domain::{Effect, EffectKind, Standing};
use serde_json::{Value, json};
use store::{Error, NewEffect, NewReply, Queue};

mod posting;
mod stray;

/// A session that waits for an answer to `sevt_1`. Returns the number of the request.
async fn request(bench: &Bench) -> Result<i64> {
    let [row] = numbers(&bench.accept(&[event("evt_1")?]).await?)?[..] else {
        anyhow::bail!("not one event")
    };
    let effect = Effect {
        kind: EffectKind::Review,
        key: "sevt_1".to_owned(),
        standing: Standing::Due,
        detail: "waits".to_owned(),
    };
    let mut tx = bench.store.begin("request").await?;
    store::record_effects(&mut tx, &[NewEffect { resource: &session("sesn_1"), event: row, effect }], noon())
        .await?;
    tx.commit().await?;
    bench.number("SELECT id FROM effects").await
}

fn allow() -> Value {
    json!({ "type": "user.tool_confirmation", "tool_use_id": "sevt_1", "result": "allow" })
}

async fn decide(bench: &Bench, effect: i64) -> Result<i64, Error> {
    let reply = allow();
    let new =
        NewReply { effect, session_id: "sesn_1", tool_use_id: "sevt_1", reply: &reply, decided_by: "ada" };
    let mut tx = bench.store.begin("decide").await?;
    let event = store::accept_reply(&mut tx, &new, after(60)).await?;
    tx.commit().await?;
    Ok(event)
}

#[tokio::test]
async fn a_decision_is_an_event_of_our_own_that_is_due_for_the_queue_replies() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = request(&bench).await?;
    let row = decide(&bench, effect).await?;
    let mut connection = bench.store.connection().await?;
    let due = store::claim_due(&mut connection, after(60), after(90), 10).await?;
    let [due] = &due[..] else { anyhow::bail!("{} are due", due.len()) };
    assert_eq!((due.ticket.event, due.queue, due.generation, due.tries), (row, Queue::Replies, 1, 0));
    assert_eq!(due.key.to_string(), "replies/reply_sevt_1_1");
    let found = store::find_events(&mut connection, "reply_sevt_1_1", Some("replies")).await?;
    let found = found.first().context("the event is not stored")?;
    assert_eq!((found.source.as_str(), found.row.event_type.as_str()), ("reply", "holdfast.reply"));
    assert_eq!(found.workspace_id.as_deref(), Some("wrkspc_1"));
    let parsed = domain::envelope::parse(&found.payload)?;
    assert_eq!((parsed.id.as_str(), parsed.created_at), ("reply_sevt_1_1", after(60)));
    let payload: Value = serde_json::from_slice(&found.payload)?;
    assert_eq!(payload["data"], json!({ "type": "holdfast.reply", "id": "sesn_1", "reply": allow() }));
    Ok(())
}

#[tokio::test]
async fn a_request_that_has_an_answer_takes_no_other_and_one_whose_answer_came_to_nothing_does() -> Result<()>
{
    let bench = Bench::new().await?;
    let effect = request(&bench).await?;
    decide(&bench, effect).await?;
    for state in ["queued", "posted", "elsewhere"] {
        bench.sql(format!("UPDATE replies SET state = '{state}'")).await?;
        let refused = decide(&bench, effect).await;
        assert!(matches!(&refused, Err(Error::Answered { number: 1, .. })), "{state}: {refused:?}");
    }
    for (state, number) in [("failed", 2), ("obsolete", 3)] {
        bench.sql(format!("UPDATE replies SET state = '{state}'")).await?;
        decide(&bench, effect).await?;
        assert_eq!(bench.number("SELECT max(number)::bigint FROM replies").await?, number);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_decide_at_once_one_does() -> Result<()> {
    let bench = Bench::new().await?;
    let effect = request(&bench).await?;
    let decisions = futures_util::future::join_all((0..8).map(|_| decide(&bench, effect))).await;
    assert_eq!(decisions.iter().filter(|decision| decision.is_ok()).count(), 1);
    for refused in decisions.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, Error::Answered { .. }), "{refused:?}");
    }
    assert_eq!(bench.number("SELECT count(*) FROM outbox WHERE queue = 'replies'").await?, 1);
    Ok(())
}
