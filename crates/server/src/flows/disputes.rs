//! The operator looks at a dispute, with both evidences, decides it, and may undo that. Whoever has the PC finds the look in
//! its log (decision 15). A PC that goes to the other side goes by a report of the operator's, so that the one writer of
//! placements moves it; each side is told of its own half.

use roadstead_domain::access::{Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::dispute::{self, Held, Outcome, WITHDRAWAL_UNDONE};
use roadstead_domain::ids::ReportId;
use roadstead_domain::mail::MailKind;
use roadstead_domain::sale::Verdict;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::disputes::{self, Decision, Evidence, Holder, NewDecision};
use roadstead_store::mails::{self, NewMail};
use roadstead_store::{Tx, partners};
use uuid::Uuid;

use super::Refused;
use super::operator_report::{OwnLine, prepare, record};
use super::submit_report::Preparation;
use crate::app::App;

/// A dispute with both sides.
#[derive(Debug)]
pub struct Dispute {
    /// The line that is disputed.
    pub line: Evidence,
    /// Who has the PC, and by what.
    pub holder: Option<Holder>,
    /// What was decided, if anything.
    pub decision: Option<Decision>,
}

/// Looks at one.
pub async fn look(app: &App, scope: &Scope, report: ReportId, line: i64) -> Result<Dispute, Refused> {
    let mut tx = app.store.write(scope).await?;
    let line = disputes::get(&mut tx, scope, report, line).await?.ok_or(Denied::NotFound)?;
    let holder = disputes::holder(&mut tx, scope, &line).await?;
    let decision = disputes::decision(&mut tx, scope, ReportId(line.report), line.line).await?;
    if let Some(holder) = &holder {
        let entry = NewEntry {
            home: Some(holder.partner),
            action: AuditAction::DeviceLookedAt,
            subject: Some(holder.device),
            detail: serde_json::json!({ "serial_number": line.serial, "dispute": line.verdict }),
        };
        audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    }
    tx.commit().await?;
    Ok(Dispute { line, holder, decision })
}

fn held(holder: Option<&Holder>) -> Held {
    match holder {
        None => Held::Nowhere,
        Some(holder) if holder.with_customer => Held::Customer,
        Some(_) => Held::Pool,
    }
}

/// Decides a dispute. Upheld, the PC goes to the line's seller by a report, which is returned.
pub async fn decide(
    app: &App,
    scope: &Scope,
    report: ReportId,
    line: i64,
    outcome: Outcome,
    reason: &str,
) -> Result<Option<ReportId>, Refused> {
    super::filled("reason", reason.trim())?;
    let Dispute { line, holder, decision } = look(app, scope, report, line).await?;
    if decision.is_some() {
        return Err(Refused::Conflict("dispute.decided"));
    }
    let verdict = Verdict::from_code(&line.verdict).ok_or(Denied::NotFound)?;
    dispute::check(verdict, held(holder.as_ref()), outcome).map_err(Refused::Conflict)?;
    let id: Uuid = app.ambient.id();
    let moves = match outcome {
        Outcome::Dismissed => None,
        Outcome::Upheld => {
            let from = holder.as_ref().map(|holder| holder.partner_number.as_str());
            Some(go(app, scope, id, &line, from, &line.seller).await?)
        }
    };
    // The decision and the report that carries it out, or neither.
    let mut tx = app.store.write(scope).await?;
    let moved_by = match &moves {
        Some(report) => Some(record(app, &mut tx, scope, report).await?.report()),
        None => None,
    };
    let new = NewDecision {
        id,
        report,
        line: line.line,
        outcome,
        reason: reason.trim(),
        holder: holder.as_ref().map(|holder| holder.partner),
        moved_by,
    };
    let taken = |error: roadstead_store::Error| match error {
        roadstead_store::Error::Conflict(_) => Refused::Conflict("dispute.decided"),
        other => other.into(),
    };
    disputes::decide(&mut tx, scope, new, app.ambient.now()).await.map_err(taken)?;
    let holder = holder.map(|holder| holder.partner);
    tell(app, &mut tx, scope, AuditAction::DisputeDecided, &line, holder, (outcome, reason.trim())).await?;
    tx.commit().await?;
    app.wake();
    Ok(moved_by)
}

/// Takes a decision back; a PC that it moved goes back by a report, if it is still where it went.
pub async fn undo(
    app: &App,
    scope: &Scope,
    report: ReportId,
    line: i64,
) -> Result<Option<ReportId>, Refused> {
    let Dispute { line, holder, decision } = look(app, scope, report, line).await?;
    let decision = decision.ok_or(Refused::Conflict("dispute.open"))?;
    let outcome = Outcome::from_code(&decision.outcome).unwrap_or(Outcome::Dismissed);
    let mut moves = None;
    if let (Outcome::Upheld, Some(before)) = (outcome, decision.holder) {
        let seller = partners::number_key(&line.seller);
        let still = holder
            .as_ref()
            .is_some_and(|now| !now.with_customer && partners::number_key(&now.partner_number) == seller);
        if !still {
            return Err(Refused::Conflict("dispute.moved_on"));
        }
        let mut tx = app.store.read(scope).await?;
        let back = partners::find(&mut tx, scope, &before.to_string()).await?.ok_or(Denied::NotFound)?;
        drop(tx);
        let id: Uuid = app.ambient.id();
        moves = Some(go(app, scope, id, &line, Some(&line.seller), &back.number).await?);
    }
    let mut tx = app.store.write(scope).await?;
    let undone_by = match &moves {
        Some(report) => Some(record(app, &mut tx, scope, report).await?.report()),
        None => None,
    };
    if !disputes::undo(&mut tx, scope, decision.id, undone_by, app.ambient.now()).await? {
        return Err(Refused::Conflict("dispute.open"));
    }
    let what = (outcome, decision.reason.as_str());
    tell(app, &mut tx, scope, AuditAction::DisputeReopened, &line, decision.holder, what).await?;
    tx.commit().await?;
    app.wake();
    Ok(undone_by)
}

/// Disputes closed by one statement.
const CHUNK: i64 = 1_000;

/// Closes what a withdrawal that is undone had disputed, in the caller's transaction: nobody wants those PCs back any more.
/// The operator and each seller find it in their logs.
pub(super) async fn close_undone(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    withdrawal: ReportId,
) -> roadstead_store::Result<()> {
    loop {
        let open = disputes::open_of(tx, scope, withdrawal, CHUNK).await?;
        if open.is_empty() {
            return Ok(());
        }
        let ids = app.ambient.ids::<Uuid>(open.len()).into_iter();
        let lines: Vec<(Uuid, i64)> = ids.zip(open.iter().map(|dispute| dispute.line)).collect();
        disputes::dismiss(tx, scope, withdrawal, &lines, WITHDRAWAL_UNDONE, app.ambient.now()).await?;
        let outcome = Outcome::Dismissed.as_str();
        let entry =
            |home, detail| NewEntry { home, action: AuditAction::DisputeDecided, subject: None, detail };
        let mut entries = Vec::with_capacity(2 * open.len());
        for dispute in &open {
            let whole = serde_json::json!({
                "serial_number": dispute.serial, "outcome": outcome, "reason": WITHDRAWAL_UNDONE,
                "report": withdrawal, "line": dispute.line,
            });
            entries.push(entry(None, whole));
            if let Some(seller) = dispute.seller {
                let half = serde_json::json!({
                    "serial_number": dispute.serial, "outcome": outcome, "side": "line",
                });
                entries.push(entry(Some(seller), half));
            }
        }
        audit::record(tx, scope.actor(), &entries, &app.ambient).await?;
    }
}

/// The report of the operator's by which the PC goes from one seller to another: a return and a sale.
async fn go(
    app: &App,
    scope: &Scope,
    id: Uuid,
    line: &Evidence,
    from: Option<&str>,
    to: &str,
) -> Result<Preparation, Refused> {
    let invoice = format!("DISPUTE-{id}");
    let own = |transaction, seller| OwnLine {
        transaction,
        seller,
        product: if line.product_number.is_empty() { "UNKNOWN" } else { &line.product_number },
        serial: &line.serial,
        manufacturer: &line.manufacturer,
        invoice: &invoice,
    };
    let lines: Vec<OwnLine<'_>> =
        from.map(|from| own("return", from)).into_iter().chain([own("sale", to)]).collect();
    prepare(app, scope, &format!("dispute-{id}.csv"), &lines).await
}

/// A line in the operator's log, with the reason, and one in each side's, of its own half alone; and a mail to each.
async fn tell(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    action: AuditAction,
    line: &Evidence,
    holder: Option<Uuid>,
    (outcome, reason): (Outcome, &str),
) -> Result<(), Refused> {
    let seller = partners::find_number(tx, scope, &line.seller).await?.map(|seller| seller.id);
    let entry = |home, detail| NewEntry { home, action, subject: None, detail };
    let half = |side: &str| serde_json::json!({ "serial_number": line.serial, "outcome": outcome.as_str(), "side": side });
    let whole = serde_json::json!({
        "serial_number": line.serial, "outcome": outcome.as_str(), "reason": reason, "report": line.report,
        "line": line.line,
    });
    let mut entries = vec![entry(None, whole)];
    let mut mailed: Vec<NewMail> = Vec::new();
    for (home, side) in [(holder, "holder"), (seller, "line")] {
        let Some(home) = home.filter(|home| side == "line" || Some(*home) != seller) else { continue };
        entries.push(entry(Some(home), half(side)));
        for (name, recipient, language) in disputes::admins(tx, scope, home).await? {
            mailed.push(NewMail {
                recipient,
                language: language.unwrap_or_else(|| "en".to_owned()),
                kind: MailKind::DisputeDecided,
                data: serde_json::json!({ "name": name, "serial": line.serial }),
                link: Some(format!("/explain?q={}", line.serial)),
                ends_at: None,
            });
        }
    }
    audit::record(tx, scope.actor(), &entries, &app.ambient).await?;
    mails::queue(tx, scope, &mailed, &app.ambient).await?;
    Ok(())
}
