//! Recall lists of the operator: read from a table, with a preview, and turned into alerts of the PCs that are on them. A PC
//! that is taken off its list loses the alert.

use std::collections::{BTreeMap, HashMap, HashSet};

use roadstead_domain::access::{self, Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::ids::JobId;
use roadstead_domain::recall::{BadRange, Lists, Part, Pc, Range};
use roadstead_ingest::{Column, read_table};
use roadstead_store::alerts::{self, Known, kind_of};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::recalls::{self, Candidate};
use roadstead_store::{Tx, jobs};
use uuid::Uuid;

use super::Refused;
use super::alerts::Work;
use crate::app::App;
use crate::jobs::{LEASE_SECONDS, Stopping};

/// The most rows of a table.
pub const MOST: usize = 10_000;
/// PCs looked at in one transaction.
const AT_A_TIME: i64 = 1000;

/// The columns.
pub const COLUMNS: [Column; 7] = [
    Column::required("list", &["list", "recall", "recalllist", "rueckrufliste", "rueckruf", "liste"]),
    Column::required("part", &["part", "teil", "bauteil"]),
    Column::optional("product_number", &["productnumber", "product", "produktnummer", "produkt"]),
    Column::optional("model", &["model", "modell"]),
    Column::optional("serial_from", &["serialfrom", "serial", "seriennummervon", "seriennummer"]),
    Column::optional("serial_to", &["serialto", "seriennummerbis"]),
    Column::required("source", &["source", "quelle"]),
];

/// What a row comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The list does not have it yet.
    Added,
    /// The list has it.
    Unchanged,
    /// The list has it and the table no longer does; such a row stands at the end, without a number.
    Removed,
    /// The row is wrong.
    Rejected,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Added, Self::Unchanged, Self::Removed, Self::Rejected];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
            Self::Rejected => "rejected",
        }
    }
}

/// A row with what it comes to.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number in the table, 1 for the header; `None` for what is removed.
    pub row: Option<u64>,
    /// The list.
    pub list: String,
    /// Which PCs.
    pub range: Range,
    /// What it comes to.
    pub outcome: Outcome,
    /// Why it is rejected: a stable code and the column.
    pub fault: Option<BadRange>,
}

/// What a table comes to.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Row by row.
    pub rows: Vec<Row>,
    /// Whether it was written.
    pub applied: bool,
}

/// A row as the table has it.
struct Line {
    row: u64,
    list: String,
    read: Result<(Part, String, Range), BadRange>,
}

/// Reads a table of one or several lists and, unless it is a preview or a row is wrong, makes each list that it names what
/// the table says. Lists that it does not name stay.
pub async fn import(app: &App, scope: &Scope, text: &str, preview: bool) -> Result<Imported, Refused> {
    let mut lines = read(text)?;
    refuse_quarrels(&mut lines);
    let mut tx = if preview { app.store.read(scope).await? } else { app.store.write(scope).await? };
    let rows = judge(&mut tx, scope, &lines).await?;
    let wrong = rows.iter().any(|row| row.outcome == Outcome::Rejected);
    let applied = !preview && !wrong;
    if applied {
        let mut lists: BTreeMap<&str, (Part, &str, Vec<&Range>)> = BTreeMap::new();
        for line in &lines {
            let Ok((part, source, range)) = &line.read else { continue };
            lists.entry(&line.list).or_insert((*part, source, Vec::new())).2.push(range);
        }
        for (number, (part, source, ranges)) in lists {
            recalls::replace(&mut tx, scope, number, (part, source), &ranges, &app.ambient).await?;
            let detail = serde_json::json!({ "list": number, "source": source, "ranges": ranges.len() });
            log(app, &mut tx, scope, detail).await?;
        }
        commit(app, tx).await?;
    }
    Ok(Imported { rows, applied })
}

/// Forgets a list; its alerts close.
pub async fn remove(app: &App, scope: &Scope, number: &str) -> Result<(), Refused> {
    let mut tx = app.store.write(scope).await?;
    if !recalls::remove(&mut tx, scope, number).await? {
        return Err(Denied::NotFound.into());
    }
    log(app, &mut tx, scope, serde_json::json!({ "list": number, "ranges": 0 })).await?;
    Ok(commit(app, tx).await?)
}

async fn log(app: &App, tx: &mut Tx, scope: &Scope, detail: serde_json::Value) -> Result<(), Refused> {
    let entry = NewEntry { home: None, action: AuditAction::RecallListChanged, subject: None, detail };
    Ok(audit::record(tx, scope.actor(), &[entry], &app.ambient).await?)
}

