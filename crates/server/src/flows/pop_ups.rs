//! Pop-ups: raised, taken back, shown, answered. What a PC is told is built here, in its language.

use std::collections::HashMap;

use roadstead_domain::access::{self, Denied, Scope};
use roadstead_domain::alert::POP_UP_SECONDS;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, PopUpId, TenantId};
use roadstead_domain::partner::Qualification;
use roadstead_domain::repair_case::{Circumstances, Desk, Reason, route};
use roadstead_domain::wire;
use roadstead_domain::wire::pop_up::{PopUpState, Recipient, Settings, Withdraw};
use roadstead_store::alerts::{self, Pc, kind_of};
use roadstead_store::check_ins;
use roadstead_store::device_keys::{self, Once};
use roadstead_store::pop_ups::{self, Mark, PopUp};
use roadstead_store::repair_cases::{self, RepairCase};
use roadstead_store::{Tx, partners};
use uuid::Uuid;

use super::Refused;
use super::alerts::Changed;
use crate::app::App;
use crate::i18n::Lang;

/// A PC comes again after this many seconds; the agent adds its own jitter.
pub const CHECK_IN_SECONDS: u32 = 300;

/// What follows when a customer's switch is turned: off takes every pop-up back, on shows what lasts.
pub(super) async fn switched(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
    is_on: bool,
) -> roadstead_store::Result<()> {
    let now = app.ambient.now();
    let mut changed = Changed::default();
    if is_on {
        let pcs = alerts::pcs_in(tx, scope, customer, now).await?;
        let pcs: HashMap<Uuid, Pc> = pcs.into_iter().map(|pc| (pc.id, pc)).collect();
        let mut new: Vec<(PopUpId, Uuid, Uuid)> = Vec::new();
        for (alert, device, kind) in pop_ups::without(tx, scope, customer).await? {
            let pops_up = |pc: &Pc| kind_of(&kind).is_ok_and(|kind| pc.pops_up(kind));
            if pcs.get(&device).is_some_and(pops_up) {
                new.push((app.ambient.id(), alert, device));
                changed.device(device);
            }
        }
        pop_ups::create(tx, scope, &new, now.plus_seconds(POP_UP_SECONDS), now).await?;
    } else {
        let open = pop_ups::open_in(tx, scope, customer).await?;
        pop_ups::end(tx, &open, "withdrawn", "pop_up.switched_off").await?;
        for (_, device) in open {
            changed.device(device);
        }
    }
    changed.publish(tx, now).await
}

/// Who would get a case of this PC now, and why.
pub(super) async fn route_of(
    tx: &mut Tx,
    scope: &Scope,
    pc: &Pc,
    now: Micros,
) -> roadstead_store::Result<(Desk, Reason)> {
    let partner = pc.partner.map(TenantId);
    let recorded = match partner {
        Some(partner) => partners::qualifications(tx, scope, &[partner]).await?,
        None => Vec::new(),
    };
    let qualifications: Vec<Qualification> = recorded.into_iter().map(|r| r.qualification).collect();
    Ok(route(&Circumstances {
        level: pc.level(),
        partner,
        qualifications: &qualifications,
        customer_override: pc.cases_to_support == Some(true),
        today: now.date(),
    }))
}

/// A desk as the user is told of it.
pub fn recipient(lang: Lang, desk: Desk, partner_name: &str) -> Recipient {
    let name = match desk {
        Desk::CustomerSupport => lang.text("desk-customer-support"),
        Desk::Csdp(_) => partner_name.to_owned(),
    };
    Recipient { code: desk.code(), name }
}

/// A sentence with the part that it is about.
fn sentence(lang: Lang, kind: &str, end: &str, part: &str) -> String {
    let key = format!("alert-{}{end}", kind.replace(['.', '_'], "-"));
    lang.text_with(&key, &[("part", part.into())])
}

/// What an alert is called.
pub fn title(lang: Lang, kind: &str) -> String {
    sentence(lang, kind, "", "")
}

/// What an alert says.
pub fn text(lang: Lang, kind: &str, cause: &str) -> String {
    sentence(lang, kind, "-text", cause)
}

fn words(lang: Lang, row: &PopUp, pc: &Pc, desk: Desk, case: Option<&RepairCase>) -> wire::pop_up::PopUp {
    let partner = pc.partner_name.clone().or(pc.tenant_name.clone()).unwrap_or_default();
    let kind = kind_of(&row.kind).ok();
    let model = if pc.model.is_empty() { &pc.product_number } else { &pc.model };
    let contains = [
        ("case-contains-serial", pc.serial.as_str()),
        ("case-contains-model", model),
        ("case-contains-found", row.detail.as_str()),
    ];
    wire::pop_up::PopUp {
        id: row.id,
        state: match row.state.as_str() {
            "open" => PopUpState::Open,
            "submitted" => PopUpState::Submitted,
            "withdrawn" => PopUpState::Withdrawn,
            _ => PopUpState::Expired,
        },
        alert: row.kind.clone(),
        severity: kind.map_or(wire::pop_up::Severity::Warning, |kind| kind.severity),
        title: title(lang, &row.kind),
        text: text(lang, &row.kind, &row.cause),
        recipient: recipient(lang, desk, &partner),
        partner,
        contains: contains
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| lang.text_with(key, &[("value", value.into())]))
            .collect(),
        displayed_at: row.displayed_at.map(|at| Micros(at).rfc3339()),
        expires_at: Micros(row.expires_at).rfc3339(),
        case: case.map(|case| super::repair_cases::user::of_pc(lang, case)),
    }
}

