//! Transfers: what was asked, how it was judged, what came of it.

use std::collections::HashMap;

use roadstead_domain::access::{Actor, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::customer::Assignment;
use roadstead_domain::ids::{DeviceId, OperationId, TenantId, TokenId, TransferId, UserId};
use roadstead_domain::placement::Place;
use roadstead_domain::privacy::Receipt;
use roadstead_domain::transfer::{Asked, Done, Found, Reason, Row, Target, UNASSIGNED, Verdict};
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A transfer.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Transfer {
    /// Its id.
    pub id: Uuid,
    /// `previewed`, `committing`, `committed`, `undoing`, `undone` or `failed`.
    pub state: String,
    /// The digest of what was judged.
    pub digest: Vec<u8>,
    /// Rows.
    pub items: i64,
    /// Rows that will be, or were to be, moved.
    pub ready: i64,
    /// Rows that will not.
    pub blocked: i64,
    /// Rows with something to think of.
    pub warned: i64,
    /// PCs that were moved.
    pub moved: i64,
    /// Whether blocked rows are left out instead of stopping the whole.
    pub good_rows_only: bool,
    /// The operation that carries it out, where it runs in the background.
    pub operation: Option<Uuid>,
    /// When it was previewed, in microseconds.
    pub created_at: i64,
    /// When it was carried out.
    pub committed_at: Option<i64>,
    /// When it was undone.
    pub undone_at: Option<i64>,
    /// What became of the PCs' data, JSON.
    pub receipt: Option<String>,
    /// What became of it at the undo, JSON.
    pub undo_receipt: Option<String>,
    /// When what was sealed had been deleted.
    pub wiped_at: Option<i64>,
}

impl Transfer {
    /// What became of the PCs' data at the commit and at the undo, as it stands by now.
    pub fn receipts(&self) -> (Option<Receipt>, Option<Receipt>) {
        let read = |text: &Option<String>| serde_json::from_str::<Receipt>(text.as_deref()?).ok();
        let now = |receipt: Receipt| if self.wiped_at.is_some() { receipt.after_wiping() } else { receipt };
        (read(&self.receipt).map(now), read(&self.undo_receipt).map(now))
    }
}

/// A row of a transfer as stored.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Item {
    /// Its number, from 1.
    pub line: i64,
    /// The serial.
    pub serial: String,
    /// The target as it was asked for.
    pub target: String,
    /// The PC.
    pub device: Option<Uuid>,
    /// The generation that was read.
    pub generation: Option<i64>,
    /// Where it was.
    pub from_tenant: Option<Uuid>,
    /// Where it goes.
    pub to_tenant: Option<Uuid>,
    /// `ready` or `blocked`.
    pub verdict: String,
    /// Codes with a space between them.
    pub reasons: String,
    /// `moved`, `left_out` or `undone`; `None` before the commit.
    pub result: Option<String>,
}

impl Item {
    /// Its reasons' codes.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.reasons.split_whitespace()
    }

    /// The row as it was judged.
    pub fn row(&self) -> Result<Row> {
        let reasons: Option<Vec<Reason>> = self.codes().map(Reason::from_code).collect();
        Ok(Row {
            serial: self.serial.clone(),
            device: self.device.map(DeviceId).zip(self.generation),
            from: self.from_tenant.map(TenantId),
            to: self.to_tenant.map(TenantId),
            reasons: reasons.ok_or_else(|| Error::bad("transfer_items", &self.reasons))?,
        })
    }
}

/// What is known of PCs, by serial.
pub type Known = HashMap<String, Vec<Found>>;

type FoundRow = (Uuid, String, i64, Uuid, String);

/// The PCs with these serials that the scope's partner can see: in its pool and in the customers that are open to it. To
/// whom one was sold is told in lower case, as lists search for it.
pub async fn found(tx: &mut Tx, scope: &Scope, serials: &[&str]) -> Result<Known> {
    let partner = scope.partner()?;
    let rows: Vec<FoundRow> = tx
        .all_of_set(
            // No CROSS JOIN: behind one, PostgreSQL reads the whole view before it looks at the set.
            "SELECT o.device, o.serial, o.generation, o.tenant, o.search FROM <set> s, own_places o \
             WHERE o.serial = s.value AND o.partner = $1",
            args![partner],
            serials,
        )
        .await?;
    Ok(known(partner, rows))
}

