//! Transfers: preview, commit and undo of moves among a partner's own tenants. Preview and commit judge by the same
//! rules, and the commit carries out only what the preview showed.

pub mod in_background;
pub mod lists;

use std::collections::{BTreeMap, HashMap};

use roadstead_domain::access::{self, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{OperationId, TenantId, TransferId};
use roadstead_domain::placement::{Move, Place};
use roadstead_domain::transfer::{self, Asked, MOST_ROWS, Reason, Row, Target, UNASSIGNED, Verdict};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::placements::{self, Cause, Why};
use roadstead_store::privacy::Receipts;
use roadstead_store::transfers::{self, Item, Known, Transfer};
use roadstead_store::{Tx, dead_jobs, jobs, outbox, privacy};
use uuid::Uuid;

use self::in_background::begin;
use super::Refused;
use crate::app::App;

/// More rows than this are moved in the background.
pub const MOST_AT_ONCE: i64 = 1_000;

/// The most bytes of a list; 100,000 rows need about half of this.
pub const MOST_BYTES: usize = 32 << 20;

/// How a caller wants it done.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// Leave blocked rows out instead of moving nothing.
    pub good_rows_only: bool,
    /// In the background, however few they are.
    pub in_background: bool,
}

/// What became of a commit or undo.
#[derive(Clone, Copy, Debug)]
pub enum Done {
    /// It is durable.
    Now,
    /// This operation works on it.
    Later(OperationId),
}

/// A commit or an undo: the job that does it in the background, the states of a transfer before it, while that runs and after
/// it, and what is said in any other one.
struct Way {
    job: jobs::Kind,
    before: &'static str,
    under_way: &'static str,
    after: &'static str,
    refusal: &'static str,
}

const COMMIT: Way = Way {
    job: jobs::Kind::CommitTransfer,
    before: "previewed",
    under_way: "committing",
    after: "committed",
    refusal: "transfer.not_open",
};
const UNDO: Way = Way {
    job: jobs::Kind::UndoTransfer,
    before: "committed",
    under_way: "undoing",
    after: "undone",
    refusal: "transfer.not_committed",
};

impl Way {
    /// What to answer where it was asked for before and that answer was lost, or somebody else was faster; `None` where
    /// it is to be done.
    fn asked_before(&self, transfer: &Transfer) -> Result<Option<Done>, Refused> {
        let state = transfer.state.as_str();
        if state == self.before {
            Ok(None)
        } else if state == self.under_way {
            Ok(Some(transfer.operation.map_or(Done::Now, |id| Done::Later(OperationId(id)))))
        } else if state == self.after {
            Ok(Some(Done::Now))
        } else {
            Err(Refused::Conflict(self.refusal))
        }
    }
}

/// Judges what is asked for and keeps the preview; nothing moves. The transfer, and each row as it was judged.
pub async fn preview(app: &App, scope: &Scope, asked: &[Asked]) -> Result<(TransferId, Vec<Row>), Refused> {
    scope.partner()?;
    if asked.is_empty() {
        return Err(Refused::invalid("transfer.empty", "items"));
    }
    if asked.len() > MOST_ROWS {
        return Err(Refused::invalid("transfer.too_many_rows", "items"));
    }
    let id: TransferId = app.ambient.id();
    let mut tx = app.store.write(scope).await?;
    let found = found_by_serial(&mut tx, scope, asked.iter().map(|row| row.serial.as_str())).await?;
    let (rows, _) = judge(&mut tx, scope, asked, found).await?;
    let digest = transfer::digest(id, &rows);
    // Each row's own wall would be asked whose transfer it is; it is this one.
    tx.act_for(&scope.carried_out()).await?;
    transfers::create(&mut tx, scope, id, digest, asked, &rows, app.ambient.now()).await?;
    tx.commit().await?;
    Ok((id, rows))
}

