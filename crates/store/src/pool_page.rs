//! What the page of a pool shows beside its PCs, by one statement: eight small ones cost PostgreSQL more than the PCs do (docs/decisions/0047).

use roadstead_domain::access::{Actor, Scope};
use roadstead_domain::partner::Qualification;
use roadstead_domain::transfer::Target;
use serde::Deserialize;
use uuid::Uuid;

use crate::args;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::partners::QualificationRow;
use crate::saved_views::SavedView;
use crate::transfers::TargetRow;

/// What stands beside the PCs.
#[derive(Debug, Default)]
pub struct Beside {
    /// The partner's number.
    pub partner_number: String,
    /// How many PCs are in the pool, from the counter.
    pub devices: i64,
    /// The partner's qualifications, in the order in which they were recorded.
    pub qualifications: Vec<Qualification>,
    /// What was reported about the partner, newest report first, at most 200 rows.
    pub shares: Vec<PartnerShare>,
    /// The ways to look that the person behind the scope keeps, by name.
    pub views: Vec<SavedView>,
    /// The partner's customers with their Customer IDs, whatever their state; none unless they were asked for.
    pub customers: Vec<(String, Target)>,
}

/// One report's share for a partner.
#[derive(Clone, Debug)]
pub struct PartnerShare {
    /// The report.
    pub report: Uuid,
    /// When it came, in microseconds.
    pub received_at: i64,
    /// Who sent it.
    pub reporter: Uuid,
    /// The name of who sent it.
    pub reporter_name: String,
    /// What the lines about this partner came to.
    pub verdict: String,
    /// How many.
    pub lines: i64,
}

/// A row of any part; what the letters hold, the part says.
#[derive(Deserialize, sqlx::FromRow)]
struct Part {
    part: String,
    id: Option<Uuid>,
    other: Option<Uuid>,
    m: Option<i64>,
    n: Option<i64>,
    a: Option<String>,
    b: Option<String>,
    c: Option<String>,
    d: Option<String>,
    e: Option<String>,
}

const SQL: &str = "SELECT 'own' AS part, o.pool AS id, o.tenant AS other, CAST(NULL AS BIGINT) AS m, o.devices AS n, \
    o.number AS a, CAST(NULL AS TEXT) AS b, CAST(NULL AS TEXT) AS c, CAST(NULL AS TEXT) AS d, CAST(NULL AS TEXT) AS e \
    FROM own_partner o WHERE o.tenant = $1 \
    UNION ALL SELECT 'qualification', q.id, q.partner, NULL, q.created_at, q.support_level, q.role, \
    q.course_completed_on, q.certified_on, q.expires_on FROM qualifications q WHERE q.partner = $1 \
    UNION ALL SELECT 'share', s.report, s.reporter, s.received_at, s.lines, s.reporter_name, s.verdict, NULL, NULL, NULL \
    FROM (SELECT * FROM own_shares k WHERE k.partner = $1 ORDER BY k.report DESC, k.verdict LIMIT 200) AS s \
    UNION ALL SELECT 'view', v.id, v.user_id, NULL, NULL, v.name, v.query, NULL, NULL, NULL FROM saved_views v \
    WHERE v.user_id = $2 AND v.partner = $1 \
    UNION ALL SELECT 'customer', c.tenant, c.partner, CAST(CASE WHEN c.partner_access THEN 1 ELSE 0 END AS BIGINT), \
    c.disabled_at, c.number, c.name, c.assignment, NULL, NULL FROM customers c WHERE c.partner = $1 AND $3";

/// Reads it all, the customers only `with_customers`.
pub async fn beside(tx: &mut Tx, scope: &Scope, with_customers: bool) -> Result<Beside> {
    let partner = scope.partner()?;
    let person = match scope.actor() {
        Actor::User(user) => user.0,
        _ => Uuid::nil(),
    };
    let parts: Vec<Part> = tx.all_quick(SQL, args![partner, person, with_customers]).await?;
    let mut beside = Beside::default();
    let mut qualifications = Vec::new();
    for part in parts {
        let bad = || Error::bad("the page of a pool", &part.part);
        let id = part.id.unwrap_or_default();
        let other = part.other.unwrap_or_default();
        let texts = [part.a, part.b, part.c.clone()].map(Option::unwrap_or_default);
        match part.part.as_str() {
            "own" => {
                [beside.partner_number, ..] = texts;
                beside.devices = part.n.unwrap_or_default();
            }
            "qualification" => {
                let [support_level, role, _] = texts;
                let row = QualificationRow {
                    id,
                    partner: other,
                    support_level,
                    role,
                    course_completed_on: part.c,
                    certified_on: part.d,
                    expires_on: part.e,
                };
                qualifications.push(((part.n, id), row.read()?.qualification));
            }
            "share" => {
                let [reporter_name, verdict, _] = texts;
                beside.shares.push(PartnerShare {
                    report: id,
                    received_at: part.m.unwrap_or_default(),
                    reporter: other,
                    reporter_name,
                    verdict,
                    lines: part.n.unwrap_or_default(),
                });
            }
            "view" => {
                let [name, query, _] = texts;
                beside.views.push(SavedView { id, name, query });
            }
            "customer" => {
                let [number, name, assignment] = texts;
                let (partner_access, disabled_at) = (part.m == Some(1), part.n);
                let row = TargetRow { tenant: id, number, name, assignment, partner_access, disabled_at };
                beside.customers.push(row.read()?);
            }
            _ => return Err(bad()),
        }
    }
    // A union has no order.
    qualifications.sort_by_key(|(order, _)| *order);
    beside.qualifications = qualifications.into_iter().map(|(_, qualification)| qualification).collect();
    beside.shares.sort_by(|a, b| (b.report, &a.verdict).cmp(&(a.report, &b.verdict)));
    beside.views.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(beside)
}

/// Who sent these reports to the partner, by report; what says nothing of the partner is not among them.
pub async fn reporters(tx: &mut Tx, scope: &Scope, reports: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let sql = "SELECT DISTINCT k.report, k.reporter_name FROM <set> s CROSS JOIN own_shares k \
               WHERE k.report = s.value AND k.partner = $1";
    tx.all_of_ids(sql, args![scope.partner()?], reports).await
}
