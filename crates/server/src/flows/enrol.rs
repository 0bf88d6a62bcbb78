//! A PC joins: by its serial alone where it is placed, by a cPIN, or because its serial is on a zero-touch list. What
//! cannot be decided waits in quarantine until the PC asks again or somebody who may says yes or no.

use ed25519_dalek::VerifyingKey;
use roadstead_domain::access::{self, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::cpin::{Cpin, WRONG_IN_ALL, WRONG_PER_NETWORK};
use roadstead_domain::enrolment::{
    Case, Decider, Decision, Domain, Held, Key, Proof, Reason, Word, decide, is_own_domain, keeps_unknown,
};
use roadstead_domain::event::Event;
use roadstead_domain::ids::{CpinId, DeviceId, EnrolmentId, TenantId};
use roadstead_domain::placement::{Move, Place};
use roadstead_domain::privacy::{Possession, Receipt};
use roadstead_domain::serial;
use roadstead_domain::wire::{Enrol, key_text};
use roadstead_store::audit::NewEntry;
use roadstead_store::cpins::Speaker;
use roadstead_store::device_keys::Once;
use roadstead_store::enrolments::{Enrolment, Found};
use roadstead_store::placements::{Cause, Why};
use roadstead_store::serials::NewDevice;
use roadstead_store::{
    Error, Tx, audit, cpins, device_keys, enrolments, outbox, placements, privacy, serials,
};
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// What an enrolment came to.
#[derive(Debug)]
pub struct Outcome {
    /// As it stands now.
    pub enrolment: Enrolment,
    /// Whether the key asked for the first time.
    pub is_new: bool,
}

/// How often an enrolment is tried anew when others change what it was judged by.
const MOST_TRIES: usize = 4;
/// The longest text that a PC may say of itself.
const LONGEST: usize = 200;

/// A PC's wish, read and checked for form.
struct Wish<'a> {
    ask: &'a Enrol,
    serial: String,
    /// The cPIN that it shows; `Err` for one with a slip.
    cpin: Option<Result<Cpin, ()>>,
    key: String,
    once: Once,
    network: String,
}

/// Judges a PC's wish to join and does what follows. The same key asking again is judged again. Wrong cPINs, and PCs of
/// which nobody knows anything, count against the network that it asks from.
pub async fn enrol(
    app: &App,
    ask: &Enrol,
    key: &VerifyingKey,
    once: Once,
    network: String,
) -> Result<Outcome, Refused> {
    let serial = serial::normalize(&ask.serial).map_err(|_| Refused::invalid("serial.invalid", "serial"))?;
    for (field, text) in [("product_number", Some(&ask.product_number)), ("domain", ask.domain.as_ref())] {
        if text.is_some_and(|text| text.chars().count() > LONGEST) {
            return Err(Refused::invalid("field.too_long", field));
        }
    }
    let shown = ask.cpin.as_deref().filter(|cpin| !cpin.trim().is_empty());
    let cpin = shown.map(|cpin| cpin.parse::<Cpin>().map_err(|_| ()));
    let key = key_text(key);
    let wish = Wish { ask, serial, cpin, key, once, network };
    let mut tries = 0;
    loop {
        tries += 1;
        match judge(app, &wish).await {
            // Another node was faster with the same serial or key: what it did counts now.
            Err(Refused::Store(Error::Conflict(_) | Error::Stale(_))) if tries < MOST_TRIES => {}
            outcome => return outcome,
        }
    }
}

