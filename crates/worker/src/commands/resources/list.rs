//! `worker resources list`.

use super::kind;
use crate::answer::Answer;
use crate::connect;
use crate::limit::LimitArgs;
use crate::print::table::Rows;
use crate::print::time::instant_or_dash;
use crate::print::{Colours, Form, json};
use domain::ResourceKind;
use settings::DatabaseArgs;
use store::{ResourceFilter, ResourceRow};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker resources list --type session --status idle
  worker resources list --json | jq -r '.[].id'")]
pub(crate) struct Args {
    /// Only those of this type
    #[arg(long = "type", value_name = "TYPE", value_parser = kind())]
    kind: Option<ResourceKind>,

    /// Only those with this status, such as running, idle, terminated or deleted
    #[arg(long)]
    status: Option<String>,

    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Lists resources.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let filter =
        ResourceFilter { kind: args.kind, status: args.status.clone(), limit: args.limit.rows_to_read(form) };
    let mut resources = store::list_resources(&mut *store.connection().await?, &filter).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&resources)?,
        Form::Text(_) if resources.is_empty() => "no resources\n".to_owned(),
        Form::Text(colours) => {
            let more = args.limit.cut(&mut resources);
            table(&resources, colours) + &more
        }
    }))
}

fn table(resources: &[ResourceRow], colours: Colours) -> String {
    let mut rows = Rows::list(&["id", "type", "status", "fetched", "last event", "of"], colours);
    for resource in resources {
        rows.add([
            &resource.id,
            &resource.resource_type,
            resource.status.as_deref().unwrap_or("-"),
            &instant_or_dash(resource.fetched_at),
            resource.last_event.as_deref().unwrap_or("-"),
            &instant_or_dash(resource.last_event_at),
        ]);
    }
    rows.render()
}
