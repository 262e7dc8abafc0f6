//! Which calls fail, how, and how often.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// One rule. A rule without `status` leaves the status of the true answer and changes only its pace or its body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// A prefix of the path; with `*` a pattern for the whole path, with `$` at its end the whole path.
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) method: Option<String>,
    /// Only calls whose query contains this; `page=` makes cursors expire.
    #[serde(default)]
    pub(crate) query: Option<String>,
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) body: Body,
    /// How many more calls fail; null for all.
    #[serde(default)]
    pub(crate) times: Option<u32>,
    #[serde(default)]
    pub(crate) latency_ms: u64,
    /// Value of `retry-after`: seconds, or an HTTP date.
    #[serde(default, deserialize_with = "text_or_number")]
    pub(crate) retry_after: Option<String>,
    /// Value of `error.details.error_code` in the API's error body.
    #[serde(default)]
    pub(crate) error_code: Option<String>,
    /// Value of `x-should-retry`.
    #[serde(default)]
    pub(crate) should_retry: Option<bool>,
    /// Share of the matching calls that fail, 0 to 1.
    #[serde(default = "always")]
    pub(crate) probability: f64,
    /// Whether a failing call is carried out all the same, as when an answer is lost on its way.
    #[serde(default)]
    pub(crate) phase: Phase,
}

/// What the body of a failing answer looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    /// The API's error body, or the true one without a `status`.
    #[default]
    Json,
    /// A page as a proxy in front would make it.
    Html,
    /// The first half, with a matching length: JSON that ends too early.
    Truncated,
    /// The first half of the announced length, then the connection closes.
    Cut,
    /// Whole, but in pieces over the time of `latency_ms`.
    Slow,
    /// The true one, which lacks `next_page` where it would be null.
    NoNextPage,
    Empty,
}

/// When a rule strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Instead of the call.
    #[default]
    Before,
    /// After the call was carried out.
    After,
}

/// Seconds are a number to most people who write a rule.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
}

fn always() -> f64 {
    1.0
}

impl Rule {
    /// A rule that answers a path prefix with a status, always.
    pub(crate) fn failing(path: String, status: u16) -> Self {
        Self {
            path,
            method: None,
            query: None,
            status: Some(status),
            body: Body::Json,
            times: None,
            latency_ms: 0,
            retry_after: None,
            error_code: None,
            should_retry: None,
            probability: always(),
            phase: Phase::Before,
        }
    }

    /// A rule that keeps an object, and only it, from being found for so many fetches.
    pub(crate) fn hiding(path: &str, times: u32) -> Self {
        let method = Some("GET".to_owned());
        Self { method, times: Some(times), ..Self::failing(format!("{path}$"), 404) }
    }

    fn matches(&self, method: &str, path: &str, query: &str) -> bool {
        let path_matches = match self.path.strip_suffix('$') {
            Some(whole) => glob(whole, path),
            None if self.path.contains('*') => glob(&self.path, path),
            None => path.starts_with(&self.path),
        };
        path_matches
            && self.times != Some(0)
            && self.query.as_deref().is_none_or(|wanted| query.contains(wanted))
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }
}

/// Whether `*`, standing for any characters, can be filled in so that the pattern is the text.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| glob(tail, rest)))
        }),
    }
}

/// The rules in force; the first that matches a call strikes.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    rng: StdRng,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), rng: StdRng::seed_from_u64(seed) }
    }

    pub(crate) fn replace(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
    }

    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule that strikes this call, counted down by one.
    pub(crate) fn strike(&mut self, method: &str, path: &str, query: &str) -> Option<Rule> {
        let Self { rules, rng } = self;
        let hit = |rule: &&mut Rule| {
            rule.matches(method, path, query)
                && (rule.probability >= 1.0 || rng.random::<f64>() < rule.probability)
        };
        let rule = rules.iter_mut().find(hit)?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(rule.clone())
    }
}

#[cfg(test)]
mod tests;
