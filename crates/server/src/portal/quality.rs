//! How well a reporter reports: a plot over weeks, the same as a table, and its rhythm.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Role};
use roadstead_domain::reporter_quality::Tally;
use serde::Deserialize;

use super::format::{date, link, number};
use super::layout::{Entry, Frame};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::reporter_quality::{Quality, look};
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PATH: &str = "/reports/quality";
/// What a week's lines are split into, from the ground up.
pub(super) const PARTS: [&str; 4] = ["matched", "parked", "disputed", "rejected"];

/// The plot's measures, in its own units.
const STEP: i64 = 27;
const LEFT: i64 = 46;
const TOP: i64 = 12;
const HEIGHT: i64 = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    reporter: String,
}

/// One part of a week's column.
pub(super) struct Piece {
    pub(super) part: &'static str,
    pub(super) y: i64,
    pub(super) height: i64,
}

/// A week.
pub(super) struct Row {
    pub(super) x: i64,
    pub(super) from: String,
    pub(super) reports: String,
    pub(super) lines: String,
    /// Share and number of each part; empty without lines.
    pub(super) shares: Vec<(String, String)>,
    pub(super) pieces: Vec<Piece>,
    /// Whether its day stands below the plot.
    pub(super) named: bool,
    /// What a pointer finds.
    pub(super) title: String,
}

/// The page.
#[derive(Template)]
#[template(path = "quality.html")]
pub(super) struct QualityPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) name: String,
    /// Where the operator comes back to.
    pub(super) back: &'static str,
    pub(super) silent: Option<String>,
    pub(super) rhythm: String,
    /// Name, share and number of each part over all weeks; empty without lines.
    pub(super) all: Vec<(&'static str, String, String, String)>,
    pub(super) summary: String,
    pub(super) rows: Vec<Row>,
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadReports)?;
    let asked: Asked = super::query(&uri);
    let whose = Some(asked.reporter.as_str()).filter(|asked| !asked.is_empty());
    let quality = match look(&app, &scope, whose).await {
        // Without a reporter an operator has nothing to see here.
        Err(Refused::Invalid { .. }) if browser.caller.role == Role::Operator => {
            return Ok(Redirect::to("/reporters").into_response());
        }
        found => found?,
    };
    let (entry, back) = match browser.caller.role {
        Role::Operator => (Entry::Reporters, "/reporters"),
        _ => (Entry::Reports, "/reports"),
    };
    let mut frame = Frame::of(&browser, &uri, entry, browser.lang.text("quality-title"));
    frame.here = whose.map_or_else(|| PATH.to_owned(), |whose| link(PATH, &[("reporter", whose)]));
    super::page(&QualityPage::new(frame, back, quality))
}

impl QualityPage {
    /// The page of this reporter.
    pub(super) fn new(frame: Frame, back: &'static str, quality: Quality) -> Self {
        let lang = frame.lang;
        let days = |days: i32| i64::from(days);
        let rhythm = match quality.rhythm {
            None => lang.text("quality-no-rhythm"),
            Some(rhythm) => lang.text_with(
                "quality-rhythm",
                &[
                    ("days", days(rhythm.usual_days).into()),
                    ("last", date(lang, rhythm.last).into()),
                    ("by", date(lang, rhythm.expected_by).into()),
                ],
            ),
        };
        let silent = quality
            .rhythm
            .filter(|_| quality.silent)
            .map(|rhythm| lang.text_with("quality-silent", &[("last", date(lang, rhythm.last).into())]));
        let parts = quality.all.parts();
        let all: Vec<_> = PARTS
            .into_iter()
            .zip(parts)
            .filter(|_| quality.all.lines() > 0)
            .map(|(part, lines)| {
                let name = lang.text(&format!("quality-{part}"));
                (part, name, percent(lang, lines, quality.all.lines()), number(lang, lines))
            })
            .collect();
        let last = quality.weeks.len().saturating_sub(1);
        let rows: Vec<Row> = quality
            .weeks
            .iter()
            .enumerate()
            .map(|(at, week)| {
                let from = date(lang, week.from);
                let shares = shares(lang, week.tally);
                Row {
                    x: LEFT + i64::try_from(at).unwrap_or(0) * STEP,
                    reports: number(lang, week.reports),
                    lines: number(lang, week.tally.lines()),
                    title: title(lang, &from, week.tally),
                    pieces: pieces(week.tally),
                    named: (last - at).is_multiple_of(5),
                    shares,
                    from,
                }
            })
            .collect();
        let summary: Vec<String> = all.iter().map(|(_, name, share, _)| format!("{name} {share}")).collect();
        Self {
            lang,
            frame,
            name: quality.reporter.name,
            back,
            silent,
            rhythm,
            all,
            summary: summary.join(", "),
            rows,
        }
    }
}

