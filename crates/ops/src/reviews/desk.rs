//! Claims: so that two people do not work on one review.

use super::POSTGRES_LIMIT;
use super::decide::{By, check};
use super::refusal::NotDecided;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Clock;
use store::{Step, Store};

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
        let review = store::lock_review(&mut tx, effect).await?.ok_or(NotDecided::Unknown)?;
        let now = clock.now();
        check(&review, By::Person(who), now)?;
        let until = now + time;
        store::claim_review(&mut tx, effect, who, until).await?;
        let note = format!("until {}", until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        store::note_step(&mut tx, effect, Step::Claimed, who, Some(&note), now).await?;
        tx.commit().await?;
        Ok(until)
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
        let review = store::lock_review(&mut tx, effect).await?.ok_or(NotDecided::Unknown)?;
        let now = clock.now();
        if review.is_claimed_from(who, now) {
            check(&review, By::Person(who), now)?;
        }
        if review.claimed_by.is_none() {
            return Ok(false);
        }
        store::release_review(&mut tx, effect).await?;
        store::note_step(&mut tx, effect, Step::Released, who, None, now).await?;
        tx.commit().await?;
        Ok(true)
    };
    store.within(POSTGRES_LIMIT, "release a review", Box::pin(releasing)).await
}
