//! `worker events list`.

use crate::answer::Answer;
use crate::connect;
use crate::limit::LimitArgs;
use crate::moment::Moment;
use crate::print::table::Rows;
use crate::print::time::instant;
use crate::print::{Colours, Form, json};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::{Clock, EventStatus};
use runtime::SystemClock;
use settings::DatabaseArgs;
use store::{EventFilter, EventRow, Source};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker events list --status pending --since 1h
  worker events list --type 'session.*' --resource sesn_01ABC
  worker events list --json | jq -r '.[].event_id'")]
pub(crate) struct Args {
    /// Only those that stand so
    #[arg(long, value_parser = status())]
    status: Option<EventStatus>,

    /// Only those of this type; a trailing * matches any ending
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,

    /// Only those that happened to the resource of this id
    #[arg(long, value_name = "ID")]
    resource: Option<String>,

    /// Only those that this endpoint received
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,

    /// Only those that came this way; reply: from ourselves, a decision to be posted
    #[arg(long, value_parser = source())]
    source: Option<Source>,

    /// Only those received since: how long ago (1h), or an instant (2026-11-22T00:41:05Z)
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,

    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn status() -> impl TypedValueParser<Value = EventStatus> {
    PossibleValuesParser::new(EventStatus::ALL.map(EventStatus::as_str)).try_map(|text| text.parse())
}

fn source() -> impl TypedValueParser<Value = Source> {
    PossibleValuesParser::new(Source::ALL.map(Source::as_str)).try_map(|text| text.parse::<Source>())
}

/// Lists events.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let filter = EventFilter {
        status: args.status,
        event_type: args.event_type.clone(),
        resource_id: args.resource.clone(),
        endpoint: args.endpoint.clone(),
        source: args.source,
        since: args.since.map(|since| since.at(SystemClock.now())),
        limit: args.limit.rows_to_read(form),
    };
    let mut events = store::list_events(&mut *store.connection().await?, &filter).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&events)?,
        Form::Text(_) if events.is_empty() => "no events\n".to_owned(),
        Form::Text(colours) => {
            let more = args.limit.cut(&mut events);
            event_table(&events, colours) + &more
        }
    }))
}

fn event_table(events: &[EventRow], colours: Colours) -> String {
    let mut rows =
        Rows::list(&["event", "type", "resource", "status", "tries", "created", "received"], colours);
    for event in events {
        rows.add([
            &event.event_id,
            &event.event_type,
            event.resource_id.as_deref().unwrap_or("-"),
            &event.status,
            &event.tries.to_string(),
            &instant(event.created_at),
            &instant(event.received_at),
        ]);
    }
    rows.render()
}
