//! Repair cases: requests to repair one PC, with what its desk does about each.

use roadstead_domain::access::{Denied, Reach, Scope};
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, RepairCaseId, TenantId};
use roadstead_domain::repair_case::{Desk, Progress, Side, State};
use uuid::Uuid;

use crate::args;
use crate::engine::{Arg, Tx};
use crate::error::{Error, Result};
use crate::page::{Page, Rows};

/// A repair case, whole. What of it a side is shown is for the flow to say.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RepairCase {
    /// Its id.
    pub id: Uuid,
    /// The number that people read out.
    pub number: String,
    /// The PC.
    pub device: Uuid,
    /// The number under which the PC was told of its last change.
    pub device_seq: i64,
    /// The serial.
    pub serial: String,
    /// The model.
    pub model: String,
    /// The product number.
    pub product_number: String,
    /// The PC's level when it was opened.
    pub support_level: Option<String>,
    /// The tenant that had the PC when it was opened.
    pub tenant: Uuid,
    /// The generation of its placement then; an undo takes it along.
    pub generation: i64,
    /// Whether the PC is in that very stay still, as far as the reader can see.
    pub is_present: bool,
    /// The tenant's partner then.
    pub partner: Option<Uuid>,
    /// That partner's name.
    pub partner_name: String,
    /// The alert that it was made of.
    pub alert: Option<Uuid>,
    /// The alert's kind.
    pub kind: String,
    /// What was found.
    pub found: String,
    /// The pop-up that it was made of.
    pub pop_up: Option<Uuid>,
    /// `user`, `partner`, `customer` or `desk`.
    pub opener: String,
    /// The tenant of whoever opened it in the user's place.
    pub opener_home: Option<Uuid>,
    /// Who called, where it was opened by hand.
    pub opener_note: String,
    /// `customer_support` or `csdp`.
    pub desk: String,
    /// The partner whose CSDP account it is.
    pub desk_partner: Option<Uuid>,
    /// Why it went there: a stable code.
    pub desk_reason: String,
    /// Why it was handed over; empty if it was not.
    pub handed_over: String,
    /// The code of its [`State`].
    pub state: String,
    /// Who of the desk has it.
    pub assignee: Option<Uuid>,
    /// Their name.
    pub assignee_name: Option<String>,
    /// Whom to turn to.
    pub contact_name: String,
    /// Their address.
    pub contact_email: String,
    /// Their telephone number.
    pub contact_phone: String,
    /// What the user wrote.
    pub message: String,
    /// When a visit would suit.
    pub preferred_times: String,
    /// The user's language.
    pub language: String,
    /// Whether the user turned mails about it off.
    pub mails_muted: bool,
    /// When somebody comes, in microseconds.
    pub appointment_from: Option<i64>,
    /// Until when.
    pub appointment_until: Option<i64>,
    /// The time zone's name.
    pub appointment_zone: Option<String>,
    /// What the desk says about it.
    pub appointment_note: Option<String>,
    /// What the desk asked last and was not answered.
    pub question: Option<String>,
    /// How often parts were ordered for it.
    pub part_orders: i64,
    /// What came of it.
    pub result: Option<String>,
    /// The failure's code.
    pub failure_code: Option<String>,
    /// The case that it became part of.
    pub merged_into: Option<Uuid>,
    /// The reference of the reimbursement claim.
    pub claim_reference: Option<String>,
    /// When it was claimed.
    pub claimed_at: Option<i64>,
    /// When it was opened.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
}

impl RepairCase {
    /// Where it stands.
    pub fn state(&self) -> Result<State> {
        State::from_code(&self.state).ok_or_else(|| Error::bad("repair_cases", &self.state))
    }

    /// Where it stands, with what a question does not undo.
    pub fn progress(&self) -> Result<Progress> {
        let has_appointment = self.appointment_from.is_some();
        Ok(Progress { state: self.state()?, has_appointment, has_parts: self.part_orders > 0 })
    }

    /// Whose it is to work on.
    pub fn desk(&self) -> Desk {
        match self.desk_partner {
            Some(partner) if self.desk == "csdp" => Desk::Csdp(TenantId(partner)),
            _ => Desk::CustomerSupport,
        }
    }

