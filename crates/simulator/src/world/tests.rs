use serde_json::{Value, json};

use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + second, 0).unwrap()
}

fn world() -> (World, String) {
    let mut world = World::new(7, false);
    let id = world.put(None, Object::new(), at(0)).id().to_owned();
    (world, id)
}

fn play(world: &mut World, id: &str, scenario: Scenario) -> Vec<String> {
    let notices = world.play(scenario, id, &[], at(1)).unwrap();
    notices.into_iter().map(|notice| notice.kind).collect()
}

fn send(world: &mut World, id: &str, events: &Value) -> Result<Vec<String>, Refusal> {
    let events: Vec<Object> = events.as_array().unwrap().iter().cloned().map(object).collect();
    let (_, notices) = world.change(id, at(2), |session, stamp| session.receive(&events, stamp))?;
    Ok(notices.into_iter().map(|notice| notice.kind).collect())
}

fn stream(world: &mut World, id: &str) -> Vec<String> {
    world.session(id).unwrap().events.iter().map(|event| text(event, "type").to_owned()).collect()
}

fn two_asks(world: &mut World, id: &str) -> (String, String) {
    let bash: ToolRequest =
        serde_json::from_value(json!({ "type": "agent.tool_use", "name": "bash", "input": {} })).unwrap();
    world.play(Scenario::RequiresAction, id, &[ToolRequest::default(), bash], at(1)).unwrap();
    let blocking = world.session(id).unwrap().blocking.clone();
    (blocking[0].clone(), blocking[1].clone())
}

#[test]
fn each_scenario_ends_in_its_state_and_announces_it() {
    let table: [(Scenario, &str, &[&str]); 13] = [
        (Scenario::RunStarted, "running", &["session.status_run_started"]),
        (Scenario::TurnEnd, "idle", &["session.status_run_started", "session.status_idled"]),
        (Scenario::RequiresAction, "idle", &["session.status_run_started", "session.status_idled"]),
        (Scenario::Refusal, "idle", &["session.status_run_started", "session.status_idled"]),
        (Scenario::Error, "rescheduling", &["session.status_run_started", "session.status_rescheduled"]),
        (Scenario::RetriesExhausted, "idle", &["session.status_run_started", "session.status_idled"]),
        (Scenario::Terminated, "terminated", &["session.status_run_started", "session.status_terminated"]),
        (Scenario::Archived, "terminated", &["session.status_terminated"]),
        (
            Scenario::BudgetReached,
            "idle",
            &["session.status_run_started", "session.budget_reached", "session.status_idled"],
        ),
        (Scenario::Updated, "idle", &["session.updated"]),
        (Scenario::Created, "idle", &["session.created"]),
        (Scenario::Outcome, "running", &["session.status_run_started", "session.outcome_evaluation_ended"]),
        (
            Scenario::ThreadLifecycle,
            "running",
            &[
                "session.status_run_started",
                "session.thread_created",
                "session.thread_idled",
                "session.thread_terminated",
            ],
        ),
    ];
    for (scenario, status, webhooks) in table {
        let (mut world, id) = world();
        assert_eq!(play(&mut world, &id, scenario), webhooks, "{scenario:?}");
        assert_eq!(world.session(&id).unwrap().status(), status, "{scenario:?}");
    }
}

#[test]
fn a_turn_ends_with_thread_idle_then_usage_then_session_idle() {
    let (mut world, id) = world();
    play(&mut world, &id, Scenario::TurnEnd);
    let stream = stream(&mut world, &id);
    let tail = &stream[stream.len() - 3..];
    assert_eq!(tail, ["session.thread_status_idle", "session.usage", "session.status_idle"]);
    assert_eq!(world.session(&id).unwrap().object["usage"]["input_tokens"], 120);
}

#[test]
fn a_partial_answer_idles_again_with_the_rest_and_the_last_one_resumes() {
    let (mut world, id) = world();
    let (custom, approval) = two_asks(&mut world, &id);

    let first = json!([{ "type": "user.custom_tool_result", "custom_tool_use_id": custom, "content": [] }]);
    assert_eq!(send(&mut world, &id, &first).unwrap(), ["session.status_idled"]);
    assert_eq!(world.session(&id).unwrap().blocking, std::slice::from_ref(&approval));
    assert!(matches!(send(&mut world, &id, &first), Err(Refusal::Invalid { .. })), "a second reply");

    let second = json!([{ "type": "user.tool_confirmation", "tool_use_id": approval, "result": "allow" }]);
    assert_eq!(send(&mut world, &id, &second).unwrap(), ["session.status_run_started"]);
    assert_eq!(world.session(&id).unwrap().status(), "running");
}

#[test]
fn one_call_that_answers_everything_resumes_without_idling_in_between() {
    let (mut world, id) = world();
    let (custom, approval) = two_asks(&mut world, &id);
    let both = json!([
        { "type": "user.custom_tool_result", "custom_tool_use_id": custom },
        { "type": "user.tool_confirmation", "tool_use_id": approval, "result": "deny", "deny_message": "no" },
    ]);
    assert_eq!(send(&mut world, &id, &both).unwrap(), ["session.status_run_started"]);
}

