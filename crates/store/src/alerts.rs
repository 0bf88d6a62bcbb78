//! Alerts: conditions of PCs, and what is known of a PC when one is judged. They follow the PC.

use std::collections::{BTreeSet, HashMap, HashSet};

use roadstead_domain::access::{Denied, Reach, Scope};
use roadstead_domain::alert::{self, Kind, Place};
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{AlertId, DeviceId, TenantId};
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::placement::Move;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};
use crate::{outbox, pop_ups};

/// An alert that is not closed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Known {
    /// Its id.
    pub id: Uuid,
    /// The PC.
    pub device: Uuid,
    /// The kind's code.
    pub kind: String,
    /// Which part.
    pub cause: String,
    /// What was read the last time.
    pub detail: String,
    /// `suspected` or `open`.
    pub state: String,
    /// `agent`, `monitor` or `platform`.
    pub source: String,
    /// In how many check-ins in a row it was seen while suspected.
    pub seen: i64,
    /// In how many in a row it was not.
    pub gone: i64,
    /// Whether a case was made of it: `open`, `done` or null.
    pub repair: Option<String>,
    /// Its pop-up that is open.
    pub pop_up: Option<Uuid>,
}

macro_rules! known_sql {
    ($from:literal) => {
        concat!(
            "SELECT a.id, a.device, a.kind, a.cause, a.detail, a.state, a.source, a.seen, a.gone, a.repair, ",
            "(SELECT p.id FROM pop_ups p WHERE p.alert = a.id AND p.state = 'open') AS pop_up FROM ",
            $from
        )
    };
}

/// What is not closed of these PCs.
pub async fn known(tx: &mut Tx, scope: &Scope, devices: &[Uuid]) -> Result<Vec<Known>> {
    scope.platform()?;
    let sql = known_sql!("<set> s CROSS JOIN alerts a WHERE a.device = s.value AND a.state <> 'closed'");
    tx.all_of_ids(sql, args![], devices).await
}

/// What is not closed of one PC.
pub async fn known_of(tx: &mut Tx, scope: &Scope, device: DeviceId) -> Result<Vec<Known>> {
    scope.platform()?;
    tx.all(known_sql!("alerts a WHERE a.device = $1 AND a.state <> 'closed'"), args![device]).await
}

/// The platform's open alerts of recall lists, of PCs after the first and up to the last of these ids.
pub async fn recalls_between(tx: &mut Tx, scope: &Scope, after: Uuid, last: Uuid) -> Result<Vec<Known>> {
    scope.platform()?;
    tx.all(
        known_sql!(
            "alerts a WHERE a.device > $1 AND a.device <= $2 AND a.state <> 'closed' AND a.source = 'platform' \
             AND a.kind IN ('battery.recall', 'hardware.recall')"
        ),
        args![after, last],
    )
    .await
}

/// A PC, as far as alerts, pop-ups and routing are concerned.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Pc {
    /// Its id.
    pub id: Uuid,
    /// Its serial.
    pub serial: String,
    /// The model.
    pub model: String,
    /// The product number.
    pub product_number: String,
    /// The tenant that it is in.
    pub tenant: Option<Uuid>,
    /// `holding` or `customer`.
    pub kind: Option<String>,
    /// The tenant's name.
    pub tenant_name: Option<String>,
    /// The generation of its placement.
    pub generation: Option<i64>,
    /// The tenant's partner.
    pub partner: Option<Uuid>,
    /// Its name.
    pub partner_name: Option<String>,
    /// The customer's switch: `on`, `off` or not set.
    pub switch: Option<String>,
    /// Whether the customer sends its cases to customer support.
    pub cases_to_support: Option<bool>,
    /// Its highest support level on this day.
    pub level: Option<String>,
}

impl Pc {
    /// Where it is.
    pub fn place(&self) -> Place {
        place(self.kind.as_deref(), self.switch.as_deref())
    }

    /// Its level.
    pub fn level(&self) -> Option<SupportLevel> {
        self.level.as_deref().and_then(SupportLevel::from_code)
    }

