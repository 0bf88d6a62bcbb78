//! Settings > Users: the people of one's own home, and whom it has invited. The operator also manages those of any partner
//! or reporter.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{InvitationId, UserId};
use roadstead_store::{invitations, users};
use serde::Deserialize;

use super::field::Field;
use super::format::{instant, link};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::settings::{Tab, Tabs};
use crate::app::App;
use crate::flows::invite::{self, Line, Person, role_name};
use crate::flows::{Refused, reset_password, users as flow};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/settings/users";
/// What can have been done a moment ago.
const DONE: [&str; 5] = ["invited", "invited-many", "withdrawn", "changed", "reset"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    r#for: String,
    cursor: String,
    done: String,
}

/// A person as the page shows them.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) signed_in: String,
    pub(super) active: bool,
    pub(super) is_me: bool,
    /// Code, name and whether it is the person's, of each role of the home.
    pub(super) roles: Vec<(&'static str, String, bool)>,
}

/// An open invitation as the page shows it.
pub(super) struct Open {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role_code: String,
    pub(super) role: String,
    pub(super) language: String,
    pub(super) until: String,
    pub(super) ended: bool,
}

/// A line of a list as the preview shows it.
pub(super) struct Previewed {
    pub(super) row: u64,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) good: bool,
    pub(super) verdict: String,
    pub(super) advice: String,
}

/// What a list would come to.
pub(super) struct Preview {
    pub(super) lines: Vec<Previewed>,
    pub(super) good: usize,
    /// The button's words, which say how many.
    pub(super) button: String,
}

/// The page.
#[derive(Template)]
#[template(path = "users.html")]
pub(super) struct UsersPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) tabs: Tabs,
    pub(super) csrf: String,
    pub(super) done: Option<String>,
    /// What went wrong with a button.
    pub(super) wrong: Option<(String, String)>,
    /// Whether people of other homes can be looked at.
    pub(super) of_all: bool,
    pub(super) whose: String,
    pub(super) lead: String,
    pub(super) fields: Vec<Field>,
    pub(super) invite_open: bool,
    pub(super) list: String,
    pub(super) list_wrong: Option<(String, String)>,
    pub(super) preview: Option<Preview>,
    pub(super) rows: Vec<Row>,
    pub(super) open: Vec<Open>,
    pub(super) more_open: bool,
    pub(super) mail_waits: bool,
    pub(super) pager: Pager,
}

/// What was sent and what became of it.
#[derive(Default)]
struct Attempt {
    sent: Sent,
    /// The field of the invitation form that is wrong.
    fault: Option<(&'static str, &'static str)>,
    /// What is wrong with a button, or with a list.
    wrong: Option<&'static str>,
    of_list: bool,
    preview: Option<Vec<Line>>,
}

/// Every form of the page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    r#for: String,
    email: String,
    name: String,
    role: String,
    language: String,
    active: String,
    list: String,
    really: String,
}

fn fields(lang: Lang, roles: &[Role], attempt: &Attempt) -> Vec<Field> {
    let fault = |name: &str| {
        attempt
            .fault
            .filter(|(field, _)| *field == name)
            .map(|(_, code)| format!("{}. {}", lang.code_text(code), lang.code_advice(code)))
    };
    let input = |name: &'static str, kind, value: &str| Field {
        id: format!("invite-{name}"),
        name,
        label: lang.text(&format!("users-{name}")),
        kind,
        value: value.to_owned(),
        required: true,
        fault: fault(name),
        ..Field::default()
    };
    let roles = roles.iter().map(|role| (role.as_str().to_owned(), role_name(lang, *role))).collect();
    let languages = ["en", "de"].map(|code| (code.to_owned(), lang.text(&format!("language-{code}")))).into();
    let chosen = if attempt.sent.language.is_empty() { lang.code() } else { &attempt.sent.language };
    vec![
        input("email", "email", &attempt.sent.email),
        input("name", "text", &attempt.sent.name),
        Field { choices: roles, ..input("role", "text", &attempt.sent.role) },
        Field { choices: languages, ..input("language", "text", chosen) },
    ]
}

