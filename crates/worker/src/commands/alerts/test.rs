//! `worker alerts test`.

use crate::answer::Answer;
use crate::print::table::Rows;
use crate::print::{Form, json};
use crate::run::alerts::sinks;
use callout::Caller;
use domain::{AlertKind, Clock};
use ops::alerts::Sink;
use runtime::SystemClock;
use serde::Serialize;
use serde_json::json;
use settings::{Problems, SinkArgs};
use store::{AlertPhase, AlertRow};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker alerts test
  worker alerts test --alert-slack-url-file /run/secrets/slack

The test alert is not kept. Exit code 1 when a sink was not told.")]
pub(crate) struct Args {
    #[command(flatten)]
    sinks: SinkArgs,
}

#[derive(Serialize)]
struct SinkReport {
    sink: &'static str,
    told: bool,
    answer: String,
}

/// Tells all sinks.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let mut problems = Problems::new();
    let checked = args.sinks.validate(&mut problems);
    let checked = problems.into_result(checked)?;
    let caller = Caller::new()?;
    let mut told = Vec::new();
    for sink in sinks(&checked) {
        told.push(tell(&sink, &caller).await);
    }
    let failed = told.iter().any(|told| !told.told);
    Ok(Answer::new(match form {
        Form::Json => json::list(&told)?,
        Form::Text(colours) => {
            let mut rows = Rows::with_header(&["sink", "result", "answer"], colours);
            for told in &told {
                rows.add([told.sink, if told.told { "ok" } else { "failed" }, &told.answer]);
            }
            rows.render()
        }
    })
    .failed_if(failed))
}

async fn tell(sink: &Sink, caller: &Caller) -> SinkReport {
    let now = SystemClock.now();
    let kind = AlertKind::Test;
    let alert = AlertRow {
        id: 0,
        kind: kind.as_str().to_owned(),
        key: "test".to_owned(),
        severity: kind.severity().as_str().to_owned(),
        title: "this is a test: alerts of Holdfast arrive here".to_owned(),
        resource_type: None,
        resource_id: None,
        event_id: None,
        times: 1,
        raised_at: now,
        last_raised_at: now,
        resolved_at: None,
        resolution: None,
        details: json!({}),
    };
    match sink.tell(caller, AlertPhase::Raised, &alert, now).await {
        Ok(answer) => SinkReport { sink: sink.name(), told: true, answer: answer.to_owned() },
        Err(error) => SinkReport { sink: sink.name(), told: false, answer: error },
    }
}
