//! What became of the PCs' data at a move, in words.

use askama::Template;
use roadstead_domain::privacy::{Counts, Receipt};

use super::format::number;
use crate::i18n::Lang;

/// The receipt of one move as a table: of the commit, or of the undo.
#[derive(Template)]
#[template(path = "receipt.html")]
pub(super) struct ReceiptView {
    lang: Lang,
    title: String,
    /// Class, and how many PCs' data were kept, wiped and sealed; empty where nothing was there.
    rows: Vec<(String, [String; 3])>,
    /// Whether something waits for its deletion.
    is_sealed: bool,
}

impl ReceiptView {
    /// `of` is `transfer` or `undo`.
    pub(super) fn new(lang: Lang, of: &str, receipt: &Receipt) -> Self {
        let row = |(class, counts): (&str, Counts)| {
            (name(lang, class), [counts.kept, counts.wiped, counts.sealed].map(|n| number(lang, n)))
        };
        let classes = receipt.classes();
        Self {
            lang,
            title: lang.text(&format!("receipt-{of}")),
            is_sealed: classes.iter().any(|(_, counts)| counts.sealed > 0),
            rows: classes.into_iter().filter(|_| *receipt != Receipt::default()).map(row).collect(),
        }
    }
}

fn name(lang: Lang, class: &str) -> String {
    lang.text(&format!("receipt-{}", class.replace('_', "-")))
}

/// The receipt in one line of a log: what there was, class by class.
pub(super) fn line(lang: Lang, receipt: &Receipt) -> String {
    let mut parts = Vec::new();
    for (class, counts) in receipt.classes() {
        for (key, n) in [("kept", counts.kept), ("wiped", counts.wiped), ("sealed", counts.sealed)] {
            if n > 0 {
                let what = lang.text(&format!("receipt-{key}-log"));
                parts.push(format!("{}: {} {what}", name(lang, class), number(lang, n)));
            }
        }
    }
    if parts.is_empty() { lang.text("receipt-nothing") } else { parts.join("; ") }
}
