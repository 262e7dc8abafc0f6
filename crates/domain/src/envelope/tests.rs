use super::*;
use proptest::prelude::*;

fn parsed(body: &str) -> Event {
    parse(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> String {
    parse(body.as_bytes()).unwrap_err().to_string()
}

#[test]
fn the_platforms_envelope() {
    let event = parsed(
        r#"{"type":"event","id":"whe_1","created_at":"2026-08-21T09:14:03Z","data":{"type":"session.status_idled",
            "id":"sesn_1","organization_id":"org_1","workspace_id":"wrkspc_1","surprise":[1]}}"#,
    );
    assert_eq!(event.dialect, Dialect::Platform);
    assert_eq!(event.id.as_str(), "whe_1");
    assert_eq!(event.event_type.as_str(), "session.status_idled");
    assert_eq!(event.created_at.to_rfc3339(), "2026-08-21T09:14:03+00:00");
    assert_eq!(event.workspace_id.as_deref(), Some("wrkspc_1"));
    let resource = event.resource.unwrap();
    assert_eq!((resource.kind, resource.id.as_str()), (ResourceKind::Session, "sesn_1"));
}

#[test]
fn a_threads_event_names_its_session_in_data_id() {
    let body = |extra: &str| {
        format!(
            r#"{{"type":"event","id":"whe_1","created_at":"2026-08-21T09:14:03.25+02:00",
                "data":{{"type":"session.thread_idled","id":"sesn_1"{extra}}}}}"#
        )
    };
    let thread = parsed(&body(r#","session_thread_id":"sthr_1""#)).resource.unwrap();
    assert_eq!((thread.kind, thread.id.as_str()), (ResourceKind::SessionThread, "sthr_1"));
    assert_eq!(thread.parent_id.as_deref(), Some("sesn_1"));
    let older = parsed(&body("")).resource.unwrap();
    assert_eq!((older.kind, older.id.as_str()), (ResourceKind::Session, "sesn_1"));
}

#[test]
fn the_flat_envelope_names_its_resource_in_several_ways() {
    for place in
        [r#""data":{"id":"sesn_1"}"#, r#""session_id":"sesn_1""#, r#""data":{"session_id":"sesn_1"}"#]
    {
        let event = parsed(&format!(
            r#"{{"id":"evt_1","type":"session.status_completed","created_at":"2026-05-01T00:00:00Z",{place}}}"#
        ));
        assert_eq!(event.dialect, Dialect::Flat);
        assert_eq!(event.resource.unwrap().id, "sesn_1", "{place}");
    }
    let agent = parsed(
        r#"{"id":"evt_1","type":"agent.updated","created_at":"2026-05-01T00:00:00Z","agent_id":"agent_1"}"#,
    );
    assert_eq!(agent.resource.unwrap().kind, ResourceKind::Agent);
    let tool = parsed(
        r#"{"id":"evt_1","type":"tool.result_pending","created_at":"2026-05-01T00:00:00Z",
            "data":{"id":"sevt_9","session_id":"sesn_1"}}"#,
    );
    assert_eq!(tool.resource.unwrap().id, "sesn_1");
}

#[test]
fn classic_events() {
    let body = r#"{"type":"content_moderation.denied","event_id":"evt_1","created_at":1773568830,
        "data":{"id":"msg_abc123","model":"m","blocked_categories":["sexual"]}}"#;
    let event = parsed(body);
    assert_eq!(event.dialect, Dialect::Classic);
    assert_eq!(event.created_at.timestamp(), 1_773_568_830);
    assert_eq!(event.resource.unwrap().kind, ResourceKind::Message);
    let details = payload_data(body.as_bytes()).unwrap();
    assert!(details.starts_with(r#"{"id":"msg_abc123""#), "{details}");
    let unknown = parsed(r#"{"type":"x.y","event_id":"evt_2","created_at":1773568830,"data":{"id":"z"}}"#);
    assert_eq!(unknown.resource, None);
}

#[test]
fn a_classic_event_without_its_id_is_refused_by_name() {
    let body = r#"{"type":"message.created","created_at":1773568830,"data":{"id":"msg_1"}}"#;
    assert_eq!(refused(body), r#"the member "event_id" is missing"#);
}

#[test]
fn unknown_types_of_known_families_still_name_their_resource() {
    let event = parsed(
        r#"{"type":"event","id":"whe_1","created_at":"2026-08-21T09:14:03Z",
            "data":{"type":"session.brand_new","id":"sesn_1"}}"#,
    );
    assert_eq!(event.resource.unwrap().kind, ResourceKind::Session);
    let unknown = parsed(
        r#"{"type":"event","id":"whe_1","created_at":"2026-08-21T09:14:03Z","data":{"type":"webhook.test"}}"#,
    );
    assert_eq!(unknown.resource, None);
}

#[test]
fn what_is_no_envelope_is_refused_with_a_reason() {
    assert!(refused("").starts_with("the body is not JSON"));
    assert!(refused("{").starts_with("the body is not JSON"));
    assert_eq!(refused("[]"), "the body is not a JSON object");
    assert_eq!(refused("{}"), r#"the member "id" is missing"#);
    assert_eq!(refused(r#"{"id":5}"#), r#"the member "id" must be a string"#);
    assert_eq!(refused(r#"{"id":""}"#), r#"the member "id" must not be empty"#);
    assert_eq!(refused(r#"{"id":"a\u0000b"}"#), r#"the member "id" must not hold control characters"#);
    let long = "x".repeat(256);
    assert!(refused(&format!(r#"{{"id":"{long}"}}"#)).contains("255 bytes"));
    assert!(
        refused(r#"{"id":"a","type":"t","created_at":"yesterday"}"#).contains("RFC")
            || refused(r#"{"id":"a","type":"t","created_at":"yesterday"}"#).contains("time")
    );
    assert!(refused(r#"{"event_id":"a","type":"t","created_at":99999999999999}"#).contains("Unix seconds"));
    assert!(refused(r#"{"event_id":"a","type":"t","created_at":-5}"#).contains("Unix seconds"));
    assert!(parse(&"[".repeat(10_000).into_bytes()).is_err());
    assert!(parse(&[b'{', 0xff, 0xfe, b'}']).is_err());
}

#[test]
fn members_of_an_unexpected_type_do_no_harm_where_they_are_optional() {
    let event = parsed(
        r#"{"type":"event","id":"whe_1","created_at":"2026-08-21T09:14:03Z",
            "data":{"type":"session.updated","id":"sesn_1","workspace_id":7,"organization_id":"a\u0000"}}"#,
    );
    assert_eq!((event.workspace_id, event.organization_id), (None, None));
}

#[test]
fn a_thin_body_tells_its_time_even_when_it_is_no_envelope_otherwise() {
    let at = DateTime::from_timestamp(1_773_568_800, 0);
    let time = |body: &str| time_of_thin(body.as_bytes());
    assert_eq!(time(r#"{"created_at":"2026-03-15T10:00:00Z"}"#), at);
    assert_eq!(time(r#"{"type":"event","data":{"type":1},"created_at":"2026-03-15T10:00:00Z"}"#), at);
    assert_eq!(time(r#"{"created_at":1773568800}"#), None, "classic");
    for body in ["", "[1]", "{}", r#"{"created_at":"soon"}"#] {
        assert_eq!(time(body), None, "{body}");
    }
}

#[test]
fn times_are_kept_to_the_microsecond() {
    let event = parsed(r#"{"id":"a","type":"t","created_at":"2026-08-21T09:14:03.123456789Z"}"#);
    assert_eq!(event.created_at.timestamp_subsec_nanos(), 123_456_000);
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _outcome = parse(&bytes);
        let _details = payload_data(&bytes);
    }

    #[test]
    fn no_json_makes_the_parser_panic(
        id in ".*", kind in "(session|agent|tool|vault|x)\\.[a-z_]{0,12}", at in ".{0,30}", seconds in any::<i64>(), classic in any::<bool>()
    ) {
        let created_at = if classic { serde_json::json!(seconds) } else { serde_json::json!(at) };
        let body = serde_json::json!({"id": id, "event_id": id, "type": kind, "created_at": created_at, "data": {"id": id}});
        if let Ok(event) = parse(body.to_string().as_bytes()) {
            prop_assert_eq!(event.id.as_str(), id);
        }
    }
}
