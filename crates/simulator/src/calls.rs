//! Counting the calls of the API.

use std::collections::BTreeMap;

use serde::Serialize;

/// Calls since the last reset.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Calls {
    total: u64,
    /// By method and path pattern.
    by_kind: BTreeMap<String, u64>,
    by_status: BTreeMap<u16, u64>,
    /// Retrieve calls by session id.
    session_fetches: BTreeMap<String, u64>,
    /// Retrieve calls of everything by its id.
    fetches: BTreeMap<String, u64>,
    /// Goes on over a reset, so that request ids stay unique.
    #[serde(skip)]
    last_request: u64,
}

impl Calls {
    /// Counts a call and answers its request id.
    pub(crate) fn begin(&mut self, kind: &str, path: &str) -> String {
        self.total += 1;
        *self.by_kind.entry(kind.to_owned()).or_default() += 1;
        if kind == "GET /v1/sessions/{session_id}"
            && let Some(id) = path.strip_prefix("/v1/sessions/")
        {
            *self.session_fetches.entry(id.to_owned()).or_default() += 1;
        }
        if kind.starts_with("GET ")
            && kind.ends_with("_id}")
            && let Some((_, id)) = path.rsplit_once('/')
        {
            *self.fetches.entry(id.to_owned()).or_default() += 1;
        }
        self.last_request += 1;
        format!("req_01Simulated{:013}", self.last_request)
    }

    /// Counts how the call ended.
    pub(crate) fn end(&mut self, status: u16) {
        *self.by_status.entry(status).or_default() += 1;
    }

    pub(crate) fn reset(&mut self) {
        *self = Self { last_request: self.last_request, ..Self::default() };
    }
}
