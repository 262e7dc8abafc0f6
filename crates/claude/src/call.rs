//! One call: what is asked, and what came back.

use crate::fetched::FromObject;
use crate::object::Object;
use crate::outgoing::Outgoing;
use crate::path::Segment;
use crate::{Defect, Error, Fetched, Page, Retry};
use domain::CallClass;
use reqwest::Method;
use serde_json::value::RawValue;

/// Something to ask of the API.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    /// Its name in errors, logs and metrics.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'a [Segment<'a>],
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) beta: Beta,
    pub(crate) body: Option<Outgoing<'a>>,
    pub(crate) retry: Retry,
}

/// Which beta header a path wants. Of memory stores the platform accepts no request that carries both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beta {
    /// That of sessions and of everything around them.
    Agents,
    /// That of memory stores.
    Memory,
}

impl<'a> Call<'a> {
    /// A question. Asking again changes nothing, so it is retried like the official clients do.
    pub(crate) fn get(operation: &'static str, path: &'a [Segment<'a>]) -> Self {
        Self {
            operation,
            method: Method::GET,
            path,
            query: Vec::new(),
            beta: Beta::Agents,
            body: None,
            retry: Retry::Sdk,
        }
    }

    /// What the platform counts it as.
    pub(crate) fn class(&self) -> CallClass {
        if self.method == Method::GET { CallClass::Read } else { CallClass::Write }
    }

    pub(crate) fn with_query(self, query: Vec<(&'static str, String)>) -> Self {
        Self { query, ..self }
    }
}

/// A successful answer, not yet understood.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn object<T: FromObject>(self) -> Result<Fetched<T>, Error> {
        self.object_as(T::from_object)
    }

    /// An object that says too little of what it is: `read` knows.
    pub(crate) fn object_as<T>(
        self,
        read: impl Fn(Object) -> Result<T, Defect>,
    ) -> Result<Fetched<T>, Error> {
        let raw = self.json()?;
        Fetched::parse(raw, self.request_id.clone(), &read).map_err(|defect| self.broken(defect))
    }

    pub(crate) fn page<T: FromObject>(self) -> Result<Page<T>, Error> {
        self.page_as(T::from_object)
    }

    /// A page of objects that say too little of what they are.
    pub(crate) fn page_as<T>(self, read: impl Fn(Object) -> Result<T, Defect>) -> Result<Page<T>, Error> {
        let raw = self.json()?;
        Page::parse(&raw, self.request_id.as_deref(), &read).map_err(|defect| self.broken(defect))
    }

    fn json(&self) -> Result<Box<RawValue>, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // An empty body is nothing that was cut, it is a wrong answer.
            let defect = if error.is_eof() && !self.body.is_empty() {
                Defect::Truncated
            } else {
                Defect::NotJson { content_type: self.content_type.clone() }
            };
            self.broken(defect)
        })
    }

    fn broken(&self, defect: Defect) -> Error {
        Error::Body { operation: self.operation, defect, request_id: self.request_id.clone(), source: None }
    }
}