/// The PC that signed with this key, its request noted as taken.
pub async fn speaking(tx: &mut Tx, key: &str, once: Once) -> Result<DeviceId, Refused> {
    if !device_keys::see(tx, once).await? {
        return Err(Refused::Repeated);
    }
    device_keys::find(tx, &access::system(), key).await?.ok_or(Refused::UnknownKey)
}

/// A pop-up as its PC's form shows it.
pub async fn show(
    app: &App,
    lang: Lang,
    key: &str,
    once: Once,
    id: PopUpId,
) -> Result<wire::pop_up::PopUp, Refused> {
    let (scope, now) = (access::system(), app.ambient.now());
    let mut tx = app.store.write(&scope).await?;
    let device = speaking(&mut tx, key, once).await?;
    let found = pop_ups::find(&mut tx, &scope, device, id).await?.ok_or(Denied::NotFound)?;
    let pc = alerts::pc(&mut tx, &scope, device, now).await?.ok_or(Denied::NotFound)?;
    let (desk, _) = route_of(&mut tx, &scope, &pc, now).await?;
    let case = repair_cases::of_submit(&mut tx, &scope, device, found.id, None).await?;
    tx.commit().await?;
    Ok(words(lang, &found, &pc, desk, case.as_ref()))
}

/// Notes what the user did with it.
pub async fn mark(app: &App, key: &str, once: Once, id: PopUpId, what: Mark) -> Result<(), Refused> {
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    let device = speaking(&mut tx, key, once).await?;
    pop_ups::find(&mut tx, &scope, device, id).await?.ok_or(Denied::NotFound)?;
    pop_ups::mark(&mut tx, &scope, id, what, app.ambient.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Something that a PC is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// A pop-up is to be shown, or has changed.
    PopUp(Box<wire::pop_up::PopUp>),
    /// A pop-up is over.
    Withdraw(Withdraw),
    /// A case got on.
    Case(Box<wire::repair_case::RepairCase>),
}

/// What a PC is to know.
#[derive(Debug)]
pub struct News {
    /// How its tenant wants it to be.
    pub settings: Settings,
    /// What is new, each with its number.
    pub told: Vec<(i64, Told)>,
    /// The number of the last change.
    pub position: i64,
}

/// What changed for a PC after this number; without one what is good now. `None` if the key is no longer its.
pub async fn news(
    app: &App,
    lang: Lang,
    key: &str,
    device: DeviceId,
    after: Option<i64>,
) -> roadstead_store::Result<Option<News>> {
    let (scope, now) = (access::system(), app.ambient.now());
    let mut tx = app.store.read(&scope).await?;
    if device_keys::find(&mut tx, &scope, key).await? != Some(device) {
        return Ok(None);
    }
    // First the position: what comes meanwhile is told again, and nothing is left out.
    let position = pop_ups::position(&mut tx, &scope, device).await?;
    let Some(pc) = alerts::pc(&mut tx, &scope, device, now).await? else { return Ok(None) };
    let with_customer = pc.kind.as_deref() == Some("customer");
    let (user, location) = match pc.tenant.filter(|_| with_customer) {
        Some(tenant) => check_ins::privacy(&mut tx, TenantId(tenant)).await?,
        None => (false, false),
    };
    let settings = Settings {
        check_in_seconds: CHECK_IN_SECONDS,
        collect_user: user,
        collect_location: location,
        self_service: pc.level.is_some() && pc.switch.as_deref() != Some("off") && pc.tenant.is_some(),
    };
    let mut told = Vec::new();
    if after.is_none_or(|after| after < position) {
        let changed = pop_ups::changes(&mut tx, &scope, device, after).await?;
        let cases = repair_cases::changes(&mut tx, &scope, device, after).await?;
        if !changed.is_empty() {
            let (desk, _) = route_of(&mut tx, &scope, &pc, now).await?;
            for row in changed {
                let is_good = row.state == "open" && row.expires_at > now.0;
                let news = match (is_good, after) {
                    (true, _) => Told::PopUp(Box::new(words(lang, &row, &pc, desk, None))),
                    (false, None) => continue,
                    (false, Some(_)) => Told::Withdraw(Withdraw {
                        id: row.id,
                        reason: row.reason.unwrap_or_else(|| "pop_up.expired".to_owned()),
                    }),
                };
                told.push((row.seq, news));
            }
        }
        for case in cases {
            let wire = super::repair_cases::user::of_pc(lang, &case);
            told.push((case.device_seq, Told::Case(Box::new(wire))));
        }
        told.sort_by_key(|(seq, _)| *seq);
    }
    Ok(Some(News { settings, told, position }))
}