/// Lets the PCs be looked at for what came since the last look. One look follows the other, on whatever node, so that none
/// goes by lists that the next one no longer knows.
pub async fn schedule(app: &App) -> roadstead_store::Result<()> {
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    if recalls::any(&mut tx, &scope).await? { commit(app, tx).await } else { Ok(()) }
}

/// Commits, and lets the PCs be looked at.
async fn commit(app: &App, mut tx: Tx) -> roadstead_store::Result<()> {
    let all = Uuid::nil();
    jobs::enqueue(&mut tx, jobs::Kind::ApplyRecalls, all, all, app.ambient.now(), &app.ambient).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

fn read(text: &str) -> Result<Vec<Line>, Refused> {
    let rows = read_table(text, &COLUMNS, MOST).map_err(|error| Refused::table(error, "table"))?;
    Ok(rows.iter().map(|row| line(row.row, &|column| row.cells[column].as_str())).collect())
}

fn line<'a>(row: u64, get: &dyn Fn(usize) -> &'a str) -> Line {
    let list = get(0).to_owned();
    let fields = || {
        for column in [0, 6] {
            match get(column).chars().count() {
                0 => return Err(("field.missing", COLUMNS[column].name)),
                1..=200 => {}
                _ => return Err(("field.too_long", COLUMNS[column].name)),
            }
        }
        let part = Part::read(get(1)).ok_or(("recall.part", "part"))?;
        Ok((part, get(6).to_owned(), Range::read(get(2), get(3), get(4), get(5))?))
    };
    Line { row, list, read: fields() }
}

/// A list has one part and one source: a row that says something else than the first one of its list is wrong.
fn refuse_quarrels(lines: &mut [Line]) {
    let mut first: HashMap<String, (Part, String)> = HashMap::new();
    for line in lines {
        let Ok((part, source, _)) = &line.read else { continue };
        let (of_list, from) = first.entry(line.list.clone()).or_insert_with(|| (*part, source.clone()));
        if of_list != part {
            line.read = Err(("recall.quarrel", "part"));
        } else if from != source {
            line.read = Err(("recall.quarrel", "source"));
        }
    }
}

async fn judge(tx: &mut Tx, scope: &Scope, lines: &[Line]) -> Result<Vec<Row>, Refused> {
    let named: HashSet<&str> = lines.iter().map(|line| line.list.as_str()).collect();
    let there = recalls::ranges(tx, scope).await?;
    let there: Vec<(String, Range)> =
        there.into_iter().filter(|(list, _)| named.contains(list.as_str())).collect();
    let known: HashSet<(&str, &Range)> = there.iter().map(|(list, range)| (list.as_str(), range)).collect();
    let mut kept = HashSet::new();
    let mut rows: Vec<Row> = lines
        .iter()
        .map(|line| {
            let (outcome, range, fault) = match &line.read {
                Ok((_, _, range)) => {
                    let key = (line.list.as_str(), range);
                    kept.insert(key);
                    let is_known = known.contains(&key);
                    (if is_known { Outcome::Unchanged } else { Outcome::Added }, range.clone(), None)
                }
                Err(fault) => (Outcome::Rejected, Range::default(), Some(*fault)),
            };
            Row { row: Some(line.row), list: line.list.clone(), range, outcome, fault }
        })
        .collect();
    let gone = there.iter().filter(|(list, range)| !kept.contains(&(list.as_str(), range)));
    rows.extend(gone.map(|(list, range)| Row {
        row: None,
        list: list.clone(),
        range: range.clone(),
        outcome: Outcome::Removed,
        fault: None,
    }));
    Ok(rows)
}

/// The job: looks at every PC, raises the alerts of the lists that it is on, and closes those of lists that it is no longer on.
pub async fn apply(app: &App, job: JobId) -> anyhow::Result<()> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    if !recalls::any(&mut tx, &scope).await? {
        return Ok(());
    }
    let sources: HashMap<String, (Part, String)> = recalls::lists(&mut tx, &scope)
        .await?
        .into_iter()
        .filter_map(|list| Some((list.number, (Part::read(&list.part)?, list.source))))
        .collect();
    let lists =
        Lists::new(recalls::ranges(&mut tx, &scope).await?.into_iter().map(|(list, range)| (range, list)));
    drop(tx);
    let mut after = Uuid::nil();
    let mut renewed = app.ambient.now();
    loop {
        if app.closing.is_cancelled() {
            return Err(Stopping.into());
        }
        let mut tx = app.store.read(&scope).await?;
        let pcs = recalls::candidates(&mut tx, &scope, after, AT_A_TIME).await?;
        let Some(last) = pcs.last().map(|pc| pc.id) else { return Ok(()) };
        let known = alerts::recalls_between(&mut tx, &scope, after, last).await?;
        drop(tx);
        let due = due(&pcs, known, &lists, &sources);
        let now = app.ambient.now();
        if !due.is_empty() || now > renewed.plus_seconds(LEASE_SECONDS / 4) {
            let mut tx = app.store.write(&scope).await?;
            carry_out(app, &mut tx, due, &sources).await?;
            jobs::renew(&mut tx, job, now.plus_seconds(LEASE_SECONDS)).await?;
            tx.commit().await?;
            app.wake();
            renewed = now;
        }
        after = last;
    }
}

