//! `worker alerts list`.

use crate::answer::Answer;
use crate::connect;
use crate::limit::LimitArgs;
use crate::print::table::Rows;
use crate::print::text::shortened;
use crate::print::time::instant;
use crate::print::{Colours, Form, json};
use domain::{AlertKind, Severity};
use settings::DatabaseArgs;
use store::{AlertFilter, AlertRow};

/// Characters of a title that a table shows; `show` has all of it.
const TITLE_LENGTH: usize = 100;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker alerts list --severity critical
  worker alerts list --all --kind session_error
  worker alerts list --json | jq -r '.[].title'")]
pub(crate) struct Args {
    /// Only open ones, as is the default
    #[arg(long, conflicts_with = "all")]
    open: bool,

    /// Resolved ones too
    #[arg(long)]
    all: bool,

    /// Only those of this kind; docs/ALERTS.md has all kinds
    #[arg(long)]
    kind: Option<AlertKind>,

    /// Only those that are at least so urgent: info, warning or critical
    #[arg(long)]
    severity: Option<Severity>,

    /// Only those about this resource
    #[arg(long, value_name = "ID")]
    resource: Option<String>,

    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Lists alerts.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let filter = AlertFilter {
        resolved_too: args.all && !args.open,
        kind: args.kind.map(|kind| kind.as_str().to_owned()),
        severity: args.severity,
        resource_id: args.resource.clone(),
        limit: args.limit.rows_to_read(form),
    };
    let mut alerts = store::list_alerts(&mut *store.connection().await?, &filter).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&alerts)?,
        Form::Text(_) if alerts.is_empty() && args.all => "no alerts\n".to_owned(),
        Form::Text(_) if alerts.is_empty() => "no open alerts\n".to_owned(),
        Form::Text(colours) => {
            let more = args.limit.cut(&mut alerts);
            table(&alerts, colours) + &more
        }
    }))
}

fn table(alerts: &[AlertRow], colours: Colours) -> String {
    let mut rows = Rows::list(&["id", "severity", "kind", "last raised", "times", "state", "title"], colours);
    for alert in alerts {
        rows.add([
            &alert.id.to_string(),
            &alert.severity,
            &alert.kind,
            &instant(alert.last_raised_at),
            &alert.times.to_string(),
            if alert.resolved_at.is_some() { "resolved" } else { "open" },
            &shortened(&alert.title, TITLE_LENGTH),
        ]);
    }
    rows.render()
}
