//! Customers: the partner's cards, the form in two steps, and one customer tenant with its PCs and settings.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::customer::{Assignment, Management, Preset, Step, plans};
use roadstead_domain::ids::TenantId;
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::self_service::{Switch, off_refused};
use roadstead_domain::transfer::{Target, UNASSIGNED};
use roadstead_store::customers::{self as rows, Customer};
use roadstead_store::repair_cases::cases_to_support;
use roadstead_store::{Tx, check_ins, partners, self_service as stored_switch, transfers};
use serde::Deserialize;

use super::field::Field;
use super::format::{instant, link, number};
use super::layout::{Chosen, Entry, Frame};
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::customers::{self, NewAdmin, NewCustomer};
use crate::flows::repair_cases::routing::set_cases_to_support;
use crate::flows::{Refused, self_service};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/customers";
/// What can have been done a moment ago.
const DONE: [&str; 11] = [
    "created",
    "invited",
    "sent",
    "withdrawn",
    "assigned",
    "access",
    "on",
    "off",
    "route",
    "disabled",
    "enabled",
];

/// A form as it was sent.
type Sent = HashMap<String, String>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
    cursor: String,
    done: String,
}

/// A customer as its card shows it.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) name: String,
    pub(super) city: String,
    /// The plan's code and name.
    pub(super) plan: (String, &'static str),
    /// The state's mood and text.
    pub(super) state: (&'static str, String),
    pub(super) management: String,
    /// "12 PCs"; `None` where the partner may not look.
    pub(super) devices: Option<String>,
    /// Whether it asked for this partner.
    pub(super) asks: bool,
    /// Whether its IT admin did not come in time.
    pub(super) expired: bool,
}

/// The page of cards.
#[derive(Template)]
#[template(path = "customers.html")]
pub(super) struct CustomersPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) q: String,
    pub(super) done: Option<String>,
    pub(super) cards: Vec<Card>,
    pub(super) pager: Pager,
    pub(super) may_create: bool,
}

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

/// A PC of a customer.
pub(super) struct DeviceRow {
    pub(super) serial: String,
    pub(super) model: String,
    pub(super) product_number: String,
    pub(super) level: Option<(String, &'static str)>,
    pub(super) since: String,
    pub(super) since_machine: String,
    pub(super) seen: String,
    pub(super) user: Option<String>,
    pub(super) place: Option<String>,
    /// Whether what is known of persons waits for something to show that the tenant has the PC.
    pub(super) is_sealed: bool,
}

/// A customer's PCs, also alone as the live fragment.
#[derive(Template)]
#[template(path = "customer_list.html")]
pub(super) struct DeviceList {
    pub(super) lang: Lang,
    pub(super) rows: Vec<DeviceRow>,
    pub(super) searched: bool,
    pub(super) may_move: bool,
    /// Whether a PC has a page for this reader.
    pub(super) has_page: bool,
    pub(super) pager: Pager,
}

/// An invitation that nobody has answered, for the partner.
pub(super) struct InvitationView {
    /// How it stands.
    pub(super) said: String,
    /// Where it is sent again; `None` once the IT admin has joined.
    pub(super) email: Option<Field>,
}

/// What was sent to invite an IT admin again, and why it was refused.
struct Again {
    email: String,
    code: &'static str,
    /// Whether the address is what is wrong.
    of_email: bool,
}

/// One customer tenant.
#[derive(Template)]
#[template(path = "customer.html")]
pub(super) struct CustomerPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) card: Card,
    pub(super) done: Option<String>,
    /// Since when it is disabled.
    pub(super) disabled: Option<String>,
    /// Whether the reader may disable and enable it.
    pub(super) may_disable: bool,
    pub(super) q: String,
    /// Whether the reader, as the customer, has a partner to answer.
    pub(super) invited: bool,
    /// What the partner invited the customer by, where it can be sent again or withdrawn.
    pub(super) invitation: Option<InvitationView>,
    /// What was refused a moment ago: its text and advice.
    pub(super) refused: Option<(String, String)>,
    /// Why the partner sees no PCs here.
    pub(super) closed: Option<(String, String)>,
    pub(super) list: Option<DeviceList>,
    pub(super) targets: Vec<(String, String)>,
    /// What the form for moving knows only on Unassigned Devices.
    pub(super) query: String,
    pub(super) suggested: String,
    pub(super) whole: Option<String>,
    pub(super) csrf: String,
}

