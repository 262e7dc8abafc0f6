//! Postgres away, slow, and back.

use crate::bench::{Bench, PATIENCE, after, event, key, options};
use anyhow::Result;
use std::time::{Duration, Instant};
use store::{Accepted, Error, NewEvent, Options, Store};
use testkit::eventually;
use testkit::proxy::TcpProxy;

/// A store behind a proxy, with connections that are open and idle.
async fn behind_a_proxy(bench: &Bench) -> Result<(TcpProxy, Store)> {
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let store = Store::new(&options(url))?;
    let mut open = Vec::new();
    for _ in 0..6 {
        open.push(store.begin("warm up").await?);
    }
    for tx in open {
        tx.commit().await?;
    }
    Ok((proxy, store))
}

async fn accept(store: &Store, event: NewEvent) -> Result<Vec<Accepted>, Error> {
    let mut tx = store.begin("accept").await?;
    let accepted = store::accept_batch(&mut tx, &[event], Some(after(10))).await?;
    tx.commit().await?;
    Ok(accepted.outcomes)
}

#[tokio::test]
async fn without_postgres_everything_is_unavailable_and_afterwards_all_is_well() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, store) = behind_a_proxy(&bench).await?;
    proxy.cut();
    let error = accept(&store, event("evt_1")?).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(store.check_schema().await.unwrap_err().is_unavailable());
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 0);
    proxy.heal();
    eventually(PATIENCE, "an accepted event", async || Ok(Some(accept(&store, event("evt_1")?).await?)))
        .await?;
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_cut_within_a_transaction_is_unavailable_and_leaves_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, store) = behind_a_proxy(&bench).await?;
    let mut tx = store.begin("accept").await?;
    store::accept_batch(&mut tx, &[event("evt_1")?], Some(after(10))).await?;
    proxy.drop_connections();
    let error = store::lock_events(&mut tx, &[key("evt_1")?]).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    drop(tx);
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_restart_of_postgres_does_not_fail_a_transaction_that_begins_after_it() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, store) = behind_a_proxy(&bench).await?;
    proxy.drop_connections();
    assert!(matches!(accept(&store, event("evt_1")?).await?[..], [Accepted::New(_)]));

    // As seen by the server's side: the sessions are told to end.
    bench
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await?;
    assert!(matches!(accept(&store, event("evt_2")?).await?[..], [Accepted::New(_)]));
    Ok(())
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_unavailable() -> Result<()> {
    let bench = Bench::new().await?;
    let patient = options(bench.database.url());
    let store = Store::new(&Options { statement_timeout: Some(Duration::from_millis(200)), ..patient })?;
    let mut holder = bench.store.begin("hold").await?;
    store::accept_batch(&mut holder, &[event("evt_1")?], Some(after(10))).await?;
    let error = accept(&store, event("evt_1")?).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    holder.commit().await?;
    assert_eq!(accept(&store, event("evt_1")?).await?, [Accepted::Duplicate]);
    Ok(())
}

#[tokio::test]
async fn without_a_free_connection_the_wait_ends_in_time() -> Result<()> {
    let bench = Bench::new().await?;
    let store = Store::new(&Options { connections: 1, ..options(bench.database.url()) })?;
    let holder = store.begin("hold").await?;
    let (begun, taken) = tokio::join!(store.begin("wait"), store.connection());
    assert!(begun.unwrap_err().is_unavailable());
    assert!(taken.err().is_some_and(|error| error.is_unavailable()));
    holder.commit().await?;
    eventually(PATIENCE, "a free connection", async || Ok(Some(store.begin("go").await?))).await?;
    Ok(())
}

/// Enough for a connection and a round trip on a busy machine.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// One round trip, with a deadline.
async fn look(store: &Store) -> Result<i64, Error> {
    let looking = async {
        let mut connection = store.connection().await?;
        Ok::<_, Error>(store::backlog(&mut connection).await?.pending)
    };
    store.within(LOOK_LIMIT, "look", looking).await
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fall_silent_cost_one_deadline_and_no_place_in_the_pool() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, store) = behind_a_proxy(&bench).await?;
    eventually(PATIENCE, "a pool that works", async || Ok(Some(look(&store).await?))).await?;
    proxy.strand();
    let began = Instant::now();
    let error = look(&store).await.unwrap_err();
    assert!(matches!(error, Error::Silent { .. }) && error.is_unavailable(), "{error:?}");
    assert!(began.elapsed() < 2 * LOOK_LIMIT, "{:?}", began.elapsed());
    eventually(PATIENCE, "a connection that works", async || Ok(Some(look(&store).await?))).await?;
    // As many as the pool may have: none of its places is held by a dead one.
    let mut all = Vec::new();
    for _ in 0..options(String::new()).connections {
        all.push(store.begin("use them all").await?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_silent_when_it_is_given_back_is_closed() -> Result<()> {
    let bench = Bench::new().await?;
    let (proxy, url) = TcpProxy::start_before(&bench.database.url()).await?;
    let store = Store::new(&Options { connections: 1, ..options(url) })?;
    let free =
        async || eventually(PATIENCE, "a place in the pool", async || Ok(Some(look(&store).await?))).await;
    let connection = store.connection().await?;
    proxy.strand();
    drop(connection);
    free().await?;
    let mut tx = store.begin("accept").await?;
    store::accept_batch(&mut tx, &[event("evt_1")?], Some(after(10))).await?;
    proxy.strand();
    drop(tx);
    free().await?;
    // Work that was dropped in the middle leaves nothing behind either.
    proxy.stall();
    assert!(look(&store).await.is_err());
    proxy.resume();
    free().await?;
    assert_eq!(bench.number("SELECT count(*) FROM events").await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_error_of_the_pool_names_the_server() -> Result<()> {
    let store = Store::new(&Options {
        acquire_timeout: Duration::from_millis(300),
        ..options("postgres://holdfast:very-secret@127.0.0.1:1/nowhere".to_owned())
    })?;
    for error in [store.begin("accept").await.err(), store.connection().await.err()] {
        let said = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("127.0.0.1:1 ") && !said.contains("very-secret"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_statement_is_not_mistaken_for_an_outage() -> Result<()> {
    let bench = Bench::new().await?;
    bench.sql("ALTER TABLE bundles DROP COLUMN due_at").await?;
    let error = accept(&bench.store, event("evt_1")?).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn errors_name_no_password() -> Result<()> {
    let url = "postgres://holdfast:very-secret@127.0.0.1:1/nowhere".to_owned();
    let store = Store::new(&Options { acquire_timeout: Duration::from_millis(300), ..options(url) })?;
    let error = store.server().await.unwrap_err();
    assert!(error.is_unavailable());
    assert!(!format!("{error:?} {error} {store:?}").contains("very-secret"), "{error:?} {store:?}");
    let error = Store::new(&options("postgres://u:very-secret@host:port/".to_owned())).unwrap_err();
    assert!(matches!(error, Error::Settings { .. }));
    assert!(!format!("{error:?} {error}").contains("very-secret"), "{error:?}");
    Ok(())
}
