//! Errors that a person has to read.

use crate::bench::Bench;
use anyhow::{Context, Result, bail};
use broker::{
    AmqpUrl, Broker, Consumer, ConsumerConfig, Error, Inspector, Metrics, Publisher, PublisherConfig, Queue,
};
use domain::FailureClass;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};

const PASSWORD: &str = "hunter2-and-more";

/// Everything that an error says, in every way in which it can be made to say it.
fn all_texts(error: &Error) -> String {
    let mut texts = vec![format!("{error} {error:?} {error:#?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        texts.push(format!("{source} {source:?}"));
        cause = source.source();
    }
    texts.join(" ")
}

async fn refused(broker: &Broker) -> Result<Error> {
    match Inspector::connect(broker).await {
        Ok(_) => bail!("the broker let us in"),
        Err(error) => Ok(error),
    }
}

/// The URL of the bench's broker with other credentials.
fn with_credentials(bench: &Bench, credentials: &str) -> Result<AmqpUrl> {
    Ok(format!("amqp://{credentials}@{}/%2f", bench.proxy.address()).parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_other_arguments_is_named_with_what_to_do() -> Result<()> {
    let bench = Bench::new().await?;
    let connection = Connection::connect(&testkit::broker::url()?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(bench.queues.work().into(), QueueDeclareOptions::durable(), FieldTable::default())
        .await?;
    let error = refused(&bench.broker).await?;
    assert!(matches!(error, Error::QueueMismatch { .. }), "{error:?}");
    assert_eq!(error.class(), FailureClass::Configuration);
    let text = error.to_string();
    assert!(text.contains(&bench.queues.work()) && text.contains("delete it"), "{text}");
    // The broker's own words name the argument.
    assert!(all_texts(&error).contains("inequivalent arg"), "{}", all_texts(&error));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_a_matter_of_configuration_and_is_not_repeated() -> Result<()> {
    let bench = Bench::new().await?;
    let url = with_credentials(&bench, &format!("guest:{PASSWORD}"))?;
    let broker = Broker { url, ..bench.broker.clone() };
    let error = refused(&broker).await?;
    assert_eq!(error.class(), FailureClass::Configuration, "{error:?}");
    assert!(!all_texts(&error).contains(PASSWORD), "{}", all_texts(&error));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_virtual_host_is_a_matter_of_configuration() -> Result<()> {
    let bench = Bench::new().await?;
    let url = format!("amqp://guest:guest@{}/no-such-vhost", bench.proxy.address()).parse()?;
    let error = refused(&Broker { url, ..bench.broker.clone() }).await?;
    assert_eq!(error.class(), FailureClass::Configuration, "{error:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_named_without_credentials() -> Result<()> {
    let bench = Bench::new().await?;
    bench.proxy.cut();
    let url = with_credentials(&bench, &format!("guest:{PASSWORD}"))?;
    let error = refused(&Broker { url, ..bench.broker.clone() }).await?;
    assert_eq!(error.class(), FailureClass::Transient, "{error:?}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    assert!(!all_texts(&error).contains(PASSWORD), "{}", all_texts(&error));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_accepts_and_says_nothing_costs_one_deadline() -> Result<()> {
    let bench = Bench::new().await?;
    bench.proxy.stall();
    let error = refused(&bench.broker).await?;
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_of_the_broker_is_known_without_logging_in() -> Result<()> {
    let bench = Bench::new().await?;
    let url = with_credentials(&bench, &format!("nobody:{PASSWORD}"))?;
    let version = broker::inspector::server_version(&Broker { url, ..bench.broker.clone() }).await?;
    let version = version.context("the broker did not tell its version")?;
    assert!(version.starts_with(['3', '4']) && version.contains('.'), "{version}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_debug_text_holds_the_password() -> Result<()> {
    let bench = Bench::new().await?;
    let url = with_credentials(&bench, &format!("guest:{PASSWORD}"))?;
    let broker = Broker { url, ..bench.broker.clone() };
    let (publisher, task) = Publisher::new(broker.clone(), PublisherConfig::default(), Metrics::default());
    let consumer = Consumer::new(broker.clone(), ConsumerConfig::new(Queue::Work, 1), Metrics::default());
    // The guest user of the test broker has its own name as password, which would prove nothing.
    for text in [format!("{broker:?}"), format!("{publisher:?} {task:?}"), format!("{consumer:?}")] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    Ok(())
}
