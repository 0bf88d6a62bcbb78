//! Home of the operator: what needs attention.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use roadstead_domain::access::Action;
use roadstead_store::{disputes, jobs, partners, reporter_quality, reports};

use super::format::{link, number};
use super::layout::{Entry, Frame};
use super::qualifications::soon;
use crate::app::App;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

/// Something that somebody should look at.
pub(super) struct Matter {
    /// `bad`, `waiting` or `disputed`, for its colour.
    pub(super) mood: &'static str,
    pub(super) count: String,
    pub(super) text: String,
    pub(super) advice: String,
    pub(super) link: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct HomePage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) matters: Vec<Matter>,
    /// Numbers that parked lines wait for, with how many lines.
    pub(super) waited_for: Vec<(String, String)>,
}

/// Shows the page.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadDisputes)?;
    let lang = browser.lang;
    let today = app.ambient.now().date();
    let mut tx = app.store.read(&scope).await?;
    let open = disputes::open_counts(&mut tx, &scope).await?;
    let waited_for = disputes::waited_for(&mut tx, &scope, 10).await?;
    let (lapsed, ending) = partners::ending(&mut tx, &scope, (today, soon(today))).await?;
    let silent = reporter_quality::lasting(&mut tx, &scope).await?.len();
    let failed = reports::failed(&mut tx, &scope).await?;
    let dead = jobs::dead(&mut tx).await?;
    tx.commit().await?;
    let silent = i64::try_from(silent).unwrap_or(i64::MAX);
    let matters = matters(lang, &open, &Counted { lapsed, ending, failed, dead, silent });
    let waited_for = waited_for.into_iter().map(|(of, lines)| (of, number(lang, lines))).collect();
    super::page(&HomePage { frame: Frame::at(&browser, &uri, Entry::Home), lang, matters, waited_for })
}

/// What was counted, beside open lines.
pub(super) struct Counted {
    /// Qualifications that have ended.
    pub(super) lapsed: i64,
    /// Those that end soon.
    pub(super) ending: i64,
    /// Reports that were given up.
    pub(super) failed: i64,
    /// Jobs that were given up.
    pub(super) dead: i64,
    /// Reporters that are late by their own rhythm.
    pub(super) silent: i64,
}

/// What there is to look at, the most urgent first.
pub(super) fn matters(lang: Lang, open: &[(String, i64)], counted: &Counted) -> Vec<Matter> {
    let Counted { lapsed, ending, failed, dead, silent } = *counted;
    let own = |mood, count: i64, key: &str, to: Option<String>| {
        (count > 0).then(|| Matter {
            mood,
            count: number(lang, count),
            text: lang.text_with(&format!("home-{key}"), &[("n", count.into())]),
            advice: lang.text(&format!("home-{key}-advice")),
            link: to,
        })
    };
    let to = |standing| Some(link("/qualifications", &[("standing", standing)]));
    let mut matters: Vec<Matter> = [
        own("bad", dead, "jobs", None),
        own("bad", failed, "reports", Some("/reports".to_owned())),
        own("bad", silent, "silent", Some("/reporters".to_owned())),
        own("bad", lapsed, "lapsed", to("lapsed")),
        own("waiting", ending, "ending", to("ends_soon")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let is_disputed = |verdict: &str| verdict.starts_with("disputed");
    let disputes: i64 = open.iter().filter(|(verdict, _)| is_disputed(verdict)).map(|(_, lines)| lines).sum();
    let more = if disputes >= disputes::COUNTED { "+" } else { "" };
    matters.extend(open.iter().map(|(verdict, lines)| {
        let disputed = is_disputed(verdict);
        Matter {
            mood: if disputed { "disputed" } else { "parked" },
            count: number(lang, *lines) + if disputed { more } else { "" },
            text: lang.code_text(verdict),
            advice: lang.code_advice(verdict),
            link: disputed.then(|| "/disputes".to_owned()),
        }
    }));
    matters
}
