//! `simulator fault add|clear`.

use std::process::ExitCode;

use anyhow::Context;
use reqwest::Method;
use serde_json::Value;

use crate::{
    cli::{
        args::{Fault, FaultAction, FaultRule},
        client::{Control, print_json},
    },
    faults::{Phase, Rule},
};

/// Changes the rules and prints those now in force.
pub(crate) async fn fault(args: &Fault) -> anyhow::Result<ExitCode> {
    let control = Control::new(&args.target.simulator)?;
    let rules = match &args.action {
        FaultAction::Add(given) => {
            let rule = serde_json::to_value(rule(given)?).context("could not write the rule")?;
            control.call(Method::POST, "faults", Some(&rule)).await?
        }
        FaultAction::Clear => control.call(Method::DELETE, "faults", None).await?,
    };
    print_json(&rules)?;
    Ok(ExitCode::SUCCESS)
}

fn rule(given: &FaultRule) -> anyhow::Result<Rule> {
    let body = serde_json::from_value(Value::String(given.body.clone())).context("unknown kind of body")?;
    Ok(Rule {
        path: given.path.clone(),
        method: given.method.clone(),
        query: given.query.clone(),
        status: given.status,
        body,
        times: given.times,
        latency_ms: given.latency_ms,
        retry_after: given.retry_after.clone(),
        error_code: given.error_code.clone(),
        should_retry: given.should_retry,
        probability: given.probability,
        phase: if given.after { Phase::After } else { Phase::Before },
    })
}
