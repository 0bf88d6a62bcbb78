//! Judges a batch of lines and does what follows, in the caller's transaction. Reports and replays both come here, and
//! so does a preview, which only skips the doing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use roadstead_domain::access::Scope;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::entitlement;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{DeviceId, ReportId, ReporterId, TenantId};
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::placement::{Move, Place};
use roadstead_domain::privacy::Receipt;
use roadstead_domain::sale::{Effect, Holder, Parked, Reason, SaleLine, Transaction, Verdict, judge};
use roadstead_store::audit::NewEntry;
use roadstead_store::entitlements::Attached;
use roadstead_store::partners::KnownSellers;
use roadstead_store::placements::{Cause, Why};
use roadstead_store::serials::{Key, Known, NewDevice};
use roadstead_store::{
    Tx, audit, entitlements, outbox, partners, placements, pool, privacy, self_service, serials,
};

use crate::app::App;

/// A checked line with where it stands.
pub(super) struct Item<'a> {
    pub(super) at: Parked,
    pub(super) reporter: ReporterId,
    pub(super) line: &'a SaleLine,
    pub(super) product_number: &'a str,
    pub(super) model: &'a str,
    pub(super) buyer_name: &'a str,
    pub(super) order: &'a str,
    /// Whether it was parked before and is judged again.
    pub(super) replay: bool,
}

/// What a line came to.
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<Reason>,
    /// The partner whose pool it changed.
    pub(super) pool: Option<TenantId>,
    /// The number that frees it.
    pub(super) waits_for: Option<String>,
    /// The partner on whose page it counts.
    pub(super) about: Option<TenantId>,
}

/// What a batch came to. `withdrawn` lines are the caller's to write, after the lines of the batch itself.
pub(super) struct Judged {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) withdrawn: Vec<Parked>,
}

/// What the writing needs to know of one batch.
struct Batch<'a> {
    known: HashMap<Key, Known>,
    sellers: KnownSellers,
    moves: Vec<Cause>,
    new_devices: Vec<(DeviceId, Key, &'a str, &'a str)>,
    /// PCs that a later line describes anew: the line that placed a PC says what it is.
    renamed: HashMap<DeviceId, (&'a str, &'a str)>,
    attach: HashMap<(DeviceId, SupportLevel), Attached>,
    detach: HashSet<DeviceId>,
    /// Customer tenants in which a PC is entitled anew.
    entitled_customers: BTreeSet<TenantId>,
    withdrawn: Vec<Parked>,
}

