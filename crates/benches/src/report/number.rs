//! Numbers as people read them.

use crate::figures::{Figure, Measure};

/// With commas between thousands.
pub(super) fn grouped(value: f64, digits: usize) -> String {
    let plain = format!("{value:.digits$}");
    let (whole, rest) = plain.find('.').map_or((plain.as_str(), ""), |point| plain.split_at(point));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    if !whole.bytes().all(|digit| digit.is_ascii_digit()) {
        return plain; // no number
    }
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}{rest}")
}

pub(super) fn grouped_count(value: u64) -> String {
    grouped(crate::load::float(value), 0)
}

/// A value with its unit.
pub(super) fn with_unit(value: f64, measure: Measure) -> String {
    let number = grouped(value, measure.digits);
    match measure.unit {
        "" => number,
        "/s" => format!("{number}/s"),
        unit => format!("{number} {unit}"),
    }
}

/// The median, and where there are several runs the least and the greatest.
pub(super) fn spread(figure: &Figure) -> String {
    let digits = figure.measure.digits;
    let median = grouped(figure.median(), digits);
    let (min, max) = (grouped(figure.min(), digits), grouped(figure.max(), digits));
    if min == max { median } else { format!("{median} ({min}–{max})") }
}
