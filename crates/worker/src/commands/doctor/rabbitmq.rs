//! What can be wrong with RabbitMQ and our queues.

use super::check::{Check, major};
use crate::connect;
use crate::print::text::counted;
use broker::inspector::server_version;
use broker::{Broker, Depths, Error, Inspector};
use domain::FailureClass;
use settings::{BrokerArgs, Problems};
use telemetry::Chain;

/// Settings, reachability, queues, consumers, in this order; the first that fails ends the list.
pub(super) async fn checks(args: &BrokerArgs) -> Vec<Check> {
    let mut problems = Problems::new();
    let settings = args.validate(&mut problems);
    let settings = match problems.into_result(settings) {
        Ok(settings) => settings,
        Err(problems) => return vec![Check::failed_saying("rabbitmq", &problems)],
    };
    let broker = match connect::describe_broker(&settings) {
        Ok(broker) => broker,
        Err(error) => {
            let advice = "give AMQP_URL as amqp://USER:PASSWORD@HOST:PORT/%2f";
            return vec![Check::failed("rabbitmq", format!("{error:#}"), advice)];
        }
    };
    let mut checks = Vec::new();
    if let Err(failed) = all(&broker, &mut checks).await {
        checks.push(failed);
    }
    checks
}

async fn all(broker: &Broker, checks: &mut Vec<Check>) -> Result<(), Check> {
    let version = server_version(broker).await.map_err(|error| failure(&error))?;
    // Connecting declares the queues, which fails when they exist with other arguments.
    let inspector = Inspector::connect(broker).await;
    if matches!(inspector, Ok(_) | Err(Error::QueueMismatch { .. })) {
        checks.push(version_check(version.as_deref()));
    }
    let inspector = inspector.map_err(|error| failure(&error))?;
    let depths = inspector.depths().await.map_err(|error| failure(&error))?;
    inspector.close().await;
    checks.push(Check::ok(
        "queues",
        format!(
            "as they should be; {} ready and {} dead",
            counted(depths.work.messages.into(), "message"),
            depths.dead.messages
        ),
    ));
    checks.push(consumer_check(&depths));
    Ok(())
}

fn failure(error: &Error) -> Check {
    if matches!(error, Error::QueueMismatch { .. }) {
        return Check::failed_saying("queues", error);
    }
    let advice = if error.class() == FailureClass::Configuration {
        "correct user, password or virtual host in AMQP_URL"
    } else {
        "is it running, and are host and port in AMQP_URL right?"
    };
    Check::failed("rabbitmq", Chain(error).to_string(), advice)
}

fn version_check(version: Option<&str>) -> Check {
    let Some(version) = version else {
        return Check::ok("rabbitmq", "reachable; it does not tell its version");
    };
    let found = format!("version {version}");
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).unwrap_or_default();
    let supported = match major(version) {
        Some(3) => minor >= 10,
        Some(major) => major == 4,
        None => false,
    };
    if supported {
        Check::ok("rabbitmq", found)
    } else {
        Check::warning("rabbitmq", found, "only 3.10 to 4.x are tested")
    }
}

fn consumer_check(depths: &Depths) -> Check {
    match depths.work.consumers {
        0 => Check::warning("workers", "nobody consumes the queue of events", "start `worker run`"),
        consumers => Check::ok("workers", counted(consumers.into(), "consumer")),
    }
}

#[cfg(test)]
mod tests;
