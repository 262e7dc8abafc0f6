use super::markdown::between_markers;
use super::number::grouped;
use super::{Record, Report, json, plot};
use crate::figures::measure::{OF_BARE, P99, RATE};
use crate::figures::{Sheet, collect};
use crate::plan::Plan;
use crate::probe::machine::Machine;
use crate::scenario::SCENARIOS;
use std::time::Duration;

fn report(failure: Option<&str>) -> Report {
    let mut sheets = Vec::new();
    for (ours, p99) in [(3_000.0, 14.0), (3_500.0, 20.0), (3_200.0, 12.0)] {
        let mut sheet = Sheet::default();
        sheet.add("bare", RATE, 10_000.0);
        sheet.add("Holdfast", RATE, ours);
        sheet.add("Holdfast", P99, p99);
        sheet.compare("Holdfast", "bare", OF_BARE);
        sheets.push(sheet);
    }
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == "accept-64").unwrap();
    let machine = Machine {
        date: "2026-11-22".to_owned(),
        processor: "a processor".to_owned(),
        cores: 2,
        memory_gib: 24.0,
        kernel: "6.1".to_owned(),
        postgres: "15.4".to_owned(),
        postgres_settings: "fsync on".to_owned(),
        rabbitmq: "3.10".to_owned(),
        build: "release",
    };
    let second = Duration::from_secs(1);
    let plan = Plan {
        runs: 3,
        measurement: second,
        warm_up: second,
        endurance: second,
        rows: 10,
        backlog: 10,
        dead_letters: 10,
    };
    let failure = failure.map(str::to_owned);
    Report { machine, plan, records: vec![Record { scenario, figures: collect(&sheets), failure }] }
}

#[test]
fn figures_stand_beside_their_targets() {
    let text = report(None).markdown();
    assert!(text.contains("| at least 0.250 | 0.320 (0.300–0.350) | met |"), "{text}");
    assert!(text.contains("| at most 15.00 ms | 14.00 (12.00–20.00) | met |"), "{text}");
    // The obvious one was not measured.
    assert!(text.contains("| at least 4.50 | - | not measured |"), "{text}");
    assert!(text.contains("| accept-64 | bare | 10,000 |"), "{text}");
}

#[test]
fn a_failure_is_told() {
    assert!(report(Some("no port\ncaused by")).text().contains("accept-64 failed: no port\n"));
}

#[test]
fn machines_are_told_every_sample_and_whether_targets_are_met() {
    let told: serde_json::Value = serde_json::from_str(&json(&report(None)).unwrap()).unwrap();
    assert_eq!(told["scenarios"][0]["figures"][0]["samples"].as_array().unwrap().len(), 3);
    assert_eq!(told["targets"][0]["met"], true);
    assert_eq!(told["plan"]["seconds"], 1.0);
}

#[test]
fn the_plot_has_a_bar_for_each_system() {
    let svg = plot(&report(None)).unwrap();
    // Three bars, three legends, the background.
    assert_eq!(svg.matches("<rect").count(), 7);
    assert!(svg.contains(">10,000</text>") && svg.contains(">64 connections</text>"), "{svg}");
}

#[test]
fn without_rates_there_is_no_plot() {
    let mut report = report(None);
    report.records[0].figures.clear();
    assert_eq!(plot(&report), None);
}

#[test]
fn thousands_are_grouped() {
    assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
    assert_eq!(grouped(-999.6, 0), "-1,000");
    assert_eq!(grouped(12.0, 0), "12");
    assert_eq!(grouped(f64::NAN, 2), "NaN");
}

#[test]
fn only_what_is_between_the_markers_is_replaced() {
    let document = "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n";
    let renewed = between_markers(document, "new\n").unwrap();
    assert_eq!(renewed, "before\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\nafter\n");
    assert_eq!(between_markers(&renewed, "new").unwrap(), renewed);
    assert_eq!(between_markers("no markers", "new"), None);
}
