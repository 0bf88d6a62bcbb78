//! A reporter names the columns of its files once; from then on its files are read so.

use std::collections::HashSet;

use roadstead_domain::access::Scope;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::ReporterId;
use roadstead_domain::sale::Field;
use roadstead_ingest::{OwnHeaders, folded_header};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::own_headers::{self, OwnHeader};
use roadstead_store::reporters::Reporter;
use roadstead_store::{Tx, reporters};

use super::Refused;
use crate::app::App;

/// The most columns that are remembered.
const MOST: usize = 200;

/// The reporter that is meant: the caller's own, or the one that an operator names.
pub(super) async fn whose(tx: &mut Tx, scope: &Scope, asked: Option<&str>) -> Result<Reporter, Refused> {
    match (asked, scope.reports_of()?) {
        (Some(asked), _) => reporters::find(tx, scope, asked).await?,
        (None, Some(own)) => reporters::get(tx, scope, own).await?,
        (None, None) => return Err(Refused::invalid("field.missing", "reporter")),
    }
    .ok_or(Refused::invalid("reporter.unknown", "reporter"))
}

/// The field of this stable name.
pub fn field_of(name: &str) -> Option<Field> {
    Field::ALL.iter().copied().find(|field| field.as_str() == name)
}

/// The columns that a reporter has named.
pub async fn list(
    app: &App,
    scope: &Scope,
    reporter: Option<&str>,
) -> Result<(Reporter, Vec<OwnHeader>), Refused> {
    let mut tx = app.store.read(scope).await?;
    let reporter = whose(&mut tx, scope, reporter).await?;
    let headers = own_headers::list(&mut tx, scope, ReporterId(reporter.id)).await?;
    tx.commit().await?;
    Ok((reporter, headers))
}

/// The same as the reader of files takes it.
pub(super) async fn of_reporter(
    tx: &mut Tx,
    scope: &Scope,
    reporter: ReporterId,
) -> roadstead_store::Result<OwnHeaders> {
    let headers = own_headers::list(tx, scope, reporter).await?;
    Ok(headers.into_iter().map(|own| (own.header, own.field.as_deref().and_then(field_of))).collect())
}

/// Names a reporter's columns anew: a header and the stable name of its field, or none for a column that is not read.
/// A header that stands twice, and two headers of one field, are refused.
pub async fn name(
    app: &App,
    scope: &Scope,
    reporter: Option<&str>,
    headers: &[(String, Option<String>)],
) -> Result<(), Refused> {
    if headers.len() > MOST {
        return Err(Refused::invalid("mapping.too_many", "headers"));
    }
    let (mut seen, mut fields, mut own) = (HashSet::new(), HashSet::new(), Vec::new());
    for (shown, field) in headers {
        super::filled("headers", shown)?;
        let header = folded_header(shown);
        if header.is_empty() || !seen.insert(header.clone()) {
            return Err(Refused::invalid("mapping.header_twice", "headers"));
        }
        if let Some(field) = field {
            if field_of(field).is_none() {
                return Err(Refused::invalid("field.unknown_value", "headers"));
            }
            if !fields.insert(field.clone()) {
                return Err(Refused::invalid("mapping.column_twice", "headers"));
            }
        }
        own.push(OwnHeader { header, shown: shown.clone(), field: field.clone() });
    }
    let mut tx = app.store.write(scope).await?;
    let reporter = whose(&mut tx, scope, reporter).await?;
    own_headers::replace(&mut tx, scope, ReporterId(reporter.id), &own).await?;
    let entry = NewEntry {
        home: Some(reporter.id),
        action: AuditAction::ColumnsNamed,
        subject: Some(reporter.id),
        detail: serde_json::json!({ "columns": own.len() }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}