    /// As what the scope stands to it. Who opened a case for its own desk is both; the desk counts.
    pub fn side(&self, scope: &Scope) -> Side {
        match (scope.reach(), self.desk()) {
            (Reach::Desk, Desk::CustomerSupport) => Side::Desk,
            (Reach::Partner(home), Desk::Csdp(partner)) if home == partner => Side::Desk,
            _ if self.is_opener(scope) => Side::Opener,
            _ => Side::Onlooker,
        }
    }

    /// Whether the scope opened it in the user's place.
    pub fn is_opener(&self, scope: &Scope) -> bool {
        scope.home().is_some() && scope.home() == self.opener_home
    }

    /// Whether the scope is shown whom to turn to and what the user wrote: the desk to which it was sent; the customer
    /// whose people they are until the PC is moved, and whoever wrote it in the user's place until then or until the case
    /// is over (decision 38).
    pub fn shows_person(&self, scope: &Scope) -> bool {
        match self.side(scope) {
            Side::Desk => true,
            Side::Opener => self.is_present || self.state().is_ok_and(State::is_open),
            Side::Onlooker => self.is_present && scope.home() == Some(self.tenant),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.number, r.device, r.device_seq, r.serial, r.model, r.product_number, r.support_level, ",
            "r.tenant, r.generation, EXISTS (SELECT 1 FROM placements s WHERE s.device = r.device ",
            "AND s.generation = r.generation) AS is_present, ",
            "r.partner, r.partner_name, r.alert, r.kind, r.found, r.pop_up, r.opener, ",
            "r.opener_home, r.opener_note, r.desk, r.desk_partner, r.desk_reason, r.handed_over, r.state, r.assignee, ",
            "u.name AS assignee_name, r.contact_name, r.contact_email, r.contact_phone, r.message, r.preferred_times, ",
            "r.language, r.mails_muted, r.appointment_from, r.appointment_until, r.appointment_zone, r.appointment_note, ",
            "r.question, (SELECT COUNT(*) FROM repair_parts o WHERE o.repair_case = r.id) AS part_orders, ",
            "r.result, r.failure_code, r.merged_into, r.claim_reference, r.claimed_at, r.created_at, r.updated_at ",
            "FROM repair_cases r LEFT JOIN users u ON u.id = r.assignee WHERE ",
            $rest
        )
    };
}

/// What binds the rows: everything, customer support's, a partner's, a customer's.
fn reached(scope: &Scope) -> Result<[Arg; 4]> {
    let (all, desk, partner, customer) = match scope.reach() {
        Reach::Platform => (true, false, None, None),
        Reach::Desk => (false, true, None, None),
        Reach::Partner(partner) => (false, false, Some(partner), None),
        Reach::Customer(customer) => (false, false, None, Some(customer)),
        Reach::Reporter(_) => return Err(Denied::NotFound.into()),
    };
    Ok([all.into(), desk.into(), partner.into(), customer.into()])
}

