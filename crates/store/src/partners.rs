//! Partners, their qualifications and their holding tenants.

use std::collections::HashMap;

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{QualificationId, TenantId};
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel, is_qualified};
use roadstead_domain::sale::{Seller, Sellers};
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A partner tenant.
#[derive(Clone, Debug, Deserialize, sqlx::FromRow)]
pub struct Partner {
    /// The partner tenant's id.
    pub id: Uuid,
    /// The number under which reports name it.
    pub number: String,
    /// Its name.
    pub name: String,
    /// When it was added, in microseconds.
    pub created_at: i64,
    /// Its holding tenant, once it has one.
    pub holding: Option<Uuid>,
}

/// A qualification as recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id.
    pub id: QualificationId,
    /// Whose.
    pub partner: TenantId,
    /// What.
    pub qualification: Qualification,
}

/// How numbers are compared: trimmed, upper case.
pub fn number_key(number: &str) -> String {
    number.trim().to_uppercase()
}

/// Adds a partner with its tenant. A number that is taken is [`Error::Conflict`].
pub async fn create(
    tx: &mut Tx,
    scope: &Scope,
    id: TenantId,
    number: &str,
    name: &str,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO tenants (id, kind, name, created_at) VALUES ($1, 'partner', $2, $3)",
        args![id, name, at],
    )
    .await?;
    tx.execute(
        "INSERT INTO partners (tenant, number, number_key, name, created_at) VALUES ($1, $2, $3, $4, $5)",
        args![id, number.trim(), number_key(number), name, at],
    )
    .await?;
    Ok(())
}

/// The partner with this id or number.
pub async fn find(tx: &mut Tx, scope: &Scope, id_or_number: &str) -> Result<Option<Partner>> {
    scope.platform()?;
    tx.optional(
        "SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p \
         LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' \
         WHERE p.tenant = $1 OR p.number_key = $2",
        args![id_or_number.parse::<Uuid>().ok(), number_key(id_or_number)],
    )
    .await
}

/// The partner with this number.
pub async fn find_number(tx: &mut Tx, scope: &Scope, number: &str) -> Result<Option<Partner>> {
    scope.platform()?;
    tx.optional(
        "SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p \
         LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.number_key = $1",
        args![number_key(number)],
    )
    .await
}

/// A qualification with whose it is.
#[derive(Clone, Debug)]
pub struct OfPartner {
    /// The partner's number.
    pub number: String,
    /// The partner's name.
    pub name: String,
    /// The qualification.
    pub recorded: Recorded,
}

#[derive(sqlx::FromRow)]
struct OfPartnerRow {
    number: String,
    name: String,
    #[sqlx(flatten)]
    row: QualificationRow,
}

/// Qualifications of every partner that stand so on this day, what ends first first: `valid`, `lapsed`,
/// `not_certified`, `course_open`; `ends_soon` for those valid ones that end before `soon`; anything else for all.
/// `None` for a cursor that is none.
pub async fn all_qualifications(
    tx: &mut Tx,
    scope: &Scope,
    standing: &str,
    (today, soon): (Date, Date),
    page: &Page,
) -> Result<Option<Rows<OfPartner>>> {
    scope.platform()?;
    let Ok(after) = page.after::<(String, Uuid)>() else { return Ok(None) };
    let (end, id) = after.unwrap_or_default();
    let rows = page.rows();
    let found: Vec<OfPartnerRow> = tx
        .all(
            "SELECT p.number, p.name, q.id, q.partner, q.support_level, q.role, q.course_completed_on, \
             q.certified_on, q.expires_on FROM (SELECT qualifications.*, COALESCE(expires_on, '9999-12-31') AS ends, \
             CASE WHEN course_completed_on IS NULL OR course_completed_on > $1 THEN 'course_open' \
             WHEN certified_on IS NULL OR certified_on > $1 THEN 'not_certified' \
             WHEN expires_on <= $1 THEN 'lapsed' WHEN expires_on <= $2 THEN 'ends_soon' ELSE 'valid' END AS standing \
             FROM qualifications) q JOIN partners p ON p.tenant = q.partner \
             WHERE ($3 = '' OR q.standing = $3 OR ($3 = 'valid' AND q.standing = 'ends_soon')) \
             AND (q.ends, q.id) > ($4, $5) ORDER BY q.ends, q.id LIMIT $6",
            args![today.to_string(), soon.to_string(), standing, end, id, rows + 1],
        )
        .await?;
    let items = found
        .into_iter()
        .map(|row| Ok(OfPartner { number: row.number, name: row.name, recorded: row.row.read()? }))
        .collect::<Result<Vec<_>>>()?;
    Ok(Some(Rows::cut(items, rows, |item| {
        let ends = item.recorded.qualification.expires_on;
        (ends.map_or_else(|| "9999-12-31".to_owned(), |day| day.to_string()), item.recorded.id.0)
    })))
}

