//! Everything that is said to Postgres.
