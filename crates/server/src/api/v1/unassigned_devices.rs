//! The partner's pool.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::SupportLevel;
use roadstead_store::page::{MOST, Page};
use roadstead_store::pool::{self, Filter, Sort, Unassigned};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, csv, instant};
use crate::app::App;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filters {
    /// Part of the serial, product, model, end customer or invoice, in any case.
    q: Option<String>,
    /// This model.
    model: Option<String>,
    /// `premium` or `premium_plus`.
    support_level: Option<String>,
    /// In the pool since this instant (RFC 3339) or day.
    reported_after: Option<String>,
    /// `serial_number` or `-since` (what came last first).
    sort: Option<String>,
    /// `csv` for the whole list as a file.
    format: Option<String>,
}

impl Filters {
    fn read(&self) -> Result<(Filter, Sort), Problem> {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let support_level = match text(&self.support_level) {
            None => None,
            Some(code) => Some(
                SupportLevel::from_code(&code)
                    .ok_or_else(|| Problem::field("field.unknown_value", "support_level"))?,
            ),
        };
        let reported_after = match text(&self.reported_after) {
            None => None,
            Some(text) => Some(
                read_instant(&text)
                    .ok_or_else(|| Problem::field("rejected.date_invalid", "reported_after"))?,
            ),
        };
        let sort = match self.sort.as_deref() {
            None | Some("" | "serial_number") => Sort::Serial,
            Some("-since") => Sort::Newest,
            Some(_) => return Err(Problem::field("field.unknown_value", "sort")),
        };
        Ok((Filter { q: text(&self.q), model: text(&self.model), support_level, reported_after }, sort))
    }
}

fn read_instant(text: &str) -> Option<Micros> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(Micros(instant.as_microsecond()));
    }
    let day = text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Micros(day.timestamp().as_microsecond()))
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
    /// The day of the sale.
    sold_on: Option<String>,
    /// The reporter's name.
    reported_by: Option<String>,
    /// When it came into the pool.
    since: String,
}

impl From<Unassigned> for DeviceBody {
    fn from(pc: Unassigned) -> Self {
        Self {
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
    let (filter, sort) = filters.read()?;
    match filters.format.as_deref() {
        None | Some("" | "json") => {
            let mut tx = app.store.read(&scope).await?;
            let today = app.ambient.now().date();
            let rows = pool::list(&mut tx, &scope, &filter, sort, &page.into(), today).await?;
            let rows = rows.ok_or_else(Problem::cursor)?;
            Ok(Json(ListOf::from_rows(rows, DeviceBody::from)).into_response())
        }
        Some("csv") => export(app, scope, filter, sort).await,
        Some(_) => Err(Problem::field("field.unknown_value", "format")),
    }
}

async fn export(app: App, scope: Scope, filter: Filter, sort: Sort) -> Result<Response, Problem> {
    let head = csv::row([
        "Serial Number",
        "Product Number",
        "Model",
        "Support Level",
        "End Customer",
        "Invoice Number",
        "Sold On",
        "Reported By",
        "Unassigned Since",
    ]);
    let start = Page { limit: Some(MOST), cursor: None };
    csv::stream("unassigned-devices.csv", head, start, move |page| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let mut tx = app.store.read(&scope).await?;
            let today = app.ambient.now().date();
            let rows = pool::list(&mut tx, &scope, &filter, sort, &page, today).await?;
            let rows = rows.ok_or_else(Problem::cursor)?;
            let mut text = Vec::new();
            for pc in rows.items {
                let level = pc.support_level.as_deref().and_then(SupportLevel::from_code);
                text.extend(csv::row([
                    pc.serial.as_str(),
                    &pc.product_number,
                    &pc.model,
                    level.map_or("", SupportLevel::name),
                    pc.buyer_name.as_deref().unwrap_or(""),
                    pc.invoice.as_deref().unwrap_or(""),
                    pc.sold_on.as_deref().unwrap_or(""),
                    pc.reporter_name.as_deref().unwrap_or(""),
                    &instant(pc.since),
                ]));
            }
            let next = rows.next_cursor.map(|cursor| Page { limit: Some(MOST), cursor: Some(cursor) });
            Ok((text, next))
        }
    })
    .await
}
