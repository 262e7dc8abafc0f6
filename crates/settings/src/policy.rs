//! The policy file: who answers tool uses that wait for an answer, and the executors it names.

mod executors;
mod file;
mod place;
mod rules;

#[cfg(test)]
mod tests;

use crate::hidden::Hidden;
use crate::problems::Problems;
use clap::Args;
use domain::Policy;
use domain::policy::Plan;
use place::Place;
use signing::Secret;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Reviews
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reviews")]
pub struct PolicyArgs {
    /// Who answers tool uses that wait for an answer (docs/REVIEWS.md) [default: a person, always]
    #[arg(long, env = "HOLDFAST_POLICY", value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// A program that answers.
#[derive(Debug, Clone)]
pub struct Executor {
    /// Where it is. May hold a password.
    pub url: Hidden,
    /// Signs the calls.
    pub secret: Secret,
    /// For one call, answer included.
    pub timeout: Duration,
    /// How often it is called, and what follows when it does not answer.
    pub plan: Plan,
}

/// The policy file, checked.
#[derive(Debug, Clone, Default)]
pub struct ReviewPolicy {
    /// Its rules.
    pub policy: Policy,
    /// The executors, by name.
    pub executors: BTreeMap<String, Executor>,
}

impl PolicyArgs {
    /// Reads and checks the file, if there is one.
    pub fn validate(&self, problems: &mut Problems) -> Option<ReviewPolicy> {
        match &self.policy {
            None => Some(ReviewPolicy::default()),
            Some(path) => read_policy(path, problems),
        }
    }
}

/// Reads and checks a policy file. Notes all that is wrong in it, each with its line.
pub fn read_policy(path: &Path, problems: &mut Problems) -> Option<ReviewPolicy> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path, problems),
        Err(error) => {
            problems.note(format!("cannot read the policy file {}: {error}", path.display()));
            None
        }
    }
}

fn parse(text: &str, path: &Path, problems: &mut Problems) -> Option<ReviewPolicy> {
    let mut place = Place::new(text, path, problems);
    let file: file::File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            place.note(error.span(), error.message());
            return None;
        }
    };
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let executors = executors::executors(file.executors, folder, &mut place);
    let names = executors.keys().cloned().collect();
    let patience = rules::patience(file.person.as_ref(), &mut place);
    let rules = rules::rules(file.rules, patience, &names, &mut place);
    place.is_clean().then_some(ReviewPolicy {
        policy: Policy { rules, patience },
        executors: executors.into_iter().filter_map(|(name, executor)| Some((name, executor?))).collect(),
    })
}
