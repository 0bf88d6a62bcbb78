//! One PC: what it is, where it is, what it is entitled to, and what became of it.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::DeviceId;
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;
use crate::lines::order_in;
use crate::page::{Page, Rows};

/// A PC with a serial, before anybody asked whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, sqlx::FromRow)]
pub struct Candidate {
    /// Its id.
    pub id: Uuid,
    /// The manufacturer; empty for the platform's own.
    pub manufacturer: String,
    /// The tenant that has it, if any has.
    pub tenant: Option<Uuid>,
    /// The partner whose PC it is now, if it is anybody's.
    pub partner: Option<Uuid>,
}

/// The PCs with this serial, for a flow that then asks under its caller's scope what of them there is to see.
pub async fn candidates(tx: &mut Tx, scope: &Scope, serial: &str) -> Result<Vec<Candidate>> {
    scope.platform()?;
    tx.all_quick(
        "SELECT d.id, d.manufacturer, p.tenant, t.parent AS partner FROM devices d \
         LEFT JOIN placements p ON p.device = d.id LEFT JOIN tenants t ON t.id = p.tenant \
         WHERE d.serial = $1 ORDER BY d.manufacturer",
        args![serial],
    )
    .await
}

/// A PC and where it is.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Device {
    /// Its id.
    pub id: Uuid,
    /// Its serial.
    pub serial: String,
    /// The manufacturer; empty for the platform's own.
    pub manufacturer: String,
    /// The product number.
    pub product_number: String,
    /// The model.
    pub model: String,
    /// The tenant that has it.
    pub tenant: Uuid,
    /// `holding` or `customer`.
    pub tenant_kind: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// Counted up with each move.
    pub generation: i64,
    /// Since when it is there, in microseconds.
    pub since: i64,
    /// The sale that brought it: the end customer's number.
    pub buyer: Option<String>,
    /// The end customer's name.
    pub buyer_name: Option<String>,
    /// The invoice.
    pub invoice: Option<String>,
    /// The day of the sale.
    pub sold_on: Option<String>,
    /// The day of shipping.
    pub shipped_on: Option<String>,
    /// Who reported it.
    pub reporter_name: Option<String>,
    /// When, in microseconds.
    pub reported_at: Option<i64>,
    /// The cells of the sale that no column says, as JSON text.
    pub received: Option<String>,
    /// When its agent last said how it is, in microseconds; `None` if it never has.
    pub seen_at: Option<i64>,
}

impl Device {
    /// The order, as the sale names it; empty if it names none.
    pub fn order(&self) -> String {
        order_in(self.received.as_deref())
    }
}

/// A PC in a tenant of the scope's partner, by the view with one wall (docs/decisions/0037).
const OWN: &str = "SELECT id, device_serial AS serial, manufacturer, product_number, model, tenant, tenant_kind, \
                   tenant_name, generation, since, buyer, buyer_name, invoice, sold_on, shipped_on, reporter_name, \
                   reported_at, received, \
                   (SELECT k.seen_at FROM check_ins k WHERE k.device = own_devices.id) AS seen_at \
                   FROM own_devices WHERE partner = $2 AND id = $1";

/// A PC beside one of its rights, if it has any.
#[derive(Deserialize, sqlx::FromRow)]
struct Beside {
    #[serde(flatten)]
    #[sqlx(flatten)]
    device: Device,
    support_level: Option<String>,
    starts_on: Option<String>,
    ends_on: Option<String>,
    assumed: Option<bool>,
    right_reporter: Option<String>,
    right_line: Option<i64>,
    corrected_at: Option<i64>,
}

/// The PCs with this serial in the tenants of the scope's partner, as many as manufacturers use it, each with its
/// rights.
pub async fn present(tx: &mut Tx, scope: &Scope, serial: &str) -> Result<Vec<(Device, Vec<Right>)>> {
    let sql = "SELECT o.id, o.device_serial AS serial, o.manufacturer, o.product_number, o.model, o.tenant, \
               o.tenant_kind, o.tenant_name, o.generation, o.since, o.buyer, o.buyer_name, o.invoice, o.sold_on, \
               o.shipped_on, o.reporter_name, o.reported_at, o.received, \
               (SELECT k.seen_at FROM check_ins k WHERE k.device = o.id) AS seen_at, \
               e.support_level, e.starts_on, e.ends_on, e.assumed, \
               e.reporter_name AS right_reporter, e.line AS right_line, e.corrected_at \
               FROM own_devices o LEFT JOIN own_rights e ON e.device = o.id AND e.partner = $2 \
               WHERE o.partner = $2 AND o.device_serial = $1 ORDER BY o.manufacturer, e.support_level DESC";
    let rows: Vec<Beside> = tx.all_quick(sql, args![serial, scope.partner()?]).await?;
    let mut found: Vec<(Device, Vec<Right>)> = Vec::new();
    for row in rows {
        let right = row.right();
        match found.last_mut() {
            Some((device, rights)) if device.id == row.device.id => rights.extend(right),
            _ => found.push((row.device, right.into_iter().collect())),
        }
    }
    Ok(found)
}

impl Beside {
    fn right(&self) -> Option<Right> {
        Some(Right {
            support_level: self.support_level.clone()?,
            starts_on: self.starts_on.clone()?,
            ends_on: self.ends_on.clone()?,
            assumed: self.assumed?,
            reporter_name: self.right_reporter.clone(),
            line: self.right_line?,
            corrected_at: self.corrected_at,
        })
    }
}