    /// Whether an alert of this kind makes a pop-up on it.
    pub fn pops_up(&self, kind: Kind) -> bool {
        alert::pops_up(kind, self.place(), self.level.is_some())
    }
}

/// A tenant of this kind with this switch.
fn place(kind: Option<&str>, switch: Option<&str>) -> Place {
    match kind {
        Some("holding") => Place::Pool,
        Some("customer") => Place::Customer { off: switch == Some("off") },
        _ => Place::Nowhere,
    }
}

macro_rules! pc_sql {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT d.id, d.serial, d.model, d.product_number, p.tenant, t.kind, t.name AS tenant_name, p.generation, ",
            "t.parent AS partner, n.name AS partner_name, s.state AS switch, c.cases_to_support, ",
            "(SELECT MAX(e.support_level) FROM entitlements e WHERE e.device = d.id AND e.starts_on <= $1 ",
            "AND e.ends_on > $1) AS level FROM ",
            $from,
            " LEFT JOIN placements p ON p.device = d.id LEFT JOIN tenants t ON t.id = p.tenant ",
            "LEFT JOIN partners n ON n.tenant = t.parent LEFT JOIN customers c ON c.tenant = t.id ",
            "LEFT JOIN self_service s ON s.customer = t.id WHERE ",
            $rest
        )
    };
}

/// The PC as it is on this day.
pub async fn pc(tx: &mut Tx, scope: &Scope, device: DeviceId, now: Micros) -> Result<Option<Pc>> {
    scope.platform()?;
    tx.optional(pc_sql!("devices d", "d.id = $2"), args![now.date().to_string(), device]).await
}

/// Those of these PCs that stay where they are until this transaction ends, without those that somebody is moving. Whoever
/// raises alerts holds their PCs' places first.
pub async fn hold_places(tx: &mut Tx, scope: &Scope, devices: &[Uuid]) -> Result<HashSet<Uuid>> {
    scope.platform()?;
    // A move takes along the alerts that it finds: one that is raised beside it names the tenant that the PC is leaving, and
    // would stay there for ever. Nobody waits for the move, which may be long: each who waits would keep a connection.
    let sql = format!(
        "SELECT p.device FROM <set> s CROSS JOIN placements p WHERE p.device = s.value{}",
        tx.share_of_p()
    );
    let rows: Vec<(Uuid,)> = tx.all_of_ids(&sql, args![], devices).await?;
    Ok(rows.into_iter().map(|(device,)| device).collect())
}

/// These PCs as they are on this day, by id.
pub async fn pcs(tx: &mut Tx, scope: &Scope, devices: &[Uuid], now: Micros) -> Result<HashMap<Uuid, Pc>> {
    scope.platform()?;
    let sql = pc_sql!("<set> x CROSS JOIN devices d", "d.id = x.value");
    let pcs: Vec<Pc> = tx.all_of_ids(sql, args![now.date().to_string()], devices).await?;
    Ok(pcs.into_iter().map(|pc| (pc.id, pc)).collect())
}

/// The PCs with open alerts in this tenant, as they are on this day.
pub async fn pcs_in(tx: &mut Tx, scope: &Scope, tenant: TenantId, now: Micros) -> Result<Vec<Pc>> {
    scope.platform()?;
    let sql = pc_sql!(
        "(SELECT DISTINCT a.device FROM alerts a WHERE a.tenant = $2 AND a.state = 'open') x \
         CROSS JOIN devices d",
        "d.id = x.device"
    );
    tx.all(sql, args![now.date().to_string(), tenant]).await
}

/// An alert on its way in.
#[derive(Clone, Debug)]
pub struct NewAlert<'a> {
    /// Its id.
    pub id: AlertId,
    /// The PC.
    pub device: DeviceId,
    /// The tenant that it is in.
    pub tenant: Uuid,
    /// The kind.
    pub kind: Kind,
    /// Which part.
    pub cause: &'a str,
    /// What was read.
    pub detail: &'a str,
    /// `agent`, `monitor` or `platform`.
    pub source: &'static str,
    /// Whether it was seen often enough.
    pub is_open: bool,
}