/// A customer tenant's settings.
#[derive(Template)]
#[template(path = "customer_settings.html")]
pub(super) struct SettingsPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) id: String,
    pub(super) tab: &'static str,
    pub(super) done: Option<String>,
    /// What was refused a moment ago: its text and advice.
    pub(super) refused: Option<(String, String)>,
    pub(super) number: String,
    /// Names and values.
    pub(super) facts: Vec<(String, String)>,
    pub(super) partner: Option<String>,
    pub(super) state: (&'static str, String),
    /// What the state means for the reader.
    pub(super) meaning: String,
    /// Whether the reader decides here, as the customer's IT admin.
    pub(super) decides: bool,
    pub(super) invited: bool,
    pub(super) accepted: bool,
    pub(super) requested: bool,
    pub(super) open: bool,
    /// How the self-service switch stands: its code and text; `None` where the reader may not look.
    pub(super) switch: Option<(&'static str, String)>,
    /// Why it may not be off: text and advice.
    /// Whether its repair cases go to customer support whatever its partner is; `None` for who may not look.
    pub(super) to_support: Option<bool>,
    pub(super) off_refused: Option<(String, String)>,
    pub(super) may_turn: bool,
}

fn state(lang: Lang, customer: &Customer, now: Micros) -> (&'static str, String) {
    if customer.disabled_at.is_some() {
        return ("bad", lang.text("customer-disabled"));
    }
    if customer.is_invitation_expired(now) {
        return ("bad", lang.text("assignment-expired"));
    }
    let mood = match customer.assignment.as_str() {
        "accepted" if customer.partner_access => "good",
        "accepted" | "invited" | "requested" => "waiting",
        _ => "plain",
    };
    let key = match customer.assignment.as_str() {
        "accepted" if !customer.partner_access => "assignment-closed".to_owned(),
        state => format!("assignment-{state}"),
    };
    (mood, lang.text(&key))
}

fn plan(code: &str) -> &'static str {
    SupportLevel::from_code(code).map_or("", SupportLevel::name)
}

fn devices_text(lang: Lang, devices: i64) -> String {
    let count = number(lang, devices);
    lang.text_with("customer-devices-count", &[("n", devices.into()), ("count", count.as_str().into())])
}

fn card(lang: Lang, customer: &Customer, now: Micros) -> Card {
    Card {
        id: customer.id.to_string(),
        number: customer.number.clone(),
        name: customer.name.clone(),
        city: customer.city.clone(),
        plan: (customer.plan.clone(), plan(&customer.plan)),
        state: state(lang, customer, now),
        management: lang.text(&format!("management-{}", customer.management)),
        devices: customer.devices.map(|devices| devices_text(lang, devices)),
        asks: customer.assignment == Assignment::Requested.as_str(),
        expired: customer.is_invitation_expired(now),
    }
}

fn invitation(lang: Lang, customer: &Customer, now: Micros, again: Option<&Again>) -> InvitationView {
    let Some(until) = customer.invited_until else {
        return InvitationView { said: lang.text("customer-invitation-joined"), email: None };
    };
    let key = if customer.is_invitation_expired(now) {
        "customer-invitation-expired"
    } else {
        "customer-invitation-open"
    };
    let fault = again.filter(|again| again.of_email).map(|again| {
        let (text, advice) = lang.code_said(again.code);
        format!("{text}. {advice}")
    });
    InvitationView {
        said: lang.text_with(
            key,
            &[
                ("email", customer.admin_email.as_str().into()),
                ("until", instant(lang, Micros(until)).into()),
            ],
        ),
        email: Some(Field {
            id: "invite-email".to_owned(),
            name: "email",
            label: lang.text("customer-admin-email"),
            kind: "email",
            value: again.map_or_else(|| customer.admin_email.clone(), |again| again.email.clone()),
            required: true,
            fault,
            hint: Some(lang.text("customer-invite-again-means")),
            ..Field::default()
        }),
    }
}

fn done(lang: Lang, code: &str) -> Option<String> {
    DONE.contains(&code).then(|| lang.text(&format!("done-customer-{code}")))
}

/// Shows the cards; a customer comes to its own tenant.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadCustomers)?;
    if let Ok(own) = scope.customer() {
        return Ok(Redirect::to(&format!("{PATH}/{own}")).into_response());
    }
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let now = app.ambient.now();
    let mut tx = app.store.read(&scope).await?;
    let page = page_at(&asked.cursor, Some(24));
    let Some(found) = rows::list(&mut tx, &scope, &asked.q, &page).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    super::page(&CustomersPage {
        frame: Frame::at(&browser, &uri, Entry::Customers),
        lang,
        csrf: browser.session.csrf.clone(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
            link(PATH, &[("q", &asked.q), ("cursor", cursor)])
        }),
        cards: found.items.iter().map(|customer| card(lang, customer, now)).collect(),
        done: done(lang, &asked.done),
        q: asked.q,
        may_create: browser.may(Action::ManageCustomers).is_ok(),
    })
}

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

