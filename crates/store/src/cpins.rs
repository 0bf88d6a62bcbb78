//! cPINs of customer tenants, the wrong guesses at them, and what else speaks for a customer's PCs: its domains and its
//! zero-touch list.

use roadstead_domain::access::{Reach, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::cpin::{self, Bounds};
use roadstead_domain::enrolment::Customer;
use roadstead_domain::ids::{CpinId, TenantId};
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::Result;
use crate::page::{Page, Rows};

/// A cPIN that was made.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Cpin {
    /// Its id.
    pub id: Uuid,
    /// The customer tenant that it opens.
    pub customer: Uuid,
    /// Its twelve characters.
    pub code: String,
    /// Whose admin made it: `partner` or `customer`.
    pub made_by: String,
    /// The user or token that made it.
    pub maker: Option<Uuid>,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// When it ends by itself.
    pub expires_at: i64,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
    /// How many PCs it may enrol.
    pub most_uses: i64,
    /// How many it has enrolled.
    pub uses: i64,
    /// When it was used last.
    pub used_at: Option<i64>,
    /// The serial that it enrolled last.
    pub used_by: Option<String>,
}

impl Cpin {
    /// What bounds it.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            expires_at: Micros(self.expires_at),
            revoked_at: self.revoked_at.map(Micros),
            most_uses: self.most_uses,
            uses: self.uses,
        }
    }
}

/// Adds a cPIN.
pub async fn add(tx: &mut Tx, scope: &Scope, cpin: &Cpin) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO cpins (id, customer, code, made_by, maker, created_at, expires_at, most_uses, uses) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
        args![
            cpin.id,
            cpin.customer,
            &cpin.code,
            &cpin.made_by,
            cpin.maker,
            cpin.created_at,
            cpin.expires_at,
            cpin.most_uses
        ],
    )
    .await?;
    Ok(())
}

/// The customer's cPINs, newest first. The caller has found the customer and may manage its enrolments.
pub async fn list(tx: &mut Tx, scope: &Scope, customer: TenantId) -> Result<Vec<Cpin>> {
    if let Reach::Customer(own) = scope.reach()
        && own != customer
    {
        return Ok(Vec::new());
    }
    tx.all(
        "SELECT * FROM cpins WHERE customer = $1 ORDER BY created_at DESC, id DESC LIMIT 200",
        args![customer],
    )
    .await
}

/// Takes a cPIN back; whether there was one that opened anything.
pub async fn revoke(tx: &mut Tx, scope: &Scope, customer: TenantId, id: CpinId, at: Micros) -> Result<bool> {
    scope.platform()?;
    let revoked = tx
        .execute(
            "UPDATE cpins SET revoked_at = $3 WHERE customer = $1 AND id = $2 AND revoked_at IS NULL",
            args![customer, id, at],
        )
        .await?;
    Ok(revoked > 0)
}

/// Writes when a cPIN ends.
pub async fn set_end(tx: &mut Tx, scope: &Scope, id: CpinId, expires_at: Micros) -> Result<()> {
    scope.platform()?;
    tx.execute("UPDATE cpins SET expires_at = $2 WHERE id = $1", args![id, expires_at]).await?;
    Ok(())
}

/// The cPIN with these characters, whatever its state.
pub async fn with_code(tx: &mut Tx, scope: &Scope, cpin: cpin::Cpin) -> Result<Option<Cpin>> {
    scope.platform()?;
    tx.optional("SELECT * FROM cpins WHERE code = $1", args![cpin.as_str()]).await
}

/// The cPIN with this id.
pub async fn get(tx: &mut Tx, scope: &Scope, id: CpinId) -> Result<Option<Cpin>> {
    scope.platform()?;
    tx.optional("SELECT * FROM cpins WHERE id = $1", args![id]).await
}

/// Counts a PC that it enrolled; `false` if it may enrol no more by now.
pub async fn count_use(tx: &mut Tx, scope: &Scope, id: CpinId, serial: &str, at: Micros) -> Result<bool> {
    scope.platform()?;
    let counted = tx
        .execute(
            "UPDATE cpins SET uses = uses + 1, used_at = $3, used_by = $2 WHERE id = $1 AND uses < most_uses",
            args![id, serial, at],
        )
        .await?;
    Ok(counted == 1)
}

fn hour(at: Micros) -> i64 {
    at.0.div_euclid(3_600_000_000)
}

/// The row of `cpin_guesses` that counts for everybody.
pub(crate) const ALL: &str = "all";

/// What `cpin_guesses` has counted in this hour under two names.
pub(crate) async fn counted(tx: &mut Tx, names: [&str; 2], at: Micros) -> Result<(i64, i64)> {
    let rows: Vec<(String, i64)> = tx
        .all(
            "SELECT network, wrong FROM cpin_guesses WHERE hour = $1 AND network IN ($2, $3)",
            args![hour(at), names[0], names[1]],
        )
        .await?;
    let of = |name: &str| rows.iter().find(|(network, _)| network == name).map_or(0, |(_, wrong)| *wrong);
    Ok((of(names[0]), of(names[1])))
}

/// Counts one more under each of two names; the one that others share comes last, so that nobody waits crosswise.
pub(crate) async fn count(tx: &mut Tx, names: [&str; 2], at: Micros) -> Result<()> {
    for name in names {
        tx.execute(
            "INSERT INTO cpin_guesses (hour, network, wrong) VALUES ($1, $2, 1) \
             ON CONFLICT (hour, network) DO UPDATE SET wrong = cpin_guesses.wrong + 1",
            args![hour(at), name],
        )
        .await?;
    }
    Ok(())
}

