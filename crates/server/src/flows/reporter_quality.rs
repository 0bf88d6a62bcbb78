//! How well somebody reports, and the alarm when a reporter falls silent.

use roadstead_domain::access::{self, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::ReporterId;
use roadstead_domain::mail::MailKind;
use roadstead_domain::reporter_quality::{Rhythm, Tally};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::mails::{self, NewMail};
use roadstead_store::page::Page;
use roadstead_store::reporter_quality::{self, Week};
use roadstead_store::reporters::Reporter;
use roadstead_store::{Tx, outbox, reporters};

use super::Refused;
use super::own_headers::whose;
use crate::app::App;

/// Weeks that are shown.
pub const WEEKS: i64 = 26;
const DAY: i64 = 24 * 3600;
/// A rhythm is looked for so far back, over so many days with reports.
const RHYTHM_SECONDS: i64 = 400 * DAY;
const RHYTHM_DAYS: i64 = 40;

/// What is known of how somebody reports.
#[derive(Clone, Debug)]
pub struct Quality {
    /// Who.
    pub reporter: Reporter,
    /// Every one of the last weeks, oldest first, also those without a report.
    pub weeks: Vec<Week>,
    /// All of them together.
    pub all: Tally,
    /// The rhythm, once there were reports enough.
    pub rhythm: Option<Rhythm>,
    /// Whether the next report is late today.
    pub silent: bool,
}

/// Looks at the caller's own reporter, or at the one that an operator names.
pub async fn look(app: &App, scope: &Scope, reporter: Option<&str>) -> Result<Quality, Refused> {
    let now = app.ambient.now();
    let mut tx = app.store.read(scope).await?;
    let reporter = whose(&mut tx, scope, reporter).await?;
    let id = ReporterId(reporter.id);
    let first = monday(now.plus_seconds(-(WEEKS - 1) * 7 * DAY));
    let found = reporter_quality::weeks(&mut tx, scope, id, first).await?;
    let rhythm = rhythm(&mut tx, scope, id, now).await?;
    tx.commit().await?;
    let mut all = Tally::default();
    let weeks = (0..WEEKS)
        .map(|week| {
            let from = first.plus_seconds(week * 7 * DAY).date();
            let none = Week { from, reports: 0, tally: Tally::default() };
            found.iter().find(|week| week.from == from).copied().unwrap_or(none)
        })
        .inspect(|week| all.join(week.tally))
        .collect();
    let silent = rhythm.is_some_and(|rhythm| rhythm.is_silent(now.date()));
    Ok(Quality { reporter, weeks, all, rhythm, silent })
}

/// The beginning of the week of this instant.
fn monday(at: Micros) -> Micros {
    let day = at.0.div_euclid(DAY * 1_000_000);
    Micros((day - (day + 3).rem_euclid(7)) * DAY * 1_000_000)
}

fn far_back(now: Micros) -> Micros {
    now.plus_seconds(-RHYTHM_SECONDS)
}

async fn rhythm(
    tx: &mut Tx,
    scope: &Scope,
    reporter: ReporterId,
    now: Micros,
) -> roadstead_store::Result<Option<Rhythm>> {
    let days = reporter_quality::days(tx, scope, reporter, far_back(now), RHYTHM_DAYS).await?;
    Ok(Rhythm::of(&days))
}

/// Looks whether a reporter is late by its own rhythm, and tells the operator and the reporter so, once a silence.
pub async fn notice_silence(app: &App) -> roadstead_store::Result<()> {
    let scope = access::system();
    let mut page = Page { limit: Some(200), cursor: None };
    loop {
        let mut tx = app.store.read(&scope).await?;
        let Some(found) = reporters::list(&mut tx, &scope, &page).await? else { return Ok(()) };
        let mut silent = Vec::new();
        let now = app.ambient.now();
        for reporter in found.items {
            // What the operator approves in support cases has no rhythm to keep.
            if reporter.number == super::operator_report::OPERATOR {
                continue;
            }
            let id = ReporterId(reporter.id);
            if let Some(rhythm) = rhythm(&mut tx, &scope, id, now).await?
                && rhythm.is_silent(now.date())
                && let Some(last) = reporter_quality::last(&mut tx, &scope, id, far_back(now)).await?
            {
                silent.push((reporter, rhythm, last));
            }
        }
        tx.commit().await?;
        for (reporter, rhythm, last) in silent {
            alarm(app, &scope, &reporter, rhythm, last).await?;
        }
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            return Ok(());
        }
    }
}

async fn alarm(
    app: &App,
    scope: &Scope,
    reporter: &Reporter,
    rhythm: Rhythm,
    last: Micros,
) -> roadstead_store::Result<()> {
    let (id, now) = (ReporterId(reporter.id), app.ambient.now());
    let mut tx = app.store.write(scope).await?;
    if !reporter_quality::notice(&mut tx, scope, id, last, now).await? {
        return Ok(());
    }
    let entry = |home| NewEntry {
        home,
        action: AuditAction::ReporterSilent,
        subject: Some(reporter.id),
        detail: serde_json::json!({
            "reporter_number": reporter.number, "usual_days": rhythm.usual_days, "last_report_at": last.rfc3339(),
        }),
    };
    audit::record(&mut tx, scope.actor(), &[entry(None), entry(Some(reporter.id))], &app.ambient).await?;
    tell(&mut tx, id, true, now).await?;
    let readers = reporter_quality::readers(&mut tx, scope, id).await?;
    let mails: Vec<NewMail> = readers
        .into_iter()
        .map(|(home, name, recipient, language)| NewMail {
            recipient,
            language: language.unwrap_or_else(|| "en".to_owned()),
            kind: MailKind::ReporterSilent,
            data: serde_json::json!({
                "name": name, "reporter": reporter.name, "days": rhythm.usual_days.to_string(), "last": last.0,
            }),
            link: Some(match home {
                Some(_) => "/reports/quality".to_owned(),
                None => format!("/reports/quality?reporter={id}"),
            }),
            ends_at: None,
        })
        .collect();
    mails::queue(&mut tx, scope, &mails, &app.ambient).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// A report came: whoever was silent no longer is.
pub(super) async fn heard(
    tx: &mut Tx,
    scope: &Scope,
    reporter: ReporterId,
    now: Micros,
) -> roadstead_store::Result<()> {
    if reporter_quality::end(tx, scope, reporter, now).await? {
        tell(tx, reporter, false, now).await?;
    }
    Ok(())
}

async fn tell(tx: &mut Tx, reporter: ReporterId, silent: bool, now: Micros) -> roadstead_store::Result<()> {
    let event = || Event::ReporterRhythm { reporter, silent };
    outbox::publish(tx, &[(None, event()), (Some(reporter.0), event())], now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        for (day, expected) in [(23, 23), (24, 23), (29, 23), (30, 30)] {
            let at = date(2026, 11, day).at(13, 5, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
            let found = monday(Micros(at.timestamp().as_microsecond()));
            assert_eq!(found.date(), date(2026, 11, expected), "{day}");
        }
    }
}
