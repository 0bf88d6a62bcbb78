//! Unassigned Devices: the PCs of the partner's holding tenant, as a list or in groups.

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::{SupportLevel, is_qualified};
use roadstead_store::pool::{Reporters, Sort, Unassigned};
use roadstead_store::pool_page::{self, Beside, PartnerShare};
use roadstead_store::transfers;
use serde::Deserialize;
use uuid::Uuid;

use super::format::{instant, link, number, stored_date};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::standing::QualificationView;
use super::verdicts::{self, VerdictCount};
use crate::app::App;
use crate::flows::{pool as looks, saved_views};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;
use crate::pools::{AGES, Filter, Group, GroupBy};

const PATH: &str = "/unassigned-devices";
/// The sort of the API that brings what came last first.
const NEWEST: &str = "-since";
/// Groups on a page.
const GROUPS: usize = 50;
/// A pool of this many PCs is prepared for the first filter when its page is opened.
const LARGE: i64 = 20_000;
/// The filters, by their names in the address.
const FILTERS: [&str; 9] = [
    "q",
    "end_customer",
    "invoice_number",
    "order_number",
    "model",
    "reporter",
    "support_level",
    "age",
    "without",
];
/// The column that is asked for by itself, and only where it is chosen.
const LAST_SEEN: &str = "last_seen";
/// The columns that can be chosen, in their order.
pub(super) const COLUMNS: [&str; 8] =
    ["model", "level", "end_customer", "invoice", "sold_on", "reported_by", "since", LAST_SEEN];

/// Those that are shown unless others are chosen.
fn usual_columns() -> Vec<&'static str> {
    COLUMNS.into_iter().filter(|column| *column != LAST_SEEN).collect()
}

/// What the address asks for: what is not known, or empty, is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked(BTreeMap<String, String>);

impl Asked {
    /// Reads a query; a name that stands there several times, as check boxes do, is a list.
    pub(super) fn read(query: &str) -> Self {
        let uri: Uri = format!("/?{query}").parse().unwrap_or_default();
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&uri).map_or_else(|_| Vec::new(), |q| q.0);
        let mut asked = BTreeMap::<String, String>::new();
        for (name, value) in pairs {
            let value = value.trim();
            let known = FILTERS.contains(&name.as_str())
                || matches!(name.as_str(), "group" | "sort" | "columns" | "cursor");
            if known && !value.is_empty() {
                asked
                    .entry(name)
                    .and_modify(|there| *there = format!("{there},{value}"))
                    .or_insert_with(|| value.to_owned());
            }
        }
        Self(asked)
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The address with these values instead, of the first page.
    fn link(&self, path: &str, changes: &[(&str, &str)]) -> String {
        let mut pairs: BTreeMap<&str, &str> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.remove("cursor");
        pairs.extend(changes.iter().copied());
        let pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
        link(path, &pairs)
    }

    fn sort(&self) -> Sort {
        if self.get("sort") == NEWEST { Sort::Newest } else { Sort::Serial }
    }

    fn group(&self) -> Option<GroupBy> {
        GroupBy::from_code(self.get("group"))
    }

    /// The columns that are shown; the usual ones if none is chosen.
    fn columns(&self) -> Vec<&'static str> {
        let chosen = self.get("columns");
        let is_chosen = |column: &&str| chosen.split(',').any(|name| name == *column);
        let columns: Vec<_> = COLUMNS.into_iter().filter(is_chosen).collect();
        if columns.is_empty() { usual_columns() } else { columns }
    }

    /// Without what is the same as nothing.
    fn tidied(mut self) -> Self {
        if self.group().is_none() {
            self.0.remove("group");
        }
        if self.sort() == Sort::Serial {
            self.0.remove("sort");
        }
        if self.columns() == usual_columns() {
            self.0.remove("columns");
        }
        self
    }
}

/// The filter that a query of this page asks for.
pub(super) fn filter_of(query: &str, now: Micros) -> Option<Filter> {
    let asked = Asked::read(query).tidied();
    Filter::read(&|name| asked.0.get(name).cloned(), now).ok()
}

