//! Enrolments: what is known of a serial and a key, and what came of each key that asked to join.

use roadstead_domain::access::{Denied, Reach, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::enrolment::{Held, Released};
use roadstead_domain::ids::{DeviceId, EnrolmentId, TenantId};
use uuid::Uuid;

use crate::args;
use crate::cpins;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

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
    /// The partner that may look at it there.
    pub visible_partner: Option<TenantId>,
    /// Where it is, as the rules see it.
    pub held: Held,
    /// Its key.
    pub public_key: Option<String>,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    id: Uuid,
    product_number: String,
    generation: Option<i64>,
    tenant: Option<Uuid>,
    kind: Option<String>,
    parent: Option<Uuid>,
    partner_access: Option<bool>,
    public_key: Option<String>,
}

/// Every PC with this serial: two manufacturers may use it.
pub async fn with_serial(tx: &mut Tx, scope: &Scope, serial: &str) -> Result<Vec<Found>> {
    scope.platform()?;
    let rows: Vec<FoundRow> = tx
        .all(
            "SELECT d.id, d.product_number, p.generation, p.tenant, t.kind, t.parent, c.partner_access, \
             k.public_key FROM devices d LEFT JOIN placements p ON p.device = d.id \
             LEFT JOIN tenants t ON t.id = p.tenant LEFT JOIN customers c ON c.tenant = t.id \
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
                visible_partner: row.parent.map(TenantId).filter(|_| row.partner_access != Some(false)),
                held,
                public_key: row.public_key,
            })
        })
        .collect()
}

