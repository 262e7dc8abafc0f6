//! Figures: what is measured, in one run and over all of them.

pub(crate) mod measure;
pub(crate) mod targets;
#[cfg(test)]
mod tests;

pub(crate) use measure::Measure;

/// One value of one run.
#[derive(Debug, Clone)]
struct Reading {
    subject: String,
    measure: Measure,
    value: f64,
}

/// What one run of a scenario has measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    readings: Vec<Reading>,
}

impl Sheet {
    /// Notes a value. The subject is what was measured: a system, a command.
    pub(crate) fn add(&mut self, subject: &str, measure: Measure, value: f64) {
        self.readings.push(Reading { subject: subject.to_owned(), measure, value });
    }

    pub(crate) fn get(&self, subject: &str, measure: Measure) -> Option<f64> {
        let found =
            self.readings.iter().find(|reading| reading.subject == subject && reading.measure == measure);
        found.map(|reading| reading.value)
    }

    /// Notes how the subject's rate compares with another's of the same run.
    pub(crate) fn compare(&mut self, subject: &str, with: &str, measure: Measure) {
        let rates = (self.get(subject, measure::RATE), self.get(with, measure::RATE));
        if let (Some(rate), Some(other)) = rates
            && other > 0.0
        {
            self.add(subject, measure, rate / other);
        }
    }
}

/// The values of all runs.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) subject: String,
    pub(crate) measure: Measure,
    /// Ascending; never empty.
    samples: Vec<f64>,
}

impl Figure {
    pub(crate) fn median(&self) -> f64 {
        let at = |index: usize| self.samples.get(index).copied().unwrap_or(f64::NAN);
        let middle = self.samples.len() / 2;
        if self.samples.len() % 2 == 1 {
            at(middle)
        } else {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        }
    }

    pub(crate) fn min(&self) -> f64 {
        self.samples.first().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn max(&self) -> f64 {
        self.samples.last().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn samples(&self) -> &[f64] {
        &self.samples
    }
}

/// Puts the runs together, in the order in which things were first noted.
pub(crate) fn collect(sheets: &[Sheet]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for Reading { subject, measure, value } in sheets.iter().flat_map(|sheet| &sheet.readings) {
        match figures.iter_mut().find(|figure| figure.subject == *subject && figure.measure == *measure) {
            Some(figure) => figure.samples.push(*value),
            None => {
                figures.push(Figure { subject: subject.clone(), measure: *measure, samples: vec![*value] });
            }
        }
    }
    for figure in &mut figures {
        figure.samples.sort_by(f64::total_cmp);
    }
    figures
}
