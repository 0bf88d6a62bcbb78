//! Customer tenants, and what stands between them and their partners.

use roadstead_domain::access::{Reach, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::customer::{Assignment, Management, Preset};
use roadstead_domain::ids::TenantId;
use roadstead_domain::partner::SupportLevel;
use roadstead_domain::user::INVITATION_SECONDS;
use uuid::Uuid;

use crate::args;
use crate::engine::{Arg, Tx};
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A customer tenant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Customer {
    /// The tenant's id.
    pub id: Uuid,
    /// The Customer ID that people read.
    pub number: String,
    /// The company's name.
    pub name: String,
    /// Street and house number.
    pub address: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// Two letters after ISO 3166-1, or empty.
    pub country: String,
    /// The primary IT admin's first name; empty in a tenant that the partner runs.
    pub admin_first_name: String,
    /// Their last name.
    pub admin_last_name: String,
    /// Their address.
    pub admin_email: String,
    /// Their telephone number.
    pub admin_phone: String,
    /// How they sign in, as the partner named it; empty for a password.
    pub identity_provider: String,
    /// The plan's code.
    pub plan: String,
    /// Who runs it: `customer` or `partner`.
    pub management: String,
    /// The switch's preset: `default` or `off_when_allowed`.
    pub preset: String,
    /// The partner that asks, is asked or manages.
    pub partner: Option<Uuid>,
    /// Its name, as far as the reader may know it.
    pub partner_name: Option<String>,
    /// How the two stand: the code of an [`Assignment`].
    pub assignment: String,
    /// Whether the partner may look into the tenant.
    pub partner_access: bool,
    /// How many PCs are in it; `None` where the reader may not look.
    pub devices: Option<i64>,
    /// Since when it is disabled, in microseconds.
    pub disabled_at: Option<i64>,
    /// Until when the link works that the primary IT admin was sent last, in microseconds; `None` once they have joined,
    /// and where nobody is invited.
    pub invited_until: Option<i64>,
    /// When it was created.
    pub created_at: i64,
}

impl Customer {
    /// How customer and partner stand.
    pub fn assignment(&self) -> Result<Assignment> {
        Assignment::from_code(&self.assignment).ok_or_else(|| Error::bad("customers", &self.assignment))
    }

    /// Who runs it.
    pub fn management(&self) -> Result<Management> {
        Management::from_code(&self.management).ok_or_else(|| Error::bad("customers", &self.management))
    }

    /// Whether the partner may look into it and move PCs.
    pub fn is_open_to_partner(&self) -> bool {
        self.assignment == Assignment::Accepted.as_str() && self.partner_access
    }

    /// Whether its IT admin was invited and did not come in time.
    pub fn is_invitation_expired(&self, now: Micros) -> bool {
        self.assignment == Assignment::Invited.as_str()
            && self.invited_until.is_some_and(|until| until <= now.0)
    }
}

/// A customer tenant on its way in.
#[derive(Clone, Debug)]
pub struct NewCustomer<'a> {
    /// The company's name.
    pub name: &'a str,
    /// Street and house number.
    pub address: &'a str,
    /// City.
    pub city: &'a str,
    /// Postal code.
    pub postal_code: &'a str,
    /// Two letters, or empty.
    pub country: &'a str,
    /// First name, last name, address and telephone number of the primary IT admin.
    pub admin: [&'a str; 4],
    /// How they sign in.
    pub identity_provider: &'a str,
    /// The plan.
    pub plan: SupportLevel,
    /// Who runs it.
    pub management: Management,
    /// The switch's preset.
    pub preset: Preset,
}

macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT c.tenant AS id, c.number, c.name, c.address, c.city, c.postal_code, c.country, ",
            "c.admin_first_name, c.admin_last_name, c.admin_email, c.admin_phone, c.identity_provider, c.plan, ",
            "c.management, c.preset, c.partner, p.name AS partner_name, c.assignment, c.partner_access, ",
            "CASE WHEN $1 IS NULL OR (c.assignment = 'accepted' AND c.partner_access) ",
            "THEN COALESCE(n.devices, 0) END AS devices, c.disabled_at, c.invited_until, c.created_at ",
            "FROM customers c ",
            "LEFT JOIN partners p ON p.tenant = c.partner LEFT JOIN tenant_counts n ON n.tenant = c.tenant WHERE ",
            $where
        )
    };
}

/// The partner to bind, or the customer: one of the two, or neither for the platform.
fn reached(scope: &Scope) -> Result<(Option<TenantId>, Option<TenantId>)> {
    match scope.reach() {
        Reach::Platform => Ok((None, None)),
        Reach::Partner(partner) => Ok((Some(partner), None)),
        Reach::Customer(customer) => Ok((None, Some(customer))),
        Reach::Reporter(_) | Reach::Desk => Err(roadstead_domain::access::Denied::NotFound.into()),
    }
}

