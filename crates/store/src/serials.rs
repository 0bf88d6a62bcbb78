//! What is known of the serials of a batch, in two set-based questions.

use std::collections::HashMap;

use roadstead_domain::access::Scope;
use roadstead_domain::dispute::WITHDRAWAL_UNDONE;
use roadstead_domain::ids::{DeviceId, ReportId, ReporterId, TenantId};
use roadstead_domain::placement::Place;
use roadstead_domain::sale::{Earlier, Holder, Parked, SerialState, Transaction, Verdict};
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// A serial with its manufacturer (empty for the platform's own).
pub type Key = (String, String);

/// What is known of one serial.
#[derive(Clone, Debug)]
pub struct Known {
    /// The PC, if it was ever placed.
    pub device: Option<DeviceId>,
    /// Its generation; 0 if it was never placed.
    pub generation: i64,
    /// Where it is, if anywhere.
    pub place: Option<Place>,
    /// What the rules need.
    pub state: SerialState,
}

impl Default for Known {
    fn default() -> Self {
        Self { device: None, generation: 0, place: None, state: SerialState::new(Holder::Nobody) }
    }
}

#[derive(sqlx::FromRow)]
struct DeviceRow {
    id: Uuid,
    serial: String,
    manufacturer: String,
    generation: Option<i64>,
    tenant: Option<Uuid>,
    kind: Option<String>,
    parent: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    serial: String,
    manufacturer: String,
    report: Uuid,
    line: i64,
    reporter: Uuid,
    transaction_kind: Option<String>,
    seller: String,
    invoice: String,
    verdict: String,
    waits: bool,
    pool: Option<Uuid>,
}

/// Loads what is known of these serials. With `preview` the lines of that report count as well, and the PCs are where
/// those lines would have put them. What a withdrawal that was undone had disputed counts no more: withdrawn again, it is
/// disputed again.
pub async fn load(
    tx: &mut Tx,
    scope: &Scope,
    serials: &[&str],
    preview: Option<ReportId>,
) -> Result<HashMap<Key, Known>> {
    scope.platform()?;
    let mut known: HashMap<Key, Known> = HashMap::with_capacity(serials.len());
    let devices: Vec<DeviceRow> = tx
        .all_of_set(
            "SELECT d.id, d.serial, d.manufacturer, p.generation, p.tenant, t.kind, t.parent \
             FROM <set> s CROSS JOIN devices d LEFT JOIN placements p ON p.device = d.id \
             LEFT JOIN tenants t ON t.id = p.tenant WHERE d.serial = s.value",
            args![],
            serials,
        )
        .await?;
    for row in devices {
        let holder = match (row.kind.as_deref(), row.parent.map(TenantId)) {
            (Some("holding"), Some(partner)) => Holder::Pool(partner),
            (Some("customer"), partner) => Holder::Customer(partner),
            (None, _) => Holder::Nobody,
            (Some(kind), _) => {
                return Err(Error::bad("placements", format!("{} is in a {kind}", row.serial)));
            }
        };
        let place = row.tenant.map(|tenant| Place {
            tenant: TenantId(tenant),
            partner: TenantId(row.parent.unwrap_or(tenant)),
        });
        known.insert(
            (row.serial, row.manufacturer),
            Known {
                device: Some(DeviceId(row.id)),
                generation: row.generation.unwrap_or(0),
                place,
                state: SerialState::new(holder),
            },
        );
    }
    let lines: Vec<LineRow> = tx
        .all_of_set(
            "SELECT l.serial, l.manufacturer, l.report, l.line, r.reporter, l.transaction_kind, l.seller, l.invoice, \
             l.verdict, l.waits_for IS NOT NULL AS waits, l.pool \
             FROM <set> s CROSS JOIN report_lines l CROSS JOIN reports r \
             WHERE l.serial = s.value AND l.transaction_kind IS NOT NULL \
             AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) \
             AND r.id = l.report \
             AND (NOT r.validate_only OR r.id = $1) \
             AND (l.verdict < 'disputed.' OR l.verdict >= 'disputed/' OR NOT EXISTS (SELECT 1 FROM dispute_decisions d \
             WHERE d.report = l.report AND d.line = l.line AND d.undone_at IS NULL AND d.actor_kind = 'system' \
             AND d.reason = $2)) ORDER BY l.judged_at, l.report, l.line",
            args![preview.map(|id| id.0), WITHDRAWAL_UNDONE],
            serials,
        )
        .await?;
    for row in lines {
        let bad = || Error::bad("report_lines", format!("line {} of {}", row.line, row.report));
        let verdict = Verdict::from_code(&row.verdict).ok_or_else(bad)?;
        let earlier = Earlier {
            at: Parked { report: ReportId(row.report), line: u64::try_from(row.line).map_err(|_| bad())? },
            reporter: ReporterId(row.reporter),
            transaction: row.transaction_kind.as_deref().and_then(Transaction::from_code).ok_or_else(bad)?,
            seller: row.seller,
            invoice: row.invoice,
            verdict,
            waits: row.waits,
        };
        let state = &mut known.entry((row.serial, row.manufacturer)).or_default().state;
        if preview.is_some_and(|id| id.0 == row.report)
            && let Some(pool) = row.pool
        {
            state.holder =
                if verdict == Verdict::Placed { Holder::Pool(TenantId(pool)) } else { Holder::Nobody };
        }
        state.remember(earlier);
    }
    Ok(known)
}

/// A PC on its way in.
#[derive(Clone, Debug)]
pub struct NewDevice<'a> {
    /// Its id.
    pub id: DeviceId,
    /// Its serial and manufacturer.
    pub key: &'a Key,
    /// The product number.
    pub product_number: &'a str,
    /// The model.
    pub model: &'a str,
}

/// Adds PCs that nobody had reported before, in the order of their serials so that the index is walked once.
pub async fn add_devices(
    tx: &mut Tx,
    scope: &Scope,
    devices: &[NewDevice<'_>],
    at: roadstead_domain::clock::Micros,
) -> Result<()> {
    scope.platform()?;
    let mut bulk =
        Bulk::new("INSERT INTO devices (id, serial, manufacturer, product_number, model, created_at)", 6, "");
    for device in devices {
        let (serial, manufacturer) = device.key;
        bulk.push(tx, args![device.id, serial, manufacturer, device.product_number, device.model, at])
            .await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Writes the product number and model that a later line gives to PCs that are known; an empty model changes nothing.
pub async fn describe_devices(
    tx: &mut Tx,
    scope: &Scope,
    described: &HashMap<DeviceId, (&str, &str)>,
) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "UPDATE devices SET product_number = v.column2, model = COALESCE(NULLIF(v.column3, ''), devices.model) FROM (",
        3,
        ") AS v WHERE devices.id = v.column1",
    );
    for (device, (product_number, model)) in described {
        bulk.push(tx, args![*device, *product_number, *model]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}
