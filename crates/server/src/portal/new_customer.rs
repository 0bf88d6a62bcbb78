//! A new customer: the form in two steps.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::customer::{Management, Preset, plans};
use roadstead_domain::partner::SupportLevel;
use roadstead_store::partners;

use super::customers::PATH;
use super::field::Field;
use super::format::link;
use super::layout::{Entry, Frame};
use crate::app::App;
use crate::flows::Refused;
use crate::flows::customers::{self, NewAdmin, NewCustomer};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

/// The form, one of its two steps.
#[derive(Template)]
#[template(path = "customer_new.html")]
pub(super) struct NewPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) step: u8,
    /// Names and values of the other step's fields.
    pub(super) kept: Vec<(&'static str, String)>,
    pub(super) fields: Vec<Field>,
    /// Why no customer can be created at all.
    pub(super) closed: Option<(String, String)>,
}

/// A form as it was sent.
type Sent = HashMap<String, String>;

const COMPANY: [&str; 6] = ["name", "address", "city", "postal_code", "country", "management"];
const REST: [&str; 7] = [
    "admin.first_name",
    "admin.last_name",
    "admin.email",
    "admin.phone",
    "admin.identity_provider",
    "plan",
    "self_service",
];

/// Shows the first step.
pub(super) async fn new(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageCustomers)?;
    form(&app, &browser, &scope, &uri, 1, &Sent::new(), None).await
}

async fn form(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    step: u8,
    sent: &Sent,
    fault: Option<(&str, &str)>,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let mut tx = app.store.read(scope).await?;
    let own: Vec<_> = partners::own_qualifications(&mut tx, scope)
        .await?
        .into_iter()
        .map(|recorded| recorded.qualification)
        .collect();
    let plans = plans(&own, app.ambient.now().date());
    let code = "customer.partner_not_qualified";
    let closed = plans.is_empty().then(|| lang.code_said(code));
    let value = |name: &str| sent.get(name).cloned().unwrap_or_default();
    let field = |name: &'static str, required: bool, choices: Vec<(String, String)>| Field {
        id: format!("new-{}", name.replace(['.', '_'], "-")),
        name,
        label: lang.code_text(&format!("form.customer.{name}")),
        kind: if name == "admin.email" { "email" } else { "text" },
        value: value(name),
        required,
        choices,
        fault: fault
            .filter(|(at, _)| *at == name)
            .map(|(_, code)| format!("{}. {}", lang.code_text(code), lang.code_advice(code))),
        ..Field::default()
    };
    let coded = |codes: &[&str], key: &str| -> Vec<(String, String)> {
        codes
            .iter()
            .map(|code| ((*code).to_owned(), lang.text(&format!("{key}-{}", code.replace('_', "-")))))
            .collect()
    };
    let management = Management::from_code(&value("management")).unwrap_or(Management::Customer);
    let preselected = Preset::preselected(management).as_str();
    let (fields, other): (Vec<Field>, &[&'static str]) = if step == 1 {
        let fields = COMPANY.map(|name| {
            let choices = match name {
                "management" => coded(&["customer", "partner"], "management-choice"),
                _ => Vec::new(),
            };
            let hint = (name == "management").then(|| lang.text("management-hint"));
            Field { hint, ..field(name, name != "country", choices) }
        });
        (fields.into(), &REST)
    } else {
        let levels = plans.iter().map(|level| (level.as_str().to_owned(), level.name().to_owned())).collect();
        let fields = vec![
            field("admin.first_name", false, Vec::new()),
            field("admin.last_name", false, Vec::new()),
            field("admin.email", false, Vec::new()),
            field("admin.phone", false, Vec::new()),
            field("admin.identity_provider", false, Vec::new()),
            field("plan", true, levels),
            field("self_service", true, coded(&["default", "off_when_allowed"], "self-service-preset"))
                .with(preselected),
        ];
        (fields, &COMPANY)
    };
    // What nobody chose otherwise is preselected anew if the management changes.
    let kept = |name: &&'static str| match (*name, value(name)) {
        ("self_service", chosen) if chosen == preselected => ("self_service", String::new()),
        kept => kept,
    };
    let page = NewPage {
        frame: Frame::of(browser, uri, Entry::Customers, lang.text("customer-new")),
        lang,
        csrf: browser.session.csrf.clone(),
        step,
        kept: other.iter().map(kept).collect(),
        fields,
        closed,
    };
    super::form(&page, fault.is_some())
}

/// Takes a step of the form; the second one creates the customer tenant.
pub(super) async fn create(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageCustomers)?;
    let get = |name: &str| sent.get(name).map_or("", |value| value.trim());
    let show = async |step, fault| form(&app, &browser, &scope, &uri, step, &sent, fault).await;
    if get("step") != "2" {
        let missing = COMPANY[..4].iter().find(|name| get(name).is_empty());
        return match missing {
            Some(name) => show(1, Some((name, "field.missing"))).await,
            None => show(2, None).await,
        };
    }
    if get("back") == "1" {
        return show(1, None).await;
    }
    let country = get("country").to_uppercase();
    let management = Management::from_code(get("management")).unwrap_or(Management::Customer);
    let new = NewCustomer {
        name: get("name"),
        address: get("address"),
        city: get("city"),
        postal_code: get("postal_code"),
        country: &country,
        admin: NewAdmin {
            first_name: get("admin.first_name"),
            last_name: get("admin.last_name"),
            email: get("admin.email"),
            phone: get("admin.phone"),
            identity_provider: get("admin.identity_provider"),
        },
        plan: match SupportLevel::from_code(get("plan")) {
            Some(plan) => plan,
            None => return show(2, Some(("plan", "field.unknown_value"))).await,
        },
        management,
        preset: match (get("self_service"), Preset::from_code(get("self_service"))) {
            (_, Some(preset)) => preset,
            ("", None) => Preset::preselected(management),
            _ => return show(2, Some(("self_service", "field.unknown_value"))).await,
        },
    };
    match customers::create(&app, &scope, &new).await {
        Ok(_) => {
            let done = if new.management == Management::Partner { "created" } else { "invited" };
            Ok(Redirect::to(&link(PATH, &[("done", done)])).into_response())
        }
        Err(Refused::Invalid { code, field }) => {
            let step = if COMPANY.contains(&field) { 1 } else { 2 };
            show(step, Some((field, code))).await
        }
        Err(refused) => Err(refused.into()),
    }
}
