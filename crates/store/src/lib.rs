//! Everything that is said to Postgres: each statement, the migrations, the transactions.
//!
//! `store` owns the truth about events and decides nothing about them. One module per question family, one
//! function per question; rows are private and become words of `domain` here. No network call but Postgres' own is
//! ever awaited inside a transaction: those who hold a [`Tx`] only ever await this crate.

mod accept;
mod alerts;
mod attempts;
mod audit;
mod budget;
mod bundles;
mod connection;
mod dead;
mod due_effects;
mod effects;
mod error;
mod events;
mod figures;
mod history;
mod lease;
mod ledger;
mod messages;
mod outbox;
mod processing;
mod quarantine;
pub mod reconcile;
mod replays;
mod replies;
mod resources;
mod reviews;
mod settling;
mod standing;
mod transcripts;

pub use accept::{Accepted, AcceptedBatch, NewEvent, Source, accept_batch, store_missing};
pub use alerts::{
    AlertDelivery, AlertFilter, AlertPhase, AlertRow, DueDelivery, EndpointHealth, EventFacts, NewAlert,
    OpenAlert, OpenFacts, alert_deliveries_of, claim_alert_deliveries, endpoint_health, event_facts,
    fail_alert_delivery, find_alert, finish_alert_delivery, forget_endpoint_health, history_since,
    list_alerts, open_alert, open_alert_figures, open_alerts_of_resources, raise_alert, raise_caused_alert,
    record_alert_deliveries, record_past_alert, resolve_alert, resolve_alert_by_number, try_lock_watching,
    write_endpoint_health,
};
pub use attempts::{Attempt, attempts_of};
pub use audit::{
    Contradiction, NewRound, Requeued, Round, WorkerReport, any_suspect, any_unpublished_pending,
    contradictions, end_round, find_round, last_rounds, lock_auditing, mark_returned, note_suspects,
    open_rounds, overtake, place_round, report_held, requeue_chunk, see_one_instant, try_lock_auditing,
    worker_reports,
};
pub use budget::{pause_calls, take_tokens};
pub use bundles::{DueBundle, DueEvent, claim_bundles, confirm_bundles, keep_in_bundle};
pub use connection::{Options, Server, Store};
pub use dead::{
    DeadFilter, DeadGroup, count_dead, dead_figures, dead_stats, discard, list_dead, select_dead,
};
pub use due_effects::{DueEffect, claim_effects, finish_effect, postpone_effect, renew_effect};
pub use effects::{
    EffectRow, NewEffect, close_overtaken, effects_of_event, effects_of_resource, record_effects,
};
pub use error::Error;
pub use events::{EventDetail, EventFilter, EventRow, find_events, list_events};
pub use figures::{Figures, Unfinished, figures, keep_ledger, keep_unfinished, ledger_chunk, unfinished};
pub use history::{HistoryEntry, HistoryRow, history_of, record_history};
pub use lease::{Connection, Tx};
pub use ledger::{Backlog, Ledger, backlog, ledger};
pub use messages::{MessageFilter, MessageRow, list_messages, save_messages};
pub use outbox::{Due, Intention, Queue, Ticket, claim_due, confirm, schedule, schedule_missing, unschedule};
pub use processing::{Failure, Finished, finish, record_failures};
pub use quarantine::{Kept, Quarantined, quarantine, quarantined};
pub use replays::{Replay, cancel_replay, find_replay, finish_replay, replay_chunk, start_replay};
pub use replies::{
    NewReply, REPLY_ENDPOINT, REPLY_EVENT_TYPE, Reply, ReplyEnd, ReplyFigures, StrayReply, accept_reply,
    end_replies, hold_replies, lock_replies, release_replies, reply_figures, requeue_replies, stray_replies,
    try_lock_replies,
};
pub use resources::{
    NewState, ResourceDetail, ResourceFilter, ResourceRow, States, find_resource, list_resources,
    load_states, lock_states, parent_of, save_states,
};
pub use reviews::{
    Closed, NewReview, Review, ReviewFigures, ReviewFilter, ReviewStep, Step, begin_call, claim_review,
    close_review, drop_review, end_call, find_review, find_reviews, hand_over, keep_reviews, list_reviews,
    lock_review, mark_overdue, note_step, record_answer, release_review, resolve_overdue_alerts,
    review_figures, steps_of, unprepared_reviews,
};
pub use settling::{dead_without_intention, last_settled, lock_settling, record_settled, try_lock_settling};
pub use standing::{EventStanding, lock_events, standing_of};
pub use transcripts::{
    FetchedTranscript, NewTranscriptPart, PartRow, TranscriptFilter, TranscriptHold, TranscriptRow,
    TranscriptThread, add_transcript_part, begin_transcript, find_transcript, finish_archiving,
    finish_transcript, keep_transcript, list_transcripts, release_transcript, transcript_body,
    transcript_parts, transcript_threads,
};
