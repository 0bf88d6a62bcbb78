//! Support cases: requests to the operator's platform team, with their messages and the serials that are missed.

use std::collections::{BTreeSet, HashMap};

use roadstead_domain::access::{Actor, Home, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::explanation::Finding;
use roadstead_domain::ids::{ReporterId, SupportCaseId, TenantId};
use roadstead_domain::support_case::State;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A support case.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SupportCase {
    /// Its id.
    pub id: Uuid,
    /// The number that people read out.
    pub number: String,
    /// The tenant or reporter that opened it.
    pub home: Uuid,
    /// Its name.
    pub home_name: String,
    /// The reseller's or reporter's number; empty for a customer.
    pub home_number: String,
    /// `partner`, `reporter` or `customer`.
    pub home_kind: String,
    /// `missing_devices`, `question` or `other`.
    pub kind: String,
    /// The code of its [`State`].
    pub state: String,
    /// The user who opened it, if it was one.
    pub opener: Option<Uuid>,
    /// When it was opened, in microseconds.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// Since when the operator is to answer, in microseconds.
    pub waiting_since: Option<i64>,
    /// Within how many hours it wants to; for the operator alone.
    pub hours: Option<i64>,
}

impl SupportCase {
    /// Until when the operator wants to have answered, in microseconds, while it is to answer.
    pub fn answer_by(&self) -> Option<i64> {
        Some(self.waiting_since? + self.hours? * 3_600_000_000)
    }

    /// Who opened it.
    pub fn opened_by(&self) -> Home {
        match self.home_kind.as_str() {
            "partner" => Home::Partner(TenantId(self.home)),
            "reporter" => Home::Reporter(ReporterId(self.home)),
            _ => Home::Customer(TenantId(self.home)),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> Result<State> {
        State::from_code(&self.state).ok_or_else(|| Error::bad("support_cases", &self.state))
    }
}

/// A message.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Message {
    /// Its id.
    pub id: Uuid,
    /// `home` or `operator`.
    pub side: String,
    /// What was written.
    pub body: String,
    /// When.
    pub at: i64,
}

/// A serial that is missed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Missed {
    /// The serial, in its normal form where it has one.
    pub serial: String,
    /// The code of what the platform said of it when it was listed.
    pub finding: String,
    /// `approved`, `refused` or not decided.
    pub decision: Option<String>,
    /// Why it was decided so.
    pub reason: Option<String>,
    /// When it was listed first, in microseconds.
    pub listed_at: i64,
}

macro_rules! case_sql {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.number, c.home, COALESCE(p.name, t.name, n.name, '') AS home_name, ",
            "COALESCE(p.number, n.number, '') AS home_number, CASE WHEN p.tenant IS NOT NULL THEN 'partner' ",
            "WHEN n.id IS NOT NULL THEN 'reporter' ELSE 'customer' END AS home_kind, c.kind, c.state, c.opener, c.created_at, c.updated_at, ",
            "c.waiting_since, h.hours FROM support_cases c LEFT JOIN partners p ON p.tenant = c.home ",
            "LEFT JOIN tenants t ON t.id = c.home LEFT JOIN reporters n ON n.id = c.home ",
            "LEFT JOIN support_response_hours h ON h.kind = c.kind ",
            "WHERE ($1 IS NULL OR c.home = $1) AND ",
            $rest
        )
    };
}

macro_rules! missed_sql {
    ($rest:literal) => {
        concat!(
            "SELECT s.serial, s.finding, s.decision, s.reason, s.listed_at FROM support_serials s ",
            "JOIN support_cases c ON c.id = s.support_case ",
            "WHERE s.support_case = $1 AND ($2 IS NULL OR c.home = $2) ",
            $rest
        )
    };
}

/// The home to bind; `None` for the operator, who reads all of them.
fn home(scope: &Scope) -> Option<Uuid> {
    scope.home()
}

/// Opens a case of a tenant or reporter.
pub async fn create(
    tx: &mut Tx,
    scope: &Scope,
    id: SupportCaseId,
    number: &str,
    home: Uuid,
    kind: &str,
    opener: Option<Uuid>,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO support_cases (id, number, home, kind, state, opener, created_at, updated_at, \
         waiting_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7)",
        args![id, number, home, kind, State::New.as_str(), opener, at],
    )
    .await?;
    Ok(())
}

/// The case with this id or number, if the scope reaches it.
pub async fn find(tx: &mut Tx, scope: &Scope, id_or_number: &str) -> Result<Option<SupportCase>> {
    let text = id_or_number.trim();
    tx.optional(
        case_sql!("(c.id = $2 OR c.number = $3)"),
        args![home(scope), text.parse::<Uuid>().ok(), text.to_uppercase()],
    )
    .await
}