/// [`found`] of these very PCs.
pub async fn found_again(tx: &mut Tx, scope: &Scope, devices: &[Uuid]) -> Result<Known> {
    let partner = scope.partner()?;
    let rows: Vec<FoundRow> = tx
        .all_of_ids(
            "SELECT o.device, o.serial, o.generation, o.tenant, o.search FROM <set> s, own_placements o \
             WHERE o.device = s.value AND o.partner = $1",
            args![partner],
            devices,
        )
        .await?;
    Ok(known(partner, rows))
}

fn known(partner: TenantId, rows: Vec<FoundRow>) -> Known {
    let mut known = Known::with_capacity(rows.len());
    for (device, serial, generation, tenant, search) in rows {
        known.entry(serial).or_default().push(Found {
            device: DeviceId(device),
            generation,
            place: Place { tenant: TenantId(tenant), partner },
            sold_to: crate::pool::searched_end_customer(&search).map(str::to_owned),
            shown: Vec::new(),
        });
    }
    known
}

/// The customers of the scope's partner that something shows to hold these PCs: a PC stands on their zero-touch list, came
/// with their cPIN and waits, belongs to one of their domains, or was shown to be in their hands in an earlier stay.
/// `pcs` are PCs that the scope was found to reach, with their serials.
pub async fn shown(
    tx: &mut Tx,
    scope: &Scope,
    pcs: &HashMap<Uuid, &str>,
) -> Result<HashMap<DeviceId, Vec<TenantId>>> {
    let partner = scope.partner()?;
    let serials: Vec<&str> = pcs.values().copied().collect();
    let by_serial: Vec<(String, Uuid)> = tx
        .all_of_set(
            "WITH s AS (SELECT x.value FROM <set> x) \
             SELECT s.value, z.customer FROM s CROSS JOIN zero_touch_serials z WHERE z.serial = s.value \
             AND (SELECT c.partner FROM customers c WHERE c.tenant = z.customer) = $1 \
             UNION SELECT s.value, e.customer FROM s CROSS JOIN enrolments e WHERE e.serial = s.value \
             AND e.state = 'waiting' AND e.cpin IS NOT NULL AND e.customer_partner = $1",
            args![partner],
            &serials,
        )
        .await?;
    let devices: Vec<Uuid> = pcs.keys().copied().collect();
    let by_device: Vec<(Uuid, Option<String>, Uuid)> = tx
        .all_of_ids(
            "WITH s AS (SELECT x.value FROM <set> x) \
             SELECT k.device, e.serial, m.customer FROM s CROSS JOIN device_keys k CROSS JOIN enrolments e \
             CROSS JOIN customer_domains m CROSS JOIN customers c \
             WHERE k.device = s.value AND k.replaced_at IS NULL AND e.public_key = k.public_key AND e.domain <> '' \
             AND c.partner = $1 AND m.customer = c.tenant \
             AND (LOWER(e.domain) = m.domain OR LOWER(e.domain) LIKE ('%.' || m.domain)) \
             UNION SELECT o.device, NULL, l.to_tenant FROM s CROSS JOIN possessions o CROSS JOIN placement_log l \
             WHERE o.device = s.value AND l.device = o.device AND l.generation = o.generation AND l.partner = $1 \
             AND l.to_tenant IS NOT NULL",
            args![partner],
            &devices,
        )
        .await?;
    let mut customers: HashMap<String, Vec<TenantId>> = HashMap::new();
    for (serial, customer) in by_serial {
        customers.entry(serial).or_default().push(TenantId(customer));
    }
    let mut shown: HashMap<DeviceId, Vec<TenantId>> = HashMap::new();
    if !customers.is_empty() {
        for (device, serial) in pcs {
            if let Some(customers) = customers.get(*serial) {
                shown.insert(DeviceId(*device), customers.clone());
            }
        }
    }
    for (device, enrolled_as, customer) in by_device {
        // Its key may have come with another serial, too.
        if enrolled_as.is_some_and(|serial| pcs.get(&device) != Some(&serial.as_str())) {
            continue;
        }
        shown.entry(DeviceId(device)).or_default().push(TenantId(customer));
    }
    Ok(shown)
}

#[derive(Deserialize, sqlx::FromRow)]
pub(crate) struct TargetRow {
    pub(crate) tenant: Uuid,
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) assignment: String,
    pub(crate) partner_access: bool,
    pub(crate) disabled_at: Option<i64>,
}

