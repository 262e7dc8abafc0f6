//! Processes events, and the operator's command line.
