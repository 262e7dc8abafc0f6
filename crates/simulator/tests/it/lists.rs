use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::Lab;

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Five sessions a second apart, `sesn_0` the oldest; `sesn_4` archived, `sesn_1` running.
async fn five_sessions() -> Lab {
    let lab = Lab::start().await;
    for number in 0..5 {
        let status = if number == 1 { "running" } else { "idle" };
        let archived_at = if number == 4 { json!("2026-08-01T00:01:00Z") } else { Value::Null };
        let given = json!({ "created_at": format!("2026-08-01T00:00:0{number}Z"), "status": status,
            "archived_at": archived_at, "agent": { "id": format!("agent_{}", number % 2) } });
        lab.control(Method::PUT, &format!("/sessions/sesn_{number}"), given).await;
    }
    lab
}

#[tokio::test]
async fn pages_lead_forth_and_back_newest_first() {
    let lab = five_sessions().await;
    let (_, first) = lab.get("/v1/sessions?limit=3").await;
    assert_eq!(ids(&first), ["sesn_3", "sesn_2", "sesn_1"]);
    assert_eq!(first["prev_page"], Value::Null);

    let next = first["next_page"].as_str().unwrap();
    let (_, second) = lab.get(&format!("/v1/sessions?limit=3&page={next}")).await;
    assert_eq!(ids(&second), ["sesn_0"]);
    assert_eq!(second["next_page"], Value::Null);

    let (_, back) =
        lab.get(&format!("/v1/sessions?limit=3&page={}", second["prev_page"].as_str().unwrap())).await;
    assert_eq!(ids(&back), ids(&first));
}

#[tokio::test]
async fn a_cursor_is_refused_with_another_order_and_when_it_is_garbage() {
    let lab = five_sessions().await;
    let (_, first) = lab.get("/v1/sessions?limit=1").await;
    let next = first["next_page"].as_str().unwrap();
    for (query, expected) in [
        (format!("limit=2&page={next}"), 200),
        (format!("limit=1&order=asc&page={next}"), 400),
        (format!("page={next}&created_at[lt]=2026-08-01T00:00:01Z"), 400),
        ("page=page_garbage".to_owned(), 400),
    ] {
        assert_eq!(lab.get(&format!("/v1/sessions?{query}")).await.0, expected, "{query}");
    }
}

#[tokio::test]
async fn filters_take_arrays_and_ranges_in_brackets() {
    let lab = five_sessions().await;
    let table: [(&str, &[&str]); 7] = [
        ("include_archived=true", &["sesn_4", "sesn_3", "sesn_2", "sesn_1", "sesn_0"]),
        ("statuses[]=running", &["sesn_1"]),
        ("statuses%5B%5D=running&statuses%5B%5D=idle&order=asc", &["sesn_0", "sesn_1", "sesn_2", "sesn_3"]),
        ("agent_id=agent_0", &["sesn_2", "sesn_0"]),
        ("created_at[gte]=2026-08-01T00:00:02Z", &["sesn_3", "sesn_2"]),
        ("created_at[gt]=2026-08-01T00:00:02Z", &["sesn_3"]),
        ("created_at[lte]=2026-08-01T02:00:01%2B02:00&beta=true", &["sesn_1", "sesn_0"]),
    ];
    for (query, expected) in table {
        let (status, list) = lab.get(&format!("/v1/sessions?{query}")).await;
        assert_eq!(status, 200, "{query}");
        assert_eq!(ids(&list), expected, "{query}");
    }
}

#[tokio::test]
async fn parameters_that_the_api_does_not_know_are_refused() {
    let lab = five_sessions().await;
    for query in
        ["statuses=idle", "status[]=idle", "created_at=2026-08-01", "limit=0", "limit=many", "order=up"]
    {
        assert_eq!(lab.get(&format!("/v1/sessions?{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn events_filter_by_type_and_reverse() {
    let lab = Lab::start().await;
    let (session, _) = lab.play("turn_end", json!({})).await;
    let path = format!("/v1/sessions/{session}/events");
    let (_, last) = lab.get(&format!("{path}?types[]=session.status_idle&order=desc&limit=1")).await;
    assert_eq!(last["data"][0]["stop_reason"]["type"], "end_turn");
    assert!(last.get("prev_page").is_none());

    let (_, two) = lab.get(&format!("{path}?types[]=session.usage&types[]=agent.message")).await;
    assert_eq!(two["data"].as_array().unwrap().len(), 2);
    let (_, none) = lab.get(&format!("{path}?created_at[lt]=2020-01-01T00:00:00Z")).await;
    assert_eq!(none["data"], json!([]));
}
