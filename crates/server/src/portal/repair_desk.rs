//! The repair desk's week, and when it works.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use roadstead_domain::access::{Action, Reach, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_store::desk_hours as rows;

use super::field::{Field, Sent, text};
use super::format::{date, link};
use super::layout::{Entry, Frame};
use super::repair_cases::badge;
use crate::app::App;
use crate::flows::Refused;
use crate::flows::desk_hours::{self, DAYS};
use crate::http::{Browser, Form, Problem};
use crate::i18n::{Lang, zone_names};

const CALENDAR: &str = "/repair-desk/calendar";

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    week: String,
    done: String,
}

/// An appointment as its day shows it.
pub(super) struct Visit {
    pub(super) hours: String,
    pub(super) link: String,
    pub(super) number: String,
    pub(super) serial: String,
    pub(super) contact: String,
    pub(super) assignee: String,
    pub(super) state: (&'static str, String),
}

/// A day of the week.
pub(super) struct DayView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) date: String,
    pub(super) is_today: bool,
    /// When the desk works on it; empty where it has not said.
    pub(super) hours: String,
    pub(super) is_off: bool,
    pub(super) visits: Vec<Visit>,
}

/// The week.
#[derive(Template)]
#[template(path = "desk_calendar.html")]
pub(super) struct CalendarPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) done: bool,
    pub(super) back: &'static str,
    pub(super) span: String,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) zone: String,
    pub(super) has_hours: bool,
    pub(super) may_set: bool,
    pub(super) days: Vec<DayView>,
}

/// When the desk works.
#[derive(Template)]
#[template(path = "desk_hours.html")]
pub(super) struct HoursPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) fault: Option<(String, String)>,
    pub(super) zone: Field,
    pub(super) days: Vec<Field>,
}

/// The entry that a desk's pages belong to.
pub(super) fn entry(browser: &Browser) -> Entry {
    if browser.caller.role == Role::CustomerSupport { Entry::SupportQueue } else { Entry::RepairDesk }
}

/// Only a desk has a calendar: a customer is told that there is none.
fn desk(browser: &Browser, action: Action) -> Result<Scope, Problem> {
    let scope = browser.may(action)?;
    match scope.reach() {
        Reach::Desk | Reach::Partner(_) => Ok(scope),
        _ => Err(Problem::not_found()),
    }
}

/// Shows a week.
pub(super) async fn calendar(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = desk(&browser, Action::ReadRepairCases)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let day: Option<Date> = asked.week.parse().ok();
    let week = desk_hours::week(&app, &scope, day, &lang.zone()).await?;
    let today = app.ambient.now().timestamp().to_zoned(week.zone.clone()).date();
    let local = |at: i64| Micros(at).timestamp().to_zoned(week.zone.clone());
    let worked = week.hours.as_ref().map(roadstead_domain::working_hours::WorkingHours::write);
    let days = (0_u8..7).map(|at| {
        let day = week.monday.saturating_add(jiff::Span::new().days(i64::from(at)));
        let name = DAYS[usize::from(at)];
        let visits = week.appointments.iter().filter(|row| local(row.appointment_from).date() == day);
        let hours = worked.as_ref().map_or("", |worked| worked[usize::from(at)].as_str()).replace('-', "–");
        DayView {
            id: format!("day-{name}"),
            name: lang.text(&format!("weekday-{name}")),
            date: date(lang, day),
            is_today: day == today,
            is_off: worked.is_some() && hours.is_empty(),
            hours,
            visits: visits.map(|row| visit(lang, row, local)).collect(),
        }
    });
    let sunday = week.monday.saturating_add(jiff::Span::new().days(6));
    let to = |weeks| link(CALENDAR, &[("week", &week.monday_in(weeks).to_string())]);
    super::page(&CalendarPage {
        frame: Frame::of(&browser, &uri, entry(&browser), lang.text("calendar-title")),
        lang,
        done: asked.done == "hours",
        back: entry(&browser).path(),
        span: format!("{} – {}", date(lang, week.monday), date(lang, sunday)),
        before: to(-1),
        after: to(1),
        zone: week.zone.iana_name().unwrap_or("UTC").replace('_', " "),
        has_hours: worked.is_some(),
        may_set: browser.may(Action::WorkRepairCases).is_ok(),
        days: days.collect(),
    })
}

fn visit(lang: Lang, row: &rows::Appointment, local: impl Fn(i64) -> jiff::Zoned) -> Visit {
    let (from, until) = (local(row.appointment_from), local(row.appointment_until));
    let end = until.strftime("%H:%M");
    let end = if until.date() == from.date() {
        end.to_string()
    } else {
        format!("{}, {end}", date(lang, until.date()))
    };
    Visit {
        hours: format!("{}–{end}", from.strftime("%H:%M")),
        link: format!("/repair-cases/{}", row.id),
        number: row.number.clone(),
        serial: row.serial.clone(),
        contact: row.contact_name.clone(),
        assignee: row.assignee_name.clone().unwrap_or_default(),
        state: badge(lang, &row.state),
    }
}

/// Shows when the desk works.
pub(super) async fn hours(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = desk(&browser, Action::WorkRepairCases)?;
    let mut tx = app.store.read(&scope).await?;
    let hours = rows::own(&mut tx, &scope).await?;
    let mut sent = Sent::new();
    match &hours {
        Some(hours) => {
            sent.insert("time_zone".to_owned(), hours.zone.iana_name().unwrap_or("UTC").to_owned());
            for (name, day) in DAYS.into_iter().zip(hours.write()) {
                sent.insert(name.to_owned(), day);
            }
        }
        None => {
            sent.insert("time_zone".to_owned(), browser.lang.zone_name().to_owned());
        }
    }
    form(&browser, &uri, &sent, None)
}

fn form(
    browser: &Browser,
    uri: &Uri,
    sent: &Sent,
    fault: Option<(&'static str, &'static str)>,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let field = |name: &'static str, label: String| Field {
        id: format!("hours-{}", name.replace('_', "-")),
        name,
        label,
        kind: "text",
        value: text(sent, name).to_owned(),
        fault: fault
            .filter(|(field, _)| *field == name)
            .map(|(_, code)| format!("{}. {}", lang.code_text(code), lang.code_advice(code))),
        ..Field::default()
    };
    let zones = zone_names().into_iter().map(|name| (name.clone(), name.replace('_', " "))).collect();
    let page = HoursPage {
        frame: Frame::of(browser, uri, entry(browser), lang.text("hours-title")),
        lang,
        csrf: browser.session.csrf.clone(),
        fault: fault.filter(|(field, _)| *field == "days").map(|(_, code)| lang.code_said(code)),
        zone: Field { choices: zones, ..field("time_zone", lang.text("hours-zone")) },
        days: DAYS.map(|name| field(name, lang.text(&format!("weekday-{name}")))).into(),
    };
    super::form(&page, fault.is_some())
}

/// Says when the desk works.
pub(super) async fn set_hours(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = desk(&browser, Action::WorkRepairCases)?;
    let days = DAYS.map(|name| text(&sent, name).to_owned());
    match desk_hours::set(&app, &scope, text(&sent, "time_zone"), &days).await {
        Ok(()) => Ok(Redirect::to(&link(CALENDAR, &[("done", "hours")])).into_response()),
        Err(Refused::Invalid { code, field }) => form(&browser, &uri, &sent, Some((field, code))),
        Err(refused) => Err(refused.into()),
    }
}
