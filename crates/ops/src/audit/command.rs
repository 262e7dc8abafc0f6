//! One audit from beginning to end, for a person who waits.

use super::proof::Proof;
use super::{AuditError, Config, rounds};
use crate::replies;
use broker::{Broker, Depths, Inspector};
use chrono::{DateTime, Utc};
use domain::Clock;
use serde::Serialize;
use std::time::{Duration, Instant};
use store::{Contradiction, Ledger, Round, Store, Unfinished, WorkerReport};

/// How often the state of a round is asked.
const POLL: Duration = Duration::from_millis(500);

/// Time between the two looks that tell lost replies.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);

/// Rounds that are reported.
const ROUNDS: i64 = 10;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Longest time to wait for a proof.
    pub wait: Duration,
    /// Whether lost events are only counted.
    pub dry_run: bool,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The rows are compared.
    Rows,
    /// Waiting for the proof of a round.
    Queue(Proof),
}

/// Whether each unfinished event is somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verdict {
    /// Yes: still to be published, in the queue, in a worker's hands, or finished by now.
    Accounted,
    /// No. What was lost is queued again.
    Requeued {
        /// How many events.
        events: i64,
        /// The sender's ids of some of them.
        examples: Vec<String>,
    },
    /// No. Nothing was changed.
    Lost {
        /// How many events.
        events: i64,
        /// The sender's ids of some of them.
        examples: Vec<String>,
    },
    /// That cannot be told: nobody consumes the queue.
    NoWorker,
    /// That cannot be told now: too much is still to be published.
    Skipped,
    /// That was not proven in time.
    Unproven {
        /// What was missing in the end.
        proof: Proof,
    },
}

/// All that an audit finds.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// All events by status, counted at one instant.
    pub ledger: Ledger,
    /// Whether the sum is right.
    pub balances: bool,
    /// Each rule and how many rows contradict it, at the same instant.
    pub rows: Vec<Contradiction>,
    /// What is unfinished.
    pub pending: i64,
    /// Messages still to be published.
    pub outbox: i64,
    /// Messages that wait in the queue `work`; those in workers' hands are not counted.
    pub work_messages: u32,
    /// Workers that consume it.
    pub work_consumers: u32,
    /// Messages in the queue `dead`.
    pub dead_messages: u32,
    /// Messages that wait in the queue `replies`.
    pub reply_messages: u32,
    /// Workers that consume it.
    pub reply_consumers: u32,
    /// Replies that are to be posted.
    pub open_replies: i64,
    /// The ids of the events of those that were in no queue. They are queued again, unless only counted.
    pub lost_replies: Vec<String>,
    /// Whether each unfinished event is somewhere.
    pub queue: Verdict,
    /// What the workers said last about the messages in their hands.
    pub workers: Vec<WorkerReport>,
    /// The youngest rounds, those of the workers included, the youngest first.
    pub rounds: Vec<Round>,
}

impl Report {
    /// Whether something is wrong, or was.
    #[must_use]
    pub fn found(&self) -> bool {
        let lost = matches!(self.queue, Verdict::Requeued { .. } | Verdict::Lost { .. });
        lost || !self.lost_replies.is_empty() || !self.balances || self.rows.iter().any(|rule| rule.rows > 0)
    }

    /// Whether it cannot be told yet.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.queue, Verdict::NoWorker | Verdict::Skipped | Verdict::Unproven { .. })
    }
}

/// Makes one audit: places a marker, waits for its proof, queues lost events again, and compares all rows.
///
/// # Errors
/// When either store is away.
pub async fn audit(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    config: &Config,
    options: Options,
    tell: &mut dyn FnMut(&Progress),
) -> Result<Report, AuditError> {
    let began = clock.now();
    tell(&Progress::Rows);
    let (ledger, rows) = compare(store).await?;
    let mut queue = question(store, broker, clock, config, options, tell).await?;
    // A worker may have been quicker; it was lost all the same.
    if queue == Verdict::Accounted
        && let Some(found) = found_meanwhile(store, began).await?
    {
        queue = found;
    }
    let lost_replies = lost_replies(store, broker, clock, options).await?;
    let Depths { work, dead, replies } = depths(broker).await?;
    let mut connection = store.connection().await?;
    let Unfinished { pending, outbox, .. } = store::unfinished(&mut connection).await?;
    Ok(Report {
        ledger,
        balances: ledger.balances(),
        rows,
        pending,
        outbox,
        work_messages: work.messages,
        work_consumers: work.consumers,
        dead_messages: dead.messages,
        reply_messages: replies.messages,
        reply_consumers: replies.consumers,
        open_replies: store::reply_figures(&mut connection).await?.open,
        lost_replies,
        queue,
        workers: store::worker_reports(&mut connection, clock.now() - config.silent_after).await?,
        rounds: store::last_rounds(&mut connection, ROUNDS).await?,
    })
}