async fn judge(app: &App, wish: &Wish<'_>) -> Result<Outcome, Refused> {
    let now = app.ambient.now();
    let system = access::system();
    let mut tx = app.store.write(&system).await?;
    if !device_keys::see(&mut tx, wish.once).await? {
        return Err(Refused::Repeated);
    }
    if let Some(Ok(_)) = wish.cpin {
        let (network, all) = cpins::wrong_guesses(&mut tx, &system, &wish.network, now).await?;
        if network >= WRONG_PER_NETWORK || all >= WRONG_IN_ALL {
            return Err(Refused::TooMany("cpin.too_many_guesses"));
        }
    }
    let known = enrolments::hold_of_key(&mut tx, &system, &wish.key, &wish.serial).await?;
    let is_new = known.is_none();
    let mut row = match known {
        Some(row) => row,
        None => {
            let row = Enrolment::new(app.ambient.id(), &wish.key, &wish.serial, now);
            enrolments::add(&mut tx, &system, &row).await?;
            row
        }
    };
    row.tries += 1;
    row.last_at = now.0;
    row.product_number.clone_from(&wish.ask.product_number);
    row.domain = wish.ask.domain.clone().unwrap_or_default();
    row.confirmed |= wish.ask.confirmed;
    let shown = match wish.cpin {
        None => Shown::Nothing,
        Some(Err(())) => Shown::Nonsense,
        Some(Ok(cpin)) => match cpins::with_code(&mut tx, &system, cpin).await? {
            Some(found) => Shown::Cpin(CpinId(found.id)),
            None => {
                cpins::count_wrong(&mut tx, &system, &wish.network, now).await?;
                Shown::Nonsense
            }
        },
    };
    // What somebody refused stays so until they change their mind.
    if row.state != "refused" {
        settle(app, &mut tx, access::of_device(EnrolmentId(row.id)), &mut row, shown, Some(wish)).await?;
    }
    tx.commit().await?;
    app.wake();
    match (shown, wish.cpin) {
        (Shown::Nonsense, Some(Err(()))) => Err(Refused::invalid("cpin.mistyped", "cpin")),
        (Shown::Nonsense, _) => Err(Refused::invalid("cpin.unknown", "cpin")),
        _ => Ok(Outcome { enrolment: row, is_new }),
    }
}

/// What the PC shows beside its serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Nonsense,
    Cpin(CpinId),
}

/// Which of several PCs with one serial is meant: the one with this product number.
fn pick(mut found: Vec<Found>, product_number: &str) -> Option<Found> {
    if found.len() > 1 {
        found.retain(|found| found.product_number.eq_ignore_ascii_case(product_number));
    }
    if found.len() == 1 { found.pop() } else { None }
}

/// Decides an enrolment by what is known now, does what follows, writes it down and tells everybody concerned. There is
/// a `wish` if the PC itself asks.
async fn settle(
    app: &App,
    tx: &mut Tx,
    scope: Scope,
    row: &mut Enrolment,
    shown: Shown,
    wish: Option<&Wish<'_>>,
) -> Result<(), Refused> {
    let before = (row.state.clone(), row.reason.clone());
    let (customer, cpin, holder) = (row.customer, row.cpin, (row.holder, row.holder_partner));
    let is_first = row.tries <= 1;
    let mut homes = concerned(row);
    let there = enrolments::with_serial(tx, &scope, &row.serial).await?;
    let is_unknown = there.is_empty();
    let found = pick(there, &row.product_number);
    let held = found.as_ref().map_or(Held::Nowhere, |found| found.held);
    let (word, speaker) = word_of(app, tx, &scope, row, shown, held).await?;
    if let Some(wish) = wish
        && is_first
        && is_unknown
        && word.is_nobodys()
    {
        count_unknown(app, tx, &scope, wish).await?;
    }
    row.cpin = match shown {
        Shown::Cpin(id) => Some(id.0),
        _ => None,
    };
    row.device = found.as_ref().map(|found| found.device.0);
    row.holder = found.as_ref().and_then(|found| found.tenant).map(|tenant| tenant.0);
    row.holder_partner = found.as_ref().and_then(|found| found.visible_partner).map(|partner| partner.0);
    row.customer = speaker.as_ref().map(|speaker| speaker.customer.tenant.0);
    row.customer_partner =
        speaker.as_ref().and_then(|speaker| speaker.visible_partner).map(|partner| partner.0);
    // A yes counts for those who gave it and for what they saw: other sides, or another cPIN, were not asked yet.
    if (row.customer, row.cpin) != (customer, cpin) {
        row.released_by_customer = false;
    }
    if row.customer != customer {
        row.confirmed = wish.is_some_and(|wish| wish.ask.confirmed);
    }
    if (row.holder, row.holder_partner) != holder {
        row.released_by_holder = false;
    }
    let case = Case {
        word,
        held,
        key: standing_of(tx, &scope, row, found.as_ref()).await?,
        domain: match &speaker {
            Some(speaker) if !is_own_domain(&row.domain, &speaker.domains) => {
                if row.confirmed {
                    Domain::Confirmed
                } else {
                    Domain::Foreign
                }
            }
            _ => Domain::Known,
        },
        disabled: speaker.as_ref().is_some_and(|speaker| speaker.disabled),
        released: row.released(),
    };
    homes.extend(concerned(row));
    let decision = decide(&case);
    let mut receipt = None;
    let moved = matches!(decision, Decision::Join(..));
    match decision {
        Decision::Wait(reason) => {
            (row.state, row.reason) = ("waiting".to_owned(), Some(reason.as_str().to_owned()));
        }
        Decision::Stay(proof) => {
            (row.state, row.reason) = ("enrolled".to_owned(), None);
            if let Some(found) = &found {
                let is_better = proof != Proof::Serial;
                if case.key != Key::Same || is_better {
                    bind(app, tx, &scope, row, found.device, proof, found.generation).await?;
                }
                if case.key != Key::Same {
                    count_use(app, tx, &scope, row, proof).await?;
                }
            }
        }
        Decision::Join(customer, proof) => {
            let partner = speaker.as_ref().and_then(|speaker| speaker.customer.partner);
            // The chain of a customer without a partner is its own.
            let to = Place { tenant: customer, partner: partner.unwrap_or(customer) };
            if let Some(found) = found.as_ref().filter(|found| found.tenant.is_some()) {
                receipt = privacy::leaving(tx, &scope, &[&row.serial]).await?.remove(&found.device);
            }
            let (device, generation) = join(app, tx, &scope, row, found.as_ref(), to).await?;
            row.device = Some(device.0);
            bind(app, tx, &scope, row, device, proof, generation).await?;
            count_use(app, tx, &scope, row, proof).await?;
            (row.state, row.reason) = ("enrolled".to_owned(), None);
            row.holder = Some(customer.0);
            row.holder_partner = row.customer_partner;
        }
    }
    if row.state == "enrolled" {
        (row.released_by_holder, row.released_by_customer) = (false, false);
    }
    enrolments::update(tx, &scope, row).await?;
    // What concerns nobody is told once: whoever makes it up could go on and on.
    let is_changed = !homes.is_empty() && (&row.state, &row.reason) != (&before.0, &before.1);
    if is_first || moved || is_changed {
        note(app, tx, &scope, row, homes, receipt).await?;
    }
    Ok(())
}

