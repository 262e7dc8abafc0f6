//! `worker reviews list`.

use crate::answer::Answer;
use crate::connect;
use crate::limit::LimitArgs;
use crate::print::table::Rows;
use crate::print::time::{instant_or_dash, span};
use crate::print::{Colours, Form, json};
use chrono::{DateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::{Clock, ReviewStatus};
use runtime::SystemClock;
use settings::DatabaseArgs;
use store::{Review, ReviewFilter};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker reviews list --status open
  worker reviews list --overdue --agent 'Support desk'
  worker reviews list --all --json | jq -r '.[] | [.id, .status, .decided_by] | @tsv'")]
pub(crate) struct Args {
    /// Only those that stand so [default: all that are not over]
    #[arg(long, value_parser = status())]
    status: Option<ReviewStatus>,

    /// Those that are over too, and the newest first
    #[arg(long, conflicts_with = "status")]
    all: bool,

    /// Only those of this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,

    /// Only uses of this tool
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,

    /// Only those of this agent, by id or name
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,

    /// Only those that a person should have answered by now
    #[arg(long, conflicts_with_all = ["status", "all"])]
    overdue: bool,

    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn status() -> impl TypedValueParser<Value = ReviewStatus> {
    PossibleValuesParser::new(ReviewStatus::ALL.map(ReviewStatus::as_str)).try_map(|text| text.parse())
}

/// Lists reviews.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let now = SystemClock.now();
    let filter = ReviewFilter {
        status: if args.overdue { Some(ReviewStatus::Open) } else { args.status },
        also_over: args.all,
        session: args.session.clone(),
        tool: args.tool.clone(),
        agent: args.agent.clone(),
        due_before: args.overdue.then_some(now),
        limit: args.limit.rows_to_read(form),
    };
    let mut reviews = store::list_reviews(&mut *store.connection().await?, &filter).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&reviews)?,
        Form::Text(_) if reviews.is_empty() => "no reviews\n".to_owned(),
        Form::Text(colours) => {
            let more = args.limit.cut(&mut reviews);
            table(&reviews, now, colours) + &more
        }
    }))
}

fn table(reviews: &[Review], now: DateTime<Utc>, colours: Colours) -> String {
    let mut rows = Rows::list(&["id", "status", "tool", "agent", "session", "waits", "due", "with"], colours);
    for review in reviews {
        let session = review.session_title.as_deref().unwrap_or(&review.session_id);
        rows.add([
            &review.id,
            review.status.as_str(),
            review.tool.as_deref().unwrap_or("-"),
            review.agent_name.as_deref().or(review.agent_id.as_deref()).unwrap_or("-"),
            session,
            &if review.status.is_over() { "-".to_owned() } else { span(now - review.recorded_at) },
            &instant_or_dash(review.due_at),
            with(review, now).unwrap_or("-"),
        ]);
    }
    rows.render()
}

/// Who has it, or had it.
fn with(review: &Review, now: DateTime<Utc>) -> Option<&str> {
    let claimed = review.claimed_until.is_some_and(|until| until > now);
    let claimant = review.claimed_by.as_deref().filter(|_| claimed);
    review.decided_by.as_deref().or(claimant).or(review.executor.as_deref())
}