/// A case on its way in.
#[derive(Clone, Debug)]
pub struct NewCase<'a> {
    /// Its id.
    pub id: RepairCaseId,
    /// The number that people read out.
    pub number: &'a str,
    /// The PC as it is.
    pub pc: &'a crate::alerts::Pc,
    /// The alert, its kind, and what was found.
    pub alert: Option<Uuid>,
    /// The alert's kind.
    pub kind: &'a str,
    /// What was found.
    pub found: &'a str,
    /// The pop-up and the id that the PC made.
    pub pop_up: Option<(Uuid, Uuid)>,
    /// `user`, `partner`, `customer` or `desk`, and the tenant of whoever opened it in the user's place.
    pub opener: (&'static str, Option<Uuid>),
    /// Who called.
    pub opener_note: &'a str,
    /// Where it goes.
    pub desk: Desk,
    /// Why: a stable code.
    pub desk_reason: &'static str,
    /// Name, address and telephone number of whom to turn to.
    pub contact: [&'a str; 3],
    /// What the user wrote.
    pub message: &'a str,
    /// When a visit would suit.
    pub preferred_times: &'a str,
    /// The user's language.
    pub language: &'a str,
}

/// Writes a case. [`Error::Conflict`] if its pop-up has one.
pub async fn create(tx: &mut Tx, scope: &Scope, new: &NewCase<'_>, at: Micros) -> Result<()> {
    scope.platform()?;
    let device = DeviceId(new.pc.id);
    let seq = crate::pop_ups::next_seq(tx, device).await?;
    let [contact_name, contact_email, contact_phone] = new.contact;
    tx.execute(
        "INSERT INTO repair_cases (id, number, device, device_seq, serial, model, product_number, support_level, tenant, \
         generation, partner, partner_name, alert, kind, found, pop_up, submitted, opener, opener_home, opener_note, \
         desk, desk_partner, desk_reason, handed_over, state, contact_name, contact_email, contact_phone, message, \
         preferred_times, language, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, '', 'new', $24, $25, $26, $27, $28, $29, $30, $30)",
        args![
            new.id,
            new.number,
            device,
            seq,
            &new.pc.serial,
            &new.pc.model,
            &new.pc.product_number,
            new.pc.level.clone(),
            new.pc.tenant,
            new.pc.generation,
            new.pc.partner,
            new.pc.partner_name.clone().unwrap_or_default(),
            new.alert,
            new.kind,
            new.found,
            new.pop_up.map(|(pop_up, _)| pop_up),
            new.pop_up.map(|(_, submitted)| submitted),
            new.opener.0,
            new.opener.1,
            new.opener_note,
            desk_code(new.desk),
            new.desk.partner(),
            new.desk_reason,
            contact_name,
            contact_email,
            contact_phone,
            new.message,
            new.preferred_times,
            new.language,
            at
        ],
    )
    .await?;
    Ok(())
}

fn desk_code(desk: Desk) -> &'static str {
    match desk {
        Desk::CustomerSupport => "customer_support",
        Desk::Csdp(_) => "csdp",
    }
}

/// The case with this id or number, if the scope reaches it.
pub async fn find(tx: &mut Tx, scope: &Scope, id_or_number: &str) -> Result<Option<RepairCase>> {
    let text = id_or_number.trim();
    let mut args = Vec::from(reached(scope)?);
    args.extend(args![text.parse::<Uuid>().ok(), text.to_uppercase()]);
    tx.optional(
        select!(
            "(r.id = $5 OR r.number = $6) AND ($1 OR ($2 AND r.desk = 'customer_support') OR r.partner = $3 \
             OR r.desk_partner = $3 OR r.tenant = $4)"
        ),
        args,
    )
    .await
}

/// Which cases of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Leave out what is over.
    pub open: bool,
    /// Only those of the scope's own desk.
    pub own_desk: bool,
}

/// The cases that the scope reaches, newest first.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    filter: Filter,
    page: &Page,
) -> Result<Option<Rows<RepairCase>>> {
    let Ok(after) = page.after::<Uuid>() else { return Ok(None) };
    let rows = page.rows();
    let mut args = Vec::from(reached(scope)?);
    args.extend(args![after.unwrap_or(Uuid::max()), filter.open, filter.own_desk, rows + 1]);
    let items: Vec<RepairCase> = tx
        .all(
            select!(
                "r.id < $5 AND ($1 OR ($2 AND r.desk = 'customer_support') OR (r.partner = $3 AND NOT $7) \
                 OR r.desk_partner = $3 OR r.tenant = $4) \
                 AND (NOT $6 OR r.state NOT IN ('closed', 'cancelled')) ORDER BY r.id DESC LIMIT $8"
            ),
            args,
        )
        .await?;
    Ok(Some(Rows::cut(items, rows, |case| case.id)))
}

/// The case that was made of this pop-up, or of what the PC sent under this id.
pub async fn of_submit(
    tx: &mut Tx,
    scope: &Scope,
    device: DeviceId,
    pop_up: Uuid,
    submitted: Option<Uuid>,
) -> Result<Option<RepairCase>> {
    scope.platform()?;
    tx.optional(
        select!("r.device = $1 AND (r.pop_up = $2 OR r.submitted = $3) ORDER BY r.id LIMIT 1"),
        args![device, pop_up, submitted],
    )
    .await
}

