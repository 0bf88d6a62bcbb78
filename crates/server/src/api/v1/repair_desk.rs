//! One's own repair desk: when it works, and its appointments.

use axum::Json;
use axum::extract::{Query, State};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use roadstead_domain::access::{Action, Scope};
use roadstead_store::desk_hours as rows;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ProblemBody, instant};
use crate::app::App;
use crate::flows::desk_hours;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct HoursBody {
    /// An IANA name; empty if the desk has not said.
    time_zone: String,
    /// Monday to Sunday, each `08:00-17:00`, or empty for a day off.
    days: Vec<String>,
}

async fn body(app: &App, scope: &Scope) -> Result<Json<HoursBody>, Problem> {
    let mut tx = app.store.read(scope).await?;
    let hours = rows::own(&mut tx, scope).await?;
    Ok(Json(hours.map_or_else(HoursBody::default, |hours| HoursBody {
        time_zone: hours.zone.iana_name().unwrap_or("UTC").to_owned(),
        days: hours.write().to_vec(),
    })))
}

/// When one's own desk works.
#[utoipa::path(
    get, path = "/repair-desk/hours", tag = "repair cases",
    responses((status = 200, body = HoursBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn hours(State(app): State<App>, caller: ApiCaller) -> Result<Json<HoursBody>, Problem> {
    let scope = caller.may(Action::ReadRepairCases)?;
    body(&app, &scope).await
}

/// Say when one's own desk works. An appointment outside of that has to be confirmed.
#[utoipa::path(
    put, path = "/repair-desk/hours", tag = "repair cases", request_body = HoursBody,
    responses((status = 200, body = HoursBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn set_hours(
    State(app): State<App>,
    caller: ApiCaller,
    Json(hours): Json<HoursBody>,
) -> Result<Json<HoursBody>, Problem> {
    let scope = caller.may(Action::WorkRepairCases)?;
    desk_hours::set(&app, &scope, &hours.time_zone, &hours.days).await?;
    body(&app, &scope).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WeekQuery {
    /// A day of the week, `YYYY-MM-DD`; today's week without it.
    #[serde(default)]
    week: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WeekBody {
    /// The Monday.
    week: String,
    /// The zone in which its days begin.
    time_zone: String,
    items: Vec<AppointmentBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppointmentBody {
    repair_case: Uuid,
    number: String,
    serial_number: String,
    model: String,
    /// Whom to turn to.
    contact: String,
    state: String,
    assignee: Option<String>,
    from: String,
    until: String,
}

/// A week of one's own desk: its appointments, in their order.
#[utoipa::path(
    get, path = "/repair-desk/appointments", tag = "repair cases", params(WeekQuery),
    responses((status = 200, body = WeekBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn appointments(
    State(app): State<App>,
    caller: ApiCaller,
    Query(asked): Query<WeekQuery>,
) -> Result<Json<WeekBody>, Problem> {
    let scope = caller.may(Action::ReadRepairCases)?;
    let day: Option<Date> = match asked.week.as_deref().filter(|day| !day.is_empty()) {
        Some(day) => Some(day.parse().map_err(|_| Problem::field("field.not_a_date", "week"))?),
        None => None,
    };
    let week = desk_hours::week(&app, &scope, day, &TimeZone::UTC).await?;
    let items = week.appointments.into_iter().map(|row| AppointmentBody {
        repair_case: row.id,
        number: row.number,
        serial_number: row.serial,
        model: row.model,
        contact: row.contact_name,
        state: row.state,
        assignee: row.assignee_name,
        from: instant(row.appointment_from),
        until: instant(row.appointment_until),
    });
    Ok(Json(WeekBody {
        week: week.monday.to_string(),
        time_zone: week.zone.iana_name().unwrap_or("UTC").to_owned(),
        items: items.collect(),
    }))
}