/// The PC, if it is in a tenant of the scope's partner, or if the scope is the platform's and it is in any.
pub async fn get(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Option<Device>> {
    let partner = scope.partner_or_platform()?;
    if partner.is_some() {
        return tx.optional_quick(OWN, args![id, partner]).await;
    }
    tx.optional_quick(
        "SELECT d.id, d.serial, d.manufacturer, d.product_number, d.model, p.tenant, t.kind AS tenant_kind, \
         t.name AS tenant_name, p.generation, p.since, l.buyer, l.buyer_name, l.invoice, l.sold_on, l.shipped_on, \
         n.name AS reporter_name, r.received_at AS reported_at, l.received, \
         (SELECT k.seen_at FROM check_ins k WHERE k.device = d.id) AS seen_at FROM placements p \
         JOIN tenants t ON t.id = p.tenant JOIN devices d ON d.id = p.device \
         LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line \
         LEFT JOIN reports r ON r.id = p.report LEFT JOIN reporters n ON n.id = r.reporter \
         WHERE p.device = $1",
        args![id],
    )
    .await
}

/// A right of a PC, with where it comes from.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Right {
    /// The level's code.
    pub support_level: String,
    /// The first day.
    pub starts_on: String,
    /// The first day on which it no longer holds.
    pub ends_on: String,
    /// Whether the term is our assumption.
    pub assumed: bool,
    /// The report that brought it, as far as the reader may know of it.
    pub reporter_name: Option<String>,
    /// The line of the report.
    pub line: i64,
    /// When the operator corrected the dates, in microseconds.
    pub corrected_at: Option<i64>,
}

/// The rights of a PC that [`get`] gave under the same scope.
pub async fn rights(tx: &mut Tx, scope: &Scope, device: &Device) -> Result<Vec<Right>> {
    let partner = scope.partner_or_platform()?;
    if partner.is_some() {
        let sql = "SELECT support_level, starts_on, ends_on, assumed, reporter_name, line, corrected_at \
                   FROM own_rights WHERE device = $1 AND partner = $2 ORDER BY support_level DESC";
        return tx.all_quick(sql, args![device.id, partner]).await;
    }
    tx.all_quick(
        "SELECT e.support_level, e.starts_on, e.ends_on, e.assumed, n.name AS reporter_name, e.line, e.corrected_at \
         FROM entitlements e LEFT JOIN reports r ON r.id = e.report LEFT JOIN reporters n ON n.id = r.reporter \
         WHERE e.device = $1 ORDER BY e.support_level DESC",
        args![device.id],
    )
    .await
}

/// A move of a PC in the log of the scope's partner.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Moved {
    /// Its number in the partner's log.
    pub seq: i64,
    /// The serial at that time.
    pub serial: String,
    /// `holding` or `customer`, and the name, of where it came from within the partner's reach.
    pub from_kind: Option<String>,
    /// See `from_kind`.
    pub from_name: Option<String>,
    /// The same of where it went.
    pub to_kind: Option<String>,
    /// The id of where it went.
    pub to_tenant: Option<Uuid>,
    /// See `to_kind`.
    pub to_name: Option<String>,
    /// The PC's generation from then on.
    pub generation: i64,
    /// Who reported what caused it.
    pub reporter_name: Option<String>,
    /// `sale`, `return`, `correction` or `void` of that line.
    pub transaction_kind: Option<String>,
    /// What moved it where it was no line: `transfer`, `undo`, `decline` or `enrolment`.
    pub cause: Option<String>,
    /// When, in microseconds.
    pub at: i64,
}

/// The columns of [`Moved`].
macro_rules! moved_sql {
    ($rest:literal) => {
        concat!(
            "SELECT m.seq, m.serial, f.kind AS from_kind, f.name AS from_name, t.kind AS to_kind, m.to_tenant, ",
            "t.name AS to_name, m.generation, n.name AS reporter_name, l.transaction_kind, m.cause, m.at ",
            "FROM placement_log m LEFT JOIN tenants f ON f.id = m.from_tenant ",
            "LEFT JOIN tenants t ON t.id = m.to_tenant LEFT JOIN reports r ON r.id = m.report ",
            "LEFT JOIN reporters n ON n.id = r.reporter ",
            "LEFT JOIN report_lines l ON l.report = m.report AND l.line = m.line ",
            "WHERE m.device = $1 AND m.partner = $2 AND ",
            $rest
        )
    };
}

/// The moves of a PC within the reach of the scope's partner, newest first. `None` for a cursor that is none.
pub async fn history(tx: &mut Tx, scope: &Scope, id: DeviceId, page: &Page) -> Result<Option<Rows<Moved>>> {
    let Ok(after) = page.after::<i64>() else { return Ok(None) };
    let rows = page.rows();
    let sql = moved_sql!("m.generation < $3 ORDER BY m.generation DESC LIMIT $4");
    let before = after.unwrap_or(i64::MAX);
    let items: Vec<Moved> = tx.all(sql, args![id, scope.partner()?, before, rows + 1]).await?;
    Ok(Some(Rows::cut(items, rows, |moved| moved.generation)))
}

/// The last move of a PC up to an instant: where it went then is where it was.
pub async fn moved_before(tx: &mut Tx, scope: &Scope, id: DeviceId, at: Micros) -> Result<Option<Moved>> {
    let sql = moved_sql!("m.at <= $3 ORDER BY m.generation DESC LIMIT 1");
    tx.optional_quick(sql, args![id, scope.partner()?, at]).await
}
