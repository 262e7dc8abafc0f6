//! `worker alerts show`.

use crate::answer::Answer;
use crate::commands::events::harmless_lines;
use crate::connect;
use crate::error::Error;
use crate::print::json::laid_out;
use crate::print::table::Rows;
use crate::print::time::instant;
use crate::print::{Colours, Form, json};
use serde::Serialize;
use settings::DatabaseArgs;
use store::{AlertDelivery, AlertRow};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker alerts show 17
  worker alerts show 17 --json | jq .details")]
pub(crate) struct Args {
    /// The alert's number, as `worker alerts list` shows it
    #[arg(value_name = "ID")]
    id: i64,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// Shows one alert.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let mut connection = store.connection().await?;
    let alert = store::find_alert(&mut connection, args.id).await?.ok_or(Error::NoAlert { id: args.id })?;
    let deliveries = store::alert_deliveries_of(&mut connection, alert.id).await?;
    Ok(Answer::new(match form {
        Form::Json => json::object(&Report { alert: &alert, deliveries: &deliveries })?,
        Form::Text(colours) => text(&alert, &deliveries, colours)?,
    }))
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    alert: &'a AlertRow,
    deliveries: &'a [AlertDelivery],
}

fn text(alert: &AlertRow, deliveries: &[AlertDelivery], colours: Colours) -> anyhow::Result<String> {
    let mut rows = Rows::without_header(colours);
    rows.add(["id", &alert.id.to_string()])
        .add(["kind", &alert.kind])
        .add(["severity", &alert.severity])
        .add(["title", &alert.title]);
    if let (Some(kind), Some(id)) = (&alert.resource_type, &alert.resource_id) {
        rows.add(["resource", &format!("{kind} {id}")]);
    }
    if let Some(event) = &alert.event_id {
        rows.add(["event", event]);
    }
    rows.add(["raised", &instant(alert.raised_at)]);
    if alert.times > 1 {
        rows.add(["last raised", &format!("{}, {} times", instant(alert.last_raised_at), alert.times)]);
    }
    match (alert.resolved_at, &alert.resolution) {
        (Some(at), Some(resolution)) => rows.add(["resolved", &format!("{}: {resolution}", instant(at))]),
        _ => rows.add(["resolved", "no, it is open"]),
    };
    let details = serde_json::to_string(&alert.details)?;
    let mut text = rows.render() + "\nDetails\n" + &harmless_lines(&laid_out(&details));
    if !deliveries.is_empty() {
        text += "\nTold\n";
        text += &delivery_table(deliveries, colours);
    }
    Ok(text)
}

fn delivery_table(deliveries: &[AlertDelivery], colours: Colours) -> String {
    let mut rows = Rows::with_header(&["sink", "what", "told", "failures", "last error"], colours);
    for delivery in deliveries {
        let told = match (delivery.delivered_at, delivery.given_up_at) {
            (Some(at), _) => instant(at),
            (None, Some(at)) => format!("given up {}", instant(at)),
            (None, None) => "not yet".to_owned(),
        };
        rows.add([
            &delivery.sink,
            &delivery.phase,
            &told,
            &delivery.tries.to_string(),
            delivery.last_error.as_deref().unwrap_or("-"),
        ]);
    }
    rows.render()
}
