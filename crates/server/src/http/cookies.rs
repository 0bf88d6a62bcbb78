//! The platform's cookies. Under https they are `__Host-`: Secure, for this host alone, for every path.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::app::App;
use crate::flows::sign_in::LONGEST_SECONDS;
use crate::i18n::Lang;

fn name(app: &App, plain: &str) -> String {
    if app.config.https { format!("__Host-{plain}") } else { plain.to_owned() }
}

fn make(app: &App, plain: &str, value: &str, seconds: i64, http_only: bool) -> HeaderValue {
    let name = name(app, plain);
    let secure = if app.config.https { "; Secure" } else { "" };
    let hidden = if http_only { "; HttpOnly" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; SameSite=Lax{secure}{hidden}");
    // Values are hexadecimal or a language code.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Carries a session's secret.
pub fn session(app: &App, secret: &str) -> HeaderValue {
    make(app, "session", secret, LONGEST_SECONDS, true)
}

/// Takes the session's cookie away.
pub fn end_session(app: &App) -> HeaderValue {
    make(app, "session", "", 0, true)
}

/// Remembers a language on this browser, for a year.
pub fn language(app: &App, lang: Lang) -> HeaderValue {
    make(app, "lang", lang.code(), 365 * 24 * 3600, true)
}

/// The session's secret, if the browser sent one.
pub(super) fn read_session(app: &App, headers: &HeaderMap) -> Option<String> {
    read(headers, &name(app, "session"))
}

/// The remembered language.
pub(super) fn read_language(app: &App, headers: &HeaderMap) -> Option<Lang> {
    Lang::from_code(&read(headers, &name(app, "lang"))?)
}

fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}
