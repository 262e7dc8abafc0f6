//! The policy file as it is written. Every member is known or a mistake.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) person: Option<Person>,
    #[serde(default)]
    pub(super) rules: Vec<Spanned<Rule>>,
    #[serde(default)]
    pub(super) executors: BTreeMap<String, Spanned<Executor>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) due: Option<Spanned<String>>,
    pub(super) severity: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) name: Option<String>,
    pub(super) agent: Option<Spanned<Texts>>,
    pub(super) tool: Option<Spanned<Texts>>,
    pub(super) server: Option<Spanned<Texts>>,
    pub(super) kind: Option<Spanned<Texts>>,
    pub(super) permission: Option<Spanned<Texts>>,
    pub(super) route: Spanned<String>,
    pub(super) due: Option<Spanned<String>>,
    pub(super) severity: Option<Spanned<String>>,
    pub(super) message: Option<Spanned<String>>,
    pub(super) executor: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Executor {
    pub(super) url: Spanned<String>,
    pub(super) secret: Option<Spanned<String>>,
    pub(super) secret_file: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) tries: Option<Spanned<i64>>,
    pub(super) rests: Option<Spanned<Texts>>,
    #[serde(default)]
    pub(super) at_most_once: bool,
    pub(super) on_failure: Option<Spanned<String>>,
}

/// One text, or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub(super) enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}
