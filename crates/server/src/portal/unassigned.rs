//! Unassigned Devices: the PCs of the partner's holding tenant.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::Action;
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::{Qualification, SupportLevel, is_qualified};
use roadstead_store::pool::{self, Filter, Sort, Unassigned};
use roadstead_store::reports::{self, PartnerShare};
use roadstead_store::{Tx, partners};
use serde::Deserialize;

use super::format::{instant, link, number, stored_date};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::standing::QualificationView;
use super::verdicts::{self, VerdictCount};
use crate::app::App;
use crate::http::{Browser, Problem};
use crate::i18n::Lang;

const PATH: &str = "/unassigned-devices";
/// The sort of the API that brings what came last first.
const NEWEST: &str = "-since";
/// How many rows of "what was reported" are looked at.
const REPORTED: i64 = 200;

/// What the address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    sort: String,
    cursor: String,
}

/// A PC as the list shows it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) serial: String,
    pub(super) model: String,
    pub(super) product_number: String,
    /// The support level's code and name.
    pub(super) level: Option<(&'static str, &'static str)>,
    pub(super) end_customer: String,
    pub(super) invoice: String,
    pub(super) sold_on: String,
    pub(super) reported_by: String,
    pub(super) since: String,
    pub(super) since_machine: String,
}

/// A report's share for the partner.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    pub(super) at: String,
    pub(super) reporter: String,
    pub(super) verdicts: Vec<VerdictCount>,
}

/// The list with what belongs to it, also alone as the live fragment.
#[derive(Template)]
#[template(path = "unassigned_list.html")]
pub(super) struct List {
    pub(super) lang: Lang,
    pub(super) total: i64,
    pub(super) count: String,
    pub(super) q: String,
    pub(super) newest: bool,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
    pub(super) clear: String,
    /// The partner's own reseller number.
    pub(super) partner_number: String,
    pub(super) qualified: bool,
    pub(super) qualifications: Vec<QualificationView>,
    /// What is parked or disputed, in all.
    pub(super) pending: Vec<VerdictCount>,
    pub(super) reported: Vec<Reported>,
}

/// The page.
#[derive(Template)]
#[template(path = "unassigned.html")]
pub(super) struct UnassignedPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) q: String,
    pub(super) sort: String,
    pub(super) by_serial: String,
    pub(super) by_newest: String,
    pub(super) export: String,
    pub(super) list: List,
}

/// Shows the page, or its list alone.
pub(super) async fn show(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadUnassigned)?;
    let mut asked: Asked = super::query(&uri);
    asked.q = asked.q.trim().to_owned();
    let sort = if asked.sort == NEWEST { Sort::Newest } else { Sort::Serial };
    asked.sort = if sort == Sort::Newest { NEWEST.to_owned() } else { String::new() };
    let today = app.ambient.now().date();

    let filter = Filter { q: (!asked.q.is_empty()).then(|| asked.q.clone()), ..Filter::default() };
    let mut tx = app.store.read(&scope).await?;
    let rows = pool::list(&mut tx, &scope, &filter, sort, &page_at(&asked.cursor, None), today).await?;
    let Some(rows) = rows else {
        let start = link(PATH, &[("q", &asked.q), ("sort", &asked.sort)]);
        return Ok(Redirect::to(&start).into_response());
    };
    let total = pool::count(&mut tx, &scope).await?;
    let partner = partners::own(&mut tx, &scope).await?;
    let qualifications = own_qualifications(&mut tx, &scope).await?;
    let shares = reports::about_partner(&mut tx, &scope, REPORTED).await?;
    tx.commit().await?;

    let lang = browser.lang;
    let qualified = is_qualified(&qualifications, today);
    let to = |cursor: &str| link(PATH, &[("q", &asked.q), ("sort", &asked.sort), ("cursor", cursor)]);
    let list = List {
        lang,
        total,
        count: number(lang, total),
        newest: sort == Sort::Newest,
        rows: rows.items.into_iter().map(|pc| row(lang, pc)).collect(),
        pager: Pager::new(lang, &asked.cursor, rows.next_cursor, to),
        clear: link(PATH, &[("sort", &asked.sort)]),
        partner_number: partner.number,
        qualified,
        qualifications: qualifications.iter().map(|q| QualificationView::of(lang, q, today)).collect(),
        pending: pending(lang, &shares, qualified),
        reported: by_report(lang, &shares, qualified),
        q: asked.q.clone(),
    };
    if super::wants_list(&headers) {
        return super::page(&list);
    }
    super::page(&UnassignedPage {
        frame: Frame::at(&browser, &uri, Entry::Unassigned),
        lang,
        by_serial: link(PATH, &[("q", &asked.q)]),
        by_newest: link(PATH, &[("q", &asked.q), ("sort", NEWEST)]),
        export: link(
            "/api/v1/unassigned-devices",
            &[("format", "csv"), ("q", &asked.q), ("sort", &asked.sort)],
        ),
        q: asked.q,
        sort: asked.sort,
        list,
    })
}

