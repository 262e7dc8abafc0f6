//! A bar plot of how many deliveries the three systems accept.

use super::number::grouped;
use super::{Record, Report};
use crate::figures::measure::RATE;
use crate::scenario::Group;
use crate::server::System;
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 320.0;
const BOTTOM: f64 = 270.0;
/// Of the longest bar.
const TALLEST: f64 = 210.0;
const LEFT: f64 = 20.0;
const COLOURS: [&str; 3] = ["#b8bfc8", "#d98e4a", "#2f6f9f"];

/// An SVG of the rates of accepting; `None` when there are none.
pub(crate) fn plot(report: &Report) -> Option<String> {
    let records: Vec<&Record> = report
        .records
        .iter()
        .filter(|record| record.scenario.group == Group::Accept && !record.figures.is_empty())
        .collect();
    let most =
        records.iter().flat_map(|record| System::ALL.map(|system| rate(record, system))).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let mut shapes = String::new();
    let mut x = LEFT;
    let groups = u32::try_from(records.len()).unwrap_or(u32::MAX);
    let group = (WIDTH - 2.0 * LEFT) / f64::from(groups);
    let bar = group / 4.0;
    for record in records {
        for (index, (system, colour)) in (0_u32..).zip(System::ALL.into_iter().zip(COLOURS)) {
            let rate = rate(record, system);
            let (left, height) = (x + bar * (0.5 + f64::from(index)), rate / most * TALLEST);
            let top = BOTTOM - height;
            add(
                &mut shapes,
                &format!(
                    r#"<rect x="{left:.1}" y="{top:.1}" width="{:.1}" height="{height:.1}" fill="{colour}"/>"#,
                    bar - 4.0
                ),
            );
            add(&mut shapes, &text(left + bar / 2.0 - 2.0, top - 5.0, "middle", &grouped(rate, 0)));
        }
        let (what, _) = record.scenario.what.split_once(',').unwrap_or((record.scenario.what, ""));
        add(&mut shapes, &text(x + group / 2.0, BOTTOM + 20.0, "middle", what));
        x += group;
    }
    let mut x = LEFT;
    for (system, colour) in System::ALL.into_iter().zip(COLOURS) {
        add(&mut shapes, &format!(r#"<rect x="{x:.1}" y="12" width="12" height="12" fill="{colour}"/>"#));
        add(&mut shapes, &text(x + 18.0, 22.0, "start", system.name()));
        x += 100.0;
    }
    add(&mut shapes, &text(WIDTH - LEFT, 22.0, "end", "deliveries answered 2xx per second"));
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n{shapes}</svg>\n"
    ))
}

fn rate(record: &Record, system: System) -> f64 {
    let mut figures = record.figures.iter();
    let found = figures.find(|figure| figure.subject == system.name() && figure.measure == RATE);
    found.map_or(0.0, crate::figures::Figure::median)
}

fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!(r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="#222222">{text}</text>"##)
}

fn add(shapes: &mut String, shape: &str) {
    // Writing to a String cannot fail.
    let _infallible = writeln!(shapes, "{shape}").is_ok();
}