async fn found(tx: &mut Tx, scope: &Scope, id: &str) -> Result<Customer, Problem> {
    Ok(customers::found(tx, scope, id).await?)
}

/// The frame of a page inside a customer's tenant.
pub(super) fn inside(
    browser: &Browser,
    uri: &Uri,
    scope: &Scope,
    customer: &Customer,
    title: String,
) -> Frame {
    let entry = if scope.customer().is_ok() { Entry::Devices } else { Entry::Customers };
    let chosen = Chosen { id: customer.id.to_string(), name: customer.name.clone() };
    Frame::of(browser, uri, entry, title).inside(chosen)
}

/// Shows a customer tenant with its PCs.
pub(super) async fn one(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    tenant(&app, &browser, &headers, &id, &uri, None).await
}

async fn tenant(
    app: &App,
    browser: &Browser,
    headers: &HeaderMap,
    id: &str,
    uri: &Uri,
    again: Option<&Again>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadCustomers)?;
    let asked: Asked = super::query(uri);
    let lang = browser.lang;
    let now = app.ambient.now();
    let mut tx = app.store.read(&scope).await?;
    let customer = found(&mut tx, &scope, id).await?;
    let path = format!("{PATH}/{}", customer.id);
    let may_look = scope.customer().is_ok() || customer.is_open_to_partner();
    let may_move = browser.may(Action::Transfer).is_ok();
    let mut list = None;
    if may_look {
        let today = now.date();
        let page = page_at(&asked.cursor, None);
        let Some(found) = rows::devices(&mut tx, &scope, &customer, &asked.q, &page, today).await? else {
            return Ok(Redirect::to(&path).into_response());
        };
        let (user, place) = check_ins::privacy(&mut tx, TenantId(customer.id)).await?;
        let row = |pc: rows::CustomerDevice| DeviceRow {
            is_sealed: (user || place) && pc.proof.is_none(),
            user: pc.last_user,
            place: pc.location,
            level: pc.support_level.map(|code| {
                let name = plan(&code);
                (code, name)
            }),
            serial: pc.serial,
            model: pc.model,
            product_number: pc.product_number,
            since: instant(lang, Micros(pc.since)),
            since_machine: Micros(pc.since).rfc3339(),
            seen: pc.seen_at.map_or_else(|| lang.text("never-seen"), |at| instant(lang, Micros(at))),
        };
        list = Some(DeviceList {
            lang,
            rows: found.items.into_iter().map(row).collect(),
            searched: !asked.q.is_empty(),
            may_move,
            has_page: browser.may(Action::ReadDevice).is_ok(),
            pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
                link(&path, &[("q", &asked.q), ("cursor", cursor)])
            }),
        });
        if super::wants_list(headers)
            && let Some(list) = &list
        {
            return super::page(list);
        }
    }
    let code = "customer.not_open";
    let targets = if may_move { targets(&mut tx, &scope, lang).await? } else { Vec::new() };
    let is_invited = customer.assignment == Assignment::Invited.as_str();
    let manages = browser.may(Action::ManageCustomers).is_ok();
    let mut frame = inside(browser, uri, &scope, &customer, customer.name.clone());
    if again.is_some() {
        frame.here = path;
    }
    let page = super::page(&CustomerPage {
        frame,
        lang,
        card: card(lang, &customer, now),
        done: done(lang, &asked.done),
        disabled: customer.disabled_at.map(|at| instant(lang, Micros(at))),
        may_disable: customer.is_open_to_partner() && manages,
        invited: scope.customer().is_ok() && is_invited,
        invitation: (manages && is_invited).then(|| invitation(lang, &customer, now, again)),
        refused: again.filter(|again| !again.of_email).map(|again| lang.code_said(again.code)),
        closed: (!may_look).then(|| lang.code_said(code)),
        list,
        targets: targets.into_iter().filter(|(to, _)| *to != customer.number).collect(),
        query: String::new(),
        suggested: String::new(),
        whole: None,
        csrf: browser.session.csrf.clone(),
        q: asked.q,
    })?;
    let status = match again {
        None => StatusCode::OK,
        Some(again) if again.of_email => StatusCode::UNPROCESSABLE_ENTITY,
        Some(_) => StatusCode::CONFLICT,
    };
    Ok((status, page).into_response())
}