/// What is to be done about a PC: a list that it came onto, or an alert whose list it left.
enum Due {
    Raise(Uuid, String),
    Close(Box<Known>),
}

fn due(
    pcs: &[Candidate],
    known: Vec<Known>,
    lists: &Lists<String>,
    sources: &HashMap<String, (Part, String)>,
) -> Vec<Due> {
    let mut own: HashMap<Uuid, Vec<Known>> = HashMap::new();
    for alert in known {
        own.entry(alert.device).or_default().push(alert);
    }
    let mut due = Vec::new();
    for pc in pcs {
        let seen = Pc { serial: &pc.serial, product_number: &pc.product_number, model: &pc.model };
        let on = lists.of(seen);
        let mut alerts = own.remove(&pc.id).unwrap_or_default();
        for list in on {
            let kind = sources.get(&list).map(|(part, _)| part.alert());
            match alerts.iter().position(|alert| alert.cause == list && Some(alert.kind.as_str()) == kind) {
                Some(at) => drop(alerts.swap_remove(at)),
                None => due.push(Due::Raise(pc.id, list)),
            }
        }
        due.extend(alerts.into_iter().map(|alert| Due::Close(Box::new(alert))));
    }
    due
}

async fn carry_out(
    app: &App,
    tx: &mut Tx,
    due: Vec<Due>,
    sources: &HashMap<String, (Part, String)>,
) -> anyhow::Result<()> {
    let (scope, now) = (access::system(), app.ambient.now());
    let raised = due.iter().filter_map(|one| match one {
        Due::Raise(device, _) => Some(*device),
        Due::Close(_) => None,
    });
    let held = alerts::hold_places(tx, &scope, &raised.collect::<Vec<Uuid>>()).await?;
    let devices = due.iter().map(|one| match one {
        Due::Raise(device, _) => *device,
        Due::Close(alert) => alert.device,
    });
    let pcs = alerts::pcs(tx, &scope, &devices.collect::<Vec<Uuid>>(), now).await?;
    let mut work = Work::default();
    for one in &due {
        let device = match one {
            // Of a PC that is being moved the next look tells.
            Due::Raise(device, _) if !held.contains(device) => continue,
            Due::Raise(device, _) => *device,
            Due::Close(alert) => alert.device,
        };
        let Some(pc) = pcs.get(&device) else { continue };
        match one {
            Due::Raise(_, list) => {
                let Some((part, source)) = sources.get(list) else { continue };
                let said = (list.as_str(), source.as_str(), "platform");
                work.see(app, pc, kind_of(part.alert())?, said, None)?;
            }
            Due::Close(alert) => work.close(pc, alert, true),
        }
    }
    work.write(tx, now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_in_either_language_and_its_faults_are_placed() {
        let text = "Rückrufliste;Teil;Produktnummer;Modell;Seriennummer von;Seriennummer bis;Quelle\n\
                    R-7;Akku;6T1A2EA;;5CG0000001;5CG0000009;Bulletin 7\n\
                    R-7;Akku;;Book 840;;;Bulletin 7\n\
                    R-7;Anderes;6T1A2EA;;;;Bulletin 7\n\
                    R-7;Akku;6T1A2EA;;;;Bulletin 8\n\
                    R-8;Lüfter;6T1A2EA;;;;Bulletin 8\n\
                    R-8;Anderes;;;;;Bulletin 8\n\
                    ;Akku;6T1A2EA;;;;Bulletin 8\n\
                    R-9;Akku;6T1A2EA;;;;\n";
        let mut lines = read(text).unwrap();
        refuse_quarrels(&mut lines);
        let seen: Vec<_> = lines.iter().map(|line| (line.row, line.read.as_ref().err().copied())).collect();
        assert_eq!(
            seen,
            [
                (2, None),
                (3, None),
                (4, Some(("recall.quarrel", "part"))),
                (5, Some(("recall.quarrel", "source"))),
                (6, Some(("recall.part", "part"))),
                (7, Some(("field.missing", "product_number"))),
                (8, Some(("field.missing", "list"))),
                (9, Some(("field.missing", "source"))),
            ]
        );
    }
}
