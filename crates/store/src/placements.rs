//! The one writer of placements: compare-and-swap on the generation, and the hash-chained log of every move (R1).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use roadstead_domain::access::Scope;
use roadstead_domain::audit::{self, CHAIN_START, ChainEntry, Grounds, ProofRow, Standing, Told};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, ReportId, TenantId};
use roadstead_domain::placement::Move;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// A move with what caused it.
#[derive(Clone, Debug)]
pub struct Cause {
    /// What moves.
    pub moved: Move,
    /// Why.
    pub why: Why,
}

/// Why a PC moves.
#[derive(Clone, Debug)]
pub enum Why {
    /// A report line says so.
    Line {
        /// The report.
        report: ReportId,
        /// The line's number.
        line: u64,
        /// What lists search for the PC from now on: lower case.
        search: String,
    },
    /// Somebody moves it; what its sale said of it stays.
    Operation {
        /// `transfer`, `undo`, `decline` or `enrolment`.
        cause: &'static str,
        /// The id of the transfer or enrolment.
        id: Uuid,
    },
}

/// The columns of a placement or log entry that tell its report line.
fn line_of(why: &Why) -> (Option<Uuid>, Option<i64>) {
    match why {
        Why::Line { report, line, .. } => (Some(report.0), Some(i64::try_from(*line).unwrap_or(i64::MAX))),
        Why::Operation { .. } => (None, None),
    }
}

/// Writes moves, several of one PC in their order: the placements by compare-and-swap, the log of each partner
/// concerned, the counts of each tenant. [`Error::Stale`] if any generation is not what was read. A partner's scope
/// moves PCs among its own tenants only.
pub async fn apply(tx: &mut Tx, scope: &Scope, moves: &[Cause], at: Micros) -> Result<()> {
    if scope.platform().is_err() {
        let partner = scope.partner()?;
        let own =
            |place: Option<roadstead_domain::placement::Place>| place.is_some_and(|p| p.partner == partner);
        if !moves.iter().all(|cause| own(cause.moved.from) && own(cause.moved.to)) {
            return Err(roadstead_domain::access::Denied::NotFound.into());
        }
    }
    if moves.is_empty() {
        return Ok(());
    }
    // A PC that was never placed and now is, was placed meanwhile.
    write_placements(tx, moves, at).await.map_err(|error| match error {
        Error::Conflict(_) => Error::Stale("placements"),
        other => other,
    })?;
    write_log(tx, moves, at).await?;
    write_counts(tx, moves).await?;

    // No report line puts a PC into a customer tenant.
    let carried = moves.iter().filter(|cause| matches!(cause.why, Why::Operation { .. }));
    let targets: BTreeSet<TenantId> =
        carried.filter_map(|cause| cause.moved.to).map(|to| to.tenant).collect();
    crate::self_service::arm(tx, targets, at).await?;
    let known = moves.iter().map(|cause| &cause.moved).filter(|moved| moved.generation > 0);
    crate::alerts::follow(tx, scope, known, at).await
}

async fn write_placements(tx: &mut Tx, moves: &[Cause], at: Micros) -> Result<()> {
    /// The first generation that was read, how many moves, and the last of them.
    struct Net<'a> {
        read: i64,
        steps: i64,
        last: &'a Cause,
    }
    let mut nets: HashMap<DeviceId, Net<'_>> = HashMap::with_capacity(moves.len());
    for cause in moves {
        let net = nets.entry(cause.moved.device).or_insert(Net {
            read: cause.moved.generation,
            steps: 0,
            last: cause,
        });
        if cause.moved.generation != net.read + net.steps {
            return Err(Error::Stale("placements"));
        }
        net.steps += 1;
        net.last = cause;
    }
    let mut nets: Vec<(DeviceId, Net<'_>)> = nets.into_iter().collect();
    // In the order of the list's index, so that it is walked once.
    let order = |net: &Net<'_>| (net.last.moved.to.map(|to| to.tenant), net.last.moved.serial.clone());
    nets.sort_by_cached_key(|(_, net)| order(net));

    let mut new = Bulk::new(
        "INSERT INTO placements (device, tenant, generation, serial, search, since, report, line)",
        8,
        "",
    );
    let mut moved = Bulk::new(
        "UPDATE placements SET tenant = v.column3, generation = v.column4, search = v.column5, since = v.column6, \
         report = v.column7, line = v.column8 FROM (",
        8,
        ") AS v WHERE placements.device = v.column1 AND placements.generation = v.column2",
    );
    let mut carried = Bulk::new(
        "UPDATE placements SET tenant = v.column3, generation = v.column4, since = v.column5 FROM (",
        5,
        ") AS v WHERE placements.device = v.column1 AND placements.generation = v.column2",
    );
    for (device, net) in &nets {
        let to = net.last.moved.to.map(|place| place.tenant);
        let generation = net.read + net.steps;
        let serial = &net.last.moved.serial;
        let (report, line) = line_of(&net.last.why);
        match &net.last.why {
            Why::Line { search, .. } if net.read == 0 => {
                new.push(tx, args![*device, to, generation, serial, search, at, report, line]).await?;
            }
            Why::Operation { .. } if net.read == 0 => {
                let search = crate::pool::search_text(&[serial]);
                new.push(tx, args![*device, to, generation, serial, search, at, report, line]).await?;
            }
            Why::Line { search, .. } => {
                moved.push(tx, args![*device, net.read, to, generation, search, at, report, line]).await?;
            }
            Why::Operation { .. } => carried.push(tx, args![*device, net.read, to, generation, at]).await?,
        }
    }
    let expected = new.pushed() + moved.pushed() + carried.pushed();
    if new.finish(tx).await? + moved.finish(tx).await? + carried.finish(tx).await? != expected {
        return Err(Error::Stale("placements"));
    }
    Ok(())
}

