//! Support cases: opened by partners, customers and reporters, answered and decided by the operator. An approval hands in a report of the
//! operator's own, with the case as its document, so that PCs come in by the same way as all others.

use std::collections::HashSet;

use roadstead_domain::access::{self, Actor, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::customer::public_id;
use roadstead_domain::event::Event;
use roadstead_domain::explanation::{Finding, finding};
use roadstead_domain::ids::{ReportId, SupportCaseId};
use roadstead_domain::mail::MailKind;
use roadstead_domain::serial;
use roadstead_domain::support_case::{Step, after};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::mails::{self, NewMail};
use roadstead_store::support_cases::{self, Missed, SupportCase};
use roadstead_store::{Tx, outbox, partners};

use super::attachments::{self, Received};
use super::operator_report::{OwnLine, Recorded, prepare, record};
use super::{Refused, explanations, support_bundle};
use crate::app::App;

/// The most serials of one message.
pub const MOST_SERIALS: usize = explanations::MOST_SERIALS;
/// The longest message, in characters.
const LONGEST: usize = 10_000;
/// What a case can be about.
pub const KINDS: [&str; 3] = ["missing_devices", "question", "other"];

/// The case, or *not found*.
pub async fn found(tx: &mut Tx, scope: &Scope, id: &str) -> Result<SupportCase, Refused> {
    let case = support_cases::find(tx, scope, id).await?;
    Ok(case.ok_or(access::Denied::NotFound)?)
}

/// Opens a case of the scope's home. Each serial is judged at once; where there is nothing else to say and every PC is
/// there already, the case is solved as soon as it is open.
pub async fn open(
    app: &App,
    scope: &Scope,
    kind: &str,
    text: &str,
    serials: &[String],
    files: &[Received],
) -> Result<SupportCaseId, Refused> {
    let home = scope.home().ok_or(access::Denied::NotFound)?;
    if !KINDS.contains(&kind) {
        return Err(Refused::invalid("field.unknown_value", "kind"));
    }
    check(text, serials, files)?;
    let findings = explanations::findings(app, scope, serials).await?;
    let platform = scope.carried_out();
    let (id, now): (SupportCaseId, _) = (app.ambient.id(), app.ambient.now());
    let number = public_id('S', &app.ambient.secret());
    let opener = match scope.actor() {
        Actor::User(id) => Some(id.0),
        _ => None,
    };
    let mut tx = app.store.write(&platform).await?;
    support_cases::create(&mut tx, &platform, id, &number, home, kind, opener, now).await?;
    write(app, &mut tx, &platform, id, false, text, &findings, files).await?;
    let detail = serde_json::json!({
        "number": number, "kind": kind, "serials": serials.len(), "attachments": names(files),
    });
    tell(app, &mut tx, scope, AuditAction::SupportCaseOpened, id, home, &detail).await?;
    support_bundle::replay(app, &mut tx, &waiting(&findings)).await?;
    let all_there = !findings.is_empty() && findings.iter().all(|(_, finding)| finding.is_solved());
    if all_there && text.trim().is_empty() && files.is_empty() {
        let opened = found(&mut tx, &platform, &id.to_string()).await?;
        let detail = serde_json::json!({ "all_there": true });
        advance(app, &mut tx, scope, &opened, Step::AllThere, &detail).await?;
    } else {
        notify(app, &mut tx, &platform, id, &number, None).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(id)
}

/// The serials of lines that wait, as far as whoever lists them may know.
fn waiting(findings: &[(String, Finding)]) -> Vec<&str> {
    let waits = |finding: &Finding| matches!(finding, Finding::Waits | Finding::SellerUnknown);
    findings.iter().filter(|(_, finding)| waits(finding)).map(|(serial, _)| serial.as_str()).collect()
}

fn names(files: &[Received]) -> Vec<&str> {
    files.iter().map(Received::name).collect()
}

fn check(text: &str, serials: &[String], files: &[Received]) -> Result<(), Refused> {
    if text.trim().is_empty() && serials.is_empty() && files.is_empty() {
        return Err(Refused::invalid("field.missing", "text"));
    }
    if text.chars().count() > LONGEST {
        return Err(Refused::invalid("field.too_long", "text"));
    }
    if serials.len() > MOST_SERIALS {
        return Err(Refused::invalid("support.too_many_serials", "serials"));
    }
    Ok(())
}

async fn write(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    case: SupportCaseId,
    by_operator: bool,
    text: &str,
    findings: &[(String, Finding)],
    files: &[Received],
) -> Result<(), Refused> {
    let now = app.ambient.now();
    if !text.trim().is_empty() || !files.is_empty() {
        let message = app.ambient.id();
        support_cases::say(tx, platform, case, message, by_operator, text.trim(), now).await?;
        attachments::keep(app, tx, platform, case, message, files).await?;
    }
    if findings.is_empty() {
        return Ok(());
    }
    support_cases::add_serials(tx, platform, case, findings, now).await?;
    // In all, since its pages and decisions look at all of them.
    if support_cases::count_serials(tx, platform, case).await? > MOST_SERIALS as i64 {
        return Err(Refused::invalid("support.too_many_serials", "serials"));
    }
    Ok(())
}

/// Writes in a case. From the operator it asks for an answer; from the partner it may bring serials.
pub async fn say(
    app: &App,
    scope: &Scope,
    id: &str,
    text: &str,
    serials: &[String],
    files: &[Received],
) -> Result<(), Refused> {
    let by_operator = scope.platform().is_ok();
    if by_operator && !serials.is_empty() {
        return Err(Refused::invalid("field.not_allowed", "serials"));
    }
    check(text, serials, files)?;
    let mut tx = app.store.read(scope).await?;
    let case = found(&mut tx, scope, id).await?;
    drop(tx);
    let findings = if by_operator { Vec::new() } else { explanations::findings(app, scope, serials).await? };
    let step = if by_operator { Step::Answered } else { Step::Asked };
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    let case = held(&mut tx, &platform, &case).await?;
    let detail = serde_json::json!({ "serials": findings.len(), "attachments": names(files) });
    let id = advance(app, &mut tx, scope, &case, step, &detail).await?;
    write(app, &mut tx, &platform, id, by_operator, text, &findings, files).await?;
    support_bundle::replay(app, &mut tx, &waiting(&findings)).await?;
    let reader = if by_operator { case.opener } else { None };
    if !by_operator || reader.is_some() {
        notify(app, &mut tx, &platform, id, &case.number, reader).await?;
    }
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// That there is such a case, and that somebody may still write in it: asked before a file is taken.
pub async fn writable(app: &App, scope: &Scope, id: &str) -> Result<(), Refused> {
    let mut tx = app.store.read(scope).await?;
    let case = found(&mut tx, scope, id).await?;
    match after(case.state()?, Step::Asked) {
        Some(_) => Ok(()),
        None => Err(Refused::Conflict("support.closed")),
    }
}

/// Notes that lines of the case's serials are judged again, in the caller's transaction of the platform.
pub(super) async fn note_replay(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    case: &SupportCase,
    partners: usize,
) -> Result<(), Refused> {
    let detail = serde_json::json!({ "number": case.number, "judged_again": partners });
    tell(app, tx, scope, AuditAction::SupportCaseChanged, SupportCaseId(case.id), case.home, &detail).await
}

/// The case as it stands now, which nobody else changes until the caller's transaction of the platform ends.
async fn held(tx: &mut Tx, platform: &Scope, case: &SupportCase) -> Result<SupportCase, Refused> {
    let now = support_cases::hold(tx, platform, SupportCaseId(case.id)).await?;
    Ok(now.ok_or(access::Denied::NotFound)?)
}

/// Takes a step, in the caller's transaction of the platform, which holds the case.
async fn advance(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    case: &SupportCase,
    step: Step,
    detail: &serde_json::Value,
) -> Result<SupportCaseId, Refused> {
    let id = SupportCaseId(case.id);
    let next = after(case.state()?, step).ok_or(Refused::Conflict("support.closed"))?;
    let platform = scope.carried_out();
    support_cases::set_state(tx, &platform, id, next, app.ambient.now()).await?;
    let mut detail = detail.clone();
    detail["number"] = case.number.as_str().into();
    detail["state"] = next.as_str().into();
    tell(app, tx, scope, AuditAction::SupportCaseChanged, id, case.home, &detail).await?;
    Ok(id)
}

/// Ends a case; either side may.
pub async fn close(app: &App, scope: &Scope, id: &str) -> Result<(), Refused> {
    let mut tx = app.store.read(scope).await?;
    let case = found(&mut tx, scope, id).await?;
    drop(tx);
    let platform = scope.carried_out();
    let mut tx = app.store.write(&platform).await?;
    let case = held(&mut tx, &platform, &case).await?;
    advance(app, &mut tx, scope, &case, Step::Close, &serde_json::json!({})).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// The operator approves or refuses serials of a case. Approved ones are handed in as sales of the partner; the report
/// that does so is returned. The same approval again is the same report, and nothing else happens for it.
pub async fn decide(
    app: &App,
    scope: &Scope,
    id: &str,
    serials: &[String],
    approve: bool,
    reason: &str,
) -> Result<Option<ReportId>, Refused> {
    scope.platform()?;
    super::filled("reason", reason.trim())?;
    let mut tx = app.store.read(scope).await?;
    let case = found(&mut tx, scope, id).await?;
    let listed = support_cases::serials(&mut tx, scope, &case).await?;
    let known: HashSet<&str> = listed
        .iter()
        .filter(|missed| missed.finding != "support.not_a_serial")
        .map(|missed| missed.serial.as_str())
        .collect();
    let mut wanted = Vec::new();
    let mut unknown = Vec::new();
    for (at, text) in serials.iter().enumerate() {
        let normal = serial::normalize(text).unwrap_or_default();
        match known.get(normal.as_str()) {
            Some(serial) => wanted.push(*serial),
            None => unknown.push((i64::try_from(at + 1).unwrap_or(i64::MAX), text.clone())),
        }
    }
    if wanted.is_empty() && unknown.is_empty() {
        return Err(Refused::invalid("field.missing", "serials"));
    }
    if !unknown.is_empty() {
        return Err(Refused::Rows { code: "support.serial_not_listed", rows: unknown });
    }
    wanted.sort_unstable();
    wanted.dedup();
    if approve && partners::find(&mut tx, scope, &case.home.to_string()).await?.is_none() {
        return Err(Refused::Conflict("support.only_for_partners"));
    }
    let products = support_cases::products(&mut tx, scope, &wanted).await?;
    drop(tx);
    let row = |serial| OwnLine {
        transaction: "sale",
        seller: &case.home_number,
        product: products.get::<str>(serial).map_or("UNKNOWN", String::as_str),
        serial,
        manufacturer: "",
        invoice: &case.number,
    };
    let name = format!("support-case-{}.csv", case.number);
    let rows: Vec<OwnLine<'_>> = wanted.iter().copied().map(row).collect();
    let sales = if approve { Some(prepare(app, scope, &name, &rows).await?) } else { None };
    // The decision and the report that carries it out, or neither.
    let mut tx = app.store.write(scope).await?;
    let case = held(&mut tx, scope, &case).await?;
    if after(case.state()?, Step::Decided).is_none() {
        return Err(Refused::Conflict("support.closed"));
    }
    let report = match &sales {
        Some(sales) => match record(app, &mut tx, scope, sales).await? {
            Recorded::New(report) => Some(report),
            Recorded::Again(report) => {
                tx.commit().await?;
                return Ok(Some(report));
            }
        },
        None => {
            let approved = approved(&support_cases::serials(&mut tx, scope, &case).await?, serials);
            if !approved.is_empty() {
                return Err(Refused::Rows { code: "support.already_approved", rows: approved });
            }
            None
        }
    };
    let now = app.ambient.now();
    support_cases::decide(&mut tx, scope, SupportCaseId(case.id), &wanted, approve, reason.trim(), now)
        .await?;
    let detail = serde_json::json!({ "serials": wanted.len(), "approved": approve, "reason": reason.trim() });
    advance(app, &mut tx, scope, &case, Step::Decided, &detail).await?;
    notify_opener(app, &mut tx, scope, &case).await?;
    tx.commit().await?;
    app.wake();
    Ok(report)
}

/// Those of the texts whose serials were approved, which a refusal would not take back: each with its number.
fn approved(listed: &[Missed], texts: &[String]) -> Vec<(i64, String)> {
    let is_approved = |missed: &&Missed| missed.decision.as_deref() == Some("approved");
    let approved: HashSet<&str> =
        listed.iter().filter(is_approved).map(|missed| missed.serial.as_str()).collect();
    let is = |text: &str| serial::normalize(text).is_ok_and(|serial| approved.contains(serial.as_str()));
    let numbered = (1..).zip(texts).filter(|(_, text)| is(text));
    numbered.map(|(number, text)| (number, text.clone())).collect()
}

/// Solves the cases whose serials are all solved, by whatever report: a partner's and a customer's PCs are there, a
/// reporter's lines were taken. Called when a report has ended.
pub async fn settle(app: &App) -> roadstead_store::Result<()> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    if !support_cases::any_open(&mut tx, &scope).await? {
        return Ok(());
    }
    let likely = support_cases::likely_solved(&mut tx, &scope).await?;
    drop(tx);
    for case in likely {
        if let Err(Refused::Store(error)) = solve(app, &scope, &case).await {
            return Err(error);
        }
    }
    app.wake();
    Ok(())
}

/// Solves a case of whose serials each is solved, judged by what whoever opened it may know.
async fn solve(app: &App, scope: &Scope, case: &SupportCase) -> Result<(), Refused> {
    let mut tx = app.store.read(scope).await?;
    let listed = support_cases::serials(&mut tx, scope, case).await?;
    tx.commit().await?;
    let side = scope.narrowed(case.opened_by())?;
    let serials: Vec<&str> = listed.iter().map(|missed| missed.serial.as_str()).collect();
    let known = explanations::load(app, &side, &serials).await?;
    let (reader, facts) = (explanations::reader(&side), known.facts());
    let solved = |serial| facts.get(serial).is_some_and(|facts| finding(reader, facts).is_solved());
    if !serials.into_iter().all(solved) {
        return Ok(());
    }
    let mut tx = app.store.write(scope).await?;
    let now = held(&mut tx, scope, case).await?;
    if (&now.state, now.updated_at) != (&case.state, case.updated_at) {
        // Somebody wrote, decided or closed it meanwhile: the next report asks again.
        return Ok(());
    }
    let detail = serde_json::json!({ "all_there": true });
    advance(app, &mut tx, scope, &now, Step::AllThere, &detail).await?;
    notify_opener(app, &mut tx, scope, &now).await?;
    tx.commit().await?;
    Ok(())
}

async fn notify_opener(app: &App, tx: &mut Tx, scope: &Scope, case: &SupportCase) -> Result<(), Refused> {
    match case.opener {
        Some(opener) => {
            notify(app, tx, &scope.carried_out(), SupportCaseId(case.id), &case.number, Some(opener)).await
        }
        None => Ok(()),
    }
}

/// Mails whoever is to read next: the user who opened the case, or the operator's team.
async fn notify(
    app: &App,
    tx: &mut Tx,
    platform: &Scope,
    id: SupportCaseId,
    number: &str,
    opener: Option<uuid::Uuid>,
) -> Result<(), Refused> {
    let readers = support_cases::readers(tx, platform, opener).await?;
    let mails: Vec<NewMail> = readers
        .into_iter()
        .map(|(name, recipient, language)| NewMail {
            recipient,
            language: language.unwrap_or_else(|| "en".to_owned()),
            kind: MailKind::SupportCase,
            data: serde_json::json!({ "name": name, "number": number }),
            link: Some(format!("/support-cases/{id}")),
            ends_at: None,
        })
        .collect();
    mails::queue(tx, platform, &mails, &app.ambient).await?;
    Ok(())
}

/// A line in the log of whoever opened it and the operator's, and an event for the open pages of both.
async fn tell(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    action: AuditAction,
    case: SupportCaseId,
    home: uuid::Uuid,
    detail: &serde_json::Value,
) -> Result<(), Refused> {
    let entry = |home| NewEntry { home, action, subject: Some(case.0), detail: detail.clone() };
    audit::record(tx, scope.actor(), &[entry(Some(home)), entry(None)], &app.ambient).await?;
    let event = || Event::SupportCaseChanged { case };
    outbox::publish(tx, &[(Some(home), event()), (None, event())], app.ambient.now()).await?;
    Ok(())
}
