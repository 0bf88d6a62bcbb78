//! The pages in front of the door: accepting an invitation, a forgotten password, no more mails about a repair. A link's
//! secret stands in the query, which no log holds; looking at a page uses nothing up, since mail programs look at links by
//! themselves.

use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Role;
use roadstead_store::repair_cases::RepairCase;
use serde::Deserialize;

use super::field::Field;
use super::layout::Frame;
use crate::app::App;
use crate::flows::repair_cases::user::{by_link, mute};
use crate::flows::sign_in::Visit;
use crate::flows::{Refused, accept_invitation, invite, reset_password};
use crate::http::{ClientAddress, Problem, VisitorLang, cookies};
use crate::i18n::Lang;

/// A page with one form, or with a message alone.
#[derive(Template)]
#[template(path = "door.html")]
pub(super) struct DoorPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    /// What it is about.
    pub(super) lead: String,
    /// What went wrong, in bold and plain.
    pub(super) wrong: Option<(String, String)>,
    /// Where the form goes; without a button there is none.
    pub(super) action: &'static str,
    /// The link's secret.
    pub(super) token: String,
    /// What a password manager is to file the password under.
    pub(super) username: String,
    pub(super) fields: Vec<Field>,
    pub(super) button: String,
}

impl DoorPage {
    /// A page without a form.
    pub(super) fn says(lang: Lang, title: &str, lead: String) -> Self {
        Self {
            frame: Frame::visitor(lang, lang.text(title)),
            lang,
            lead,
            wrong: None,
            action: "",
            token: String::new(),
            username: String::new(),
            fields: Vec::new(),
            button: String::new(),
        }
    }

    fn refused(mut self, code: &str, field: Option<&str>) -> Self {
        let (text, advice) = self.lang.code_said(code);
        match self.fields.iter_mut().find(|known| Some(known.name) == field) {
            Some(known) => known.fault = Some(format!("{text}. {advice}")),
            None => self.wrong = Some((format!("{text}."), advice)),
        }
        self
    }
}

/// What comes with a link, or out of its form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    token: String,
    name: String,
    email: String,
    password: String,
}

/// What a page before the sign-in knows of the browser.
pub(super) fn visit(from: ClientAddress, headers: &HeaderMap) -> Visit {
    let said = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Visit { from, user_agent: said.map(|said| said.chars().take(300).collect()) }
}

fn page(page: &DoorPage, status: StatusCode) -> Result<Response, Problem> {
    Ok((status, super::page(page)?).into_response())
}

fn password_field(lang: Lang) -> Field {
    Field {
        id: "password".to_owned(),
        name: "password",
        label: lang.text("door-new-password"),
        kind: "password",
        required: true,
        autocomplete: "new-password",
        hint: Some(lang.text("door-password-hint")),
        ..Field::default()
    }
}

fn spent(lang: Lang, title: &str) -> Result<Response, Problem> {
    opens_nothing(lang, title, "link.spent")
}

fn opens_nothing(lang: Lang, title: &str, code: &'static str) -> Result<Response, Problem> {
    let nothing = DoorPage::says(lang, title, String::new()).refused(code, None);
    page(&nothing, StatusCode::NOT_FOUND)
}

fn signed_in(app: &App, session: &str) -> Response {
    ([(SET_COOKIE, cookies::session(app, session))], Redirect::to("/")).into_response()
}

/// What a refusal shows: its status, its code, and the field it is about.
fn shown(refused: Refused) -> Result<(StatusCode, &'static str, Option<&'static str>), Problem> {
    match refused {
        Refused::Invalid { code, field } => Ok((StatusCode::UNPROCESSABLE_ENTITY, code, Some(field))),
        Refused::Conflict(code) => Ok((StatusCode::CONFLICT, code, None)),
        other => Err(other.into()),
    }
}