/// Where an invitation goes from now on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Invited {
    email: String,
}

/// Invites a customer's IT admin again.
pub(super) async fn invite_again(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    Path(id): Path<String>,
    uri: Uri,
    Form(invited): Form<Invited>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageCustomers)?;
    let (code, of_email) = match customers::invite_again(&app, &scope, &id, &invited.email).await {
        Ok(()) => {
            return Ok(Redirect::to(&link(&format!("{PATH}/{id}"), &[("done", "sent")])).into_response());
        }
        Err(Refused::Invalid { code, .. }) => (code, true),
        Err(Refused::Taken { .. }) => ("field.taken", true),
        Err(Refused::Conflict(code)) => (code, false),
        Err(refused) => return Err(refused.into()),
    };
    tenant(&app, &browser, &headers, &id, &uri, Some(&Again { email: invited.email, code, of_email })).await
}

/// Where the partner can send PCs: the value and the name of each choice, the pool first.
pub(super) async fn targets(
    tx: &mut Tx,
    scope: &Scope,
    lang: Lang,
) -> roadstead_store::Result<Vec<(String, String)>> {
    Ok(choices(lang, transfers::targets(tx, scope).await?))
}

/// The value and the name of each of these that takes PCs, the pool first, then by name.
pub(super) fn choices(lang: Lang, targets: Vec<(String, Target)>) -> Vec<(String, String)> {
    let mut choices = Vec::new();
    for (to, target) in targets {
        if target.closed().is_none() {
            let name = match target {
                Target::Pool(_) => lang.text("nav-unassigned"),
                Target::Customer { name, .. } => format!("{name} ({to})"),
            };
            choices.push((to, name));
        }
    }
    choices.sort_by_cached_key(|(to, name)| (to != UNASSIGNED, name.to_lowercase()));
    choices
}

/// Shows the settings of a customer tenant.
pub(super) async fn overview(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "overview", None).await
}

/// Shows Settings > Notifications.
pub(super) async fn notifications(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "notifications", None).await
}

/// Where the switch is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Turned {
    pub(super) to: String,
}

/// Turns the self-service switch.
pub(super) async fn turn(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(turned): Form<Turned>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::TurnSelfService)?;
    let to = if turned.to == "on" { Switch::On } else { Switch::Off };
    match self_service::turn(&app, &scope, &id, to).await {
        Ok(()) => {
            let done = if to == Switch::On { "on" } else { "off" };
            Ok(Redirect::to(&link(&format!("{PATH}/{id}/settings/notifications"), &[("done", done)]))
                .into_response())
        }
        Err(Refused::Conflict(code)) => {
            settings(&app, &browser, &id, &uri, "notifications", Some(code)).await
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Shows Settings > Repair cases.
pub(super) async fn repair_route(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "repair-cases", None).await
}

/// Says where the customer's repair cases go.
pub(super) async fn set_repair_route(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(turned): Form<Turned>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::TurnSelfService)?;
    let to_support = match turned.to.as_str() {
        "customer_support" => true,
        "by_qualification" => false,
        _ => return Err(Problem::field("field.unknown_value", "to")),
    };
    match set_cases_to_support(&app, &scope, &id, to_support).await {
        Ok(()) => {
            let path = format!("{PATH}/{id}/settings/repair-cases");
            Ok(Redirect::to(&link(&path, &[("done", "route")])).into_response())
        }
        Err(Refused::Conflict(code)) => settings(&app, &browser, &id, &uri, "repair-cases", Some(code)).await,
        Err(refused) => Err(refused.into()),
    }
}

/// Shows Settings > Assigned Partner.
pub(super) async fn assigned_partner(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    settings(&app, &browser, &id, &uri, "assigned-partner", None).await
}

