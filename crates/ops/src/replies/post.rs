//! Looking and posting: what becomes of replies that were taken.

use super::Context;
use super::look::{Sight, look};
use crate::process::{Blame, FailedTry, is_api_away};
use claude::{Error, OutgoingEvent, SessionEvent};
use domain::FailureClass;
use serde_json::Value;
use store::{Reply, ReplyEnd};

/// What has become of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It is over.
    Ended(ReplyEnd),
    /// It was not posted as far as anybody knows.
    Failed {
        /// Why.
        failed: FailedTry,
        /// Whether it may have been posted all the same.
        maybe_posted: bool,
    },
}

/// The replies to one session, and what has become of each so far.
pub(super) struct Round<'a> {
    context: &'a Context,
    session_id: &'a str,
    replies: Vec<(&'a Reply, Option<Outcome>)>,
}

impl<'a> Round<'a> {
    pub(super) fn new(context: &'a Context, session_id: &'a str, replies: &'a [(usize, Reply)]) -> Self {
        let replies = replies.iter().map(|(_, reply)| (reply, None)).collect();
        Self { context, session_id, replies }
    }

    /// Looks, and posts what is waited for. Can be left at any await: [`Round::outcomes`] says what is known by then.
    pub(super) async fn run(&mut self) {
        let open = match self.look().await {
            Ok(open) => open,
            Err(error) => return self.fail_rest(&error, false).await,
        };
        let waited_for: Vec<usize> = open.iter().map(|(place, _)| *place).collect();
        if waited_for.is_empty() {
            return;
        }
        match self.post(&waited_for).await {
            Ok(()) => {}
            // Of several, one may be to blame.
            Err(error) if is_about_replies(&error) => self.one_by_one(&waited_for, error).await,
            Err(error) => self.fail_rest(&error, error.may_have_been_applied()).await,
        }
    }

    /// What has become of each reply. What is not known when the time is over, or after a panic, may have been posted.
    pub(super) fn outcomes(self, otherwise: &FailedTry) -> Vec<Outcome> {
        let unknown = || Outcome::Failed { failed: otherwise.clone(), maybe_posted: true };
        self.replies.into_iter().map(|(_, outcome)| outcome.unwrap_or_else(unknown)).collect()
    }

    /// Settles what needs no post, and gives the places of the others.
    async fn look(&mut self) -> Result<Vec<(usize, Sight)>, Error> {
        let ids: Vec<&str> = self.open().map(|(_, reply)| reply.tool_use_id.as_str()).collect();
        let mut sights = look(&self.context.claude, self.session_id, &ids).await?;
        let mut waited_for = Vec::new();
        for (place, (reply, outcome)) in self.replies.iter_mut().enumerate() {
            if outcome.is_some() {
                continue;
            }
            match sights.remove(&reply.tool_use_id).unwrap_or(Sight::Unanswered) {
                Sight::Answered(answer) => {
                    let end = if is_ours(reply, &answer) { ReplyEnd::Posted } else { ReplyEnd::Elsewhere };
                    *outcome = Some(Outcome::Ended(end));
                }
                Sight::Past => *outcome = Some(Outcome::Ended(ReplyEnd::Obsolete)),
                sight @ (Sight::Blocking | Sight::Unanswered) => waited_for.push((place, sight)),
            }
        }
        Ok(waited_for)
    }

    async fn post(&mut self, places: &[usize]) -> Result<(), Error> {
        let events: Vec<OutgoingEvent> = places
            .iter()
            .filter_map(|place| self.replies.get(*place))
            .map(|(reply, _)| OutgoingEvent::Verbatim(reply.reply.clone()))
            .collect();
        self.context.claude.send_events(self.session_id, &events).await?;
        for place in places {
            self.settle(*place, Outcome::Ended(ReplyEnd::Posted));
        }
        Ok(())
    }

    /// A call was refused because of what it carried, and nothing of it was carried out. Each of the replies that are still
    /// waited for goes alone; one that is refused alone, and is not answered then, has failed.
    async fn one_by_one(&mut self, posted: &[usize], error: Error) {
        let mut refusal = if let [alone] = posted { Some((*alone, error)) } else { None };
        loop {
            let open = match self.look().await {
                Ok(open) => open,
                Err(error) => return self.fail_rest(&error, false).await,
            };
            let refused = refusal.take();
            for (place, sight) in open {
                if let Some((_, error)) = refused.as_ref().filter(|(refused, _)| *refused == place) {
                    let failed = refused_alone(error, &sight);
                    self.settle(place, Outcome::Failed { failed, maybe_posted: false });
                    continue;
                }
                match self.post(&[place]).await {
                    Ok(()) => {}
                    // Looked at once more: it may have been answered just before.
                    Err(error) if is_about_replies(&error) => {
                        refusal = Some((place, error));
                        break;
                    }
                    Err(error) => return self.fail_rest(&error, error.may_have_been_applied()).await,
                }
            }
            if refusal.is_none() {
                return;
            }
        }
    }

    /// What is not settled yet has failed. Only the first of several that are posted one by one can have been posted, but it
    /// does no harm to suspect the others too: they are looked up all the same.
    async fn fail_rest(&mut self, error: &Error, maybe_posted: bool) {
        let mut failed = FailedTry::of_api(error);
        let may_be_away = failed.class == FailureClass::Transient && failed.blame == Blame::Event;
        if may_be_away && is_api_away(&self.context.claude).await {
            failed.blame = Blame::Outage;
        }
        for (_, outcome) in &mut self.replies {
            if outcome.is_none() {
                *outcome = Some(Outcome::Failed { failed: failed.clone(), maybe_posted });
            }
        }
    }

    fn open(&self) -> impl Iterator<Item = (usize, &'a Reply)> {
        let open = self.replies.iter().enumerate().filter(|(_, (_, outcome))| outcome.is_none());
        open.map(|(place, (reply, _))| (place, *reply))
    }

    fn settle(&mut self, place: usize, outcome: Outcome) {
        if let Some((_, settled)) = self.replies.get_mut(place) {
            *settled = Some(outcome);
        }
    }
}

/// Whether the platform objects to what was posted, rather than to us or to the moment.
fn is_about_replies(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused(refusal) if matches!(refusal.status, 400 | 404..=407 | 409..=428 | 430..=499)
    )
}

/// A reply that was refused by itself and is not answered.
fn refused_alone(error: &Error, sight: &Sight) -> FailedTry {
    let failed = FailedTry::of_api(error);
    match sight {
        // What the session shows may be late: it is looked at again before anybody gives up.
        Sight::Unanswered => FailedTry { class: FailureClass::Transient, ..failed },
        Sight::Blocking | Sight::Past | Sight::Answered(_) => failed,
    }
}

/// Whether an answer that is there was posted by us: we may have, and it says the same.
fn is_ours(reply: &Reply, answer: &SessionEvent) -> bool {
    let said = |name| reply.reply.get(name).and_then(Value::as_str);
    // The platform may write contents in another way than we do, but not the decision.
    reply.maybe_posted
        && said("type") == Some(answer.kind.as_str())
        && said("result") == answer.member("result").and_then(Value::as_str)
}