/// The PCs of these serials, however they are written.
async fn found_by_serial(
    tx: &mut Tx,
    scope: &Scope,
    serials: impl Iterator<Item = &str>,
) -> Result<Known, Refused> {
    let mut serials: Vec<String> = serials.filter_map(|serial| transfer::normal(serial).ok()).collect();
    serials.sort_unstable();
    serials.dedup();
    let names: Vec<&str> = serials.iter().map(String::as_str).collect();
    Ok(transfers::found(tx, scope, &names).await?)
}

/// Judges rows against the present state, of which this is `found`.
async fn judge(
    tx: &mut Tx,
    scope: &Scope,
    asked: &[Asked],
    mut found: Known,
) -> Result<(Vec<Row>, Known), Refused> {
    let places = transfers::targets(tx, scope).await?;
    let by_number: HashMap<String, &Target> =
        places.iter().map(|(name, target)| (name.to_uppercase(), target)).collect();
    let by_id: HashMap<TenantId, &Target> = places
        .iter()
        .filter(|(name, _)| name != UNASSIGNED)
        .map(|(_, target)| (target.tenant(), target))
        .collect();
    let mut targets = HashMap::new();
    for row in asked {
        let text = row.to.trim();
        if targets.contains_key(text) {
            continue;
        }
        let by_text = by_number.get(&text.to_uppercase());
        let target = by_text.or_else(|| text.parse().ok().and_then(|id| by_id.get(&TenantId(id))));
        if let Some(target) = target {
            targets.insert(text.to_owned(), (*target).clone());
        }
    }
    let rows = transfer::judge(asked, &found, &targets);
    // What the sale does not show, something else may.
    let doubtful: HashMap<Uuid, &str> = rows
        .iter()
        .filter(|row| row.reasons.contains(&Reason::NothingShowsCustomer))
        .filter_map(|row| Some((row.device?.0.0, row.serial.as_str())))
        .collect();
    if doubtful.is_empty() {
        return Ok((rows, found));
    }
    let mut shown = transfers::shown(tx, scope, &doubtful).await?;
    if shown.is_empty() {
        return Ok((rows, found));
    }
    for one in found.values_mut().flatten() {
        one.shown = shown.remove(&one.device).unwrap_or_default();
    }
    Ok((transfer::judge(asked, &found, &targets), found))
}

/// The transfer, or *not found*.
pub async fn found(tx: &mut Tx, scope: &Scope, id: &str) -> Result<Transfer, Refused> {
    let not_found = access::Denied::NotFound;
    let id: TransferId = id.parse().map_err(|_| not_found)?;
    Ok(transfers::get(tx, scope, id).await?.ok_or(not_found)?)
}