/// Writes alerts, but for those of a kind and cause of which the PC has one; how many.
pub async fn insert(tx: &mut Tx, scope: &Scope, new: &[NewAlert<'_>], at: Micros) -> Result<u64> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "INSERT INTO alerts (id, device, tenant, kind, cause, severity, source, detail, state, seen, gone, opened_at)",
        12,
        "ON CONFLICT (device, kind, cause) WHERE state <> 'closed' DO NOTHING",
    );
    for alert in new {
        bulk.push(
            tx,
            args![
                alert.id,
                alert.device,
                alert.tenant,
                alert.kind.code,
                alert.cause,
                severity(alert.kind),
                alert.source,
                alert.detail,
                if alert.is_open { "open" } else { "suspected" },
                1_i64,
                0_i64,
                at
            ],
        )
        .await?;
    }
    bulk.finish(tx).await
}

/// Whether there is such an alert, whatever its state.
pub async fn is_there(tx: &mut Tx, scope: &Scope, id: AlertId) -> Result<bool> {
    scope.platform()?;
    Ok(tx.number("SELECT COUNT(*) FROM alerts WHERE id = $1", args![id]).await? > 0)
}

fn severity(kind: Kind) -> &'static str {
    use roadstead_domain::wire::pop_up::Severity;
    match kind.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// Notes that alerts were seen again: each once, with what was read, and whether that was often enough to open it.
