//! Partners and their qualifications, for the operator.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::civil::Date;
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::ids::TenantId;
use roadstead_domain::partner::{PartnerRole, Qualification, Standing, SupportLevel};
use roadstead_store::Tx;
use roadstead_store::partners::{self, Partner, Recorded};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, Reference, created, instant};
use crate::app::App;
use crate::flows::certify;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewPartner {
    name: String,
    /// The number under which reports name it.
    partner_number: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartnerBody {
    id: Uuid,
    name: String,
    partner_number: String,
    /// Null until a qualification is valid.
    holding_tenant: Option<Reference>,
    qualifications: Vec<QualificationBody>,
    created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QualificationBody {
    id: Uuid,
    /// `premium` or `premium_plus`.
    support_level: &'static str,
    /// `resell_and_view_monitor` or `service_delivery`.
    role: &'static str,
    #[schema(value_type = Option<String>, format = Date)]
    course_completed_on: Option<Date>,
    #[schema(value_type = Option<String>, format = Date)]
    certified_on: Option<Date>,
    #[schema(value_type = Option<String>, format = Date)]
    expires_on: Option<Date>,
    /// `course_open`, `not_certified`, `valid` or `lapsed`.
    #[schema(value_type = String)]
    standing: Standing,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewQualification {
    /// `premium` or `premium_plus`.
    support_level: String,
    /// `resell_and_view_monitor` or `service_delivery`.
    role: String,
    #[schema(value_type = Option<String>, format = Date)]
    course_completed_on: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    certified_on: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    expires_on: Option<String>,
}

impl NewQualification {
    fn read(&self) -> Result<Qualification, Problem> {
        let day = |text: &Option<String>, field: &'static str| -> Result<Option<Date>, Problem> {
            match text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
                None => Ok(None),
                Some(text) => {
                    text.parse().map(Some).map_err(|_| Problem::field("rejected.date_invalid", field))
                }
            }
        };
        Ok(Qualification {
            support_level: SupportLevel::from_code(&self.support_level)
                .ok_or_else(|| Problem::field("field.unknown_value", "support_level"))?,
            role: PartnerRole::from_code(&self.role)
                .ok_or_else(|| Problem::field("field.unknown_value", "role"))?,
            course_completed_on: day(&self.course_completed_on, "course_completed_on")?,
            certified_on: day(&self.certified_on, "certified_on")?,
            expires_on: day(&self.expires_on, "expires_on")?,
        })
    }
}

/// Add a partner with its tenant.
#[utoipa::path(
    post, path = "/partners", tag = "partners", request_body = NewPartner,
    responses((status = 201, body = Reference), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<NewPartner>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManagePartners)?;
    let id = certify::create_partner(&app, &scope, &new.partner_number, &new.name).await?;
    Ok(created(id.0))
}

/// List partners by name.
#[utoipa::path(get, path = "/partners", tag = "partners", params(PageQuery), responses((status = 200, body = ListOf<PartnerBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<PartnerBody>>, Problem> {
    let scope = caller.may(Action::ReadPartners)?;
    let mut tx = app.store.read(&scope).await?;
    let rows = partners::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    let mut items = Vec::with_capacity(rows.items.len());
    for partner in rows.items {
        items.push(with_qualifications(&app, &mut tx, &scope, partner).await?);
    }
    Ok(Json(ListOf { items, next_cursor: rows.next_cursor }))
}

/// A partner by id or number.
#[utoipa::path(
    get, path = "/partners/{id}", tag = "partners", params(("id" = String, Path)),
    responses((status = 200, body = PartnerBody), (status = 404, body = ProblemBody))
)]
pub(super) async fn get(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<Json<PartnerBody>, Problem> {
    let scope = caller.may(Action::ReadPartners)?;
    let mut tx = app.store.read(&scope).await?;
    let partner = partners::find(&mut tx, &scope, &id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(with_qualifications(&app, &mut tx, &scope, partner).await?))
}

/// Record a qualification, or renew the one of the same level and role. A valid one opens the holding tenant.
#[utoipa::path(
    post, path = "/partners/{id}/qualifications", tag = "partners", params(("id" = String, Path)),
    request_body = NewQualification,
    responses((status = 201, body = Reference), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub(super) async fn record_qualification(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<String>,
    Json(new): Json<NewQualification>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ManagePartners)?;
    let mut tx = app.store.read(&scope).await?;
    let partner = partners::find(&mut tx, &scope, &id).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    let id = certify::record_qualification(&app, &scope, TenantId(partner.id), &new.read()?).await?;
    Ok(created(id.0))
}

async fn with_qualifications(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    partner: Partner,
) -> Result<PartnerBody, Problem> {
    let today = app.ambient.now().date();
    let recorded = partners::qualifications(tx, scope, &[TenantId(partner.id)]).await?;
    let qualifications = recorded
        .into_iter()
        .map(|Recorded { id, qualification: q, .. }| QualificationBody {
            id: id.0,
            support_level: q.support_level.as_str(),
            role: q.role.as_str(),
            course_completed_on: q.course_completed_on,
            certified_on: q.certified_on,
            expires_on: q.expires_on,
            standing: q.standing(today),
        })
        .collect();
    Ok(PartnerBody {
        id: partner.id,
        name: partner.name,
        partner_number: partner.number,
        holding_tenant: partner.holding.map(|id| Reference { id }),
        qualifications,
        created_at: instant(partner.created_at),
    })
}
