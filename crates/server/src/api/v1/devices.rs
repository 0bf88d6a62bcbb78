//! One PC by its serial.

use axum::Json;
use axum::extract::{Path, Query, State};
use roadstead_domain::access::Action;
use roadstead_domain::clock::Micros;
use roadstead_domain::partner::SupportLevel;
use roadstead_store::devices::{Device, Moved, Right};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, instant};
use crate::app::App;
use crate::flows::devices::{self, Seen};
use crate::http::{ApiCaller, Problem};
use crate::pools::read_instant;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Needed where two manufacturers use the serial.
    pub(super) manufacturer: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceBody {
    id: Uuid,
    serial_number: String,
    /// Null for the platform's own.
    manufacturer: Option<String>,
    product_number: Option<String>,
    model: Option<String>,
    /// `premium`, `premium_plus` or null: the highest level of today.
    support_level: Option<&'static str>,
    entitlements: Vec<EntitlementBody>,
    placement: PlacementBody,
    end_customer: Option<String>,
    invoice_number: Option<String>,
    order_number: Option<String>,
    #[schema(format = Date)]
    sold_on: Option<String>,
    #[schema(format = Date)]
    shipped_on: Option<String>,
    reported_by: Option<String>,
    /// When its agent last said how it is; null if it never has.
    last_seen: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntitlementBody {
    support_level: String,
    #[schema(format = Date)]
    starts_on: String,
    /// The first day on which it no longer holds.
    #[schema(format = Date)]
    ends_on: String,
    /// Whether the term is assumed, since none is known for what was sold.
    assumed: bool,
    /// Who reported the sale.
    reported_by: Option<String>,
    /// When the operator corrected the dates.
    corrected_at: Option<String>,
}

impl From<Right> for EntitlementBody {
    fn from(right: Right) -> Self {
        Self {
            support_level: right.support_level,
            starts_on: right.starts_on,
            ends_on: right.ends_on,
            assumed: right.assumed,
            reported_by: right.reporter_name,
            corrected_at: right.corrected_at.map(instant),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlacementBody {
    /// `unassigned`, `customer`, or `none` once the PC has left the partner.
    kind: &'static str,
    /// The customer's name.
    customer: Option<String>,
    tenant: Option<Uuid>,
    /// Counted up with each move; 0 before the first one.
    generation: i64,
    since: Option<String>,
}

impl PlacementBody {
    fn now(device: Option<&Device>, last: Option<&Moved>) -> Self {
        let Some(device) = device else { return Self::of(last) };
        Self {
            kind: place(Some(&device.tenant_kind)),
            customer: Some(device.tenant_name.clone()).filter(|_| device.tenant_kind == "customer"),
            tenant: Some(device.tenant),
            generation: device.generation,
            since: Some(instant(device.since)),
        }
    }

    fn of(moved: Option<&Moved>) -> Self {
        let Some(moved) = moved else {
            return Self { kind: "none", customer: None, tenant: None, generation: 0, since: None };
        };
        Self {
            kind: place(moved.to_kind.as_deref()),
            customer: moved.to_name.clone().filter(|_| moved.to_kind.as_deref() == Some("customer")),
            tenant: moved.to_tenant,
            generation: moved.generation,
            since: Some(instant(moved.at)),
        }
    }
}

fn place(kind: Option<&str>) -> &'static str {
    match kind {
        Some("holding") => "unassigned",
        Some("customer") => "customer",
        _ => "none",
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MoveBody {
    /// `unassigned`, `customer` or `none`.
    from: &'static str,
    from_customer: Option<String>,
    /// The same.
    to: &'static str,
    to_customer: Option<String>,
    generation: i64,
    /// What was reported: `sale`, `return`, `correction` or `void`.
    transaction: Option<String>,
    /// What moved it where it was no report: `transfer`, `undo`, `decline` or `enrolment`.
    cause: Option<String>,
    reported_by: Option<String>,
    at: String,
}

impl From<Moved> for MoveBody {
    fn from(moved: Moved) -> Self {
        let customer = |kind: &Option<String>, name: Option<String>| {
            name.filter(|_| kind.as_deref() == Some("customer"))
        };
        Self {
            from: place(moved.from_kind.as_deref()),
            to: place(moved.to_kind.as_deref()),
            from_customer: customer(&moved.from_kind, moved.from_name),
            to_customer: customer(&moved.to_kind, moved.to_name),
            generation: moved.generation,
            transaction: moved.transaction_kind,
            cause: moved.cause,
            reported_by: moved.reporter_name,
            at: instant(moved.at),
        }
    }
}

/// A PC that is, or was, in one of the partner's tenants.
#[utoipa::path(
    get, path = "/devices/{serial}", tag = "devices", params(("serial" = String, Path), Which),
    responses((status = 200, body = DeviceBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(serial): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<DeviceBody>, Problem> {
    let scope = caller.may(Action::ReadDevice)?;
    let seen = devices::find(&app, &scope, &serial, which.manufacturer.as_deref()).await?;
    let today = app.ambient.now().date().to_string();
    let Seen { device, id, serial, manufacturer, rights, last } = seen;
    let held = rights.iter().filter(|right| right.ends_on > today && right.starts_on <= today);
    let level = held.filter_map(|right| SupportLevel::from_code(&right.support_level)).max();
    let of = |text: fn(&Device) -> Option<String>| device.as_ref().and_then(text);
    Ok(Json(DeviceBody {
        id: id.0,
        serial_number: serial,
        manufacturer: Some(manufacturer).filter(|name| !name.is_empty()),
        product_number: of(|device| Some(device.product_number.clone())),
        model: of(|device| Some(device.model.clone())),
        support_level: level.map(SupportLevel::as_str),
        entitlements: rights.into_iter().map(EntitlementBody::from).collect(),
        placement: PlacementBody::now(device.as_ref(), last.as_ref()),
        end_customer: of(|device| device.buyer_name.clone()),
        invoice_number: of(|device| device.invoice.clone()),
        order_number: of(|device| Some(device.order()).filter(|order| !order.is_empty())),
        sold_on: of(|device| device.sold_on.clone()),
        shipped_on: of(|device| device.shipped_on.clone()),
        reported_by: of(|device| device.reporter_name.clone()),
        last_seen: of(|device| device.seen_at.map(instant)),
    }))
}

/// The PC's moves within the partner's reach, newest first.
#[utoipa::path(
    get, path = "/devices/{serial}/history", tag = "devices", params(("serial" = String, Path), Which, PageQuery),
    responses((status = 200, body = ListOf<MoveBody>), (status = 404, body = ProblemBody))
)]
pub(super) async fn history(
    State(app): State<App>,
    caller: ApiCaller,
    Path(serial): Path<String>,
    Query(which): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<MoveBody>>, Problem> {
    let scope = caller.may(Action::ReadDevice)?;
    let seen = devices::find(&app, &scope, &serial, which.manufacturer.as_deref()).await?;
    let rows = devices::history(&app, &scope, seen.id, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, MoveBody::from)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// An instant (RFC 3339) or the beginning of a day; now without it.
    as_of: Option<String>,
}

/// Where the PC was within the partner's reach at an instant.
#[utoipa::path(
    get, path = "/devices/{serial}/placement", tag = "devices", params(("serial" = String, Path), Which, AsOf),
    responses((status = 200, body = PlacementBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn placement(
    State(app): State<App>,
    caller: ApiCaller,
    Path(serial): Path<String>,
    Query(which): Query<Which>,
    Query(asked): Query<AsOf>,
) -> Result<Json<PlacementBody>, Problem> {
    let scope = caller.may(Action::ReadDevice)?;
    let at = match asked.as_of.as_deref().filter(|text| !text.is_empty()) {
        None => Micros(i64::MAX),
        Some(text) => read_instant(text).ok_or_else(|| Problem::field("rejected.date_invalid", "as_of"))?,
    };
    let seen = devices::find(&app, &scope, &serial, which.manufacturer.as_deref()).await?;
    let moved = devices::placed_at(&app, &scope, seen.id, at).await?;
    Ok(Json(PlacementBody::of(moved.as_ref())))
}
