//! Outside desks: where the cases of a desk are forwarded to, and what each was told.

use roadstead_domain::access::{Denied, Reach, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{OutsideDeskId, TenantId};
use roadstead_domain::repair_case::Desk;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};

/// An outside desk.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OutsideDesk {
    /// Its id.
    pub id: Uuid,
    /// The code of the desk whose cases it gets.
    pub desk: String,
    /// The partner whose desk that is; `None` for customer support's.
    pub partner: Option<Uuid>,
    /// Where messages go.
    pub url: String,
    /// What signs and proves.
    pub secret: Vec<u8>,
    /// The secret before.
    pub old_secret: Option<Vec<u8>>,
    /// Until when that one holds, in microseconds.
    pub old_until: Option<i64>,
    /// Why nothing is sent any more: a stable code.
    pub stopped: Option<String>,
    /// When it was connected.
    pub created_at: i64,
}

impl OutsideDesk {
    /// The desk whose cases it gets.
    pub fn desk(&self) -> Desk {
        self.partner.map_or(Desk::CustomerSupport, |partner| Desk::Csdp(TenantId(partner)))
    }

    /// The secrets that hold at this instant, the present one first.
    pub fn secrets(&self, now: Micros) -> Vec<&[u8]> {
        let old = self.old_secret.as_deref().filter(|_| self.old_until.is_some_and(|until| until > now.0));
        std::iter::once(self.secret.as_slice()).chain(old).collect()
    }
}

macro_rules! desk_sql {
    ($rest:literal) => {
        concat!(
            "SELECT id, desk, partner, url, secret, old_secret, old_until, stopped, created_at FROM outside_desks WHERE ",
            $rest
        )
    };
}

/// The desk that is the scope's own to connect: a partner's, or customer support's for the operator.
pub fn own_desk(scope: &Scope) -> Result<Desk> {
    match scope.reach() {
        Reach::Platform => Ok(Desk::CustomerSupport),
        Reach::Partner(partner) => Ok(Desk::Csdp(partner)),
        _ => Err(Denied::NotFound.into()),
    }
}

/// The outside desk of the scope's own desk.
pub async fn own(tx: &mut Tx, scope: &Scope) -> Result<Option<OutsideDesk>> {
    tx.optional(desk_sql!("desk = $1"), args![own_desk(scope)?.code()]).await
}

/// The outside desk with this id.
pub async fn get(tx: &mut Tx, scope: &Scope, id: OutsideDeskId) -> Result<Option<OutsideDesk>> {
    scope.platform()?;
    tx.optional(desk_sql!("id = $1"), args![id]).await
}

/// Connects an outside desk to a desk; [`Error::Conflict`](crate::Error::Conflict) if that has one.
pub async fn connect(
    tx: &mut Tx,
    scope: &Scope,
    id: OutsideDeskId,
    desk: Desk,
    url: &str,
    secret: [u8; 32],
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO outside_desks (id, desk, partner, url, secret, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        args![id, desk.code(), desk.partner(), url, secret, at],
    )
    .await?;
    Ok(())
}

/// Gives it a new secret; the present one holds on until then.
pub async fn renew_secret(
    tx: &mut Tx,
    scope: &Scope,
    id: OutsideDeskId,
    secret: [u8; 32],
    old_until: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE outside_desks SET old_secret = secret, old_until = $3, secret = $2 WHERE id = $1",
        args![id, secret, old_until],
    )
    .await?;
    Ok(())
}

/// Disconnects it and forgets what it was told.
pub async fn disconnect(tx: &mut Tx, scope: &Scope, id: OutsideDeskId) -> Result<()> {
    scope.platform()?;
    tx.execute("DELETE FROM forwarded_cases WHERE outside_desk = $1", args![id]).await?;
    tx.execute("DELETE FROM outside_calls WHERE outside_desk = $1", args![id]).await?;
    tx.execute("DELETE FROM outside_desks WHERE id = $1", args![id]).await?;
    Ok(())
}

/// Says that nothing is sent any more, and why.
pub async fn stop(tx: &mut Tx, scope: &Scope, id: OutsideDeskId, why: &str) -> Result<()> {
    scope.platform()?;
    tx.execute("UPDATE outside_desks SET stopped = $2 WHERE id = $1", args![id, why]).await?;
    Ok(())
}