/// A PC as the list shows it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) link: String,
    pub(super) serial: String,
    pub(super) model: String,
    pub(super) product_number: String,
    /// The support level's code and name.
    pub(super) level: Option<(&'static str, &'static str)>,
    pub(super) end_customer: String,
    pub(super) invoice: String,
    pub(super) order: String,
    pub(super) sold_on: String,
    pub(super) reported_by: String,
    pub(super) since: String,
    pub(super) since_machine: String,
    /// Empty where the column is not shown.
    pub(super) seen: String,
}

/// A group as the list shows it.
#[derive(Clone, Debug)]
pub(super) struct GroupRow {
    pub(super) text: String,
    /// Its PCs as a list.
    pub(super) link: String,
    pub(super) devices: String,
}

/// A filter that holds, and the address without it.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    pub(super) text: String,
    pub(super) without: String,
}

/// A choice of a select or a check box.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) chosen: bool,
}

/// A kept way to look.
#[derive(Clone, Debug)]
pub(super) struct SavedRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) link: String,
    pub(super) current: bool,
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
    /// "1,234 PCs", "12 of 1,234 PCs".
    pub(super) count: String,
    pub(super) chips: Vec<Chip>,
    pub(super) newest: bool,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    /// The name of what is grouped by, and the groups.
    pub(super) groups: Option<(String, Vec<GroupRow>)>,
    pub(super) pager: Pager,
    /// Whether the rows can be ticked, to be moved.
    pub(super) may_move: bool,
    /// What ticking a row is called, before and after its serial; escaped, as it stands in every row.
    pub(super) tick: (String, String),
    pub(super) clear: String,
    /// The partner's own reseller number.
    pub(super) partner_number: String,
    pub(super) qualified: bool,
    pub(super) qualifications: Vec<QualificationView>,
    /// What is parked or disputed, in all.
    pub(super) pending: Vec<VerdictCount>,
    pub(super) reported: Vec<Reported>,
}

impl List {
    fn shows(&self, column: &str) -> bool {
        self.columns.contains(&column)
    }

    /// A text that stands in every row, escaped once and not once a row.
    fn label(&self, key: &str) -> String {
        escaped(&self.lang.text(key))
    }

    /// How a cell begins in every row, with its label for narrow screens.
    fn cell(&self, key: &str, class: &str) -> String {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        format!("<td data-label=\"{}\"{class}>", self.label(key))
    }
}

/// What ticking a row is called, as [`List::tick`] wants it.
pub(super) fn tick_of(lang: Lang) -> (String, String) {
    let (before, after) = lang.text_around("move-tick", "serial");
    (escaped(&before), escaped(&after))
}

fn escaped(text: &str) -> String {
    // It writes into memory, and cannot fail.
    askama::filters::escape(text, askama::filters::Html)
        .map_or_else(|_| String::new(), |text| text.to_string())
}

