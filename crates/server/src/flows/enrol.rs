//! A PC joins: by its serial alone where it is placed, else it waits in quarantine until something or somebody decides.

use ed25519_dalek::VerifyingKey;
use roadstead_domain::access::{self, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::enrolment::{Case, Decision, Domain, Held, Key, Word, decide};
use roadstead_domain::ids::EnrolmentId;
use roadstead_domain::serial;
use roadstead_domain::wire::Enrol;
use roadstead_store::audit::NewEntry;
use roadstead_store::device_keys::Once;
use roadstead_store::enrolments::{Enrolment, Found};
use roadstead_store::{Error, Tx, audit, device_keys, enrolments};

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

/// Judges a PC's wish to join and does what follows. The same key asking again is judged again.
pub async fn enrol(app: &App, ask: &Enrol, key: &VerifyingKey, once: Once) -> Result<Outcome, Refused> {
    let serial = serial::normalize(&ask.serial).map_err(|_| Refused::invalid("serial.invalid", "serial"))?;
    for text in [&ask.product_number, ask.domain.as_ref().unwrap_or(&String::new())] {
        if text.chars().count() > 200 {
            return Err(Refused::invalid("field.too_long", "product_number"));
        }
    }
    let mut tries = 0;
    loop {
        tries += 1;
        match judge(app, ask, &serial, key, once).await {
            // Another node was faster with the same serial or key: what it did counts now.
            Err(Refused::Store(Error::Conflict(_) | Error::Stale(_))) if tries < MOST_TRIES => {}
            outcome => return outcome,
        }
    }
}

async fn judge(
    app: &App,
    ask: &Enrol,
    serial: &str,
    key: &VerifyingKey,
    once: Once,
) -> Result<Outcome, Refused> {
    let now = app.ambient.now();
    let system = access::system();
    let mut tx = app.store.write(&system).await?;
    if !device_keys::see(&mut tx, once).await? {
        return Err(Refused::Repeated);
    }
    let known = enrolments::find(&mut tx, &system, key.as_bytes(), serial).await?;
    let is_new = known.is_none();
    let mut row = match known {
        Some(row) => row,
        None => {
            let row = Enrolment::new(app.ambient.id(), key.as_bytes(), serial, now);
            enrolments::add(&mut tx, &system, &row).await?;
            row
        }
    };
    let before = (row.state.clone(), row.reason.clone());
    row.tries += 1;
    row.last_at = now.0;
    row.product_number.clone_from(&ask.product_number);
    row.domain = ask.domain.clone().unwrap_or_default();
    row.confirmed |= ask.confirmed;
    let found = pick(enrolments::with_serial(&mut tx, &system, serial).await?, &row.product_number);
    // What somebody refused stays so until they change their mind.
    if row.state != "refused" {
        settle(app, &mut tx, &mut row, found.as_ref(), key).await?;
    }
    enrolments::update(&mut tx, &system, &row).await?;
    if (&row.state, &row.reason) != (&before.0, &before.1) || is_new {
        note(app, &mut tx, &row).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(Outcome { enrolment: row, is_new })
}

/// Which of several PCs with one serial is meant: the one with this product number.
fn pick(mut found: Vec<Found>, product_number: &str) -> Option<Found> {
    if found.len() > 1 {
        found.retain(|found| found.product_number.eq_ignore_ascii_case(product_number));
    }
    if found.len() == 1 { found.pop() } else { None }
}

async fn settle(
    app: &App,
    tx: &mut Tx,
    row: &mut Enrolment,
    found: Option<&Found>,
    key: &VerifyingKey,
) -> Result<(), Refused> {
    let scope = access::of_device(EnrolmentId(row.id));
    let held = found.map_or(Held::Nowhere, |found| found.held);
    (row.device, row.holder) = (found.map(|f| f.device.0), found.and_then(|f| f.tenant).map(|t| t.0));
    row.holder_partner = match held {
        Held::Nowhere => None,
        Held::Pool(partner) => Some(partner.0),
        Held::Customer(customer) => customer.partner.map(|partner| partner.0),
    };
    let case = Case {
        word: Word::Nobody,
        held,
        key: standing_of(tx, &scope, row, found, key).await?,
        domain: Domain::Known,
        disabled: false,
        released: row.released(),
    };
    match decide(&case) {
        Decision::Stay(proof) => {
            if let (Some(found), true) = (found, case.key != Key::Same) {
                let at = app.ambient.now();
                device_keys::bind(tx, &scope, found.device, key.as_bytes(), proof, found.generation, at).await?;
            }
            (row.state, row.reason) = ("enrolled".to_owned(), None);
        }
        Decision::Wait(reason) => {
            (row.state, row.reason) = ("waiting".to_owned(), Some(reason.as_str().to_owned()));
        }
        Decision::Join(..) => return Err(Refused::Internal(anyhow::anyhow!("nobody speaks for it"))),
    }
    Ok(())
}

async fn standing_of(
    tx: &mut Tx,
    scope: &Scope,
    row: &Enrolment,
    found: Option<&Found>,
    key: &VerifyingKey,
) -> Result<Key, Refused> {
    let bound = device_keys::find(tx, scope, key.as_bytes()).await?;
    if bound.is_some() && bound != found.map(|found| found.device) {
        return Ok(Key::Taken);
    }
    Ok(match found.and_then(|found| found.public_key.as_deref()) {
        Some(bound) if bound == key.as_bytes() => Key::Same,
        Some(_) => Key::Second,
        None if enrolments::has_rival(tx, scope, &row.serial, key.as_bytes()).await? => Key::Rival,
        None => Key::First,
    })
}

/// In the logs of those whom it concerns: who has the PC, and whose word it came by.
async fn note(app: &App, tx: &mut Tx, row: &Enrolment) -> Result<(), Refused> {
    let action = match row.state.as_str() {
        "enrolled" => AuditAction::DeviceEnrolled,
        _ => AuditAction::EnrolmentWaiting,
    };
    let mut homes = vec![row.holder, row.holder_partner, row.customer, row.customer_partner];
    homes.retain(Option::is_some);
    homes.sort_unstable();
    homes.dedup();
    if homes.is_empty() {
        homes.push(None);
    }
    let detail = serde_json::json!({ "serial_number": row.serial, "reason": row.reason });
    let entry = |home| NewEntry { home, action, subject: Some(row.id), detail: detail.clone() };
    let entries: Vec<NewEntry> = homes.into_iter().map(entry).collect();
    audit::record(tx, access::of_device(EnrolmentId(row.id)).actor(), &entries, &app.ambient).await?;
    Ok(())
}