/// How many qualifications have lapsed, and how many end before `soon`.
pub async fn ending(tx: &mut Tx, scope: &Scope, (today, soon): (Date, Date)) -> Result<(i64, i64)> {
    scope.platform()?;
    let counts: Option<(i64, i64)> = tx
        .optional(
            "SELECT COUNT(CASE WHEN expires_on <= $1 THEN 1 END), COUNT(CASE WHEN expires_on > $1 THEN 1 END) \
             FROM qualifications WHERE expires_on <= $2 AND certified_on <= $1 AND course_completed_on <= $1",
            args![today.to_string(), soon.to_string()],
        )
        .await?;
    Ok(counts.unwrap_or_default())
}

/// The scope's own partner.
pub async fn own(tx: &mut Tx, scope: &Scope) -> Result<Partner> {
    let partner = scope.partner()?;
    tx.optional_quick(
        "SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p \
         LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.tenant = $1",
        args![partner],
    )
    .await?
    .ok_or_else(|| Error::bad("partners", format!("no row for tenant {partner}")))
}

/// Every partner by name. `None` for a cursor that is none.
pub async fn list(tx: &mut Tx, scope: &Scope, page: &Page) -> Result<Option<Rows<Partner>>> {
    scope.platform()?;
    let Ok(after) = page.after::<(String, Uuid)>() else { return Ok(None) };
    let (name, id) = after.unwrap_or_default();
    let rows = page.rows();
    let items: Vec<Partner> = tx
        .all(
            "SELECT p.tenant AS id, p.number, p.name, p.created_at, h.id AS holding FROM partners p \
             LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' \
             WHERE (p.name, p.tenant) > ($1, $2) ORDER BY p.name, p.tenant LIMIT $3",
            args![name, id, rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |partner| (partner.name.clone(), partner.id))))
}

/// Records a qualification; the same level and role again is a renewal or correction of the one that is there.
pub async fn record_qualification(
    tx: &mut Tx,
    scope: &Scope,
    id: QualificationId,
    partner: TenantId,
    qualification: &Qualification,
    at: Micros,
) -> Result<QualificationId> {
    scope.platform()?;
    let day = |date: Option<Date>| date.map(|date| date.to_string());
    let row: Option<(Uuid,)> = tx
        .optional(
            "INSERT INTO qualifications (id, partner, support_level, role, course_completed_on, certified_on, \
             expires_on, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
             ON CONFLICT (partner, support_level, role) DO UPDATE SET \
             course_completed_on = excluded.course_completed_on, certified_on = excluded.certified_on, \
             expires_on = excluded.expires_on, updated_at = excluded.updated_at RETURNING id",
            args![
                id,
                partner,
                qualification.support_level.as_str(),
                qualification.role.as_str(),
                day(qualification.course_completed_on),
                day(qualification.certified_on),
                day(qualification.expires_on),
                at
            ],
        )
        .await?;
    Ok(row.map_or(id, |(id,)| QualificationId(id)))
}

/// A partner's holding tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its id.
    pub tenant: TenantId,
    /// Whether it was made just now.
    pub is_new: bool,
}

/// The partner's holding tenant, made under `id` if there is none; `None` for nobody's id. Called by what records a
/// valid qualification or places a PC, in the same transaction; there is no other way to get one. Another node may make
/// it at the same moment: what counts is the one that is there.
pub async fn ensure_holding(
    tx: &mut Tx,
    scope: &Scope,
    partner: TenantId,
    id: TenantId,
    at: Micros,
) -> Result<Option<Holding>> {
    scope.platform()?;
    let made = tx
        .execute(
            "INSERT INTO tenants (id, kind, parent, name, created_at) \
             SELECT $1, 'holding', p.tenant, p.name, $3 FROM partners p WHERE p.tenant = $2 \
             ON CONFLICT (parent) WHERE kind = 'holding' DO NOTHING",
            args![id, partner, at],
        )
        .await?;
    if made > 0 {
        return Ok(Some(Holding { tenant: id, is_new: true }));
    }
    let there: Option<(Uuid,)> =
        tx.optional("SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding'", args![partner]).await?;
    Ok(there.map(|(tenant,)| Holding { tenant: TenantId(tenant), is_new: false }))
}

