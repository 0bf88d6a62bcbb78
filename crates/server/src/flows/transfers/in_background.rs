//! Large transfers, in the background: a job carries one out, or undoes it, with the scope of whoever asked for it.

use roadstead_domain::access::{self, Action, Actor, Caller, Home, Role, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{OperationId, TenantId, TransferId};
use roadstead_store::transfers::{self, Transfer};
use roadstead_store::{Tx, jobs, operations, outbox};

use super::{COMMIT, Done, UNDO, Way, move_all, move_back};
use crate::app::App;
use crate::flows::Refused;

impl Way {
    /// What a job of this kind works on.
    fn of(kind: jobs::Kind) -> Self {
        match kind {
            jobs::Kind::UndoTransfer => UNDO,
            _ => COMMIT,
        }
    }
}

/// Hands the work to a job, for whoever is first.
pub(super) async fn begin(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    transfer: &Transfer,
    way: &Way,
) -> Result<Done, Refused> {
    let partner = scope.partner()?;
    let (operation, now): (OperationId, _) = (app.ambient.id(), app.ambient.now());
    let id = TransferId(transfer.id);
    if !transfers::advance(tx, scope, id, &transfer.state, way.under_way, Some(operation)).await? {
        return Err(Refused::Conflict("transfer.not_open"));
    }
    let total = u64::try_from(transfer.items).unwrap_or(0);
    operations::create(tx, operation, "transfer", Some(partner.0), total, now).await?;
    jobs::enqueue(tx, way.job, transfer.id, partner.0, now, &app.ambient).await?;
    Ok(Done::Later(operation))
}

/// Works on a transfer in the background; what no longer fits ends the operation with its reason. All of it is one
/// transaction, which cannot renew the job's lease: whoever runs the job, too, waits for the transfer and finds it done.
pub async fn run(app: &App, id: TransferId, kind: jobs::Kind) -> anyhow::Result<()> {
    let Some((partner, scope)) = asker(app, id).await? else { return Ok(()) };
    let way = Way::of(kind);
    let mut tx = app.store.write(&scope).await?;
    let Some(transfer) = transfers::hold(&mut tx, &scope, id).await? else { return Ok(()) };
    let Some(operation) = transfer.operation.map(OperationId) else { return Ok(()) };
    if transfer.state != way.under_way {
        return Ok(());
    }
    let worked = match kind {
        jobs::Kind::UndoTransfer => move_back(app, &mut tx, &scope, &transfer).await,
        _ => move_all(app, &mut tx, &scope, &transfer).await,
    };
    let now = app.ambient.now();
    match worked {
        Ok(()) => {
            let transfer = transfers::get(&mut tx, &scope, id).await?.unwrap_or(transfer);
            let result =
                serde_json::json!({ "transfer": id, "state": transfer.state, "moved": transfer.moved });
            let total = u64::try_from(transfer.items).unwrap_or(0);
            operations::progress(&mut tx, operation, total, now).await?;
            operations::end(&mut tx, operation, true, &result.to_string(), now).await?;
            tell_progress(&mut tx, partner, id, operation, total, total, now).await?;
            tx.commit().await?;
        }
        Err(Refused::Store(error)) => return Err(error.into()),
        Err(Refused::Internal(error)) => return Err(error),
        Err(refused) => {
            drop(tx);
            let mut tx = app.store.write(&scope).await?;
            // Whoever runs the job, too, may have said so already, and it may have been asked for again.
            let held = transfers::hold(&mut tx, &scope, id).await?;
            let was = (&transfer.state, transfer.operation);
            if held.is_none_or(|held| (&held.state, held.operation) != was) {
                return Ok(());
            }
            let rows: Vec<i64> = match &refused {
                Refused::Rows { rows, .. } => rows.iter().take(100).map(|(line, _)| *line).collect(),
                _ => Vec::new(),
            };
            hand_back(&mut tx, &scope, &transfer, &way, (refused.code(), &rows[..]), now).await?;
            tx.commit().await?;
        }
    }
    app.wake();
    Ok(())
}

/// The job keeps failing, and nothing of it was done: the operation ends with that, and the transfer can be asked for
/// again. The job finds nothing to do then, should it be tried again.
pub async fn give_up(app: &App, id: TransferId, kind: jobs::Kind) -> anyhow::Result<()> {
    let Some((_, scope)) = asker(app, id).await? else { return Ok(()) };
    let way = Way::of(kind);
    let mut tx = app.store.write(&scope).await?;
    // Whoever runs the job, too, may have done it by now.
    let held = transfers::hold(&mut tx, &scope, id).await?;
    let Some(transfer) = held.filter(|held| held.state == way.under_way) else { return Ok(()) };
    hand_back(&mut tx, &scope, &transfer, &way, ("transfer.gave_up", &[][..]), app.ambient.now()).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Puts a transfer that is held back to where it was before, and ends its operation with a code and the rows in the way.
/// The state in the result tells which of its ways failed.
async fn hand_back(
    tx: &mut Tx,
    scope: &Scope,
    transfer: &Transfer,
    way: &Way,
    (code, rows): (&str, &[i64]),
    now: Micros,
) -> roadstead_store::Result<()> {
    let id = TransferId(transfer.id);
    transfers::advance(tx, scope, id, way.under_way, way.before, None).await?;
    let Some(operation) = transfer.operation.map(OperationId) else { return Ok(()) };
    let result = serde_json::json!({ "transfer": id, "state": way.before, "code": code, "rows": rows });
    operations::end(tx, operation, false, &result.to_string(), now).await?;
    let total = u64::try_from(transfer.items).unwrap_or(0);
    tell_progress(tx, scope.partner()?, id, operation, 0, total, now).await
}

/// Whose transfer it is, and the scope of whoever asked for it.
async fn asker(app: &App, id: TransferId) -> anyhow::Result<Option<(TenantId, Scope)>> {
    let mut tx = app.store.read(&access::system()).await?;
    let Some((partner, actor)) = transfers::whose(&mut tx, &access::system(), id).await? else {
        return Ok(None);
    };
    Ok(Some((partner, scope_of(partner, actor)?)))
}

async fn tell_progress(
    tx: &mut Tx,
    partner: TenantId,
    transfer: TransferId,
    operation: OperationId,
    done: u64,
    total: u64,
    now: Micros,
) -> roadstead_store::Result<()> {
    let event = Event::TransferProgress { transfer, operation, done, total };
    outbox::publish(tx, &[(Some(partner.0), event)], now).await
}

/// The scope of whoever asked, so that the same walls stand around the work as around the asking.
fn scope_of(partner: TenantId, actor: Actor) -> anyhow::Result<Scope> {
    let caller = Caller { actor, role: Role::PartnerAdmin, home: Home::Partner(partner) };
    access::authorize(&caller, Action::Transfer)
        .map_err(|_| anyhow::anyhow!("a partner admin may not transfer"))
}