/// The transfer as it stands now, for whoever carries it out or takes it back. It is held before the placements are
/// locked: who waits for a transfer holds nobody else's moves up.
async fn held(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Transfer, Refused> {
    Ok(transfers::hold(tx, scope, id).await?.ok_or(access::Denied::NotFound)?)
}

/// Carries out a preview, if its digest is the one that was shown and everything is still as it was.
pub async fn commit(app: &App, scope: &Scope, id: &str, digest: &str, how: How) -> Result<Done, Refused> {
    let mut tx = app.store.read(scope).await?;
    let transfer = found(&mut tx, scope, id).await?;
    drop(tx);
    let id = TransferId(transfer.id);
    if hex::decode(digest.trim()).ok().as_deref() != Some(&transfer.digest[..]) {
        return Err(Refused::Conflict("transfer.digest_wrong"));
    }
    if let Some(done) = COMMIT.asked_before(&transfer)? {
        return Ok(done);
    }
    if transfer.ready == 0 {
        return Err(Refused::Conflict("transfer.nothing_ready"));
    }
    let mut tx = app.store.write(scope).await?;
    let transfer = held(&mut tx, scope, id).await?;
    if let Some(done) = COMMIT.asked_before(&transfer)? {
        return Ok(done);
    }
    if transfer.blocked > 0 && !how.good_rows_only {
        return Err(blocked_rows(&mut tx, scope, id).await?);
    }
    transfers::set_good_rows_only(&mut tx, scope, id, how.good_rows_only).await?;
    if how.in_background || transfer.items > MOST_AT_ONCE {
        let done = begin(app, &mut tx, scope, &transfer, &COMMIT).await?;
        tx.commit().await?;
        app.wake();
        return Ok(done);
    }
    move_all(app, &mut tx, scope, &transfer).await?;
    tx.commit().await?;
    app.wake();
    Ok(Done::Now)
}

async fn blocked_rows(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Refused, Refused> {
    let page = roadstead_store::page::Page { limit: Some(100), cursor: None };
    let blocked = transfers::items(tx, scope, id, Some(Verdict::Blocked), &page).await?;
    let rows = blocked.map_or_else(Vec::new, |rows| rows.items);
    Ok(Refused::Rows {
        code: "transfer.rows_blocked",
        rows: rows.iter().map(|item| (item.line, item.serial.clone())).collect(),
    })
}

/// Judges a preview again; [`Refused::Rows`] names the rows that are no longer what was shown. A row that was ready is
/// about that very PC, whatever else has come with its serial; what was blocked is looked for anew.
async fn rejudge(tx: &mut Tx, scope: &Scope, transfer: &Transfer) -> Result<(Vec<Row>, Known), Refused> {
    let id = TransferId(transfer.id);
    let items = own_items(tx, scope, id).await?;
    let is_ready = |item: &&Item| item.verdict == Verdict::Ready.as_str();
    let ready: Vec<Uuid> = items.iter().filter(is_ready).filter_map(|item| item.device).collect();
    let mut found = transfers::found_again(tx, scope, &ready).await?;
    let others = items.iter().filter(|item| !is_ready(item) && !found.contains_key(&item.serial));
    let others: Vec<&str> = others.map(|item| item.serial.as_str()).collect();
    if !others.is_empty() {
        found.extend(found_by_serial(tx, scope, others.into_iter()).await?);
    }
    let asked: Vec<Asked> =
        items.into_iter().map(|item| Asked { serial: item.serial, to: item.target }).collect();
    let (rows, known) = judge(tx, scope, &asked, found).await?;
    if transfer::digest(id, &rows)[..] == transfer.digest[..] {
        return Ok((rows, known));
    }
    // Read again, so that what nearly always fits is not kept beside what it is judged by.
    let items = own_items(tx, scope, id).await?;
    let mut changed = Vec::new();
    for (item, row) in items.iter().zip(&rows) {
        if item.row()? != *row {
            changed.push((item.line, item.serial.clone()));
        }
    }
    Err(Refused::Rows { code: "transfer.changed_since", rows: changed })
}

/// All rows of a transfer of the scope's partner, without the wall that asks of each whose it is.
async fn own_items(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Vec<Item>, Refused> {
    tx.act_for(&scope.carried_out()).await?;
    let items = transfers::all_items(tx, scope, id).await?;
    tx.act_for(scope).await?;
    Ok(items)
}

/// Moves every ready row and tells everybody concerned, in the caller's transaction, which holds the transfer.
async fn move_all(app: &App, tx: &mut Tx, scope: &Scope, transfer: &Transfer) -> Result<(), Refused> {
    tx.lock_placements().await?;
    let id = TransferId(transfer.id);
    let (rows, known) = rejudge(tx, scope, transfer).await?;
    let ready: Vec<Row> = rows.into_iter().filter(|row| row.verdict() == Verdict::Ready).collect();
    let pool = transfers::pool(tx, scope).await?;
    let mut went = HashMap::new();
    for row in ready.iter().filter(|row| row.to != pool) {
        let sold_to = known.get(&row.serial).and_then(|found| found.first()?.sold_to.as_deref());
        if let (Some(sold_to), Some(to)) = (sold_to, row.to) {
            went.insert(sold_to.trim().to_owned(), to);
        }
    }
    drop(known);
    // The partner does not see what it seals. Its own PCs were found behind its wall, and are moved by what was found.
    let platform = scope.carried_out();
    tx.act_for(&platform).await?;
    let moves = apply(app, tx, scope, ready, "transfer", id).await?;
    transfers::committed(tx, scope, id, moves.len() as u64, app.ambient.now()).await?;
    let receipts = privacy::sealed_by_transfer(tx, &platform, id).await?;
    // Asked for again after its job was given up, it was done without that.
    dead_jobs::forget(tx, &platform, COMMIT.job, id.0).await?;
    tx.act_for(scope).await?;
    transfers::remember_targets(tx, scope, &went).await?;
    tell(app, tx, scope, pool, &moves, (AuditAction::TransferCommitted, receipts), id).await
}

/// Writes the moves of these rows.
async fn apply(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    rows: Vec<Row>,
    cause: &'static str,
    id: TransferId,
) -> Result<Vec<Cause>, Refused> {
    let partner = scope.partner()?;
    let place = |tenant: TenantId| Place { tenant, partner };
    let moves: Vec<Cause> = rows
        .into_iter()
        .filter_map(|row| {
            let ((device, generation), from, to) = (row.device?, row.from?, row.to?);
            let moved =
                Move { device, serial: row.serial, generation, from: Some(place(from)), to: Some(place(to)) };
            Some(Cause { moved, why: Why::Operation { cause, id: id.0 } })
        })
        .collect();
    placements::apply(tx, scope, &moves, app.ambient.now()).await?;
    Ok(moves)
}

/// A line in the log of the partner and of each customer concerned, each with its own part of the receipt, and events for
/// their open pages.
async fn tell(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    pool: Option<TenantId>,
    moves: &[Cause],
    (action, receipts): (AuditAction, Receipts),
    id: TransferId,
) -> Result<(), Refused> {
    let partner = scope.partner()?;
    let mut changes: BTreeMap<TenantId, (u64, u64)> = BTreeMap::new();
    for cause in moves {
        if let (Some(from), Some(to)) = (cause.moved.from, cause.moved.to) {
            changes.entry(from.tenant).or_default().1 += 1;
            changes.entry(to.tenant).or_default().0 += 1;
        }
    }
    let entry = |home: Uuid, detail| NewEntry { home: Some(home), action, subject: Some(id.0), detail };
    let all = serde_json::json!({ "moved": moves.len(), "tenants": changes.len(), "privacy": receipts.all });
    let mut entries = vec![entry(partner.0, all)];
    let mut events = Vec::new();
    for (tenant, (arrived, left)) in &changes {
        if Some(*tenant) == pool {
            let event = Event::UnassignedDevicesChanged { arrived: *arrived, left: *left, report: None };
            events.push((Some(partner.0), event));
            continue;
        }
        let event = Event::CustomerDevicesChanged { customer: *tenant, arrived: *arrived, left: *left };
        events.push((Some(partner.0), event.clone()));
        events.push((Some(tenant.0), event));
        let own = receipts.tenants.get(tenant);
        let detail = serde_json::json!({ "arrived": arrived, "left": left, "privacy": own });
        entries.push(entry(tenant.0, detail));
    }
    audit::record(tx, scope.actor(), &entries, &app.ambient).await?;
    outbox::publish(tx, &events, app.ambient.now()).await?;
    Ok(())
}

/// What an undo would do now: the rows of the transfer that were moved, each with its number.
pub async fn preview_undo(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    transfer: &Transfer,
) -> Result<Vec<(i64, Row)>, Refused> {
    still_undoable(app, transfer)?;
    let id = TransferId(transfer.id);
    let (lines, done): (Vec<i64>, Vec<_>) = transfers::done(tx, scope, id).await?.into_iter().unzip();
    let places: HashMap<TenantId, Target> = transfers::targets(tx, scope)
        .await?
        .into_iter()
        .map(|(_, target)| (target.tenant(), target))
        .collect();
    let mut now = transfers::present(tx, &scope.carried_out(), id).await?;
    let is_open = |tenant: &TenantId| places.get(tenant).is_some_and(Target::is_open);
    now.retain(|_, (_, tenant)| tenant.as_ref().is_some_and(is_open));
    Ok(lines.into_iter().zip(transfer::judge_undo(&done, &now, &places)).collect())
}

/// Refuses what was not carried out, or too long ago.
fn still_undoable(app: &App, transfer: &Transfer) -> Result<(), Refused> {
    match transfer.committed_at {
        None => Err(Refused::Conflict("transfer.not_committed")),
        Some(at) if !transfer::is_undoable(Micros(at), app.ambient.now()) => {
            Err(Refused::Conflict("transfer.undo_too_late"))
        }
        Some(_) => Ok(()),
    }
}

/// Takes a transfer back: every PC to where it came from.
pub async fn undo(app: &App, scope: &Scope, id: &str, how: How) -> Result<Done, Refused> {
    let mut tx = app.store.read(scope).await?;
    let transfer = found(&mut tx, scope, id).await?;
    drop(tx);
    if let Some(done) = UNDO.asked_before(&transfer)? {
        return Ok(done);
    }
    still_undoable(app, &transfer)?;
    let mut tx = app.store.write(scope).await?;
    let id = TransferId(transfer.id);
    let transfer = held(&mut tx, scope, id).await?;
    if let Some(done) = UNDO.asked_before(&transfer)? {
        return Ok(done);
    }
    transfers::set_good_rows_only(&mut tx, scope, id, how.good_rows_only).await?;
    let transfer = Transfer { good_rows_only: how.good_rows_only, ..transfer };
    let done = if how.in_background || transfer.moved > MOST_AT_ONCE {
        begin(app, &mut tx, scope, &transfer, &UNDO).await?
    } else {
        move_back(app, &mut tx, scope, &transfer).await?;
        Done::Now
    };
    tx.commit().await?;
    app.wake();
    Ok(done)
}

/// The rows that an undo moves and the numbers of those that it leaves; refused if it may leave none.
async fn undoable(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    transfer: &Transfer,
) -> Result<(Vec<Row>, Vec<i64>), Refused> {
    let rows = preview_undo(app, tx, scope, transfer).await?;
    let (ready, blocked): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(_, row)| row.verdict() == Verdict::Ready);
    if ready.is_empty() || !(blocked.is_empty() || transfer.good_rows_only) {
        let rows = blocked.into_iter().map(|(line, row)| (line, row.serial)).collect();
        return Err(Refused::Rows { code: "transfer.undo_conflicts", rows });
    }
    let left = blocked.into_iter().map(|(line, _)| line).collect();
    Ok((ready.into_iter().map(|(_, row)| row).collect(), left))
}

async fn move_back(app: &App, tx: &mut Tx, scope: &Scope, transfer: &Transfer) -> Result<(), Refused> {
    tx.lock_placements().await?;
    let id = TransferId(transfer.id);
    let platform = scope.carried_out();
    tx.act_for(&platform).await?;
    let (rows, left) = undoable(app, tx, scope, transfer).await?;
    let moves = apply(app, tx, scope, rows, "undo", id).await?;
    transfers::undone(tx, scope, id, &left, app.ambient.now()).await?;
    let receipts = privacy::unseal_by_undo(tx, &platform, id).await?;
    dead_jobs::forget(tx, &platform, UNDO.job, id.0).await?;
    tx.act_for(scope).await?;
    let pool = transfers::pool(tx, scope).await?;
    tell(app, tx, scope, pool, &moves, (AuditAction::TransferUndone, receipts), id).await
}