/// Creates a customer tenant of this partner. A partner-run one is the partner's at once, another one is invited.
pub async fn create(
    tx: &mut Tx,
    scope: &Scope,
    id: TenantId,
    number: &str,
    partner: TenantId,
    new: &NewCustomer<'_>,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let assignment = match new.management {
        Management::Partner => Assignment::Accepted,
        Management::Customer => Assignment::Invited,
    };
    let parent = (assignment == Assignment::Accepted).then_some(partner);
    let invited_until = (assignment == Assignment::Invited).then(|| at.plus_seconds(INVITATION_SECONDS).0);
    tx.execute(
        "INSERT INTO tenants (id, kind, parent, name, created_at) VALUES ($1, 'customer', $2, $3, $4)",
        args![id, parent, new.name, at],
    )
    .await?;
    let [first_name, last_name, email, phone] = new.admin;
    tx.execute(
        "INSERT INTO customers (tenant, number, name, address, city, postal_code, country, admin_first_name, \
         admin_last_name, admin_email, admin_phone, identity_provider, plan, management, preset, partner, assignment, \
         partner_access, created_at, updated_at, invited_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, $20)",
        args![
            id,
            number,
            new.name,
            new.address,
            new.city,
            new.postal_code,
            new.country,
            first_name,
            last_name,
            email,
            phone,
            new.identity_provider,
            new.plan.as_str(),
            new.management.as_str(),
            new.preset.as_str(),
            partner,
            assignment.as_str(),
            true,
            at,
            invited_until
        ],
    )
    .await?;
    Ok(())
}

/// The customer with this id or Customer ID, if the scope reaches it: a partner's own, whatever their state, or the
/// customer itself.
pub async fn find(tx: &mut Tx, scope: &Scope, id_or_number: &str) -> Result<Option<Customer>> {
    let (partner, customer) = reached(scope)?;
    tx.optional(
        select!(
            "(c.tenant = $3 OR c.number = $4) AND ($1 IS NULL OR c.partner = $1) AND ($2 IS NULL OR c.tenant = $2)"
        ),
        args![
            partner,
            customer,
            id_or_number.trim().parse::<Uuid>().ok(),
            id_or_number.trim().to_uppercase()
        ],
    )
    .await
}

/// Keeps others from changing who may do what for the customer until this transaction ends.
pub async fn hold(tx: &mut Tx, scope: &Scope, customer: TenantId) -> Result<()> {
    scope.platform()?;
    let _held: Option<(Uuid,)> =
        tx.hold("SELECT tenant FROM customers WHERE tenant = $1", args![customer]).await?;
    Ok(())
}

/// The customers that the scope reaches, by name. `None` for a cursor that is none.
pub async fn list(tx: &mut Tx, scope: &Scope, q: &str, page: &Page) -> Result<Option<Rows<Customer>>> {
    let (partner, customer) = reached(scope)?;
    let Ok(after) = page.after::<(String, Uuid)>() else { return Ok(None) };
    let (name, id) = after.unwrap_or_default();
    let rows = page.rows();
    let items: Vec<Customer> = tx
        .all(
            select!(
                "($1 IS NULL OR c.partner = $1) AND ($2 IS NULL OR c.tenant = $2) AND (c.name, c.tenant) > ($3, $4) \
                 AND ($6 = '%%' OR LOWER(c.name) LIKE ('' || $6) ESCAPE '\\' OR c.number LIKE ('' || UPPER($6)) \
                 ESCAPE '\\') ORDER BY c.name, c.tenant LIMIT $5"
            ),
            args![partner, customer, name, id, rows + 1, crate::pool::like(q)],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |customer| (customer.name.clone(), customer.id))))
}

/// Writes how customer and partner stand: who the partner is, and with it who manages the tenant. That it is disabled is
/// the former partner's word and ends with it, as an invitation ends with an answer. `false` if it no longer stands as it was read.
pub async fn assign(
    tx: &mut Tx,
    scope: &Scope,
    customer: &Customer,
    partner: Option<TenantId>,
    assignment: Assignment,
    at: Micros,
) -> Result<bool> {
    scope.platform()?;
    let changed = tx
        .execute(
            "UPDATE customers SET partner = $2, assignment = $3, partner_access = $4, updated_at = $5, \
             disabled_at = NULL, invited_until = NULL WHERE tenant = $1 AND assignment = $6 AND partner IS NOT DISTINCT FROM $7",
            args![
                customer.id,
                partner,
                assignment.as_str(),
                true,
                at,
                &customer.assignment,
                customer.partner
            ],
        )
        .await?;
    let parent = partner.filter(|_| assignment == Assignment::Accepted);
    tx.execute("UPDATE tenants SET parent = $2 WHERE id = $1", args![customer.id, parent]).await?;
    Ok(changed == 1)
}

