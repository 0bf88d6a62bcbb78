//! Transfers: what was moved, a list to paste, and one transfer from its preview to its undo.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{OperationId, TransferId};
use roadstead_domain::transfer::{MOST_ROWS, Reason, Verdict};
use roadstead_store::page::{MOST, Page};
use roadstead_store::pool::{Reporters, Sort};
use roadstead_store::transfers::{self as rows, Item, Transfer};
use roadstead_store::{Tx, operations};
use serde::Deserialize;

use super::customers::targets;
use super::format::{instant, link, number};
use super::layout::{Entry, Frame};
use super::pager::{Pager, page_at};
use super::receipt::ReceiptView;
use super::unassigned;
use crate::app::App;
use crate::flows::transfers::{self, How};
use crate::flows::{Refused, pool as looks};
use crate::http::{Browser, Form, Problem};
use crate::i18n::Lang;

const PATH: &str = "/transfers";
/// The most rows that the preview of an undo shows, conflicts first; the API gives all.
const SHOWN: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    verdict: String,
    undo: String,
}

/// The result of an operation that failed: what the transfer went back to, and why.
#[derive(Debug, Deserialize)]
struct Failure {
    state: String,
    code: String,
    rows: Vec<i64>,
}

/// A transfer as the list shows it.
pub(super) struct Summary {
    pub(super) link: String,
    pub(super) at: String,
    pub(super) at_machine: String,
    pub(super) rows: String,
    pub(super) moved: String,
    /// The state's mood and text.
    pub(super) state: (&'static str, String),
}

/// The list.
#[derive(Template)]
#[template(path = "transfers.html")]
pub(super) struct TransfersPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) rows: Vec<Summary>,
    pub(super) pager: Pager,
    pub(super) may_move: bool,
}

/// The page on which a list of serials is pasted.
#[derive(Template)]
#[template(path = "transfer_new.html")]
pub(super) struct NewPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) serials: String,
    pub(super) to: String,
    pub(super) targets: Vec<(String, String)>,
    /// What is wrong with what was sent: its text and advice.
    pub(super) fault: Option<(String, String)>,
}

/// A reason in words.
pub(super) struct ReasonView {
    pub(super) blocks: bool,
    pub(super) text: String,
    pub(super) advice: String,
}

