//! Where Postgres is.

use crate::hidden::{Hidden, secret};
use crate::problems::Problems;
use clap::Args;
use std::path::PathBuf;

/// Postgres
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Postgres")]
#[expect(clippy::struct_field_names, reason = "the fields name the flags")]
pub struct DatabaseArgs {
    /// Postgres to use, as postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    database_url: Option<Hidden>,

    /// File that holds the URL
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE", global = true)]
    database_url_file: Option<PathBuf>,

    /// Connections at most
    #[arg(long, env = "HOLDFAST_DATABASE_CONNECTIONS", value_name = "N", default_value_t = 10, global = true, value_parser = clap::value_parser!(u32).range(2..=1000))]
    database_connections: u32,
}

/// Where Postgres is, checked.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its URL.
    pub url: Hidden,
    /// Connections at most.
    pub connections: u32,
}

impl DatabaseArgs {
    /// Checks the group.
    pub fn validate(&self, problems: &mut Problems) -> Option<Database> {
        let names = "--database-url (DATABASE_URL)";
        if self.database_url.is_none() && self.database_url_file.is_none() {
            problems.note(format!(
                "{names} is missing: give the Postgres to use, as postgres://USER:PASSWORD@HOST:PORT/DATABASE"
            ));
        }
        let url = secret(self.database_url.as_ref(), self.database_url_file.as_deref(), names, problems)?;
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.reveal().starts_with(scheme)) {
            problems.note(format!("{names} must begin with postgres://"));
            return None;
        }
        Some(Database { url, connections: self.database_connections })
    }
}
