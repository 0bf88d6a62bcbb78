//! Customers: the partner's cards, and one customer tenant with its PCs.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::customer::Assignment;
use roadstead_domain::ids::TenantId;
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::transfer::{Target, UNASSIGNED};
use roadstead_store::customers::{self as rows, Customer};
use roadstead_store::{Tx, check_ins, transfers};
use serde::Deserialize;

use super::field::Field;
use super::format::{instant, link, number};
use super::layout::{Chosen, Entry, Frame};
use super::pager::{Pager, page_at};
use crate::app::App;
use crate::flows::{Refused, customers};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

pub(super) const PATH: &str = "/customers";
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

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    cursor: String,
    pub(super) done: String,
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

pub(super) fn state(lang: Lang, customer: &Customer, now: Micros) -> (&'static str, String) {
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

pub(super) fn plan(code: &str) -> &'static str {
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

pub(super) fn done(lang: Lang, code: &str) -> Option<String> {
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

pub(super) async fn found(tx: &mut Tx, scope: &Scope, id: &str) -> Result<Customer, Problem> {
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
