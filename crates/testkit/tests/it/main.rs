//! The test bench against the real servers. `DATABASE_URL` and `AMQP_URL` name them.

mod broker;
mod database;
mod deliver;
mod eventually;
mod process;
mod proxy;
