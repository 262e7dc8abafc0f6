use super::measure::{OF_BARE, P50, RATE};
use super::targets::TARGETS;
use super::{Sheet, collect};
use crate::scenario::SCENARIOS;

fn run(bare: f64, ours: f64) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("bare", RATE, bare);
    sheet.add("Holdfast", RATE, ours);
    sheet.compare("Holdfast", "bare", OF_BARE);
    sheet
}

#[test]
fn ratios_are_of_one_run_and_their_median_is_taken() {
    // The medians of the rates would give 50 of 200.
    let figures = collect(&[run(100.0, 50.0), run(200.0, 20.0), run(300.0, 90.0)]);
    let ratio = figures.iter().find(|figure| figure.measure == OF_BARE).unwrap();
    assert!((ratio.median() - 0.3).abs() < 1e-9);
    assert!((ratio.min() - 0.1).abs() < 1e-9 && (ratio.max() - 0.5).abs() < 1e-9);
}

#[test]
fn the_median_of_an_even_number_of_runs_is_between_the_middle_ones() {
    let figures = collect(&[run(1.0, 1.0), run(4.0, 1.0)]);
    assert!((figures[0].median() - 2.5).abs() < 1e-9);
}

#[test]
fn what_was_not_measured_is_not_compared() {
    let mut sheet = Sheet::default();
    sheet.add("Holdfast", P50, 1.0);
    sheet.compare("Holdfast", "bare", OF_BARE);
    assert_eq!(sheet.get("Holdfast", OF_BARE), None);
}

#[test]
fn every_target_is_of_a_scenario_that_exists() {
    for target in TARGETS {
        assert!(SCENARIOS.iter().any(|scenario| scenario.name == target.scenario), "{target:?}");
    }
}
