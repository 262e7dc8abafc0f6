//! What a scenario is made of.

/// One row of the catalogue: what is broken, and what may follow from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// For people: what happens.
    pub(crate) about: &'static str,
    pub(crate) fault: Fault,
    /// What is no complaint.
    pub(crate) allows: &'static [Allowed],
    /// Whether it is part of `--short`.
    pub(crate) short: bool,
}

impl Scenario {
    pub(crate) fn allows(&self, what: Allowed) -> bool {
        self.allows.contains(&what)
    }
}

/// What a scenario may lead to. Nothing allows a loss or a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Answers other than 2xx.
    Refusals,
    /// Events that use up their tries. A replay must finish them afterwards.
    DeadLetters,
}

/// What is broken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nothing: the figures to compare with.
    Nothing,
    /// `kill -9` of one of the processes and its start, at random moments.
    Crashes(Role),
    /// `kill -9` of a server and its start, at random moments.
    ServerCrashes(Server),
    /// Servers killed, and started again after the length of a fault.
    Away(&'static [Server]),
    /// Trouble on connections.
    Network(&'static [Link], Trouble),
    /// The API fails.
    Api(ApiTrouble),
    /// SIGTERM and a new start, one process after the other.
    RollingRestarts,
    /// RabbitMQ forgets.
    Wiped(Wipe),
    /// The sender's clock is wrong.
    Skew,
    /// A process dies at a named line.
    Failpoint(Failpoint),
    /// A message that kills every worker that reads it.
    Poison,
}

/// What a process of ours does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Ingest,
    Worker,
}

/// A server that we do not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Postgres,
    RabbitMq,
}

/// A pair that talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    IngestPostgres,
    IngestRabbitMq,
    WorkerPostgres,
    WorkerRabbitMq,
    WorkerApi,
}

/// What happens on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// All connections are closed, and new ones at once.
    Cut,
    /// Half-open: nothing is closed, and nothing arrives.
    Silent,
    /// Everything takes so many milliseconds longer, in each direction.
    Slow(u64),
}

/// How the API fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiTrouble {
    Down,
    Slow,
    Throttling,
    Unauthorized,
    Rubbish,
    /// Every third call fails, without retries in place.
    Flaky,
    /// A few sessions cannot be read, all others can.
    BrokenSessions,
}

/// How RabbitMQ forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wipe {
    /// All queues are deleted.
    Queues,
    /// It is killed and begins with an empty folder.
    Data,
}

/// A line at which a process dies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failpoint {
    /// Its name, as in `crates/failpoints`.
    pub(crate) name: &'static str,
    /// The pass that is the last one.
    pub(crate) pass: u32,
    pub(crate) way: Way,
}

/// Who passes the line, and what must be so before anybody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Ingest,
    /// Ingest without Postgres.
    IngestAlone,
    /// Ingest while retries are due.
    IngestWithRetries,
    Worker,
    /// A worker whose events use up their tries.
    WorkerWithDeadLetters,
    /// `worker dlq replay` of some of the dead letters, and the settling that it ends with.
    Settling,
    /// `worker dlq replay` of all of them, in small chunks.
    Replaying,
}
