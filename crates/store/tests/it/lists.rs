//! Events, for people.

use crate::bench::{Bench, after, event, failure, noon, session};
use anyhow::Result;
use domain::{EndpointName, EventId, EventStatus, EventType};
use store::{EventFilter, NewEvent};

async fn ids(bench: &Bench, filter: &EventFilter) -> Result<Vec<String>> {
    let mut connection = bench.store.connection().await?;
    let rows = store::list_events(&mut connection, filter).await?;
    Ok(rows.into_iter().map(|row| row.event_id).collect())
}

#[tokio::test]
async fn each_filter_narrows_the_list_and_the_newest_come_first() -> Result<()> {
    let bench = Bench::new().await?;
    let mut other_type = NewEvent { received_at: after(10), ..event("evt_2")? };
    other_type.event.event_type = EventType::new("vault.created")?;
    other_type.event.resource = Some(session("vlt_1"));
    let elsewhere = NewEvent { endpoint: EndpointName::new("billing")?, ..event("evt_3")? };
    let rows = bench.scheduled(&[event("evt_1")?, other_type, elsewhere]).await?;
    let mut tx = bench.store.begin("die").await?;
    store::record_failures(&mut tx, &[failure(rows[0].event, 3, true)], "worker-1", noon()).await?;
    tx.commit().await?;

    let all = || EventFilter { limit: 10, ..EventFilter::default() };
    let text = |text: &str| Some(text.to_owned());
    let mut newest_first: Vec<_> = rows.iter().zip(["evt_1", "evt_2", "evt_3"]).collect();
    newest_first.sort_by_key(|(row, _)| std::cmp::Reverse(row.event));
    let newest_first: Vec<&str> = newest_first.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids(&bench, &all()).await?, newest_first);
    assert_eq!(ids(&bench, &EventFilter { limit: 1, ..all() }).await?, newest_first[..1]);
    let cases = [
        (EventFilter { status: Some(EventStatus::Dead), ..all() }, &["evt_1"][..]),
        (EventFilter { source: Some(store::Source::Reply), ..all() }, &[]),
        (EventFilter { event_type: text("vault.*"), ..all() }, &["evt_2"]),
        (EventFilter { event_type: text("vault.created"), ..all() }, &["evt_2"]),
        (EventFilter { event_type: text("vault"), ..all() }, &[]),
        (EventFilter { resource_id: text("vlt_1"), ..all() }, &["evt_2"]),
        (EventFilter { endpoint: text("billing"), ..all() }, &["evt_3"]),
        (EventFilter { since: Some(after(10)), ..all() }, &["evt_2"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&bench, &filter).await?, expected, "{filter:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_id_is_found_at_every_endpoint_that_received_it() -> Result<()> {
    let bench = Bench::new().await?;
    let elsewhere = NewEvent { endpoint: EndpointName::new("billing")?, ..event("evt_1")? };
    bench.accept(&[event("evt_1")?, elsewhere, event("evt_2")?]).await?;
    let mut connection = bench.store.connection().await?;
    assert_eq!(store::find_events(&mut connection, "evt_1", None).await?.len(), 2);
    assert_eq!(store::find_events(&mut connection, "evt_1", Some("billing")).await?.len(), 1);
    assert!(store::find_events(&mut connection, "evt_1", Some("nowhere")).await?.is_empty());
    assert!(store::find_events(&mut connection, "evt_9", None).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn odd_characters_survive_in_every_name() -> Result<()> {
    let bench = Bench::new().await?;
    let odd = [
        "'; DROP TABLE events; --",
        "100%_\\\"{},(NULL)",
        "\u{202e}\u{200b}\u{feff}\u{10ffff}",
        "\u{1f469}\u{200d}\u{1f680} e\u{301} \u{e9}",
        " leading and trailing ",
        "NULL",
        &"x".repeat(255),
    ];
    for text in odd {
        let mut new = event(text)?;
        new.endpoint = EndpointName::new(text)?;
        new.event.event_type = EventType::new(text)?;
        new.event.resource = Some(session(text));
        new.event.organization_id = Some(text.to_owned());
        new.event.workspace_id = Some(text.to_owned());
        new.content_type = Some(text.to_owned());
        bench.accept(std::slice::from_ref(&new)).await?;
        let mut tx = bench.store.begin("look").await?;
        let found = store::find_events(&mut tx, text, Some(text)).await?;
        let [found] = &found[..] else { panic!("{text:?} is found once") };
        assert_eq!(found.row.event_type, text);
        assert_eq!(found.row.resource_id.as_deref(), Some(text));
        assert_eq!(found.content_type.as_deref(), Some(text));
        assert_eq!(found.workspace_id.as_deref(), Some(text));
        assert_eq!(store::lock_events(&mut tx, &[new.key()]).await?.len(), 1);
        assert_eq!(store::lock_states(&mut tx, &[&session(text)]).await?.len(), 1);
    }
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 7);
    Ok(())
}

#[tokio::test]
async fn the_largest_names_fit_the_unique_index() -> Result<()> {
    let bench = Bench::new().await?;
    // Hard to compress, so that the index gets all of it.
    let widest: String = (0..255_u32).filter_map(|n| char::from_u32(0x21 + (n * 37) % 93)).collect();
    let mut new = event("evt_1")?;
    new.endpoint = EndpointName::new(widest.as_str())?;
    new.event.id = EventId::new(widest.as_str())?;
    assert_eq!(bench.accept(&[new]).await?.outcomes.len(), 1);
    Ok(())
}