fn previewed(lang: Lang, lines: Vec<Line>) -> Preview {
    let good = lines.iter().filter(|line| line.is_good()).count();
    let lines = lines
        .into_iter()
        .map(|line| Previewed {
            row: line.row,
            good: line.is_good(),
            verdict: lang.code_text(line.verdict),
            advice: if line.is_good() { String::new() } else { lang.code_advice(line.verdict) },
            name: line.name,
            email: line.email,
        })
        .collect();
    Preview { lines, good, button: lang.text_with("users-list-invite", &[("n", good.into())]) }
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageUsers)?;
    let asked: Asked = super::query(&uri);
    render(&app, &browser, &scope, &uri, &asked, Attempt::default()).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    asked: &Asked,
    attempt: Attempt,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let mut tx = app.store.read(scope).await?;
    let mut wrong = attempt.wrong.filter(|_| !attempt.of_list);
    let role = Some(attempt.sent.role.as_str());
    let of = match invite::organisation(&mut tx, scope, Some(&asked.r#for), role).await {
        Ok(of) => of,
        Err(Refused::Invalid { code, .. }) => {
            wrong = Some(code);
            invite::organisation(&mut tx, scope, None, None).await?
        }
        Err(other) => return Err(other.into()),
    };
    let home = of.home.id();
    let Some(found) = users::list(&mut tx, scope, home, &page_at(&asked.cursor, Some(100))).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let invited = invitations::list(&mut tx, scope, home, &page_at("", Some(200))).await?;
    tx.commit().await?;

    let now = app.ambient.now();
    let called = |code: &str| Role::from_code(code).map_or(code.to_owned(), |role| role_name(lang, role));
    let rows = found.items.into_iter().map(|user| Row {
        is_me: user.id == browser.session.user_id,
        role: called(&user.role),
        roles: of
            .home
            .roles()
            .iter()
            .map(|r| (r.as_str(), role_name(lang, *r), r.as_str() == user.role))
            .collect(),
        signed_in: user.signed_in_at.map_or_else(|| lang.text("users-never"), |at| instant(lang, Micros(at))),
        active: user.deactivated_at.is_none(),
        id: user.id.to_string(),
        name: user.name,
        email: user.email,
    });
    let (open, more_open) =
        invited.map_or((Vec::new(), false), |rows| (rows.items, rows.next_cursor.is_some()));
    let open = open.into_iter().map(|invitation| Open {
        id: invitation.id.to_string(),
        name: invitation.name,
        email: invitation.email,
        role: called(&invitation.role),
        role_code: invitation.role,
        language: invitation.language,
        until: instant(lang, Micros(invitation.ends_at)),
        ended: invitation.ends_at <= now.0,
    });
    let said = |code: &str| (format!("{}.", lang.code_text(code)), lang.code_advice(code));
    let whose = asked.r#for.clone();
    let mut frame = Frame::of(browser, uri, Entry::Settings, lang.text(Tab::Users.key()));
    frame.here = link(PATH, &[("for", &whose), ("cursor", &asked.cursor)]);
    super::page(&UsersPage {
        frame,
        lang,
        tabs: Tabs::new(lang, &browser.caller, Tab::Users),
        csrf: browser.session.csrf.clone(),
        done: DONE.contains(&asked.done.as_str()).then(|| lang.text(&format!("users-done-{}", asked.done))),
        wrong: wrong.map(said),
        of_all: scope.platform().is_ok(),
        lead: lang.text_with("users-lead", &[("organisation", of.called(lang).into())]),
        fields: fields(lang, of.home.roles(), &attempt),
        invite_open: attempt.fault.is_some(),
        list_wrong: attempt.wrong.filter(|_| attempt.of_list).map(said),
        list: attempt.sent.list,
        preview: attempt.preview.map(|lines| previewed(lang, lines)),
        rows: rows.collect(),
        open: open.collect(),
        more_open,
        mail_waits: app.config.mail.is_none(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
            link(PATH, &[("for", &whose), ("cursor", cursor)])
        }),
        whose,
    })
}

