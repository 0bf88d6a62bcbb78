//! Where a list goes on: every list of the portal is walked by cursors.

use askama::Template;
use roadstead_store::page::Page;

use crate::i18n::Lang;

/// The links below a list.
#[derive(Clone, Debug, Template)]
#[template(path = "pager.html")]
pub(super) struct Pager {
    lang: Lang,
    first: Option<String>,
    next: Option<String>,
}

impl Pager {
    /// `cursor` is where this page began, `next` where the next one begins, `to` the address of the page at a cursor;
    /// the empty one is the first page.
    pub(super) fn new(lang: Lang, cursor: &str, next: Option<String>, to: impl Fn(&str) -> String) -> Self {
        Self { lang, first: (!cursor.is_empty()).then(|| to("")), next: next.map(|cursor| to(&cursor)) }
    }
}

/// What to ask the store for; an empty cursor is the first page.
pub(super) fn page_at(cursor: &str, limit: Option<i64>) -> Page {
    Page { limit, cursor: (!cursor.is_empty()).then(|| cursor.to_owned()) }
}
