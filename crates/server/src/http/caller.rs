//! Who calls: a bearer token or a signed-in browser.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Caller, Scope, authorize};
use roadstead_store::sessions::Session;
use serde::de::DeserializeOwned;

use super::{Problem, cookies};
use crate::app::App;
use crate::flows::{sign_in, tokens};
use crate::i18n::Lang;

/// What a caller showed, to be checked again while a stream stays open.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A bearer token.
    Token(String),
    /// A session's secret.
    Session(String),
}

impl Credential {
    /// Whether it still opens anything.
    pub async fn holds(&self, app: &App) -> bool {
        match self {
            Credential::Token(secret) => matches!(tokens::authenticate(app, secret).await, Ok(Some(_))),
            Credential::Session(secret) => matches!(sign_in::look_up(app, secret).await, Ok(Some(_))),
        }
    }
}

/// A caller of the API whose credential was checked.
#[derive(Clone, Debug)]
pub struct ApiCaller {
    /// Who.
    pub caller: Caller,
    /// With what.
    pub credential: Credential,
    /// The language of messages, by `Accept-Language`, or the browser's choice.
    pub lang: Lang,
}

impl ApiCaller {
    /// The scope for this action, or the refusal.
    pub fn may(&self, action: Action) -> Result<Scope, Problem> {
        Ok(authorize(&self.caller, action)?)
    }

    /// Checks a request's credential: a bearer token, or a session's cookie, which needs `X-CSRF-Token` to change
    /// anything.
    pub(super) async fn check(app: &App, method: &Method, headers: &HeaderMap) -> Result<Self, Problem> {
        let nobody = || Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated");
        let lang = language_of(app, headers);
        if let Some(header) = headers.get(header::AUTHORIZATION) {
            let secret = header.to_str().ok().and_then(bearer).ok_or_else(nobody)?;
            let caller = tokens::authenticate(app, secret).await?.ok_or_else(nobody)?;
            return Ok(Self { caller, credential: Credential::Token(secret.to_owned()), lang });
        }
        let secret = cookies::read_session(app, headers).ok_or_else(nobody)?;
        let (session, caller) = sign_in::authenticate(app, &secret).await?.ok_or_else(nobody)?;
        let token = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
        if !method.is_safe() && token != Some(session.csrf.as_str()) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "csrf"));
        }
        let lang = session.language.as_deref().and_then(Lang::from_code).unwrap_or(lang);
        Ok(Self { caller, credential: Credential::Session(secret), lang })
    }
}

/// The secret of a header `Bearer ...`; the scheme may be in any case (RFC 9110 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

impl FromRequestParts<App> for ApiCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // The idempotency layer has checked already where it had to.
        if let Some(known) = parts.extensions.get::<ApiCaller>() {
            return Ok(known.clone());
        }
        Self::check(app, &parts.method, &parts.headers).await
    }
}

/// The language of somebody who has not chosen one in their profile.
pub(super) fn language_of(app: &App, headers: &HeaderMap) -> Lang {
    cookies::read_language(app, headers).unwrap_or_else(|| {
        let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Lang::accepted(header.unwrap_or(""))
    })
}

/// A signed-in browser. Without a session it is sent to the sign-in page.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The session.
    pub session: Session,
    /// Whom it speaks for.
    pub caller: Caller,
    /// The language of the page.
    pub lang: Lang,
    /// Where the events stood before anything was read for the page.
    pub position: i64,
}

impl Browser {
    /// The scope for this action, or the refusal.
    pub fn may(&self, action: Action) -> Result<Scope, Problem> {
        Ok(authorize(&self.caller, action)?)
    }
}

impl FromRequestParts<App> for Browser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let to_sign_in = || {
            let next = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let next: String = url_encode(if parts.method == Method::GET { next } else { "/" });
            Redirect::to(&format!("/sign-in?next={next}")).into_response()
        };
        let position = app.hub.position();
        let secret = cookies::read_session(app, &parts.headers).ok_or_else(to_sign_in)?;
        let found =
            sign_in::authenticate(app, &secret).await.map_err(|e| Problem::from(e).into_response())?;
        let (session, caller) = found.ok_or_else(to_sign_in)?;
        let chosen = session.language.as_deref().and_then(Lang::from_code);
        let lang = chosen.unwrap_or_else(|| language_of(app, &parts.headers));
        let lang = lang.with(session.time_zone.as_deref(), session.date_format.as_deref());
        Ok(Self { session, caller, lang, position })
    }
}

/// Everything but unreserved characters and `/` as `%XX` (RFC 3986 2.3).
fn url_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The language of a page that needs no sign-in: `?lang=`, else the remembered one, else the browser's.
#[derive(Clone, Copy, Debug)]
pub struct VisitorLang(pub Lang);

impl VisitorLang {
    /// By the address and headers of a request.
    pub(super) fn of(app: &App, uri: &Uri, headers: &HeaderMap) -> Self {
        let asked = uri
            .query()
            .into_iter()
            .flat_map(|query| query.split('&'))
            .find_map(|pair| pair.strip_prefix("lang=").and_then(Lang::from_code));
        Self(asked.unwrap_or_else(|| language_of(app, headers)))
    }
}

impl FromRequestParts<App> for VisitorLang {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self::of(app, &parts.uri, &parts.headers))
    }
}

/// A form that a signed-in browser sent from one of our pages: its field `csrf` is the session's. Fields of one name, as
/// ticked boxes are, come as one text with a line for each.
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let browser = Browser::from_request_parts(&mut parts, app).await?;
        let pairs = axum::Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts, body), app)
            .await
            .map_err(|error| Problem::unreadable(error).into_response())?
            .0;
        let token = pairs.iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.as_str());
        if token != Some(browser.session.csrf.as_str()) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "csrf").into_response());
        }
        let mut fields: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        for (name, value) in pairs {
            fields.entry(name).and_modify(|there| *there = format!("{there}\n{value}")).or_insert(value);
        }
        serde_json::to_value(fields)
            .and_then(serde_json::from_value)
            .map(Form)
            .map_err(|error| Problem::unreadable(error).into_response())
    }
}
