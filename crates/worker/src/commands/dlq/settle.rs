//! `worker dlq settle`, and the same pass after a replay or a discard.

use crate::answer::{Answer, remark};
use crate::connect;
use crate::print::text::counted;
use crate::print::{Form, json};
use broker::Broker;
use ops::dead::{self, SettleError, Settled};
use runtime::SystemClock;
use settings::{BrokerArgs, DatabaseArgs};
use store::Store;
use telemetry::Chain;

/// Letters that a pass goes through in a moment.
const SHORT_QUEUE: u64 = 1_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker dlq settle

Copies of events that are no longer dead leave the queue, copies that were lost are published again,
and events that the broker gave up on become dead in Postgres.")]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Makes one pass.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let (store, broker) = connect::both(&args.database, &args.broker)?;
    let settled = pass(&store, &broker).await?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&settled)?,
        Form::Text(_) => format!(
            "{} looked at: {} kept, {} removed, {} quarantined as none of ours\n\
             {} dead from now on, {} published again\n",
            counted(settled.seen.into(), "message"),
            settled.kept,
            settled.removed,
            settled.foreign,
            counted(settled.adopted.into(), "event"),
            counted(settled.restored.into(), "lost message"),
        ),
    }))
}

/// The pass after `changed` dead letters are no longer dead, so that the broker's copies go at once. That it fails is no
/// reason to call the change a failure: workers make the same pass. `None` when it is left to them.
pub(crate) async fn follow_up(store: &Store, broker: &Broker, changed: u64) -> Option<Settled> {
    let passing = async {
        let letters = dead::check(store, broker).await?.broker;
        if is_worth_a_pass(changed, letters.unsigned_abs()) {
            pass(store, broker).await.map(Some)
        } else {
            Ok(None)
        }
    };
    match passing.await {
        Ok(Some(settled)) => Some(settled),
        Ok(None) => {
            remark("The copies in RabbitMQ go with a worker's next pass, or with `worker dlq settle`.");
            None
        }
        Err(error) => {
            remark(&format!(
                "warning: the copies in RabbitMQ are still there, a worker or `worker dlq settle` removes them: {}",
                Chain(&error)
            ));
            None
        }
    }
}

/// A pass moves every letter once. A person who waits for a few of very many should not wait for that.
const fn is_worth_a_pass(changed: u64, letters: u64) -> bool {
    letters <= SHORT_QUEUE || changed.saturating_mul(10) >= letters
}

async fn pass(store: &Store, broker: &Broker) -> Result<Settled, SettleError> {
    dead::settle(store, broker, &SystemClock, &format!("dlq-settle-{}", std::process::id())).await
}

#[cfg(test)]
mod tests;