/// One partner's half of a move: from where and to where within its own reach.
type Half<'a> = (&'a Cause, Option<TenantId>, Option<TenantId>);

async fn write_log(tx: &mut Tx, moves: &[Cause], at: Micros) -> Result<()> {
    // A move between two partners stands in both logs, in each with its own half.
    let mut halves: BTreeMap<TenantId, Vec<Half<'_>>> = BTreeMap::new();
    for cause in moves {
        let partners: Vec<TenantId> = match (cause.moved.from, cause.moved.to) {
            (Some(from), Some(to)) if from.partner != to.partner => vec![from.partner, to.partner],
            (Some(place), _) | (None, Some(place)) => vec![place.partner],
            (None, None) => continue,
        };
        for partner in partners {
            let half = |place: Option<roadstead_domain::placement::Place>| {
                place.filter(|place| place.partner == partner).map(|place| place.tenant)
            };
            halves.entry(partner).or_default().push((cause, half(cause.moved.from), half(cause.moved.to)));
        }
    }
    let mut log = Bulk::new(
        "INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, report, line, \
         cause, cause_id, at, hash, version)",
        14,
        "",
    );
    let mut heads = Bulk::new(
        "INSERT INTO placement_log_heads (partner, seq, hash)",
        3,
        "ON CONFLICT (partner) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
    );
    for (partner, halves) in halves {
        let head: Option<(i64, Vec<u8>)> = tx
            .optional("SELECT seq, hash FROM placement_log_heads WHERE partner = $1", args![partner])
            .await?;
        let (mut seq, mut hash) = match head {
            None => (0, CHAIN_START),
            Some((seq, hash)) => {
                (seq, hash.try_into().map_err(|_| Error::bad("placement_log_heads", partner))?)
            }
        };
        for (cause, from, to) in halves {
            seq += 1;
            let generation = cause.moved.generation + 1;
            let (report, line) = line_of(&cause.why);
            let (why, why_id) = match &cause.why {
                Why::Line { .. } => (None, None),
                Why::Operation { cause, id } => (Some(*cause), Some(*id)),
            };
            let grounds = Grounds { report: report.map(ReportId), line, cause: why, cause_id: why_id };
            let entry = ChainEntry {
                partner,
                seq,
                device: cause.moved.device,
                serial: &cause.moved.serial,
                from,
                to,
                generation,
                at: at.0,
                grounds: Some(grounds.digest()),
            };
            hash = entry.hash(&hash);
            log.push(
                tx,
                args![
                    partner,
                    seq,
                    cause.moved.device,
                    &cause.moved.serial,
                    from,
                    to,
                    generation,
                    report,
                    line,
                    why,
                    why_id,
                    at,
                    hash,
                    entry.version()
                ],
            )
            .await?;
        }
        heads.push(tx, args![partner, seq, hash]).await?;
    }
    log.finish(tx).await?;
    heads.finish(tx).await?;
    Ok(())
}

