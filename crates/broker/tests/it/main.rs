//! The broker crate against the real RabbitMQ that `AMQP_URL` names, through a proxy that breaks connections.

mod bench;
mod bundles;
mod consuming;
mod dead_letters;
mod markers;
mod outages;
mod publishing;
mod refusals;
mod shutdown;
