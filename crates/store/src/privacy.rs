//! What is known of persons at a PC. It is kept by generation and read by the present one alone: a move seals by the new
//! number it gives, without writing anything here. An undo takes the rows along to the number that it gives.

use std::collections::HashMap;

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, TransferId};
use roadstead_domain::privacy::{Counts, Possession, Receipt};
use uuid::Uuid;

use crate::args;
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
    scope.platform()?;
    let new = tx
        .execute(
            "INSERT INTO possessions (device, generation, proof, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            args![device, generation, by.as_str(), at],
        )
        .await?;
    Ok(new == 1)
}

/// What each of these PCs has to sign to show where it is: the hash of the very move that brought it there.
pub async fn challenges(
    tx: &mut Tx,
    scope: &Scope,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, String>> {
    scope.platform()?;
    let mut challenges = HashMap::with_capacity(devices.len());
    for id in devices {
        let row: Option<(Vec<u8>,)> = tx
            .optional(
                "SELECT l.hash FROM placements p JOIN placement_log l ON l.device = p.device \
                 AND l.generation = p.generation AND l.to_tenant = p.tenant WHERE p.device = $1",
                args![*id],
            )
            .await?;
        if let Some((hash,)) = row {
            challenges.insert(*id, hex::encode(hash));
        }
    }
    Ok(challenges)
}

type Known = (i64, i64, i64);

fn sealed(known: i64) -> Counts {
    Counts { sealed: known, ..Counts::default() }
}

/// What becomes of the data of these PCs when they leave these generations.
pub async fn leaving(tx: &mut Tx, scope: &Scope, pcs: &[(DeviceId, i64)]) -> Result<Receipt> {
    scope.platform()?;
    let mut receipt = Receipt::default();
    for (device, generation) in pcs {
        let known: Option<Known> = tx
            .optional(
                "SELECT (SELECT COUNT(*) FROM check_ins k WHERE k.device = $1), COUNT(d.last_user), \
                 COUNT(d.location) FROM personal_data d WHERE d.device = $1 AND d.generation = $2",
                args![*device, *generation],
            )
            .await?;
        let (readings, user, location) = known.unwrap_or_default();
        receipt.readings.kept += readings;
        receipt.last_user.sealed += user;
        receipt.location.sealed += location;
    }
    Ok(receipt)
}

/// Writes what became of the data of the PCs that a transfer moved.
pub async fn sealed_by_transfer(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Receipt> {
    scope.platform()?;
    let known: Option<Known> = tx
        .optional(
            "SELECT COUNT(k.device), COUNT(d.last_user), COUNT(d.location) FROM transfer_items i \
             LEFT JOIN personal_data d ON d.device = i.device AND d.generation = i.generation \
             LEFT JOIN check_ins k ON k.device = i.device WHERE i.transfer = $1 AND i.result = 'moved'",
            args![id],
        )
        .await?;
    let (readings, user, location) = known.unwrap_or_default();
    let receipt = Receipt {
        readings: Counts { kept: readings, ..Counts::default() },
        last_user: sealed(user),
        location: sealed(location),
    };
    let text = to_json(&receipt)?;
    tx.execute("UPDATE transfers SET receipt = $2 WHERE id = $1", args![id, text]).await?;
    Ok(receipt)
}

/// Opens to the former tenant what it knew before a transfer that was undone, seals what the other one learned since,
/// and writes both down. The PCs are two generations further than when it was sealed.
pub async fn unseal_by_undo(tx: &mut Tx, scope: &Scope, id: TransferId) -> Result<Receipt> {
    scope.platform()?;
    for sql in [
        "UPDATE personal_data SET generation = personal_data.generation + 2 FROM transfer_items i \
         WHERE i.transfer = $1 AND i.result = 'undone' AND personal_data.device = i.device \
         AND personal_data.generation = i.generation",
        "UPDATE possessions SET generation = possessions.generation + 2 FROM transfer_items i \
         WHERE i.transfer = $1 AND i.result = 'undone' AND possessions.device = i.device \
         AND possessions.generation = i.generation",
    ] {
        tx.execute(sql, args![id]).await?;
    }
    let known: Option<(i64, i64, i64, i64, i64)> = tx
        .optional(
            "SELECT COUNT(k.device), COUNT(d.last_user), COUNT(d.location), COUNT(b.last_user), COUNT(b.location) \
             FROM transfer_items i \
             LEFT JOIN personal_data d ON d.device = i.device AND d.generation = i.generation + 1 \
             LEFT JOIN personal_data b ON b.device = i.device AND b.generation = i.generation + 2 \
             LEFT JOIN check_ins k ON k.device = i.device WHERE i.transfer = $1 AND i.result = 'undone'",
            args![id],
        )
        .await?;
    let (readings, user, location, user_back, location_back) = known.unwrap_or_default();
    let receipt = Receipt {
        readings: Counts { kept: readings, ..Counts::default() },
        last_user: Counts { kept: user_back, ..sealed(user) },
        location: Counts { kept: location_back, ..sealed(location) },
    };
    let text = to_json(&receipt)?;
    tx.execute("UPDATE transfers SET undo_receipt = $2 WHERE id = $1", args![id, text]).await?;
    Ok(receipt)
}

fn to_json(receipt: &Receipt) -> Result<String> {
    serde_json::to_string(receipt).map_err(|error| Error::bad("a receipt", error))
}

/// Deletes what was sealed by a move before this instant.
pub async fn wipe(tx: &mut Tx, scope: &Scope, before: Micros, now: Micros) -> Result<u64> {
    scope.platform()?;
    let wiped = tx
        .execute(
            "DELETE FROM personal_data WHERE EXISTS (SELECT 1 FROM placement_log l \
             WHERE l.device = personal_data.device AND l.generation = personal_data.generation + 1 AND l.at < $1)",
            args![before],
        )
        .await?;
    tx.execute(
        "UPDATE transfers SET wiped_at = $2 WHERE wiped_at IS NULL AND receipt IS NOT NULL \
         AND COALESCE(undone_at, committed_at) < $1",
        args![before, now],
    )
    .await?;
    Ok(wiped)
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
