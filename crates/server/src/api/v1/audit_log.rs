//! The log of one's own home.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use roadstead_domain::access::Action;
use roadstead_domain::ids::TenantId;
use roadstead_store::page::MOST;
use roadstead_store::{audit, placements};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, csv, instant};
use crate::app::App;
use crate::flows::devices;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryBody {
    id: Uuid,
    /// `user`, `token` or `system`.
    actor_kind: String,
    actor: Option<Uuid>,
    /// A stable code.
    action: String,
    subject: Option<Uuid>,
    detail: serde_json::Value,
    created_at: String,
}

/// List the log, newest first.
#[utoipa::path(get, path = "/audit-log", tag = "audit log", params(PageQuery), responses((status = 200, body = ListOf<EntryBody>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(page): Query<PageQuery>,
) -> Result<Json<ListOf<EntryBody>>, Problem> {
    let scope = caller.may(Action::ReadAudit)?;
    let mut tx = app.store.read(&scope).await?;
    let rows = audit::list(&mut tx, &scope, &page.into()).await?.ok_or_else(Problem::cursor)?;
    Ok(Json(ListOf::from_rows(rows, |entry| EntryBody {
        id: entry.id,
        actor_kind: entry.actor_kind,
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        created_at: instant(entry.at),
    })))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ProofOf {
    /// The PC's serial.
    serial: String,
    /// Only where two manufacturers use the serial.
    manufacturer: Option<String>,
}

/// The columns of a proof, as `roadstead audit check` reads them.
const COLUMNS: [&str; 10] =
    ["partner", "seq", "device", "serial", "from", "to", "generation", "at", "before", "hash"];

/// A proof of the moves of one PC: the partner's hash chain from the PC's first entry to the newest, as CSV, to be
/// checked offline by `roadstead audit check`.
#[utoipa::path(
    get, path = "/audit-log/proof", tag = "audit log", params(ProofOf),
    responses((status = 200, content_type = "text/csv"), (status = 404, body = ProblemBody))
)]
pub(super) async fn proof(
    State(app): State<App>,
    caller: ApiCaller,
    Query(of): Query<ProofOf>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ReadAudit)?;
    let seen = devices::find(&app, &scope, &of.serial, of.manufacturer.as_deref()).await?;
    let mut tx = app.store.read(&scope).await?;
    let first = placements::first_entry(&mut tx, &scope, seen.id).await?.ok_or_else(Problem::not_found)?;
    drop(tx);
    let name = format!("proof-{}.csv", seen.serial.replace('/', "_"));
    csv::stream(&name, csv::row(COLUMNS), first, move |from| {
        let app = app.clone();
        async move {
            let mut tx = app.store.read(&scope).await?;
            let entries = placements::entries(&mut tx, &scope, from, MOST).await?;
            let mut text = Vec::new();
            for entry in &entries {
                let id = |id: Option<TenantId>| id.map_or_else(String::new, |id| id.to_string());
                text.extend(csv::row([
                    entry.partner.to_string().as_str(),
                    &entry.seq.to_string(),
                    &entry.device.to_string(),
                    &entry.serial,
                    &id(entry.from),
                    &id(entry.to),
                    &entry.generation.to_string(),
                    &entry.at.to_string(),
                    &hex::encode(entry.before),
                    &hex::encode(entry.hash),
                ]));
            }
            let full = entries.len() as i64 >= MOST;
            Ok((text, entries.last().filter(|_| full).map(|last| last.seq + 1)))
        }
    })
    .await
}