/// Anybody can make up keys and serials: of so many in an hour the next one is refused, and nothing of it is kept.
async fn count_unknown(app: &App, tx: &mut Tx, scope: &Scope, wish: &Wish<'_>) -> Result<(), Refused> {
    // A wrong cPIN has been counted as a guess, of which there are far fewer, and a refusal would undo that.
    if let Some(Ok(_)) = wish.cpin {
        return Ok(());
    }
    let now = app.ambient.now();
    let (of_network, in_all) = enrolments::unknown(tx, scope, &wish.network, now).await?;
    if !keeps_unknown(of_network, in_all) {
        return Err(Refused::TooMany("enrolment.too_many_unknown"));
    }
    enrolments::count_unknown(tx, scope, &wish.network, now).await?;
    Ok(())
}

/// Who speaks for the PC: the cPIN that it shows, else the lists that its serial is on.
async fn word_of(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    row: &Enrolment,
    shown: Shown,
    held: Held,
) -> Result<(Word, Option<Speaker>), Refused> {
    let gone = || Refused::Internal(anyhow::anyhow!("a customer of the enrolment {} is gone", row.id));
    match shown {
        Shown::Nonsense => Ok((Word::UnknownCpin, None)),
        Shown::Cpin(id) => {
            let cpin = cpins::get(tx, scope, id).await?.ok_or_else(gone)?;
            let speaker = cpins::speaker(tx, scope, TenantId(cpin.customer)).await?.ok_or_else(gone)?;
            Ok((Word::Cpin(speaker.customer, cpin.bounds().check(app.ambient.now())), Some(speaker)))
        }
        Shown::Nothing => {
            let listed = cpins::listed_by(tx, scope, &row.serial).await?;
            let customer = match (listed.as_slice(), held) {
                ([], _) => return Ok((Word::Nobody, None)),
                ([only], _) => *only,
                // The list of whoever has it says nothing new.
                (several, Held::Customer(holder)) if several.contains(&holder.tenant) => holder.tenant,
                _ => return Ok((Word::ListedTwice, None)),
            };
            let speaker = cpins::speaker(tx, scope, customer).await?.ok_or_else(gone)?;
            Ok((Word::Listed(speaker.customer), Some(speaker)))
        }
    }
}

