//! One review, named by its id or the beginning of it, and what was done with it.

use crate::answer::Answer;
use crate::error::Error;
use crate::print::{Form, json};
use domain::review::Mismatch;
use ops::reviews::{By, NotDecided};
use runtime::SystemClock;
use serde::Serialize;
use store::{Review, Store};

/// How many ids are named when a beginning is not unique.
const NAMED: usize = 5;

/// The one review whose tool use has that id, or an id that begins so.
///
/// # Errors
/// When there is none, or several.
pub(super) async fn one(store: &Store, id: &str) -> anyhow::Result<Review> {
    let limit = i64::try_from(NAMED).unwrap_or(i64::MAX) + 1;
    let mut found = store::find_reviews(&mut *store.connection().await?, id, limit).await?;
    if found.len() > 1 && found.first().is_some_and(|first| first.id != id) {
        let mut ids: Vec<String> = found.into_iter().map(|review| review.id).collect();
        if ids.len() > NAMED {
            ids.truncate(NAMED);
            ids.push("…".to_owned());
        }
        return Err(Error::SeveralReviews { id: id.to_owned(), ids: ids.join(", ") }.into());
    }
    found.truncate(1);
    found.pop().ok_or_else(|| Error::NoReview { id: id.to_owned() }.into())
}

#[derive(Serialize)]
struct Decision<'a> {
    id: &'a str,
    session_id: &'a str,
    status: &'static str,
    answer: &'a domain::Answer,
    decided_by: &'a str,
}

/// Decides a review, and says so.
///
/// # Errors
/// When it is not there to be decided by this person, or the answer does not fit.
pub(super) async fn decide(
    store: &Store,
    id: &str,
    answer: &domain::Answer,
    who: &str,
    form: Form,
) -> anyhow::Result<Answer> {
    let review = one(store, id).await?;
    let decided = ops::reviews::decide(store, &SystemClock, review.effect, answer, By::Person(who)).await;
    decided.map_err(|error| refused(&review, error))?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Decision {
            id: &review.id,
            session_id: &review.session_id,
            status: domain::ReviewStatus::Decided.as_str(),
            answer,
            decided_by: who,
        })?,
        Form::Text(_) => {
            let tool = review.tool.as_deref().unwrap_or("the tool");
            let done = match answer {
                domain::Answer::Allow => format!("{tool} is allowed"),
                domain::Answer::Deny { .. } => format!("{tool} is denied"),
                domain::Answer::Result { .. } => format!("{tool} is answered"),
            };
            format!("{done}; the answer is on its way to session {}\n", review.session_id)
        }
    }))
}

/// Names the review, and the command that fits where another one was taken.
pub(super) fn refused(review: &Review, error: NotDecided) -> anyhow::Error {
    let id = review.id.clone();
    if let NotDecided::Mismatch(problem) = error {
        let advice = match problem {
            Mismatch::NeedsResult => format!("answer it with `worker reviews answer {id} --text …`"),
            Mismatch::NeedsConfirmation => {
                format!("use `worker reviews approve {id}` or `worker reviews deny {id}`")
            }
        };
        return Error::WrongAnswer { id, problem, advice }.into();
    }
    if let NotDecided::Store(error) = error {
        return error.into();
    }
    Error::NotDecided { id, source: error }.into()
}
