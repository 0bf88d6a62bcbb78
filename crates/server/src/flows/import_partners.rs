//! Partners, course completions and certifications in bulk, from a table. Nothing is written while a row is wrong, and
//! a preview says of each row what it would come to.

use std::collections::HashMap;

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_domain::ids::TenantId;
use roadstead_domain::partner::{PartnerRole, Qualification, SupportLevel};
use roadstead_domain::sale::{LevelNames, parse_date};
use roadstead_ingest::{Column, read_table};
use roadstead_store::Tx;
use roadstead_store::partners;

use super::{Refused, certify};
use crate::app::App;

/// The most rows of a table.
pub const MOST: usize = 10_000;

/// What a row comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The partner is new; its qualification too, if the row has one.
    Created,
    /// The partner is known, the qualification is new or changes.
    Updated,
    /// Everything is there already.
    Unchanged,
    /// The row is wrong.
    Rejected,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Unchanged, Self::Rejected];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }
}

/// A row with what it comes to.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number in the table, 1 for the header.
    pub row: u64,
    /// The partner's number.
    pub partner_number: String,
    /// The partner's name.
    pub name: String,
    /// What it comes to.
    pub outcome: Outcome,
    /// Why it is rejected: a stable code and the column.
    pub fault: Option<(&'static str, &'static str)>,
}

/// What a table comes to.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Row by row.
    pub rows: Vec<Row>,
    /// Whether it was written.
    pub applied: bool,
}

/// The columns.
pub const COLUMNS: [Column; 7] = [
    Column::required(
        "partner_number",
        &["partnernumber", "resellernumber", "resellerid", "partnernummer", "haendlernummer"],
    ),
    Column::optional("name", &["name", "partner", "partnername", "firma"]),
    Column::optional("support_level", &["supportlevel", "level", "servicelevel", "servicestufe"]),
    Column::optional("role", &["role", "partnerrole", "rolle"]),
    Column::optional(
        "course_completed_on",
        &["coursecompletedon", "coursecompleted", "kursabgeschlossenam", "kursabgeschlossen"],
    ),
    Column::optional("certified_on", &["certifiedon", "certified", "zertifiziertam", "zertifiziert"]),
    Column::optional("expires_on", &["expireson", "expires", "endetam", "endet", "gueltigbis"]),
];

/// A row as the table has it.
struct Line {
    row: u64,
    number: String,
    name: String,
    qualification: Option<Qualification>,
    fault: Option<(&'static str, &'static str)>,
}

/// Reads a table and, unless it is a preview or a row is wrong, writes it in one transaction.
pub async fn import(app: &App, scope: &Scope, text: &str, preview: bool) -> Result<Imported, Refused> {
    let lines = read(text)?;
    let mut tx = if preview { app.store.read(scope).await? } else { app.store.write(scope).await? };
    let mut rows = judge(&mut tx, scope, &lines).await?;
    let wrong = rows.iter().any(|(row, _)| row.outcome == Outcome::Rejected);
    let applied = !preview && !wrong;
    if applied {
        for (line, (row, partner)) in lines.iter().zip(&mut rows) {
            apply(app, &mut tx, scope, line, row.outcome, partner).await?;
        }
        tx.commit().await?;
        app.wake();
    }
    Ok(Imported { rows: rows.into_iter().map(|(row, _)| row).collect(), applied })
}

/// What each line comes to, with its partner if that is known.
async fn judge(tx: &mut Tx, scope: &Scope, lines: &[Line]) -> Result<Vec<(Row, Option<TenantId>)>, Refused> {
    let mut known: HashMap<String, (Option<TenantId>, Vec<Qualification>)> = HashMap::new();
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        let key = partners::number_key(&line.number);
        let there = known.contains_key(&key);
        if !there && line.fault.is_none() {
            let found = partners::find_number(tx, scope, &line.number).await?;
            let partner = found.map(|found| TenantId(found.id));
            let own = match partner {
                Some(partner) => partners::qualifications(tx, scope, &[partner]).await?,
                None => Vec::new(),
            };
            known.insert(key.clone(), (partner, own.into_iter().map(|one| one.qualification).collect()));
        }
        let mut fault = line.fault;
        let (mut outcome, mut of) = (Outcome::Rejected, None);
        if let (None, Some((partner, own))) = (fault, known.get_mut(&key)) {
            of = *partner;
            let is_new = partner.is_none() && !there;
            if is_new && line.name.is_empty() {
                fault = Some(("field.missing", "name"));
                known.remove(&key);
            } else {
                let changes = line.qualification.as_ref().is_some_and(|wanted| !own.contains(wanted));
                if let Some(wanted) = line.qualification.as_ref().filter(|_| changes) {
                    own.retain(|one| (one.support_level, one.role) != (wanted.support_level, wanted.role));
                    own.push(wanted.clone());
                }
                outcome = match (is_new, changes) {
                    (true, _) => Outcome::Created,
                    (false, true) => Outcome::Updated,
                    (false, false) => Outcome::Unchanged,
                };
            }
        }
        let (row, partner_number, name) = (line.row, line.number.clone(), line.name.clone());
        rows.push((Row { row, partner_number, name, outcome, fault }, of));
    }
    Ok(rows)
}

