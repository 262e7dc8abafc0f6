//! The command line as an operator uses it: the real binary, on a real Postgres and a real RabbitMQ.

mod audit;
mod check;
mod discard;
mod doctor;
mod events;
mod exit_codes;
mod help;
mod interrupt;
mod lab;
mod messages;
mod migrate;
mod replay;
mod resources;
mod reviews;
mod secrets;
mod signature;
mod types;
