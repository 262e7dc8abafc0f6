//! `worker resources list`.

use super::kind;
use super::message::{listed, tokens};
use crate::answer::Answer;
use crate::connect;
use crate::error::Error;
use crate::limit::LimitArgs;
use crate::print::table::Rows;
use crate::print::time::instant_or_dash;
use crate::print::{Colours, Form, json};
use domain::ResourceKind;
use settings::DatabaseArgs;
use store::{MessageFilter, MessageRow, ResourceFilter, ResourceRow};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  worker resources list --type session --status idle
  worker resources list --type message --blocked sexual --level high
  worker resources list --json | jq -r '.[].id'")]
pub(crate) struct Args {
    /// Only those of this type
    #[arg(long = "type", value_name = "TYPE", value_parser = kind())]
    kind: Option<ResourceKind>,

    /// Only those with this status, such as running, idle, terminated or deleted
    #[arg(long)]
    status: Option<String>,

    /// Only messages that moderation refused for this category
    #[arg(long, value_name = "CATEGORY", help_heading = "Messages")]
    blocked: Option<String>,

    /// Only messages of which moderation was so sure, for example high
    #[arg(long, help_heading = "Messages")]
    level: Option<String>,

    #[command(flatten)]
    limit: LimitArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Lists resources.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    if let Some(kind) = args.kind.filter(|kind| *kind != ResourceKind::Message)
        && (args.blocked.is_some() || args.level.is_some())
    {
        return Err(Error::OfMessagesOnly { kind }.into());
    }
    let filter =
        ResourceFilter { kind: args.kind, status: args.status.clone(), limit: args.limit.rows_to_read(form) };
    if args.kind == Some(ResourceKind::Message) || args.blocked.is_some() || args.level.is_some() {
        return messages(args, filter, form).await;
    }
    let store = connect::store(&args.database)?;
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

/// Lists messages with what moderation said of them.
async fn messages(args: &Args, resource: ResourceFilter, form: Form) -> anyhow::Result<Answer> {
    let filter = MessageFilter { resource, blocked: args.blocked.clone(), level: args.level.clone() };
    let store = connect::store(&args.database)?;
    let mut found = store::list_messages(&mut *store.connection().await?, &filter).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&found)?,
        Form::Text(_) if found.is_empty() => "no messages\n".to_owned(),
        Form::Text(colours) => {
            let more = args.limit.cut(&mut found);
            message_table(&found, colours) + &more
        }
    }))
}

fn message_table(found: &[MessageRow], colours: Colours) -> String {
    let mut rows = Rows::list(&["id", "status", "model", "tokens", "blocked", "level", "of"], colours);
    for MessageRow { resource, message } in found {
        rows.add([
            &resource.id,
            resource.status.as_deref().unwrap_or("-"),
            message.model.as_deref().unwrap_or("-"),
            &tokens(message),
            &listed(&message.blocked_categories),
            &listed(&message.levels),
            &instant_or_dash(resource.last_event_at),
        ]);
    }
    rows.render()
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
