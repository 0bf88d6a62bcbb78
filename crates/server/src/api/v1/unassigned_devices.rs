//! The partner's pool.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::partner::SupportLevel;
use roadstead_store::page::{MOST, Page};
use roadstead_store::pool::{Reporters, Sort, Unassigned};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, csv, instant, xlsx};
use crate::app::App;
use crate::flows::pool as looks;
use crate::http::{ApiCaller, Problem};
use crate::pools::{Filter, GroupBy, Name};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filters {
    /// Part of the serial, product, model, end customer, invoice or order, in any case.
    q: Option<String>,
    /// This end customer, in any case; so with the invoice, the order and the model.
    end_customer: Option<String>,
    /// This invoice.
    invoice_number: Option<String>,
    /// This order.
    order_number: Option<String>,
    /// This model.
    model: Option<String>,
    /// Reported by this reporter: its id, as the groups tell it.
    reporter: Option<String>,
    /// Entitled to `premium` or `premium_plus` at the most, or to `none`.
    support_level: Option<String>,
    /// In the pool for so many days: `0` (to 7), `8` (to 30), `31` (to 90), `91` (to 365) or `366` (and more).
    age: Option<String>,
    /// Without `end_customer`, `invoice_number`, `order_number` or `model`, several with commas between.
    without: Option<String>,
    /// In the pool since this instant (RFC 3339) or day.
    reported_after: Option<String>,
    /// In the pool since before this instant or day.
    reported_before: Option<String>,
    /// `serial_number` or `-since` (what came last first).
    sort: Option<String>,
    /// `csv` or `xlsx` for the whole list as a file.
    format: Option<String>,
    /// `true` to have `last_seen` told, too.
    #[serde(default)]
    last_seen: bool,
}

impl Filters {
    fn filter(&self, app: &App) -> Result<Filter, Problem> {
        let get = |name: &str| -> Option<String> {
            match name {
                "q" => &self.q,
                "end_customer" => &self.end_customer,
                "invoice_number" => &self.invoice_number,
                "order_number" => &self.order_number,
                "model" => &self.model,
                "reporter" => &self.reporter,
                "support_level" => &self.support_level,
                "age" => &self.age,
                "without" => &self.without,
                "reported_after" => &self.reported_after,
                "reported_before" => &self.reported_before,
                _ => &None,
            }
            .clone()
        };
        Filter::read(&get, app.ambient.now()).map_err(|(code, field)| Problem::field(code, field))
    }

