//! Everything that is said to RabbitMQ.
