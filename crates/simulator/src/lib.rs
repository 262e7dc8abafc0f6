//! A local stand-in for the Claude API and its webhook sender.
