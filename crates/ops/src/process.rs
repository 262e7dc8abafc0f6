//! From a delivered message to a changed resource.
//!
//! Three stages, each of which takes what has gathered before it:
//!
//! 1. **intake** reads messages, asks the store once for all of them what is known, and lets go what is over;
//! 2. **look** fetches each resource once for all its waiting events, several resources at the same time;
//! 3. **apply** decides and writes everything in one transaction, then acknowledges.
//!
//! Events of one resource are never in two groups at a time. A message is acknowledged after the commit and never
//! before, so that a process that dies gives back all it held.
//!
//! While the Claude API is away, refuses us or asks us to slow down, no group begins but a probe now and then (`gate`),
//! and no messages are taken from the queue.

mod apply;
mod astray;
mod bundle;
mod failure;
mod fetch;
mod gate;
pub(crate) mod groups;
mod intake;
mod job;
mod look;
mod opinion;
mod outcome;
mod progress;
mod stored;
mod write;

pub use failure::{Blame, FailedTry};
pub(crate) use opinion::is_api_away;
pub use progress::{Progress, Stuck};

use crate::Metrics;
use crate::reconcile::Waker;
use broker::{Delivery, Flow, Publisher};
use chrono::{DateTime, TimeDelta, Utc};
use domain::breaker::Stance;
use domain::{Clock, RetryPolicy};
use gate::Gate;
use groups::{Groups, Limits};
use look::{Ended, Looked};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use stored::Stored;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long Postgres may take for one look-up or one transaction. Beyond it the connection is taken for dead, even where
/// the network keeps silent.
const POSTGRES_DEADLINE: Duration = Duration::from_secs(45);

/// Transactions of results at the same time. Their groups are of different resources. While one of them waits for the
/// disk, another one can use the processor.
const LANES: usize = 2;

/// In a pause, how often we look whether it is over.
const PAUSE_CHECK: Duration = Duration::from_millis(250);

/// How long messages are held unbegun in a pause. RabbitMQ takes a consumer that acknowledges nothing for half an hour
/// for dead, and giving messages back to the queue brings them nearer to its delivery limit. So they go to the outbox,
/// which an outage of days repeats a few hundred times for as many messages as a worker may hold.
const LONGEST_HOLD: TimeDelta = TimeDelta::minutes(5);

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Config {
    /// Resources that are fetched at the same time.
    pub concurrency: usize,
    /// Messages taken in at once.
    pub intake: usize,
    /// Groups written in one transaction at most.
    pub apply: usize,
    /// Tries and the rests between them.
    pub policy: RetryPolicy,
    /// How long the relay leaves a dead letter to this worker's own publish.
    pub grace: TimeDelta,
    /// Name of this process, in the record of tries.
    pub worker: String,
}

/// What all stages need.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) claude: claude::Client,
    pub(crate) publisher: Publisher,
    pub(crate) clock: Arc<dyn Clock>,
    /// A draw from 0 to 1, for jitter.
    pub(crate) dice: fn() -> f64,
    pub(crate) metrics: Metrics,
    pub(crate) gate: Gate,
    pub(crate) progress: Progress,
    /// Whoever looks for gaps in the histories of sessions.
    pub(crate) waker: Option<Waker>,
}

/// Processes messages.
pub struct Processor {
    context: Arc<Context>,
    flow: watch::Sender<Flow>,
}

impl Processor {
    /// A processor.
    #[must_use]
    pub fn new(
        config: Config,
        store: Store,
        claude: claude::Client,
        publisher: Publisher,
        clock: Arc<dyn Clock>,
        dice: fn() -> f64,
        metrics: Metrics,
    ) -> Self {
        let gate = Gate::new(Arc::clone(&clock), dice, metrics.clone());
        let progress = Progress::new();
        let context =
            Context { config, store, claude, publisher, clock, dice, metrics, gate, progress, waker: None };
        Self { context: Arc::new(context), flow: watch::Sender::new(Flow::Running) }
    }

    /// The same, which names each session of which an event was applied.
    #[must_use]
    pub fn waking(mut self, waker: Waker) -> Self {
        // Nobody else has the context yet: the stages get theirs when it runs.
        if let Some(context) = Arc::get_mut(&mut self.context) {
            context.waker = Some(waker);
        }
        self
    }

    /// Whether messages are wanted; for [`Control`](broker::Control) of the consumer that delivers them.
    #[must_use]
    pub fn flow(&self) -> watch::Receiver<Flow> {
        self.flow.subscribe()
    }

