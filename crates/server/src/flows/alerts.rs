//! Alerts: what readings show, what monitors and the platform itself say, and the pop-ups that follow. All of it happens
//! in the transaction of what it follows from.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use roadstead_domain::access::{self, Denied, Scope};
use roadstead_domain::alert::{
    ENTITLEMENT_EXPIRING, EXPIRING_DAYS, Finding, GONE, HEARTBEAT_LOST, Kind, POP_UP_SECONDS, Place,
    is_raised, pops_up, silent_before,
};
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{AlertId, DeviceId};
use roadstead_domain::serial;
use roadstead_store::alerts::{self, Known, NewAlert, Pc, kind_of};
use roadstead_store::check_ins::Speaking;
use roadstead_store::pop_ups::{self, Change};
use roadstead_store::{Tx, devices, outbox};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// Who has to be told once the work is done.
#[derive(Debug, Default)]
pub(super) struct Changed {
    homes: BTreeSet<Uuid>,
    devices: BTreeSet<Uuid>,
}

impl Changed {
    /// The open pages of whoever has the PC.
    pub(super) fn alerts_of(&mut self, pc: &Pc) {
        self.homes.extend(pc.partner);
        self.homes.extend(pc.tenant.filter(|_| pc.kind.as_deref() == Some("customer")));
    }

    /// The PC.
    pub(super) fn device(&mut self, id: Uuid) {
        self.devices.insert(id);
    }

    /// Whether there is nobody to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.homes.is_empty() && self.devices.is_empty()
    }

    /// Tells them, at the commit.
    pub(super) async fn publish(self, tx: &mut Tx, at: Micros) -> roadstead_store::Result<()> {
        let pages = self.homes.into_iter().map(|home| (Some(home), Event::AlertsChanged {}));
        let devices =
            self.devices.into_iter().map(|id| (None, Event::DeviceChanged { device: DeviceId(id) }));
        let events: Vec<_> = pages.chain(devices).collect();
        outbox::publish(tx, &events, at).await
    }
}

/// What is to be written of alerts, and what their PCs are to be told: for all of them with one statement of each kind, alerts
/// before the PCs' numbers.
#[derive(Debug, Default)]
pub(super) struct Work<'a> {
    new: Vec<NewAlert<'a>>,
    /// Whom each of these concerns, if it is written.
    concerned: Vec<Changed>,
    seen: Vec<(Uuid, &'a str, bool)>,
    gone: Vec<(Uuid, bool)>,
    told: Vec<(Uuid, Change)>,
    changed: Changed,
}