/// A row of a transfer as the page shows it.
pub(super) struct RowView {
    pub(super) line: i64,
    pub(super) serial: String,
    pub(super) from: String,
    pub(super) to: String,
    /// The verdict's or result's mood and text.
    pub(super) state: (&'static str, String),
    pub(super) reasons: Vec<ReasonView>,
}

/// Since when a transfer has been under way.
pub(super) struct Since {
    pub(super) text: String,
    /// How many seconds that is.
    pub(super) seconds: i64,
    /// What the script writes while it counts on, with a place for the time.
    pub(super) counted: String,
}

impl Since {
    fn new(lang: Lang, at: Micros, now: Micros) -> Self {
        Self {
            text: lang.text_with("transfer-asked-at", &[("at", instant(lang, at).into())]),
            seconds: (now.0 - at.0).max(0) / 1_000_000,
            counted: lang.text_with("transfer-so-far", &[("time", "{time}".into())]),
        }
    }
}

/// What the page shows of a transfer, also alone as the live fragment.
#[derive(Template)]
#[template(path = "transfer_body.html")]
pub(super) struct Body {
    pub(super) lang: Lang,
    pub(super) csrf: String,
    pub(super) path: String,
    pub(super) digest: String,
    pub(super) state: (&'static str, String),
    /// What the state means.
    pub(super) meaning: String,
    pub(super) runs: bool,
    pub(super) since: Option<Since>,
    /// Label, number and link of each kind of rows.
    pub(super) tabs: Vec<(String, String, String, bool)>,
    /// The address of these rows as a file.
    pub(super) file: String,
    pub(super) rows: Vec<RowView>,
    pub(super) pager: Pager,
    /// "Move 12 PCs", if that can be done.
    pub(super) commit: Option<String>,
    /// Whether blocked rows would be left out.
    pub(super) leaves_out: Option<String>,
    /// Of how many PCs nothing shows that the customer has them.
    pub(super) warned: Option<String>,
    /// How many PCs an undo would leave where they are.
    pub(super) stays: Option<String>,
    /// That not all rows of an undo's preview are shown.
    pub(super) cut: Option<String>,
    /// The address of the undo's preview, if there can be one.
    pub(super) to_undo: Option<String>,
    /// "Take 12 PCs back", on the undo's preview.
    pub(super) undo: Option<String>,
    /// What became of the PCs' data, at the commit and at the undo.
    pub(super) receipts: Vec<ReceiptView>,
    /// What was refused a moment ago, or came to nothing in the background: text, advice and the rows.
    pub(super) refused: Option<(String, String, Vec<String>)>,
}

/// A transfer's page.
#[derive(Template)]
#[template(path = "transfer.html")]
pub(super) struct TransferPage {
    pub(super) frame: Frame,
    pub(super) lang: Lang,
    pub(super) body: Body,
}

/// Why the last try in the background came to nothing, unless something else has been done since.
async fn why_not(
    tx: &mut Tx,
    scope: &Scope,
    lang: Lang,
    transfer: &Transfer,
) -> Result<Option<(String, String, Vec<String>)>, Problem> {
    let Some(id) = transfer.operation else { return Ok(None) };
    let failed = operations::get(tx, scope, OperationId(id)).await?.filter(|tried| tried.state == "failed");
    let result = failed.and_then(|tried| serde_json::from_str::<Failure>(&tried.result?).ok());
    Ok(result.filter(|failure| failure.state == transfer.state).map(|failure| {
        let row = |line: &i64| lang.text_with("file-place-row", &[("row", line.to_string().into())]);
        let (text, advice) = lang.code_said(&failure.code);
        (text, advice, failure.rows.iter().take(20).map(row).collect())
    }))
}

fn state(lang: Lang, transfer: &Transfer) -> (&'static str, String) {
    let mood = match transfer.state.as_str() {
        "committed" => "good",
        "undone" => "plain",
        "failed" => "bad",
        _ => "waiting",
    };
    (mood, lang.text(&format!("transfer-state-{}", transfer.state)))
}

/// Shows the list.
pub(super) async fn show(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadTransfers)?;
    let asked: Asked = super::query(&uri);
    let lang = browser.lang;
    let mut tx = app.store.read(&scope).await?;
    let Some(found) = rows::list(&mut tx, &scope, &page_at(&asked.cursor, Some(25))).await? else {
        return Ok(Redirect::to(PATH).into_response());
    };
    let summary = |transfer: &Transfer| {
        let at = Micros(transfer.committed_at.unwrap_or(transfer.created_at));
        Summary {
            link: format!("{PATH}/{}", transfer.id),
            at: instant(lang, at),
            at_machine: at.rfc3339(),
            rows: number(lang, transfer.items),
            moved: number(lang, transfer.moved),
            state: state(lang, transfer),
        }
    };
    super::page(&TransfersPage {
        frame: Frame::at(&browser, &uri, Entry::Transfers),
        lang,
        rows: found.items.iter().map(summary).collect(),
        pager: Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| link(PATH, &[("cursor", cursor)])),
        may_move: browser.may(Action::Transfer).is_ok(),
    })
}

/// What a form asks to move: ticked serials or a pasted list, or everything that passes the pool's filter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    serials: String,
    to: String,
    /// Set if everything that passes the filter is meant.
    whole: String,
    /// The query of the pool's page.
    filter: String,
}

/// Shows the page on which a list is pasted.
pub(super) async fn new(State(app): State<App>, browser: Browser, uri: Uri) -> Result<Response, Problem> {
    let scope = browser.may(Action::Transfer)?;
    // A link may bring the serials with it.
    let wanted = Wanted { filter: String::new(), ..super::query(&uri) };
    paste(&app, &browser, &scope, &uri, wanted, None).await
}