/// Writes that the primary IT admin was invited again, at this address and until that instant. `false` if it no longer
/// stands as it was read.
pub async fn invite_again(
    tx: &mut Tx,
    scope: &Scope,
    customer: &Customer,
    email: &str,
    until: Micros,
    at: Micros,
) -> Result<bool> {
    scope.platform()?;
    let changed = tx
        .execute(
            "UPDATE customers SET admin_email = $2, invited_until = $3, updated_at = $4 WHERE tenant = $1 \
             AND assignment = $5 AND partner IS NOT DISTINCT FROM $6 AND admin_email = $7 \
             AND invited_until IS NOT DISTINCT FROM $8",
            args![
                customer.id,
                email,
                until,
                at,
                &customer.assignment,
                customer.partner,
                &customer.admin_email,
                customer.invited_until
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Writes that an IT admin of this home has joined; a home that is no customer's stays as it is.
pub async fn admin_joined(tx: &mut Tx, scope: &Scope, home: Uuid) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE customers SET invited_until = NULL WHERE tenant = $1 AND invited_until IS NOT NULL",
        args![home],
    )
    .await?;
    Ok(())
}

/// Lets the partner look into the customer's tenant, or not.
pub async fn set_partner_access(
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
    open: bool,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE customers SET partner_access = $2, updated_at = $3 WHERE tenant = $1",
        args![customer, open, at],
    )
    .await?;
    Ok(())
}

/// Disables the customer tenant as of this instant, or enables it. `false` if it no longer stands as it was read.
pub async fn set_disabled(
    tx: &mut Tx,
    scope: &Scope,
    customer: &Customer,
    disabled_at: Option<Micros>,
    at: Micros,
) -> Result<bool> {
    scope.platform()?;
    let changed = tx
        .execute(
            "UPDATE customers SET disabled_at = $2, updated_at = $3 WHERE tenant = $1 AND assignment = $4 \
             AND partner IS NOT DISTINCT FROM $5 AND disabled_at IS NOT DISTINCT FROM $6",
            args![
                customer.id,
                disabled_at.map(|at| at.0),
                at,
                &customer.assignment,
                customer.partner,
                customer.disabled_at
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// The customer's admins: name, address, language.
pub async fn admins(
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
) -> Result<Vec<(String, String, Option<String>)>> {
    scope.platform()?;
    tx.all(
        "SELECT name, email, language FROM users WHERE home = $1 AND role = 'it_admin' \
         AND deactivated_at IS NULL LIMIT 100",
        args![customer],
    )
    .await
}

/// A PC in a customer tenant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CustomerDevice {
    /// The PC's id.
    pub id: Uuid,
    /// Its serial.
    pub serial: String,
    /// The product number.
    pub product_number: String,
    /// The model.
    pub model: String,
    /// The highest support level that it is entitled to today.
    pub support_level: Option<String>,
    /// When it came into the tenant, in microseconds.
    pub since: i64,
    /// When its agent last said how it is; `None` if it never has.
    pub seen_at: Option<i64>,
    /// By what it is shown to be in the tenant's hands; `None` while what is known of persons is sealed.
    pub proof: Option<String>,
    /// Who was signed in last, if the tenant wants to know and it is open.
    pub last_user: Option<String>,
    /// Where it is, likewise.
    pub location: Option<String>,
}

/// The PCs of a customer tenant by serial. The caller has found the customer by [`find`] and may look into it.
pub async fn devices(
    tx: &mut Tx,
    scope: &Scope,
    customer: &Customer,
    q: &str,
    page: &Page,
    today: jiff::civil::Date,
) -> Result<Option<Rows<CustomerDevice>>> {
    let (partner, own) = reached(scope)?;
    let Ok(after) = page.after::<(String, Uuid)>() else { return Ok(None) };
    let (serial, id) = after.unwrap_or_default();
    let rows = page.rows();
    let mut values = args![customer.id, serial, id, rows + 1, today.to_string(), crate::pool::like(q)];
    values.extend([Arg::from(partner), Arg::from(own)]);
    let items: Vec<CustomerDevice> = tx
        .all(
            "SELECT d.id, p.serial, d.product_number, d.model, (SELECT MAX(e.support_level) FROM entitlements e \
             WHERE e.device = p.device AND e.ends_on > $5) AS support_level, p.since, \
             (SELECT k.seen_at FROM check_ins k WHERE k.device = p.device) AS seen_at, \
             o.proof, n.last_user, n.location FROM placements p JOIN devices d ON d.id = p.device \
             LEFT JOIN possessions o ON o.device = p.device AND o.generation = p.generation \
             LEFT JOIN personal_data n ON n.device = o.device AND n.generation = o.generation \
             WHERE p.tenant = (SELECT c.tenant FROM customers c WHERE c.tenant = $1 \
             AND (c.tenant = $8 OR ($8 IS NULL AND (c.partner = $7 OR $7 IS NULL) AND c.assignment = 'accepted' \
             AND c.partner_access))) AND (p.serial, p.device) > ($2, $3) AND p.search LIKE ('' || $6) ESCAPE '\\' \
             ORDER BY p.serial, p.device LIMIT $4",
            values,
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |pc| (pc.serial.clone(), pc.id))))
}