/// What follows a form: the page anew, saying what was done, or again, saying what is wrong.
async fn answer<T>(
    app: &App,
    browser: &Browser,
    uri: &Uri,
    done: &str,
    sent: Sent,
    outcome: Result<T, Refused>,
) -> Result<Response, Problem> {
    let asked = Asked { r#for: sent.r#for.clone(), ..Asked::default() };
    let (status, fault, wrong) = match outcome {
        Ok(_) => {
            return Ok(Redirect::to(&link(PATH, &[("for", &asked.r#for), ("done", done)])).into_response());
        }
        Err(Refused::Invalid { code, field }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Some((field, code)), None)
        }
        Err(Refused::Taken { field }) => (StatusCode::CONFLICT, Some((field, "field.taken")), None),
        Err(Refused::Conflict(code)) => (StatusCode::CONFLICT, None, Some(code)),
        Err(other) => return Err(other.into()),
    };
    let scope = browser.may(Action::ManageUsers)?;
    let attempt = Attempt { sent, fault, wrong, ..Attempt::default() };
    Ok((status, render(app, browser, &scope, uri, &asked, attempt).await?).into_response())
}

fn whose(sent: &Sent) -> Option<&str> {
    Some(sent.r#for.as_str()).filter(|whose| !whose.is_empty())
}

/// Invites somebody, or sends an invitation again.
pub(super) async fn invite(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageUsers)?;
    let person = Person { email: &sent.email, name: &sent.name, role: &sent.role, language: &sent.language };
    let outcome = invite::invite(&app, &scope, whose(&sent), person).await;
    answer(&app, &browser, &uri, "invited", sent, outcome).await
}

/// Says what a list would come to, and then invites everybody on it.
pub(super) async fn invite_many(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageUsers)?;
    let preview = sent.really.is_empty();
    let outcome = invite::invite_many(&app, &scope, whose(&sent), sent.list.as_bytes(), preview).await;
    let asked = Asked { r#for: sent.r#for.clone(), ..Asked::default() };
    let (status, attempt) = match outcome {
        Ok(_) if !preview => return answer(&app, &browser, &uri, "invited-many", sent, Ok(())).await,
        Ok(lines) => (StatusCode::OK, Attempt { preview: Some(lines), sent, ..Attempt::default() }),
        Err(Refused::Invalid { code, .. }) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Attempt { wrong: Some(code), of_list: true, sent, ..Attempt::default() },
        ),
        Err(Refused::Conflict(code)) => {
            (StatusCode::CONFLICT, Attempt { wrong: Some(code), of_list: true, sent, ..Attempt::default() })
        }
        Err(other) => return Err(other.into()),
    };
    Ok((status, render(&app, &browser, &scope, &uri, &asked, attempt).await?).into_response())
}

/// Gives a person another role, or takes away or gives back that they may sign in.
pub(super) async fn change(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<UserId>,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageUsers)?;
    let role = Some(sent.role.as_str()).filter(|role| !role.is_empty());
    let active = match sent.active.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let outcome = flow::change(&app, &scope, id, role, active).await;
    let sent = Sent { r#for: sent.r#for, ..Sent::default() };
    answer(&app, &browser, &uri, "changed", sent, outcome).await
}

/// Sends a person a link to choose a new password.
pub(super) async fn reset(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<UserId>,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageUsers)?;
    let outcome = reset_password::send_by_admin(&app, &scope, id).await;
    answer(&app, &browser, &uri, "reset", sent, outcome).await
}

/// Takes an invitation back.
pub(super) async fn withdraw(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<InvitationId>,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ManageUsers)?;
    let outcome = invite::withdraw(&app, &scope, id).await;
    answer(&app, &browser, &uri, "withdrawn", sent, outcome).await
}
