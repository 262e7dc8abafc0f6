//! Flags, environment and secret files, turned into validated values once.