/// What can be chosen above the list.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices {
    /// Name, label and value of each text that is compared whole.
    pub(super) texts: Vec<(&'static str, String, String)>,
    /// Name, label and choices of each select.
    pub(super) selects: Vec<(&'static str, String, Vec<Choice>)>,
    pub(super) columns: Vec<Choice>,
}

/// The page.
#[derive(Template)]
#[template(path = "unassigned.html")]
pub(super) struct UnassignedPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) q: String,
    pub(super) sort: String,
    /// Whether what cannot be searched for stands in the address, too.
    pub(super) without: String,
    pub(super) by_serial: String,
    pub(super) by_newest: String,
    pub(super) export_csv: String,
    pub(super) export_xlsx: String,
    pub(super) choices: Choices,
    pub(super) saved: Vec<SavedRow>,
    /// What would be saved; empty where there is nothing to save.
    pub(super) query: String,
    /// Where PCs can be moved to.
    pub(super) targets: Vec<(String, String)>,
    /// The target that was chosen before for the end customer of what passes the filter.
    pub(super) suggested: String,
    /// "All 12 PCs that pass", where a filter holds.
    pub(super) whole: Option<String>,
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
    let lang = browser.lang;
    let asked = Asked::read(uri.query().unwrap_or("")).tidied();
    let now = app.ambient.now();
    let read = Filter::read(&|name| asked.0.get(name).cloned(), now);
    let Ok(filter) = read else { return Ok(Redirect::to(PATH).into_response()) };

    let to = |cursor: &str| asked.link(PATH, &[("cursor", cursor)]);
    let cursor = asked.get("cursor");
    let may_move = browser.may(Action::Transfer).is_ok();
    let page_of_pool = async {
        Ok::<_, Problem>(match asked.group() {
            None => {
                let page = page_at(cursor, None);
                let found =
                    looks::list(&app, &scope, &filter, asked.sort(), &page, Reporters::ByReport).await?;
                let Some(found) = found else { return Ok(None) };
                let pcs = found.rows.items;
                let seen = if asked.columns().contains(&LAST_SEEN) {
                    Some(looks::last_seen(&app, &scope, &pcs).await?)
                } else {
                    None
                };
                let pager = Pager::new(lang, cursor, found.rows.next_cursor, to);
                Some(((pcs, seen), None, found.devices, pager))
            }
            Some(by) => {
                let skip = cursor.parse().unwrap_or(0_usize);
                let found = looks::groups(&app, &scope, &filter, by, skip, GROUPS).await?;
                let next = (found.all > (skip + GROUPS) as u64).then(|| (skip + GROUPS).to_string());
                let rows = found
                    .items
                    .into_iter()
                    .map(|(group, written)| group_row(lang, &asked, by, group, written));
                let groups = Some((lang.text(group_key(by)), rows.collect()));
                let pager = Pager::new(lang, cursor, next, to);
                Some(((Vec::new(), None), groups, Some(found.devices), pager))
            }
        })
    };
    // Both at once: on PostgreSQL they go down the pipe together.
    let (found, beside) = tokio::try_join!(page_of_pool, async {
        let with_customers = may_move && !super::wants_list(&headers);
        let mut tx = app.store.read(&scope).await?;
        Ok(pool_page::beside(&mut tx, &scope, with_customers).await?)
    })?;
    let Some(((pcs, seen), groups, passing, pager)) = found else {
        return Ok(Redirect::to(&to("")).into_response());
    };
    let senders = senders_of(&app, &scope, &pcs, &beside.shares).await?;
    let rows = rows_of(lang, pcs, &senders, seen.as_ref());
    let Beside { partner_number, devices: total, qualifications, shares, views, customers } = beside;
    // Without a filter all pass, and their number is the pool's.
    let passing =
        passing.filter(|_| !filter.is_empty()).map_or(total, |n| i64::try_from(n).unwrap_or(i64::MAX));

    let reporters = reporters_of(&shares);
    let qualified = is_qualified(&qualifications, now.date());
    let list = List {
        lang,
        total,
        count: count_text(lang, (!filter.is_empty()).then_some(passing), total),
        chips: chips(lang, &asked, &reporters),
        newest: asked.sort() == Sort::Newest,
        columns: asked.columns(),
        rows,
        groups,
        pager,
        may_move,
        tick: tick_of(lang),
        clear: asked.link(PATH, &FILTERS.map(|name| (name, ""))),
        partner_number,
        qualified,
        qualifications: qualifications.iter().map(|q| QualificationView::of(lang, q, now.date())).collect(),
        pending: pending(lang, &shares, qualified),
        reported: by_report(lang, &shares, qualified),
    };
    if super::wants_list(&headers) {
        return super::page(&list);
    }
    if filter.is_empty() && total > LARGE {
        looks::prepare(&app, &scope);
    }
    let query = asked.link("", &[]).trim_start_matches('?').to_owned();
    let suggested = match only_end_customer(&asked, &filter, &list.rows).filter(|_| may_move) {
        None => None,
        Some(end_customer) => {
            let mut tx = app.store.read(&scope).await?;
            transfers::suggested(&mut tx, &scope, end_customer).await?
        }
    };
    let suggested = suggested.unwrap_or_default();
    let whole = (list.may_move && !filter.is_empty() && passing > 0).then(|| {
        let count = number(lang, passing);
        lang.text_with("move-whole", &[("n", passing.into()), ("count", count.as_str().into())])
    });
    let last_seen = if list.shows(LAST_SEEN) { "true" } else { "" };
    let export = |format| {
        let changes = [("format", format), ("group", ""), ("columns", ""), ("last_seen", last_seen)];
        asked.link("/api/v1/unassigned-devices", &changes)
    };
    super::page(&UnassignedPage {
        frame: Frame::at(&browser, &uri, Entry::Unassigned),
        lang,
        csrf: browser.session.csrf.clone(),
        q: asked.get("q").to_owned(),
        sort: asked.get("sort").to_owned(),
        without: asked.get("without").to_owned(),
        by_serial: asked.link(PATH, &[("sort", ""), ("group", "")]),
        by_newest: asked.link(PATH, &[("sort", NEWEST), ("group", "")]),
        export_csv: export("csv"),
        export_xlsx: export("xlsx"),
        choices: choices(lang, &asked, &reporters),
        saved: views
            .into_iter()
            .map(|view| SavedRow {
                id: view.id.to_string(),
                link: Asked::read(&view.query).link(PATH, &[]),
                current: view.query == query,
                name: view.name,
            })
            .collect(),
        query,
        targets: super::customers::choices(lang, customers),
        suggested,
        whole,
        list,
    })
}

