//! One publishing connection, from confirm mode to its end.
//!
//! Two properties of the client library shape this file:
//!
//! - It numbers a publish and queues its frames in two steps. Two tasks that publish on one channel at the same time
//!   can cross them, and each then waits for the confirm of the other's message. So only this one task publishes.
//! - It gives a returned message to whichever confirm completes next, which need not be the message's own. So every
//!   publish carries a number in `correlation_id`, and the number in the returned message says which one failed.

use super::{Outgoing, PublishError, PublisherConfig, Reply};
use crate::link::Link;
use crate::{Broker, Error, QueueNames};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Confirmation, ConnectionStatus};
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// How many messages are taken at once; more only delays the reading of confirms.
const BATCH: usize = 256;

/// The open session.
#[derive(Debug)]
pub(super) struct Session {
    link: Link,
    queues: QueueNames,
    config: PublisherConfig,
}

/// Why a session is over.
#[derive(Debug)]
pub(super) enum Ended {
    Stopped,
    Failed(Error),
}

/// A publish that the broker answered, or that failed with the connection.
struct Answered {
    number: u64,
    reply: Reply,
    answer: lapin::Result<Confirmation>,
    place: OwnedSemaphorePermit,
}

impl Session {
    /// Connects, declares the queues and switches confirms on.
    pub(super) async fn open(broker: &Broker, config: &PublisherConfig) -> Result<Self, Error> {
        let link = Link::open(broker, "publish").await?;
        let limit = broker.connect_timeout;
        timeout(limit, link.channel.confirm_select(ConfirmSelectOptions::default()))
            .await
            .map_err(|_elapsed| Error::Timeout { operation: "switch confirms on", limit })?
            .map_err(Error::operation("switch confirms on"))?;
        Ok(Self { link, queues: broker.queues.clone(), config: *config })
    }

    /// The state of the connection as the client library sees it.
    pub(super) fn status(&self) -> ConnectionStatus {
        self.link.status()
    }

    pub(super) async fn close(self) {
        self.link.close().await;
    }

    /// Publishes what comes in and passes the answers back. When it returns, everything unanswered is dropped, which
    /// its publishers read as unconfirmed.
    pub(super) async fn serve(
        &self,
        incoming: &mut mpsc::UnboundedReceiver<Outgoing>,
        stop: &CancellationToken,
    ) -> Ended {
        let mut in_flight = FuturesUnordered::new();
        let mut batch = Vec::with_capacity(BATCH);
        let mut numbers = 0_u64..;
        let mut last_progress = Instant::now();
        let limit = self.config.stall_timeout;
        let mut stall_check = interval((limit / 2).max(Duration::from_millis(1)));
        stall_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let link_ended = self.link.ended();
        tokio::pin!(link_ended);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                error = &mut link_ended => return Ended::Failed(error),
                taken = incoming.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                    if in_flight.is_empty() {
                        last_progress = Instant::now();
                    }
                    for (outgoing, number) in batch.drain(..).zip(&mut numbers) {
                        if self.link.is_blocked() {
                            outgoing.reply.send(Err(PublishError::Blocked)).ok();
                        } else {
                            in_flight.push(self.publish(outgoing, number));
                        }
                    }
                }
                Some(answered) = next_answers(&mut in_flight) => {
                    last_progress = Instant::now();
                    if let Err(error) = settle(answered) {
                        return Ended::Failed(error);
                    }
                }
                _ = stall_check.tick() => {
                    let pending = in_flight.len();
                    if pending > 0 && last_progress.elapsed() > limit && !self.link.is_blocked() {
                        return Ended::Failed(Error::NothingConfirmed { limit, pending });
                    }
                }
            }
        }
        // Stopping: what was sent may still be confirmed.
        let rest = async {
            while let Some(answered) = next_answers(&mut in_flight).await {
                if settle(answered).is_err() {
                    break;
                }
            }
        };
        timeout(self.config.confirm_timeout, rest).await.ok();
        Ended::Stopped
    }

    /// Sends one message and waits for its confirm. Everything up to the first await happens in one poll, so the
    /// numbers that broker and client library count for themselves cannot cross.
    async fn publish(&self, outgoing: Outgoing, number: u64) -> Answered {
        let Outgoing { queue, properties, payload, reply, place } = outgoing;
        let properties = properties.with_correlation_id(number.to_string().into());
        let publishing = self.link.channel.basic_publish(
            ShortString::default(),
            self.queues.routing_key(queue),
            BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() },
            &payload,
            properties,
        );
        let answer = async { publishing.await?.await }.await;
        Answered { number, reply, answer, place }
    }
}

/// Everything that is answered by now, so that a returned message and its own confirm are seen together. `None` when
/// nothing is in flight.
async fn next_answers(
    in_flight: &mut FuturesUnordered<impl Future<Output = Answered>>,
) -> Option<Vec<Answered>> {
    let mut answered = vec![in_flight.next().await?];
    while let Some(Some(next)) = in_flight.next().now_or_never() {
        answered.push(next);
    }
    Some(answered)
}

/// Tells each publisher its outcome. After a returned message the session is over: the next one declares the missing
/// queue, and what is still unanswered counts as unconfirmed rather than trust confirms that may have been crossed.
fn settle(answered: Vec<Answered>) -> Result<(), Error> {
    let returned: Vec<&BasicReturnMessage> =
        answered.iter().filter_map(|answered| returned_message(&answered.answer)).collect();
    let any_returned = !returned.is_empty();
    let returned: HashSet<u64> = returned.into_iter().filter_map(number_of).collect();
    for Answered { number, reply, answer, place } in answered {
        let outcome = match answer {
            _ if returned.contains(&number) => Err(PublishError::Unroutable),
            // A returned message in here is another one's, see the top of the file.
            Ok(Confirmation::Ack(_)) => Ok(()),
            Ok(Confirmation::Nack(_)) => Err(PublishError::Refused),
            Ok(Confirmation::NotRequested) | Err(_) => Err(PublishError::Unconfirmed),
        };
        // Whoever gave up waiting needs no answer.
        reply.send(outcome).ok();
        drop(place);
    }
    if any_returned { Err(Error::Returned) } else { Ok(()) }
}

fn returned_message(answer: &lapin::Result<Confirmation>) -> Option<&BasicReturnMessage> {
    match answer {
        Ok(Confirmation::Ack(returned) | Confirmation::Nack(returned)) => returned.as_ref(),
        Ok(Confirmation::NotRequested) | Err(_) => None,
    }
}

fn number_of(returned: &BasicReturnMessage) -> Option<u64> {
    returned.delivery.properties.correlation_id().as_ref()?.as_str().parse().ok()
}
