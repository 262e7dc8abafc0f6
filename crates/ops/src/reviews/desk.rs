//! Claims: so that two people do not work on one review.

use super::POSTGRES_LIMIT;
use super::decide::{By, check, finish};
use super::refusal::NotDecided;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::Clock;
use store::{Step, Store, Tx};

/// Gives a review to a person for a while: nobody else decides it until then. Whoever has it may claim it again, for
/// longer. Returns when the claim ends.
///
/// # Errors
/// When the review does not wait for a person, somebody else has it, or Postgres is away.
pub async fn claim(
    store: &Store,
    clock: &dyn Clock,
    effect: i64,
    who: &str,
    time: TimeDelta,
) -> Result<DateTime<Utc>, NotDecided> {
    let claiming = async {
        let mut tx = store.begin("claim a review").await?;
        let claimed = claim_in(&mut tx, clock.now(), effect, who, time).await;
        finish(tx, claimed).await
    };
    store.within(POSTGRES_LIMIT, "claim a review", Box::pin(claiming)).await
}

/// Gives a claimed review back to everybody. One that nobody has stays as it is: `false`.
///
/// # Errors
/// When somebody else has it, or Postgres is away.
pub async fn release(store: &Store, clock: &dyn Clock, effect: i64, who: &str) -> Result<bool, NotDecided> {
    let releasing = async {
        let mut tx = store.begin("release a review").await?;
        let released = release_in(&mut tx, clock.now(), effect, who).await;
        finish(tx, released).await
    };
    store.within(POSTGRES_LIMIT, "release a review", Box::pin(releasing)).await
}

async fn claim_in(
    tx: &mut Tx,
    now: DateTime<Utc>,
    effect: i64,
    who: &str,
    time: TimeDelta,
) -> Result<DateTime<Utc>, NotDecided> {
    let review = store::lock_review(tx, effect).await?.ok_or(NotDecided::Unknown)?;
    check(&review, By::Person(who), now)?;
    let until = now + time;
    store::claim_review(tx, effect, who, until).await?;
    let note = format!("until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true));
    store::note_step(tx, effect, Step::Claimed, who, Some(&note), now).await?;
    Ok(until)
}

async fn release_in(tx: &mut Tx, now: DateTime<Utc>, effect: i64, who: &str) -> Result<bool, NotDecided> {
    let review = store::lock_review(tx, effect).await?.ok_or(NotDecided::Unknown)?;
    if review.is_claimed_from(who, now) {
        check(&review, By::Person(who), now)?;
    }
    if review.claimed_by.is_none() {
        return Ok(false);
    }
    store::release_review(tx, effect).await?;
    store::note_step(tx, effect, Step::Released, who, None, now).await?;
    Ok(true)
}