/// The end customer of what passes a filter: the one that is filtered by, or, for an invoice or anything else, the one of
/// all PCs that are shown.
fn only_end_customer<'a>(asked: &'a Asked, filter: &Filter, rows: &'a [Row]) -> Option<&'a str> {
    let asked = asked.get("end_customer");
    if !asked.is_empty() {
        return Some(asked);
    }
    let first = &rows.first().filter(|_| !filter.is_empty())?.end_customer;
    (!first.is_empty() && rows.iter().all(|row| row.end_customer == *first)).then_some(first)
}

/// The name and query of a view to be kept.
#[derive(Debug, Deserialize)]
pub(super) struct NewView {
    name: String,
    query: String,
}

/// Keeps the page's present look under a name.
pub(super) async fn save_view(
    State(app): State<App>,
    browser: Browser,
    Form(new): Form<NewView>,
) -> Result<Redirect, Problem> {
    let scope = browser.may(Action::ReadUnassigned)?;
    let asked = Asked::read(&new.query).tidied();
    let address = asked.link(PATH, &[]);
    let query = address.split_once('?').map_or("", |(_, query)| query);
    saved_views::save(&app, &scope, &new.name, query).await?;
    Ok(Redirect::to(&address))
}

/// Where to go after a view was forgotten.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    query: String,
}

/// Forgets a kept look.
pub(super) async fn forget_view(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    let scope = browser.may(Action::ReadUnassigned)?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    saved_views::forget(&app, &scope, id).await?;
    Ok(Redirect::to(&Asked::read(&back.query).link(PATH, &[])))
}

/// The key of the name of what is grouped or filtered by.
fn group_key(by: GroupBy) -> &'static str {
    match by {
        GroupBy::EndCustomer => "unassigned-end-customer",
        GroupBy::Invoice => "unassigned-invoice",
        GroupBy::Order => "unassigned-order",
        GroupBy::Reporter => "unassigned-reported-by",
        GroupBy::Model => "unassigned-model",
        GroupBy::Level => "unassigned-level",
        GroupBy::Age => "unassigned-age",
    }
}

fn level_text(lang: Lang, code: &str) -> String {
    SupportLevel::from_code(code)
        .map_or_else(|| lang.text("unassigned-no-level"), |level| level.name().to_owned())
}

fn age_text(lang: Lang, from: &str) -> String {
    AGES.iter()
        .find(|age| age.to_string() == from)
        .map_or_else(String::new, |age| lang.text(&format!("age-{age}")))
}

fn group_row(lang: Lang, asked: &Asked, by: GroupBy, group: Group, written: Option<String>) -> GroupRow {
    let text = match by {
        GroupBy::Level => level_text(lang, &group.value),
        GroupBy::Age => age_text(lang, &group.value),
        _ if group.value.is_empty() => lang.text("unassigned-none"),
        _ => written.unwrap_or_else(|| group.value.clone()),
    };
    let link = match group.value.as_str() {
        "" => asked.link(PATH, &[("group", ""), ("without", by.as_str())]),
        value => asked.link(PATH, &[("group", ""), (by.as_str(), value)]),
    };
    GroupRow { text, link, devices: number(lang, i64::try_from(group.devices).unwrap_or(i64::MAX)) }
}

/// How many PCs are shown of how many.
pub(super) fn count_text(lang: Lang, passing: Option<i64>, total: i64) -> String {
    let all = number(lang, total);
    match passing {
        None => lang.text_with("unassigned-count", &[("n", total.into()), ("count", all.into())]),
        Some(some) => lang.text_with(
            "unassigned-count-of",
            &[("n", total.into()), ("count", number(lang, some).into()), ("total", all.into())],
        ),
    }
}