/// Sends again, at once, all that was not taken.
pub async fn resume(tx: &mut Tx, scope: &Scope, id: OutsideDeskId, now: Micros) -> Result<()> {
    scope.platform()?;
    tx.execute("UPDATE outside_desks SET stopped = NULL WHERE id = $1", args![id]).await?;
    tx.execute(
        "UPDATE forwarded_cases SET state = 'waiting', attempts = 0, next_at = $2 \
         WHERE outside_desk = $1 AND state <> 'delivered'",
        args![id, now],
    )
    .await?;
    Ok(())
}

/// Notes that a case of `now_at` changed and is to be told: to the outside desk of the desk that has it, and to that of the
/// desk that had it before the change, if it knows of the case; not to the one that made the change. Whoever is to be told.
pub async fn note(
    tx: &mut Tx,
    scope: &Scope,
    case: Uuid,
    (before, now_at): (Desk, Desk),
    except: Option<Uuid>,
    at: Micros,
) -> Result<Vec<OutsideDeskId>> {
    scope.platform()?;
    let written = tx
        .execute(
            "INSERT INTO forwarded_cases (outside_desk, repair_case, version, state, attempts, next_at, reference) \
             SELECT o.id, $1, 1, 'waiting', 0, $2, '' FROM outside_desks o WHERE (o.desk = $3 OR (o.desk = $4 AND EXISTS \
             (SELECT 1 FROM forwarded_cases f WHERE f.outside_desk = o.id AND f.repair_case = $1))) \
             AND ($5 IS NULL OR o.id <> $5) ON CONFLICT (outside_desk, repair_case) DO UPDATE \
             SET version = forwarded_cases.version + 1, state = 'waiting', attempts = 0, next_at = excluded.next_at",
            args![case, at, now_at.code(), before.code(), except],
        )
        .await?;
    if written == 0 {
        return Ok(Vec::new());
    }
    let told: Vec<(Uuid,)> = tx
        .all(
            "SELECT o.id FROM outside_desks o JOIN forwarded_cases f ON f.outside_desk = o.id \
             WHERE f.repair_case = $1 AND f.state = 'waiting' AND o.stopped IS NULL",
            args![case],
        )
        .await?;
    Ok(told.into_iter().map(|(id,)| OutsideDeskId(id)).collect())
}

/// Notes that all open cases of the desk are to be told to an outside desk that was just connected.
pub async fn note_open(tx: &mut Tx, scope: &Scope, id: OutsideDeskId, desk: Desk, at: Micros) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO forwarded_cases (outside_desk, repair_case, version, state, attempts, next_at, reference) \
         SELECT $1, r.id, 1, 'waiting', 0, $2, '' FROM repair_cases r WHERE r.state NOT IN ('closed', 'cancelled') \
         AND ((r.desk = 'csdp' AND r.desk_partner = $3) OR (r.desk = 'customer_support' AND $3 IS NULL))",
        args![id, at, desk.partner()],
    )
    .await?;
    Ok(())
}

/// What an outside desk is to be told of a case.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Due {
    /// The case.
    pub repair_case: Uuid,
    /// Which change of it.
    pub version: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// What the outside desk calls the case; empty if it has not said.
    pub reference: String,
}

/// The case that is due longest.
pub async fn due(tx: &mut Tx, scope: &Scope, id: OutsideDeskId, now: Micros) -> Result<Option<Due>> {
    scope.platform()?;
    tx.optional(
        "SELECT repair_case, version, attempts, reference FROM forwarded_cases WHERE outside_desk = $1 \
         AND state = 'waiting' AND next_at <= $2 ORDER BY next_at, repair_case LIMIT 1",
        args![id, now],
    )
    .await
}

/// It was taken; what changed meanwhile still waits.
pub async fn delivered(tx: &mut Tx, scope: &Scope, id: OutsideDeskId, due: &Due, at: Micros) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE forwarded_cases SET state = CASE WHEN version = $3 THEN 'delivered' ELSE state END, \
         delivered_at = $4, last_error = NULL, last_status = NULL WHERE outside_desk = $1 AND repair_case = $2",
        args![id, due.repair_case, due.version, at],
    )
    .await?;
    Ok(())
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable code.
    pub code: &'static str,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
}

