//! The syntax of the variable.

use crate::{Action, Error, NAMES};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One armed line, written `name=action`, `name[key]=action` or `name=action@N`.
///
/// Actions are `abort`, `panic` and `sleep(200ms)`. With a key, passes with another key do not count. With `@N`, only the
/// Nth pass counts; without it, every pass.
#[derive(Debug)]
pub struct Point {
    name: String,
    key: Option<String>,
    action: Action,
    nth: Option<u64>,
    passes: AtomicU64,
}

impl Point {
    /// What it does.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Counts a pass of a line; whether it is the one.
    pub(crate) fn is_hit(&self, name: &str, key: &str) -> bool {
        if self.name != name || self.key.as_deref().is_some_and(|wanted| wanted != key) {
            return false;
        }
        let pass = self.passes.fetch_add(1, Ordering::Relaxed) + 1;
        self.nth.is_none_or(|nth| nth == pass)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let syntax = || Error::Syntax(text.to_owned());
        let (line, what) = text.split_once('=').ok_or_else(syntax)?;
        let (name, key) = match line.split_once('[') {
            None => (line, None),
            Some((name, key)) => (name, Some(key.strip_suffix(']').ok_or_else(syntax)?.to_owned())),
        };
        let (action, nth) = match what.split_once('@') {
            None => (what, None),
            Some((action, nth)) => (action, Some(nth.parse().map_err(|_| syntax())?)),
        };
        let action = match action {
            "abort" => Action::Abort,
            "panic" => Action::Panic,
            _ => Action::Sleep(sleep(action).ok_or_else(syntax)?),
        };
        if !NAMES.contains(&name) {
            return Err(Error::Unknown { name: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), key, action, nth, passes: AtomicU64::new(0) })
    }
}

/// Reads the whole variable; an empty one arms nothing.
pub(crate) fn parse(text: &str) -> Result<Vec<Point>, Error> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(Point::parse).collect()
}

/// `sleep(200ms)` or `sleep(2s)`.
fn sleep(text: &str) -> Option<Duration> {
    let time = text.strip_prefix("sleep(")?.strip_suffix(')')?;
    match time.strip_suffix("ms") {
        Some(millis) => millis.parse().ok().map(Duration::from_millis),
        None => time.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    }
}

#[cfg(test)]
mod tests;
