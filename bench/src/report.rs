//! What the benches found: tables to read and JSON to keep.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::machine::Machine;

/// Everything of one run of this program.
#[derive(Debug, Serialize)]
pub struct Report {
    /// When it began.
    pub started: String,
    /// Where.
    pub machine: Machine,
    /// What was found.
    pub workloads: Vec<Workload>,
}

/// What one workload came to.
#[derive(Debug, Serialize)]
pub struct Workload {
    /// As in the plan of the benches: `W1a`.
    pub id: &'static str,
    /// The input and how the answer was checked.
    pub facts: Map<String, Value>,
    /// The figures.
    pub tables: Vec<Table>,
    /// What is demanded, and whether it holds.
    pub bounds: Vec<Bound>,
}

/// Figures of one kind.
#[derive(Debug, Serialize)]
pub struct Table {
    /// What they are.
    pub title: &'static str,
    /// One object a row.
    pub rows: Vec<Map<String, Value>>,
}

/// A demand.
#[derive(Debug, Serialize)]
pub struct Bound {
    /// What is demanded, in words.
    pub demand: String,
    /// The figure.
    pub measured: f64,
    /// What came of it.
    pub outcome: Outcome,
}

/// Whether a demand is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// It is.
    Pass,
    /// It is not.
    Fail,
    /// The input was smaller than the demand's, so it says nothing.
    #[serde(rename = "input too small to judge")]
    TooSmall,
}

impl Outcome {
    /// Of a demand that is met, on an input of the demanded size or not.
    pub fn of(met: bool, full_size: bool) -> Self {
        match (met, full_size) {
            (_, false) => Outcome::TooSmall,
            (true, true) => Outcome::Pass,
            (false, true) => Outcome::Fail,
        }
    }
}

/// An object from pairs, in their order.
#[macro_export]
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {{
        let mut object = serde_json::Map::new();
        $(object.insert($key.to_string(), serde_json::json!($value));)*
        object
    }};
}

/// A figure with three significant places or more, so that tables and JSON stay readable.
pub fn figure(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let places = (2 - value.abs().log10().floor() as i32).max(0);
    let scale = 10_f64.powi(places);
    (value * scale).round() / scale
}

impl Report {
    /// Whether a demand was missed.
    pub fn missed(&self) -> bool {
        self.workloads
            .iter()
            .flat_map(|workload| &workload.bounds)
            .any(|bound| bound.outcome == Outcome::Fail)
    }

    /// Writes it as JSON.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// When and where, for the eye.
    pub fn head(&self) -> anyhow::Result<String> {
        let mut text = format!("Roadstead's benches, {}\n", self.started);
        let Value::Object(machine) = serde_json::to_value(&self.machine)? else { return Ok(text) };
        facts(&mut text, &machine);
        Ok(text)
    }
}

fn facts(text: &mut String, facts: &Map<String, Value>) {
    for (name, value) in facts {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {}: {}", name.replace('_', " "), shown(value));
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => grouped(whole),
            None => number.as_f64().map_or_else(String::new, |figure| {
                if figure.fract() == 0.0 && figure >= 0.0 {
                    grouped(figure as u64)
                } else {
                    figure.to_string()
                }
            }),
        },
        other => other.to_string(),
    }
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Workload {
    /// For the eye.
    pub fn text(&self) -> String {
        let mut text = format!("\n== {} ==\n", self.id);
        facts(&mut text, &self.facts);
        for table in &self.tables {
            table.write(&mut text);
        }
        for bound in &self.bounds {
            let outcome = match bound.outcome {
                Outcome::Pass => "PASS",
                Outcome::Fail => "FAIL",
                Outcome::TooSmall => "(input too small to judge)",
            };
            let _ = writeln!(text, "  {outcome}  {}: {}", bound.demand, figure(bound.measured));
        }
        text
    }
}

impl Table {
    fn write(&self, text: &mut String) {
        let Some(first) = self.rows.first() else { return };
        let mut lines: Vec<Vec<String>> = vec![first.keys().map(|name| name.replace('_', " ")).collect()];
        lines.extend(self.rows.iter().map(|row| row.values().map(shown).collect()));
        let width = |column: usize| {
            lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..first.len()).map(width).collect();
        let _ = writeln!(text, "\n  {}", self.title);
        for line in &lines {
            let cells: Vec<String> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            let _ = writeln!(text, "  {}", cells.join("  "));
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_places() {
        assert_eq!(figure(0.012_345), 0.0123);
        assert_eq!(figure(1.234_5), 1.23);
        assert_eq!(figure(12_345.6), 12_346.0);
        assert_eq!(figure(0.0), 0.0);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(shown(&serde_json::json!(12_346.0)), "12,346");
    }
}