async fn standing_of(
    tx: &mut Tx,
    scope: &Scope,
    row: &Enrolment,
    found: Option<&Found>,
) -> Result<Key, Refused> {
    let bound = device_keys::find(tx, scope, &row.public_key).await?;
    if bound.is_some() && bound != found.map(|found| found.device) {
        return Ok(Key::Taken);
    }
    Ok(match found.and_then(|found| found.public_key.as_deref()) {
        Some(bound) if bound == row.public_key => Key::Same,
        Some(_) => Key::Second,
        None if enrolments::has_rival(tx, scope, &row.serial, &row.public_key).await? => Key::Rival,
        None => Key::First,
    })
}

async fn bind(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    row: &Enrolment,
    device: DeviceId,
    proof: Proof,
    generation: i64,
) -> Result<(), Refused> {
    let now = app.ambient.now();
    device_keys::bind(tx, scope, device, &row.public_key, proof, generation, now).await?;
    // A list or a release says that the PC may come, not that it is in the customer's hands.
    if proof == Proof::Cpin {
        privacy::prove(tx, scope, device, generation, Possession::Cpin, now).await?;
    }
    Ok(())
}

/// A cPIN's cap is kept to the last PC, however many come at once.
async fn count_use(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    row: &Enrolment,
    proof: Proof,
) -> Result<(), Refused> {
    if let (Proof::Cpin, Some(cpin)) = (proof, row.cpin)
        && !cpins::count_use(tx, scope, CpinId(cpin), &row.serial, app.ambient.now()).await?
    {
        return Err(Refused::Store(Error::Stale("cpins")));
    }
    Ok(())
}

/// Moves the PC to the customer, by the one writer of placements; a PC that was never reported comes from nowhere.
async fn join(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    row: &Enrolment,
    found: Option<&Found>,
    to: Place,
) -> Result<(DeviceId, i64), Refused> {
    let now = app.ambient.now();
    tx.lock_placements().await?;
    let device = match found {
        Some(found) => found.device,
        None => {
            let id = app.ambient.id();
            let key = (row.serial.clone(), String::new());
            let new = NewDevice { id, key: &key, product_number: &row.product_number, model: "" };
            serials::add_devices(tx, scope, &[new], now).await?;
            id
        }
    };
    let from = match found.map(|found| (found.tenant, found.held)) {
        Some((Some(tenant), Held::Pool(partner))) => Some(Place { tenant, partner }),
        Some((Some(tenant), Held::Customer(customer))) => {
            Some(Place { tenant, partner: customer.partner.unwrap_or(tenant) })
        }
        _ => None,
    };
    let generation = found.map_or(0, |found| found.generation);
    let moved = Move { device, serial: row.serial.clone(), generation, from, to: Some(to) };
    let why = Why::Operation { cause: "enrolment", id: row.id };
    placements::apply(tx, scope, &[Cause { moved, why }], now).await?;
    let mut events = Vec::new();
    if let Some(from) = from {
        events.extend(arrival_event(from, found.map(|found| found.held), false));
    }
    events.extend(arrival_event(to, None, true));
    outbox::publish(tx, &events, now).await?;
    Ok((device, generation + 1))
}

/// What open pages are told of one PC that came or left.
fn arrival_event(place: Place, held: Option<Held>, arrived: bool) -> Vec<(Option<Uuid>, Event)> {
    let (arrived, left) = (u64::from(arrived), u64::from(!arrived));
    if let Some(Held::Pool(partner)) = held {
        return vec![(Some(partner.0), Event::UnassignedDevicesChanged { arrived, left, report: None })];
    }
    let event = Event::CustomerDevicesChanged { customer: place.tenant, arrived, left };
    let mut homes = vec![place.tenant.0, place.partner.0];
    homes.dedup();
    homes.into_iter().map(|home| (Some(home), event.clone())).collect()
}

/// The homes on both sides. A pool has no log of its own: it is the partner's.
fn concerned(row: &Enrolment) -> Vec<Uuid> {
    [row.holder, row.holder_partner, row.customer, row.customer_partner].into_iter().flatten().collect()
}

