//! Pop-ups: what a PC shows its user of an alert, and the numbers under which a PC is told things.

use std::collections::BTreeMap;

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, PopUpId, TenantId};
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::Result;

/// A pop-up with its alert.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PopUp {
    /// Its id.
    pub id: Uuid,
    /// The PC.
    pub device: Uuid,
    /// The number under which the PC was told of its last change.
    pub seq: i64,
    /// `open`, `submitted`, `withdrawn` or `expired`.
    pub state: String,
    /// Why it is not open any more.
    pub reason: Option<String>,
    /// Until when it is good, in microseconds.
    pub expires_at: i64,
    /// When it was displayed.
    pub displayed_at: Option<i64>,
    /// The alert.
    pub alert: Uuid,
    /// The alert's kind.
    pub kind: String,
    /// Which part.
    pub cause: String,
    /// What was read.
    pub detail: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.device, p.seq, p.state, p.reason, p.expires_at, p.displayed_at, p.alert, a.kind, a.cause, ",
            "a.detail FROM pop_ups p JOIN alerts a ON a.id = p.alert WHERE ",
            $rest
        )
    };
}

/// The next number for something told to this PC. Until the commit nobody else gets one.
pub async fn next_seq(tx: &mut Tx, device: DeviceId) -> Result<i64> {
    tx.number(
        "INSERT INTO device_channels (device, seq) VALUES ($1, 1) \
         ON CONFLICT (device) DO UPDATE SET seq = device_channels.seq + 1 RETURNING seq",
        args![device],
    )
    .await
}

/// The next numbers for things told to these PCs, one for each time that a PC is named: how far it is before the last
/// number that the PC then has. Until the commit nobody else gets one.
async fn next_seqs(tx: &mut Tx, devices: &[Uuid]) -> Result<Vec<i64>> {
    let mut counts: BTreeMap<Uuid, i64> = BTreeMap::new();
    let mut before = Vec::with_capacity(devices.len());
    for device in devices.iter().rev() {
        let count = counts.entry(*device).or_default();
        before.push(*count);
        *count += 1;
    }
    before.reverse();
    let mut bulk = Bulk::new(
        "INSERT INTO device_channels (device, seq)",
        2,
        "ON CONFLICT (device) DO UPDATE SET seq = device_channels.seq + excluded.seq",
    );
    for (device, count) in counts {
        bulk.push(tx, args![device, count]).await?;
    }
    bulk.finish(tx).await?;
    Ok(before)
}

/// The number of the last thing told to this PC.
pub async fn position(tx: &mut Tx, scope: &Scope, device: DeviceId) -> Result<i64> {
    scope.platform()?;
    tx.number("SELECT seq FROM device_channels WHERE device = $1", args![device]).await
}

/// Makes pop-ups, each with its id, alert and PC, of alerts that have none open.
pub async fn create(
    tx: &mut Tx,
    scope: &Scope,
    new: &[(PopUpId, Uuid, Uuid)],
    expires_at: Micros,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let devices: Vec<Uuid> = new.iter().map(|(_, _, device)| *device).collect();
    let before = next_seqs(tx, &devices).await?;
    let new: Vec<_> = new.iter().copied().zip(before).collect();
    write_new(tx, &new, expires_at, at).await
}

/// Something that a PC is told of a pop-up.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// One is made, under this id and of this alert, which has none open.
    New(PopUpId, Uuid),
    /// An open one is withdrawn.
    Withdrawn(Uuid),
}

/// Makes pop-ups, and withdraws others for this reason, each on its PC, which is told of its own in this order. PCs' numbers
/// are taken once, in one order, so that no two who tell several PCs wait for each other.
pub async fn change(
    tx: &mut Tx,
    scope: &Scope,
    changes: &[(Uuid, Change)],
    reason: &'static str,
    expires_at: Micros,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let devices: Vec<Uuid> = changes.iter().map(|(device, _)| *device).collect();
    let (mut new, mut ended) = (Vec::new(), Vec::new());
    for ((device, change), before) in changes.iter().zip(next_seqs(tx, &devices).await?) {
        match *change {
            Change::New(id, alert) => new.push(((id, alert, *device), before)),
            Change::Withdrawn(id) => ended.push(((id, *device), before)),
        }
    }
    write_new(tx, &new, expires_at, at).await?;
    write_ended(tx, &ended, "withdrawn", reason).await
}