pub async fn seen(tx: &mut Tx, scope: &Scope, seen: &[(Uuid, &str, bool)], at: Micros) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "UPDATE alerts SET seen = alerts.seen + 1, gone = 0, detail = v.column2, \
         opened_at = CASE WHEN v.column3 AND alerts.state = 'suspected' THEN v.column4 ELSE alerts.opened_at END, \
         state = CASE WHEN v.column3 THEN 'open' ELSE alerts.state END FROM (",
        4,
        ") AS v WHERE alerts.id = v.column1",
    );
    for (id, detail, opens) in seen {
        bulk.push(tx, args![*id, *detail, *opens, at]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Notes that alerts were not seen any more: each once, and whether that was often enough to close it.
pub async fn gone(tx: &mut Tx, scope: &Scope, gone: &[(Uuid, bool)], at: Micros) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "UPDATE alerts SET gone = alerts.gone + 1, seen = 0, \
         state = CASE WHEN v.column2 THEN 'closed' ELSE alerts.state END, \
         closed_at = CASE WHEN v.column2 THEN v.column3 END FROM (",
        3,
        ") AS v WHERE alerts.id = v.column1",
    );
    for (id, closes) in gone {
        bulk.push(tx, args![*id, *closes, at]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Holds an alert until this transaction ends, so that two who open a case of it do so one after the other; `false` if
/// it is forgotten. Whoever needs several holds cases first, then alerts, then the number of what a PC is told.
pub async fn lock(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<bool> {
    scope.platform()?;
    // A change of nothing, as for a case. `FOR UPDATE` would also keep out whoever writes a pop-up of it, and they have the
    // PC's number already.
    let held = tx.execute("UPDATE alerts SET repair = repair WHERE id = $1", args![id]).await?;
    Ok(held == 1)
}

/// Notes that a case was made of it, or that the case is over, as is the one that it may have become part of.
pub async fn set_repair(tx: &mut Tx, scope: &Scope, id: Uuid, repair: Option<&str>) -> Result<()> {
    scope.platform()?;
    tx.execute("UPDATE alerts SET repair = $2 WHERE id = $1", args![id, repair]).await?;
    Ok(())
}

/// An alert with its PC, for whoever may see it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// The PC.
    pub device: Uuid,
    /// Its serial.
    pub serial: String,
    /// Its model.
    pub model: String,
    /// The tenant that has the PC.
    pub tenant: Uuid,
    /// `holding` or `customer`.
    pub tenant_kind: String,
    /// Its name.
    pub tenant_name: String,
    /// The kind's code.
    pub kind: String,
    /// Which part.
    pub cause: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// What was read.
    pub detail: String,
    /// `open` or `closed`.
    pub state: String,
    /// Whether a case was made of it.
    pub repair: Option<String>,
    /// When it was raised, in microseconds.
    pub opened_at: i64,
    /// When it closed.
    pub closed_at: Option<i64>,
}

macro_rules! alert_sql {
    ($($rest:literal),+) => {
        concat!(
            "SELECT a.id, a.device, d.serial, d.model, a.tenant, t.kind AS tenant_kind, t.name AS tenant_name, ",
            "a.kind, a.cause, a.severity, a.detail, a.state, a.repair, a.opened_at, a.closed_at FROM tenants t ",
            "JOIN alerts a ON a.tenant = t.id JOIN devices d ON d.id = a.device LEFT JOIN customers c ",
            "ON c.tenant = t.id WHERE ($1 IS NULL OR (t.parent = $1 AND (t.kind <> 'customer' OR c.partner_access))) ",
            "AND ($2 IS NULL OR t.id = $2) AND ",
            $($rest),+
        )
    };
}

/// The partner and the customer to bind.
fn reached(scope: &Scope) -> Result<(Option<TenantId>, Option<TenantId>)> {
    match scope.reach() {
        Reach::Platform => Ok((None, None)),
        Reach::Partner(partner) => Ok((Some(partner), None)),
        Reach::Customer(customer) => Ok((None, Some(customer))),
        Reach::Reporter(_) | Reach::Desk => Err(Denied::NotFound.into()),
    }
}

/// Open alerts of the PCs that the scope reaches, newest first, or those that closed there; of one kind and of one cause, if
/// they are named.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    closed: bool,
    (kind, cause): (&str, Option<&str>),
    page: &Page,
) -> Result<Option<Rows<Alert>>> {
    let (partner, customer) = reached(scope)?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    macro_rules! of_state {
        ($state:literal) => {
            alert_sql!(
                "a.state = '",
                $state,
                "' AND a.id < $3 AND ($4 = '' OR a.kind = $4) AND ($6 IS NULL OR a.cause = $6) ",
                "ORDER BY a.id DESC LIMIT $5"
            )
        };
    }
    let sql = if closed { of_state!("closed") } else { of_state!("open") };
    let values = args![partner, customer, after.unwrap_or(Uuid::max()), kind, rows + 1, cause];
    let items: Vec<Alert> = tx.all(sql, values).await?;
    Ok(Some(Rows::cut(items, rows, |alert| alert.id)))
}

/// Open alerts that belong together.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Group {
    /// The kind's code.
    pub kind: String,
    /// The cause, where the kind is told apart by it.
    pub cause: Option<String>,
    /// How many there are.
    pub alerts: i64,
}

/// The open alerts within the reach by kind, and by cause where many PCs share one if that is asked; the largest group
/// first: a storm is one line, and its list has every one. `None` for a cursor that is none.
pub async fn groups(tx: &mut Tx, scope: &Scope, by_cause: bool, page: &Page) -> Result<Option<Rows<Group>>> {
    let (partner, customer) = reached(scope)?;
    let Ok(after) = page.after::<u32>() else { return Ok(None) };
    let (skip, rows) = (i64::from(after.unwrap_or(0)), page.rows());
    let shared = alert::KINDS.into_iter().filter(|kind| by_cause && kind.shares_causes());
    let shared: Vec<&str> = shared.map(|kind| kind.code).collect();
    let items: Vec<Group> = tx
        .all_of_set(
            "SELECT g.kind, g.cause, COUNT(*) AS alerts FROM (SELECT a.kind, \
             CASE WHEN a.kind IN (SELECT s.value FROM <set> s) THEN a.cause END AS cause FROM tenants t \
             JOIN alerts a ON a.tenant = t.id LEFT JOIN customers c ON c.tenant = t.id \
             WHERE ($1 IS NULL OR (t.parent = $1 AND (t.kind <> 'customer' OR c.partner_access))) \
             AND ($2 IS NULL OR t.id = $2) AND a.state = 'open') g GROUP BY g.kind, g.cause \
             ORDER BY COUNT(*) DESC, g.kind, g.cause LIMIT $3 OFFSET $4",
            args![partner, customer, rows + 1, skip],
            &shared,
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |_| skip + rows)))
}