/// The open case that was made of this alert, or that such a case became part of.
pub async fn open_of_alert(
    tx: &mut Tx,
    scope: &Scope,
    alert: Uuid,
    device: DeviceId,
) -> Result<Option<RepairCase>> {
    scope.platform()?;
    tx.optional(
        select!(
            "r.device = $1 AND r.state NOT IN ('closed', 'cancelled') AND r.id IN (WITH RECURSIVE \
             holders(id, merged_into) AS (SELECT c.id, c.merged_into FROM repair_cases c WHERE c.device = $1 \
             AND c.alert = $2 UNION SELECT c.id, c.merged_into FROM holders h CROSS JOIN repair_cases c \
             WHERE c.id = h.merged_into) SELECT h.id FROM holders h) ORDER BY r.id LIMIT 1"
        ),
        args![device, alert],
    )
    .await
}

/// The alerts whose repair is over when this case is: its own and those of the cases that became part of it, but none of
/// which another case is open. In the order of their ids, in which they are held.
pub async fn alerts_ended_by(tx: &mut Tx, scope: &Scope, case: &RepairCase) -> Result<Vec<Uuid>> {
    scope.platform()?;
    let rows: Vec<(Uuid,)> = tx
        .all(
            "WITH RECURSIVE parts(id, alert) AS (SELECT r.id, r.alert FROM repair_cases r WHERE r.id = $1 \
             UNION SELECT r.id, r.alert FROM parts p CROSS JOIN repair_cases r WHERE r.device = $2 \
             AND r.merged_into = p.id) SELECT DISTINCT p.alert FROM parts p WHERE p.alert IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM repair_cases o WHERE o.device = $2 AND o.alert = p.alert AND o.id <> $1 \
             AND o.state NOT IN ('closed', 'cancelled')) ORDER BY p.alert",
            args![case.id, case.device],
        )
        .await?;
    Ok(rows.into_iter().map(|(alert,)| alert).collect())
}

/// The case, if it is of this PC and was sent from it or in its user's place while the PC was where it is.
pub async fn of_device(
    tx: &mut Tx,
    scope: &Scope,
    device: DeviceId,
    id: RepairCaseId,
) -> Result<Option<RepairCase>> {
    scope.platform()?;
    tx.optional(select!("r.device = $1 AND r.id = $2"), args![device, id]).await
}

/// Cases of a PC that changed after this number; without a number those that are open.
pub async fn changes(
    tx: &mut Tx,
    scope: &Scope,
    device: DeviceId,
    after: Option<i64>,
) -> Result<Vec<RepairCase>> {
    scope.platform()?;
    match after {
        Some(seq) => {
            tx.all(select!("r.device = $1 AND r.device_seq > $2 ORDER BY r.device_seq LIMIT 1000"), args![device, seq])
                .await
        }
        None => {
            tx.all(
                select!("r.device = $1 AND r.state NOT IN ('closed', 'cancelled') ORDER BY r.device_seq LIMIT 1000"),
                args![device],
            )
            .await
        }
    }
}

/// Writes where a case stands and all that its desk may change.
pub async fn update(tx: &mut Tx, scope: &Scope, case: &RepairCase, at: Micros) -> Result<()> {
    scope.platform()?;
    let seq = crate::pop_ups::next_seq(tx, DeviceId(case.device)).await?;
    tx.execute(
        "UPDATE repair_cases SET device_seq = $2, state = $3, assignee = $4, appointment_from = $5, \
         appointment_until = $6, appointment_zone = $7, appointment_note = $8, question = $9, result = $10, \
         failure_code = $11, merged_into = $12, claim_reference = $13, claimed_at = $14, desk = $15, \
         desk_partner = $16, desk_reason = $17, handed_over = $18, updated_at = $19 WHERE id = $1",
        args![
            case.id,
            seq,
            &case.state,
            case.assignee,
            case.appointment_from,
            case.appointment_until,
            case.appointment_zone.clone(),
            case.appointment_note.clone(),
            case.question.clone(),
            case.result.clone(),
            case.failure_code.clone(),
            case.merged_into,
            case.claim_reference.clone(),
            case.claimed_at,
            &case.desk,
            case.desk_partner,
            &case.desk_reason,
            &case.handed_over,
            at
        ],
    )
    .await?;
    Ok(())
}

