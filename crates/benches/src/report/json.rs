//! The report for machines.

use super::{Record, Report};
use crate::figures::Figure;
use crate::figures::targets::{Bound, TARGETS, Target};
use anyhow::Result;
use serde_json::{Value, json};

/// The whole report, every sample included.
pub(crate) fn json(report: &Report) -> Result<String> {
    let scenarios: Vec<Value> = report.records.iter().map(scenario).collect();
    let judged = |target: &Target| {
        let record = report.records.iter().find(|record| record.scenario.name == target.scenario)?;
        Some(target_json(target, target.figure(&record.figures)))
    };
    let targets: Vec<Value> = TARGETS.iter().filter_map(judged).collect();
    let whole =
        json!({"machine": report.machine, "plan": report.plan, "scenarios": scenarios, "targets": targets});
    Ok(serde_json::to_string_pretty(&whole)?)
}

fn scenario(record: &Record) -> Value {
    let figures: Vec<Value> = record.figures.iter().map(figure).collect();
    let described = record.scenario;
    json!({
        "name": described.name,
        "group": described.group.title(),
        "what": described.what,
        "figures": figures,
        "failure": record.failure,
    })
}

fn figure(figure: &Figure) -> Value {
    json!({
        "of": figure.subject,
        "measure": figure.measure.name,
        "unit": figure.measure.unit,
        "median": figure.median(),
        "min": figure.min(),
        "max": figure.max(),
        "samples": figure.samples(),
    })
}

fn target_json(target: &Target, figure: Option<&Figure>) -> Value {
    let (at_least, at_most) = match target.bound {
        Bound::AtLeast(least) => (Some(least), None),
        Bound::AtMost(most) => (None, Some(most)),
    };
    json!({
        "what": target.what,
        "scenario": target.scenario,
        "of": target.subject,
        "measure": target.measure.name,
        "at_least": at_least,
        "at_most": at_most,
        "median": figure.map(Figure::median),
        "met": figure.map(|figure| target.is_met_by(figure.median())),
    })
}
