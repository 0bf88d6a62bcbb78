//! The columns of a reporter's files: what each header means, named once and remembered.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Role};
use roadstead_domain::sale::Field;
use roadstead_ingest::{folded_header, usual_field, usual_header};
use roadstead_store::own_headers::OwnHeader;

use super::field::Sent;
use super::format::link;
use super::layout::{Entry, Frame};
use crate::app::App;
use crate::flows::{Refused, own_headers};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/reports/columns";
/// The value of a select for a column that is not read.
const IGNORE: &str = "-";
/// The most headers of one page.
const MOST: usize = 200;

/// A header with what it may mean.
pub(super) struct Row {
    pub(super) header: String,
    /// Value and name of each field, and whether it is the one.
    pub(super) choices: Vec<(String, String, bool)>,
}

/// The page.
#[derive(Template)]
#[template(path = "columns.html")]
pub(super) struct ColumnsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) reporter: String,
    pub(super) name: String,
    pub(super) done: bool,
    pub(super) fault: Option<String>,
    pub(super) rows: Vec<Row>,
    /// The fields that every file needs.
    pub(super) required: String,
}

/// Shows the columns that are remembered, and those of the address: of a file that was refused.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::SubmitReport)?;
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&uri).map_or_else(|_| Vec::new(), |q| q.0);
    let get = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let asked = get("reporter").filter(|asked| !asked.is_empty());
    let found = match own_headers::list(&app, &scope, asked).await {
        // Without a reporter an operator has nothing to see here.
        Err(Refused::Invalid { .. }) => return Ok(Redirect::to("/reporters").into_response()),
        found => found?,
    };
    let (reporter, own) = found;
    let seen = pairs.iter().filter(|(name, _)| name == "h").map(|(_, header)| header.clone()).take(MOST);
    let rows = rows(browser.lang, &own, seen.collect());
    let whose = if browser.caller.role == Role::Operator { reporter.number } else { String::new() };
    let mut page = page(&browser, &uri, whose, reporter.name, rows);
    page.done = get("done").is_some();
    super::page(&page)
}

fn page(browser: &Browser, uri: &Uri, reporter: String, name: String, rows: Vec<Row>) -> ColumnsPage {
    let lang = browser.lang;
    let mut frame = Frame::of(browser, uri, Entry::Reports, lang.text("columns-title"));
    frame.here = link(PATH, &[("reporter", &reporter)]);
    ColumnsPage::new(frame, &browser.session.csrf, reporter, name, rows)
}

impl ColumnsPage {
    /// The page with these headers.
    pub(super) fn new(frame: Frame, csrf: &str, reporter: String, name: String, rows: Vec<Row>) -> Self {
        let lang = frame.lang;
        let required =
            Field::ALL.iter().filter(|field| field.required()).map(|field| field_text(lang, *field));
        Self {
            required: required.collect::<Vec<_>>().join(", "),
            lang,
            frame,
            csrf: csrf.to_owned(),
            reporter,
            name,
            done: false,
            fault: None,
            rows,
        }
    }
}

fn field_text(lang: Lang, field: Field) -> String {
    lang.code_text(&format!("field.{}", field.as_str()))
}

/// The headers that are remembered, then those that were seen; each with what it means or may mean.
pub(super) fn rows(lang: Lang, own: &[OwnHeader], seen: Vec<String>) -> Vec<Row> {
    let known = own.iter().map(|own| (own.shown.clone(), Some(own.field.clone())));
    let new = seen
        .into_iter()
        .filter(|header| {
            let folded = folded_header(header);
            !folded.is_empty() && own.iter().all(|own| own.header != folded)
        })
        .map(|header| (header, None));
    known.chain(new).map(|(header, said)| row(lang, header, said)).collect()
}

fn row(lang: Lang, header: String, said: Option<Option<String>>) -> Row {
    let chosen = match said {
        Some(field) => field.unwrap_or_else(|| IGNORE.to_owned()),
        None => usual_field(&header).map_or_else(|| IGNORE.to_owned(), |field| field.as_str().to_owned()),
    };
    let ignore = (IGNORE.to_owned(), lang.text("columns-ignore"));
    let fields = Field::ALL.iter().map(|field| (field.as_str().to_owned(), field_text(lang, *field)));
    let choices = std::iter::once(ignore).chain(fields);
    Row { choices: choices.map(|(value, text)| (value.clone(), text, value == chosen)).collect(), header }
}

/// Remembers what each header means.
pub(super) async fn save(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::SubmitReport)?;
    let reporter = sent.get("reporter").map_or("", String::as_str);
    let mut headers = Vec::new();
    for number in 0..MOST {
        let (Some(header), Some(field)) =
            (sent.get(&format!("header-{number}")), sent.get(&format!("field-{number}")))
        else {
            break;
        };
        // What a header usually means need not be remembered.
        let usual = usual_field(header).map_or(IGNORE, Field::as_str);
        if field != usual {
            headers.push((header.clone(), (field != IGNORE).then(|| field.clone())));
        }
    }
    let whose = Some(reporter).filter(|reporter| !reporter.is_empty());
    match own_headers::name(&app, &scope, whose, &headers).await {
        Ok(()) => Ok(Redirect::to(&link(PATH, &[("reporter", reporter), ("done", "1")])).into_response()),
        Err(Refused::Invalid { code, .. }) => {
            let lang = browser.lang;
            let rows = (0..MOST)
                .map_while(|n| {
                    let field = sent.get(&format!("field-{n}"))?.clone();
                    let said = Some(Some(field).filter(|field| field != IGNORE));
                    Some(row(lang, sent.get(&format!("header-{n}"))?.clone(), said))
                })
                .collect();
            let (whose, _) = own_headers::list(&app, &scope, whose).await?;
            let mut page = page(&browser, &uri, reporter.to_owned(), whose.name, rows);
            page.fault = Some(format!("{}. {}", lang.code_text(code), lang.code_advice(code)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, super::page(&page)?).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

/// An empty file with every column, to begin with.
pub(super) async fn template(browser: Browser) -> Result<Response, Problem> {
    browser.may(Action::SubmitReport)?;
    let head: Vec<&str> = Field::ALL.iter().map(|field| usual_header(*field)).collect();
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"sell-through-report.csv\""),
    ];
    Ok((headers, format!("\u{feff}{}\r\n", head.join(","))).into_response())
}
