//! Queries of lists, and their pages.

use crate::fake::{Fake, Reply, noon};
use anyhow::Result;
use claude::{Defect, Error, EventFilter, Order, Paging, SessionFilter, Status, TimeRange};

fn page(ids: &[&str], next: &str) -> Reply {
    let items: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}","type":"agent.message"}}"#)).collect();
    Reply::ok(format!(r#"{{"data":[{}]{next}}}"#, items.join(",")))
}

fn first_100() -> EventFilter {
    EventFilter { paging: Paging { limit: Some(100), page: None }, ..EventFilter::default() }
}

#[tokio::test]
async fn the_query_of_events_has_its_arrays_in_bracket_form() -> Result<()> {
    let fake = Fake::start([page(&[], "")])?;
    let filter = EventFilter {
        paging: Paging { limit: Some(1), page: Some("page_ä&b".to_owned()) },
        order: Some(Order::Descending),
        types: vec!["session.status_idle".to_owned(), "session.error".to_owned()],
        created_at: TimeRange { gte: Some(noon()), ..TimeRange::default() },
    };
    fake.client()?.session_events("s", &filter).await?;
    assert_eq!(
        fake.targets(),
        ["/v1/sessions/s/events?limit=1&page=page_%C3%A4%26b&order=desc&types%5B%5D=session.status_idle\
          &types%5B%5D=session.error&created_at%5Bgte%5D=2026-07-31T12%3A00%3A00Z"]
    );
    Ok(())
}

#[tokio::test]
async fn the_query_of_sessions_has_all_filters() -> Result<()> {
    let fake = Fake::start([page(&[], "")])?;
    let filter = SessionFilter {
        paging: Paging::default(),
        order: Some(Order::Ascending),
        statuses: vec![Status::Idle, Status::Running],
        created_at: TimeRange { gt: Some(noon()), lt: Some(noon()), lte: Some(noon()), gte: None },
        include_archived: true,
    };
    fake.client()?.sessions(&filter).await?;
    assert_eq!(
        fake.targets(),
        ["/v1/sessions?order=asc&statuses%5B%5D=idle&statuses%5B%5D=running\
          &created_at%5Bgt%5D=2026-07-31T12%3A00%3A00Z&created_at%5Blt%5D=2026-07-31T12%3A00%3A00Z\
          &created_at%5Blte%5D=2026-07-31T12%3A00%3A00Z&include_archived=true"]
    );
    Ok(())
}

#[tokio::test]
async fn an_empty_filter_has_no_query() -> Result<()> {
    let fake = Fake::start((0..4).map(|_| page(&[], "")))?;
    let client = fake.client()?;
    client.sessions(&SessionFilter::default()).await?;
    client.session_events("s", &EventFilter::default()).await?;
    client.threads("s", &Paging::default()).await?;
    client.thread_events("s", "t", &Paging::default()).await?;
    assert_eq!(
        fake.targets(),
        [
            "/v1/sessions",
            "/v1/sessions/s/events",
            "/v1/sessions/s/threads",
            "/v1/sessions/s/threads/t/events"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn pages_are_joined_until_the_cursor_is_null() -> Result<()> {
    let fake = Fake::start([
        page(&["a", "b"], r#","next_page":"page_2""#),
        page(&[], r#","next_page":"page_3""#),
        page(&["c"], r#","next_page":null"#),
    ])?;
    let all = fake.client()?.all_session_events("s", &first_100(), 10).await?;
    let ids: Vec<_> = all.items.iter().map(|event| event.value.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(all.items[2].raw.get(), r#"{"id":"c","type":"agent.message"}"#);
    assert_eq!(all.next_page, None);
    let path = "/v1/sessions/s/events?limit=100";
    assert_eq!(
        fake.targets(),
        [path.to_owned(), format!("{path}&page=page_2"), format!("{path}&page=page_3")]
    );
    Ok(())
}

#[tokio::test]
async fn pages_are_joined_until_the_cursor_is_absent() -> Result<()> {
    let fake = Fake::start([page(&["a"], r#","next_page":"page_2""#), page(&["b"], "")])?;
    let all = fake.client()?.all_thread_events("s", "t", &Paging::default(), 10).await?;
    assert_eq!(all.items.len(), 2);
    assert_eq!(all.next_page, None);
    Ok(())
}

#[tokio::test]
async fn the_bound_of_pages_holds_and_tells_where_to_go_on() -> Result<()> {
    let fake = Fake::start((2..9).map(|n| page(&["a"], &format!(r#","next_page":"page_{n}""#))))?;
    let client = fake.client()?;
    let some = client.all_session_events("s", &first_100(), 3).await?;
    assert_eq!(some.items.len(), 3);
    assert_eq!(some.next_page.as_deref(), Some("page_4"));
    let one = client.all_session_events("s", &first_100(), 0).await?;
    assert_eq!(one.items.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_list_that_points_at_itself_ends_with_an_error() -> Result<()> {
    let fake = Fake::start((0..9).map(|_| page(&["a"], r#","next_page":"page_2""#)))?;
    let error = fake.client()?.all_session_events("s", &first_100(), 9).await.unwrap_err();
    assert!(matches!(error, Error::Body { defect: Defect::RepeatedCursor, .. }), "{error}");
    assert_eq!(fake.asked().len(), 2);
    Ok(())
}

#[tokio::test]
async fn all_sessions_follow_their_pages_too() -> Result<()> {
    let fake = Fake::start([
        Reply::ok(r#"{"data":[{"id":"a","status":"idle"}],"next_page":"p","prev_page":null}"#),
        Reply::ok(r#"{"data":[{"id":"b","status":"running"}],"next_page":null}"#),
    ])?;
    let all = fake.client()?.all_sessions(&SessionFilter::default(), 5).await?;
    let found: Vec<_> = all.items.into_iter().map(|item| (item.value.id, item.value.status)).collect();
    assert_eq!(found, [("a".to_owned(), Status::Idle), ("b".to_owned(), Status::Running)]);
    Ok(())
}