/// The case as it stands now. Nobody else changes it until this transaction ends, so that two who decide at the same
/// moment do so one after the other.
pub async fn hold(tx: &mut Tx, scope: &Scope, id: SupportCaseId) -> Result<Option<SupportCase>> {
    scope.platform()?;
    let there: Option<(Uuid,)> = tx.hold("SELECT id FROM support_cases WHERE id = $1", args![id]).await?;
    match there {
        None => Ok(None),
        Some(_) => find(tx, scope, &id.to_string()).await,
    }
}

/// The cases that the scope reaches, newest first; `open` leaves out what is closed.
pub async fn list(tx: &mut Tx, scope: &Scope, open: bool, page: &Page) -> Result<Option<Rows<SupportCase>>> {
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<SupportCase> = tx
        .all(
            case_sql!("c.id < $2 AND (NOT $3 OR c.state <> 'closed') ORDER BY c.id DESC LIMIT $4"),
            args![home(scope), after.unwrap_or(Uuid::max()), open, rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |case| case.id)))
}

/// The messages of a case that [`find`] gave, oldest first.
pub async fn messages(tx: &mut Tx, scope: &Scope, case: &SupportCase) -> Result<Vec<Message>> {
    tx.all(
        "SELECT m.id, m.side, m.body, m.at FROM support_messages m JOIN support_cases c ON c.id = m.support_case \
         WHERE m.support_case = $1 AND ($2 IS NULL OR c.home = $2) ORDER BY m.id LIMIT 1000",
        args![case.id, home(scope)],
    )
    .await
}

/// The serials of a case that [`find`] gave.
pub async fn serials(tx: &mut Tx, scope: &Scope, case: &SupportCase) -> Result<Vec<Missed>> {
    tx.all(missed_sql!("ORDER BY s.serial"), args![case.id, home(scope)]).await
}

/// A page of the serials of a case that [`find`] gave. `None` for a cursor that is none.
pub async fn serials_page(
    tx: &mut Tx,
    scope: &Scope,
    case: &SupportCase,
    page: &Page,
) -> Result<Option<Rows<Missed>>> {
    let Ok(after) = page.after::<String>() else { return Ok(None) };
    let rows = page.rows();
    let items: Vec<Missed> = tx
        .all(
            missed_sql!("AND s.serial > $3 ORDER BY s.serial LIMIT $4"),
            args![case.id, home(scope), after.unwrap_or_default(), rows + 1],
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |missed| missed.serial.clone())))
}

/// How many serials a case lists.
pub async fn count_serials(tx: &mut Tx, scope: &Scope, case: SupportCaseId) -> Result<i64> {
    scope.platform()?;
    tx.number("SELECT COUNT(*) FROM support_serials WHERE support_case = $1", args![case]).await
}

/// Adds a message.
pub async fn say(
    tx: &mut Tx,
    scope: &Scope,
    case: SupportCaseId,
    id: Uuid,
    by_operator: bool,
    body: &str,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let (actor_kind, actor) = match scope.actor() {
        Actor::User(id) => ("user", Some(id.0)),
        Actor::Token(id) => ("token", Some(id.0)),
        Actor::Device(id) => ("device", Some(id.0)),
        Actor::OutsideDesk(id) => ("outside_desk", Some(id.0)),
        Actor::System => ("system", None),
    };
    let side = if by_operator { "operator" } else { "home" };
    tx.execute(
        "INSERT INTO support_messages (id, support_case, side, actor_kind, actor, body, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![id, case, side, actor_kind, actor, body, at],
    )
    .await?;
    Ok(())
}

