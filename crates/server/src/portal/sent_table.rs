//! A table that the operator sends: the form, what its rows come to, and the button that writes it. For pages that hold one
//! as `sent`, by `sent_preview.html` and `sent_form.html`.

use axum::http::StatusCode;
use serde::Deserialize;

use super::format::number;
use crate::i18n::Lang;

/// Rows of a preview that are shown besides the wrong ones.
const SHOWN: usize = 200;

/// The table, and whether it is to be written.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    pub(super) table: String,
    #[serde(default)]
    apply: String,
}

impl Sent {
    /// Whether what it comes to is only to be shown.
    pub(super) fn is_preview(&self) -> bool {
        self.apply.is_empty()
    }
}

/// A row of the preview.
pub(super) struct Row {
    pub(super) row: String,
    /// What it names, and what else is said of that.
    pub(super) name: String,
    pub(super) about: String,
    pub(super) mood: &'static str,
    pub(super) outcome: String,
    pub(super) fault: String,
}

impl Row {
    /// `fault` is a stable code and the column.
    pub(super) fn new(
        lang: Lang,
        row: Option<u64>,
        (name, about): (&str, String),
        (mood, outcome): (&'static str, String),
        fault: Option<(&'static str, &'static str)>,
    ) -> Self {
        let fault = fault.map_or_else(String::new, |(code, column)| {
            format!("{column}: {}. {}", lang.code_text(code), lang.code_advice(code))
        });
        let row = row.map_or_else(String::new, |row| row.to_string());
        Self { row, name: name.to_owned(), about, mood, outcome, fault }
    }
}

/// What was sent, and what it comes to.
pub(super) struct SentTable {
    /// Where it is sent to.
    pub(super) path: &'static str,
    /// What is said about the columns.
    pub(super) hint: String,
    /// What [`Row::name`] and [`Row::about`] are.
    pub(super) heads: [String; 2],
    pub(super) table: String,
    /// What is wrong with the table as a whole.
    pub(super) fault: Option<String>,
    /// What the rows come to, in words with counts.
    pub(super) counts: Vec<(&'static str, String)>,
    pub(super) rows: Vec<Row>,
    /// Whether it can be written now.
    pub(super) ready: bool,
}

impl SentTable {
    /// An empty one.
    pub(super) fn new(path: &'static str, hint: String, heads: [String; 2]) -> Self {
        let (table, counts, rows) = (String::new(), Vec::new(), Vec::new());
        Self { path, hint, heads, table, fault: None, counts, rows, ready: false }
    }

    /// With what is wrong with it as a whole.
    pub(super) fn refuse(&mut self, lang: Lang, code: &str, field: &str) {
        self.fault = Some(format!("{} ({field}). {}", lang.code_text(code), lang.code_advice(code)));
    }

    /// With what the rows come to: the wrong ones first. `outcomes` are all that there may be, in their order, by mood and
    /// text; `bad` is the mood of the wrong ones.
    pub(super) fn preview(&mut self, lang: Lang, outcomes: &[(&'static str, String)], rows: Vec<Row>) {
        for (mood, outcome) in outcomes {
            let count = rows.iter().filter(|row| row.outcome == *outcome).count();
            if count > 0 {
                let lines = number(lang, i64::try_from(count).unwrap_or(i64::MAX));
                self.counts.push((mood, format!("{outcome}: {lines}")));
            }
        }
        let (wrong, right): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.mood == "bad");
        self.ready = wrong.is_empty();
        self.rows = wrong.into_iter().chain(right).take(SHOWN).collect();
    }

    /// With what an answer shows it: whether it can be written.
    pub(super) fn status(&self) -> StatusCode {
        if self.ready { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }
}
