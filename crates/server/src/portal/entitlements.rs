//! What service SKUs stand for, and corrections of a PC's entitlement; for the operator.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::partner::SupportLevel;
use roadstead_store::entitlements::Term;
use serde::Deserialize;

use super::device::{RightView, right_view};
use super::field::{Attempt, FormView, Forms, Sent, text};
use super::format::link;
use super::layout::{Entry, Frame};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::entitlements::{self, Looked, Wanted};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/entitlements";
const TERMS: &str = "/entitlements/terms";
const CORRECT: &str = "/entitlements/correct";
/// What can have been done a moment ago.
const DONE: [&str; 3] = ["term", "forgotten", "corrected"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
    manufacturer: String,
    done: String,
}

/// A term as the page shows it.
pub(super) struct TermRow {
    pub(super) name: String,
    pub(super) level: String,
    pub(super) months: String,
}

/// A PC as the page shows it.
pub(super) struct PcView {
    pub(super) serial: String,
    pub(super) model: String,
    pub(super) rights: Vec<RightView>,
    pub(super) form: FormView,
}

/// The page.
#[derive(Template)]
#[template(path = "entitlements.html")]
pub(super) struct EntitlementsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) done: Option<String>,
    pub(super) q: String,
    pub(super) pc: Option<PcView>,
    /// Whether a PC was asked for and there is none.
    pub(super) not_found: bool,
    /// The manufacturers to choose from, each with its PC's address.
    pub(super) choices: Vec<(String, String)>,
    pub(super) add: FormView,
    pub(super) terms: Vec<TermRow>,
}

fn levels(lang: Lang, none: bool) -> Vec<(String, String)> {
    let mut levels = [SupportLevel::PremiumPlus, SupportLevel::Premium]
        .map(|level| (level.as_str().to_owned(), level.name().to_owned()))
        .to_vec();
    if none {
        levels.push(("none".to_owned(), lang.text("unassigned-no-level")));
    }
    levels
}

/// The form that says what a SKU stands for.
pub(super) fn term_form(forms: &Forms<'_>) -> FormView {
    let fields = vec![
        forms.field(TERMS, "sku", "text"),
        forms.choice(TERMS, "support_level", levels(forms.lang, true)),
        forms.field(TERMS, "months", "text").optional(),
    ];
    forms.form(TERMS, "terms-add", fields)
}

/// The form that corrects the entitlement of this PC.
pub(super) fn correct_form(forms: &Forms<'_>, serial: &str, manufacturer: &str) -> FormView {
    let mut fields = vec![
        forms.choice(CORRECT, "support_level", levels(forms.lang, false)),
        forms.field(CORRECT, "starts_on", "date"),
        forms.field(CORRECT, "last_day", "date"),
        forms.field(CORRECT, "reason", "text"),
    ];
    for field in &mut fields {
        field.required = true;
    }
    let mut form = forms.form(CORRECT, "entitlement-correct", fields);
    form.hidden =
        vec![("serial".to_owned(), serial.to_owned()), ("manufacturer".to_owned(), manufacturer.to_owned())];
    form
}

/// Shows the page, with a PC if one is asked for; its partner finds the look in its log.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEntitlements)?;
    render(&app, &browser, &scope, &uri, &super::query(&uri), &Attempt::default()).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    asked: &Asked,
    attempt: &Attempt,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let today = app.ambient.now().date().to_string();
    let forms = Forms { lang, csrf: &browser.session.csrf, cursor: "", attempt };
    let (mut pc, mut choices, mut not_found) = (None, Vec::new(), false);
    if !asked.q.trim().is_empty() {
        let manufacturer = Some(asked.manufacturer.as_str()).filter(|name| !name.is_empty());
        match entitlements::look(app, scope, &asked.q, manufacturer).await {
            Ok(looked) => pc = Some(pc_view(&forms, &looked, &today)),
            Err(Refused::Ambiguous { choices: names, .. }) => {
                choices = names
                    .into_iter()
                    .map(|name| {
                        let to = link(PATH, &[("q", &asked.q), ("manufacturer", &name)]);
                        (if name.is_empty() { lang.text("device-own-manufacturer") } else { name }, to)
                    })
                    .collect();
            }
            Err(Refused::Denied(_)) => not_found = true,
            Err(other) => return Err(other.into()),
        }
    }
    let terms = entitlements::terms(app, scope).await?;
    let mut frame = Frame::at(browser, uri, Entry::Entitlements);
    frame.here = link(PATH, &[("q", &asked.q)]);
    super::page(&EntitlementsPage {
        frame,
        lang,
        csrf: browser.session.csrf.clone(),
        done: DONE.contains(&asked.done.as_str()).then(|| lang.text(&format!("done-{}", asked.done))),
        q: asked.q.clone(),
        pc,
        not_found,
        choices,
        add: term_form(&forms),
        terms: terms.into_iter().map(|term| term_row(lang, term)).collect(),
    })
}