async fn write_counts(tx: &mut Tx, moves: &[Cause]) -> Result<()> {
    let mut changes: BTreeMap<TenantId, i64> = BTreeMap::new();
    for cause in moves {
        if let Some(from) = cause.moved.from {
            *changes.entry(from.tenant).or_default() -= 1;
        }
        if let Some(to) = cause.moved.to {
            *changes.entry(to.tenant).or_default() += 1;
        }
    }
    let mut bulk = Bulk::new(
        "INSERT INTO tenant_counts (tenant, devices)",
        2,
        "ON CONFLICT (tenant) DO UPDATE SET devices = tenant_counts.devices + excluded.devices",
    );
    for (tenant, change) in changes.into_iter().filter(|(_, change)| *change != 0) {
        bulk.push(tx, args![tenant, change]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct LogRow {
    seq: i64,
    device: Uuid,
    serial: String,
    from_tenant: Option<Uuid>,
    to_tenant: Option<Uuid>,
    generation: i64,
    report: Option<Uuid>,
    line: Option<i64>,
    cause: Option<String>,
    cause_id: Option<Uuid>,
    at: i64,
    hash: Vec<u8>,
    version: i64,
}

impl LogRow {
    /// What its hash covers; `None` if it is of a version that is not known.
    fn entry(&self, partner: TenantId) -> Option<ChainEntry<'_>> {
        let grounds = Grounds {
            report: self.report.map(ReportId),
            line: self.line,
            cause: self.cause.as_deref(),
            cause_id: self.cause_id,
        };
        Some(ChainEntry {
            partner,
            seq: self.seq,
            device: DeviceId(self.device),
            serial: &self.serial,
            from: self.from_tenant.map(TenantId),
            to: self.to_tenant.map(TenantId),
            generation: self.generation,
            at: self.at,
            grounds: grounds.hashed_with(self.version).ok()?,
        })
    }
}

/// Walks a partner's chain from its first entry to the head that it has now; the number of entries, or the first one that
/// does not follow. What is written meanwhile is left to the next walk.
pub async fn verify_chain(
    tx: &mut Tx,
    scope: &Scope,
    partner: TenantId,
) -> Result<std::result::Result<i64, i64>> {
    scope.platform()?;
    // Each statement sees what was committed by then: a head that is read after its entries may be a later one.
    let head: Option<(i64, Vec<u8>)> =
        tx.optional("SELECT seq, hash FROM placement_log_heads WHERE partner = $1", args![partner]).await?;
    let (head_seq, head_hash) = head.unwrap_or((0, CHAIN_START.to_vec()));
    let (mut seq, mut hash) = (0, CHAIN_START);
    while seq < head_seq {
        let rows: Vec<LogRow> = tx
            .all(
                "SELECT seq, device, serial, from_tenant, to_tenant, generation, report, line, cause, cause_id, at, \
                 hash, version FROM placement_log WHERE partner = $1 AND seq > $2 AND seq <= $3 \
                 ORDER BY seq LIMIT 1000",
                args![partner, seq, head_seq],
            )
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            seq += 1;
            let Some(entry) = row.entry(partner).filter(|entry| entry.seq == seq) else {
                return Ok(Err(seq));
            };
            hash = entry.hash(&hash);
            if row.hash != hash {
                return Ok(Err(seq));
            }
        }
    }
    // A cut-off tail leaves a chain that holds and a head that does not.
    if seq != head_seq || head_hash != hash {
        return Ok(Err(seq + 1));
    }
    // One statement sees a head with all of its entries: whatever was written meanwhile, beyond it there is none.
    let beyond: Option<(i64,)> = tx
        .optional(
            "SELECT seq FROM placement_log WHERE partner = $1 AND seq > COALESCE((SELECT h.seq \
             FROM placement_log_heads h WHERE h.partner = $1), 0) ORDER BY seq LIMIT 1",
            args![partner],
        )
        .await?;
    Ok(beyond.map_or(Ok(seq), |(beyond,)| Err(beyond)))
}

/// A PC that does not stand where the logs of its moves say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Which PC.
    pub device: DeviceId,
    /// Its serial.
    pub serial: String,
    /// Whose log tells otherwise, and the number of the entry there; none where no log knows of the PC.
    pub entry: Option<(TenantId, i64)>,
}

impl std::fmt::Display for Stray {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { device, serial, entry } = self;
        match entry {
            Some((partner, seq)) => {
                write!(out, "{serial} ({device}): does not stand where entry {seq} of {partner} says")
            }
            None => write!(out, "{serial} ({device}): no log knows of it"),
        }
    }
}

/// A placement beside one entry about its PC.
#[derive(sqlx::FromRow)]
struct Beside {
    device: Uuid,
    tenant: Option<Uuid>,
    generation: i64,
    serial: String,
    since: i64,
    report: Option<Uuid>,
    line: Option<i64>,
    partner: Option<Uuid>,
    seq: Option<i64>,
    told_serial: Option<String>,
    told_to: Option<Uuid>,
    told_generation: Option<i64>,
    told_at: Option<i64>,
    told_report: Option<Uuid>,
    told_line: Option<i64>,
}

impl Beside {
    fn told(&self) -> Option<Told> {
        Some(Told {
            partner: TenantId(self.partner?),
            seq: self.seq?,
            serial: self.told_serial.clone()?,
            to: self.told_to.map(TenantId),
            generation: self.told_generation?,
            at: self.told_at?,
            report: self.told_report.map(ReportId),
            line: self.told_line,
        })
    }
}

