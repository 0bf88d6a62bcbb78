//! One sell-through report: what its lines came to, and each line with its reasons.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::ReportId;
use roadstead_domain::sale::Verdict;
use roadstead_store::lines::{self, Line};
use roadstead_store::reports::{self, Report};
use serde::Deserialize;

use super::format::{bytes, instant, link, number, stored_date};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::reports::Progress;
use super::verdicts::{self, FAMILIES, Share, VerdictCount};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::submit_report::{Submitted, submit_preview};
use crate::flows::withdraw_report::{self, Way};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    verdict: String,
    cursor: String,
}

/// A way to look at the lines.
pub(super) struct Tab {
    pub(super) text: String,
    pub(super) lines: String,
    pub(super) link: String,
    pub(super) current: bool,
}

/// Why a line came to its verdict.
pub(super) struct ReasonView {
    /// Empty where the verdict says it already.
    pub(super) text: String,
    pub(super) field: String,
    pub(super) received: Option<String>,
    pub(super) advice: String,
}

/// A line as the list shows it.
pub(super) struct Row {
    pub(super) row: String,
    pub(super) serial: String,
    pub(super) product_number: String,
    pub(super) seller: String,
    pub(super) end_customer: String,
    pub(super) sold_on: String,
    pub(super) invoice: String,
    pub(super) family: &'static str,
    pub(super) verdict: String,
    pub(super) reasons: Vec<ReasonView>,
}

/// The report, also alone as the live fragment.
#[derive(Template)]
#[template(path = "report_body.html")]
pub(super) struct Body {
    pub(super) lang: Lang,
    pub(super) path: String,
    pub(super) validate_only: bool,
    pub(super) csrf: String,
    /// What can be done with it now: `submit`, `withdraw` or `undo`.
    pub(super) act: Option<&'static str>,
    /// What it is to another report, and that report.
    pub(super) ties: Vec<(String, String)>,
    pub(super) progress: Progress,
    /// Where its progress is told, while it runs.
    pub(super) operation: String,
    pub(super) shares: Vec<Share>,
    pub(super) verdicts: Vec<VerdictCount>,
    /// Where the rejected lines are had as a file, once all are known and there are any.
    pub(super) errors: Option<String>,
    /// Where the 997 or CONTRL is had, if it came as messages.
    pub(super) acknowledgement: Option<String>,
    pub(super) tabs: Vec<Tab>,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct ReportPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    /// Names and values of what is known of the file.
    pub(super) facts: Vec<(String, String)>,
    pub(super) body: Body,
}

/// Shows the page, or the part of it that lives.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadReports)?;
    let id: ReportId = id.parse().map_err(|_| Problem::not_found())?;
    let asked: Asked = super::query(&uri);
    let verdict = known_verdict(&asked.verdict);
    let lang = browser.lang;
    let path = format!("/reports/{id}");

    let mut tx = app.store.read(&scope).await?;
    let report = reports::get(&mut tx, &scope, id).await?.ok_or_else(Problem::not_found)?;
    let counts = reports::counts(&mut tx, &scope, id).await?;
    let wanted = (!verdict.is_empty()).then_some(verdict);
    let Some(found) =
        lines::list(&mut tx, &scope, id, wanted, lines::Cells::Without, &page_at(&asked.cursor, None))
            .await?
    else {
        return Ok(Redirect::to(&path).into_response());
    };
    let follower = reports::follower(&mut tx, &scope, &report).await?;
    tx.commit().await?;

    let rows: Result<Vec<Row>, _> = found.items.into_iter().map(|line| row(lang, line)).collect();
    let progress = Progress::of(lang, &report);
    let rejected = counts.keys().any(|code| verdicts::family(code) == "rejected");
    let to = |cursor: &str| link(&path, &[("verdict", verdict), ("cursor", cursor)]) + "#lines";
    let body = Body {
        lang,
        validate_only: report.validate_only,
        csrf: browser.session.csrf.clone(),
        act: act(&report, follower.is_some()),
        ties: ties(lang, &report, follower.as_ref()),
        operation: format!("/api/v1/operations/{}/events", report.operation),
        shares: verdicts::shares(lang, &counts, report.lines),
        verdicts: verdicts::verdicts(lang, &counts),
        errors: (rejected && !progress.runs())
            .then(|| format!("/api/v1/sell-through-reports/{id}/errors.csv")),
        acknowledgement: matches!(report.format.as_str(), "x12" | "edifact")
            .then(|| format!("/api/v1/sell-through-reports/{id}/acknowledgement")),
        tabs: tabs(lang, &path, &counts, verdict),
        rows: rows?,
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, to),
        path,
        progress,
    };
    if super::wants_list(&headers) {
        return super::page(&body);
    }
    let mut facts = Vec::new();
    let mut fact = |key: &str, value: String| facts.push((lang.text(key), value));
    if browser.caller.role == Role::Operator {
        let name = format!("{} ({})", report.reporter_name, report.reporter_number);
        fact("report-reporter", name);
    }
    fact("report-received", instant(lang, Micros(report.received_at)));
    fact("report-lines", number(lang, report.lines));
    fact("report-size", bytes(lang, report.bytes));
    super::page(&ReportPage {
        frame: Frame::of(&browser, &uri, Entry::Reports, report.file_name),
        lang,
        facts,
        body,
    })
}