/// Lists serials with what the platform said of each; one that is listed again is judged again.
pub async fn add_serials(
    tx: &mut Tx,
    scope: &Scope,
    case: SupportCaseId,
    findings: &[(String, Finding)],
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let mut bulk = Bulk::new(
        "INSERT INTO support_serials (support_case, serial, finding, listed_at)",
        4,
        "ON CONFLICT (support_case, serial) DO UPDATE SET finding = excluded.finding",
    );
    for (serial, finding) in findings {
        bulk.push(tx, args![case, serial, finding.code(), at]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// Writes a decision about serials.
pub async fn decide(
    tx: &mut Tx,
    scope: &Scope,
    case: SupportCaseId,
    serials: &[&str],
    approve: bool,
    reason: &str,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    let decision = if approve { "approved" } else { "refused" };
    let _decided: Vec<(String,)> = tx
        .all_of_set(
            "UPDATE support_serials SET decision = $2, reason = $3, decided_at = $4 \
             WHERE support_case = $1 AND serial IN (SELECT x.value FROM <set> x) RETURNING serial",
            args![case, decision, reason, at],
            serials,
        )
        .await?;
    Ok(())
}

/// Writes where a case stands.
pub async fn set_state(
    tx: &mut Tx,
    scope: &Scope,
    case: SupportCaseId,
    state: State,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "UPDATE support_cases SET state = $2, updated_at = $3, waiting_since = \
         CASE WHEN $2 IN ('new', 'in_work') THEN COALESCE(waiting_since, $3) END WHERE id = $1",
        args![case, state.as_str(), at],
    )
    .await?;
    Ok(())
}

/// A product number that any line gives for each of these serials.
pub async fn products(tx: &mut Tx, scope: &Scope, serials: &[&str]) -> Result<HashMap<String, String>> {
    scope.platform()?;
    let rows: Vec<(String, String)> = tx
        .all_of_set(
            "SELECT l.serial, l.product_number FROM <set> s CROSS JOIN report_lines l \
             WHERE l.serial = s.value AND l.transaction_kind IS NOT NULL \
             AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) AND l.product_number <> ''",
            args![],
            serials,
        )
        .await?;
    Ok(rows.into_iter().collect())
}

/// The numbers that lines with these serials wait for.
pub async fn waited_for(tx: &mut Tx, scope: &Scope, serials: &[&str]) -> Result<BTreeSet<String>> {
    scope.platform()?;
    let rows: Vec<(String,)> = tx
        .all_of_set(
            "SELECT l.waits_for FROM <set> s CROSS JOIN report_lines l CROSS JOIN reports r \
             WHERE l.serial = s.value AND r.id = l.report AND l.transaction_kind IS NOT NULL \
             AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) AND l.waits_for IS NOT NULL \
             AND NOT r.validate_only",
            args![],
            serials,
        )
        .await?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

/// The open cases with serials of which none is refused and every one may be solved: a PC in its opener's reach, or taken
/// from a line of the reporter that opened it. Whether each is solved the rules say, from what the opener may know.
pub async fn likely_solved(tx: &mut Tx, scope: &Scope) -> Result<Vec<SupportCase>> {
    scope.platform()?;
    // The conditions of the partial indexes by serial stand word for word, so that SQLite uses them.
    tx.all(
        case_sql!(
            "c.state NOT IN ('solved', 'closed') \
             AND EXISTS (SELECT 1 FROM support_serials s WHERE s.support_case = c.id) \
             AND NOT EXISTS (SELECT 1 FROM support_serials s WHERE s.support_case = c.id \
             AND (s.decision = 'refused' OR NOT (EXISTS (SELECT 1 FROM devices d JOIN placements p ON p.device = d.id \
             JOIN tenants t ON t.id = p.tenant WHERE d.serial = s.serial AND (t.parent = c.home OR t.id = c.home)) \
             OR EXISTS (SELECT 1 FROM report_lines l JOIN reports r ON r.id = l.report WHERE l.serial = s.serial \
             AND l.transaction_kind IS NOT NULL AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL) \
             AND (l.verdict IN ('placed', 'duplicate') OR (l.verdict >= 'recorded.' AND l.verdict < 'recorded/')) \
             AND r.reporter = c.home AND NOT r.validate_only) \
             OR EXISTS (SELECT 1 FROM report_lines l JOIN reports r ON r.id = l.report WHERE l.serial = s.serial \
             AND (l.transaction_kind IS NULL OR (l.verdict = 'duplicate' AND l.reasons IS NULL)) \
             AND l.verdict = 'duplicate' AND r.reporter = c.home AND NOT r.validate_only)))) LIMIT 1000"
        ),
        args![None::<Uuid>],
    )
    .await
}

/// Whether any case is open, so that a report's end costs nothing where none is.
pub async fn any_open(tx: &mut Tx, scope: &Scope) -> Result<bool> {
    scope.platform()?;
    let open = tx
        .number(
            "SELECT COUNT(*) FROM (SELECT 1 FROM support_cases WHERE state IN ('new', 'waiting_for_partner', 'in_work') \
             LIMIT 1) o",
            args![],
        )
        .await?;
    Ok(open > 0)
}

/// Name, address and language of those who take part: the operator's team, or the user who opened the case.
pub async fn readers(
    tx: &mut Tx,
    scope: &Scope,
    opener: Option<Uuid>,
) -> Result<Vec<(String, String, Option<String>)>> {
    scope.platform()?;
    match opener {
        None => {
            tx.all(
                "SELECT name, email, language FROM users WHERE home IS NULL AND role = 'operator' \
                 AND deactivated_at IS NULL AND case_mails LIMIT 100",
                args![],
            )
            .await
        }
        Some(id) => {
            tx.all(
                "SELECT name, email, language FROM users WHERE id = $1 AND deactivated_at IS NULL \
                 AND case_mails",
                args![id],
            )
            .await
        }
    }
}
