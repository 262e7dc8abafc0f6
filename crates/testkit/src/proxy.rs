//! A TCP proxy that can be cut, stalled and healed, between a test and its server.
