//! Calls to the control API of a running simulator.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context, bail};
use reqwest::{Client, Method};
use serde_json::Value;

/// A running simulator, seen from outside.
pub(crate) struct Control {
    http: Client,
    base_url: String,
}

impl Control {
    pub(crate) fn new(base_url: &str) -> anyhow::Result<Self> {
        let http =
            Client::builder().timeout(Duration::from_secs(30)).build().context("could not set up HTTP")?;
        Ok(Self { http, base_url: base_url.trim_end_matches('/').to_owned() })
    }

    /// Makes one call below `/_sim` and answers its JSON.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/_sim/{path}", self.base_url);
        let mut request = self.http.request(method, &url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer =
            request.send().await.with_context(|| format!("no simulator answers at {}", self.base_url))?;
        let status = answer.status();
        let value: Value =
            answer.json().await.with_context(|| format!("{url} answered {status} without JSON"))?;
        if !status.is_success() {
            let message =
                value.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
            bail!("the simulator refused ({status}): {message}");
        }
        Ok(value)
    }
}

/// Prints a value, indented, to standard output.
pub(crate) fn print_json(value: &Value) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    print_line(&text)
}

/// Prints a line to standard output. A reader that has gone away is an error, not a panic.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{line}").context("could not write to standard output")
}
