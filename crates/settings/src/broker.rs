//! Where RabbitMQ is.

use crate::hidden::{Hidden, secret};
use crate::problems::Problems;
use clap::Args;
use std::path::PathBuf;

/// RabbitMQ
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "RabbitMQ")]
pub struct BrokerArgs {
    /// RabbitMQ to use, as amqp://USER:PASSWORD@HOST:PORT/VHOST
    #[arg(long, env = "AMQP_URL", hide_env_values = true, value_name = "URL", global = true)]
    amqp_url: Option<Hidden>,

    /// File that holds the URL
    #[arg(long, env = "AMQP_URL_FILE", value_name = "FILE", global = true)]
    amqp_url_file: Option<PathBuf>,

    /// First part of the queues' names: PREFIX.work, PREFIX.dead
    #[arg(
        long,
        env = "HOLDFAST_QUEUE_PREFIX",
        value_name = "PREFIX",
        default_value = "holdfast",
        global = true
    )]
    queue_prefix: String,
}

/// Where RabbitMQ is, checked.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Its URL.
    pub url: Hidden,
    /// First part of the queues' names.
    pub prefix: String,
}

impl BrokerArgs {
    /// Checks the group.
    pub fn validate(&self, problems: &mut Problems) -> Option<Broker> {
        let names = "--amqp-url (AMQP_URL)";
        if self.amqp_url.is_none() && self.amqp_url_file.is_none() {
            problems.note(format!(
                "{names} is missing: give the RabbitMQ to use, as amqp://USER:PASSWORD@HOST:PORT/%2f"
            ));
        }
        let prefix_is_fine = !self.queue_prefix.is_empty()
            && self.queue_prefix.len() <= 100
            && self.queue_prefix.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !prefix_is_fine {
            problems.note(
                "--queue-prefix (HOLDFAST_QUEUE_PREFIX) must be 1 to 100 letters, digits, '-', '_' or '.'",
            );
        }
        let url = secret(self.amqp_url.as_ref(), self.amqp_url_file.as_deref(), names, problems)?;
        if !["amqp://", "amqps://"].iter().any(|scheme| url.reveal().starts_with(scheme)) {
            problems.note(format!("{names} must begin with amqp:// or amqps://"));
            return None;
        }
        prefix_is_fine.then(|| Broker { url, prefix: self.queue_prefix.clone() })
    }
}