/// Judges `items` in their order. With `preview` nothing is changed, and the earlier lines of that report count.
pub(super) async fn judge_batch(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    items: &[Item<'_>],
    preview: Option<ReportId>,
    now: Micros,
) -> roadstead_store::Result<Judged> {
    tx.lock_placements().await?;
    let mut names: Vec<&str> = items.iter().map(|item| item.line.serial.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let known = serials::load(tx, scope, &names, preview).await?;
    let named = items.iter().flat_map(|item| [item.line.seller.as_str(), item.line.buyer.as_str()]);
    let mut numbers: Vec<&str> =
        named.chain(known.values().flat_map(|known| known.state.sellers())).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let sellers = partners::sellers(tx, scope, &numbers, now.date()).await?;
    let mut batch = Batch {
        sellers,
        known,
        moves: Vec::new(),
        new_devices: Vec::new(),
        renamed: HashMap::new(),
        attach: HashMap::new(),
        detach: HashSet::new(),
        entitled_customers: BTreeSet::new(),
        withdrawn: Vec::new(),
    };
    // An id for each serial in the order of the serials, so that their indexes grow alike; more for a serial that two
    // manufacturers use.
    let ids = app.ambient.ids::<DeviceId>(names.len() + items.len());
    let mut more = ids[names.len()..].iter().copied();
    let mut given = vec![false; names.len()];
    let mut fresh = |serial: &str| match names.binary_search(&serial) {
        Ok(rank) if !std::mem::replace(&mut given[rank], true) => Some(ids[rank]),
        _ => more.next(),
    };
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let key = (item.line.serial.clone(), item.line.manufacturer.clone().unwrap_or_default());
        let known = batch.known.entry(key.clone()).or_default();
        let judgement =
            judge(item.line, &mut known.state, &batch.sellers.sellers, item.at, item.reporter, item.replay);
        let undoes =
            judgement.verdict == Verdict::Returned || item.line.transaction == Transaction::Correction;
        let mut pool = None;
        for effect in &judgement.effects {
            match effect {
                // A preview may only take back what it has parked itself.
                Effect::Withdraw(parked) if preview.is_some_and(|id| id != parked.report) => {}
                Effect::Withdraw(parked) => batch.withdrawn.push(*parked),
                Effect::Place(partner) | Effect::TakeOut(partner) => {
                    pool = Some(*partner);
                    if preview.is_none() {
                        let to = match effect {
                            Effect::Place(_) => {
                                Some(holding(app, tx, scope, &mut batch.sellers, *partner).await?)
                            }
                            _ => None,
                        };
                        relocate(&mut batch, item, &key, to, &mut fresh);
                        if to.is_none() && undoes {
                            disentitle(&mut batch, &key);
                        }
                    }
                }
                Effect::Entitle if preview.is_none() => attach(&mut batch, item, &key),
                Effect::Entitle => {}
            }
        }
        // It counts where it waits, else where it changed something, else with its seller.
        let partner_of = |number: &str| batch.sellers.sellers.get(number).map(|seller| seller.partner);
        let about = match &judgement.waits_for {
            Some(number) => partner_of(number),
            None => pool.or_else(|| partner_of(&item.line.seller)),
        };
        outcomes.push(Outcome {
            verdict: judgement.verdict,
            reasons: judgement.reasons,
            pool,
            waits_for: judgement.waits_for,
            about,
        });
    }
    if preview.is_none() {
        let left = left_behind(tx, scope, &batch.moves).await?;
        write(tx, scope, &mut batch, now).await?;
        tell(app, tx, scope, items, &outcomes, (&batch.moves, &left), now).await?;
    }
    Ok(Judged { outcomes, withdrawn: batch.withdrawn })
}

/// The partner's holding tenant, made here if the day of its certificate came without anybody noticing.
async fn holding(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    sellers: &mut KnownSellers,
    partner: TenantId,
) -> roadstead_store::Result<Place> {
    if let Some(tenant) = sellers.holdings.get(&partner) {
        return Ok(Place { tenant: *tenant, partner });
    }
    // Another node may have made it since `sellers` was read.
    let tenant = super::certify::open_pool(app, tx, scope, partner).await?;
    sellers.holdings.insert(partner, tenant);
    Ok(Place { tenant, partner })
}

fn relocate<'a>(
    batch: &mut Batch<'a>,
    item: &Item<'a>,
    key: &Key,
    to: Option<Place>,
    fresh: &mut impl FnMut(&str) -> Option<DeviceId>,
) {
    let known = batch.known.entry(key.clone()).or_default();
    let device = match known.device {
        Some(device) => {
            if to.is_some() {
                batch.renamed.insert(device, (item.product_number, item.model));
            }
            device
        }
        None => {
            let Some(device) = fresh(&key.0) else { return };
            batch.new_devices.push((device, key.clone(), item.product_number, item.model));
            *known.device.insert(device)
        }
    };
    batch.moves.push(Cause {
        moved: Move { device, serial: key.0.clone(), generation: known.generation, from: known.place, to },
        why: Why::Line {
            report: item.at.report,
            line: item.at.line,
            search: pool::search_text(&[
                &key.0,
                item.product_number,
                item.model,
                item.buyer_name,
                &item.line.invoice,
                item.order,
            ]),
        },
    });
    known.generation += 1;
    known.place = to;
}

/// What a sale brought goes with it when it is undone; what the PC is sold with next counts.
fn disentitle(batch: &mut Batch<'_>, key: &Key) {
    if let Some(device) = batch.known.get(key).and_then(|known| known.device) {
        batch.detach.insert(device);
        batch.attach.retain(|(of, _), _| *of != device);
    }
}

fn attach(batch: &mut Batch<'_>, item: &Item<'_>, key: &Key) {
    let device = batch.known.get(key).and_then(|known| known.device);
    if let (Some(level), Some(device)) = (item.line.level, device) {
        let (date, shipped_on, months) = (item.line.date, item.line.shipped_on, item.line.months);
        let entitlement = entitlement::of_sale(level, date, shipped_on, months);
        let (report, line) = (item.at.report, item.at.line);
        if let Some(Known { place: Some(place), state, .. }) = batch.known.get(key)
            && matches!(state.holder, Holder::Customer(_))
        {
            batch.entitled_customers.insert(place.tenant);
        }
        batch.attach.insert((device, level), Attached { device, entitlement, report, line });
    }
}

