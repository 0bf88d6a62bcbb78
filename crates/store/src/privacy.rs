//! What is known of persons at a PC. It is kept by generation and read by the present one alone: a move seals by the new
//! number it gives, without writing anything here. An undo takes the rows along to the number that it gives.

use std::collections::{BTreeMap, HashMap};

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, TenantId, TransferId};
use roadstead_domain::privacy::{Counts, Possession, Receipt};
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// Notes by what a PC was shown to be in its tenant's hands; the first proof of a generation stays.
pub async fn prove(
    tx: &mut Tx,
    scope: &Scope,
    device: DeviceId,
    generation: i64,
    by: Possession,
    at: Micros,
) -> Result<bool> {
    Ok(prove_all(tx, scope, &[(device, generation)], by, at).await? == 1)
}

/// Notes it of several PCs, each in its generation; of how many it is the first proof.
pub async fn prove_all(
    tx: &mut Tx,
    scope: &Scope,
    pcs: &[(DeviceId, i64)],
    by: Possession,
    at: Micros,
) -> Result<u64> {
    scope.platform()?;
    let mut bulk =
        Bulk::new("INSERT INTO possessions (device, generation, proof, at)", 4, "ON CONFLICT DO NOTHING");
    for (device, generation) in pcs {
        bulk.push(tx, args![*device, *generation, by.as_str(), at]).await?;
    }
    bulk.finish(tx).await
}

/// What each of these PCs has to sign to show where it is: the hash of the very move that brought it there.
pub async fn challenges(tx: &mut Tx, scope: &Scope, keys: &[&str]) -> Result<HashMap<DeviceId, String>> {
    scope.platform()?;
    let rows: Vec<(Uuid, Vec<u8>)> = tx
        .all_of_set(
            "SELECT p.device, l.hash FROM <set> x CROSS JOIN device_keys k CROSS JOIN placements p \
             CROSS JOIN placement_log l WHERE k.public_key = x.value AND k.replaced_at IS NULL AND p.device = k.device \
             AND l.device = p.device AND l.generation = p.generation AND l.to_tenant = p.tenant",
            args![],
            keys,
        )
        .await?;
    Ok(rows.into_iter().map(|(device, hash)| (DeviceId(device), hex::encode(hash))).collect())
}

/// The columns of [`Known`], behind the joins of [`known_at_sql`].
macro_rules! known_sql {
    () => {
        "COUNT(k.device) AS readings, COUNT(u.last_user) AS last_user, COUNT(u.location) AS location, \
         CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM repair_cases r WHERE r.device = g.device \
         AND r.generation = g.generation AND NOT r.is_wiped) THEN 1 ELSE 0 END) AS BIGINT) AS free_text"
    };
}

/// Joins what is known at the PCs of `g`, each in its generation.
macro_rules! known_at_sql {
    () => {
        " LEFT JOIN check_ins k ON k.device = g.device \
         LEFT JOIN personal_data u ON u.device = g.device AND u.generation = g.generation "
    };
}

/// At how many PCs something is known: readings, who, where and free text.
#[derive(sqlx::FromRow)]
struct Known {
    readings: i64,
    last_user: i64,
    location: i64,
    free_text: i64,
}

fn sealed(known: i64) -> Counts {
    Counts { sealed: known, ..Counts::default() }
}

fn kept(known: i64) -> Counts {
    Counts { kept: known, ..Counts::default() }
}

impl Known {
    /// What was known of persons stays behind; the machine's own readings go with it.
    fn sealed(&self) -> Receipt {
        Receipt {
            readings: kept(self.readings),
            last_user: sealed(self.last_user),
            location: sealed(self.location),
            free_text: sealed(self.free_text),
        }
    }

