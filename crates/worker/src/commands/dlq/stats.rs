//! `worker dlq stats`.

use crate::answer::Answer;
use crate::connect;
use crate::print::table::Rows;
use crate::print::text::counted;
use crate::print::time::instant;
use crate::print::{Form, json};
use settings::DatabaseArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  worker dlq stats --json | jq 'map(.count) | add'")]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Counts dead letters by type and class, the largest group first.
pub(crate) async fn run(args: &Args, form: Form) -> anyhow::Result<Answer> {
    let store = connect::store(&args.database)?;
    let groups = store::dead_stats(&mut *store.connection().await?).await?;
    Ok(Answer::new(match form {
        Form::Json => json::list(&groups)?,
        Form::Text(_) if groups.is_empty() => "no dead letters\n".to_owned(),
        Form::Text(colours) => {
            let mut rows = Rows::with_header(&["type", "class", "count", "oldest", "youngest"], colours);
            for group in &groups {
                rows.add([
                    &group.event_type,
                    &group.error_class,
                    &group.count.to_string(),
                    &instant(group.oldest),
                    &instant(group.newest),
                ]);
            }
            let total = groups.iter().map(|group| group.count).sum();
            format!("{}{} in all\n", rows.render(), counted(total, "dead letter"))
        }
    }))
}