fn percent(lang: Lang, part: i64, of: i64) -> String {
    if of == 0 {
        return String::new();
    }
    // No line may vanish, and nothing is whole that is not.
    let tenths = (part * 1000 + of / 2) / of;
    let tenths = match part {
        0 => 0,
        part if part == of => 1000,
        _ => tenths.clamp(1, 999),
    };
    let point = if lang.is_german() { ',' } else { '.' };
    format!("{}{point}{}\u{a0}%", tenths / 10, tenths % 10)
}

fn shares(lang: Lang, tally: Tally) -> Vec<(String, String)> {
    if tally.lines() == 0 {
        return Vec::new();
    }
    tally.parts().map(|part| (percent(lang, part, tally.lines()), number(lang, part))).into()
}

fn title(lang: Lang, from: &str, tally: Tally) -> String {
    let lines = tally.lines();
    let parts = PARTS.into_iter().zip(tally.parts()).filter(|(_, part)| *part > 0).map(|(name, part)| {
        format!(
            "{} {} ({})",
            lang.text(&format!("quality-{name}")),
            number(lang, part),
            percent(lang, part, lines)
        )
    });
    format!("{from}: {}", parts.collect::<Vec<_>>().join(", "))
}

/// The column of a week, from the ground up. What there is can be seen, however little it is.
fn pieces(tally: Tally) -> Vec<Piece> {
    let lines = tally.lines();
    if lines == 0 {
        return Vec::new();
    }
    let mut heights = tally.parts().map(|part| match part {
        0 => 0,
        part => (part.saturating_mul(HEIGHT) / lines).max(3),
    });
    let over = heights.iter().sum::<i64>() - HEIGHT;
    if let Some(tallest) = heights.iter_mut().max() {
        *tallest -= over;
    }
    let mut ground = TOP + HEIGHT;
    PARTS
        .into_iter()
        .zip(heights)
        .filter(|(_, height)| *height > 0)
        .map(|(part, height)| {
            ground -= height;
            Piece { part, y: ground, height }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_share_is_invisible_or_rounded_away() {
        let tally = Tally { matched: 99_999, parked: 0, disputed: 0, rejected: 1 };
        let drawn: Vec<_> = pieces(tally).iter().map(|p| (p.part, p.y, p.height)).collect();
        assert_eq!(drawn, [("matched", 15, 197), ("rejected", 12, 3)]);
        let said: Vec<_> = shares(Lang::De, tally).into_iter().map(|(share, _)| share).collect();
        assert_eq!(said, ["99,9\u{a0}%", "0,0\u{a0}%", "0,0\u{a0}%", "0,1\u{a0}%"]);
        assert!(pieces(Tally::default()).is_empty() && shares(Lang::En, Tally::default()).is_empty());
        for tally in [
            Tally { matched: 1, parked: 1, disputed: 1, rejected: 1 },
            Tally { parked: 7, ..Tally::default() },
        ] {
            assert_eq!(pieces(tally).iter().map(|piece| piece.height).sum::<i64>(), HEIGHT);
        }
    }
}
