//! What the figures were measured on.

use super::proc_file::{field, read};
use crate::load::float;
use anyhow::{Context, Result};
use domain::Clock as _;
use runtime::SystemClock;
use serde::Serialize;
use sqlx::{PgPool, Row as _};
use std::time::Duration;

/// The machine and the servers on it.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    pub(crate) postgres: String,
    pub(crate) postgres_settings: String,
    pub(crate) rabbitmq: String,
    /// `debug` or `release`, of the programs.
    pub(crate) build: &'static str,
}

/// Settings of Postgres that decide what a commit costs.
const SETTINGS: [&str; 6] = [
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
];

impl Machine {
    pub(crate) async fn look(pool: &PgPool, management_url: Option<&str>) -> Result<Self> {
        let memory = read("/proc/meminfo")?;
        let kibibytes = field(&memory, "MemTotal").and_then(|size| size.strip_suffix(" kB")?.parse().ok());
        let mut settings = Vec::new();
        for setting in SETTINGS {
            settings.push(format!("{setting} {}", show(pool, setting).await?));
        }
        let rabbitmq = match management_url {
            Some(url) => rabbitmq_version(url).await?,
            None => "of unknown version (HOLDFAST_MANAGEMENT_URL is not set)".to_owned(),
        };
        Ok(Self {
            date: SystemClock.now().format("%Y-%m-%d").to_string(),
            processor: processor(&read("/proc/cpuinfo")?),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_gib: float(kibibytes.context("/proc/meminfo has no MemTotal")?) / 1_048_576.0,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            postgres: show(pool, "server_version").await?,
            postgres_settings: settings.join(", "),
            rabbitmq,
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
        })
    }
}

/// Arm has no model's name.
fn processor(cpuinfo: &str) -> String {
    let name = field(cpuinfo, "model name").or_else(|| field(cpuinfo, "CPU part"));
    name.unwrap_or("unknown processor").to_owned()
}

async fn show(pool: &PgPool, setting: &str) -> Result<String> {
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("SHOW {setting}"))).fetch_one(pool).await;
    row.and_then(|row| row.try_get(0)).with_context(|| format!("Postgres does not show {setting}"))
}

async fn rabbitmq_version(management_url: &str) -> Result<String> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    // The URL is in no message: it holds a password.
    let answer = client.get(format!("{management_url}/api/overview")).send().await;
    let overview: serde_json::Value = answer.map_err(reqwest::Error::without_url)?.json().await?;
    let text = |name| overview.get(name).and_then(serde_json::Value::as_str).unwrap_or("unknown");
    Ok(format!("{} on Erlang {}", text("rabbitmq_version"), text("erlang_version")))
}