/// Wrong guesses of this hour: from this network, and from everywhere.
pub async fn wrong_guesses(tx: &mut Tx, scope: &Scope, network: &str, at: Micros) -> Result<(i64, i64)> {
    scope.platform()?;
    counted(tx, [network, ALL], at).await
}

/// Counts a wrong guess.
pub async fn count_wrong(tx: &mut Tx, scope: &Scope, network: &str, at: Micros) -> Result<()> {
    scope.platform()?;
    count(tx, [network, ALL], at).await
}

/// Forgets the guesses of former hours, and what else is counted beside them.
pub async fn forget_guesses(tx: &mut Tx, now: Micros) -> Result<u64> {
    tx.execute("DELETE FROM cpin_guesses WHERE hour < $1", args![hour(now)]).await
}

/// A customer as far as an enrolment needs it.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// For the rules.
    pub customer: Customer,
    /// Its partner, if it lets it look into the tenant.
    pub visible_partner: Option<TenantId>,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Its domains.
    pub domains: Vec<String>,
}

/// The customer that a cPIN or a list speaks for.
pub async fn speaker(tx: &mut Tx, scope: &Scope, customer: TenantId) -> Result<Option<Speaker>> {
    scope.platform()?;
    let found: Option<(Option<Uuid>, bool, Option<i64>)> = tx
        .optional(
            "SELECT t.parent, c.partner_access, c.disabled_at FROM customers c JOIN tenants t ON t.id = c.tenant \
             WHERE c.tenant = $1",
            args![customer],
        )
        .await?;
    let Some((parent, partner_access, disabled_at)) = found else { return Ok(None) };
    let partner = parent.map(TenantId);
    Ok(Some(Speaker {
        customer: Customer { tenant: customer, partner },
        visible_partner: partner.filter(|_| partner_access),
        disabled: disabled_at.is_some(),
        domains: domains(tx, scope, customer).await?,
    }))
}

/// The customer's domains, in order. The caller has found the customer and may manage its enrolments.
pub async fn domains(tx: &mut Tx, scope: &Scope, customer: TenantId) -> Result<Vec<String>> {
    if let Reach::Customer(own) = scope.reach()
        && own != customer
    {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = tx
        .all("SELECT domain FROM customer_domains WHERE customer = $1 ORDER BY domain", args![customer])
        .await?;
    Ok(rows.into_iter().map(|(domain,)| domain).collect())
}

/// Replaces the customer's domains.
pub async fn set_domains(tx: &mut Tx, scope: &Scope, customer: TenantId, domains: &[String]) -> Result<()> {
    scope.platform()?;
    tx.execute("DELETE FROM customer_domains WHERE customer = $1", args![customer]).await?;
    for domain in domains {
        tx.execute(
            "INSERT INTO customer_domains (customer, domain) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            args![customer, domain],
        )
        .await?;
    }
    Ok(())
}

/// The customers that have this serial on their zero-touch lists; two are enough to know that it is not clear.
pub async fn listed_by(tx: &mut Tx, scope: &Scope, serial: &str) -> Result<Vec<TenantId>> {
    scope.platform()?;
    let rows: Vec<(Uuid,)> = tx
        .all(
            "SELECT customer FROM zero_touch_serials WHERE serial = $1 ORDER BY customer LIMIT 100",
            args![serial],
        )
        .await?;
    Ok(rows.into_iter().map(|(customer,)| TenantId(customer)).collect())
}

/// Puts serials on the customer's zero-touch list; how many are new on it.
pub async fn list_serials(
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
    serials: &[String],
    at: Micros,
) -> Result<u64> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "INSERT INTO zero_touch_serials (customer, serial, added_at)",
        3,
        "ON CONFLICT (serial, customer) DO NOTHING",
    );
    for serial in serials {
        bulk.push(tx, args![customer, serial, at]).await?;
    }
    bulk.finish(tx).await
}

/// Takes a serial off the customer's zero-touch list; whether it was on it.
pub async fn unlist_serial(tx: &mut Tx, scope: &Scope, customer: TenantId, serial: &str) -> Result<bool> {
    scope.platform()?;
    let gone = tx
        .execute(
            "DELETE FROM zero_touch_serials WHERE customer = $1 AND serial = $2",
            args![customer, serial],
        )
        .await?;
    Ok(gone > 0)
}

/// A serial on a zero-touch list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// The serial.
    pub serial: String,
    /// When it was added, in microseconds.
    pub added_at: i64,
    /// When the PC joined this customer, if it has.
    pub joined_at: Option<i64>,
}

/// The customer's zero-touch list by serial. The caller has found the customer and may manage its enrolments.
pub async fn zero_touch(
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
    page: &Page,
) -> Result<Option<Rows<Listed>>> {
    let Ok(after) = page.after::<(String,)>() else { return Ok(None) };
    let (after,) = after.unwrap_or_default();
    let rows = page.rows();
    let own = match scope.reach() {
        Reach::Customer(own) => Some(own),
        _ => None,
    };
    let items: Vec<Listed> = tx
        .all(
            "SELECT z.serial, z.added_at, (SELECT MIN(p.since) FROM placements p WHERE p.tenant = z.customer \
             AND p.serial = z.serial) AS joined_at FROM zero_touch_serials z \
             WHERE z.customer = $1 AND z.serial > $2 AND ($4 IS NULL OR z.customer = $4) ORDER BY z.serial LIMIT $3",
            args![customer, after, rows + 1, own],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |listed| (listed.serial.clone(),))))
}
