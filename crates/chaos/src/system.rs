//! The system of one scenario: two of each program, proxies between all pairs, the simulated platform.

mod links;
mod node;
mod operator;
mod platform;
mod storage;

pub(crate) use links::Links;
pub(crate) use node::Node;
pub(crate) use operator::Operator;
pub(crate) use platform::Platform;
pub(crate) use storage::Storage;

use crate::load::Address;
use crate::scenario::{Link, Role};
use anyhow::Result;
use std::path::Path;
use testkit::{broker, deliver};

/// Processes of each role.
const OF_EACH: usize = 2;

/// A running system. The processes come before what they use, so that they are gone first.
pub(crate) struct System {
    pub(crate) ingests: Vec<Node>,
    pub(crate) workers: Vec<Node>,
    pub(crate) links: Links,
    pub(crate) platform: Platform,
    pub(crate) operator: Operator,
    pub(crate) storage: Storage,
    /// With which deliveries are signed.
    pub(crate) secret: String,
}

impl System {
    /// Starts all of it, with a database and queues of its own.
    pub(crate) async fn start() -> Result<Self> {
        let storage = Storage::create().await?;
        let (secret, api_key) = (deliver::random_secret(), format!("sk-ant-{:032x}", rand::random::<u128>()));
        let platform = Platform::start(&api_key).await?;
        let links = Links::open(&storage.database.url(), &broker::url()?, &platform.api_url()).await?;
        let settings: Vec<(&'static str, String)> = vec![
            ("HOLDFAST_QUEUE_PREFIX", storage.queues.as_str().to_owned()),
            ("ANTHROPIC_WEBHOOK_SIGNING_KEY", secret.clone()),
            ("ANTHROPIC_API_KEY", api_key),
            ("ANTHROPIC_BASE_URL", links.url(Link::WorkerApi)),
            ("HOLDFAST_RETRY_DELAYS", "1s,3s".to_owned()),
            ("HOLDFAST_API_TIMEOUT", "10s".to_owned()),
            ("HOLDFAST_API_READS_PER_MINUTE", "0".to_owned()),
            ("HOLDFAST_API_WRITES_PER_MINUTE", "0".to_owned()),
            // Development builds take long to log in, and after each fault all connections are made anew.
            ("HOLDFAST_DATABASE_CONNECTIONS", "5".to_owned()),
            ("HOLDFAST_DRAIN", "10s".to_owned()),
            ("HOLDFAST_HTTP_THREADS", "2".to_owned()),
            // The verdict counts what was delivered.
            ("HOLDFAST_RECONCILE_INTERVAL", "0s".to_owned()),
        ];
        let through = |postgres: Link, rabbitmq: Link| {
            let mut settings = settings.clone();
            settings.push(("DATABASE_URL", links.url(postgres)));
            settings.push(("AMQP_URL", links.url(rabbitmq)));
            settings
        };
        let of_ingest = through(Link::IngestPostgres, Link::IngestRabbitMq);
        let of_worker = through(Link::WorkerPostgres, Link::WorkerRabbitMq);
        let mut direct = settings.clone();
        direct.push(("DATABASE_URL", storage.database.url()));
        direct.push(("AMQP_URL", broker::url()?));
        let (mut ingests, mut workers) = (Vec::new(), Vec::new());
        for _ in 0..OF_EACH {
            ingests.push(Node::start(Role::Ingest, of_ingest.clone()).await?);
            workers.push(Node::start(Role::Worker, of_worker.clone()).await?);
        }
        let operator = Operator::new(direct);
        Ok(Self { ingests, workers, links, platform, operator, storage, secret })
    }

    /// The processes of a role.
    pub(crate) fn nodes(&mut self, role: Role) -> &mut Vec<Node> {
        match role {
            Role::Ingest => &mut self.ingests,
            Role::Worker => &mut self.workers,
        }
    }

    /// Where deliveries go.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.ingests.iter().map(Node::address).collect()
    }

    /// Starts what has ended although nobody asked it to, and returns how many that were.
    pub(crate) async fn revive(&mut self) -> Result<usize> {
        let mut ended = 0;
        for node in self.ingests.iter_mut().chain(&mut self.workers) {
            if node.has_ended().await {
                ended += 1;
                node.restart().await?;
            }
        }
        Ok(ended)
    }

    /// Keeps all logs in a folder.
    pub(crate) fn keep_logs(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        for (number, node) in self.ingests.iter().chain(&self.workers).enumerate() {
            std::fs::write(folder.join(format!("{}-{number}.log", node.name())), node.logs()?)?;
        }
        Ok(())
    }
}
