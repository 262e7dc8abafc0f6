//! Who answers a tool use: rules in order, of which the first that matches decides.
//!
//! Two things no rule can change: a permission value that nobody told us about goes to a person, and a custom tool is
//! never simply allowed, since it needs a result.

mod glob;
mod plan;

pub use glob::Glob;
pub use plan::{OnFailure, Plan, Reached};

use crate::alert::Severity;
use crate::review::{Question, ToolKind};
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;

/// By when a person is to have answered, and how loudly others are told when nobody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long after the question.
    pub due: TimeDelta,
    /// Severity of the alert that follows.
    pub severity: Severity,
}

impl Patience {
    /// Four hours, then a warning.
    pub const DEFAULT: Self = Self { due: TimeDelta::hours(4), severity: Severity::Warning };

    /// When a question that is put at `now` is overdue.
    #[must_use]
    pub fn due_at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.due
    }
}

/// Who or what answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A person.
    Person(Patience),
    /// Yes, at once.
    Allow,
    /// No, at once.
    Deny {
        /// What the agent is told about it.
        message: Option<String>,
    },
    /// A program of ours.
    Executor {
        /// Its name in the policy.
        name: String,
    },
}

impl Route {
    /// The name under which the route is stored and printed.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Allow => "allow",
            Self::Deny { .. } => "deny",
            Self::Executor { .. } => "executor",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(patience) => {
                write!(f, "a person, overdue after {} min", patience.due.num_minutes())?;
                write!(f, " ({})", patience.severity)
            }
            Self::Allow => f.write_str("allowed at once"),
            Self::Deny { message: None } => f.write_str("denied at once"),
            Self::Deny { message: Some(message) } => write!(f, "denied at once: {message}"),
            Self::Executor { name } => write!(f, "the executor {name}"),
        }
    }
}

/// What a rule asks of a question. Each list that is not empty must hold something that fits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// Ids or names of agents.
    pub agents: Vec<Glob>,
    /// Names of tools.
    pub tools: Vec<Glob>,
    /// Names of MCP servers.
    pub servers: Vec<Glob>,
    /// Kinds of tool use.
    pub kinds: Vec<ToolKind>,
    /// Values of the agent's own policy.
    pub permissions: Vec<String>,
}

impl Conditions {
    /// Whether a question is one of those that are meant.
    #[must_use]
    pub fn hold(&self, question: &Question) -> bool {
        let any = |globs: &[Glob], texts: &[Option<&str>]| {
            globs.is_empty() || texts.iter().flatten().any(|text| globs.iter().any(|glob| glob.matches(text)))
        };
        let permission = question.permission.as_ref();
        any(&self.agents, &[question.agent_id.as_deref(), question.agent_name.as_deref()])
            && any(&self.tools, &[Some(&question.tool)])
            && any(&self.servers, &[question.server.as_deref()])
            && (self.kinds.is_empty() || self.kinds.contains(&question.kind))
            && (self.permissions.is_empty()
                || permission.is_some_and(|permission| self.permissions.contains(permission)))
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// For people.
    pub name: String,
    /// Which questions it is about.
    pub when: Conditions,
    /// Who answers them.
    pub route: Route,
}

/// All rules, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The first that matches decides.
    pub rules: Vec<PolicyRule>,
    /// For people, where no rule says anything else about them.
    pub patience: Patience,
}

impl Default for Policy {
    /// A person, for everything.
    fn default() -> Self {
        Self { rules: Vec::new(), patience: Patience::DEFAULT }
    }
}

/// Who answers, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// Who or what.
    pub route: Route,
    /// The name of the rule that says so, or what else does.
    pub because: String,
}

impl Policy {
    /// Who answers a question.
    #[must_use]
    pub fn route(&self, question: &Question) -> Routed {
        let rule = self.rules.iter().find(|rule| rule.when.hold(question));
        let patience = match rule.map(|rule| &rule.route) {
            Some(Route::Person(patience)) => *patience,
            Some(Route::Allow | Route::Deny { .. } | Route::Executor { .. }) | None => self.patience,
        };
        let person = |because: &str| Routed { route: Route::Person(patience), because: because.to_owned() };
        if !question.is_understood() {
            return person("the permission is none that we know");
        }
        match rule {
            None => person("no rule matches"),
            Some(PolicyRule { route: Route::Allow, .. }) if question.kind.takes_result() => {
                person("a custom tool needs a result")
            }
            Some(rule) => Routed { route: rule.route.clone(), because: rule.name.clone() },
        }
    }
}

#[cfg(test)]
mod tests;
