//! The sign-in page.

use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::door::{visit, wait};
use super::format::link;
use super::layout::Frame;
use crate::app::App;
use crate::flows::{Refused, sign_in};
use crate::http::{ClientAddress, Problem, VisitorLang, cookies};
use crate::i18n::Lang;

/// The page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) email: String,
    pub(super) next: String,
    /// What went wrong, in bold and plain.
    pub(super) wrong: Option<(String, String)>,
    /// Each language with its code, the link that changes to it, and whether it is this one.
    pub(super) languages: Vec<(&'static str, String, bool)>,
}

/// The address asked for, and what is typed in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    email: String,
    password: String,
    next: String,
    lang: String,
}

impl SignInPage {
    /// The page with what was typed in before.
    pub(super) fn new(lang: Lang, email: String, next: &str, wrong: Option<(String, String)>) -> Self {
        let next = local_path(next).to_owned();
        let languages = [Lang::En, Lang::De]
            .map(|l| (l.code(), link("/sign-in", &[("next", &next), ("lang", l.code())]), l == lang));
        let frame = Frame::visitor(lang, lang.text("sign-in-title"));
        Self { frame, lang, email, next, wrong, languages: languages.into() }
    }
}

/// A path of this platform, whatever was handed in: nobody is led away after signing in.
pub(super) fn local_path(next: &str) -> &str {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(|c: char| c == '\\' || c.is_control() || !c.is_ascii());
    if local { next } else { "/" }
}

/// Shows the page. A language chosen by link is remembered.
pub(super) async fn show(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked: Input = super::query(&uri);
    let page = super::page(&SignInPage::new(lang, String::new(), &asked.next, None))?;
    let chosen = Lang::from_code(&asked.lang).map(|lang| (SET_COOKIE, cookies::language(&app, lang)));
    Ok((AppendHeaders(chosen), page).into_response())
}

/// Signs in and leads to where the person wanted to go.
pub(super) async fn submit(
    State(app): State<App>,
    VisitorLang(lang): VisitorLang,
    from: ClientAddress,
    headers: HeaderMap,
    input: Result<axum::Form<Input>, FormRejection>,
) -> Result<Response, Problem> {
    let axum::Form(input) = input.map_err(Problem::unreadable)?;
    let visit = visit(from, &headers);
    match sign_in::sign_in(&app, &input.email, &input.password, &visit).await {
        Ok(Some(secret)) => {
            let cookie: [(HeaderName, HeaderValue); 1] = [(SET_COOKIE, cookies::session(&app, &secret))];
            Ok((cookie, Redirect::to(local_path(&input.next))).into_response())
        }
        Ok(None) => {
            let wrong = Some((lang.text("sign-in-wrong"), lang.text("sign-in-wrong-advice")));
            let page = super::page(&SignInPage::new(lang, input.email, &input.next, wrong))?;
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(refused @ Refused::TooManyTries { .. }) => {
            let problem = Problem::from(refused);
            let wrong = Some(wait(lang, problem.retry_after.map(i64::from)));
            let page = super::page(&SignInPage::new(lang, input.email, &input.next, wrong))?;
            let mut response = (problem.status, page).into_response();
            problem.say_when(&mut response);
            Ok(response)
        }
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away() {
        for local in ["/", "/reports", "/reports/1?verdict=rejected&cursor=3a"] {
            assert_eq!(local_path(local), local);
        }
        for foreign in ["", "reports", "//evil.example", "https://evil.example", "/\\evil.example"] {
            assert_eq!(local_path(foreign), "/", "{foreign}");
        }
        for odd in ["/\t/evil.example", "/a\nb", "/ä"] {
            assert_eq!(local_path(odd), "/", "{odd:?}");
        }
    }
}
