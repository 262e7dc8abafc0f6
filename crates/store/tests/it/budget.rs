//! The budget of calls that all workers share.

use crate::bench::{Bench, noon};
use anyhow::Result;
use chrono::TimeDelta;
use domain::budget::Bucket;
use domain::{CallClass, Rate};
use futures_util::future::try_join_all;

fn rate(per_minute: u32) -> Result<Rate> {
    Rate::per_minute(per_minute).ok_or_else(|| anyhow::anyhow!("no limit"))
}

#[tokio::test]
async fn the_shared_bucket_gives_what_the_pure_one_gives() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let rate = rate(90)?;
    // As full as the shared one is at first.
    let mut bucket = Bucket::empty(noon() - TimeDelta::days(1));
    // Milliseconds after noon, tokens wanted, and a pause (in milliseconds from then) that begins before.
    let steps = [
        (0, 50, None),
        (10, 100, None),
        (400, 1, None),
        (700, 5, None),
        // A clock that is behind.
        (100, 5, None),
        (2_000, 1, Some(3_000)),
        (2_500, 1, Some(100)),
        (4_999, 1, None),
        (5_000, 1, None),
        (5_100, 2_000, None),
        (500_000, 2_000, None),
    ];
    for (n, (milliseconds, wanted, pause)) in steps.into_iter().enumerate() {
        let now = noon() + TimeDelta::milliseconds(milliseconds);
        if let Some(pause) = pause {
            let until = now + TimeDelta::milliseconds(pause);
            bucket.pause(until);
            store::pause_calls(&mut connection, until).await?;
        }
        let expected = bucket.take(rate, wanted, now);
        let taken = store::take_tokens(&mut connection, CallClass::Read, rate, wanted, now).await?;
        assert_eq!((taken.tokens, taken.paused_until), (expected.tokens, expected.paused_until), "step {n}");
        assert!((taken.left - expected.left).abs() < 1e-6, "step {n}: {taken:?} {expected:?}");
    }
    Ok(())
}

#[tokio::test]
async fn workers_at_the_same_time_take_no_more_than_there_is() -> Result<()> {
    let bench = Bench::new().await?;
    let rate = rate(100)?;
    let takers = (0..30).map(|_| async {
        let mut connection = bench.store.connection().await?;
        let grant = store::take_tokens(&mut connection, CallClass::Write, rate, 7, noon()).await?;
        anyhow::Ok(grant.tokens)
    });
    let taken: u32 = try_join_all(takers).await?.into_iter().sum();
    assert_eq!(taken, 100);
    // The other class has a bucket of its own.
    let mut connection = bench.store.connection().await?;
    assert_eq!(store::take_tokens(&mut connection, CallClass::Read, rate, 7, noon()).await?.tokens, 7);
    Ok(())
}

#[tokio::test]
async fn a_pause_is_for_both_classes() -> Result<()> {
    let bench = Bench::new().await?;
    let mut connection = bench.store.connection().await?;
    let until = noon() + TimeDelta::seconds(30);
    store::pause_calls(&mut connection, until).await?;
    for class in CallClass::ALL {
        let grant = store::take_tokens(&mut connection, class, rate(60)?, 1, noon()).await?;
        assert_eq!((grant.tokens, grant.paused_until), (0, Some(until)), "{class:?}");
        assert_eq!(grant.wait(rate(60)?, noon()), TimeDelta::seconds(30));
        assert_eq!(store::take_tokens(&mut connection, class, rate(60)?, 1, until).await?.tokens, 1);
    }
    Ok(())
}