    /// What was known of persons is open again.
    fn opened(&self) -> Receipt {
        Receipt {
            readings: Counts::default(),
            last_user: kept(self.last_user),
            location: kept(self.location),
            free_text: kept(self.free_text),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Leaving {
    device: Uuid,
    #[sqlx(flatten)]
    known: Known,
}

/// What becomes of the data of the PCs with these serials when they leave where they are now; asked before they are moved.
/// A PC that is nowhere leaves nothing.
pub async fn leaving(tx: &mut Tx, scope: &Scope, serials: &[&str]) -> Result<HashMap<DeviceId, Receipt>> {
    scope.platform()?;
    if serials.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Leaving> = tx
        .all_of_set(
            concat!(
                "SELECT g.device, ",
                known_sql!(),
                " FROM <set> s CROSS JOIN devices d CROSS JOIN placements g",
                known_at_sql!(),
                "WHERE d.serial = s.value AND g.device = d.id AND g.tenant IS NOT NULL GROUP BY g.device"
            ),
            args![],
            serials,
        )
        .await?;
    Ok(rows.into_iter().map(|row| (DeviceId(row.device), row.known.sealed())).collect())
}

/// A receipt with a part for each tenant concerned.
#[derive(Clone, Debug, Default)]
pub struct Receipts {
    /// Of all PCs.
    pub all: Receipt,
    /// Of those that left a tenant or came to it.
    pub tenants: BTreeMap<TenantId, Receipt>,
}

impl Receipts {
    fn add(&mut self, tenants: [Option<Uuid>; 2], receipt: Receipt) {
        self.all = self.all + receipt;
        for tenant in tenants.into_iter().flatten() {
            let own = self.tenants.entry(TenantId(tenant)).or_default();
            *own = *own + receipt;
        }
    }
}

/// What is known at the PCs of a transfer, for each pair of tenants, by the generations of these rows.
macro_rules! of_transfer_sql {
    ($generation:literal, $result:literal) => {
        concat!(
            "SELECT g.from_tenant, g.to_tenant, ",
            known_sql!(),
            " FROM (SELECT i.from_tenant, i.to_tenant, i.device, ",
            $generation,
            " AS generation FROM transfer_items i WHERE i.transfer = $1 AND i.result = '",
            $result,
            "') AS g",
            known_at_sql!(),
            "GROUP BY g.from_tenant, g.to_tenant"
        )
    };
}

#[derive(sqlx::FromRow)]
struct Pair {
    from_tenant: Option<Uuid>,
    to_tenant: Option<Uuid>,
    #[sqlx(flatten)]
    known: Known,
}

/// Writes what became of the data of the PCs that a transfer moved.
pub async fn sealed_by_transfer(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Receipts> {
    scope.platform()?;
    let pairs: Vec<Pair> = tx.all(of_transfer_sql!("i.generation", "moved"), args![id]).await?;
    let mut receipts = Receipts::default();
    for pair in pairs {
        receipts.add([pair.from_tenant, pair.to_tenant], pair.known.sealed());
    }
    let text = to_json(&receipts.all)?;
    tx.execute("UPDATE transfers SET receipt = $2 WHERE id = $1", args![id, text]).await?;
    Ok(receipts)
}

/// Opens to the former tenant what it knew before a transfer that was undone, seals what the other one learned since,
/// and writes both down. The PCs are two generations further than when it was sealed.
pub async fn unseal_by_undo(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Receipts> {
    scope.platform()?;
    for sql in [
        "UPDATE personal_data SET generation = personal_data.generation + 2 FROM transfer_items i \
         WHERE i.transfer = $1 AND i.result = 'undone' AND personal_data.device = i.device \
         AND personal_data.generation = i.generation",
        "UPDATE possessions SET generation = possessions.generation + 2 FROM transfer_items i \
         WHERE i.transfer = $1 AND i.result = 'undone' AND possessions.device = i.device \
         AND possessions.generation = i.generation",
        "UPDATE repair_cases SET generation = repair_cases.generation + 2 FROM transfer_items i \
         WHERE i.transfer = $1 AND i.result = 'undone' AND repair_cases.device = i.device \
         AND repair_cases.generation = i.generation",
    ] {
        tx.execute(sql, args![id]).await?;
    }
    let mut receipts = Receipts::default();
    let left: Vec<Pair> = tx.all(of_transfer_sql!("i.generation + 1", "undone"), args![id]).await?;
    for pair in left {
        receipts.add([pair.from_tenant, pair.to_tenant], pair.known.sealed());
    }
    let back: Vec<Pair> = tx.all(of_transfer_sql!("i.generation + 2", "undone"), args![id]).await?;
    for pair in back {
        receipts.add([pair.from_tenant, pair.to_tenant], pair.known.opened());
    }
    let text = to_json(&receipts.all)?;
    tx.execute("UPDATE transfers SET undo_receipt = $2 WHERE id = $1", args![id, text]).await?;
    Ok(receipts)
}

fn to_json(receipt: &Receipt) -> Result<String> {
    serde_json::to_string(receipt).map_err(|error| Error::bad("a receipt", error))
}

/// The most PCs of one batch of [`wipe`].
pub const WIPED_AT_ONCE: u64 = 1_000;
/// A round of [`wipe`] begins this long after the last one ended, in seconds.
const BETWEEN_ROUNDS: i64 = 30 * 60;

#[derive(sqlx::FromRow)]
struct Round {
    device: Option<Uuid>,
    before: i64,
    ended_at: Option<i64>,
}

/// One batch of a round that deletes what was sealed by a move before this instant: how many PCs' data it deleted, or
/// `None` where no round is under way or due. The next batch goes on where this one ended, on whichever node; two at
/// once wait for each other.
pub async fn wipe(tx: &mut Tx, scope: &Scope, before: Micros, now: Micros) -> Result<Option<u64>> {
    scope.platform()?;
    let round: Option<Round> = tx
        .optional(
            "INSERT INTO wipes (id, before) VALUES (1, $1) \
             ON CONFLICT (id) DO UPDATE SET before = wipes.before RETURNING device, before, ended_at",
            args![before],
        )
        .await?;
    let Some(round) = round else { return Ok(None) };
    let is_due = round.ended_at.is_none_or(|ended| ended <= now.plus_seconds(-BETWEEN_ROUNDS).0);
    let (after, before) = match round.device {
        Some(device) => (device, round.before),
        None if is_due => (Uuid::nil(), before.0),
        None => return Ok(None),
    };
    let last: Option<(Uuid,)> = tx
        .optional(
            "SELECT n.device FROM (SELECT a.device FROM (SELECT DISTINCT device FROM personal_data WHERE device > $1 \
             ORDER BY device LIMIT $2) AS a UNION SELECT b.device FROM (SELECT DISTINCT device FROM repair_cases \
             WHERE device > $1 ORDER BY device LIMIT $2) AS b ORDER BY 1 LIMIT $2) AS n ORDER BY n.device DESC LIMIT 1",
            args![after, WIPED_AT_ONCE],
        )
        .await?;
    let Some((last,)) = last else {
        end_round(tx, before, now).await?;
        return Ok(None);
    };
    let mut wiped = tx
        .execute(
            "DELETE FROM personal_data WHERE device > $1 AND device <= $2 AND EXISTS (SELECT 1 FROM placement_log l \
             WHERE l.device = personal_data.device AND l.generation = personal_data.generation + 1 AND l.at < $3)",
            args![after, last, before],
        )
        .await?;
    tx.execute(
        "DELETE FROM repair_notes WHERE repair_case IN (SELECT r.id FROM repair_cases r WHERE r.device > $1 \
         AND r.device <= $2 AND NOT r.is_wiped AND r.state IN ('closed', 'cancelled') AND EXISTS (SELECT 1 \
         FROM placement_log l WHERE l.device = r.device AND l.generation = r.generation + 1 AND l.at < $3))",
        args![after, last, before],
    )
    .await?;
    // What desk and partner account for stays: serial, parts, result, codes.
    wiped += tx
        .execute(
            "UPDATE repair_cases SET is_wiped = TRUE, contact_name = '', contact_email = '', contact_phone = '', \
             message = '', preferred_times = '', opener_note = '', question = NULL, appointment_note = NULL \
             WHERE device > $1 AND device <= $2 AND NOT is_wiped AND state IN ('closed', 'cancelled') \
             AND EXISTS (SELECT 1 FROM placement_log l WHERE l.device = repair_cases.device \
             AND l.generation = repair_cases.generation + 1 AND l.at < $3)",
            args![after, last, before],
        )
        .await?;
    tx.execute("UPDATE wipes SET device = $1, before = $2 WHERE id = 1", args![last, before]).await?;
    Ok(Some(wiped))
}

/// What was sealed before the round's instant is gone: the receipts say so. One with a case that is still worked on waits.
async fn end_round(tx: &mut Tx, before: i64, now: Micros) -> Result<()> {
    tx.execute(
        "UPDATE transfers SET wiped_at = $2 WHERE wiped_at IS NULL AND receipt IS NOT NULL AND committed_at < $1 \
         AND COALESCE(undone_at, committed_at) < $1 AND NOT EXISTS (SELECT 1 FROM transfer_items i \
         JOIN repair_cases r ON r.device = i.device WHERE i.transfer = transfers.id \
         AND r.generation IN (i.generation, i.generation + 1) AND NOT r.is_wiped)",
        args![before, now],
    )
    .await?;
    tx.execute("UPDATE wipes SET device = NULL, ended_at = $1 WHERE id = 1", args![now]).await?;
    Ok(())
}

/// By what a PC is shown to be in the hands of the tenant that it is in now. The caller has found the PC.
pub async fn proof(tx: &mut Tx, device: DeviceId) -> Result<Option<String>> {
    let row: Option<(Uuid, String)> = tx
        .optional(
            "SELECT o.device, o.proof FROM placements p JOIN possessions o ON o.device = p.device \
             AND o.generation = p.generation WHERE p.device = $1",
            args![device],
        )
        .await?;
    Ok(row.map(|(_, proof)| proof))
}
