//! One PC, found by its serial. What the caller may not see is not found, as if it had never been.

use roadstead_domain::access::{self, Denied, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::DeviceId;
use roadstead_domain::serial;
use roadstead_store::devices::{self, Candidate, Device, Moved, Right};
use roadstead_store::page::{Page, Rows};

use super::Refused;
use crate::app::App;

/// A PC as its partner sees it.
#[derive(Debug)]
pub struct Seen {
    /// The PC and where it is; `None` once it has left the partner.
    pub device: Option<Device>,
    /// Its id.
    pub id: DeviceId,
    /// Its serial.
    pub serial: String,
    /// The manufacturer; empty for the platform's own.
    pub manufacturer: String,
    /// What it is entitled to.
    pub rights: Vec<Right>,
    /// The last move within the partner's reach of one that is not there, as far as the partner may see.
    pub last: Option<Moved>,
}

/// The PC with this serial in the partner's tenants, or one that was there. A serial that two manufacturers use needs
/// the manufacturer.
pub async fn find(
    app: &App,
    scope: &Scope,
    asked: &str,
    manufacturer: Option<&str>,
) -> Result<Seen, Refused> {
    scope.partner()?;
    let not_found = || Refused::Denied(Denied::NotFound);
    let serial = serial::normalize(asked).map_err(|_| not_found())?;
    let wanted = |name: &str| manufacturer.is_none_or(|wanted| wanted.trim().eq_ignore_ascii_case(name));
    // One that is here goes before those that were, and is what is nearly always asked for.
    let mut seen = here(app, scope, &serial, wanted).await?;
    if seen.is_empty() {
        for candidate in candidates(app, &serial).await? {
            if wanted(&candidate.manufacturer)
                && let Some(one) = look(app, scope, &serial, candidate).await?
            {
                seen.push(one);
            }
        }
    }
    let first = seen.pop().ok_or_else(not_found)?;
    if seen.is_empty() {
        return Ok(first);
    }
    let names = seen.into_iter().chain([first]).map(|one| one.manufacturer).collect();
    Err(Refused::Ambiguous { field: "manufacturer", choices: names })
}

/// Those that are in the partner's tenants, in one question.
async fn here(
    app: &App,
    scope: &Scope,
    serial: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Seen>, Refused> {
    let mut tx = app.store.read(scope).await?;
    let present = devices::present(&mut tx, scope, serial).await?;
    tx.commit().await?;
    let present = present.into_iter().filter(|(device, _)| wanted(&device.manufacturer));
    Ok(present
        .map(|(device, rights)| Seen {
            id: DeviceId(device.id),
            serial: serial.to_owned(),
            manufacturer: device.manufacturer.clone(),
            device: Some(device),
            rights,
            last: None,
        })
        .collect())
}

async fn candidates(app: &App, serial: &str) -> Result<Vec<Candidate>, Refused> {
    // Only ids: what there is to see of them is asked under the caller's own scope.
    let system = access::system();
    let mut tx = app.store.read(&system).await?;
    let candidates = devices::candidates(&mut tx, &system, serial).await?;
    tx.commit().await?;
    Ok(candidates)
}

async fn look(app: &App, scope: &Scope, serial: &str, candidate: Candidate) -> Result<Option<Seen>, Refused> {
    let id = DeviceId(candidate.id);
    let mut tx = app.store.read(scope).await?;
    let device = devices::get(&mut tx, scope, id).await?;
    let rights = match &device {
        Some(device) => devices::rights(&mut tx, scope, device).await?,
        None => Vec::new(),
    };
    let last = match &device {
        Some(_) => None,
        None => devices::moved_before(&mut tx, scope, id, Micros(i64::MAX)).await?,
    };
    tx.commit().await?;
    if device.is_none() && last.is_none() {
        return Ok(None);
    }
    let (serial, manufacturer) = (serial.to_owned(), candidate.manufacturer);
    Ok(Some(Seen { device, id, serial, manufacturer, rights, last }))
}

/// The moves of a PC that [`find`] gave, newest first. `None` for a cursor that is none.
pub async fn history(
    app: &App,
    scope: &Scope,
    id: DeviceId,
    page: &Page,
) -> Result<Option<Rows<Moved>>, Refused> {
    let mut tx = app.store.read(scope).await?;
    let moves = devices::history(&mut tx, scope, id, page).await?;
    tx.commit().await?;
    Ok(moves)
}

/// The move after which the PC was where it was at an instant; `None` before its first one.
pub async fn placed_at(app: &App, scope: &Scope, id: DeviceId, at: Micros) -> Result<Option<Moved>, Refused> {
    let mut tx = app.store.read(scope).await?;
    let moved = devices::moved_before(&mut tx, scope, id, at).await?;
    tx.commit().await?;
    Ok(moved)
}