async fn apply(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    line: &Line,
    outcome: Outcome,
    partner: &mut Option<TenantId>,
) -> Result<(), Refused> {
    if outcome == Outcome::Unchanged {
        return Ok(());
    }
    let id = match *partner {
        Some(id) => id,
        // An earlier row of this table may have added it.
        None => match partners::find_number(tx, scope, &line.number).await? {
            Some(found) => TenantId(found.id),
            None => certify::add_partner(app, tx, scope, &line.number, &line.name).await?,
        },
    };
    *partner = Some(id);
    if let Some(qualification) = &line.qualification {
        certify::add_qualification(app, tx, scope, id, qualification).await?;
    }
    Ok(())
}

fn read(text: &str) -> Result<Vec<Line>, Refused> {
    let rows = read_table(text, &COLUMNS, MOST).map_err(|error| Refused::table(error, "table"))?;
    Ok(rows.iter().map(|row| line(row.row, &|column| row.cells[column].as_str())).collect())
}

fn line<'a>(row: u64, get: &dyn Fn(usize) -> &'a str) -> Line {
    let (number, name) = (get(0).to_owned(), get(1).to_owned());
    let (qualification, fault) = match fields(get) {
        Ok(qualification) => (qualification, None),
        Err(fault) => (None, Some(fault)),
    };
    let too_long = |text: &str| text.chars().count() > 200;
    let fault = fault
        .or_else(|| number.is_empty().then_some(("field.missing", "partner_number")))
        .or_else(|| too_long(&number).then_some(("field.too_long", "partner_number")))
        .or_else(|| too_long(&name).then_some(("field.too_long", "name")));
    Line { row, number, name, qualification, fault }
}

/// The qualification of a row, if it names one.
fn fields<'a>(get: &dyn Fn(usize) -> &'a str) -> Result<Option<Qualification>, (&'static str, &'static str)> {
    let day = |column: usize| -> Result<Option<Date>, (&'static str, &'static str)> {
        match get(column) {
            "" => Ok(None),
            text => parse_date(text).map(Some).map_err(|_| ("field.not_a_date", COLUMNS[column].name)),
        }
    };
    if (2..COLUMNS.len()).all(|column| get(column).is_empty()) {
        return Ok(None);
    }
    let level = SupportLevel::from_code(get(2)).or_else(|| LevelNames::default().read(get(2))?.level);
    let qualification = Qualification {
        support_level: level.ok_or(("field.unknown_value", "support_level"))?,
        role: role(get(3)).ok_or(("field.unknown_value", "role"))?,
        course_completed_on: day(4)?,
        certified_on: day(5)?,
        expires_on: day(6)?,
    };
    qualification.check().map_err(|error| (error.code(), "expires_on"))?;
    Ok(Some(qualification))
}

/// `service_delivery`, `Service Delivery`, `Resell and View/Monitor`.
fn role(text: &str) -> Option<PartnerRole> {
    let folded: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    match folded.as_str() {
        "resellandviewmonitor" | "viewmonitor" => Some(PartnerRole::ResellAndViewMonitor),
        "servicedelivery" => Some(PartnerRole::ServiceDelivery),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_in_either_language_and_its_faults_are_placed() {
        let text = "Händlernummer;Firma;Servicestufe;Rolle;Kurs abgeschlossen am;Zertifiziert am;Gültig bis\n\
                    R-1;Alpha;Premium+;Service Delivery;01.01.2026;02.01.2026;\n\
                    R-2;Beta;;;;;\n\
                    ;Gamma;Premium;view/monitor;;;\n\n\
                    R-4;Delta;Gold;Service Delivery;;;\n\
                    R-5;Epsilon;Premium;Boss;;;\n\
                    R-6;Zeta;Premium;view monitor;32.1.2026;;\n\
                    R-7;Eta;Premium;view monitor;1.1.2026;1.2.2026;1.2.2026\n";
        let lines = read(text).unwrap();
        let seen: Vec<_> = lines.iter().map(|line| (line.row, line.fault)).collect();
        assert_eq!(
            seen,
            [
                (2, None),
                (3, None),
                (4, Some(("field.missing", "partner_number"))),
                (6, Some(("field.unknown_value", "support_level"))),
                (7, Some(("field.unknown_value", "role"))),
                (8, Some(("field.not_a_date", "course_completed_on"))),
                (9, Some(("qualification.expires_before_certified", "expires_on"))),
            ]
        );
        let first = lines[0].qualification.as_ref().unwrap();
        assert_eq!(first.support_level, SupportLevel::PremiumPlus);
        assert_eq!(first.certified_on.map(|day| day.to_string()).as_deref(), Some("2026-01-02"));
        assert!(lines[1].qualification.is_none());
        for (text, code) in [
            ("", "file.column_missing"),
            ("name\nx", "file.column_missing"),
            ("partner_number,Reseller ID\nR-1,R-2", "file.column_duplicate"),
            ("partner_number\n\n", "file.empty"),
        ] {
            assert!(
                matches!(read(text), Err(Refused::Invalid { code: found, .. }) if found == code),
                "{text:?}"
            );
        }
    }
}