/// The secret of the link by which the user of a case turns its mails off: the fresh one, if there is none yet. None once they
/// have done so.
pub async fn mute_secret(tx: &mut Tx, scope: &Scope, id: Uuid, fresh: &str) -> Result<Option<String>> {
    scope.platform()?;
    let row: Option<(String,)> = tx
        .optional(
            "UPDATE repair_cases SET mute_secret = COALESCE(mute_secret, $2) WHERE id = $1 AND NOT mails_muted \
             RETURNING mute_secret",
            args![id, fresh],
        )
        .await?;
    Ok(row.map(|(secret,)| secret))
}

/// The case whose user has the link with this secret.
pub async fn of_link(tx: &mut Tx, scope: &Scope, secret: &str) -> Result<Option<RepairCase>> {
    scope.platform()?;
    tx.optional(select!("r.mute_secret = $1"), args![secret]).await
}

/// Turns mails to the user of a case off.
pub async fn mute(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<()> {
    scope.platform()?;
    tx.execute("UPDATE repair_cases SET mails_muted = TRUE WHERE id = $1", args![id]).await?;
    Ok(())
}

/// The case again, so that nobody else changes it before the commit.
pub async fn lock(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<RepairCase>> {
    scope.platform()?;
    // The row is locked by a change of nothing, on both engines in the same words.
    tx.execute("UPDATE repair_cases SET state = state WHERE id = $1", args![id]).await?;
    tx.optional(select!("r.id = $1"), args![id]).await
}

/// Something written in a case.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Note {
    /// `note`, `question`, `answer` or `handed_over`.
    pub kind: String,
    /// What was written.
    pub body: String,
    /// By whom, where it was a user.
    pub author: Option<String>,
    /// When, in microseconds.
    pub at: i64,
}

/// What was written in a case that [`find`] gave, oldest first. The desk alone reads its notes.
pub async fn notes(tx: &mut Tx, case: &RepairCase, with_internal: bool) -> Result<Vec<Note>> {
    tx.all(
        "SELECT n.kind, n.body, u.name AS author, n.at FROM repair_notes n LEFT JOIN users u ON u.id = n.actor \
         WHERE n.repair_case = $1 AND ($2 OR n.kind IN ('question', 'answer')) ORDER BY n.id LIMIT 1000",
        args![case.id, with_internal],
    )
    .await
}

/// Writes something in a case.
pub async fn write(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    case: Uuid,
    (kind, body): (&'static str, &str),
    actor: Option<Uuid>,
    at: Micros,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO repair_notes (id, repair_case, kind, body, actor, at) VALUES ($1, $2, $3, $4, $5, $6)",
        args![id, case, kind, body, actor, at],
    )
    .await?;
    Ok(())
}

/// Ordered parts.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Part {
    /// The order's reference.
    pub order_reference: String,
    /// What was ordered.
    pub part: String,
    /// How many.
    pub quantity: i64,
    /// When, in microseconds.
    pub at: i64,
}

/// The parts of a case that [`find`] gave.
pub async fn parts(tx: &mut Tx, case: &RepairCase) -> Result<Vec<Part>> {
    tx.all(
        "SELECT order_reference, part, quantity, at FROM repair_parts WHERE repair_case = $1 ORDER BY id LIMIT 1000",
        args![case.id],
    )
    .await
}

/// Orders parts; `false` if the desk has used the reference before, be it for a case that is forgotten.
pub async fn order(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    case: &RepairCase,
    (reference, part, quantity): (&str, &str, i64),
    at: Micros,
) -> Result<bool> {
    scope.platform()?;
    let written = tx
        .execute(
            "INSERT INTO repair_parts (id, repair_case, desk, order_reference, part, quantity, at) \
             SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM spent_references s WHERE s.desk = $3 \
             AND s.order_reference = $4) ON CONFLICT DO NOTHING",
            args![id, case.id, case.desk().code(), reference, part, quantity, at],
        )
        .await?;
    Ok(written == 1)
}