/// Id and name of whoever reported about the partner, by name.
fn reporters_of(shares: &[PartnerShare]) -> BTreeMap<String, String> {
    shares.iter().map(|share| (share.reporter.to_string(), share.reporter_name.clone())).collect()
}

/// Who reported the PCs of a page, by report: nearly always one of the newest that stand beside the page.
async fn senders_of(
    app: &App,
    scope: &Scope,
    pcs: &[Unassigned],
    shares: &[PartnerShare],
) -> Result<HashMap<Uuid, String>, Problem> {
    let mut senders = HashMap::new();
    let mut older = Vec::new();
    for report in pcs.iter().filter(|pc| pc.reporter_name.is_none()).filter_map(|pc| pc.report) {
        if senders.contains_key(&report) || older.contains(&report) {
            continue;
        }
        match shares.iter().find(|share| share.report == report) {
            Some(share) => _ = senders.insert(report, share.reporter_name.clone()),
            None => older.push(report),
        }
    }
    if !older.is_empty() {
        let mut tx = app.store.read(scope).await?;
        senders.extend(pool_page::reporters(&mut tx, scope, &older).await?);
    }
    Ok(senders)
}

/// What is filtered by.
pub(super) fn chips(lang: Lang, asked: &Asked, reporters: &BTreeMap<String, String>) -> Vec<Chip> {
    let mut chips = Vec::new();
    for name in FILTERS.into_iter().filter(|name| !asked.get(name).is_empty()) {
        let value = asked.get(name);
        let by = GroupBy::from_code(if name == "without" { value } else { name });
        let shown = match (name, by) {
            ("without", _) => lang.text("unassigned-none"),
            (_, Some(GroupBy::Level)) => level_text(lang, value),
            (_, Some(GroupBy::Age)) => age_text(lang, value),
            (_, Some(GroupBy::Reporter)) => reporters.get(value).cloned().unwrap_or_default(),
            _ => value.to_owned(),
        };
        let label = by.map_or_else(|| lang.text("unassigned-search-label"), |by| lang.text(group_key(by)));
        chips.push(Chip { text: format!("{label}: {shown}"), without: asked.link(PATH, &[(name, "")]) });
    }
    chips
}

/// What can be chosen.
pub(super) fn choices(lang: Lang, asked: &Asked, reporters: &BTreeMap<String, String>) -> Choices {
    let choose = |name: &str, any: String, values: Vec<(String, String)>| -> Vec<Choice> {
        let choice =
            |(value, text): (String, String)| Choice { chosen: value == asked.get(name), value, text };
        std::iter::once((String::new(), any)).chain(values).map(choice).collect()
    };
    let any = || lang.text("unassigned-any");
    let levels = ["premium", "premium_plus", "none"].map(|code| (code.to_owned(), level_text(lang, code)));
    let ages = AGES.map(|age| (age.to_string(), lang.text(&format!("age-{age}"))));
    let ways = GroupBy::ALL.map(|by| (by.as_str().to_owned(), lang.text(group_key(by))));
    let reporters = reporters.iter().map(|(id, name)| (id.clone(), name.clone())).collect();
    let shown = asked.columns();
    let column_key = |column: &str| match column {
        LAST_SEEN => "last-seen".to_owned(),
        _ => format!("unassigned-{}", column.replace('_', "-")),
    };
    Choices {
        texts: [GroupBy::EndCustomer, GroupBy::Invoice, GroupBy::Order, GroupBy::Model]
            .map(|by| (by.as_str(), lang.text(group_key(by)), asked.get(by.as_str()).to_owned()))
            .into(),
        selects: vec![
            (
                "group",
                lang.text("unassigned-group"),
                choose("group", lang.text("unassigned-no-group"), ways.into()),
            ),
            ("support_level", lang.text("unassigned-level"), choose("support_level", any(), levels.into())),
            ("age", lang.text("unassigned-age"), choose("age", any(), ages.into())),
            ("reporter", lang.text("unassigned-reported-by"), choose("reporter", any(), reporters)),
        ],
        columns: COLUMNS
            .map(|column| Choice {
                value: column.to_owned(),
                text: lang.text(&column_key(column)),
                chosen: shown.contains(&column),
            })
            .into(),
    }
}

