//! Tests that treat the whole system as a user and an unlucky operator would: the real binaries on a real Postgres and
//! RabbitMQ, with the simulator in the place of the Claude API. The library itself is empty.