async fn compare(store: &Store) -> Result<(Ledger, Vec<Contradiction>), store::Error> {
    let mut tx = store.begin("compare rows").await?;
    store::see_one_instant(&mut tx).await?;
    let found = (store::ledger(&mut tx).await?, store::contradictions(&mut tx).await?);
    tx.commit().await?;
    Ok(found)
}

async fn depths(broker: &Broker) -> Result<Depths, broker::Error> {
    let inspector = Inspector::connect(broker).await?;
    let depths = inspector.depths().await?;
    inspector.close().await;
    Ok(depths)
}

/// The replies that are in no queue; queued again unless they are only counted.
async fn lost_replies(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    options: Options,
) -> Result<Vec<String>, AuditError> {
    let lost = replies::count_stray(store, broker, clock, BETWEEN_LOOKS).await?;
    if options.dry_run {
        return Ok(lost.into_iter().map(|lost| lost.event_id).collect());
    }
    Ok(replies::requeue_stray(store, clock, &lost).await?)
}

/// Asks until there is an answer, or time is over.
async fn question(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    config: &Config,
    options: Options,
    tell: &mut dyn FnMut(&Progress),
) -> Result<Verdict, AuditError> {
    let deadline = Instant::now() + options.wait;
    let in_queue = {
        let mut connection = store.connection().await?;
        store::any_unpublished_pending(&mut connection).await?
    };
    if !in_queue {
        return Ok(Verdict::Accounted);
    }
    if depths(broker).await?.work.consumers == 0 {
        return Ok(Verdict::NoWorker);
    }
    loop {
        let Some(number) = place(store, broker, clock, config, options).await? else {
            return Ok(Verdict::Skipped);
        };
        loop {
            let proof = match look(store, clock, config, options, number).await? {
                Look::Over(verdict) => return Ok(verdict),
                // By a worker's round: what was asked is to be asked anew.
                Look::Overtaken => break,
                Look::Open(proof) => proof,
            };
            if Instant::now() >= deadline {
                return Ok(Verdict::Unproven { proof });
            }
            tell(&Progress::Queue(proof));
            tokio::time::sleep(POLL).await;
        }
    }
}

/// What the workers' own rounds have queued again since this audit began.
async fn found_meanwhile(store: &Store, began: DateTime<Utc>) -> Result<Option<Verdict>, store::Error> {
    let mut connection = store.connection().await?;
    let rounds = store::last_rounds(&mut connection, ROUNDS).await?;
    let found = rounds.into_iter().find(|round| {
        round.requeued > 0 && !round.dry_run && round.ended_at.is_some_and(|ended_at| ended_at >= began)
    });
    Ok(found.map(|round| Verdict::Requeued { events: round.requeued, examples: round.examples }))
}

async fn place(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    config: &Config,
    options: Options,
) -> Result<Option<i64>, AuditError> {
    let mut election = store.begin("wait for the auditor").await?;
    store::lock_auditing(&mut election).await?;
    // A round that died while it re-queued comes first.
    rounds::decide_open(store, clock, config).await?;
    let placed = rounds::place(store, broker, clock, config, options.dry_run).await?;
    election.commit().await?;
    Ok(placed.begun.then_some(placed.number))
}

enum Look {
    Open(Proof),
    Overtaken,
    Over(Verdict),
}

/// Looks how far a round is, and ends it when it is proven.
async fn look(
    store: &Store,
    clock: &dyn Clock,
    config: &Config,
    options: Options,
    number: i64,
) -> Result<Look, AuditError> {
    let mut election = store.begin("wait for the auditor").await?;
    store::lock_auditing(&mut election).await?;
    let (round, suspected) = {
        let mut connection = store.connection().await?;
        let round = store::find_round(&mut connection, number).await?;
        (round, store::any_suspect(&mut connection, number).await?)
    };
    let Some(round) = round else { return Ok(Look::Overtaken) };
    let ended = if round.ended_at.is_some() {
        Some(round)
    } else if !suspected {
        // Whatever was in the queue has moved since: no marker has to say so.
        rounds::count(store, clock, number).await?
    } else {
        match rounds::proof_of(store, &round, clock.now(), config).await? {
            Proof::Proven if options.dry_run => rounds::count(store, clock, number).await?,
            Proof::Proven => rounds::requeue(store, clock, config, number).await?,
            open @ (Proof::InQueue | Proof::Grace | Proof::InHands { .. }) => return Ok(Look::Open(open)),
        }
    };
    election.commit().await?;
    Ok(ended.map_or(Look::Overtaken, |round| verdict(round, options)))
}

fn verdict(round: Round, options: Options) -> Look {
    match round.outcome.as_deref() {
        Some("overtaken") | None => Look::Overtaken,
        Some(_) if round.requeued == 0 => Look::Over(Verdict::Accounted),
        Some(_) => {
            let (events, examples) = (round.requeued, round.examples);
            Look::Over(if options.dry_run {
                Verdict::Lost { events, examples }
            } else {
                Verdict::Requeued { events, examples }
            })
        }
    }
}