/// Name, address and language of those who work at a desk and want mails.
pub async fn people_of(
    tx: &mut Tx,
    scope: &Scope,
    desk: Desk,
) -> Result<Vec<(String, String, Option<String>)>> {
    scope.platform()?;
    match desk {
        Desk::CustomerSupport => {
            tx.all(
                "SELECT name, email, language FROM users WHERE home IS NULL AND role = 'customer_support' \
                 AND deactivated_at IS NULL AND case_mails LIMIT 100",
                args![],
            )
            .await
        }
        Desk::Csdp(partner) => {
            tx.all(
                "SELECT name, email, language FROM users WHERE home = $1 AND role = 'partner_admin' \
                 AND deactivated_at IS NULL AND case_mails LIMIT 100",
                args![partner],
            )
            .await
        }
    }
}

/// Somebody who works at a desk.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Colleague {
    /// Who.
    pub id: Uuid,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// The language that they chose.
    pub language: Option<String>,
    /// Whether they want mails about cases.
    pub case_mails: bool,
}

/// Who works at the desk of a case that [`find`] gave to that very desk, by name.
pub async fn colleagues(tx: &mut Tx, case: &RepairCase) -> Result<Vec<Colleague>> {
    let desk = case.desk();
    tx.all(
        "SELECT id, name, email, language, case_mails FROM users WHERE deactivated_at IS NULL \
         AND (($1 AND home IS NULL AND role = 'customer_support') OR (home = $2 AND role = 'partner_admin')) \
         ORDER BY name, id LIMIT 500",
        args![desk == Desk::CustomerSupport, desk.partner()],
    )
    .await
}

/// Sends a customer's cases to customer support, whatever its partner is, or not.
pub async fn set_cases_to_support(
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
    to_support: bool,
) -> Result<()> {
    scope.platform()?;
    tx.execute("UPDATE customers SET cases_to_support = $2 WHERE tenant = $1", args![customer, to_support])
        .await?;
    Ok(())
}

/// Whether a customer sends its cases to customer support. The caller has found the customer.
pub async fn cases_to_support(tx: &mut Tx, customer: Uuid) -> Result<bool> {
    let row: Option<(bool,)> =
        tx.optional("SELECT cases_to_support FROM customers WHERE tenant = $1", args![customer]).await?;
    Ok(row.is_some_and(|(to_support,)| to_support))
}

/// The enrolment by which a PC's key came, for the log.
pub async fn enrolment_of(tx: &mut Tx, scope: &Scope, public_key: &str) -> Result<Option<Uuid>> {
    scope.platform()?;
    let row: Option<(Uuid,)> = tx
        .optional(
            "SELECT id FROM enrolments WHERE public_key = $1 AND state = 'enrolled' LIMIT 1",
            args![public_key],
        )
        .await?;
    Ok(row.map(|(id,)| id))
}

/// Forgets cases that ended before this instant, at most so many; how many. One that became part of another stays for as
/// long as that one: its alert is repaired with it. That a reference was used is kept.
pub async fn forget(tx: &mut Tx, scope: &Scope, before: Micros, most: i64) -> Result<u64> {
    scope.platform()?;
    let over: Vec<(Uuid,)> = tx
        .all(
            "SELECT r.id FROM repair_cases r WHERE r.state IN ('closed', 'cancelled') AND r.updated_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM repair_cases m WHERE m.id = r.merged_into) ORDER BY r.updated_at LIMIT $2",
            args![before, most],
        )
        .await?;
    for (id,) in &over {
        tx.execute(
            "INSERT INTO spent_references (desk, order_reference) SELECT desk, order_reference FROM repair_parts \
             WHERE repair_case = $1 ON CONFLICT DO NOTHING",
            args![*id],
        )
        .await?;
        for sql in [
            "DELETE FROM repair_parts WHERE repair_case = $1",
            "DELETE FROM repair_notes WHERE repair_case = $1",
            "DELETE FROM forwarded_cases WHERE repair_case = $1",
            "DELETE FROM repair_cases WHERE id = $1",
        ] {
            tx.execute(sql, args![*id]).await?;
        }
    }
    Ok(over.len() as u64)
}
