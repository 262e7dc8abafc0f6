//! Executors, checked.

use super::Executor;
use super::file;
use super::place::Place;
use crate::hidden::Hidden;
use chrono::TimeDelta;
use domain::RetryPolicy;
use domain::policy::{OnFailure, Plan};
use signing::Secret;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;

/// A call has to end before the worker's hold on its review does.
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_mins(2));

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
const DEFAULT_TRIES: u32 = 3;
const MOST_TRIES: u32 = 10;

/// All executors by name; `None` where one has a mistake.
pub(super) fn executors(
    tables: BTreeMap<String, Spanned<file::Executor>>,
    folder: &Path,
    place: &mut Place<'_>,
) -> BTreeMap<String, Option<Executor>> {
    tables
        .into_iter()
        .map(|(name, table)| {
            let span = table.span();
            let executor = executor(&table.into_inner(), span, folder, place);
            (name, executor)
        })
        .collect()
}

fn executor(
    table: &file::Executor,
    span: std::ops::Range<usize>,
    folder: &Path,
    place: &mut Place<'_>,
) -> Option<Executor> {
    let url = table.url.get_ref();
    let has_scheme = ["http://", "https://"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !has_scheme || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        // The URL is not repeated: it may hold a password.
        place.note(Some(table.url.span()), "url must begin with https:// or http://");
    }
    let secret = secret(table, span, folder, place);
    let timeout = timeout(table.timeout.as_ref(), place);
    let retry = retry(table, place);
    let on_failure = match table.on_failure.as_ref().map(|word| (word.get_ref().as_str(), word)) {
        None | Some(("person", _)) => Some(OnFailure::Person),
        Some(("error", _)) => Some(OnFailure::Error),
        Some((_, word)) => {
            place.note(Some(word.span()), "on_failure must be \"person\" or \"error\"");
            None
        }
    };
    let plan = Plan { retry: retry?, at_most_once: table.at_most_once, on_failure: on_failure? };
    Some(Executor { url: Hidden::new(url.as_str()), secret: secret?, timeout: timeout?, plan })
}

fn secret(
    table: &file::Executor,
    span: std::ops::Range<usize>,
    folder: &Path,
    place: &mut Place<'_>,
) -> Option<Secret> {
    let (text, span) = match (&table.secret, &table.secret_file) {
        (Some(secret), None) => (secret.get_ref().clone(), secret.span()),
        (None, Some(file)) => match std::fs::read_to_string(folder.join(file.get_ref())) {
            Ok(text) => (text, file.span()),
            Err(error) => {
                place.note(Some(file.span()), &format!("cannot read {}: {error}", file.get_ref()));
                return None;
            }
        },
        (Some(_), Some(file)) => {
            place.note(Some(file.span()), "give either secret or secret_file");
            return None;
        }
        (None, None) => {
            place.note(
                Some(span),
                "an executor needs a secret or secret_file, with which the calls are signed",
            );
            return None;
        }
    };
    match Secret::parse(&text) {
        Ok(secret) => Some(secret),
        Err(error) => {
            place.note(Some(span), &error.to_string());
            None
        }
    }
}

fn timeout(text: Option<&Spanned<String>>, place: &mut Place<'_>) -> Option<Duration> {
    let Some(text) = text else { return Some(DEFAULT_TIMEOUT) };
    let (shortest, longest) = TIMEOUTS;
    let parsed = humantime::parse_duration(text.get_ref()).ok();
    let timeout = parsed.filter(|timeout| (shortest..=longest).contains(timeout));
    if timeout.is_none() {
        place.note(Some(text.span()), "timeout must be a duration such as 20s, from 100ms to 2m");
    }
    timeout
}

fn retry(table: &file::Executor, place: &mut Place<'_>) -> Option<RetryPolicy> {
    let tries = table.tries.as_ref().map_or(Ok(DEFAULT_TRIES), |tries| u32::try_from(*tries.get_ref()));
    let Some(tries) = tries.ok().filter(|tries| (1..=MOST_TRIES).contains(tries)) else {
        place.note(table.tries.as_ref().map(Spanned::span), "tries must be from 1 to 10");
        return None;
    };
    let rests = match &table.rests {
        None => Ok(vec![TimeDelta::seconds(5), TimeDelta::seconds(30)]),
        Some(rests) => crate::retry::delays(&rests.get_ref().as_slice().join(",")),
    };
    let span = table.rests.as_ref().map(Spanned::span);
    match rests {
        Ok(rests) => {
            RetryPolicy::new(tries, rests).map_err(|error| place.note(span, &format!("rests: {error}"))).ok()
        }
        Err(problem) => {
            place.note(span, &format!("rests {problem}"));
            None
        }
    }
}