async fn settings(
    app: &App,
    browser: &Browser,
    id: &str,
    uri: &Uri,
    tab: &'static str,
    refused: Option<&'static str>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadCustomers)?;
    let asked: Asked = super::query(uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let customer = found(&mut tx, &scope, id).await?;
    let is_customer = scope.customer().is_ok();
    let partner_run = customer.management()? == Management::Partner;
    let side = if is_customer { "customer" } else { "partner" };
    let meaning = if partner_run {
        lang.text(&format!("assigned-partner-run-{side}"))
    } else {
        let state = match customer.assignment.as_str() {
            "accepted" if !customer.partner_access => "closed",
            state => state,
        };
        lang.text(&format!("assigned-{state}-{side}"))
    };
    let admin = format!("{} {}", customer.admin_first_name, customer.admin_last_name);
    let facts = [
        ("customer-address", customer.address.clone()),
        ("customer-city", format!("{} {}", customer.postal_code, customer.city).trim().to_owned()),
        ("customer-country", customer.country.clone()),
        ("customer-admin", admin.trim().to_owned()),
        ("customer-admin-email", customer.admin_email.clone()),
        ("customer-identity-provider", customer.identity_provider.clone()),
        ("customer-plan", plan(&customer.plan).to_owned()),
        ("customer-management", lang.text(&format!("management-{}", customer.management))),
        ("customer-preset", lang.text(&format!("self-service-preset-{}", customer.preset.replace('_', "-")))),
    ]
    .map(|(key, value)| (lang.text(key), value))
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect();
    let is = |assignment: Assignment| customer.assignment == assignment.as_str();
    let open = is_customer || customer.is_open_to_partner();
    let (switch, held) = stored_switch::get(&mut tx, &scope, &customer).await?;
    let to_support = cases_to_support(&mut tx, customer.id).await?;
    let title = lang.text_with("customer-settings", &[("name", customer.name.as_str().into())]);
    let page = super::page(&SettingsPage {
        frame: inside(browser, uri, &scope, &customer, title),
        lang,
        csrf: browser.session.csrf.clone(),
        id: customer.id.to_string(),
        tab,
        done: done(lang, &asked.done),
        refused: refused.map(|code| lang.code_said(code)),
        number: customer.number.clone(),
        facts,
        partner: customer.partner_name.clone(),
        state: state(lang, &customer, app.ambient.now()),
        meaning,
        decides: is_customer && !partner_run && browser.may(Action::ManageOwnTenant).is_ok(),
        invited: is(Assignment::Invited),
        accepted: is(Assignment::Accepted),
        requested: is(Assignment::Requested),
        open: customer.partner_access,
        switch: open.then(|| (switch.as_str(), lang.text(&format!("self-service-{}", switch.as_str())))),
        to_support: open.then_some(to_support),
        off_refused: off_refused(held).map(|no| lang.code_said(no.code())),
        may_turn: browser.may(Action::TurnSelfService).is_ok() && !(is_customer && partner_run),
    })?;
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// The step that a form takes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Taken {
    partner_number: String,
    access: String,
    /// `cards` if the form stands on the partner's cards.
    from: String,
}

/// Takes a step between customer and partner.
pub(super) async fn take_step(
    State(app): State<App>,
    browser: Browser,
    Path((id, step)): Path<(String, String)>,
    uri: Uri,
    Form(taken): Form<Taken>,
) -> Result<Response, Problem> {
    let scope = match browser.may(Action::ManageOwnTenant) {
        Ok(scope) => scope,
        Err(problem) => browser.may(Action::ManageCustomers).map_err(|_| problem)?,
    };
    let asked = Some(taken.partner_number.trim()).filter(|number| !number.is_empty());
    let outcome = match step.as_str() {
        "accept" => customers::step(&app, &scope, &id, Step::Accept, None).await.map(|_| "assigned"),
        "decline" => customers::step(&app, &scope, &id, Step::Decline, None).await.map(|_| "assigned"),
        "end" => {
            let done = if scope.partner().is_ok() { "withdrawn" } else { "assigned" };
            customers::step(&app, &scope, &id, Step::End, None).await.map(|_| done)
        }
        "ask" => customers::step(&app, &scope, &id, Step::Ask, asked).await.map(|_| "assigned"),
        "access" => {
            let open = taken.access == "open";
            customers::set_partner_access(&app, &scope, &id, open).await.map(|()| "access")
        }
        _ => return Err(Problem::not_found()),
    };
    match outcome {
        Ok(done) => {
            let back = if taken.from == "cards" {
                link(PATH, &[("done", done)])
            } else {
                link(&format!("{PATH}/{id}/settings/assigned-partner"), &[("done", done)])
            };
            Ok(Redirect::to(&back).into_response())
        }
        Err(Refused::Conflict(code) | Refused::Invalid { code, .. }) => {
            settings(&app, &browser, &id, &uri, "assigned-partner", Some(code)).await
        }
        Err(refused) => Err(refused.into()),
    }
}
