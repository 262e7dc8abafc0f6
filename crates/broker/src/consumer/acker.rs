//! Settling a delivery: a whole message, or one event of a message that carries several.

use super::hands::Hold;
use crate::Error;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Settles one delivery, once. Dropping it settles nothing: the broker keeps the message for this session and delivers
/// it again when the session ends.
#[derive(Debug)]
#[must_use = "a delivery that is not settled keeps a place of the prefetch until the session ends"]
pub struct Acker(Settles);

#[derive(Debug)]
enum Settles {
    /// A message.
    Whole(Whole),
    /// One event of a message that carries several.
    Part(Arc<Bundle>),
}

impl Acker {
    /// Settles a message.
    pub(super) const fn whole(whole: Whole) -> Self {
        Self(Settles::Whole(whole))
    }

    /// Settles one of the events of a message each; the message is settled with the last of them.
    pub(super) fn parts(whole: Whole, events: usize) -> impl Iterator<Item = Self> {
        std::iter::repeat_n(Bundle::new(whole, events), events).map(|bundle| Self(Settles::Part(bundle)))
    }

    /// Whether the message carries other events as well, which this acker must not decide about.
    #[must_use]
    pub const fn is_part(&self) -> bool {
        matches!(self.0, Settles::Part(_))
    }

    /// The event is done with; the broker forgets the message with its last event.
    ///
    /// # Errors
    /// When the session of the delivery is over. The broker delivers the message again, nothing else is to be done.
    pub async fn ack(self) -> Result<(), Error> {
        match self.0 {
            Settles::Whole(whole) => whole.ack().await,
            Settles::Part(bundle) => bundle.settle(false).await,
        }
    }

    /// The broker moves the message to [`Queue::Dead`](crate::Queue::Dead), where the queue has dead letters. Not for
    /// a [part](Self::is_part): that one is published there by itself, and then acknowledged.
    ///
    /// # Errors
    /// As [`ack`](Self::ack); and for a part, which stays unsettled.
    pub async fn reject_to_dead(self) -> Result<(), Error> {
        match self.0 {
            Settles::Whole(whole) => whole.reject_to_dead().await,
            Settles::Part(_) => Err(Error::PartOfBundle),
        }
    }

    /// The broker takes the message back and delivers it again, to anybody. Before RabbitMQ 4.3 that counts toward the
    /// queue's delivery limit, so it is for giving work back and not for waiting. Of a message with several events all
    /// come back, when the last one of them is settled; those that were done with by then are known as such.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn requeue(self) -> Result<(), Error> {
        match self.0 {
            Settles::Whole(whole) => whole.requeue().await,
            Settles::Part(bundle) => bundle.settle(true).await,
        }
    }
}

/// A message that carries several events: settled when all of them are.
#[derive(Debug)]
struct Bundle {
    unsettled: AtomicUsize,
    requeue: AtomicBool,
    whole: Mutex<Option<Whole>>,
}

impl Bundle {
    fn new(whole: Whole, events: usize) -> Arc<Self> {
        Arc::new(Self {
            unsettled: AtomicUsize::new(events),
            requeue: AtomicBool::new(false),
            whole: Mutex::new(Some(whole)),
        })
    }

    async fn settle(&self, requeue: bool) -> Result<(), Error> {
        if requeue {
            self.requeue.store(true, Ordering::Relaxed);
        }
        // AcqRel: whoever comes last sees what the others wished.
        if self.unsettled.fetch_sub(1, Ordering::AcqRel) > 1 {
            return Ok(());
        }
        let whole = self.whole.lock().ok().and_then(|mut whole| whole.take());
        match whole {
            Some(whole) if self.requeue.load(Ordering::Relaxed) => whole.requeue().await,
            Some(whole) => whole.ack().await,
            None => Ok(()),
        }
    }
}

/// A message as the broker counts it.
#[derive(Debug)]
pub(super) struct Whole {
    inner: lapin::Acker,
    unsettled: Arc<AtomicUsize>,
    _hold: Option<Hold>,
}

impl Whole {
    /// Counts a delivery as unsettled, and as held for as long as nobody has settled or dropped it.
    pub(super) fn new(inner: lapin::Acker, unsettled: Arc<AtomicUsize>, hold: Option<Hold>) -> Self {
        unsettled.fetch_add(1, Ordering::Relaxed);
        Self { inner, unsettled, _hold: hold }
    }

    async fn ack(self) -> Result<(), Error> {
        let sent = self.inner.ack(BasicAckOptions::default()).await;
        self.settled(matches!(sent, Ok(true)))
    }

    async fn reject_to_dead(self) -> Result<(), Error> {
        let sent = self.inner.reject(BasicRejectOptions { requeue: false }).await;
        self.settled(matches!(sent, Ok(true)))
    }

    async fn requeue(self) -> Result<(), Error> {
        // From 4.3 on a nack does not count toward the delivery limit, while a reject does.
        let sent = self.inner.nack(BasicNackOptions { requeue: true, multiple: false }).await;
        self.settled(matches!(sent, Ok(true)))
    }

    /// The client library says `Ok(false)` when the channel was gone before, and an error when it went meanwhile.
    fn settled(self, sent: bool) -> Result<(), Error> {
        self.unsettled.fetch_sub(1, Ordering::Relaxed);
        if sent { Ok(()) } else { Err(Error::DeliveryExpired) }
    }
}
