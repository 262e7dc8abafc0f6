//! The use cases against a real Postgres, a real RabbitMQ and a simulated Claude API. `DATABASE_URL` and `AMQP_URL` name
//! the servers; every test has its own database and its own queues.

mod accepting;
mod agreeing;
mod alerting;
mod archiving;
mod auditing;
mod bench;
mod budgeting;
mod bundles;
mod bundles_apart;
mod convergence;
mod coverage;
mod failing;
mod outages;
mod pausing;
mod processing;
mod receiving;
mod reconciling;
mod relaying;
mod replays;
mod replies;
mod reviewing;
mod settling;
mod silence;
mod telling;
mod unreadable;
mod vectors;
mod watching;