async fn paste(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    uri: &Uri,
    wanted: Wanted,
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let lang = browser.lang;
    let mut tx = app.store.read(scope).await?;
    let page = NewPage {
        frame: Frame::of(browser, uri, Entry::Transfers, lang.text("transfer-new")),
        lang,
        csrf: browser.session.csrf.clone(),
        serials: wanted.serials,
        to: wanted.to,
        targets: targets(&mut tx, scope, lang).await?,
        fault: fault.map(|code| lang.code_said(code)),
    };
    super::form(&page, fault.is_some())
}

/// Makes a preview of what a form asks for.
pub(super) async fn preview(
    State(app): State<App>,
    browser: Browser,
    uri: Uri,
    Form(mut wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::Transfer)?;
    if !wanted.whole.is_empty() {
        wanted.serials = whole_group(&app, &scope, &wanted.filter).await?;
    }
    let made = match transfers::lists::read_form(&wanted.serials, wanted.to.trim()) {
        Ok(asked) => transfers::preview(&app, &scope, &asked).await,
        Err(refused) => Err(refused),
    };
    match made {
        Ok((id, _)) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        Err(Refused::Invalid { code, .. }) => paste(&app, &browser, &scope, &uri, wanted, Some(code)).await,
        Err(refused) => Err(refused.into()),
    }
}

/// The serials of everything that passes the pool's filter, a line each.
async fn whole_group(app: &App, scope: &Scope, query: &str) -> Result<String, Problem> {
    let filter = unassigned::filter_of(query, app.ambient.now())
        .ok_or_else(|| Problem::field("field.unknown_value", "filter"))?;
    let (mut serials, mut cursor) = (String::new(), None);
    let mut count = 0;
    loop {
        let page = Page { limit: Some(MOST), cursor };
        let Some(found) = looks::list(app, scope, &filter, Sort::Serial, &page, Reporters::ByReport).await?
        else {
            break;
        };
        for pc in &found.rows.items {
            serials.push_str(&pc.serial);
            serials.push('\n');
        }
        count += found.rows.items.len();
        cursor = found.rows.next_cursor;
        if cursor.is_none() || count > MOST_ROWS {
            break;
        }
    }
    Ok(serials)
}

/// Shows a transfer.
pub(super) async fn one(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::ReadTransfers)?;
    render(&app, &browser, &scope, &headers, &id, &uri, None).await
}