/// Writes pop-ups, each with its id, alert and PC, and how far its number is before the last one of the PC.
async fn write_new(
    tx: &mut Tx,
    new: &[((PopUpId, Uuid, Uuid), i64)],
    expires_at: Micros,
    at: Micros,
) -> Result<()> {
    let mut bulk = Bulk::new(
        "INSERT INTO pop_ups (id, alert, device, seq, state, created_at, expires_at) \
         SELECT v.column1, v.column2, v.column3, c.seq - v.column4, 'open', v.column5, v.column6 FROM (",
        6,
        ") AS v CROSS JOIN device_channels c WHERE c.device = v.column3 \
         ON CONFLICT (alert) WHERE state = 'open' DO NOTHING",
    );
    for ((id, alert, device), before) in new {
        bulk.push(tx, args![*id, *alert, *device, *before, at, expires_at]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Ends open pop-ups, each with its PC. The caller reaches the PCs.
pub async fn end(
    tx: &mut Tx,
    pop_ups: &[(Uuid, Uuid)],
    state: &'static str,
    reason: &'static str,
) -> Result<()> {
    let devices: Vec<Uuid> = pop_ups.iter().map(|(_, device)| *device).collect();
    let before = next_seqs(tx, &devices).await?;
    let ended: Vec<_> = pop_ups.iter().copied().zip(before).collect();
    write_ended(tx, &ended, state, reason).await
}

/// Ends open pop-ups, each with its PC and how far its number is before the last one of the PC.
async fn write_ended(
    tx: &mut Tx,
    ended: &[((Uuid, Uuid), i64)],
    state: &'static str,
    reason: &'static str,
) -> Result<()> {
    let mut bulk = Bulk::new(
        "UPDATE pop_ups SET state = v.column4, reason = v.column5, \
         seq = (SELECT c.seq FROM device_channels c WHERE c.device = v.column2) - v.column3 FROM (",
        5,
        // Not `= 'open'` alone: PostgreSQL would read all open ones of the platform for it (docs/decisions/0059).
        ") AS v WHERE pop_ups.id = v.column1 AND (pop_ups.state = 'open') IS NOT FALSE",
    );
    for ((id, device), before) in ended {
        bulk.push(tx, args![*id, *device, *before, state, reason]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Lets PCs be told again of these pop-ups, each with its PC. The caller reaches the PCs.
pub async fn tell_again(tx: &mut Tx, pop_ups: &[(Uuid, Uuid)]) -> Result<()> {
    let devices: Vec<Uuid> = pop_ups.iter().map(|(_, device)| *device).collect();
    let before = next_seqs(tx, &devices).await?;
    let mut bulk = Bulk::new(
        "UPDATE pop_ups SET \
         seq = (SELECT c.seq FROM device_channels c WHERE c.device = v.column2) - v.column3 FROM (",
        3,
        ") AS v WHERE pop_ups.id = v.column1",
    );
    for ((id, device), before) in pop_ups.iter().zip(before) {
        bulk.push(tx, args![*id, *device, before]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// An open pop-up, and where its PC is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Open {
    /// Its id.
    pub id: Uuid,
    /// The PC.
    pub device: Uuid,
    /// The alert's kind.
    pub kind: String,
    /// `holding` or `customer`: the tenant that has the PC.
    pub tenant_kind: String,
    /// The customer's switch: `on`, `off` or not set.
    pub switch: Option<String>,
}

/// The open pop-ups of these PCs. The caller reaches the PCs.
pub async fn open_at(tx: &mut Tx, devices: &[Uuid]) -> Result<Vec<Open>> {
    tx.all_of_ids(
        "SELECT p.id, p.device, a.kind, t.kind AS tenant_kind, w.state AS switch FROM <set> s \
         CROSS JOIN placements l CROSS JOIN pop_ups p CROSS JOIN alerts a CROSS JOIN tenants t \
         LEFT JOIN self_service w ON w.customer = l.tenant WHERE l.device = s.value AND p.device = s.value \
         AND p.state = 'open' AND a.id = p.alert AND t.id = l.tenant ORDER BY p.device, p.id",
        args![],
        devices,
    )
    .await
}

/// The pop-up, if it is this PC's.
pub async fn find(tx: &mut Tx, scope: &Scope, device: DeviceId, id: PopUpId) -> Result<Option<PopUp>> {
    scope.platform()?;
    tx.optional(select!("p.id = $1 AND p.device = $2"), args![id, device]).await
}

/// What changed for a PC after this number, in order; without a number what is open now.
pub async fn changes(tx: &mut Tx, scope: &Scope, device: DeviceId, after: Option<i64>) -> Result<Vec<PopUp>> {
    scope.platform()?;
    match after {
        Some(seq) => {
            tx.all(select!("p.device = $1 AND p.seq > $2 ORDER BY p.seq LIMIT 1000"), args![device, seq])
                .await
        }
        None => {
            tx.all(select!("p.device = $1 AND p.state = 'open' ORDER BY p.seq LIMIT 1000"), args![device])
                .await
        }
    }
}

/// What the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is on the screen.
    Displayed,
    /// View was pressed.
    Viewed,
    /// It was closed, or put off.
    Dismissed,
}

/// Notes what the user did, the first time it is told.
pub async fn mark(tx: &mut Tx, scope: &Scope, id: PopUpId, mark: Mark, at: Micros) -> Result<()> {
    scope.platform()?;
    let sql = match mark {
        Mark::Displayed => "UPDATE pop_ups SET displayed_at = $2 WHERE id = $1 AND displayed_at IS NULL",
        Mark::Viewed => "UPDATE pop_ups SET viewed_at = $2 WHERE id = $1 AND viewed_at IS NULL",
        Mark::Dismissed => "UPDATE pop_ups SET dismissed_at = $2 WHERE id = $1 AND dismissed_at IS NULL",
    };
    tx.execute(sql, args![id, at]).await?;
    Ok(())
}

/// The open pop-ups on PCs of this tenant, each with its PC.
pub async fn open_in(tx: &mut Tx, scope: &Scope, tenant: TenantId) -> Result<Vec<(Uuid, Uuid)>> {
    scope.platform()?;
    tx.all(
        "SELECT p.id, p.device FROM alerts a JOIN pop_ups p ON p.alert = a.id WHERE a.tenant = $1 \
         AND a.state = 'open' AND p.state = 'open' ORDER BY p.device, p.id",
        args![tenant],
    )
    .await
}

/// The open alerts on PCs of this tenant without an open pop-up or a case, each with its PC.
pub async fn without(tx: &mut Tx, scope: &Scope, tenant: TenantId) -> Result<Vec<(Uuid, Uuid, String)>> {
    scope.platform()?;
    tx.all(
        "SELECT a.id, a.device, a.kind FROM alerts a WHERE a.tenant = $1 AND a.state = 'open' AND a.repair IS NULL \
         AND NOT EXISTS (SELECT 1 FROM pop_ups p WHERE p.alert = a.id AND p.state = 'open') ORDER BY a.device, a.id",
        args![tenant],
    )
    .await
}

/// Open pop-ups whose time is over, each with its PC.
pub async fn due(tx: &mut Tx, scope: &Scope, now: Micros, most: i64) -> Result<Vec<(Uuid, Uuid)>> {
    scope.platform()?;
    tx.all(
        "SELECT id, device FROM pop_ups WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
        args![now, most],
    )
    .await
}