/// It was not taken: it is tried again at `next_at`, or given up. An attempt that two nodes made at once counts once.
pub async fn failed(
    tx: &mut Tx,
    scope: &Scope,
    id: OutsideDeskId,
    due: &Due,
    failure: Failure,
    next_at: Option<Micros>,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE forwarded_cases SET attempts = attempts + 1, last_error = $4, last_status = $5, \
         next_at = COALESCE($6, next_at), state = CASE WHEN $6 IS NULL THEN 'failed' ELSE state END \
         WHERE outside_desk = $1 AND repair_case = $2 AND version = $3 AND attempts = $7",
        args![
            id,
            due.repair_case,
            due.version,
            failure.code,
            failure.status.map(i64::from),
            next_at.map(|at| at.0),
            due.attempts
        ],
    )
    .await?;
    Ok(())
}

/// Nobody answers there: what else is due waits for the next try, too.
pub async fn put_off(
    tx: &mut Tx,
    scope: &Scope,
    id: OutsideDeskId,
    now: Micros,
    next_at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE forwarded_cases SET next_at = $3 WHERE outside_desk = $1 AND state = 'waiting' AND next_at <= $2",
        args![id, now, next_at],
    )
    .await?;
    Ok(())
}

/// What was told of a case, for whoever looks after the connection.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Forwarded {
    /// The case.
    pub repair_case: Uuid,
    /// Its number.
    pub number: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// How often the last change was tried in vain.
    pub attempts: i64,
    /// When it is tried next, in microseconds.
    pub next_at: i64,
    /// Why it was not taken: a stable code.
    pub last_error: Option<String>,
    /// The status of the answer.
    pub last_status: Option<i64>,
    /// When the outside desk last took something of it.
    pub delivered_at: Option<i64>,
    /// What the outside desk calls it.
    pub reference: String,
}

/// What the outside desk of the scope's own desk was told, newest case first.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Forwarded>>> {
    let desk = own_desk(scope)?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Forwarded> = tx
        .all(
            "SELECT f.repair_case, r.number, f.state, f.attempts, f.next_at, f.last_error, f.last_status, \
             f.delivered_at, f.reference FROM outside_desks o JOIN forwarded_cases f ON f.outside_desk = o.id \
             JOIN repair_cases r ON r.id = f.repair_case WHERE o.desk = $1 AND f.repair_case < $2 \
             ORDER BY f.repair_case DESC LIMIT $3",
            args![desk.code(), after.unwrap_or(Uuid::max()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |row| row.repair_case)))
}

/// Whether this outside desk was told of the case.
pub async fn knows(tx: &mut Tx, scope: &Scope, id: OutsideDeskId, case: Uuid) -> Result<bool> {
    scope.platform()?;
    let count = tx
        .number(
            "SELECT COUNT(*) FROM forwarded_cases WHERE outside_desk = $1 AND repair_case = $2",
            args![id, case],
        )
        .await?;
    Ok(count > 0)
}

/// Keeps what the outside desk calls a case.
pub async fn set_reference(
    tx: &mut Tx,
    scope: &Scope,
    id: OutsideDeskId,
    case: Uuid,
    reference: &str,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE forwarded_cases SET reference = $3 WHERE outside_desk = $1 AND repair_case = $2",
        args![id, case, reference],
    )
    .await?;
    Ok(())
}

/// Notes a call; `false` if it was taken before.
pub async fn take_call(
    tx: &mut Tx,
    scope: &Scope,
    id: OutsideDeskId,
    message: &str,
    at: Micros,
) -> Result<bool> {
    scope.platform()?;
    let written = tx
        .execute(
            "INSERT INTO outside_calls (outside_desk, message, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            args![id, message, at],
        )
        .await?;
    Ok(written == 1)
}

/// Forgets calls from before this instant.
pub async fn forget_calls(tx: &mut Tx, scope: &Scope, before: Micros) -> Result<()> {
    scope.platform()?;
    tx.execute("DELETE FROM outside_calls WHERE at < $1", args![before]).await?;
    Ok(())
}
