//! Qualifications over all partners, what ends first first, each to be renewed on the spot; for the operator.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::ToSpan;
use jiff::civil::Date;
use roadstead_domain::access::Action;
use roadstead_store::partners::{self, OfPartner};
use serde::Deserialize;

use super::field::{Attempt, FormView, Forms};
use super::format::link;
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::standing::QualificationView;
use crate::app::App;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PATH: &str = "/qualifications";
/// The filters, `""` for all.
const STANDINGS: [&str; 6] = ["", "ends_soon", "lapsed", "not_certified", "course_open", "valid"];
/// A certificate that ends within so many days is to be renewed.
pub(super) const SOON_DAYS: i32 = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    standing: String,
    cursor: String,
}

/// A filter.
pub(super) struct Tab {
    pub(super) text: String,
    pub(super) link: String,
    pub(super) current: bool,
}

/// A qualification as the page shows it.
pub(super) struct Row {
    pub(super) number: String,
    pub(super) name: String,
    pub(super) qualification: QualificationView,
    /// The form that renews it.
    pub(super) form: FormView,
}

/// The page.
#[derive(Template)]
#[template(path = "qualifications_list.html")]
pub(super) struct QualificationsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) tabs: Vec<Tab>,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
}

/// The last day on which an end is near.
pub(super) fn soon(today: Date) -> Date {
    today.saturating_add(SOON_DAYS.days())
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadPartners)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let standing = STANDINGS.into_iter().find(|known| *known == asked.standing).unwrap_or("");
    let today = app.ambient.now().date();
    let mut tx = app.store.read(&scope).await?;
    let page = page_at(&asked.cursor, None);
    let found = partners::all_qualifications(&mut tx, &scope, standing, (today, soon(today)), &page).await?;
    let Some(found) = found else { return Ok(Redirect::to(PATH).into_response()) };
    tx.commit().await?;
    let attempt = Attempt::default();
    let forms = Forms { lang, csrf: &browser.session.csrf, cursor: "", attempt: &attempt };
    let rows = found.items.into_iter().enumerate();
    let to = |cursor: &str| link(PATH, &[("standing", standing), ("cursor", cursor)]);
    super::page(&QualificationsPage {
        frame: Frame::at(&browser, &uri, Entry::Qualifications),
        lang,
        tabs: tabs(lang, standing),
        rows: rows.map(|(number, of)| row(&forms, number, of, today)).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, to),
    })
}

/// The filters, with the one that holds.
pub(super) fn tabs(lang: Lang, standing: &str) -> Vec<Tab> {
    STANDINGS
        .iter()
        .map(|known| Tab {
            text: match *known {
                "" => lang.text("qualifications-all"),
                known => lang.text(&format!("qualifications-{}", known.replace('_', "-"))),
            },
            link: link(PATH, &[("standing", known)]),
            current: *known == standing,
        })
        .collect()
}

/// A row with its form.
pub(super) fn row(forms: &Forms<'_>, number: usize, of: OfPartner, today: Date) -> Row {
    let qualification = &of.recorded.qualification;
    let partner = of.recorded.partner.to_string();
    let mut form = forms.qualification(&partner);
    form.summary = forms.lang.text("qualifications-renew");
    let day = |day: Option<Date>| day.map_or_else(String::new, |day| day.to_string());
    form.fields = form
        .fields
        .into_iter()
        .map(|field| {
            let value = match field.name {
                "support_level" => qualification.support_level.as_str().to_owned(),
                "role" => qualification.role.as_str().to_owned(),
                "course_completed_on" => day(qualification.course_completed_on),
                "certified_on" => day(qualification.certified_on),
                _ => day(qualification.expires_on),
            };
            field.with(&value).numbered(number)
        })
        .collect();
    Row {
        qualification: QualificationView::of(forms.lang, qualification, today),
        number: of.number,
        name: of.name,
        form,
    }
}
