//! The adapters as commands use them: for one person, who does not want to wait long for an outage to end.

use broker::{AmqpUrl, Broker, QueueNames};
use settings::{BrokerArgs, DatabaseArgs, Problems};
use std::time::Duration;
use store::Store;

/// How long Postgres and RabbitMQ may take to answer the first call.
const PATIENCE: Duration = Duration::from_secs(5);

/// Postgres, as the settings say. Connects when first used.
///
/// # Errors
/// When a setting is missing or cannot be used.
pub(crate) fn store(args: &DatabaseArgs) -> anyhow::Result<Store> {
    let mut problems = Problems::new();
    let database = args.validate(&mut problems);
    open_store(&problems.into_result(database)?)
}

/// Postgres and RabbitMQ, as the settings say, with all that is wrong in both told at once. Both connect when first used.
///
/// # Errors
/// When a setting is missing or cannot be used.
pub(crate) fn both(database: &DatabaseArgs, broker: &BrokerArgs) -> anyhow::Result<(Store, Broker)> {
    let mut problems = Problems::new();
    let database = database.validate(&mut problems);
    let broker = broker.validate(&mut problems);
    let (database, broker) = problems.into_result(database.zip(broker))?;
    Ok((open_store(&database)?, describe_broker(&broker)?))
}

/// A pool that gives up soon, for statements that may take their time.
pub(crate) fn open_store(database: &settings::Database) -> anyhow::Result<Store> {
    Ok(Store::new(&store::Options {
        url: database.url.reveal().to_owned(),
        connections: database.connections,
        acquire_timeout: PATIENCE,
        statement_timeout: None,
        application: "holdfast-cli",
        by_keys: false,
    })?)
}

/// Where RabbitMQ is, with a short wait for it.
pub(crate) fn describe_broker(settings: &settings::Broker) -> anyhow::Result<Broker> {
    let url: AmqpUrl = settings.url.reveal().parse()?;
    let queues = QueueNames::new(&settings.prefix)?;
    let connection_name = format!("holdfast-cli-{}", std::process::id());
    Ok(Broker { connection_name, connect_timeout: PATIENCE, ..Broker::new(url, queues) })
}
