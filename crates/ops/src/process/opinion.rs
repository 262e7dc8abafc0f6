//! A second question to the Claude API, to tell a broken resource from an API that is away.

use super::Context;
use claude::{Client, Defect, Error, Page, Paging, Retry, Session, SessionFilter};
use domain::FailureClass;
use domain::breaker::{Cause, Sign};
use std::time::Instant;
use tokio::sync::Mutex;

/// One question at a time. Whoever has to wait for its turn takes the answer that came meanwhile.
#[derive(Default)]
pub(super) struct Opinion {
    last: Mutex<Option<(Instant, Sign)>>,
}

impl Opinion {
    /// Asks for the smallest thing that has to do with no resource in particular, once and without retries in place:
    /// those were made by the call that failed.
    pub(super) async fn ask(&self, context: &Context) -> Sign {
        let failed_at = Instant::now();
        let mut last = self.last.lock().await;
        if let Some((asked_at, sign)) = *last
            && asked_at >= failed_at
        {
            return sign;
        }
        let asked_at = Instant::now();
        let _waiting = context.progress.waiting("the Claude API, a list of one session".to_owned());
        let sign = question(&context.claude).await;
        *last = Some((asked_at, sign));
        sign
    }
}

/// Whether no call of the API can succeed at the moment, for a caller of which a call has just failed.
pub(crate) async fn is_api_away(claude: &Client) -> bool {
    matches!(question(claude).await, Sign::Wall { .. })
}

async fn question(claude: &Client) -> Sign {
    let one = SessionFilter { paging: Paging { limit: Some(1), page: None }, ..SessionFilter::default() };
    sign_of(&claude.retrying_at_most(Retry::Never).sessions(&one).await)
}

fn sign_of(answer: &Result<Page<Session>, Error>) -> Sign {
    let error = match answer {
        // A list that we cannot read was answered all the same: one odd session in it is enough for that.
        Ok(_)
        | Err(Error::Body {
            defect: Defect::Member { .. } | Defect::NotAnObject | Defect::RepeatedCursor,
            ..
        }) => return Sign::Failed,
        Err(error) => error,
    };
    let wall = |cause| Sign::Wall {
        cause,
        retry_after: error.retry_after().and_then(|wait| chrono::TimeDelta::from_std(wait).ok()),
    };
    match error.class() {
        FailureClass::Transient => wall(Cause::Away),
        FailureClass::Throttled => wall(Cause::Throttled),
        FailureClass::Configuration => wall(Cause::Configuration),
        FailureClass::Gone | FailureClass::Permanent | FailureClass::Bug => Sign::Failed,
    }
}