impl TargetRow {
    /// Its Customer ID, and the target.
    pub(crate) fn read(self) -> Result<(String, Target)> {
        let assignment = Assignment::from_code(&self.assignment)
            .ok_or_else(|| Error::bad("customers", &self.assignment))?;
        let target = Target::Customer {
            tenant: TenantId(self.tenant),
            name: self.name,
            assignment,
            open: self.partner_access,
            disabled: self.disabled_at.is_some(),
        };
        Ok((self.number, target))
    }
}

/// The holding tenant of the scope's partner, once it has one.
pub async fn pool(tx: &mut Tx, scope: &Scope) -> Result<Option<TenantId>> {
    let sql = "SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding'";
    let pool: Option<(Uuid,)> = tx.optional_quick(sql, args![scope.partner()?]).await?;
    Ok(pool.map(|(id,)| TenantId(id)))
}

/// Where the scope's partner can send PCs: its pool, and every customer that names it, whatever their state.
pub async fn targets(tx: &mut Tx, scope: &Scope) -> Result<Vec<(String, Target)>> {
    let partner = scope.partner()?;
    let pool = pool(tx, scope).await?;
    let mut targets: Vec<(String, Target)> =
        pool.into_iter().map(|id| (UNASSIGNED.to_owned(), Target::Pool(id))).collect();
    let rows: Vec<TargetRow> = tx
        .all_quick(
            "SELECT tenant, number, name, assignment, partner_access, disabled_at FROM customers \
             WHERE partner = $1",
            args![partner],
        )
        .await?;
    for row in rows {
        targets.push(row.read()?);
    }
    Ok(targets)
}

