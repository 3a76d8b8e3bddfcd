//! What a run says: a table for people and JSON for machines.

use super::error::BenchError;
use super::numbers::{Round, median, spread};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;

/// What the issue demands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bar) => value >= bar,
            Self::AtMost(bar) => value <= bar,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bar) => format!(">= {}", number(bar)),
            Self::AtMost(bar) => format!("<= {}", number(bar)),
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Unit of `ours` and `baseline`.
    pub(crate) unit: String,
    /// Median over the rounds.
    pub(crate) ours: f64,
    /// Median over the rounds; absent where the bar is absolute and there is nothing to compare with.
    pub(crate) baseline: Option<f64>,
    /// What is held against the bar.
    pub(crate) value: f64,
    /// Least and greatest value of a round.
    pub(crate) spread: (f64, f64),
    pub(crate) bar: Option<Bar>,
    pub(crate) passed: Option<bool>,
    pub(crate) rounds: Vec<Round>,
    pub(crate) notes: Vec<String>,
}

impl Measurement {
    /// A ratio against a baseline. No bar means it is told for its own sake.
    pub(crate) fn ratio(id: &str, name: &str, unit: &str, rounds: Vec<Round>, bar: Option<Bar>) -> Self {
        let value = median(rounds.iter().map(Round::ratio));
        let spread = spread(rounds.iter().map(Round::ratio));
        let ours = median(rounds.iter().map(|round| round.ours));
        let baseline = Some(median(rounds.iter().map(|round| round.baseline)));
        Self::new(id, name, unit, ours, baseline, value, spread, bar, rounds)
    }

    /// An absolute quantity that the issue bounds as such.
    pub(crate) fn absolute(id: &str, name: &str, unit: &str, values: &[f64], bar: Option<Bar>) -> Self {
        let value = median(values.iter().copied());
        Self::new(id, name, unit, value, None, value, spread(values.iter().copied()), bar, Vec::new())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "private, and called with all of them by the two above only"
    )]
    fn new(
        id: &str,
        name: &str,
        unit: &str,
        ours: f64,
        baseline: Option<f64>,
        value: f64,
        spread: (f64, f64),
        bar: Option<Bar>,
        rounds: Vec<Round>,
    ) -> Self {
        let passed = bar.map(|bar| bar.holds(value));
        let (id, name, unit) = (id.to_owned(), name.to_owned(), unit.to_owned());
        Self { id, name, unit, ours, baseline, value, spread, bar, passed, rounds, notes: Vec::new() }
    }

    /// The same without a bar: told for its own sake.
    pub(crate) fn told(self) -> Self {
        Self { bar: None, passed: None, ..self }
    }

    /// Adds a line of explanation.
    #[must_use]
    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }
}

/// A whole run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) rustc: String,
    pub(crate) cores: usize,
    pub(crate) seconds_per_measurement: f64,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    pub(crate) measurements: Vec<Measurement>,
    /// What could not be measured on this machine, and why.
    pub(crate) skipped: Vec<String>,
}

impl Report {
    /// Whether every bar was met.
    pub(crate) fn passed(&self) -> bool {
        self.measurements.iter().all(|measurement| measurement.passed != Some(false))
    }

    /// Writes the JSON file, making its folder if need be.
    pub(crate) fn write(&self, file: &Path) -> Result<(), BenchError> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut out = String::new();
        let head = ["", "measured", "ours", "baseline", "unit", "value", "spread", "bar", ""];
        line(&mut out, &head.map(str::to_owned));
        for m in &self.measurements {
            let verdict = match m.passed {
                Some(true) => "pass",
                Some(false) => "FAIL",
                None => "",
            };
            line(
                &mut out,
                &[
                    m.id.clone(),
                    m.name.clone(),
                    number(m.ours),
                    m.baseline.map_or_else(|| "-".to_owned(), number),
                    m.unit.clone(),
                    number(m.value),
                    format!("{}..{}", number(m.spread.0), number(m.spread.1)),
                    m.bar.map_or_else(|| "-".to_owned(), Bar::text),
                    verdict.to_owned(),
                ],
            );
        }
        for (m, note) in self.measurements.iter().flat_map(|m| m.notes.iter().map(move |note| (m, note))) {
            writeln!(out, "{:<4} {note}", m.id).expect("writing to a string does not fail");
        }
        for skipped in &self.skipped {
            writeln!(out, "skipped {skipped}").expect("writing to a string does not fail");
        }
        out
    }
}

fn line(out: &mut String, cells: &[String; 9]) {
    let [id, name, ours, baseline, unit, value, spread, bar, verdict] = cells;
    writeln!(
        out,
        "{id:<4} {name:<54} {ours:>10} {baseline:>10} {unit:<6} {value:>8} {spread:>17} {bar:>9}  {verdict}"
    )
    .expect("writing to a string does not fail");
}

/// Three significant digits or so.
fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let rounds = vec![Round { baseline: 100.0, ours: 70.0 }, Round { baseline: 100.0, ours: 50.0 }];
        let measurements = vec![
            Measurement::ratio("a", "good enough", "1/s", rounds.clone(), Some(Bar::AtLeast(0.6)))
                .note("told"),
            Measurement::ratio("b", "too slow", "1/s", rounds, Some(Bar::AtLeast(0.8))),
            Measurement::absolute("e", "small", "bytes", &[1.0, 3.0, 2.0], Some(Bar::AtMost(2.0))),
        ];
        let date = "2026-11-23T00:00:00Z".to_owned();
        let rustc = "rustc".to_owned();
        let skipped = vec!["(h): postgres is missing".to_owned()];
        let seconds_per_measurement = 1.0;
        Report {
            date,
            rustc,
            cores: 2,
            seconds_per_measurement,
            rounds: 2,
            quick: false,
            measurements,
            skipped,
        }
    }

    #[test]
    fn bars_are_held_against_the_median() {
        let report = report();
        let passed: Vec<_> = report.measurements.iter().map(|m| m.passed).collect();
        assert_eq!(passed, [Some(true), Some(false), Some(true)]);
        assert!(!report.passed());
        assert_eq!(report.measurements[0].spread, (0.5, 0.7));
    }

    #[test]
    fn the_table_shows_every_measurement_with_its_bar_and_verdict() {
        let table = report().table();
        for text in ["good enough", ">= 0.60", "too slow", "FAIL", "<= 2.00", "a    told", "skipped (h)"] {
            assert!(table.contains(text), "{text} in\n{table}");
        }
    }

    #[test]
    fn the_json_file_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/latest.json");
        report().write(&file).unwrap();
        let back: Report = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(back.measurements.len(), 3);
        assert_eq!(back.measurements[0].rounds[1].ratio(), 0.5);
    }
}
