//! The verbs of the system: accept, relay, process, dead letters.