#[test]
fn a_call_with_one_refused_event_changes_nothing() {
    let (mut world, id) = world();
    let (custom, approval) = two_asks(&mut world, &id);
    let before = stream(&mut world, &id);
    for wrong in [
        json!({ "type": "user.message", "content": [{ "type": "text", "text": "hello" }] }),
        json!({ "type": "user.tool_confirmation", "tool_use_id": "sevt_unknown", "result": "allow" }),
        json!({ "type": "user.tool_confirmation", "tool_use_id": custom, "result": "allow" }),
        json!({ "type": "user.tool_confirmation", "tool_use_id": approval, "result": "perhaps" }),
        json!({ "type": "user.tool_confirmation", "tool_use_id": approval, "result": "allow", "deny_message": "no" }),
        json!({ "type": "tool_confirmation", "tool_use_id": approval, "result": "allow" }),
    ] {
        let call = json!([{ "type": "user.custom_tool_result", "custom_tool_use_id": custom }, wrong]);
        assert!(matches!(send(&mut world, &id, &call), Err(Refusal::Invalid { .. })), "{call}");
    }
    assert_eq!(stream(&mut world, &id), before);
}

#[test]
fn a_message_sent_while_running_is_queued_and_starts_the_next_turn() {
    let (mut world, id) = world();
    play(&mut world, &id, Scenario::RunStarted);
    let hello = json!([{ "type": "user.message", "content": [{ "type": "text", "text": "more" }] }]);
    assert!(send(&mut world, &id, &hello).unwrap().is_empty());
    assert_eq!(
        play(&mut world, &id, Scenario::TurnEnd),
        ["session.status_idled", "session.status_run_started"]
    );
}

#[test]
fn an_interrupt_ends_the_turn_closes_open_calls_and_is_a_no_op_when_idle() {
    let (mut world, id) = world();
    let (custom, _) = two_asks(&mut world, &id);
    let interrupt = json!([{ "type": "user.interrupt" }]);
    assert_eq!(send(&mut world, &id, &interrupt).unwrap(), ["session.status_idled"]);
    assert_eq!(world.session(&id).unwrap().stopped_by, "end_turn");
    let late = json!([{ "type": "user.custom_tool_result", "custom_tool_use_id": custom }]);
    assert!(send(&mut world, &id, &late).is_err());
    assert!(send(&mut world, &id, &interrupt).unwrap().is_empty());
}

#[test]
fn final_states_refuse_events_and_running_ones_refuse_the_end() {
    let hello = json!([{ "type": "user.message", "content": [{ "type": "text", "text": "hi" }] }]);
    let (mut world, id) = world();
    play(&mut world, &id, Scenario::RunStarted);
    assert!(matches!(world.delete(&id, at(3)), Err(Refusal::Invalid { .. })));
    play(&mut world, &id, Scenario::Archived);
    assert!(matches!(send(&mut world, &id, &hello), Err(Refusal::Conflict { .. })));
    assert!(world.change(&id, at(4), Session::archive).unwrap().is_empty(), "archiving again is silent");
    assert_eq!(play(&mut world, &id, Scenario::Deleted), ["session.deleted"]);
    assert!(matches!(send(&mut world, &id, &hello), Err(Refusal::NotFound { .. })));
}

#[test]
fn a_reached_budget_refuses_messages_until_it_is_raised() {
    let (mut world, id) = world();
    play(&mut world, &id, Scenario::BudgetReached);
    let hello = json!([{ "type": "user.message", "content": [{ "type": "text", "text": "hi" }] }]);
    assert!(send(&mut world, &id, &hello).is_err());
    let raised = object(json!({ "budget": null }));
    let notices = world.change(&id, at(5), |session, stamp| session.update(raised, stamp)).unwrap();
    let kinds: Vec<_> = notices.iter().map(|notice| notice.kind.as_str()).collect();
    assert_eq!(kinds, ["session.updated", "session.status_run_started"]);
}

#[test]
fn results_of_an_ended_child_thread_are_refused() {
    let (mut world, id) = world();
    play(&mut world, &id, Scenario::ThreadCreated);
    let child = world.session(&id).unwrap().newest_child().unwrap();
    let tool = ToolRequest { session_thread_id: Some(child.clone()), ..ToolRequest::default() };
    world.play(Scenario::RequiresAction, &id, &[tool], at(2)).unwrap();
    let blocking = world.session(&id).unwrap().blocking[0].clone();
    world.change(&id, at(3), |session, stamp| session.end_child(&child, stamp)).unwrap();
    let late = json!([{ "type": "user.custom_tool_result", "custom_tool_use_id": blocking }]);
    assert!(send(&mut world, &id, &late).is_err());
}

#[test]
fn a_lagging_session_shows_the_older_state_for_so_many_fetches() {
    let (mut world, id) = world();
    play(&mut world, &id, Scenario::RunStarted);
    world.session(&id).unwrap().lag_behind(2);
    play(&mut world, &id, Scenario::TurnEnd);
    let seen: Vec<Value> = (0..3).map(|_| world.session(&id).unwrap().read()["status"].clone()).collect();
    assert_eq!(seen, ["running", "running", "idle"]);
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let build = || {
        let (mut world, id) = world();
        play(&mut world, &id, Scenario::ThreadLifecycle);
        format!("{:?}", world.session(&id).unwrap())
    };
    assert_eq!(build(), build());
}
