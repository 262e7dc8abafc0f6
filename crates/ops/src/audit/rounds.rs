//! A round from its beginning to its end. All of this is done by whoever holds the auditing lock.

use super::proof::{Proof, proof};
use super::{AuditError, Config};
use broker::{Broker, Inspector, Marker};
use chrono::{DateTime, SubsecRound as _, Utc};
use domain::Clock;
use store::{NewRound, Round, Store};

/// Begins a round, and places its marker when it was begun. Where the marker does not arrive, the round waits until a later
/// one overtakes it.
pub(super) async fn place(
    store: &Store,
    broker: &Broker,
    clock: &dyn Clock,
    config: &Config,
    dry_run: bool,
) -> Result<NewRound, AuditError> {
    // The connection first: without RabbitMQ no round is begun at all.
    let inspector = Inspector::connect(broker).await?;
    // As Postgres and the marker keep it.
    let placed_at = clock.now().trunc_subsecs(6);
    let mut tx = store.begin("begin an audit").await?;
    let round = store::place_round(&mut tx, placed_at, config.most_unpublished, dry_run).await?;
    // Before the marker: what is published after this line may be before the marker, and is no suspect.
    tx.commit().await?;
    if round.begun {
        inspector.place_marker(Marker { number: round.number, placed_at }).await?;
    }
    inspector.close().await;
    Ok(round)
}

/// How far the proof of a round is.
pub(super) async fn proof_of(
    store: &Store,
    round: &Round,
    now: DateTime<Utc>,
    config: &Config,
) -> Result<Proof, store::Error> {
    let mut connection = store.connection().await?;
    let reports = store::worker_reports(&mut connection, now - config.silent_after).await?;
    Ok(proof(round.returned_at, &reports, now, config))
}

/// What the workers' rounds have come to: an interrupted one is finished, and the youngest that is proven is decided.
/// Returns that round, ended.
pub(super) async fn decide_open(
    store: &Store,
    clock: &dyn Clock,
    config: &Config,
) -> Result<Option<Round>, store::Error> {
    let open = {
        let mut connection = store.connection().await?;
        store::open_rounds(&mut connection).await?
    };
    if let Some(interrupted) = open.iter().find(|round| round.requeueing) {
        return requeue(store, clock, config, interrupted.number).await;
    }
    let now = clock.now();
    for round in open.iter().rev().filter(|round| !round.dry_run && round.returned_at.is_some()) {
        if proof_of(store, round, now, config).await? == Proof::Proven {
            return requeue(store, clock, config, round.number).await;
        }
    }
    Ok(None)
}

/// Gives every event that a proven round still suspects an outbox row, chunk by chunk, and ends the round. Killed in
/// between, it is taken up where it stood.
pub(super) async fn requeue(
    store: &Store,
    clock: &dyn Clock,
    config: &Config,
    number: i64,
) -> Result<Option<Round>, store::Error> {
    loop {
        let mut tx = store.begin("queue lost events again").await?;
        let now = clock.now();
        let chunk = store::requeue_chunk(&mut tx, number, now, config.chunk).await?;
        let done = chunk.looked_at == 0;
        // With the first chunk and not at the end: nobody may decide a round on what this one publishes.
        store::overtake(&mut tx, number, chunk.requeued > 0, now).await?;
        if done {
            store::end_round(&mut tx, number, now).await?;
        }
        tx.commit().await?;
        if done {
            let mut connection = store.connection().await?;
            return store::find_round(&mut connection, number).await;
        }
    }
}

/// Counts what a proven round suspects, and ends it.
pub(super) async fn count(
    store: &Store,
    clock: &dyn Clock,
    number: i64,
) -> Result<Option<Round>, store::Error> {
    let mut tx = store.begin("count lost events").await?;
    store::note_suspects(&mut tx, number).await?;
    store::end_round(&mut tx, number, clock.now()).await?;
    let round = store::find_round(&mut tx, number).await?;
    tx.commit().await?;
    Ok(round)
}
