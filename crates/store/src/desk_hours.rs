//! When desks work, and what they have to do on which day.

use roadstead_domain::access::{Denied, Reach, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::repair_case::Desk;
use roadstead_domain::working_hours::WorkingHours;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// The desk that the scope works at: a partner's, or customer support.
pub fn desk_of(scope: &Scope) -> Result<Desk> {
    match scope.reach() {
        Reach::Desk => Ok(Desk::CustomerSupport),
        Reach::Partner(partner) => Ok(Desk::Csdp(partner)),
        _ => Err(Denied::NotFound.into()),
    }
}

async fn of(tx: &mut Tx, desk: Desk) -> Result<Option<WorkingHours>> {
    let row: Option<(String, String)> =
        tx.optional("SELECT time_zone, days FROM desk_hours WHERE desk = $1", args![desk.code()]).await?;
    let Some((zone, days)) = row else { return Ok(None) };
    let hours = WorkingHours::read(&zone, days.split(','));
    hours.map(Some).map_err(|bad| Error::bad("desk_hours", format!("{bad:?}")))
}

/// When the scope's own desk works, if it has said.
pub async fn own(tx: &mut Tx, scope: &Scope) -> Result<Option<WorkingHours>> {
    of(tx, desk_of(scope)?).await
}

/// When a desk works, if it has said.
pub async fn get(tx: &mut Tx, scope: &Scope, desk: Desk) -> Result<Option<WorkingHours>> {
    scope.platform()?;
    of(tx, desk).await
}

/// Says when a desk works.
pub async fn set(tx: &mut Tx, scope: &Scope, desk: Desk, hours: &WorkingHours) -> Result<()> {
    scope.platform()?;
    let zone = hours.zone.iana_name().unwrap_or("UTC");
    tx.execute(
        "INSERT INTO desk_hours (desk, partner, time_zone, days) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (desk) DO UPDATE SET time_zone = excluded.time_zone, days = excluded.days",
        args![desk.code(), desk.partner(), zone, hours.write().join(",")],
    )
    .await?;
    Ok(())
}

/// An appointment of a desk.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Appointment {
    /// The case.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// The PC's serial.
    pub serial: String,
    /// The PC's model.
    pub model: String,
    /// Whom to turn to.
    pub contact_name: String,
    /// The code of the case's state.
    pub state: String,
    /// Who of the desk has the case.
    pub assignee_name: Option<String>,
    /// From when, in microseconds.
    pub appointment_from: i64,
    /// Until when.
    pub appointment_until: i64,
}

/// What the scope's own desk has to do that begins between two instants, in that order; what was taken back is left out.
pub async fn appointments(
    tx: &mut Tx,
    scope: &Scope,
    from: Micros,
    until: Micros,
) -> Result<Vec<Appointment>> {
    let desk = desk_of(scope)?;
    tx.all(
        "SELECT r.id, r.number, r.serial, r.model, r.contact_name, r.state, u.name AS assignee_name, \
         r.appointment_from, r.appointment_until FROM repair_cases r LEFT JOIN users u ON u.id = r.assignee \
         WHERE r.desk = $1 AND r.desk_partner IS NOT DISTINCT FROM $2 AND r.appointment_from >= $3 \
         AND r.appointment_from < $4 AND r.appointment_until IS NOT NULL AND r.state <> 'cancelled' \
         ORDER BY r.appointment_from, r.id LIMIT 1000",
        args![
            if desk.partner().is_some() { "csdp" } else { "customer_support" },
            desk.partner(),
            from,
            until
        ],
    )
    .await
}
