//! Enrolments: what is known of a serial and a key, and what came of each key that asked to join.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::enrolment::{Held, Released};
use roadstead_domain::ids::{DeviceId, EnrolmentId, TenantId};
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::{Error, Result};

/// A PC with this serial, as the books have it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which.
    pub device: DeviceId,
    /// Its product number.
    pub product_number: String,
    /// Its generation; 0 if it was never placed.
    pub generation: i64,
    /// The tenant that it is in.
    pub tenant: Option<TenantId>,
    /// Where it is, as the rules see it.
    pub held: Held,
    /// Its key.
    pub public_key: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    id: Uuid,
    product_number: String,
    generation: Option<i64>,
    tenant: Option<Uuid>,
    kind: Option<String>,
    parent: Option<Uuid>,
    public_key: Option<Vec<u8>>,
}

/// Every PC with this serial: two manufacturers may use it.
pub async fn with_serial(tx: &mut Tx, scope: &Scope, serial: &str) -> Result<Vec<Found>> {
    scope.platform()?;
    let rows: Vec<FoundRow> = tx
        .all(
            "SELECT d.id, d.product_number, p.generation, p.tenant, t.kind, t.parent, k.public_key FROM devices d \
             LEFT JOIN placements p ON p.device = d.id LEFT JOIN tenants t ON t.id = p.tenant \
             LEFT JOIN device_keys k ON k.device = d.id AND k.replaced_at IS NULL WHERE d.serial = $1",
            args![serial],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            let tenant = row.tenant.map(TenantId);
            let held = match (row.kind.as_deref(), tenant, row.parent.map(TenantId)) {
                (None, ..) => Held::Nowhere,
                (Some("holding"), _, Some(partner)) => Held::Pool(partner),
                (Some("customer"), Some(tenant), partner) => {
                    Held::Customer(roadstead_domain::enrolment::Customer { tenant, partner })
                }
                (Some(kind), ..) => return Err(Error::bad("placements", format!("{serial} is in a {kind}"))),
            };
            Ok(Found {
                device: DeviceId(row.id),
                product_number: row.product_number,
                generation: row.generation.unwrap_or(0),
                tenant,
                held,
                public_key: row.public_key,
            })
        })
        .collect()
}

/// Whether another key waits for this serial in the hope of being the first.
pub async fn has_rival(tx: &mut Tx, scope: &Scope, serial: &str, public_key: &[u8; 32]) -> Result<bool> {
    scope.platform()?;
    let rivals = tx
        .number(
            "SELECT COUNT(*) FROM enrolments WHERE serial = $1 AND public_key <> $2 AND state = 'waiting' \
             AND reason IN ('enrolment.not_placed', 'enrolment.rival_keys')",
            args![serial, *public_key],
        )
        .await?;
    Ok(rivals > 0)
}

/// What came of a key that asked to join.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Enrolment {
    /// Its id.
    pub id: Uuid,
    /// The key.
    pub public_key: Vec<u8>,
    /// The serial.
    pub serial: String,
    /// The product number.
    pub product_number: String,
    /// The PC's domain, or empty.
    pub domain: String,
    /// The PC, once there is one.
    pub device: Option<Uuid>,
    /// The cPIN that it showed last.
    pub cpin: Option<Uuid>,
    /// The customer that speaks for it.
    pub customer: Option<Uuid>,
    /// That customer's partner.
    pub customer_partner: Option<Uuid>,
    /// The tenant that has the PC.
    pub holder: Option<Uuid>,
    /// That tenant's partner.
    pub holder_partner: Option<Uuid>,
    /// `enrolled`, `waiting` or `refused`.
    pub state: String,
    /// Why it waits or was refused.
    pub reason: Option<String>,
    /// Whether the user at the PC has confirmed a foreign domain.
    pub confirmed: bool,
    /// Whether those who have the PC have let it go.
    pub released_by_holder: bool,
    /// Whether those who get the PC want it.
    pub released_by_customer: bool,
    /// How often it asked.
    pub tries: i64,
    /// When it asked first.
    pub first_at: i64,
    /// When it asked last.
    pub last_at: i64,
}

impl Enrolment {
    /// A key that asks for the first time.
    pub fn new(id: EnrolmentId, public_key: &[u8; 32], serial: &str, at: Micros) -> Self {
        Self {
            id: id.0,
            public_key: public_key.to_vec(),
            serial: serial.to_owned(),
            product_number: String::new(),
            domain: String::new(),
            device: None,
            cpin: None,
            customer: None,
            customer_partner: None,
            holder: None,
            holder_partner: None,
            state: "waiting".to_owned(),
            reason: None,
            confirmed: false,
            released_by_holder: false,
            released_by_customer: false,
            tries: 0,
            first_at: at.0,
            last_at: at.0,
        }
    }

    /// Whose yes it has.
    pub fn released(&self) -> Released {
        Released { by_holder: self.released_by_holder, by_customer: self.released_by_customer }
    }
}

/// The enrolment of this key for this serial.
pub async fn find(
    tx: &mut Tx,
    scope: &Scope,
    public_key: &[u8; 32],
    serial: &str,
) -> Result<Option<Enrolment>> {
    scope.platform()?;
    tx.optional("SELECT * FROM enrolments WHERE public_key = $1 AND serial = $2", args![*public_key, serial])
        .await
}

/// The key of an enrolment, for requests that name it by the enrolment's id.
pub async fn key_of(tx: &mut Tx, scope: &Scope, id: EnrolmentId) -> Result<Option<Vec<u8>>> {
    scope.platform()?;
    let found: Option<(Vec<u8>,)> =
        tx.optional("SELECT public_key FROM enrolments WHERE id = $1", args![id]).await?;
    Ok(found.map(|(key,)| key))
}

/// Adds the enrolment of a key that asks for the first time. [`Error::Conflict`] if another node has.
pub async fn add(tx: &mut Tx, scope: &Scope, row: &Enrolment) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO enrolments (id, public_key, serial, product_number, domain, state, confirmed, released_by_holder, \
         released_by_customer, tries, first_at, last_at) VALUES ($1, $2, $3, '', '', 'waiting', $4, $4, $4, 0, $5, $5)",
        args![row.id, row.public_key.clone(), &row.serial, false, row.first_at],
    )
    .await?;
    Ok(())
}

/// Writes an enrolment as it stands now.
pub async fn update(tx: &mut Tx, scope: &Scope, row: &Enrolment) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE enrolments SET product_number = $2, domain = $3, device = $4, cpin = $5, customer = $6, \
         customer_partner = $7, holder = $8, holder_partner = $9, state = $10, reason = $11, confirmed = $12, \
         released_by_holder = $13, released_by_customer = $14, tries = $15, last_at = $16 WHERE id = $1",
        args![
            row.id,
            &row.product_number,
            &row.domain,
            row.device,
            row.cpin,
            row.customer,
            row.customer_partner,
            row.holder,
            row.holder_partner,
            &row.state,
            row.reason.clone(),
            row.confirmed,
            row.released_by_holder,
            row.released_by_customer,
            row.tries,
            row.last_at
        ],
    )
    .await?;
    Ok(())
}
