//! A client for the parts of the Claude API that we use.
