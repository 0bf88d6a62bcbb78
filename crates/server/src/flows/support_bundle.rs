//! What a support case is about, in one bundle: the serials that no rule has solved, grouped by what they come to now for
//! whoever opened the case, each with its evidence; and those that were solved, each with what solved it. The operator
//! sees the evidence whole, with what the other side is shown of it; the other side sees its own.

use std::collections::{HashMap, HashSet};

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::explanation::{self, Facts, Finding, Reader};
use roadstead_domain::support_case::{Rule, solved_by};
use roadstead_domain::{access, partner, serial};
use roadstead_store::explanations::{Line, Place};
use roadstead_store::page::{Page, Rows};
use roadstead_store::support_cases::{self, Missed, SupportCase};
use roadstead_store::{Tx, jobs, partners};

use super::explanations::{Known, load, note, reader};
use super::operator_report::OPERATOR;
use super::{Refused, support_cases as cases};
use crate::app::App;

/// A listed serial with its evidence.
#[derive(Debug)]
pub struct Listed {
    /// The serial as it stands in the case.
    pub missed: Missed,
    /// The lines that the reader may see, oldest judgement first, each with whether the case's side sees it.
    pub lines: Vec<(Line, bool)>,
    /// Where the PC is, if in the reader's reach.
    pub place: Option<Place>,
}

/// The bundle, or a page of it.
#[derive(Debug)]
pub struct Bundle {
    /// The case.
    pub case: SupportCase,
    /// Who reads it.
    pub reader: Reader,
    /// How many of all its serials come to what: a finding's code or [`SOLVED`], in the order of [`Finding::ALL`].
    pub counts: Vec<(&'static str, usize)>,
    /// What is left, by what it comes to, in that order.
    pub left: Vec<(Finding, Vec<Listed>)>,
    /// What was solved, and by what.
    pub solved: Vec<(Rule, Listed)>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

/// What serials that are solved come to, whatever solved them.
pub const SOLVED: &str = "support.solved";

/// The bundle of a case, or the page of it, of what comes to one code or to any. PCs that the operator looks at stand in
/// the logs of their partners. `None` for a cursor that is none.
pub async fn bundle(
    app: &App,
    scope: &Scope,
    id: &str,
    code: Option<&str>,
    page: Option<&Page>,
) -> Result<Option<Bundle>, Refused> {
    let mut tx = app.store.read(scope).await?;
    let case = cases::found(&mut tx, scope, id).await?;
    let listed = support_cases::serials(&mut tx, scope, &case).await?;
    tx.commit().await?;
    // What the case's side is told, whoever reads.
    let operator = scope.platform().is_ok();
    let side = if operator { scope.narrowed(case.opened_by())? } else { *scope };
    let of_side = load(app, &side, &serials_of(listed.iter())).await?;
    let (facts, nothing) = (of_side.facts(), Facts::default());
    let facts = |missed: &Missed| facts.get(missed.serial.as_str()).unwrap_or(&nothing);
    let mut ranked: Vec<(usize, Missed)> =
        listed.into_iter().map(|missed| (rank(&side, &missed, facts(&missed)), missed)).collect();
    ranked.sort_by(|(a, one), (b, other)| (a, &one.serial).cmp(&(b, &other.serial)));
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for (rank, _) in &ranked {
        match counts.last_mut() {
            Some((last, count)) if *last == code_of(*rank) => *count += 1,
            _ => counts.push((code_of(*rank), 1)),
        }
    }
    ranked.retain(|(rank, _)| code.is_none_or(|code| code == code_of(*rank)));
    let mut next_cursor = None;
    if let Some(page) = page {
        let Ok(after) = page.after::<(usize, String)>() else { return Ok(None) };
        if let Some((rank, serial)) = &after {
            ranked.retain(|(of, missed)| (of, &missed.serial) > (rank, serial));
        }
        let rows = Rows::cut(ranked, page.rows(), |(rank, missed)| (*rank, missed.serial.clone()));
        (ranked, next_cursor) = (rows.items, rows.next_cursor);
    }
    let whole = if operator {
        let whole = load(app, scope, &serials_of(ranked.iter().map(|(_, missed)| missed))).await?;
        note(app, scope, &whole.places).await?;
        whole
    } else {
        Known { lines: of_side.lines.clone(), places: of_side.places.clone() }
    };
    let seen: HashSet<_> = of_side.lines.iter().map(|line| (line.report, line.line)).collect();
    let mut lines: HashMap<String, Vec<(Line, bool)>> = HashMap::new();
    for line in whole.lines {
        let shown = seen.contains(&(line.report, line.line));
        lines.entry(line.serial.clone()).or_default().push((line, shown));
    }
    let mut places: HashMap<String, Place> =
        whole.places.into_iter().map(|place| (place.serial.clone(), place)).collect();
    let mut left: Vec<(Finding, Vec<Listed>)> = Vec::new();
    let mut solved = Vec::new();
    for (rank, missed) in ranked {
        let lines = lines.remove(&missed.serial).unwrap_or_default();
        let place = places.remove(&missed.serial);
        let facts = facts(&missed);
        let Some(finding) = Finding::ALL.get(rank) else {
            let approved = missed.decision.as_deref() == Some("approved")
                && lines
                    .iter()
                    .any(|(line, _)| line.reporter_number == OPERATOR && line.invoice == case.number);
            let was = Finding::from_code(&missed.finding);
            let rule = solved_by(was, Micros(missed.listed_at), facts, approved);
            solved.push((rule, Listed { missed, lines, place }));
            continue;
        };
        let listed = Listed { missed, lines, place };
        match left.last_mut() {
            Some((last, group)) if last == finding => group.push(listed),
            _ => left.push((*finding, vec![listed])),
        }
    }
    Ok(Some(Bundle { case, reader: reader(scope), counts, left, solved, next_cursor }))
}

/// What a listed serial comes to for the case's side: its place in [`Finding::ALL`], or behind all of them if it is solved.
fn rank(side: &Scope, missed: &Missed, facts: &Facts) -> usize {
    let finding = match is_serial(&missed.serial) {
        true => explanation::finding(reader(side), facts),
        false => Finding::NotASerial,
    };
    let left = Finding::ALL.iter().position(|known| *known == finding && !finding.is_solved());
    left.unwrap_or(Finding::ALL.len())
}

fn code_of(rank: usize) -> &'static str {
    Finding::ALL.get(rank).map_or(SOLVED, |finding| finding.code())
}

/// What can be asked for: what is no serial stands in the case as it was written.
fn serials_of<'a>(listed: impl Iterator<Item = &'a Missed>) -> Vec<&'a str> {
    listed.map(|missed| missed.serial.as_str()).filter(|serial| is_serial(serial)).collect()
}

