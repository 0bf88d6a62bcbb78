//! Why a PC is where it is, or is not there. Facts are loaded as far as the reader may know them; the chain is the
//! domain's. What the operator looks at stands in the log of the partner whose PC it is (decision 15).

use std::collections::{BTreeMap, HashMap};

use roadstead_domain::access::{Denied, Reach, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::explanation::{self, Explanation, Facts, Finding, Here, Reader, Why};
use roadstead_domain::partner::{self, Certification};
use roadstead_domain::sale::Verdict;
use roadstead_domain::serial;
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::explanations::{self, Line, Move, Place};
use roadstead_store::{Tx, partners};
use uuid::Uuid;

use super::Refused;
use crate::app::App;

/// The most serials of one question.
pub const MOST_SERIALS: usize = 10_000;
/// Serials of one entry in a partner's log.
const LOGGED_TOGETHER: usize = 100;

/// A serial explained, with the rows behind its facts.
#[derive(Debug)]
pub struct Explained {
    /// Its normal form, or what was asked where it is none.
    pub serial: String,
    /// Who asked.
    pub reader: Reader,
    /// The chain; its sources are indexes into the rows.
    pub explanation: Explanation,
    /// The lines that the reader may know of.
    pub lines: Vec<Line>,
    /// The moves that the reader may know of.
    pub moves: Vec<Move>,
    /// Where the PC is, if in the reader's reach.
    pub place: Option<Place>,
}

/// What a scope is as a reader.
pub fn reader(scope: &Scope) -> Reader {
    match scope.reach() {
        Reach::Platform => Reader::Operator,
        Reach::Partner(_) => Reader::Partner,
        Reach::Reporter(_) => Reader::Reporter,
        // Customer support does not ask: it would see nothing.
        Reach::Customer(_) | Reach::Desk => Reader::Customer,
    }
}

/// Explains one serial.
pub async fn explain(app: &App, scope: &Scope, asked: &str) -> Result<Explained, Refused> {
    let reader = reader(scope);
    let Ok(serial) = serial::normalize(asked) else {
        return Ok(Explained {
            serial: asked.trim().chars().take(60).collect(),
            reader,
            explanation: explanation::not_a_serial(),
            lines: Vec::new(),
            moves: Vec::new(),
            place: None,
        });
    };
    let mut tx = app.store.read(&scope.carried_out()).await?;
    let seller = seller(&mut tx, scope).await?;
    let lines = explanations::lines(&mut tx, scope, seller.as_deref(), &[&serial]).await?;
    let mut places = explanations::places(&mut tx, scope, &[&serial]).await?;
    let moves = explanations::moves(&mut tx, scope, &serial).await?;
    let contested = match &seller {
        Some(seller) => explanations::contested(&mut tx, scope, seller, &serial).await?,
        None => false,
    };
    let certification = certification(app, &mut tx, scope, seller.as_deref(), &lines).await?;
    tx.commit().await?;
    note(app, scope, &places).await?;
    let place = places.pop();
    let facts = Facts {
        lines: lines.iter().filter_map(known).collect(),
        moves: moves.iter().map(moved).collect(),
        here: place.as_ref().map(here),
        contested,
        certification,
        kept_since: app.lines_kept_since().map(Micros::date),
    };
    let explanation = explanation::explain(reader, &facts);
    Ok(Explained { serial, reader, explanation, lines, moves, place })
}

/// What each of these texts comes to, in their order, each once.
pub async fn findings(app: &App, scope: &Scope, texts: &[String]) -> Result<Vec<(String, Finding)>, Refused> {
    if texts.len() > MOST_SERIALS {
        return Err(Refused::invalid("support.too_many_serials", "serials"));
    }
    let reader = reader(scope);
    // In the order of the list; `None` is no serial.
    let mut asked: Vec<(String, bool)> = Vec::with_capacity(texts.len());
    let mut seen = std::collections::HashSet::with_capacity(texts.len());
    for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let (serial, good) = match serial::normalize(text) {
            Ok(serial) => (serial, true),
            Err(_) => (text.chars().take(60).collect(), false),
        };
        if seen.insert(serial.clone()) {
            asked.push((serial, good));
        }
    }
    let serials: Vec<&str> =
        asked.iter().filter(|(_, good)| *good).map(|(serial, _)| serial.as_str()).collect();
    let known = load(app, scope, &serials).await?;
    note(app, scope, &known.places).await?;
    let facts = known.facts();
    let nothing = Facts::default();
    let found = asked.iter().map(|(serial, good)| {
        let facts = facts.get(serial.as_str()).unwrap_or(&nothing);
        if *good { explanation::finding(reader, facts) } else { Finding::NotASerial }
    });
    let found: Vec<Finding> = found.collect();
    Ok(asked.into_iter().map(|(serial, _)| serial).zip(found).collect())
}