/// The alert, if the scope reaches its PC.
pub async fn find(tx: &mut Tx, scope: &Scope, id: AlertId) -> Result<Option<Alert>> {
    let (partner, customer) = reached(scope)?;
    tx.optional(alert_sql!("a.id = $3 AND a.state <> 'suspected'"), args![partner, customer, id]).await
}

/// Lets the alerts of PCs that moved follow them, and their pop-ups be judged anew: where an alert of the kind makes none in
/// the new tenant they are withdrawn, else they are told again, since the partner or the recipient may be another.
pub(crate) async fn follow<'a>(
    tx: &mut Tx,
    scope: &Scope,
    moves: impl Iterator<Item = &'a Move>,
    at: Micros,
) -> Result<()> {
    // Several moves of one PC: the last one counts.
    let moves: HashMap<Uuid, &Move> = moves.map(|moved| (moved.device.0, moved)).collect();
    if moves.is_empty() {
        return Ok(());
    }
    let devices: Vec<Uuid> = moves.keys().copied().collect();
    let concerned: Vec<(Uuid,)> = tx
        .all_of_ids(
            "SELECT DISTINCT a.device FROM <set> s CROSS JOIN alerts a WHERE a.device = s.value \
             AND a.state <> 'closed' ORDER BY a.device",
            args![],
            &devices,
        )
        .await?;
    let mut followed = Vec::with_capacity(concerned.len());
    let mut bulk = Bulk::new(
        "UPDATE alerts SET tenant = v.column2 FROM (",
        2,
        ") AS v WHERE alerts.device = v.column1 AND alerts.state <> 'closed'",
    );
    for (device,) in concerned {
        // One that went nowhere leaves its alerts where they were.
        let Some(to) = moves.get(&device).and_then(|moved| moved.to) else { continue };
        bulk.push(tx, args![device, to.tenant]).await?;
        followed.push(device);
    }
    bulk.finish(tx).await?;
    if followed.is_empty() {
        return Ok(());
    }
    let (mut withdrawn, mut again, mut told) = (Vec::new(), Vec::new(), BTreeSet::new());
    for open in pop_ups::open_at(tx, &followed).await? {
        let place = place(Some(&open.tenant_kind), open.switch.as_deref());
        // A move takes no entitlement away.
        let stays = Kind::from_code(&open.kind).is_some_and(|kind| alert::pops_up(kind, place, true));
        let list = if stays { &mut again } else { &mut withdrawn };
        list.push((open.id, open.device));
        told.insert(open.device);
    }
    pop_ups::end(tx, &withdrawn, "withdrawn", "pop_up.moved").await?;
    pop_ups::tell_again(tx, &again).await?;
    let changed = |device| (scope.home(), Event::DeviceChanged { device: DeviceId(device) });
    let changed: Vec<_> = told.into_iter().map(changed).collect();
    outbox::publish(tx, &changed, at).await
}

/// PCs with customers that were last heard of before this instant and have no alert of that.
pub async fn silent(tx: &mut Tx, scope: &Scope, before: Micros, most: i64) -> Result<Vec<DeviceId>> {
    scope.platform()?;
    let rows: Vec<(Uuid,)> = tx
        .all(
            "SELECT k.device FROM check_ins k JOIN placements p ON p.device = k.device JOIN tenants t \
             ON t.id = p.tenant WHERE k.seen_at < $1 AND t.kind = 'customer' AND NOT EXISTS (SELECT 1 FROM alerts a \
             WHERE a.device = k.device AND a.kind = 'heartbeat.lost' AND a.state <> 'closed') LIMIT $2",
            args![before, most],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| DeviceId(id)).collect())
}