    /// Whether it gets on with what it holds; for a watchdog.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.context.progress.clone()
    }

    /// Processes what comes in. After `drain`, finishes what it has begun and returns. Dropping the future gives all
    /// unfinished messages back to the broker when the consumer's connection closes.
    pub async fn run(self, mut deliveries: mpsc::Receiver<Delivery>, drain: CancellationToken) {
        let Config { concurrency, apply, .. } = self.context.config;
        // While a batch is written in each lane, the next one gathers. All of them fit into the channel.
        let limits =
            Limits { busy: concurrency, all: concurrency.saturating_add(apply.saturating_mul(2 * LANES)) };
        let (to_apply, looked) = mpsc::channel::<Looked>(limits.all.max(1));
        let looked = Arc::new(Mutex::new(looked));
        let (released, mut done) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for _ in 0..LANES {
            tasks.spawn(apply::run(Arc::clone(&self.context), Arc::clone(&looked), released.clone()));
        }
        drop((looked, released));

        let stored = Stored::new(Arc::clone(&self.context));
        let mut groups = Groups::new(limits);
        let mut looking: JoinSet<Option<Ended>> = JoinSet::new();
        let mut taken = Vec::new();
        let mut open = true;
        loop {
            // What has not begun by then is given back: others can begin it at once.
            let draining = drain.is_cancelled();
            while !draining
                && groups.may_start()
                && let Some(pass) = Gate::pass(&self.context)
                && let Some(group) = groups.start_next()
            {
                looking.spawn(look::run(Arc::clone(&self.context), group, pass, Arc::clone(&stored)));
            }
            if (draining && !groups.is_working()) || (!open && groups.is_idle()) {
                break;
            }
            self.steer(&groups);
            if !draining && self.let_go(&mut groups, &to_apply).await.is_err() {
                break;
            }
            let paused = self.context.gate.cause().is_some();
            tokio::select! {
                biased;
                Some(resource) = done.recv() => {
                    groups.finish(&resource);
                    // All that one transaction released, so that the next groups begin together.
                    while let Ok(resource) = done.try_recv() {
                        groups.finish(&resource);
                    }
                }
                Some(result) = looking.join_next() => {
                    groups.make_room();
                    // Before anything is acknowledged, which would bring the next messages.
                    self.steer(&groups);
                    match result {
                        Ok(Some(Ended::Looked(looked))) => {
                            if to_apply.send(looked).await.is_err() {
                                break;
                            }
                        }
                        Ok(Some(Ended::Paused(group))) => groups.put_back(group),
                        Ok(None) | Err(_) => {}
                    }
                }
                count = deliveries.recv_many(&mut taken, self.context.config.intake), if open && !draining => {
                    open = count > 0;
                    for job in intake::run(&self.context, std::mem::take(&mut taken)).await {
                        groups.add(job);
                    }
                }
                () = drain.cancelled(), if !draining => {}
                () = tokio::time::sleep(PAUSE_CHECK), if paused => self.context.progress.excused(),
            }
        }
        drop(to_apply);
        while tasks.join_next().await.is_some() {}
    }

    /// Says whether messages are wanted.
    fn steer(&self, groups: &Groups) {
        let paused = *self.flow.borrow() == Flow::Paused;
        let wanted = match self.context.gate.stance() {
            // The end of the probe decides. Pausing already would give back what is just being delivered, and each
            // giving back brings a message nearer to the queue's delivery limit.
            Stance::Probing => return,
            Stance::Shut => Flow::Paused,
            // What comes after a pause comes on top of what was held in it, so that has to begin first. The next probe
            // is taken from there, too.
            Stance::Free | Stance::ProbeDue if paused && groups.is_anybody_in_line() => return,
            Stance::Free | Stance::ProbeDue => Flow::Running,
        };
        self.flow.send_if_modified(|flow| std::mem::replace(flow, wanted) != wanted);
    }

    /// In a long pause, lets go of what was not begun, through the outbox.
    async fn let_go(&self, groups: &mut Groups, to_apply: &mpsc::Sender<Looked>) -> Result<(), Gone> {
        let Some(cause) = self.context.gate.cause() else { return Ok(()) };
        let is_old = |since: DateTime<Utc>| self.context.clock.now() - since >= LONGEST_HOLD;
        if !groups.waiting_since().is_some_and(is_old) {
            return Ok(());
        }
        tracing::info!(cause = cause.as_str(), "the pause is long; what waits here goes back to the outbox");
        while let Some(group) = groups.take_next() {
            let looked = Looked { key: group.key, jobs: group.jobs, seen: Err(FailedTry::not_begun(cause)) };
            to_apply.send(looked).await.map_err(|_closed| Gone)?;
        }
        Ok(())
    }
}

/// Whoever applies is gone, and nothing can be done any more.
struct Gone;

/// Every task of a group ends in a [`Looked`]; the key under which the group is released afterwards.
pub(crate) type GroupKey = groups::Key;
