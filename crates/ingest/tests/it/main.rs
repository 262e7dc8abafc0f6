//! The real `ingest` process, seen from outside: by senders, by operators, and by Postgres and RabbitMQ.

mod bench;
mod bodies;
mod contracts;
mod listeners;
mod outages;
mod paths;
mod raw;
mod settings;
mod shutdown;
mod signatures;
mod traces;
