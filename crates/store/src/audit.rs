//! The audit's own rows, its rounds and what workers report, and its questions: which events are in no queue, which rows
//! contradict each other.

mod contradictions;
mod reports;
mod rounds;
mod suspects;

pub use contradictions::{Contradiction, contradictions, see_one_instant};
pub use reports::{WorkerReport, report_held, worker_reports};
pub use rounds::{
    NewRound, Round, end_round, find_round, last_rounds, lock_auditing, mark_returned, open_rounds, overtake,
    place_round, try_lock_auditing,
};
pub use suspects::{Requeued, any_suspect, any_unpublished_pending, note_suspects, requeue_chunk};