/// In the log of each home concerned, with what became of the data that the PC left behind; open pages look anew. What
/// concerns nobody yet is in no log, which keeps everything for ever: it stands in the operator's list.
async fn note(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    row: &Enrolment,
    mut homes: Vec<Uuid>,
    receipt: Option<Receipt>,
) -> Result<(), Refused> {
    let action = match row.state.as_str() {
        "enrolled" => AuditAction::DeviceEnrolled,
        "refused" => AuditAction::EnrolmentRefused,
        _ => AuditAction::EnrolmentWaiting,
    };
    homes.sort_unstable();
    homes.dedup();
    let homes: Vec<Option<Uuid>> =
        if homes.is_empty() { vec![None] } else { homes.into_iter().map(Some).collect() };
    let mut detail = serde_json::json!({ "serial_number": row.serial, "reason": row.reason });
    if let Some(receipt) = receipt {
        detail["privacy"] = serde_json::json!(receipt);
    }
    let entry =
        |home: &Option<Uuid>| NewEntry { home: *home, action, subject: Some(row.id), detail: detail.clone() };
    let entries: Vec<NewEntry> = homes.iter().filter(|home| home.is_some()).map(entry).collect();
    audit::record(tx, scope.actor(), &entries, &app.ambient).await?;
    let events: Vec<_> = homes.into_iter().map(|home| (home, Event::EnrolmentsChanged {})).collect();
    outbox::publish(tx, &events, app.ambient.now()).await?;
    Ok(())
}

/// What somebody says of an enrolment that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Let it in, or let it go.
    Release,
    /// Never.
    Refuse,
}

/// Why a word on an enrolment does nothing.
pub const REFUSALS: [&str; 3] = ["enrolment.over", "enrolment.not_yours", "enrolment.needs_more"];

/// Ends the waiting of an enrolment, as far as the caller's side may.
pub async fn say(app: &App, scope: &Scope, id: EnrolmentId, say: Say) -> Result<Enrolment, Refused> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_say(app, scope, id, say).await {
            Err(Refused::Store(Error::Conflict(_) | Error::Stale(_))) if tries < MOST_TRIES => {}
            outcome => return outcome,
        }
    }
}

async fn try_say(app: &App, scope: &Scope, id: EnrolmentId, say: Say) -> Result<Enrolment, Refused> {
    let side = scope.home().ok_or(access::Denied::NotFound)?;
    let platform = scope.carried_out();
    let mut tx = app.store.read(scope).await?;
    enrolments::get(&mut tx, scope, id).await?.ok_or(access::Denied::NotFound)?;
    drop(tx);
    let mut tx = app.store.write(&platform).await?;
    let mut row = enrolments::hold(&mut tx, &platform, id).await?.ok_or(access::Denied::NotFound)?;
    if row.state == "enrolled" {
        return Err(Refused::Conflict("enrolment.over"));
    }
    let is_holder = [row.holder, row.holder_partner].contains(&Some(side));
    let is_customer = [row.customer, row.customer_partner].contains(&Some(side));
    match say {
        Say::Refuse => {
            (row.state, row.reason) = ("refused".to_owned(), Some("enrolment.refused".to_owned()));
            enrolments::update(&mut tx, &platform, &row).await?;
            let homes = concerned(&row);
            note(app, &mut tx, scope, &row, homes, None).await?;
        }
        Say::Release => {
            if row.state == "refused" {
                row.state = "waiting".to_owned();
            } else {
                let reason = row.reason.as_deref().and_then(Reason::from_code);
                match reason.map(Reason::decider) {
                    Some(Decider::Holder) if is_holder => row.released_by_holder = true,
                    Some(Decider::Customer) if is_customer => row.released_by_customer = true,
                    Some(Decider::Nobody) | None => return Err(Refused::Conflict("enrolment.needs_more")),
                    Some(_) => return Err(Refused::Conflict("enrolment.not_yours")),
                }
            }
            let shown = row.cpin.map_or(Shown::Nothing, |cpin| Shown::Cpin(CpinId(cpin)));
            settle(app, &mut tx, platform, &mut row, shown, None).await?;
        }
    }
    tx.commit().await?;
    app.wake();
    Ok(row)
}