async fn invitation_page(app: &App, lang: Lang, token: &str) -> Result<Option<DoorPage>, Problem> {
    let Some((found, organisation)) = accept_invitation::find(app, token).await? else { return Ok(None) };
    let role = Role::from_code(&found.role).map_or(String::new(), |role| invite::role_name(lang, role));
    let said = [
        ("organisation", organisation.called(lang).into()),
        ("role", role.into()),
        ("email", found.email.clone().into()),
    ];
    let name = Field {
        id: "name".to_owned(),
        name: "name",
        label: lang.text("door-name"),
        kind: "text",
        value: found.name,
        required: true,
        autocomplete: "name",
        ..Field::default()
    };
    Ok(Some(DoorPage {
        action: "/invitation",
        token: token.to_owned(),
        username: found.email,
        fields: vec![name, password_field(lang)],
        button: lang.text("invitation-accept"),
        ..DoorPage::says(lang, "invitation-title", lang.text_with("invitation-lead", &said))
    }))
}

/// Shows an invitation.
pub(super) async fn show_invitation(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked: Input = super::query(&uri);
    match invitation_page(&app, lang, &asked.token).await? {
        Some(found) => page(&found, StatusCode::OK),
        None => spent(lang, "invitation-title"),
    }
}

/// Accepts an invitation and signs in.
pub(super) async fn accept_invitation(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    from: ClientAddress,
    headers: HeaderMap,
    input: Result<axum::Form<Input>, FormRejection>,
) -> Result<Response, Problem> {
    let axum::Form(input) = input.map_err(Problem::unreadable)?;
    let visit = visit(from, &headers);
    match accept_invitation::accept(&app, &input.token, &input.name, &input.password, &visit).await {
        Ok(session) => Ok(signed_in(&app, &session)),
        Err(Refused::LinkSpent) => spent(lang, "invitation-title"),
        Err(refused) => {
            let (status, code, field) = shown(refused)?;
            let Some(mut again) = invitation_page(&app, lang, &input.token).await? else {
                return spent(lang, "invitation-title");
            };
            if let Some(name) = again.fields.first_mut() {
                name.value = input.name;
            }
            page(&again.refused(code, field), status)
        }
    }
}

fn forgotten_page(lang: Lang, email: String) -> DoorPage {
    let email = Field {
        id: "email".to_owned(),
        name: "email",
        label: lang.text("sign-in-email"),
        kind: "email",
        value: email,
        required: true,
        autocomplete: "username",
        ..Field::default()
    };
    DoorPage {
        action: "/password-reset",
        fields: vec![email],
        button: lang.text("reset-send"),
        ..DoorPage::says(lang, "reset-title", lang.text("reset-lead"))
    }
}

/// Asks for the address of somebody who forgot their password.
pub(super) async fn show_forgotten(VisitorLang(lang): VisitorLang) -> Result<Response, Problem> {
    page(&forgotten_page(lang, String::new()), StatusCode::OK)
}

/// Sends a link, and says the same whether there is such an account or not.
pub(super) async fn forgotten(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    from: ClientAddress,
    input: Result<axum::Form<Input>, FormRejection>,
) -> Result<Response, Problem> {
    let axum::Form(input) = input.map_err(Problem::unreadable)?;
    match reset_password::request(&app, &input.email, from).await {
        Ok(()) => {
            let mut lead = lang.text_with("reset-sent", &[("email", input.email.trim().into())]);
            if app.config.mail.is_none() {
                lead = format!("{lead} {}", lang.text("reset-no-mail-server"));
            }
            page(&DoorPage::says(lang, "reset-title", lead), StatusCode::OK)
        }
        Err(refused @ Refused::TooManyTries { .. }) => {
            let problem = Problem::from(refused);
            let mut again = forgotten_page(lang, input.email);
            again.wrong = Some(wait(lang, problem.retry_after.map(i64::from)));
            let mut response = page(&again, problem.status)?;
            problem.say_when(&mut response);
            Ok(response)
        }
        Err(other) => Err(other.into()),
    }
}

