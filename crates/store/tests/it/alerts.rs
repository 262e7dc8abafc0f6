//! What a person should know: raised once, counted, resolved, raised anew.

use crate::bench::{Bench, after, session};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use domain::alert::Cause;
use domain::{ResourceRef, Severity};
use serde_json::json;
use store::{AlertFilter, AlertRow, NewAlert};

fn alert<'a>(severity: Severity, title: &'a str, resource: Option<&'a ResourceRef>) -> NewAlert<'a> {
    NewAlert {
        kind: "session_error",
        key: "session sesn_1",
        severity,
        resource,
        title,
        details: json!({ "title": title, "nul": "\0" }),
        event: None,
    }
}

fn cause(idle_event: &str, at: DateTime<Utc>) -> Cause {
    Cause { idle_event: Some(idle_event.to_owned()), at }
}

async fn all(bench: &Bench) -> Result<Vec<AlertRow>> {
    let filter = AlertFilter { resolved_too: true, limit: 100, ..AlertFilter::default() };
    Ok(store::list_alerts(&mut *bench.store.connection().await?, &filter).await?)
}

#[tokio::test]
async fn an_open_alert_counts_up_and_takes_the_newer_details_and_the_greater_severity() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let resource = session("sesn_1");
    for (second, severity) in [(1, Severity::Warning), (2, Severity::Critical), (3, Severity::Info)] {
        let title = format!("time {second}\0");
        let alert = alert(severity, &title, Some(&resource));
        store::raise_alert(&mut connection, &alert, after(second)).await?;
    }
    let alerts = all(&bench).await?;
    let [only] = alerts.as_slice() else { anyhow::bail!("{alerts:?}") };
    assert_eq!((only.times, only.severity.as_str()), (3, "critical"));
    assert_eq!((only.raised_at, only.last_raised_at), (after(1), after(3)));
    assert_eq!(only.details["title"], "time 3\0");
    assert_eq!(only.title, "time 3\u{fffd}");
    assert_eq!(store::open_alert_figures(&mut connection).await?, [(Severity::Critical, 1)]);
    Ok(())
}

#[tokio::test]
async fn what_is_raised_after_its_resolution_is_a_new_alert() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let new = alert(Severity::Warning, "again", None);
    let first = store::raise_alert(&mut connection, &new, after(1)).await?;
    assert!(store::resolve_alert(&mut connection, new.kind, new.key, after(2)).await?);
    assert!(!store::resolve_alert(&mut connection, new.kind, new.key, after(3)).await?);
    let second = store::raise_alert(&mut connection, &new, after(4)).await?;
    assert_ne!(first, second);
    let alerts = all(&bench).await?;
    assert_eq!(alerts.iter().map(|alert| alert.id).collect::<Vec<_>>(), [second, first]);
    let old = store::find_alert(&mut connection, first).await?.context("it is kept")?;
    assert_eq!((old.resolved_at, old.times), (Some(after(2)), 1));
    Ok(())
}

#[tokio::test]
async fn many_who_raise_the_same_alert_at_once_make_one() -> Result<()> {
    let bench = Bench::new().await?;
    let raising = (0..8).map(|_| async {
        let mut connection = bench.store.connection().await?;
        store::raise_alert(&mut connection, &alert(Severity::Warning, "t", None), after(1)).await
    });
    let numbers = futures_util::future::try_join_all(raising).await?;
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]), "{numbers:?}");
    assert_eq!(all(&bench).await?.first().map(|alert| alert.times), Some(8));
    Ok(())
}

#[tokio::test]
async fn of_several_causes_the_newest_counts_and_a_past_one_touches_nothing_that_is_open() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let resource = session("sesn_1");
    let new = alert(Severity::Warning, "t", Some(&resource));
    for (idle, second) in [("sevt_2", 20), ("sevt_1", 10)] {
        store::raise_caused_alert(&mut connection, &new, Some(&cause(idle, after(second))), after(30))
            .await?;
    }
    store::record_past_alert(&mut connection, &new, &cause("sevt_0", after(1)), "running", after(31)).await?;
    let open = store::open_alerts_of_resources(&mut connection, 0, 10).await?;
    let [only] = open.as_slice() else { anyhow::bail!("{open:?}") };
    assert_eq!(only.cause, cause("sevt_2", after(20)));
    assert_eq!(all(&bench).await?.len(), 2);
    // Raised again after somebody looked: what they saw does not end it.
    assert!(
        !store::resolve_alert_by_number(&mut connection, only.id, "x", Some(after(29)), after(32)).await?
    );
    assert!(store::resolve_alert_by_number(&mut connection, only.id, "x", Some(after(30)), after(32)).await?);
    assert!(store::open_alerts_of_resources(&mut connection, 0, 10).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn lists_are_narrowed_and_show_the_most_urgent_first() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let (one, two) = (session("sesn_1"), session("sesn_2"));
    let mild = NewAlert { key: "a", ..alert(Severity::Info, "mild", Some(&one)) };
    let bad = NewAlert { key: "b", ..alert(Severity::Critical, "bad", Some(&two)) };
    let other = NewAlert { kind: "test", ..alert(Severity::Warning, "other", None) };
    for new in [&mild, &bad, &other] {
        store::raise_alert(&mut connection, new, after(1)).await?;
    }
    let mut titles = async |filter: AlertFilter| {
        let filter = AlertFilter { limit: 10, ..filter };
        let found = store::list_alerts(&mut connection, &filter).await?;
        anyhow::Ok(found.into_iter().map(|alert| alert.title).collect::<Vec<_>>())
    };
    assert_eq!(titles(AlertFilter::default()).await?, ["bad", "other", "mild"]);
    let at_least = AlertFilter { severity: Some(Severity::Warning), ..AlertFilter::default() };
    assert_eq!(titles(at_least).await?, ["bad", "other"]);
    let kind = AlertFilter { kind: Some("test".to_owned()), ..AlertFilter::default() };
    assert_eq!(titles(kind).await?, ["other"]);
    let resource = AlertFilter { resource_id: Some("sesn_1".to_owned()), ..AlertFilter::default() };
    assert_eq!(titles(resource).await?, ["mild"]);
    Ok(())
}
