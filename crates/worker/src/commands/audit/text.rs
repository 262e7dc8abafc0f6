//! The report for people.

use crate::commands::events::ledger_rows;
use crate::print::Colours;
use crate::print::table::Rows;
use crate::print::text::{counted, harmless};
use crate::print::time::{instant, instant_or_dash};
use ops::audit::{Proof, Report, Verdict};
use store::Round;

/// All of it.
pub(super) fn report(report: &Report, colours: Colours) -> String {
    let mut out = String::new();
    for part in
        [ledger(report, colours), rows(report, colours), queues(report, colours), rounds(report, colours)]
    {
        out.push_str(&part);
        out.push('\n');
    }
    out + &verdict(report)
}

fn ledger(report: &Report, colours: Colours) -> String {
    let table = ledger_rows(&report.ledger, colours);
    let sum = if report.balances { "The sum is right." } else { "The sum is WRONG." };
    format!("{}{sum}\n", table.render())
}

fn rows(report: &Report, colours: Colours) -> String {
    let mut table = Rows::without_header(colours);
    for rule in &report.rows {
        let (mark, found) = match rule.rows {
            0 => ("ok", String::new()),
            rows => (
                "failed",
                format!(
                    "{} it",
                    if rows == 1 { "1 row breaks".to_owned() } else { format!("{rows} rows break") }
                ),
            ),
        };
        table.add([mark, rule.says, &found]);
    }
    table.render()
}

fn queues(report: &Report, colours: Colours) -> String {
    let mut table = Rows::without_header(colours);
    let outbox = counted(report.outbox, "message");
    let work = counted(report.work_messages.into(), "message");
    let consumers = counted(report.work_consumers.into(), "consumer");
    table.add(["outbox", &format!("{outbox} to be published, now or when due")]);
    table.add(["work", &format!("{work} waiting, {consumers}")]);
    for worker in &report.workers {
        let holds = match (worker.holds_redelivered, worker.held_since) {
            (true, _) => "holds a message that was delivered before".to_owned(),
            (false, Some(since)) => format!("holds messages since {}", instant(since)),
            (false, None) => "holds no message".to_owned(),
        };
        table.add(["worker", &format!("{} {holds}", worker.worker)]);
    }
    let waiting = counted(report.reply_messages.into(), "message");
    let consumers = counted(report.reply_consumers.into(), "consumer");
    table.add(["replies", &format!("{waiting} waiting, {consumers}; {} to be posted", report.open_replies)]);
    let (dead, known) = (counted(report.dead_messages.into(), "message"), report.ledger.dead);
    table.add(["dead", &format!("{dead}; Postgres has {known}, compare with `worker dlq check`")]);
    table.render()
}

fn rounds(report: &Report, colours: Colours) -> String {
    if report.rounds.is_empty() {
        return "No audit has placed a marker yet.\n".to_owned();
    }
    let mut table = Rows::with_header(&["round", "placed", "marker back", "ended", "outcome"], colours);
    for round in &report.rounds {
        table.add([
            &round.number.to_string(),
            &instant(round.placed_at),
            &instant_or_dash(round.returned_at),
            &instant_or_dash(round.ended_at),
            &outcome(round),
        ]);
    }
    table.render()
}

fn outcome(round: &Round) -> String {
    match (round.outcome.as_deref(), round.dry_run) {
        (None, _) if round.requeueing => format!("queueing again, {} so far", round.requeued),
        (None, _) => "open".to_owned(),
        (Some("requeued"), true) => format!("{} lost, dry run", counted(round.requeued, "event")),
        (Some("requeued"), false) => format!("{} lost and queued again", counted(round.requeued, "event")),
        (Some(outcome), _) => outcome.to_owned(),
    }
}

fn verdict(report: &Report) -> String {
    let mut out = match &report.queue {
        Verdict::Accounted => match report.ledger.pending {
            0 => "Every event is finished.\n".to_owned(),
            1 => "The one pending event is still to be published, in RabbitMQ or with a worker.\n".to_owned(),
            pending => {
                format!("Each of the {pending} pending events is still to be published, in RabbitMQ or with a worker.\n")
            }
        },
        Verdict::Requeued { events, examples } => format!(
            "RabbitMQ had lost {}; queued again: {}\n",
            counted(*events, "message"),
            listed(*events, examples)
        ),
        Verdict::Lost { events, examples } => format!(
            "RabbitMQ has lost {}: {}\nRun it without --dry-run, or let a worker queue them again.\n",
            counted(*events, "message"),
            listed(*events, examples)
        ),
        Verdict::NoWorker => {
            "No worker consumes the queue, so it cannot be told what is in it. Nothing was queued again; start `worker run`.\n".to_owned()
        }
        Verdict::Skipped => {
            "Too many messages are still to be published to tell. Nothing was queued again; ask again when the outbox is shorter.\n".to_owned()
        }
        Verdict::Unproven { proof } => format!("Not proven in time: {}. Nothing was queued again; ask again with a longer --wait.\n", missing(proof)),
    };
    if !report.lost_replies.is_empty() {
        let lost = i64::try_from(report.lost_replies.len()).unwrap_or(i64::MAX);
        let some = listed(lost, report.lost_replies.get(..10).unwrap_or(&report.lost_replies));
        let replies =
            format!("RabbitMQ had lost replies ({lost}); queued again unless this was a dry run: {some}\n");
        out.push_str(&replies);
    }
    let broken = report.rows.iter().any(|rule| rule.rows > 0);
    if broken || !report.balances {
        out.push_str("Rows contradict each other: keep the database as it is and report this.\n");
    }
    out
}

fn missing(proof: &Proof) -> String {
    match proof {
        Proof::InQueue => "the marker waits in the queue, behind other messages".to_owned(),
        Proof::Grace | Proof::Proven => "the marker came back only now".to_owned(),
        Proof::InHands { worker } => {
            format!("worker {} may still hold what came before the marker", harmless(worker))
        }
    }
}

fn listed(events: i64, examples: &[String]) -> String {
    let named = harmless(&examples.join(" "));
    let more = events.saturating_sub(i64::try_from(examples.len()).unwrap_or(i64::MAX));
    if more > 0 { format!("{named} and {more} more") } else { named }
}
