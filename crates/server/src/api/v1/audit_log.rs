//! The log of one's own home.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use roadstead_domain::access::{Action, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::TenantId;
use roadstead_store::audit::{self, Entry, Filter};
use roadstead_store::page::{MOST, Page};
use roadstead_store::placements;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ListOf, PageQuery, ProblemBody, csv, instant};
use crate::app::App;
use crate::flows::devices;
use crate::http::{ApiCaller, Problem};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Filters {
    /// One action's code, as `session.signed_in`.
    action: Option<String>,
    /// The id of a user or token.
    actor: Option<String>,
    /// Lines from this instant on (RFC 3339, or a day in UTC).
    from: Option<String>,
    /// Lines before this instant (RFC 3339), or up to the end of a day in UTC.
    until: Option<String>,
    /// `json` (default) or `csv`, which is the whole log.
    format: Option<String>,
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

impl Filters {
    fn read(&self) -> Result<Filter, Problem> {
        let at = |field: &str, text: Option<&String>, days: i64| -> Result<Option<Micros>, Problem> {
            let Some(text) = given(text) else { return Ok(None) };
            if let Ok(instant) = text.parse::<jiff::Timestamp>() {
                return Ok(Some(Micros(instant.as_microsecond())));
            }
            let day = text
                .parse::<jiff::civil::Date>()
                .ok()
                .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
            let day = day.ok_or_else(|| Problem::field("field.not_a_date", field))?;
            Ok(Some(Micros(day.timestamp().as_microsecond()).plus_seconds(days * 24 * 3600)))
        };
        let actor = match given(self.actor.as_ref()) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| Problem::field("field.unknown_value", "actor"))?),
        };
        Ok(Filter {
            action: given(self.action.as_ref()).map(str::to_owned),
            actor,
            from: at("from", self.from.as_ref(), 0)?,
            until: at("until", self.until.as_ref(), 1)?,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryBody {
    id: Uuid,
    /// `user`, `token` or `system`.
    actor_kind: String,
    actor: Option<Uuid>,
    /// Null for somebody of another home, as the operator.
    actor_name: Option<String>,
    /// A stable code.
    action: String,
    subject: Option<Uuid>,
    detail: serde_json::Value,
    created_at: String,
}

fn body(entry: Entry) -> EntryBody {
    EntryBody {
        id: entry.id,
        actor_kind: entry.actor_kind,
        actor: entry.actor,
        actor_name: entry.actor_name,
        action: entry.action,
        subject: entry.subject,
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        created_at: instant(entry.at),
    }
}

/// List the log, newest first.
#[utoipa::path(
    get, path = "/audit-log", tag = "audit log", params(Filters, PageQuery),
    responses((status = 200, body = ListOf<EntryBody>), (status = 422, body = ProblemBody))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(filters): Query<Filters>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let scope = caller.may(Action::ReadAudit)?;
    let filter = filters.read()?;
    match given(filters.format.as_ref()) {
        None | Some("json") => {
            let mut tx = app.store.read(&scope).await?;
            let rows = audit::list(&mut tx, &scope, &filter, &page.into()).await?;
            let rows = rows.ok_or_else(Problem::cursor)?;
            Ok(Json(ListOf::from_rows(rows, body)).into_response())
        }
        Some("csv") => export(app, scope, filter).await,
        Some(_) => Err(Problem::field("field.unknown_value", "format")),
    }
}

async fn export(app: App, scope: Scope, filter: Filter) -> Result<Response, Problem> {
    let head = csv::row(["Time", "Actor", "Actor Id", "Action", "Subject", "Detail", "Id"]);
    let start = Page { limit: Some(MOST), cursor: None };
    csv::stream("audit-log.csv", head, start, move |page| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let mut tx = app.store.read(&scope).await?;
            let rows = audit::list(&mut tx, &scope, &filter, &page).await?.ok_or_else(Problem::cursor)?;
            let id = |id: Option<Uuid>| id.map_or(String::new(), |id| id.to_string());
            let mut text = Vec::new();
            for entry in rows.items {
                text.extend(csv::row([
                    instant(entry.at).as_str(),
                    entry.actor_name.as_deref().unwrap_or(&entry.actor_kind),
                    &id(entry.actor),
                    &entry.action,
                    &id(entry.subject),
                    &entry.detail,
                    &entry.id.to_string(),
                ]));
            }
            let next = rows.next_cursor.map(|cursor| Page { limit: Some(MOST), cursor: Some(cursor) });
            Ok((text, next))
        }
    })
    .await
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
const COLUMNS: [&str; 12] = [
    "partner",
    "seq",
    "device",
    "serial",
    "from",
    "to",
    "generation",
    "at",
    "version",
    "grounds",
    "before",
    "hash",
];

/// A proof of the moves of one PC: the partner's hash chain from the PC's first entry to the newest, as CSV, to be
/// checked offline by `roadstead audit check`. What caused an entry of `version` 2 is hashed with it as the digest
/// `grounds`; `version` 1 says nothing of it.
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
                    &entry.entry().version().to_string(),
                    &entry.grounds.map_or_else(String::new, hex::encode),
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