/// Where the partner stands that the last waiting line waits for: for the operator, and for that partner itself.
async fn certification(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    seller: Option<&str>,
    lines: &[Line],
) -> Result<Option<Certification>, Refused> {
    let waits = lines.iter().rev().find(|line| line.verdict == Verdict::PartnerNotQualified.as_str());
    let Some(number) = waits.and_then(|line| line.waits_for.as_deref()) else { return Ok(None) };
    let own = seller.is_some_and(|seller| partners::number_key(seller) == number);
    if !own && scope.platform().is_err() {
        return Ok(None);
    }
    let platform = scope.carried_out();
    let Some(found) = partners::find_number(tx, &platform, number).await? else { return Ok(None) };
    let recorded = partners::qualifications(tx, &platform, &[found.id.into()]).await?;
    let recorded = recorded.iter().map(|recorded| &recorded.qualification);
    Ok(partner::certification(recorded, app.ambient.now().date()))
}

/// What a reader may know of several serials.
#[derive(Debug)]
pub(super) struct Known {
    /// Lines, oldest judgement first.
    pub(super) lines: Vec<Line>,
    /// Where the PCs are.
    pub(super) places: Vec<Place>,
}

impl Known {
    /// As the rules take it, by serial.
    pub(super) fn facts(&self) -> HashMap<&str, Facts> {
        let mut facts: HashMap<&str, Facts> = HashMap::new();
        for line in &self.lines {
            facts.entry(line.serial.as_str()).or_default().lines.extend(known(line));
        }
        for place in &self.places {
            facts.entry(place.serial.as_str()).or_default().here = Some(here(place));
        }
        facts
    }
}

/// Loads what a reader may know of these serials.
pub(super) async fn load(app: &App, reader: &Scope, serials: &[&str]) -> Result<Known, Refused> {
    // Whoever asks, the transaction is the platform's: a waiting line is in nobody's reach.
    let mut tx = app.store.read(&reader.carried_out()).await?;
    let seller = seller(&mut tx, reader).await?;
    let lines = explanations::lines(&mut tx, reader, seller.as_deref(), serials).await?;
    let places = explanations::places(&mut tx, reader, serials).await?;
    tx.commit().await?;
    Ok(Known { lines, places })
}

/// The reseller number of a reader that is a partner.
async fn seller(tx: &mut Tx, scope: &Scope) -> Result<Option<String>, Refused> {
    let Ok(partner) = scope.partner() else { return Ok(None) };
    let own = partners::find(tx, &scope.carried_out(), &partner.to_string()).await?;
    Ok(Some(own.ok_or(Denied::NotFound)?.number))
}

fn known(line: &Line) -> Option<explanation::Line> {
    // A verdict of another version is passed over rather than guessed at.
    let verdict = Verdict::from_code(&line.verdict)?;
    Some(explanation::Line {
        at: Micros(line.judged_at),
        received: Micros(line.received_at),
        again: line.finished_at.is_some_and(|finished| line.judged_at > finished),
        verdict,
        decided_against: line.dismissed,
    })
}

fn moved(moved: &Move) -> explanation::Move {
    explanation::Move { at: Micros(moved.at), why: Why::of(moved.cause.as_deref()), kept: moved.kept }
}

fn here(place: &Place) -> Here {
    if place.tenant_kind == "holding" { Here::Pool } else { Here::Customer }
}

/// Writes the operator's look into the logs of the partners whose PCs these are.
pub(super) async fn note(app: &App, scope: &Scope, places: &[Place]) -> Result<(), Refused> {
    if scope.platform().is_err() {
        return Ok(());
    }
    let mut looks: BTreeMap<Uuid, Vec<&Place>> = BTreeMap::new();
    for place in places {
        if let Some(partner) = place.partner {
            looks.entry(partner).or_default().push(place);
        }
    }
    let entries: Vec<NewEntry> = looks
        .into_iter()
        .flat_map(|(partner, places)| {
            let entry = |some: &[&Place]| {
                let serials: Vec<&str> = some.iter().map(|place| place.serial.as_str()).collect();
                NewEntry {
                    home: Some(partner),
                    action: AuditAction::DeviceLookedAt,
                    subject: match some {
                        [one] => Some(one.device),
                        _ => None,
                    },
                    detail: match serials[..] {
                        [serial] => serde_json::json!({ "serial_number": serial, "explanation": true }),
                        _ => serde_json::json!({ "serial_numbers": serials, "explanation": true }),
                    },
                }
            };
            places.chunks(LOGGED_TOGETHER).map(entry).collect::<Vec<_>>()
        })
        .collect();
    if !entries.is_empty() {
        let mut tx = app.store.write(scope).await?;
        audit::record(&mut tx, scope.actor(), &entries, &app.ambient).await?;
        tx.commit().await?;
    }
    Ok(())
}
