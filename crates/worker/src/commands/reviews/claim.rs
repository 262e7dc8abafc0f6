//! `worker reviews claim` and `release`.

use super::one::{one, refused};
use super::person::PersonArgs;
use crate::answer::Answer;
use crate::connect;
use crate::print::time::instant;
use crate::print::{Form, json};
use chrono::{DateTime, TimeDelta, Utc};
use runtime::SystemClock;
use serde::Serialize;
use settings::DatabaseArgs;
use std::time::Duration;

/// The longest claim: nobody should block a review for longer than they are at work.
const LONGEST: Duration = Duration::from_hours(24);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker reviews claim sevt_01ABC --for 30m

A claim ends by itself. Claim again to prolong it, or give it back with `worker reviews release`.")]
pub(crate) struct ClaimArgs {
    /// The id of the tool use, or a unique beginning of it
    #[arg(value_name = "ID")]
    id: String,

    /// For how long, at most 24h
    #[arg(long = "for", value_name = "TIME", default_value = "15m", value_parser = claim_time)]
    time: TimeDelta,

    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker reviews release sevt_01ABC")]
pub(crate) struct ReleaseArgs {
    /// The id of the tool use, or a unique beginning of it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn claim_time(text: &str) -> Result<TimeDelta, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time < Duration::from_secs(1) || time > LONGEST {
        return Err("from 1s to 24h".to_owned());
    }
    TimeDelta::from_std(time).map_err(|error| error.to_string())
}

#[derive(Serialize)]
struct Claim<'a> {
    id: &'a str,
    claimed_by: Option<&'a str>,
    claimed_until: Option<DateTime<Utc>>,
}

/// Claims a review.
pub(crate) async fn claim(args: &ClaimArgs, form: Form) -> anyhow::Result<Answer> {
    let who = args.person.name()?;
    let store = connect::store(&args.database)?;
    let review = one(&store, &args.id).await?;
    let until = ops::reviews::claim(&store, &SystemClock, review.effect, who, args.time)
        .await
        .map_err(|error| refused(&review, error))?;
    let id = &review.id;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Claim { id, claimed_by: Some(who), claimed_until: Some(until) })?,
        Form::Text(_) => format!("{id} is yours until {}\n", instant(until)),
    }))
}

/// Gives a review back.
pub(crate) async fn release(args: &ReleaseArgs, form: Form) -> anyhow::Result<Answer> {
    let who = args.person.name()?;
    let store = connect::store(&args.database)?;
    let review = one(&store, &args.id).await?;
    let released = ops::reviews::release(&store, &SystemClock, review.effect, who)
        .await
        .map_err(|error| refused(&review, error))?;
    let id = &review.id;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Claim { id, claimed_by: None, claimed_until: None })?,
        Form::Text(_) if released => format!("{id} is everybody's again\n"),
        Form::Text(_) => format!("{id} was not claimed\n"),
    }))
}