/// Compares a stretch of PCs, those after `after` by their ids, with the logs of all partners: those that do not stand
/// where their entries say, and where the next stretch begins, if there is one. Placement and entries are read by one
/// statement, so that a move under way is seen whole or not at all.
pub async fn strays(tx: &mut Tx, scope: &Scope, after: Uuid) -> Result<(Vec<Stray>, Option<Uuid>)> {
    scope.platform()?;
    let next: Option<(Uuid,)> = tx
        .optional(
            "SELECT device FROM placements WHERE device > $1 ORDER BY device LIMIT 1 OFFSET 499",
            args![after],
        )
        .await?;
    let next = next.map(|(device,)| device);
    let last = next.unwrap_or(Uuid::max());
    let rows: Vec<Beside> = tx
        .all(
            "SELECT p.device, p.tenant, p.generation, p.serial, p.since, p.report, p.line, l.partner, l.seq, \
             l.serial AS told_serial, l.to_tenant AS told_to, l.generation AS told_generation, l.at AS told_at, \
             l.report AS told_report, l.line AS told_line \
             FROM placements p LEFT JOIN placement_log l ON l.device = p.device \
             WHERE p.device > $1 AND p.device <= $2 ORDER BY p.device, l.generation",
            args![after, last],
        )
        .await?;
    let mut strays = Vec::new();
    for rows in rows.chunk_by(|one, other| one.device == other.device) {
        let Some(row) = rows.first() else { continue };
        let told: Vec<Told> = rows.iter().filter_map(Beside::told).collect();
        let (stands, entry) = audit::stands(&told).unzip();
        let placed = Standing {
            serial: row.serial.clone(),
            tenant: row.tenant.map(TenantId),
            generation: row.generation,
            since: row.since,
            report: row.report.map(ReportId),
            line: row.line,
        };
        if stands != Some(placed) {
            strays.push(Stray { device: DeviceId(row.device), serial: row.serial.clone(), entry });
        }
    }
    let gone: Vec<(Uuid, String, Uuid, i64)> = tx
        .all(
            "SELECT l.device, l.serial, l.partner, l.seq FROM placement_log l \
             LEFT JOIN placements p ON p.device = l.device \
             WHERE l.device > $1 AND l.device <= $2 AND p.device IS NULL ORDER BY l.device, l.generation LIMIT 500",
            args![after, last],
        )
        .await?;
    for (device, serial, partner, seq) in gone {
        let (device, entry) = (DeviceId(device), Some((TenantId(partner), seq)));
        match strays.last_mut() {
            Some(last) if last.device == device => last.entry = entry,
            _ => strays.push(Stray { device, serial, entry }),
        }
    }
    Ok((strays, next))
}

/// The number of the first entry of this PC in the chain of the scope's partner.
pub async fn first_entry(tx: &mut Tx, scope: &Scope, device: DeviceId) -> Result<Option<i64>> {
    let row: Option<(Option<i64>,)> = tx
        .optional(
            "SELECT MIN(seq) FROM placement_log WHERE device = $1 AND partner = $2",
            args![device, scope.partner()?],
        )
        .await?;
    Ok(row.and_then(|(seq,)| seq))
}

/// Entries of the chain of the scope's partner from this number on, at most `limit`, each with the hash before it.
pub async fn entries(tx: &mut Tx, scope: &Scope, from: i64, limit: i64) -> Result<Vec<ProofRow>> {
    let partner = scope.partner()?;
    let rows: Vec<LogRow> = tx
        .all(
            "SELECT seq, device, serial, from_tenant, to_tenant, generation, report, line, cause, cause_id, at, hash, \
             version FROM placement_log WHERE partner = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
            args![partner, from - 1, limit + 1],
        )
        .await?;
    let bad = || Error::bad("placement_log", partner);
    let mut before = CHAIN_START;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let grounds = row.entry(partner).ok_or_else(bad)?.grounds;
        let hash: [u8; 32] = row.hash.try_into().map_err(|_| bad())?;
        if row.seq >= from {
            entries.push(ProofRow {
                partner,
                seq: row.seq,
                device: DeviceId(row.device),
                serial: row.serial,
                from: row.from_tenant.map(TenantId),
                to: row.to_tenant.map(TenantId),
                generation: row.generation,
                at: row.at,
                grounds,
                before,
                hash,
            });
        }
        before = hash;
    }
    Ok(entries)
}

/// Every tenant that may have a chain, with its name.
pub async fn chains(tx: &mut Tx, scope: &Scope) -> Result<Vec<(TenantId, String)>> {
    scope.platform()?;
    let rows: Vec<(Uuid, String)> = tx
        .all("SELECT id, name FROM tenants WHERE kind IN ('partner', 'customer') ORDER BY id", args![])
        .await?;
    Ok(rows.into_iter().map(|(id, name)| (TenantId(id), name)).collect())
}
