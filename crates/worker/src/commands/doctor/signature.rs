//! `worker doctor signature`: why the signature of a delivery fails.

mod delivery;
mod explanation;

use crate::answer::Answer;
use crate::moment::Moment;
use crate::print::{Form, json};
use delivery::DeliveryArgs;
use domain::Clock;
use explanation::Explanation;
use runtime::SystemClock;
use settings::{Problems, SignatureArgs};
use signing::diagnose;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker doctor signature --body body.json --id whe_01ABC --timestamp 1773568805 \\
    --signature v1,K5oZ…
  worker doctor signature --body - --header 'webhook-id: whe_01ABC' \\
    --header 'webhook-timestamp: 1773568805' --header 'webhook-signature: v1,K5oZ…' \\
    --now 2026-03-15T10:00:30Z < body.json

Give the body as it arrived, byte by byte. The exit code is 1 when the delivery would be refused.")]
pub(crate) struct Args {
    #[command(flatten)]
    delivery: DeliveryArgs,

    /// When the delivery arrived, in seconds since 1970 or as 2026-11-22T00:41:05Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = arrival)]
    now: Option<Moment>,

    #[command(flatten)]
    signatures: SignatureArgs,
}

/// Explains a signature.
pub(crate) fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let mut problems = Problems::new();
    let signatures = args.signatures.validate(&mut problems);
    let signatures = problems.into_result(signatures)?;
    let body = args.delivery.body()?;
    let now = SystemClock.now();
    let arrived = args.now.map_or(now, |moment| moment.at(now));
    let diagnosis = diagnose(
        &args.delivery.headers(),
        &body,
        &signatures.secrets,
        arrived.timestamp(),
        signatures.tolerance_seconds,
        signatures.schemes,
    );
    let explanation = Explanation::from(diagnosis);
    let text = match form {
        Form::Json => json::object(&explanation)?,
        Form::Text(_) => explanation.to_string(),
    };
    Ok(Answer::new(text).failed_if(!explanation.accepted))
}

/// Reads seconds since 1970, as the headers have them, or what any other instant may look like.
fn arrival(text: &str) -> Result<Moment, crate::moment::InvalidMoment> {
    let seconds = text.parse().ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    seconds.map_or_else(|| text.parse(), |at| Ok(Moment::At(at)))
}
