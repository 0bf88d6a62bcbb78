//! What a support case is about, in one bundle: the serials that no rule has solved, grouped by what they come to now for
//! whoever opened the case, each with its evidence; and those that were solved, each with what solved it. The operator
//! sees the evidence whole, with what the other side is shown of it; the other side sees its own.

use std::collections::{BTreeMap, HashMap, HashSet};

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::explanation::{self, Facts, Finding, Reader};
use roadstead_domain::support_case::{Rule, solved_by};
use roadstead_domain::{access, partner, serial};
use roadstead_store::explanations::{Line, Place};
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

/// The bundle.
#[derive(Debug)]
pub struct Bundle {
    /// The case.
    pub case: SupportCase,
    /// Who reads it.
    pub reader: Reader,
    /// What is left, by what it comes to, in the order of [`Finding::ALL`].
    pub left: Vec<(Finding, Vec<Listed>)>,
    /// What was solved, and by what.
    pub solved: Vec<(Rule, Listed)>,
}

/// The bundle of a case. PCs that the operator looks at stand in the logs of their partners.
pub async fn bundle(app: &App, scope: &Scope, id: &str) -> Result<Bundle, Refused> {
    let mut tx = app.store.read(scope).await?;
    let case = cases::found(&mut tx, scope, id).await?;
    let listed = support_cases::serials(&mut tx, scope, &case).await?;
    tx.commit().await?;
    let serials: Vec<&str> =
        listed.iter().map(|missed| missed.serial.as_str()).filter(|s| is_serial(s)).collect();
    // What the case's side is told, whoever reads.
    let (of_side, whole);
    let side = match scope.narrowed(case.opened_by()) {
        Ok(side) => {
            of_side = load(app, &side, &serials).await?;
            whole = load(app, scope, &serials).await?;
            note(app, scope, &whole.places).await?;
            side
        }
        Err(_) => {
            of_side = load(app, scope, &serials).await?;
            whole = Known { lines: of_side.lines.clone(), places: of_side.places.clone() };
            *scope
        }
    };
    let seen: HashSet<_> = of_side.lines.iter().map(|line| (line.report, line.line)).collect();
    let mut lines: HashMap<String, Vec<(Line, bool)>> = HashMap::new();
    for line in whole.lines {
        let shown = seen.contains(&(line.report, line.line));
        lines.entry(line.serial.clone()).or_default().push((line, shown));
    }
    let mut places: HashMap<String, Place> =
        whole.places.into_iter().map(|place| (place.serial.clone(), place)).collect();
    let (facts, nothing) = (of_side.facts(), Facts::default());
    let mut left: BTreeMap<usize, (Finding, Vec<Listed>)> = BTreeMap::new();
    let mut solved = Vec::new();
    for missed in listed {
        let facts = facts.get(missed.serial.as_str()).unwrap_or(&nothing);
        let finding = if is_serial(&missed.serial) {
            explanation::finding(reader(&side), facts)
        } else {
            Finding::NotASerial
        };
        let lines = lines.remove(&missed.serial).unwrap_or_default();
        let place = places.remove(&missed.serial);
        if finding.is_solved() {
            let approved = missed.decision.as_deref() == Some("approved")
                && lines
                    .iter()
                    .any(|(line, _)| line.reporter_number == OPERATOR && line.invoice == case.number);
            let was = Finding::from_code(&missed.finding);
            let rule = solved_by(was, Micros(missed.listed_at), facts, approved);
            solved.push((rule, Listed { missed, lines, place }));
        } else {
            let at = Finding::ALL.iter().position(|known| *known == finding).unwrap_or(usize::MAX);
            left.entry(at).or_insert((finding, Vec::new())).1.push(Listed { missed, lines, place });
        }
    }
    Ok(Bundle { case, reader: reader(scope), left: left.into_values().collect(), solved })
}

/// Whether a listed text is a serial: what is none stands in the case as it was written.
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