/// Whether another key waits for this serial in the hope of being the first.
pub async fn has_rival(tx: &mut Tx, scope: &Scope, serial: &str, public_key: &str) -> Result<bool> {
    scope.platform()?;
    // CASE, so that no index of all that waits is walked instead of the few rows of this serial.
    let rivals = tx
        .number(
            "SELECT COUNT(*) FROM enrolments WHERE serial = $1 AND CASE WHEN state = 'waiting' \
             THEN public_key <> $2 AND reason IN ('enrolment.not_placed', 'enrolment.rival_keys') END",
            args![serial, public_key],
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
    pub public_key: String,
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
    pub fn new(id: EnrolmentId, public_key: &str, serial: &str, at: Micros) -> Self {
        Self {
            id: id.0,
            public_key: public_key.to_owned(),
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

/// The enrolment of this key for this serial as it stands now. Nobody else changes it until this transaction ends:
/// [`update`] writes all of it.
pub async fn hold_of_key(
    tx: &mut Tx,
    scope: &Scope,
    public_key: &str,
    serial: &str,
) -> Result<Option<Enrolment>> {
    scope.platform()?;
    tx.hold("SELECT * FROM enrolments WHERE public_key = $1 AND serial = $2", args![public_key, serial]).await
}

/// The enrolment with this id, held like [`hold_of_key`] does.
pub async fn hold(tx: &mut Tx, scope: &Scope, id: EnrolmentId) -> Result<Option<Enrolment>> {
    scope.platform()?;
    tx.hold("SELECT * FROM enrolments WHERE id = $1", args![id]).await
}

/// The key of an enrolment, for requests that name it by the enrolment's id.
pub async fn key_of(tx: &mut Tx, scope: &Scope, id: EnrolmentId) -> Result<Option<String>> {
    scope.platform()?;
    let found: Option<(String,)> =
        tx.optional("SELECT public_key FROM enrolments WHERE id = $1", args![id]).await?;
    Ok(found.map(|(key,)| key))
}

/// The enrolment with this id, if the scope reaches one of its sides.
pub async fn get(tx: &mut Tx, scope: &Scope, id: EnrolmentId) -> Result<Option<Enrolment>> {
    let (partner, customer) = sides(scope)?;
    tx.optional(
        "SELECT * FROM enrolments WHERE id = $1 AND ($2 IS NULL OR $2 IN (customer_partner, holder_partner)) \
         AND ($3 IS NULL OR $3 IN (customer, holder))",
        args![id, partner, customer],
    )
    .await
}

/// The partner or the customer to bind; neither for the platform.
fn sides(scope: &Scope) -> Result<(Option<TenantId>, Option<TenantId>)> {
    match scope.reach() {
        Reach::Platform => Ok((None, None)),
        Reach::Partner(partner) => Ok((Some(partner), None)),
        Reach::Customer(customer) => Ok((None, Some(customer))),
        Reach::Reporter(_) | Reach::Desk => Err(Denied::NotFound.into()),
    }
}

/// An enrolment that waits or was refused, as one of its sides sees it: of the other side there is no name.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Pending {
    /// Its id.
    pub id: Uuid,
    /// The key.
    pub public_key: String,
    /// The serial.
    pub serial: String,
    /// The product number.
    pub product_number: String,
    /// The PC's domain, or empty.
    pub domain: String,
    /// `waiting` or `refused`.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// How often it asked.
    pub tries: i64,
    /// When it asked first.
    pub first_at: i64,
    /// When it asked last.
    pub last_at: i64,
    /// Whether the reader's side has the PC.
    pub is_holder: bool,
    /// Whether the PC comes by the word of the reader's side.
    pub is_customer: bool,
    /// The name of the tenant that has the PC, where the reader's side has it.
    pub holder_name: Option<String>,
    /// The name of the customer that is to get it, where that is the reader's side.
    pub customer_name: Option<String>,
}

/// Enrolments that wait or were refused, newest first; the operator sees both sides of all. `None` for a cursor that is
/// none.
pub async fn pending(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Pending>>> {
    let (partner, customer) = sides(scope)?;
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Pending> = tx
        .all(
            "SELECT x.id, x.public_key, x.serial, x.product_number, x.domain, x.state, x.reason, x.tries, x.first_at, \
             x.last_at, x.is_holder, x.is_customer, CASE WHEN x.is_holder THEN h.name END AS holder_name, \
             CASE WHEN x.is_customer THEN c.name END AS customer_name FROM (SELECT e.*, \
             (e.holder IS NOT NULL AND ($1 IS NULL OR e.holder_partner = $1) AND ($2 IS NULL OR e.holder = $2)) \
             AS is_holder, \
             (e.customer IS NOT NULL AND ($1 IS NULL OR e.customer_partner = $1) AND ($2 IS NULL OR e.customer = $2)) \
             AS is_customer FROM enrolments e WHERE e.state <> 'enrolled' AND e.id < $3 \
             AND ($1 IS NULL OR $1 IN (e.customer_partner, e.holder_partner)) \
             AND ($2 IS NULL OR $2 IN (e.customer, e.holder)) ORDER BY e.id DESC LIMIT $4) x \
             LEFT JOIN tenants h ON h.id = x.holder LEFT JOIN tenants c ON c.id = x.customer ORDER BY x.id DESC",
            args![partner, customer, after.unwrap_or(Uuid::max()), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |pending| pending.id)))
}

/// How many wait for somebody on the scope's side; for the number beside the page's name.
pub async fn waiting(tx: &mut Tx, scope: &Scope) -> Result<i64> {
    let (partner, customer) = sides(scope)?;
    tx.number(
        "SELECT COUNT(*) FROM enrolments WHERE state = 'waiting' \
         AND ($1 IS NULL OR $1 IN (customer_partner, holder_partner)) AND ($2 IS NULL OR $2 IN (customer, holder))",
        args![partner, customer],
    )
    .await
}

/// Forgets what nobody has, nobody speaks for and that was not asked for again since this instant.
pub async fn forget(tx: &mut Tx, scope: &Scope, before: Micros) -> Result<u64> {
    scope.platform()?;
    tx.execute(
        "DELETE FROM enrolments WHERE state <> 'enrolled' AND holder IS NULL AND customer IS NULL AND last_at < $1",
        args![before],
    )
    .await
}

/// The names beside those of wrong guesses under which new enrolments that concern nobody are counted.
fn names_of_unknown(network: &str) -> [String; 2] {
    [network, cpins::ALL].map(|name| format!("unknown {name}"))
}

/// New enrolments of this hour that concern nobody: from this network, and from everywhere.
pub async fn unknown(tx: &mut Tx, scope: &Scope, network: &str, at: Micros) -> Result<(i64, i64)> {
    scope.platform()?;
    let [own, all] = names_of_unknown(network);
    cpins::counted(tx, [&own, &all], at).await
}

/// Counts a new enrolment that concerns nobody.
pub async fn count_unknown(tx: &mut Tx, scope: &Scope, network: &str, at: Micros) -> Result<()> {
    scope.platform()?;
    let [own, all] = names_of_unknown(network);
    cpins::count(tx, [&own, &all], at).await
}

/// Adds the enrolment of a key that asks for the first time. [`Error::Conflict`] if another node has.
pub async fn add(tx: &mut Tx, scope: &Scope, row: &Enrolment) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO enrolments (id, public_key, serial, product_number, domain, state, confirmed, released_by_holder, \
         released_by_customer, tries, first_at, last_at) VALUES ($1, $2, $3, '', '', 'waiting', $4, $4, $4, 0, $5, $5)",
        args![row.id, &row.public_key, &row.serial, false, row.first_at],
    )
    .await?;
    Ok(())
}

/// Writes an enrolment that this transaction has added or holds.
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