/// What becomes of the data of PCs that lines take out of a pool. A PC that comes for the first time is not asked for.
async fn left_behind(
    tx: &mut Tx,
    scope: &Scope,
    moves: &[Cause],
) -> roadstead_store::Result<HashMap<DeviceId, Receipt>> {
    let leaving = moves.iter().filter(|cause| cause.moved.from.is_some());
    let serials: BTreeSet<&str> = leaving.map(|cause| cause.moved.serial.as_str()).collect();
    privacy::leaving(tx, scope, &serials.into_iter().collect::<Vec<_>>()).await
}

async fn write(
    tx: &mut Tx,
    scope: &Scope,
    batch: &mut Batch<'_>,
    now: Micros,
) -> roadstead_store::Result<()> {
    // In the order of the serials, so that each index is walked once.
    batch.new_devices.sort_unstable_by(|a, b| a.1.cmp(&b.1));
    let new: Vec<NewDevice<'_>> = batch
        .new_devices
        .iter()
        .map(|(id, key, product_number, model)| NewDevice { id: *id, key, product_number, model })
        .collect();
    serials::add_devices(tx, scope, &new, now).await?;
    serials::describe_devices(tx, scope, &batch.renamed).await?;
    placements::apply(tx, scope, &batch.moves, now).await?;
    let detach: Vec<DeviceId> = batch.detach.iter().copied().collect();
    entitlements::detach(tx, scope, &detach).await?;
    let mut attach: Vec<Attached> = batch.attach.values().cloned().collect();
    attach.sort_unstable_by_key(|attached| attached.device);
    entitlements::attach(tx, scope, &attach).await?;
    // A PC that is with a customer already may be its first with Premium or Premium+.
    self_service::arm(tx, batch.entitled_customers.iter().copied(), now).await
}

/// What a batch changed in one partner's pool by one report.
#[derive(Default)]
struct Change {
    arrived: u64,
    left: u64,
    /// What became of the data of PCs that were in a pool before; each counts once, however often the batch moves it.
    receipt: Option<Receipt>,
    counted: HashSet<DeviceId>,
}

impl Change {
    fn add(&mut self, device: DeviceId, left: &HashMap<DeviceId, Receipt>) {
        if let Some(own) = left.get(&device)
            && self.counted.insert(device)
        {
            self.receipt = Some(self.receipt.unwrap_or_default() + *own);
        }
    }
}

/// One event and one line in its log for each partner that the batch concerns.
async fn tell(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    items: &[Item<'_>],
    outcomes: &[Outcome],
    (moves, left): (&[Cause], &HashMap<DeviceId, Receipt>),
    now: Micros,
) -> roadstead_store::Result<()> {
    let mut changes: BTreeMap<(TenantId, ReportId), Change> = BTreeMap::new();
    for cause in moves {
        let Why::Line { report, .. } = cause.why else { continue };
        if let Some(from) = cause.moved.from {
            let change = changes.entry((from.partner, report)).or_default();
            change.left += 1;
            change.add(cause.moved.device, left);
        }
        if let Some(to) = cause.moved.to {
            let change = changes.entry((to.partner, report)).or_default();
            change.arrived += 1;
            change.add(cause.moved.device, left);
        }
    }
    let mut events = Vec::new();
    let mut entries = Vec::new();
    for ((partner, report), Change { arrived, left, receipt, .. }) in &changes {
        let event = Event::UnassignedDevicesChanged { arrived: *arrived, left: *left, report: Some(*report) };
        events.push((Some(partner.0), event));
        let mut detail = serde_json::json!({ "arrived": arrived, "left": left });
        if let Some(receipt) = receipt {
            detail["privacy"] = serde_json::json!(receipt);
        }
        entries.push(NewEntry {
            home: Some(partner.0),
            action: AuditAction::PoolChanged,
            subject: Some(report.0),
            detail,
        });
    }
    let parked: HashSet<(TenantId, ReportId)> = outcomes
        .iter()
        .zip(items)
        .filter(|(outcome, item)| outcome.verdict.is_parked() || item.replay)
        .filter_map(|(outcome, item)| Some((outcome.about?, item.at.report)))
        .collect();
    for (partner, report) in parked {
        if !changes.contains_key(&(partner, report)) {
            events.push((Some(partner.0), Event::ReportedLinesChanged { report }));
        }
    }
    outbox::publish(tx, &events, now).await?;
    audit::record(tx, scope.actor(), &entries, &app.ambient).await
}