/// PCs with customers whose last entitlement ends between these days and that have no alert of that.
pub async fn expiring(
    tx: &mut Tx,
    scope: &Scope,
    today: &str,
    until: &str,
    most: i64,
) -> Result<Vec<(DeviceId, String)>> {
    scope.platform()?;
    let rows: Vec<(Uuid, String)> = tx
        .all(
            "SELECT e.device, MAX(e.ends_on) AS ends FROM entitlements e JOIN placements p ON p.device = e.device \
             JOIN tenants t ON t.id = p.tenant WHERE t.kind = 'customer' AND NOT EXISTS (SELECT 1 FROM alerts a \
             WHERE a.device = e.device AND a.kind = 'entitlement.expiring' AND a.state <> 'closed') \
             GROUP BY e.device HAVING MAX(e.ends_on) > $1 AND MAX(e.ends_on) <= $2 LIMIT $3",
            args![today, until, most],
        )
        .await?;
    Ok(rows.into_iter().map(|(id, ends)| (DeviceId(id), ends)).collect())
}

/// Open alerts of ending entitlements that no longer end between these days, each with its PC.
pub async fn renewed(
    tx: &mut Tx,
    scope: &Scope,
    today: &str,
    until: &str,
    most: i64,
) -> Result<Vec<(Uuid, DeviceId)>> {
    scope.platform()?;
    let rows: Vec<(Uuid, Uuid)> = tx
        .all(
            "SELECT a.id, a.device FROM alerts a WHERE a.kind = 'entitlement.expiring' AND a.state = 'open' \
             AND COALESCE((SELECT MAX(e.ends_on) FROM entitlements e WHERE e.device = a.device), '') NOT BETWEEN $1 \
             AND $2 LIMIT $3",
            args![today, until, most],
        )
        .await?;
    Ok(rows.into_iter().map(|(id, device)| (id, DeviceId(device))).collect())
}

/// Whether the PC is in a tenant of the scope.
pub async fn is_reached(tx: &mut Tx, scope: &Scope, pc: &Pc) -> Result<bool> {
    let (partner, customer) = reached(scope)?;
    if partner.is_none() && customer.is_none() {
        return Ok(pc.tenant.is_some());
    }
    let found = tx
        .number(
            "SELECT COUNT(*) FROM tenants t LEFT JOIN customers c ON c.tenant = t.id WHERE t.id = $1 \
             AND ($2 IS NULL OR (t.parent = $2 AND (t.kind <> 'customer' OR c.partner_access))) \
             AND ($3 IS NULL OR t.id = $3)",
            args![pc.tenant, partner, customer],
        )
        .await?;
    Ok(found > 0)
}

/// A stored kind.
pub fn kind_of(code: &str) -> Result<Kind> {
    Kind::from_code(code).ok_or_else(|| Error::bad("alerts", code))
}

/// Forgets pop-ups that are over and were made before this instant, and alerts that closed before it and of which no case
/// is open, at most so many of each; how many.
pub async fn forget(tx: &mut Tx, scope: &Scope, before: Micros, most: i64) -> Result<u64> {
    scope.platform()?;
    let pop_ups = tx
        .execute(
            "DELETE FROM pop_ups WHERE id IN (SELECT p.id FROM pop_ups p WHERE p.state <> 'open' AND p.created_at < $1 \
             ORDER BY p.created_at LIMIT $2)",
            args![before, most],
        )
        .await?;
    let alerts = tx
        .execute(
            "DELETE FROM alerts WHERE id IN (SELECT a.id FROM alerts a WHERE a.state = 'closed' AND a.closed_at < $1 \
             AND a.repair IS DISTINCT FROM 'open' AND NOT EXISTS (SELECT 1 FROM pop_ups p WHERE p.alert = a.id) \
             ORDER BY a.closed_at LIMIT $2)",
            args![before, most],
        )
        .await?;
    Ok(pop_ups + alerts)
}