/// That somebody is to wait, and for how long.
pub(super) fn wait(lang: Lang, seconds: Option<i64>) -> (String, String) {
    let seconds = seconds.unwrap_or(1);
    let (key, n) =
        if seconds < 100 { ("wait-seconds", seconds) } else { ("wait-minutes", (seconds + 59) / 60) };
    (format!("{}.", lang.code_text("too_many_tries")), lang.text_with(key, &[("n", n.into())]))
}

async fn new_password_page(app: &App, lang: Lang, token: &str) -> Result<Option<DoorPage>, Problem> {
    let Some(user) = reset_password::find(app, token).await? else { return Ok(None) };
    Ok(Some(DoorPage {
        action: "/password-reset/new",
        token: token.to_owned(),
        fields: vec![password_field(lang)],
        button: lang.text("reset-save"),
        username: user.email.clone(),
        ..DoorPage::says(
            lang,
            "reset-new-title",
            lang.text_with("reset-new-lead", &[("email", user.email.into())]),
        )
    }))
}

/// Shows the form for a new password.
pub(super) async fn show_new_password(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked: Input = super::query(&uri);
    match new_password_page(&app, lang, &asked.token).await? {
        Some(found) => page(&found, StatusCode::OK),
        None => spent(lang, "reset-new-title"),
    }
}

/// Sets the new password and signs in.
pub(super) async fn choose_password(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    from: ClientAddress,
    headers: HeaderMap,
    input: Result<axum::Form<Input>, FormRejection>,
) -> Result<Response, Problem> {
    let axum::Form(input) = input.map_err(Problem::unreadable)?;
    match reset_password::choose(&app, &input.token, &input.password, &visit(from, &headers)).await {
        Ok(session) => Ok(signed_in(&app, &session)),
        Err(Refused::LinkSpent) => spent(lang, "reset-new-title"),
        Err(refused) => {
            let (status, code, field) = shown(refused)?;
            match new_password_page(&app, lang, &input.token).await? {
                Some(again) => page(&again.refused(code, field), status),
                None => spent(lang, "reset-new-title"),
            }
        }
    }
}

/// What is said of a case to whoever has the link in its mails. Only where the user submitted it the PC tells of it.
fn of_case(lang: Lang, key: &str, case: &RepairCase) -> String {
    lang.text_with(key, &[("number", case.number.as_str().into()), ("opener", case.opener.as_str().into())])
}

fn mails_ended(lang: Lang, case: &RepairCase) -> Result<Response, Problem> {
    let lead = of_case(lang, "repair-mails-ended", case);
    page(&DoorPage::says(lang, "repair-mails-title", lead), StatusCode::OK)
}

fn of_no_case(lang: Lang) -> Result<Response, Problem> {
    opens_nothing(lang, "repair-mails-title", "repair_case.link_spent")
}

/// Asks the user of a repair case whether they want no more mails about it.
pub(super) async fn show_repair_mails(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked: Input = super::query(&uri);
    let Some(case) = by_link(&app, &asked.token).await? else { return of_no_case(lang) };
    if case.mails_muted {
        return mails_ended(lang, &case);
    }
    let lead = of_case(lang, "repair-mails-lead", &case);
    let asks = DoorPage {
        action: "/repair-mails",
        token: asked.token,
        button: lang.text("repair-mails-end"),
        ..DoorPage::says(lang, "repair-mails-title", lead)
    };
    page(&asks, StatusCode::OK)
}

/// Ends mails to the user of a repair case.
pub(super) async fn end_repair_mails(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    input: Result<axum::Form<Input>, FormRejection>,
) -> Result<Response, Problem> {
    let axum::Form(input) = input.map_err(Problem::unreadable)?;
    match mute(&app, &input.token).await {
        Ok(case) => mails_ended(lang, &case),
        Err(Refused::LinkSpent) => of_no_case(lang),
        Err(refused) => Err(refused.into()),
    }
}
