//! The replies of one session, from their messages to their acknowledgement.

use super::Context;
use super::intake::{Job, acknowledge};
use super::post::Round;
use super::take::{POSTGRES_LIMIT, Taken, take};
use super::write::{Settled, write};
use crate::process::{Blame, FailedTry, is_api_away};
use claude::MAX_EVENTS_PER_CALL;
use domain::FailureClass;
use failpoints::failpoint;
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use telemetry::Chain;
use tokio::time::timeout;
use tracing::Instrument as _;

/// How long the API may take to show that it is there.
const ASKING_LIMIT: Duration = Duration::from_secs(10);

/// Posts replies of one session, as many as fit at a time.
pub(super) async fn run(context: &Context, mut jobs: Vec<Job>) {
    while !jobs.is_empty() {
        let rest = jobs.split_off(jobs.len().min(MAX_EVENTS_PER_CALL));
        let now = std::mem::replace(&mut jobs, rest);
        let Some(span) = now.first().map(|job| job.span.clone()) else { return };
        together(context, now).instrument(span).await;
    }
}

async fn together(context: &Context, jobs: Vec<Job>) {
    let taken = match patiently(context, "take replies", || take(context, &jobs)).await {
        Ok(taken) => taken,
        Err(error) => return bury(context, jobs, &error).await,
    };
    failpoint!("replies.taken");
    if taken.replies.is_empty() {
        return acknowledge(jobs).await;
    }
    let settled = post(context, &jobs, taken).await;
    failpoint!("replies.posted");
    match patiently(context, "write what became of replies", || write(context, &jobs, &settled)).await {
        Ok(()) => {
            failpoint!("replies.committed");
            acknowledge(jobs).await;
        }
        Err(error) => bury(context, jobs, &error).await,
    }
}

/// Looks and posts, within the time that there is for it.
async fn post(context: &Context, jobs: &[Job], taken: Taken) -> Settled {
    let Taken { replies, until } = taken;
    let session = replies.first().map(|(_, reply)| reply.session_id.clone()).unwrap_or_default();
    let mut round = Round::new(context, &session, &replies);
    let limit = context.config.limit();
    let work = timeout(limit, AssertUnwindSafe(round.run()).catch_unwind()).await;
    let otherwise = match work {
        Ok(Ok(())) => FailedTry::new(FailureClass::Bug, "not looked at"),
        Ok(Err(panic)) => FailedTry::of_panic(panic.as_ref()),
        Err(_elapsed) => too_slow(context, limit).await,
    };
    let outcomes = round.outcomes(&otherwise);
    debug_assert!(replies.len() <= jobs.len(), "every reply has a message");
    Settled { outcomes: replies.into_iter().zip(outcomes).collect(), until }
}

/// No try is used up when the API answers nobody.
async fn too_slow(context: &Context, limit: Duration) -> FailedTry {
    let error = format!("not posted within {} s", limit.as_secs());
    let failed = FailedTry::new(FailureClass::Transient, &error);
    let is_away = timeout(ASKING_LIMIT, is_api_away(&context.claude)).await.unwrap_or(true);
    FailedTry { blame: if is_away { Blame::Outage } else { failed.blame }, ..failed }
}

/// Does something with Postgres over and over until it is there. What Postgres objects to is given back.
async fn patiently<T, F>(
    context: &Context,
    what: &'static str,
    work: impl Fn() -> F,
) -> Result<T, store::Error>
where
    F: Future<Output = Result<T, store::Error>>,
{
    let mut pause = Duration::from_millis(100);
    loop {
        match context.store.within(POSTGRES_LIMIT, what, work()).await {
            Ok(done) => return Ok(done),
            Err(error) if error.is_about_the_data() => return Err(error),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "replies wait for Postgres");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(10));
            }
        }
    }
}

/// Neither posted nor recorded: the broker's copies are all that is left of these tries.
async fn bury(context: &Context, jobs: Vec<Job>, error: &store::Error) {
    for job in jobs {
        tracing::error!(
            event.id = %job.key.id,
            error = %Chain(error),
            "what became of a reply cannot be recorded; its message is moved to the dead letters"
        );
        context.metrics.count("unreadable");
        let _session_is_over = job.acker.reject_to_dead().await.is_err();
    }
}
