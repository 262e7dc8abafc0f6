//! `worker reviews`: what waits for a person, and the person's answer.

mod answer;
mod claim;
mod confirm;
mod list;
mod one;
mod person;
mod policy;
mod show;

use crate::answer::Answer;
use crate::print::Form;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  worker reviews list
  worker reviews show sevt_01ABC
  worker reviews approve sevt_01ABC
  worker reviews answer sevt_01DEF --text 'refund 8841 issued'

A review is a tool use of a session that waits for an answer. An id may be shortened to a unique
beginning. Who answers is said by a policy file: docs/REVIEWS.md.")]
pub(crate) enum Command {
    /// List what waits, the longest waiting first
    List(list::Args),
    /// Show one review: the question, what led to it, what happened to it
    Show(show::Args),
    /// Keep a review for yourself for a while, so that nobody else decides it
    Claim(claim::ClaimArgs),
    /// Give a claimed review back
    Release(claim::ReleaseArgs),
    /// Allow a tool to run
    Approve(confirm::ApproveArgs),
    /// Refuse to let a tool run
    Deny(confirm::DenyArgs),
    /// Send the result of a custom tool
    Answer(answer::Args),
    /// Check a policy file, and say who would answer a question
    Policy(policy::Args),
}

impl Command {
    pub(crate) async fn run(self, form: Form) -> anyhow::Result<Answer> {
        match self {
            Self::List(args) => list::run(&args, form).await,
            Self::Show(args) => show::run(&args, form).await,
            Self::Claim(args) => claim::claim(&args, form).await,
            Self::Release(args) => claim::release(&args, form).await,
            Self::Approve(args) => confirm::approve(&args, form).await,
            Self::Deny(args) => confirm::deny(&args, form).await,
            Self::Answer(args) => answer::run(&args, form).await,
            Self::Policy(args) => policy::run(&args, form),
        }
    }
}
