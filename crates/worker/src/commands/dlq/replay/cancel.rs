//! `worker dlq replay --cancel`.

use crate::answer::Answer;
use crate::error::Error;
use crate::print::{Form, json};
use domain::Clock;
use runtime::SystemClock;
use store::Store;

/// Stops a replay.
pub(super) async fn run(store: &Store, id: i64, form: Form) -> anyhow::Result<Answer> {
    let mut connection = store.connection().await?;
    let cancelled = store::cancel_replay(&mut connection, id, SystemClock.now()).await?;
    let replay = store::find_replay(&mut connection, id).await?.ok_or(Error::NoReplay { id })?;
    if !cancelled {
        return Err(Error::ReplayOver { id, status: replay.status }.into());
    }
    Ok(Answer::new(match form {
        Form::Json => json::object(&replay)?,
        Form::Text(_) => {
            format!("replay {id} is cancelled after {} of {}\n", replay.replayed, replay.total)
        }
    }))
}
