//! One's own account: profile, password, sessions. It opens from the menu at the top right.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::civil::date;
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::SessionId;
use roadstead_store::users::Profile;
use serde::Deserialize;

use super::field::Field;
use super::format::{self, instant, link};
use super::layout::{Entry, Frame};
use crate::app::App;
use crate::flows::{Refused, account};
use crate::http::{Browser, Form, Problem, cookies};
use crate::i18n::{DateFormat, Lang, zone_names};

const PATH: &str = "/account";
const DONE: [&str; 4] = ["profile", "password", "session", "sessions"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    done: String,
}

/// A session as its owner sees it.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) browser: String,
    pub(super) user_agent: String,
    pub(super) address: String,
    pub(super) opened: String,
    pub(super) seen: String,
    pub(super) is_this: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) done: Option<String>,
    pub(super) email: String,
    pub(super) profile: Vec<Field>,
    pub(super) password: Vec<Field>,
    pub(super) sessions: Vec<Row>,
}

/// What a browser says of itself, in few words.
pub(super) fn browser_name(lang: Lang, user_agent: &str) -> String {
    let pick = |known: &[(&'static str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // The order matters: most browsers also claim to be others.
    let program = pick(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = pick(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => lang.text("account-unknown-browser"),
    }
}

/// What was sent by a form of the page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    name: String,
    language: String,
    time_zone: String,
    date_format: String,
    case_mails: String,
    present_password: String,
    password: String,
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The fields of the two forms.
pub(super) struct Fields {
    pub(super) lang: Lang,
    pub(super) fault: Option<(&'static str, &'static str)>,
}

impl Fields {
    fn field(&self, name: &'static str, kind: &'static str, value: Option<&str>) -> Field {
        let fault = self
            .fault
            .filter(|(field, _)| *field == name)
            .map(|(_, code)| format!("{}. {}", self.lang.code_text(code), self.lang.code_advice(code)));
        Field {
            id: format!("account-{}", name.replace('_', "-")),
            name,
            label: self.lang.text(&format!("account-{}", name.replace('_', "-"))),
            kind,
            value: value.unwrap_or_default().to_owned(),
            fault,
            ..Field::default()
        }
    }

    fn choice(&self, name: &'static str, value: Option<&str>, choices: Vec<(String, String)>) -> Field {
        Field { choices, ..self.field(name, "text", value) }
    }

    /// The profile's.
    pub(super) fn profile(&self, profile: &Profile) -> Vec<Field> {
        let lang = self.lang;
        let none = |key: &str| (String::new(), lang.text(key));
        let language = |code: &str| (code.to_owned(), lang.text(&format!("language-{code}")));
        let mut zones = vec![none("account-zone-utc")];
        zones.extend(zone_names().into_iter().map(|name| (name.clone(), name.replace('_', " "))));
        // A day on which every way of writing looks different.
        let sample = date(2026, 11, 23);
        let formats = DateFormat::ALL.map(|format| {
            (format.code().to_owned(), format::date(lang.with(None, Some(format.code())), sample))
        });
        vec![
            Field {
                required: true,
                autocomplete: "name",
                ..self.field("name", "text", Some(profile.name.as_str()))
            },
            self.choice(
                "language",
                profile.language.as_deref(),
                vec![none("account-language-browser"), language("en"), language("de")],
            ),
            self.choice("time_zone", profile.time_zone.as_deref(), zones),
            self.choice(
                "date_format",
                profile.date_format.as_deref().or(Some("day_month_year")),
                formats.into(),
            ),
            self.choice(
                "case_mails",
                Some(if profile.case_mails { "yes" } else { "no" }),
                ["yes", "no"]
                    .map(|code| (code.to_owned(), lang.text(&format!("account-case-mails-{code}"))))
                    .into(),
            ),
        ]
    }

    /// The password's.
    pub(super) fn password(&self) -> Vec<Field> {
        let secret = |name, autocomplete, hint| Field {
            required: true,
            autocomplete,
            hint,
            ..self.field(name, "password", None)
        };
        vec![
            secret("present_password", "current-password", None),
            secret("password", "new-password", Some(self.lang.text("door-password-hint"))),
        ]
    }
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::OwnAccount)?;
    let asked: Asked = super::query(&uri);
    let profile = account::profile(&app, &scope).await?;
    render(&app, &browser, &scope, &uri, &asked, &profile, None).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    asked: &Asked,
    profile: &Profile,
    fault: Option<(&'static str, &'static str)>,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let sessions = account::sessions(app, scope).await?.into_iter().map(|session| {
        let user_agent = session.user_agent.unwrap_or_default();
        Row {
            is_this: session.id == browser.session.id,
            id: session.id.to_string(),
            browser: browser_name(lang, &user_agent),
            user_agent,
            address: session.address.unwrap_or_default(),
            opened: instant(lang, Micros(session.created_at)),
            seen: instant(lang, Micros(session.seen_at)),
        }
    });
    let fields = Fields { lang, fault };
    let mut frame = Frame::of(browser, uri, Entry::Account, lang.text("account-title"));
    frame.here = PATH.to_owned();
    super::page(&AccountPage {
        frame,
        lang,
        csrf: browser.session.csrf.clone(),
        done: DONE.contains(&asked.done.as_str()).then(|| lang.text(&format!("account-done-{}", asked.done))),
        email: browser.session.email.clone(),
        profile: fields.profile(profile),
        password: fields.password(),
        sessions: sessions.collect(),
    })
}

async fn answer(
    app: &App,
    browser: &Browser,
    uri: &Uri,
    done: &str,
    profile: Option<Profile>,
    outcome: Result<(), Refused>,
) -> Result<Response, Problem> {
    let fault = match outcome {
        Ok(()) => return Ok(Redirect::to(&link(PATH, &[("done", done)])).into_response()),
        Err(Refused::Invalid { code, field }) => (field, code),
        Err(Refused::TooManyTries { .. }) => ("present_password", "too_many_tries"),
        Err(other) => return Err(other.into()),
    };
    let scope = browser.may(Action::OwnAccount)?;
    let profile = match profile {
        Some(profile) => profile,
        None => account::profile(app, &scope).await?,
    };
    let page = render(app, browser, &scope, uri, &Asked::default(), &profile, Some(fault)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Sets the profile anew.
pub(super) async fn set_profile(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OwnAccount)?;
    let profile = Profile {
        name: sent.name,
        language: some(&sent.language),
        time_zone: some(&sent.time_zone),
        date_format: some(&sent.date_format),
        case_mails: sent.case_mails != "no",
    };
    let outcome = account::set_profile(&app, &scope, &profile).await;
    let chosen = outcome.is_ok().then(|| profile.language.as_deref().and_then(Lang::from_code)).flatten();
    let cookie = chosen.map(|lang| (SET_COOKIE, cookies::language(&app, lang)));
    let response = answer(&app, &browser, &uri, "profile", Some(profile), outcome).await?;
    Ok((AppendHeaders(cookie), response).into_response())
}

/// Sets a new password.
pub(super) async fn change_password(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OwnAccount)?;
    let session = Some(SessionId(browser.session.id));
    let email = browser.session.email.clone();
    let outcome =
        account::change_password(&app, &scope, &email, &sent.present_password, &sent.password, session).await;
    answer(&app, &browser, &uri, "password", None, outcome).await
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// Ends one of one's own sessions; ending this one is signing out.
pub(super) async fn end_session(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<SessionId>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OwnAccount)?;
    account::end_session(&app, &scope, id).await?;
    Ok(Redirect::to(&link(PATH, &[("done", "session")])).into_response())
}

/// Ends every session of one's own but this one.
pub(super) async fn end_others(
    State(app): State<App>,
    browser: Browser,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::OwnAccount)?;
    account::end_other_sessions(&app, &scope, Some(SessionId(browser.session.id))).await?;
    Ok(Redirect::to(&link(PATH, &[("done", "sessions")])).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari, macOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox, Linux"),
            ("curl/8.5.0", "Unknown browser"),
        ] {
            assert_eq!(browser_name(Lang::En, user_agent), name);
        }
    }
}
