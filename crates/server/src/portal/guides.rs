//! Guides: the texts of `docs/guides`, chained, part of the binary.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use rust_embed::RustEmbed;

use super::layout::Frame;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

#[derive(RustEmbed)]
#[folder = "../../docs/guides"]
struct Guides;

/// The guides in the order of their chain.
const CHAIN: [&str; 9] = [
    "unassigned-devices",
    "customer-dashboard",
    "transfers",
    "arrivals",
    "self-service",
    "repair-desk",
    "reports",
    "support",
    "disputes",
];

/// A guide as a link.
pub(super) struct Link {
    pub(super) path: String,
    pub(super) title: String,
    pub(super) current: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "guide.html")]
pub(super) struct GuidePage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    /// Made from our own text.
    pub(super) html: String,
    pub(super) chain: Vec<Link>,
    pub(super) previous: Option<Link>,
    pub(super) next: Option<Link>,
}

fn text(lang: Lang, name: &str) -> Option<String> {
    let file = Guides::get(&format!("{}/{name}.md", lang.code()))?;
    String::from_utf8(file.data.into_owned()).ok()
}

fn title(text: &str) -> String {
    text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned()
}

fn link(lang: Lang, name: &str, current: bool) -> Link {
    let title = text(lang, name).map_or_else(String::new, |text| title(&text));
    Link { path: format!("/help/{name}"), title, current }
}

/// The first guide.
pub(super) async fn first() -> Redirect {
    Redirect::to(&format!("/help/{}", CHAIN[0]))
}

/// Shows a guide.
pub(super) async fn show(browser: Browser, Path(name): Path<String>, uri: Uri) -> Result<Response, Problem> {
    let lang = browser.lang;
    let at = CHAIN.iter().position(|known| *known == name).ok_or_else(Problem::not_found)?;
    let text = text(lang, &name).ok_or_else(Problem::not_found)?;
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(&text));
    let neighbour = |at: Option<usize>| at.and_then(|at| CHAIN.get(at)).map(|name| link(lang, name, false));
    Ok(super::page(&GuidePage {
        frame: Frame::help(&browser, &uri, title(&text)),
        lang,
        html,
        chain: CHAIN.iter().map(|known| link(lang, known, *known == name)).collect(),
        previous: neighbour(at.checked_sub(1)),
        next: neighbour(Some(at + 1)),
    })?
    .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b52_every_guide_is_there_in_both_languages() {
        for lang in [Lang::En, Lang::De] {
            for name in CHAIN {
                let text = text(lang, name).unwrap_or_else(|| panic!("{name} in {lang:?}"));
                assert!(text.starts_with("# ") && text.len() > 500, "{name} in {lang:?}");
            }
        }
        let files: Vec<String> = Guides::iter().map(|file| file.into_owned()).collect();
        assert_eq!(files.len(), 2 * CHAIN.len(), "a guide outside the chain: {files:?}");
    }
}