fn pc_view(forms: &Forms<'_>, looked: &Looked, today: &str) -> PcView {
    PcView {
        serial: looked.device.serial.clone(),
        model: looked.device.model.clone(),
        rights: looked.rights.iter().map(|right| right_view(forms.lang, right, today)).collect(),
        form: correct_form(forms, &looked.device.serial, &looked.device.manufacturer),
    }
}

/// A term as the page shows it.
pub(super) fn term_row(lang: Lang, term: Term) -> TermRow {
    TermRow {
        level: term
            .support_level
            .map_or_else(|| lang.text("unassigned-no-level"), |level| level.name().to_owned()),
        months: term.months.map_or_else(String::new, |months| months.to_string()),
        name: term.name,
    }
}

async fn answer(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    (done, asked): (&str, Asked),
    sent: Sent,
    outcome: Result<(), Refused>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => {
            let to = link(PATH, &[("q", &asked.q), ("manufacturer", &asked.manufacturer), ("done", done)]);
            Ok(Redirect::to(&to).into_response())
        }
        Err(refused) => {
            let attempt = Attempt::of(uri.path(), sent, refused)?;
            let page = render(app, browser, scope, uri, &asked, &attempt).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Says what a SKU stands for.
pub(super) async fn set_term(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEntitlements)?;
    let months = match text(&sent, "months") {
        "" => Ok(None),
        months => months.parse().map(Some).map_err(|_| Refused::invalid("term.out_of_range", "months")),
    };
    let outcome = match months {
        Ok(months) => {
            let support_level = SupportLevel::from_code(text(&sent, "support_level"));
            let term = Term { name: text(&sent, "sku").to_owned(), support_level, months };
            entitlements::set_term(&app, &scope, &term).await
        }
        Err(refused) => Err(refused),
    };
    let outcome = outcome.map_err(|refused| match refused {
        Refused::Invalid { code, field: "name" } => Refused::invalid(code, "sku"),
        other => other,
    });
    answer(&app, &browser, &scope, &uri, ("term", Asked::default()), sent, outcome).await
}

/// Forgets what a SKU stands for.
pub(super) async fn forget_term(
    State(app): State<App>,
    browser: Browser,
    Form(sent): Form<Sent>,
) -> Result<Redirect, Problem> {
    let scope = browser.may(Action::ManageEntitlements)?;
    entitlements::forget_term(&app, &scope, text(&sent, "sku")).await?;
    Ok(Redirect::to(&link(PATH, &[("done", "forgotten")])))
}

/// Corrects an entitlement.
pub(super) async fn correct(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageEntitlements)?;
    let asked = Asked {
        q: text(&sent, "serial").to_owned(),
        manufacturer: text(&sent, "manufacturer").to_owned(),
        done: String::new(),
    };
    let outcome = match read(&sent) {
        Ok(wanted) => {
            let manufacturer = Some(asked.manufacturer.as_str()).filter(|name| !name.is_empty());
            entitlements::correct(&app, &scope, &asked.q, manufacturer, &wanted).await
        }
        Err(refused) => Err(refused),
    };
    let outcome = outcome.map_err(|refused| match refused {
        Refused::Invalid { code, field: "ends_on" } => Refused::invalid(code, "last_day"),
        other => other,
    });
    answer(&app, &browser, &scope, &uri, ("corrected", asked), sent.clone(), outcome).await
}

fn read(sent: &Sent) -> Result<Wanted<'_>, Refused> {
    let day = |field: &'static str| -> Result<Date, Refused> {
        text(sent, field).parse().map_err(|_| Refused::invalid("field.not_a_date", field))
    };
    let last = day("last_day")?;
    Ok(Wanted {
        support_level: SupportLevel::from_code(text(sent, "support_level"))
            .ok_or_else(|| Refused::invalid("field.unknown_value", "support_level"))?,
        starts_on: day("starts_on")?,
        ends_on: last.tomorrow().map_err(|_| Refused::invalid("field.not_a_date", "last_day"))?,
        reason: text(sent, "reason"),
    })
}