#[derive(Deserialize, sqlx::FromRow)]
pub(crate) struct QualificationRow {
    pub(crate) id: Uuid,
    pub(crate) partner: Uuid,
    pub(crate) support_level: String,
    pub(crate) role: String,
    pub(crate) course_completed_on: Option<String>,
    pub(crate) certified_on: Option<String>,
    pub(crate) expires_on: Option<String>,
}

impl QualificationRow {
    pub(crate) fn read(self) -> Result<Recorded> {
        let bad = |what: &str| Error::bad("qualifications", format!("{what} of {}", self.id));
        let day = |text: &Option<String>| -> Result<Option<Date>> {
            text.as_deref().map(str::parse).transpose().map_err(|_| bad("date"))
        };
        Ok(Recorded {
            id: QualificationId(self.id),
            partner: TenantId(self.partner),
            qualification: Qualification {
                support_level: SupportLevel::from_code(&self.support_level)
                    .ok_or_else(|| bad("support_level"))?,
                role: PartnerRole::from_code(&self.role).ok_or_else(|| bad("role"))?,
                course_completed_on: day(&self.course_completed_on)?,
                certified_on: day(&self.certified_on)?,
                expires_on: day(&self.expires_on)?,
            },
        })
    }
}

/// The qualifications of these partners.
pub async fn qualifications(tx: &mut Tx, scope: &Scope, partners: &[TenantId]) -> Result<Vec<Recorded>> {
    scope.platform()?;
    let mut recorded = Vec::new();
    for partner in partners {
        let rows: Vec<QualificationRow> = tx
            .all(
                "SELECT id, partner, support_level, role, course_completed_on, certified_on, expires_on \
                 FROM qualifications WHERE partner = $1 ORDER BY created_at, id",
                args![*partner],
            )
            .await?;
        for row in rows {
            recorded.push(row.read()?);
        }
    }
    Ok(recorded)
}

/// The scope's own qualifications.
pub async fn own_qualifications(tx: &mut Tx, scope: &Scope) -> Result<Vec<Recorded>> {
    let rows: Vec<QualificationRow> = tx
        .all_quick(
            "SELECT id, partner, support_level, role, course_completed_on, certified_on, expires_on \
             FROM qualifications WHERE partner = $1 ORDER BY created_at, id",
            args![scope.partner()?],
        )
        .await?;
    rows.into_iter().map(QualificationRow::read).collect()
}

/// The partners that reports name, with whether they are qualified on this day and where their pool is.
#[derive(Clone, Debug, Default)]
pub struct KnownSellers {
    /// By number, for the rules.
    pub sellers: Sellers,
    /// The holding tenant of each partner that has one.
    pub holdings: HashMap<TenantId, TenantId>,
}

/// Looks up partners by the numbers of a batch.
pub async fn sellers(tx: &mut Tx, scope: &Scope, numbers: &[&str], today: Date) -> Result<KnownSellers> {
    scope.platform()?;
    let found: Vec<(String, Uuid, Option<Uuid>)> = tx
        .all_of_set(
            "SELECT p.number_key, p.tenant, h.id FROM <set> s CROSS JOIN partners p \
             LEFT JOIN tenants h ON h.parent = p.tenant AND h.kind = 'holding' WHERE p.number_key = s.value",
            args![],
            numbers,
        )
        .await?;
    let rows: Vec<QualificationRow> = tx
        .all_of_set(
            "SELECT q.id, q.partner, q.support_level, q.role, q.course_completed_on, q.certified_on, q.expires_on \
             FROM <set> s CROSS JOIN partners p CROSS JOIN qualifications q \
             WHERE p.number_key = s.value AND q.partner = p.tenant",
            args![],
            numbers,
        )
        .await?;
    let mut by_partner: HashMap<Uuid, Vec<Qualification>> = HashMap::new();
    for row in rows {
        by_partner.entry(row.partner).or_default().push(row.read()?.qualification);
    }
    let mut known = KnownSellers::default();
    for (number, partner, holding) in found {
        let qualified = by_partner.get(&partner).is_some_and(|list| is_qualified(list, today));
        known.sellers.insert(number, Seller { partner: TenantId(partner), qualified });
        if let Some(holding) = holding {
            known.holdings.insert(TenantId(partner), TenantId(holding));
        }
    }
    Ok(known)
}