async fn own_qualifications(
    tx: &mut Tx,
    scope: &roadstead_domain::access::Scope,
) -> Result<Vec<Qualification>, Problem> {
    let recorded = partners::own_qualifications(tx, scope).await?;
    Ok(recorded.into_iter().map(|recorded| recorded.qualification).collect())
}

fn row(lang: Lang, pc: Unassigned) -> Row {
    let level = pc.support_level.as_deref().and_then(SupportLevel::from_code);
    Row {
        serial: pc.serial,
        model: pc.model,
        product_number: pc.product_number,
        level: level.map(|level| (level.as_str(), level.name())),
        end_customer: pc.buyer_name.unwrap_or_default(),
        invoice: pc.invoice.unwrap_or_default(),
        sold_on: pc.sold_on.map_or_else(String::new, |day| stored_date(lang, &day)),
        reported_by: pc.reporter_name.unwrap_or_default(),
        since: instant(lang, Micros(pc.since)),
        since_machine: Micros(pc.since).rfc3339(),
    }
}

/// What is parked or disputed, over all reports.
fn pending(lang: Lang, shares: &[PartnerShare], qualified: bool) -> Vec<VerdictCount> {
    let mut counts = BTreeMap::new();
    for share in shares {
        if matches!(verdicts::family(&share.verdict), "parked" | "disputed") {
            *counts.entry(share.verdict.clone()).or_insert(0) += share.lines;
        }
    }
    verdicts::verdicts_for_partner(lang, &counts, qualified)
}

/// The shares by report, newest first as they come.
fn by_report(lang: Lang, shares: &[PartnerShare], qualified: bool) -> Vec<Reported> {
    shares
        .chunk_by(|a, b| a.report == b.report)
        .filter_map(|shares| {
            let counts = shares.iter().map(|share| (share.verdict.clone(), share.lines)).collect();
            shares.first().map(|share| Reported {
                at: instant(lang, Micros(share.received_at)),
                reporter: share.reporter_name.clone(),
                verdicts: verdicts::verdicts_for_partner(lang, &counts, qualified),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn shares_are_grouped_by_report_and_pending_ones_summed() {
        let share = |report, verdict: &str, lines| PartnerShare {
            report: Uuid::from_u128(report),
            received_at: 1_795_374_000_000_000,
            reporter_name: "Nordic Distribution".to_owned(),
            verdict: verdict.to_owned(),
            lines,
        };
        let shares = [
            share(2, "parked.partner_not_qualified", 3),
            share(2, "placed", 5),
            share(1, "parked.partner_not_qualified", 4),
        ];
        let reported = by_report(Lang::En, &shares, false);
        assert_eq!(reported.iter().map(|r| r.verdicts.len()).collect::<Vec<_>>(), [2, 1]);
        let pending = pending(Lang::En, &shares, false);
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].lines, "7");
    }
}