async fn render(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    headers: &HeaderMap,
    id: &str,
    uri: &Uri,
    refused: Option<Refused>,
) -> Result<Response, Problem> {
    let asked: Asked = super::query(uri);
    let lang = browser.lang;
    let mut tx = app.store.read(scope).await?;
    let transfer = transfers::found(&mut tx, scope, id).await?;
    let path = format!("{PATH}/{}", transfer.id);
    let may_move = browser.may(Action::Transfer).is_ok();
    let places: Vec<_> = targets(&mut tx, scope, lang).await?;
    let by_tenant: std::collections::HashMap<_, _> = rows::targets(&mut tx, scope)
        .await?
        .into_iter()
        .map(|(to, target)| {
            let name = places.iter().find(|(value, _)| *value == to).map_or(to, |(_, name)| name.clone());
            (target.tenant().0, name)
        })
        .collect();
    let name_of = |tenant: Option<uuid::Uuid>| {
        tenant.map_or_else(String::new, |id| {
            by_tenant.get(&id).cloned().unwrap_or_else(|| lang.text("transfer-elsewhere"))
        })
    };
    let undoes = asked.undo == "1" && transfer.state == "committed";
    let only = match asked.verdict.as_str() {
        "ready" => Some(Verdict::Ready),
        "blocked" => Some(Verdict::Blocked),
        _ => None,
    };
    let (views, pager, undo, stays) = if undoes {
        let judged = transfers::preview_undo(app, &mut tx, scope, &transfer).await?;
        let ready = judged.iter().filter(|(_, row)| row.verdict() == Verdict::Ready).count();
        // Conflicts first: they are what there is to decide about.
        let (blocked, fine): (Vec<_>, Vec<_>) =
            judged.into_iter().partition(|(_, row)| row.verdict() == Verdict::Blocked);
        let stays = i64::try_from(blocked.len()).unwrap_or(0);
        let views = blocked
            .into_iter()
            .chain(fine)
            .take(SHOWN)
            .map(|(line, row)| RowView {
                line,
                from: name_of(row.from.map(|id| id.0)),
                to: name_of(row.to.map(|id| id.0)),
                state: verdict(lang, row.verdict()),
                reasons: row.reasons.iter().map(|reason| reason_view(lang, *reason)).collect(),
                serial: row.serial,
            })
            .collect();
        (views, Pager::new(lang, "", None, |_| path.clone()), Some(ready), stays)
    } else {
        let page = page_at(&asked.cursor, Some(100));
        let Some(found) = rows::items(&mut tx, scope, TransferId(transfer.id), only, &page).await? else {
            return Ok(Redirect::to(&path).into_response());
        };
        let view = |item: Item| RowView {
            line: item.line,
            from: name_of(item.from_tenant),
            to: if item.to_tenant.is_some() { name_of(item.to_tenant) } else { item.target.clone() },
            state: result(lang, &item),
            // What there was to think of has been thought of once the PC is moved.
            reasons: item
                .codes()
                .filter_map(Reason::from_code)
                .filter(|reason| reason.blocks() || transfer.state == "previewed")
                .map(|reason| reason_view(lang, reason))
                .collect(),
            serial: item.serial,
        };
        let pager = Pager::new(lang, &asked.cursor, found.next_cursor, |cursor| {
            link(&path, &[("verdict", &asked.verdict), ("cursor", cursor)])
        });
        (found.items.into_iter().map(view).collect(), pager, None, 0)
    };
    let count = |key: &str, n: i64| {
        let count = number(lang, n);
        lang.text_with(key, &[("n", n.into()), ("count", count.as_str().into())])
    };
    let shown = i64::try_from(SHOWN).unwrap_or(i64::MAX);
    let previewed = transfer.state == "previewed";
    let undoable = transfer.committed_at.is_some_and(|at| {
        transfer.state == "committed"
            && roadstead_domain::transfer::is_undoable(Micros(at), app.ambient.now())
    });
    let tab = |key: &str, verdict: &str, n: i64| {
        let current = asked.verdict == verdict;
        (lang.text(key), number(lang, n), link(&path, &[("verdict", verdict)]), current)
    };
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let refused = refused.map(|refused| {
        let rows = match &refused {
            Refused::Rows { rows, .. } => {
                rows.iter().take(20).map(|(line, serial)| format!("{line}: {serial}")).collect()
            }
            _ => Vec::new(),
        };
        (lang.code_text(refused.code()), lang.code_advice(refused.code()), rows)
    });
    let refused = match refused {
        None if !undoes => why_not(&mut tx, scope, lang, &transfer).await?,
        refused => refused,
    };
    let (at_commit, at_undo) = if undoes { (None, None) } else { transfer.receipts() };
    let receipts = [("undo", at_undo), ("transfer", at_commit)];
    let receipts =
        receipts.into_iter().filter_map(|(of, receipt)| Some(ReceiptView::new(lang, of, &receipt?)));
    let runs = matches!(transfer.state.as_str(), "committing" | "undoing");
    let since = match transfer.operation.filter(|_| runs) {
        Some(id) => operations::get(&mut tx, scope, OperationId(id))
            .await?
            .map(|work| Since::new(lang, Micros(work.created_at), app.ambient.now())),
        None => None,
    };
    let key = if undoes { "undo-preview" } else { transfer.state.as_str() };
    let body = Body {
        lang,
        csrf: browser.session.csrf.clone(),
        digest: hex::encode(&transfer.digest),
        state: state(lang, &transfer),
        meaning: lang.text(&format!("transfer-means-{key}")),
        runs,
        since,
        tabs: if undoes {
            Vec::new()
        } else {
            vec![
                tab("transfer-all", "", transfer.items),
                tab("transfer-ready", "ready", transfer.ready),
                tab("transfer-blocked", "blocked", transfer.blocked),
            ]
        },
        file: link(&format!("/api/v1{path}/items"), &[("format", "csv"), ("verdict", &asked.verdict)]),
        rows: views,
        pager,
        commit: (previewed && may_move && transfer.ready > 0)
            .then(|| count("transfer-commit", transfer.ready)),
        leaves_out: (previewed && transfer.blocked > 0)
            .then(|| count("transfer-leaves-out", transfer.blocked)),
        warned: (previewed && transfer.warned > 0).then(|| count("transfer-warned", transfer.warned)),
        stays: (stays > 0).then(|| count("transfer-undo-stays", stays)),
        cut: (undo.is_some() && transfer.moved > shown).then(|| count("transfer-undo-cut", shown)),
        to_undo: (undoable && may_move && !undoes).then(|| link(&path, &[("undo", "1")])),
        undo: undo
            .filter(|ready| *ready > 0 && may_move)
            .map(|ready| count("transfer-undo", i64::try_from(ready).unwrap_or(0))),
        receipts: receipts.collect(),
        refused,
        path,
    };
    if super::wants_list(headers) {
        return super::page(&body);
    }
    let frame = Frame::of(browser, uri, Entry::Transfers, lang.text("transfer-one"));
    let page = super::page(&TransferPage { frame, lang, body })?;
    Ok((status, page).into_response())
}