/// Whether a listed text is a serial.
fn is_serial(text: &str) -> bool {
    serial::normalize(text).is_ok_and(|normal| normal == text)
}

/// Lets the rules try again: lines of a case's serials that wait although nothing is in their way any more are judged
/// again. How many partners' lines that are.
pub async fn solve(app: &App, scope: &Scope, id: &str) -> Result<usize, Refused> {
    scope.platform()?;
    let mut tx = app.store.read(scope).await?;
    let case = cases::found(&mut tx, scope, id).await?;
    let listed = support_cases::serials(&mut tx, scope, &case).await?;
    tx.commit().await?;
    if case.state()? == roadstead_domain::support_case::State::Closed {
        return Err(Refused::Conflict("support.closed"));
    }
    let serials: Vec<&str> = listed.iter().map(|missed| missed.serial.as_str()).collect();
    let mut tx = app.store.write(scope).await?;
    let started = replay(app, &mut tx, &serials).await?;
    if started == 0 {
        return Err(Refused::Conflict("support.nothing_to_solve"));
    }
    cases::note_replay(app, &mut tx, scope, &case, started).await?;
    tx.commit().await?;
    app.wake();
    Ok(started)
}

/// Queues the judging again of what waits with these serials, in the caller's transaction of the platform; for how
/// many partners. Who is not certified has nothing to be judged again.
pub(super) async fn replay(app: &App, tx: &mut Tx, serials: &[&str]) -> Result<usize, Refused> {
    if serials.is_empty() {
        return Ok(0);
    }
    let platform = access::system();
    let now = app.ambient.now();
    let mut started = 0;
    for number in support_cases::waited_for(tx, &platform, serials).await? {
        let Some(found) = partners::find_number(tx, &platform, &number).await? else { continue };
        let recorded = partners::qualifications(tx, &platform, &[found.id.into()]).await?;
        if partner::is_qualified(recorded.iter().map(|recorded| &recorded.qualification), now.date()) {
            jobs::enqueue(tx, jobs::Kind::ReplayPartner, found.id, found.id, now, &app.ambient).await?;
            started += 1;
        }
    }
    Ok(started)
}