    fn sort(&self) -> Result<Sort, Problem> {
        match self.sort.as_deref() {
            None | Some("" | "serial_number") => Ok(Sort::Serial),
            Some("-since") => Ok(Sort::Newest),
            Some(_) => Err(Problem::field("field.unknown_value", "sort")),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceBody {
    id: Uuid,
    serial_number: String,
    product_number: String,
    model: String,
    /// `premium`, `premium_plus` or null.
    support_level: Option<String>,
    end_customer: String,
    invoice_number: String,
    order_number: String,
    /// The day of the sale.
    sold_on: Option<String>,
    /// The reporter's name.
    reported_by: Option<String>,
    /// When it came into the pool.
    since: String,
    /// When its agent last said how it is; null if it never has. Only if it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    last_seen: Option<Option<String>>,
}

/// When PCs were last seen, in microseconds, where that is asked for.
type LastSeen = Option<HashMap<Uuid, i64>>;

async fn last_seen(
    app: &App,
    scope: &Scope,
    is_asked: bool,
    pcs: &[Unassigned],
) -> Result<LastSeen, Problem> {
    Ok(if is_asked { Some(looks::last_seen(app, scope, pcs).await?) } else { None })
}

impl DeviceBody {
    fn of(pc: Unassigned, seen: &LastSeen) -> Self {
        Self {
            last_seen: seen.as_ref().map(|seen| seen.get(&pc.id).copied().map(instant)),
            order_number: pc.order(),
            id: pc.id,
            serial_number: pc.serial,
            product_number: pc.product_number,
            model: pc.model,
            support_level: pc.support_level,
            end_customer: pc.buyer_name.unwrap_or_default(),
            invoice_number: pc.invoice.unwrap_or_default(),
            sold_on: pc.sold_on,
            reported_by: pc.reporter_name,
            since: instant(pc.since),
        }
    }
}

/// List the PCs of the partner's holding tenant that are not yet in a customer tenant.
#[utoipa::path(
    get, path = "/unassigned-devices", tag = "unassigned devices", params(Filters, PageQuery),
    responses((status = 200, body = ListOf<DeviceBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(filters): Query<Filters>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ReadUnassigned)?;
    let (filter, sort) = (filters.filter(&app)?, filters.sort()?);
    match filters.format.as_deref() {
        None | Some("" | "json") => {
            let found = looks::list(&app, &scope, &filter, sort, &page.into(), Reporters::ByName).await?;
            let rows = found.ok_or_else(Problem::cursor)?.rows;
            let seen = last_seen(&app, &scope, filters.last_seen, &rows.items).await?;
            Ok(Json(ListOf::from_rows(rows, |pc| DeviceBody::of(pc, &seen))).into_response())
        }
        Some("csv") => {
            let walk = Walk::begin(&app, &scope, &filter, sort, filters.last_seen).await?;
            let head = csv::row(walk.head().iter().copied());
            csv::stream("unassigned-devices.csv", head, walk, |walk| async move {
                let (rows, next) = walk.step().await?;
                let rows: Vec<Vec<u8>> =
                    rows.iter().map(|cells| csv::row(cells.iter().map(String::as_str))).collect();
                Ok((rows.concat(), next))
            })
            .await
        }
        Some("xlsx") => {
            let walk = Walk::begin(&app, &scope, &filter, sort, filters.last_seen).await?;
            let head = walk.head();
            xlsx::stream(&app, "unassigned-devices.xlsx", head, walk, Walk::step).await
        }
        Some(_) => Err(Problem::field("field.unknown_value", "format")),
    }
}

/// The last one only where it is asked for.
static HEAD: [&str; 11] = [
    "Serial Number",
    "Product Number",
    "Model",
    "Support Level",
    "End Customer",
    "Invoice Number",
    "Order Number",
    "Sold On",
    "Reported By",
    "Unassigned Since",
    "Last Seen",
];

fn cells(pc: &Unassigned, seen: &LastSeen) -> Vec<String> {
    let level = pc.support_level.as_deref().and_then(SupportLevel::from_code);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut cells = vec![
        pc.serial.clone(),
        pc.product_number.clone(),
        pc.model.clone(),
        level.map_or("", SupportLevel::name).to_owned(),
        text(&pc.buyer_name),
        text(&pc.invoice),
        pc.order(),
        text(&pc.sold_on),
        text(&pc.reporter_name),
        instant(pc.since),
    ];
    if let Some(seen) = seen {
        cells.push(seen.get(&pc.id).copied().map_or_else(String::new, instant));
    }
    cells
}

/// Where an export is: the whole pool goes by cursor, a filtered one by the names that passed at its beginning.
struct Walk {
    app: App,
    scope: Scope,
    sort: Sort,
    last_seen: bool,
    at: At,
}

enum At {
    Page(Page),
    Names(std::vec::IntoIter<Name>),
}

impl Walk {
    async fn begin(
        app: &App,
        scope: &Scope,
        filter: &Filter,
        sort: Sort,
        last_seen: bool,
    ) -> Result<Self, Problem> {
        let at = if filter.is_empty() {
            At::Page(Page { limit: Some(MOST), cursor: None })
        } else {
            At::Names(looks::names(app, scope, filter, sort).await?.into_iter())
        };
        Ok(Self { app: app.clone(), scope: *scope, sort, last_seen, at })
    }

    fn head(&self) -> &'static [&'static str] {
        if self.last_seen { &HEAD } else { &HEAD[..HEAD.len() - 1] }
    }

    /// The cells of the next rows, and where to go on.
    async fn step(self) -> Result<(Vec<Vec<String>>, Option<Self>), Problem> {
        let (app, scope, is_asked) = (self.app.clone(), self.scope, self.last_seen);
        let (pcs, next) = self.pcs().await?;
        let seen = last_seen(&app, &scope, is_asked, &pcs).await?;
        Ok((pcs.iter().map(|pc| cells(pc, &seen)).collect(), next))
    }

    /// The next PCs, and where to go on.
    async fn pcs(mut self) -> Result<(Vec<Unassigned>, Option<Self>), Problem> {
        match &mut self.at {
            At::Page(page) => {
                let found = looks::list(
                    &self.app,
                    &self.scope,
                    &Filter::default(),
                    self.sort,
                    page,
                    Reporters::ByName,
                )
                .await?;
                let rows = found.ok_or_else(Problem::cursor)?.rows;
                let next = rows.next_cursor.map(|cursor| {
                    let page = Page { limit: Some(MOST), cursor: Some(cursor) };
                    Self { at: At::Page(page), ..self }
                });
                Ok((rows.items, next))
            }
            At::Names(names) => {
                let some: Vec<Name> = names.by_ref().take(1000).collect();
                let today = self.app.ambient.now().date();
                let rows = looks::in_full(&self.app, &self.scope, &some, today).await?;
                Ok((rows, (some.len() == 1000).then_some(self)))
            }
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Grouping {
    /// `end_customer`, `invoice_number`, `order_number`, `reporter`, `model`, `support_level` or `age`.
    by: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupBody {
    /// The value that opens the group as a filter; empty for PCs without one (`without`).
    value: String,
    /// The same as it was written in a report.
    name: String,
    /// How many PCs.
    devices: u64,
}

/// Group the PCs of the pool, largest group first; ages go by time.
#[utoipa::path(
    get, path = "/unassigned-devices/groups", tag = "unassigned devices", params(Grouping, Filters, PageQuery),
    responses((status = 200, body = ListOf<GroupBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn groups(
    State(app): State<App>,
    caller: ApiCaller,
    Query(grouping): Query<Grouping>,
    Query(filters): Query<Filters>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<GroupBody>>, Problem> {
    let scope = caller.may(Action::ReadUnassigned)?;
    let by = GroupBy::from_code(&grouping.by).ok_or_else(|| Problem::field("field.unknown_value", "by"))?;
    let filter = filters.filter(&app)?;
    let page: Page = page.into();
    let skip = page.after::<usize>().map_err(|_| Problem::cursor())?.unwrap_or(0);
    let most = usize::try_from(page.rows()).unwrap_or(1);
    let found = looks::groups(&app, &scope, &filter, by, skip, most).await?;
    let next = skip + most;
    let next_cursor = (found.all > next as u64).then(|| hex::encode(next.to_string()));
    let items = found.items.into_iter().map(|(group, written)| GroupBody {
        name: written.unwrap_or_else(|| group.value.clone()),
        value: group.value,
        devices: group.devices,
    });
    Ok(Json(ListOf { items: items.collect(), next_cursor }))
}