impl<'a> Work<'a> {
    /// Notes a condition of a PC whose place is held: raises it, or says that it lasts. A pop-up follows where there is
    /// none and one is due. The alert's id, if there is one in such a place.
    pub(super) fn see(
        &mut self,
        app: &App,
        pc: &Pc,
        kind: Kind,
        (cause, detail, source): (&'a str, &'a str, &'static str),
        same: Option<&Known>,
    ) -> roadstead_store::Result<Option<Uuid>> {
        let Some(tenant) = pc.tenant.filter(|_| is_raised(kind, pc.place())) else { return Ok(None) };
        if let Some(same) = same {
            let opens = same.state == "open" || same.seen + 1 >= kind.confirmations;
            self.seen.push((same.id, detail, opens));
            if opens && same.state != "open" {
                self.changed.alerts_of(pc);
            }
            if opens {
                self.again(app, pc, same)?;
            }
            return Ok(Some(same.id));
        }
        let id: AlertId = app.ambient.id();
        let is_open = source != "agent" || kind.confirmations <= 1;
        let device = DeviceId(pc.id);
        self.new.push(NewAlert { id, device, tenant, kind, cause, detail, source, is_open });
        let mut concerned = Changed::default();
        if is_open {
            concerned.alerts_of(pc);
            if pc.pops_up(kind) {
                self.told.push((pc.id, Change::New(app.ambient.id(), id.0)));
                concerned.device(pc.id);
            }
        }
        self.concerned.push(concerned);
        Ok(Some(id.0))
    }

    /// A condition lasts: the next pop-up, if the last one is over and no case was made of it.
    fn again(&mut self, app: &App, pc: &Pc, alert: &Known) -> roadstead_store::Result<()> {
        if alert.pop_up.is_none() && alert.repair.is_none() && pc.pops_up(kind_of(&alert.kind)?) {
            self.told.push((pc.id, Change::New(app.ambient.id(), alert.id)));
            self.changed.device(pc.id);
        }
        Ok(())
    }

    /// Notes that a condition is gone; its pop-up is taken back once that closes the alert.
    pub(super) fn close(&mut self, pc: &Pc, alert: &Known, closes: bool) {
        self.gone.push((alert.id, closes));
        if closes {
            if alert.state == "open" {
                self.changed.alerts_of(pc);
            }
            if let Some(id) = alert.pop_up {
                self.told.push((pc.id, Change::Withdrawn(id)));
                self.changed.device(pc.id);
            }
        }
    }

    /// Writes all of it; whether somebody is to be told.
    pub(super) async fn write(self, tx: &mut Tx, now: Micros) -> roadstead_store::Result<bool> {
        let Self { new, concerned, seen, gone, mut told, mut changed } = self;
        let scope = access::system();
        let mut missing: HashSet<Uuid> = HashSet::new();
        if alerts::insert(tx, &scope, &new, now).await? < new.len() as u64 {
            // Somebody else has raised some of them meanwhile, and told the PC.
            for alert in &new {
                if !alerts::is_there(tx, &scope, alert.id).await? {
                    missing.insert(alert.id.0);
                }
            }
        }
        for (alert, concerned) in new.iter().zip(concerned) {
            if !missing.contains(&alert.id.0) {
                changed.homes.extend(concerned.homes);
                changed.devices.extend(concerned.devices);
            }
        }
        told.retain(|(_, change)| !matches!(change, Change::New(_, alert) if missing.contains(alert)));
        alerts::seen(tx, &scope, &seen, now).await?;
        alerts::gone(tx, &scope, &gone, now).await?;
        let until = now.plus_seconds(POP_UP_SECONDS);
        pop_ups::change(tx, &scope, &told, "pop_up.condition_gone", until, now).await?;
        let tells = !changed.is_empty();
        changed.publish(tx, now).await?;
        Ok(tells)
    }
}

/// What readings show: findings, and the kinds that were looked for.
pub(super) type Shows = (Vec<Finding>, Vec<&'static str>);

/// What a PC said at a check-in.
pub(super) struct Heard<'a> {
    /// The PC, as the books had it then.
    pub(super) speaking: &'a Speaking,
    /// What it read.
    pub(super) shows: &'a Shows,
}

/// What follows from these check-ins, at most one of a PC; whether somebody is to be told, and the PCs that are being moved at
/// this moment, which are to be looked at again.
pub(super) async fn look_at_readings(
    app: &App,
    tx: &mut Tx,
    heard: &[Heard<'_>],
    now: Micros,
) -> roadstead_store::Result<(bool, HashSet<Uuid>)> {
    let scope = access::system();
    let devices: Vec<Uuid> = heard.iter().map(|heard| heard.speaking.device.0).collect();
    let mut known: HashMap<Uuid, Vec<Known>> = HashMap::new();
    for alert in alerts::known(tx, &scope, &devices).await? {
        known.entry(alert.device).or_default().push(alert);
    }
    let mut concerned = Vec::new();
    for Heard { speaking, shows: (found, looked_at) } in heard {
        let own = known.remove(&speaking.device.0).unwrap_or_default();
        if speaking.tenant.is_some() && !is_old_news(found, &own, speaking.with_customer) {
            concerned.push((speaking.device.0, found, looked_at, own));
        }
    }
    if concerned.is_empty() {
        return Ok((false, HashSet::new()));
    }
    let mut moving: HashSet<Uuid> = concerned.iter().map(|(device, ..)| *device).collect();
    let asked: Vec<Uuid> = moving.iter().copied().collect();
    let held = alerts::hold_places(tx, &scope, &asked).await?;
    moving.retain(|device| !held.contains(device));
    concerned.retain(|(device, ..)| held.contains(device));
    if concerned.is_empty() {
        return Ok((false, moving));
    }
    let asked: Vec<Uuid> = held.into_iter().collect();
    let pcs = alerts::pcs(tx, &scope, &asked, now).await?;
    let mut work = Work::default();
    for (device, found, looked_at, own) in &concerned {
        let Some(pc) = pcs.get(device) else { continue };
        for finding in *found {
            let kind = kind_of(&finding.kind)?;
            let same = own.iter().find(|known| is_of(finding, known));
            let said = (finding.cause.as_str(), finding.detail.as_str(), "agent");
            work.see(app, pc, kind, said, same)?;
        }
        for old in own {
            let is_heard = old.kind == HEARTBEAT_LOST.code;
            if found.iter().any(|finding| is_of(finding, old))
                || old.source == "agent" && !looked_at.contains(&old.kind.as_str())
            {
                continue;
            }
            if old.source == "agent" || is_heard {
                let closes = is_heard || old.state == "suspected" || old.gone + 1 >= GONE;
                work.close(pc, old, closes);
            } else {
                work.again(app, pc, old)?;
            }
        }
    }
    Ok((work.write(tx, now).await?, moving))
}

/// Whether a finding is of this alert.
fn is_of(finding: &Finding, known: &Known) -> bool {
    finding.kind == known.kind && finding.cause == known.cause
}

/// Whether all of it is known as it is, and was acted upon: what every PC with something wrong says at most of its
/// check-ins.
fn is_old_news(found: &[Finding], own: &[Known], with_customer: bool) -> bool {
    let place = if with_customer { Place::Customer { off: false } } else { Place::Pool };
    let is_settled = |known: &Known| {
        known.pop_up.is_some()
            || known.repair.is_some()
            || Kind::from_code(&known.kind).is_some_and(|kind| !pops_up(kind, place, true))
    };
    let is_same = |finding: &Finding, known: &Known| {
        is_of(finding, known)
            && known.state == "open"
            && known.gone == 0
            && known.detail == finding.detail
            && is_settled(known)
    };
    let stays = |known: &Known| {
        found.iter().any(|finding| is_of(finding, known))
            || known.source != "agent" && known.kind != HEARTBEAT_LOST.code && is_settled(known)
    };
    found.iter().all(|finding| own.iter().any(|known| is_same(finding, known))) && own.iter().all(stays)
}

/// The one PC with this serial that the scope reaches.
pub(super) async fn pc_with_serial(app: &App, scope: &Scope, text: &str) -> Result<Pc, Refused> {
    let not_found = || Refused::Denied(Denied::NotFound);
    let serial = serial::normalize(text).map_err(|_| not_found())?;
    let system = access::system();
    let mut tx = app.store.read(&system).await?;
    let mut reached = Vec::new();
    for candidate in devices::candidates(&mut tx, &system, &serial).await? {
        let pc = alerts::pc(&mut tx, &system, DeviceId(candidate.id), app.ambient.now()).await?;
        if let Some(pc) = pc.filter(|pc| pc.tenant.is_some()) {
            reached.push((pc, candidate.manufacturer));
        }
    }
    drop(tx);
    let mut own = app.store.read(scope).await?;
    let mut seen = Vec::new();
    for (pc, manufacturer) in reached {
        if alerts::is_reached(&mut own, scope, &pc).await? {
            seen.push((pc, manufacturer));
        }
    }
    match seen.len() {
        0 => Err(not_found()),
        1 => Ok(seen.remove(0).0),
        _ => Err(Refused::Ambiguous {
            field: "serial",
            choices: seen.into_iter().map(|(_, manufacturer)| manufacturer).collect(),
        }),
    }
}

/// The PC as it is inside of this transaction of the platform, if the scope reaches it there: it may have moved since it
/// was found.
pub(super) async fn still_reached(
    tx: &mut Tx,
    scope: &Scope,
    device: DeviceId,
    now: Micros,
) -> Result<Pc, Refused> {
    let platform = scope.carried_out();
    let pc = alerts::pc(tx, &platform, device, now).await?.ok_or(Denied::NotFound)?;
    tx.act_for(scope).await?;
    let is_reached = alerts::is_reached(tx, scope, &pc).await?;
    tx.act_for(&platform).await?;
    if is_reached { Ok(pc) } else { Err(Denied::NotFound.into()) }
}

/// A monitor or the operator raises an alert; its id, and whether it is new. The same again only says that it lasts.
pub async fn raise(
    app: &App,
    scope: &Scope,
    serial: &str,
    kind: &str,
    cause: &str,
    detail: &str,
) -> Result<(AlertId, bool), Refused> {
    let kind = Kind::from_code(kind).ok_or(Refused::invalid("field.unknown_value", "kind"))?;
    for (field, text) in [("cause", cause), ("detail", detail)] {
        if text.chars().count() > 200 {
            return Err(Refused::invalid("field.too_long", field));
        }
    }
    let pc = pc_with_serial(app, scope, serial).await?;
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    let now = app.ambient.now();
    if alerts::hold_places(&mut tx, &platform, &[pc.id]).await?.is_empty() {
        return Err(Refused::Conflict("alert.pc_is_moving"));
    }
    let pc = still_reached(&mut tx, scope, DeviceId(pc.id), now).await?;
    let own = alerts::known_of(&mut tx, &platform, DeviceId(pc.id)).await?;
    let same = own.iter().find(|known| known.kind == kind.code && known.cause == cause);
    let mut work = Work::default();
    let id = work.see(app, &pc, kind, (cause, detail, "monitor"), same)?;
    let id = id.ok_or(Refused::Conflict("alert.not_here"))?;
    work.write(&mut tx, now).await?;
    tx.commit().await?;
    app.wake();
    Ok((AlertId(id), same.is_none()))
}

/// The alert, or *not found*.
pub async fn found(tx: &mut Tx, scope: &Scope, id: &str) -> Result<alerts::Alert, Refused> {
    let id = id.parse::<AlertId>().map_err(|_| Denied::NotFound)?;
    Ok(alerts::find(tx, scope, id).await?.ok_or(Denied::NotFound)?)
}

/// A monitor says that the condition is gone. What the agent sees closes by the agent's word alone.
pub async fn close(app: &App, scope: &Scope, id: &str) -> Result<(), Refused> {
    let mut own = app.store.read(scope).await?;
    let alert = found(&mut own, scope, id).await?;
    drop(own);
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    let (device, now) = (DeviceId(alert.device), app.ambient.now());
    let known = alerts::known_of(&mut tx, &platform, device).await?;
    let Some(known) = known.iter().find(|known| known.id == alert.id) else { return Ok(()) };
    if known.source == "agent" {
        return Err(Refused::Conflict("alert.agents"));
    }
    let pc = still_reached(&mut tx, scope, device, now).await?;
    let mut work = Work::default();
    work.close(&pc, known, true);
    work.write(&mut tx, now).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// The most that one round does of each sort.
const MOST: i64 = 500;

/// Ends pop-ups whose time is over.
pub async fn sweep(app: &App) -> roadstead_store::Result<()> {
    let (scope, now) = (access::system(), app.ambient.now());
    let mut tx = app.store.read(&scope).await?;
    let due = pop_ups::due(&mut tx, &scope, now, MOST).await?;
    drop(tx);
    if due.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.write(&scope).await?;
    let mut changed = Changed::default();
    pop_ups::end(&mut tx, &due, "expired", "pop_up.expired").await?;
    for (_, device) in due {
        changed.device(device);
    }
    changed.publish(&mut tx, now).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// What time alone brings: silent PCs and ending entitlements become alerts, and renewed ones close theirs. It walks
/// whole tables, so once an hour is enough.
pub async fn look_around(app: &App) -> roadstead_store::Result<()> {
    let (scope, now) = (access::system(), app.ambient.now());
    let mut tx = app.store.read(&scope).await?;
    let silent = alerts::silent(&mut tx, &scope, silent_before(now), MOST).await?;
    let today = now.date().to_string();
    let until = now.plus_seconds(EXPIRING_DAYS * 24 * 3600).date().to_string();
    let expiring = alerts::expiring(&mut tx, &scope, &today, &until, MOST).await?;
    let renewed = alerts::renewed(&mut tx, &scope, &today, &until, MOST).await?;
    drop(tx);
    let silent = silent.into_iter().map(|device| (device, HEARTBEAT_LOST, String::new()));
    let expiring = expiring.into_iter().map(|(device, ends)| (device, ENTITLEMENT_EXPIRING, ends));
    let due: Vec<(DeviceId, Kind, String)> = silent.chain(expiring).collect();
    let mut tx = app.store.write(&scope).await?;
    let asked: Vec<Uuid> = due.iter().map(|(device, ..)| device.0).collect();
    let held = alerts::hold_places(&mut tx, &scope, &asked).await?;
    let asked: Vec<Uuid> = held.iter().copied().chain(renewed.iter().map(|(_, device)| device.0)).collect();
    let pcs = alerts::pcs(&mut tx, &scope, &asked, now).await?;
    let mut work = Work::default();
    // Of a PC that is being moved the next look tells.
    for (device, kind, detail) in due.iter().filter(|(device, ..)| held.contains(&device.0)) {
        if let Some(pc) = pcs.get(&device.0) {
            work.see(app, pc, *kind, ("", detail.as_str(), "platform"), None)?;
        }
    }
    for (id, device) in renewed {
        work.gone.push((id, true));
        if let Some(pc) = pcs.get(&device.0) {
            work.changed.alerts_of(pc);
        }
    }
    work.write(&mut tx, now).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Sweeps twice a minute and looks around once an hour, until told to stop.
pub async fn run(app: App, stop: CancellationToken) {
    const ROUNDS_AN_HOUR: u32 = 120;
    let mut round = 0;
    loop {
        let done = match sweep(&app).await {
            Ok(()) if round == 0 => look_around(&app).await,
            done => done,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "pop-ups and alerts could not be swept");
        }
        if round == 0
            && let Err(error) = super::recalls::schedule(&app).await
        {
            tracing::warn!(%error, "PCs could not be looked at for recall lists");
        }
        round = (round + 1) % ROUNDS_AN_HOUR;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(30)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use roadstead_domain::alert::{BATTERY_RECALL, DISK_FULL, DISK_WORN};

    use super::*;

    fn known(kind: Kind, change: impl FnOnce(&mut Known)) -> Known {
        let mut known = Known {
            id: Uuid::nil(),
            device: Uuid::nil(),
            kind: kind.code.to_owned(),
            cause: "nvme0".to_owned(),
            detail: "100".to_owned(),
            state: "open".to_owned(),
            source: "agent".to_owned(),
            seen: 1,
            gone: 0,
            repair: None,
            pop_up: Some(Uuid::nil()),
        };
        change(&mut known);
        known
    }

    fn finding(kind: Kind, detail: &str) -> Finding {
        Finding { kind: kind.code.to_owned(), cause: "nvme0".to_owned(), detail: detail.to_owned() }
    }

    #[test]
    fn only_what_is_known_and_acted_upon_is_old_news() {
        let old = |own: Known| is_old_news(&[finding(DISK_WORN, "100")], &[own], true);
        assert!(old(known(DISK_WORN, |_| {})));
        assert!(old(known(DISK_WORN, |k| (k.pop_up, k.repair) = (None, Some("open".to_owned())))));
        assert!(!old(known(DISK_WORN, |k| k.pop_up = None)), "its pop-up is over: the next one is due");
        assert!(!old(known(DISK_WORN, |k| k.state = "suspected".to_owned())));
        assert!(!old(known(DISK_WORN, |k| k.gone = 1)), "it is back");
        assert!(!old(known(DISK_WORN, |k| k.detail = "99".to_owned())));
        assert!(!old(known(DISK_WORN, |k| k.cause = "sda".to_owned())));
        assert!(!is_old_news(&[], &[known(DISK_WORN, |_| {})], true), "it is gone");
        assert!(!is_old_news(&[finding(DISK_WORN, "100")], &[], true), "it is new");
        assert!(is_old_news(&[], &[], true));
        let platforms = |kind| known(kind, |k| k.source = "platform".to_owned());
        assert!(is_old_news(&[], &[platforms(BATTERY_RECALL)], true), "no reading says that it is gone");
        assert!(!is_old_news(&[], &[platforms(HEARTBEAT_LOST)], true), "this very check-in says so");
        // With a customer nobody at the PC is told of a full disk; in a pool nobody else could be.
        let full = [known(DISK_FULL, |k| k.pop_up = None)];
        assert!(is_old_news(&[finding(DISK_FULL, "100")], &full, true));
        assert!(!is_old_news(&[finding(DISK_FULL, "100")], &full, false));
    }
}