impl Body {
    fn act_key(&self, act: &str) -> &'static str {
        match act {
            "submit" => "report-submit",
            "undo" => "report-undo",
            _ => "report-withdraw",
        }
    }

    fn act_hint(&self, act: &str) -> &'static str {
        match act {
            "submit" => "report-submit-hint",
            "undo" => "report-undo-hint",
            _ => "report-withdraw-hint",
        }
    }
}

/// What can be done with a report that is judged.
fn act(report: &Report, is_followed: bool) -> Option<&'static str> {
    match () {
        () if report.finished_at.is_none() => None,
        () if report.validate_only => (report.state == "succeeded").then_some("submit"),
        () if report.withdraws.is_some() => (!is_followed).then_some("undo"),
        () => Some("withdraw"),
    }
}

/// What a report is to others, each with its address.
fn ties(lang: Lang, report: &Report, follower: Option<&Report>) -> Vec<(String, String)> {
    let tie = |key: &str, id: uuid::Uuid| (lang.text(key), format!("/reports/{id}"));
    let mut ties = Vec::new();
    ties.extend(report.withdraws.map(|id| tie("report-withdraws", id)));
    ties.extend(report.undoes.map(|id| tie("report-undoes", id)));
    if let Some(follower) = follower {
        let key = if follower.undoes.is_some() { "report-undone" } else { "report-withdrawn" };
        ties.push(tie(key, follower.id));
    }
    ties
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

async fn go_on(
    browser: &Browser,
    id: &str,
    act: impl AsyncFnOnce(Scope, ReportId) -> Result<Submitted, Refused>,
) -> Result<Redirect, Problem> {
    let scope = browser.may(Action::SubmitReport)?;
    let id: ReportId = id.parse().map_err(|_| Problem::not_found())?;
    let submitted = act(scope, id).await?;
    Ok(Redirect::to(&format!("/reports/{}", submitted.report)))
}

/// Hands in for good what a preview has judged.
pub(super) async fn submit(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Redirect, Problem> {
    go_on(&browser, &id, async |scope, id| submit_preview(&app, &scope, id).await).await
}

/// Shows what taking the report back would come to.
pub(super) async fn withdraw(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Redirect, Problem> {
    go_on(&browser, &id, async |scope, id| withdraw_report::run(&app, &scope, id, Way::Withdraw, true).await)
        .await
}

/// Shows what undoing a withdrawal would come to.
pub(super) async fn undo(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Redirect, Problem> {
    go_on(&browser, &id, async |scope, id| withdraw_report::run(&app, &scope, id, Way::Undo, true).await)
        .await
}

/// The family or verdict asked for; anything else is no filter.
fn known_verdict(asked: &str) -> &str {
    if FAMILIES.contains(&asked) || Verdict::from_code(asked).is_some() { asked } else { "" }
}

/// All lines, each family that is there, and the one verdict that was asked for.
fn tabs(lang: Lang, path: &str, counts: &BTreeMap<String, i64>, verdict: &str) -> Vec<Tab> {
    let sum = |wanted: &dyn Fn(&str) -> bool| {
        let lines: i64 = counts.iter().filter(|(code, _)| wanted(code)).map(|(_, lines)| lines).sum();
        number(lang, lines)
    };
    let tab = |text, lines, filter: &str| Tab {
        text,
        lines,
        link: link(path, &[("verdict", filter)]) + "#lines",
        current: filter == verdict,
    };
    let mut tabs = vec![tab(lang.text("report-all-lines"), sum(&|_| true), "")];
    for family in FAMILIES {
        if counts.keys().any(|code| verdicts::family(code) == family) || family == verdict {
            let lines = sum(&|code| verdicts::family(code) == family);
            tabs.push(tab(lang.text(&format!("family-{family}")), lines, family));
        }
    }
    if !verdict.is_empty() && !FAMILIES.contains(&verdict) {
        tabs.push(tab(lang.code_text(verdict), sum(&|code| code == verdict), verdict));
    }
    tabs
}

fn row(lang: Lang, line: Line) -> Result<Row, Problem> {
    // What waits needs nothing done: the summary says so once, not each line again.
    let advise = |code: &str| if code.starts_with("parked") { String::new() } else { lang.code_advice(code) };
    let mut reasons: Vec<ReasonView> = line
        .reasons()?
        .into_iter()
        .map(|reason| ReasonView {
            text: if reason.code == line.verdict { String::new() } else { lang.code_text(&reason.code) },
            field: reason
                .field
                .map_or_else(String::new, |f| lang.code_text(&format!("field.{}", f.as_str()))),
            received: reason.received.filter(|text| !text.is_empty()),
            advice: advise(&reason.code),
        })
        .collect();
    // A finer reason without an advice of its own is mended as its verdict is.
    let advice = advise(&line.verdict);
    if !advice.is_empty() && reasons.iter().all(|reason| reason.advice.is_empty()) {
        reasons.push(ReasonView { text: String::new(), field: String::new(), received: None, advice });
    }
    Ok(Row {
        row: number(lang, line.file_row),
        product_number: line.product_number,
        seller: line.seller,
        end_customer: line.buyer_name,
        sold_on: line.sold_on.map_or_else(String::new, |day| stored_date(lang, &day)),
        invoice: line.invoice,
        family: verdicts::family(&line.verdict),
        verdict: lang.code_text(&line.verdict),
        serial: line.serial,
        reasons,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_one_that_is_known() {
        for (asked, known) in [
            ("rejected", "rejected"),
            ("rejected.date_invalid", "rejected.date_invalid"),
            ("placed", "placed"),
            ("reject", ""),
            ("", ""),
            ("' OR 1=1", ""),
        ] {
            assert_eq!(known_verdict(asked), known);
        }
    }

    #[test]
    fn a_single_verdict_has_a_tab_of_its_own() {
        let counts = BTreeMap::from([("placed".to_owned(), 7), ("rejected.date_invalid".to_owned(), 2)]);
        let seen = |verdict| -> Vec<(String, bool)> {
            tabs(Lang::En, "/reports/1", &counts, verdict).into_iter().map(|t| (t.lines, t.current)).collect()
        };
        let tab = |lines: &str, current| (lines.to_owned(), current);
        assert_eq!(seen(""), [tab("9", true), tab("7", false), tab("2", false)]);
        assert_eq!(
            seen("rejected.date_invalid"),
            [tab("9", false), tab("7", false), tab("2", false), tab("2", true)]
        );
    }
}