/// Keeps a preview: the transfer and its rows.
pub async fn create(
    tx: &mut Tx,
    scope: &Scope,
    id: TransferId,
    digest: [u8; 32],
    asked: &[Asked],
    rows: &[Row],
    at: Micros,
) -> Result<()> {
    let partner = scope.partner()?;
    let blocked = rows.iter().filter(|row| row.verdict() == Verdict::Blocked).count() as u64;
    let warned =
        rows.iter().filter(|row| row.verdict() == Verdict::Ready && !row.reasons.is_empty()).count() as u64;
    let (actor_kind, actor) = crate::audit::actor(scope.actor());
    tx.execute(
        "INSERT INTO transfers (id, partner, state, digest, items, ready, blocked, warned, moved, good_rows_only, \
         actor_kind, actor, created_at) VALUES ($1, $2, 'previewed', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            id,
            partner,
            digest,
            rows.len() as u64,
            rows.len() as u64 - blocked,
            blocked,
            warned,
            0_i64,
            false,
            actor_kind,
            actor,
            at
        ],
    )
    .await?;
    let mut bulk = Bulk::new(
        "INSERT INTO transfer_items (transfer, line, serial, target, device, generation, from_tenant, to_tenant, \
         verdict, reasons, result)",
        11,
        "",
    );
    for (at, (asked, row)) in asked.iter().zip(rows).enumerate() {
        let codes: Vec<&str> = row.reasons.iter().map(|reason| reason.code()).collect();
        // What the commit will make of it, shown once it is committed, so that it need not write every row again.
        let result = if row.verdict() == Verdict::Ready { "moved" } else { "left_out" };
        bulk.push(
            tx,
            args![
                id,
                at as u64 + 1,
                &row.serial,
                &asked.to,
                row.device.map(|(id, _)| id.0),
                row.device.map(|(_, generation)| generation),
                row.from,
                row.to,
                row.verdict().as_str(),
                codes.join(" "),
                result
            ],
        )
        .await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

macro_rules! transfer_sql {
    ($rest:literal) => {
        concat!(
            "SELECT id, state, digest, items, ready, blocked, warned, moved, good_rows_only, operation, created_at, ",
            "committed_at, undone_at, receipt, undo_receipt, wiped_at FROM transfers WHERE partner = $1",
            $rest
        )
    };
}

/// The transfer, if it is the scope's partner's.
pub async fn get(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Option<Transfer>> {
    tx.optional(transfer_sql!(" AND id = $2"), args![scope.partner()?, id]).await
}

/// The transfer as [`get`] gives it. Nobody else carries it out or takes it back until this transaction ends.
pub async fn hold(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Option<Transfer>> {
    tx.hold(transfer_sql!(" AND id = $2"), args![scope.partner()?, id]).await
}

/// The partner's transfers, newest first. `None` for a cursor that is none.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Transfer>>> {
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Transfer> = tx
        .all(
            transfer_sql!(" AND id < $2 ORDER BY id DESC LIMIT $3"),
            args![scope.partner()?, after.unwrap_or(Uuid::max()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |transfer| transfer.id)))
}

macro_rules! item_sql {
    ($rest:literal) => {
        concat!(
            "SELECT i.line, i.serial, i.target, i.device, i.generation, i.from_tenant, i.to_tenant, i.verdict, ",
            "i.reasons, CASE WHEN t.state IN ('previewed', 'committing') THEN NULL ELSE i.result END AS result ",
            "FROM transfers t JOIN transfer_items i ON i.transfer = t.id ",
            "WHERE t.partner = $1 AND t.id = $2",
            $rest
        )
    };
}

/// A page of its rows, in the order in which they were asked for, `only` those with this verdict if given.
pub async fn items(
    tx: &mut Tx,
    scope: &Scope,
    id: TransferId,
    only: Option<Verdict>,
    page: &Page,
) -> Result<Option<Rows<Item>>> {
    let Ok(after) = page.after::<i64>() else { return Ok(None) };
    let rows = page.rows();
    let mut bind = args![scope.partner()?, id, after.unwrap_or(0), rows + 1];
    let items: Vec<Item> = match only {
        None => tx.all_quick(item_sql!(" AND i.line > $3 ORDER BY i.line LIMIT $4"), bind).await?,
        Some(only) => {
            bind.extend(args![only.as_str()]);
            tx.all(item_sql!(" AND i.line > $3 AND i.verdict = $5 ORDER BY i.line LIMIT $4"), bind).await?
        }
    };
    Ok(Some(Rows::cut(items, rows, |item| item.line)))
}

/// All of its rows.
pub async fn all_items(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Vec<Item>> {
    tx.all(item_sql!(" ORDER BY i.line"), args![scope.partner()?, id]).await
}

/// Takes it from one state to another, for whoever is first. `false` if it is not in the first any more.
pub async fn advance(
    tx: &mut Tx,
    scope: &Scope,
    id: TransferId,
    from: &str,
    to: &str,
    operation: Option<OperationId>,
) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE transfers SET state = $4, operation = COALESCE($5, operation) \
             WHERE partner = $1 AND id = $2 AND state = $3",
            args![scope.partner()?, id, from, to, operation.map(|id| id.0)],
        )
        .await?;
    Ok(changed == 1)
}

/// Notes whether blocked rows are left out.
pub async fn set_good_rows_only(tx: &mut Tx, scope: &Scope, id: TransferId, only: bool) -> Result<()> {
    tx.execute(
        "UPDATE transfers SET good_rows_only = $3 WHERE partner = $1 AND id = $2",
        args![scope.partner()?, id, only],
    )
    .await?;
    Ok(())
}

/// Writes that its ready rows were moved.
pub async fn committed(tx: &mut Tx, scope: &Scope, id: TransferId, moved: u64, at: Micros) -> Result<()> {
    let partner = scope.partner()?;
    tx.execute(
        "UPDATE transfers SET state = 'committed', moved = $3, committed_at = $4 WHERE partner = $1 AND id = $2",
        args![partner, id, moved, at],
    )
    .await?;
    // A preview by a node of the release before has none yet.
    tx.execute(
        "UPDATE transfer_items SET result = CASE WHEN verdict = 'ready' THEN 'moved' ELSE 'left_out' END \
         WHERE transfer = (SELECT id FROM transfers WHERE partner = $1 AND id = $2) AND result IS NULL",
        args![partner, id],
    )
    .await?;
    Ok(())
}

/// Writes that it was undone, except for these rows that moved on since.
pub async fn undone(tx: &mut Tx, scope: &Scope, id: TransferId, left: &[i64], at: Micros) -> Result<()> {
    let partner = scope.partner()?;
    tx.execute(
        "UPDATE transfers SET state = 'undone', undone_at = $3 WHERE partner = $1 AND id = $2",
        args![partner, id, at],
    )
    .await?;
    tx.execute(
        "UPDATE transfer_items SET result = 'undone' WHERE result = 'moved' \
         AND transfer = (SELECT id FROM transfers WHERE partner = $1 AND id = $2)",
        args![partner, id],
    )
    .await?;
    let mut bulk = Bulk::new(
        "UPDATE transfer_items SET result = 'moved' FROM (",
        2,
        ") AS v WHERE transfer_items.transfer = v.column1 AND transfer_items.line = v.column2",
    );
    for line in left {
        bulk.push(tx, args![id, *line]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// The moves of a transfer that was carried out, with the number of each row.
pub async fn done(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Vec<(i64, Done)>> {
    let items = all_items(tx, scope, id).await?;
    let bad = |item: &Item| Error::bad("transfer_items", format!("row {} of {id}", item.line));
    items
        .iter()
        .filter(|item| item.result.as_deref() == Some("moved"))
        .map(|item| {
            let (Some(device), Some(generation), Some(from), Some(to)) =
                (item.device, item.generation, item.from_tenant, item.to_tenant)
            else {
                return Err(bad(item));
            };
            let done = Done {
                serial: item.serial.clone(),
                device: DeviceId(device),
                from: TenantId(from),
                to: TenantId(to),
                generation: generation + 1,
            };
            Ok((item.line, done))
        })
        .collect()
}

/// Where the PCs of a transfer are now: generation and tenant, wherever that is. For judging, not for showing.
pub async fn present(
    tx: &mut Tx,
    scope: &Scope,
    id: TransferId,
) -> Result<HashMap<DeviceId, (i64, Option<TenantId>)>> {
    scope.platform()?;
    let rows: Vec<(Uuid, i64, Option<Uuid>)> = tx
        .all(
            "SELECT p.device, p.generation, p.tenant FROM transfer_items i CROSS JOIN placements p \
             WHERE i.transfer = $1 AND i.result = 'moved' AND p.device = i.device",
            args![id],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|(device, generation, tenant)| (DeviceId(device), (generation, tenant.map(TenantId))))
        .collect())
}

/// Forgets previews that nobody carried out, older than this. One that somebody holds is about to be carried out, and is
/// left to the next time.
pub async fn forget_previews(tx: &mut Tx, scope: &Scope, before: Micros) -> Result<u64> {
    scope.platform()?;
    let held: Vec<(Uuid,)> = tx
        .all_ending(
            "SELECT id FROM transfers WHERE state = 'previewed' AND created_at < $1",
            tx.skip_locked(),
            args![before],
        )
        .await?;
    for (id,) in &held {
        tx.execute("DELETE FROM transfer_items WHERE transfer = $1", args![*id]).await?;
        tx.execute("DELETE FROM transfers WHERE id = $1", args![*id]).await?;
    }
    Ok(held.len() as u64)
}

/// Whose transfer it is and who asked for it, for the work in the background.
pub async fn whose(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Option<(TenantId, Actor)>> {
    scope.platform()?;
    let row: Option<(Uuid, String, Option<Uuid>)> =
        tx.optional("SELECT partner, actor_kind, actor FROM transfers WHERE id = $1", args![id]).await?;
    Ok(row.map(|(partner, kind, actor)| {
        let actor = match (kind.as_str(), actor) {
            ("user", Some(id)) => Actor::User(UserId(id)),
            ("token", Some(id)) => Actor::Token(TokenId(id)),
            _ => Actor::System,
        };
        (TenantId(partner), actor)
    }))
}

/// Remembers to which customer tenant PCs of these end customers went.
pub async fn remember_targets(tx: &mut Tx, scope: &Scope, went: &HashMap<String, TenantId>) -> Result<()> {
    let partner = scope.partner()?;
    let mut bulk = Bulk::new(
        "INSERT INTO suggested_targets (partner, end_customer, customer)",
        3,
        "ON CONFLICT (partner, end_customer) DO UPDATE SET customer = excluded.customer",
    );
    for (end_customer, customer) in went {
        bulk.push(tx, args![partner, end_customer, *customer]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// The Customer ID to suggest for PCs of this end customer.
pub async fn suggested(tx: &mut Tx, scope: &Scope, end_customer: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = tx
        .optional(
            "SELECT c.number FROM suggested_targets s JOIN customers c ON c.tenant = s.customer \
             WHERE s.partner = $1 AND s.end_customer = $2 AND c.partner = $1",
            args![scope.partner()?, end_customer.trim().to_lowercase()],
        )
        .await?;
    Ok(row.map(|(number,)| number))
}
