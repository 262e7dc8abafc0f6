//! The proxies between all pairs.

use crate::scenario::{Link, Trouble};
use anyhow::Result;
use std::time::Duration;
use testkit::proxy::TcpProxy;

/// A proxy per pair.
pub(crate) struct Links(Vec<(Link, TcpProxy, String)>);

impl Links {
    /// Opens proxies in front of what these URLs lead to.
    pub(crate) async fn open(database_url: &str, amqp_url: &str, api_url: &str) -> Result<Self> {
        let mut links = Vec::new();
        for (link, url) in [
            (Link::IngestPostgres, database_url),
            (Link::IngestRabbitMq, amqp_url),
            (Link::WorkerPostgres, database_url),
            (Link::WorkerRabbitMq, amqp_url),
            (Link::WorkerApi, api_url),
        ] {
            let (proxy, through) = TcpProxy::start_before(url).await?;
            links.push((link, proxy, through));
        }
        Ok(Self(links))
    }

    /// The URL that leads through a proxy.
    pub(crate) fn url(&self, link: Link) -> String {
        let found = self.0.iter().find(|(name, ..)| *name == link);
        found.map(|(.., url)| url.clone()).unwrap_or_default()
    }

    /// Makes trouble on these.
    pub(crate) fn trouble(&self, links: &[Link], trouble: Trouble) {
        for (_, proxy, _) in self.0.iter().filter(|(name, ..)| links.contains(name)) {
            match trouble {
                Trouble::Cut => proxy.cut(),
                Trouble::Silent => proxy.stall(),
                Trouble::Slow(milliseconds) => proxy.slow(Duration::from_millis(milliseconds)),
            }
        }
    }

    /// Ends all trouble.
    pub(crate) fn heal(&self) {
        for (_, proxy, _) in &self.0 {
            proxy.heal();
        }
    }
}