fn verdict(lang: Lang, verdict: Verdict) -> (&'static str, String) {
    let mood = if verdict == Verdict::Ready { "good" } else { "bad" };
    (mood, lang.text(&format!("transfer-row-{}", verdict.as_str())))
}

fn result(lang: Lang, item: &Item) -> (&'static str, String) {
    match item.result.as_deref() {
        Some(result @ ("moved" | "undone" | "left_out")) => {
            let mood = if result == "moved" { "good" } else { "plain" };
            (mood, lang.text(&format!("transfer-row-{}", result.replace('_', "-"))))
        }
        _ if item.verdict == Verdict::Ready.as_str() => verdict(lang, Verdict::Ready),
        _ => verdict(lang, Verdict::Blocked),
    }
}

fn reason_view(lang: Lang, reason: Reason) -> ReasonView {
    let code = reason.code();
    ReasonView { blocks: reason.blocks(), text: lang.code_text(code), advice: lang.code_advice(code) }
}

/// What a commit or undo carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Confirmed {
    digest: String,
    good_rows_only: String,
}

/// Carries a preview out.
pub(super) async fn commit(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(confirmed): Form<Confirmed>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::Transfer)?;
    let how = How { good_rows_only: !confirmed.good_rows_only.is_empty(), in_background: false };
    let done = transfers::commit(&app, &scope, &id, &confirmed.digest, how).await;
    after(&app, &browser, &scope, &id, &uri, done.map(|_| ())).await
}

/// Takes a transfer back.
pub(super) async fn undo(
    State(app): State<App>,
    browser: Browser,
    Path(id): Path<String>,
    uri: Uri,
    Form(_): Form<Confirmed>,
) -> Result<Response, Problem> {
    let scope = browser.may(Action::Transfer)?;
    // The page has shown which rows stay where they are.
    let how = How { good_rows_only: true, in_background: false };
    let done = transfers::undo(&app, &scope, &id, how).await;
    after(&app, &browser, &scope, &id, &uri, done.map(|_| ())).await
}

async fn after(
    app: &App,
    browser: &Browser,
    scope: &Scope,
    id: &str,
    uri: &Uri,
    done: Result<(), Refused>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        Err(refused @ (Refused::Conflict(_) | Refused::Rows { .. })) => {
            render(app, browser, scope, &HeaderMap::new(), id, uri, Some(refused)).await
        }
        Err(refused) => Err(refused.into()),
    }
}
