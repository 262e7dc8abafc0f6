//! The person who answers what the policy leaves to people.

use crate::operator;
use crate::stack::Stack;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a person did.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Tool uses that were decided.
    pub(super) decided: BTreeSet<String>,
    /// Commands that were refused, because the session had moved on meanwhile.
    pub(super) too_late: usize,
}

impl Person {
    /// Decides everything that is open now. Returns how much that was.
    pub(super) async fn works_through(&mut self, stack: &Stack) -> Result<usize> {
        let open = operator::ask(stack, &["reviews", "list", "--status", "open"]).await?;
        let open = open.as_array().context("no list of reviews")?.clone();
        for review in &open {
            self.decides(stack, review).await?;
        }
        Ok(open.len())
    }

    async fn decides(&mut self, stack: &Stack, review: &Value) -> Result<()> {
        let id = review["id"].as_str().context("a review without an id")?;
        let kind = review["kind"].as_str().context("a review without a kind")?;
        let how: &[&str] = match (kind, id.len() % 2) {
            ("custom_tool_use", _) => &["answer", id, "--text", "The refund was made."],
            (_, 0) => &["deny", id, "--message", "Not on a Sunday."],
            _ => &["approve", id],
        };
        let answer = operator::worker(stack, &[&["reviews"], how, &["--as", "judge"]].concat()).await?;
        match answer.code {
            Some(0) => ensure!(self.decided.insert(id.to_owned()), "{id} was decided twice: {answer:?}"),
            Some(1) => self.too_late += 1,
            _ => anyhow::bail!("worker reviews {how:?}: {answer:?}"),
        }
        Ok(())
    }
}
