//! The tables of a report: the targets, then one per group of scenarios.

use super::grid::Grid;
use super::number::{spread, with_unit};
use super::{Record, Report};
use crate::figures::targets::{Bound, TARGETS, Target};
use crate::figures::{Figure, Measure};
use crate::scenario::Group;

pub(super) fn all(report: &Report) -> Vec<Grid> {
    let mut tables: Vec<Grid> = targets(report).into_iter().collect();
    tables.extend(Group::ALL.into_iter().filter_map(|group| of_group(report, group)));
    tables
}

/// How the figures stand against what they are to reach.
fn targets(report: &Report) -> Option<Grid> {
    let judged = |target: &Target| {
        let record = report.records.iter().find(|record| record.scenario.name == target.scenario)?;
        Some(judge(target, target.figure(&record.figures)))
    };
    let rows: Vec<Vec<String>> = TARGETS.iter().filter_map(judged).collect();
    let header = ["What", "Figure", "Target", "Measured", ""].map(str::to_owned).to_vec();
    (!rows.is_empty()).then(|| Grid { title: "Targets".to_owned(), header, rows, notes: Vec::new() })
}

fn judge(target: &Target, figure: Option<&Figure>) -> Vec<String> {
    let bound = match target.bound {
        Bound::AtLeast(least) => format!("at least {}", with_unit(least, target.measure)),
        Bound::AtMost(most) => format!("at most {}", with_unit(most, target.measure)),
    };
    let (measured, verdict) = figure.map_or(("-".to_owned(), "not measured"), |figure| {
        let met = if target.is_met_by(figure.median()) { "met" } else { "not met" };
        (spread(figure), met)
    });
    let name = format!("{}: {}, {}", target.scenario, target.subject, target.measure.name);
    vec![target.what.to_owned(), name, bound, measured, verdict.to_owned()]
}

/// A row for each subject of each scenario, a column for each measure.
fn of_group(report: &Report, group: Group) -> Option<Grid> {
    let records: Vec<&Record> =
        report.records.iter().filter(|record| record.scenario.group == group).collect();
    let mut measures: Vec<Measure> = Vec::new();
    for figure in records.iter().flat_map(|record| &record.figures) {
        if !measures.contains(&figure.measure) {
            measures.push(figure.measure);
        }
    }
    let heading = |measure: &Measure| match measure.unit {
        "" => measure.name.to_owned(),
        unit => format!("{}, {unit}", measure.name),
    };
    let mut header = vec!["Scenario".to_owned(), "Of".to_owned()];
    header.extend(measures.iter().map(heading));
    let rows = records.iter().flat_map(|record| rows_of(record, &measures)).collect();
    let notes = records.iter().filter_map(|record| {
        let failure = record.failure.as_ref()?;
        Some(format!("{} failed: {}", record.scenario.name, failure.lines().next().unwrap_or_default()))
    });
    let notes = notes.collect();
    (!records.is_empty()).then(|| Grid { title: group.title().to_owned(), header, rows, notes })
}

fn rows_of(record: &Record, measures: &[Measure]) -> Vec<Vec<String>> {
    let mut subjects: Vec<&str> = Vec::new();
    for figure in &record.figures {
        if !subjects.contains(&figure.subject.as_str()) {
            subjects.push(&figure.subject);
        }
    }
    let row = |subject: &str| {
        let cell = |measure: &Measure| {
            let mut figures = record.figures.iter();
            let found = figures.find(|figure| figure.subject == subject && figure.measure == *measure);
            found.map(spread).unwrap_or_default()
        };
        let mut row = vec![record.scenario.name.to_owned(), subject.to_owned()];
        row.extend(measures.iter().map(cell));
        row
    };
    subjects.into_iter().map(row).collect()
}