/// The rows of a page, with when each PC was last seen if that was asked. PCs of one report mostly came within one minute,
/// which is written once.
fn rows_of(
    lang: Lang,
    pcs: Vec<Unassigned>,
    senders: &HashMap<Uuid, String>,
    seen: Option<&HashMap<Uuid, i64>>,
) -> Vec<Row> {
    let never = lang.text("never-seen");
    let seen_of = |pc: &Unassigned| {
        seen.map(|seen| seen.get(&pc.id).map_or_else(|| never.clone(), |at| instant(lang, Micros(*at))))
    };
    let mut rows: Vec<Row> = Vec::with_capacity(pcs.len());
    let mut last = None;
    for mut pc in pcs {
        let sender = pc.report.and_then(|report| senders.get(&report));
        pc.reporter_name = pc.reporter_name.or_else(|| sender.cloned());
        let minute = pc.since - pc.since.rem_euclid(60_000_000);
        let since = match rows.last().filter(|_| last == Some(minute)) {
            Some(before) => (before.since.clone(), before.since_machine.clone()),
            None => (instant(lang, Micros(minute)), Micros(minute).rfc3339()),
        };
        last = Some(minute);
        let seen = seen_of(&pc).unwrap_or_default();
        rows.push(row(lang, pc, since, seen));
    }
    rows
}

fn row(lang: Lang, pc: Unassigned, (since, since_machine): (String, String), seen: String) -> Row {
    let level = pc.support_level.as_deref().and_then(SupportLevel::from_code);
    Row {
        link: super::device::path_of(&pc.serial),
        order: pc.order(),
        serial: pc.serial,
        model: pc.model,
        product_number: pc.product_number,
        level: level.map(|level| (level.as_str(), level.name())),
        end_customer: pc.buyer_name.unwrap_or_default(),
        invoice: pc.invoice.unwrap_or_default(),
        sold_on: pc.sold_on.map_or_else(String::new, |day| stored_date(lang, &day)),
        reported_by: pc.reporter_name.unwrap_or_default(),
        since,
        since_machine,
        seen,
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
    use super::*;

    #[test]
    fn shares_are_grouped_by_report_and_pending_ones_summed() {
        let share = |report, verdict: &str, lines| PartnerShare {
            report: Uuid::from_u128(report),
            reporter: Uuid::from_u128(9),
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

    #[test]
    fn an_address_is_read_tidied_and_written_again() {
        let asked =
            Asked::read("q=+M%26x+&model=&columns=model&columns=since&sort=up&group=age&boss=1").tidied();
        assert_eq!(asked.link(PATH, &[]), "/unassigned-devices?columns=model%2Csince&group=age&q=M%26x");
        assert_eq!(
            asked.link(PATH, &[("group", ""), ("q", "")]),
            "/unassigned-devices?columns=model%2Csince"
        );
        assert_eq!(asked.columns(), ["model", "since"]);
        assert_eq!(Asked::read("columns=boss&group=boss&cursor=").tidied(), Asked::default());
        let usual = ["model", "level", "end_customer", "invoice", "sold_on", "reported_by", "since"];
        assert_eq!(Asked::read("%%%").columns(), usual);
        let ticked =
            |columns: &[&str]| Asked::read(&format!("columns={}", columns.join("&columns="))).tidied();
        assert_eq!(ticked(&usual), Asked::default());
        assert_eq!(ticked(&COLUMNS).columns(), COLUMNS);
    }

    #[test]
    fn a_group_without_a_value_opens_what_has_none() {
        let group = |value: &str| Group {
            value: value.to_owned(),
            devices: 1,
            sample: crate::pools::Name { serial: "5CG1".to_owned(), id: Uuid::nil(), since: 0 },
        };
        let asked = Asked::read("q=5cg&group=invoice_number");
        let row = |value| group_row(Lang::En, &asked, GroupBy::Invoice, group(value), None);
        assert_eq!(row("inv-1").link, "/unassigned-devices?invoice_number=inv-1&q=5cg");
        assert_eq!(row("").link, "/unassigned-devices?q=5cg&without=invoice_number");
        assert_eq!(row("inv-1").text, "inv-1");
    }
}
