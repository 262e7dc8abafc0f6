//! Logs, traces and the metric registry.
