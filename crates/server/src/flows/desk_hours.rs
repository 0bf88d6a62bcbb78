//! When a desk works, and its week.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use roadstead_domain::access::Scope;
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::working_hours::{BadHours, WorkingHours};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::desk_hours::{self, Appointment};

use super::Refused;
use crate::app::App;

/// The field of each day, from Monday on.
pub const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Says when one's own desk works.
pub async fn set(app: &App, scope: &Scope, zone: &str, days: &[String]) -> Result<(), Refused> {
    let hours = WorkingHours::read(zone, days.iter().map(String::as_str)).map_err(|bad| match bad {
        BadHours::Zone => Refused::invalid("field.unknown_value", "time_zone"),
        BadHours::Days => Refused::invalid("desk_hours.no_day", "days"),
        BadHours::Day(at) => Refused::invalid("desk_hours.no_time", DAYS.get(at).copied().unwrap_or("days")),
    })?;
    let (desk, platform) = (desk_hours::desk_of(scope)?, scope.carried_out());
    let mut tx = app.store.write(&platform).await?;
    desk_hours::set(&mut tx, &platform, desk, &hours).await?;
    let entry = NewEntry {
        home: scope.home(),
        action: AuditAction::DeskHoursSet,
        subject: None,
        detail: serde_json::json!({ "time_zone": zone, "days": hours.write() }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

/// A desk's week.
#[derive(Debug)]
pub struct Week {
    /// Its Monday.
    pub monday: Date,
    /// The time zone in which its days begin.
    pub zone: TimeZone,
    /// When the desk works, if it has said.
    pub hours: Option<WorkingHours>,
    /// What it has to do.
    pub appointments: Vec<Appointment>,
}

impl Week {
    /// The Monday so many weeks on.
    pub fn monday_in(&self, weeks: i64) -> Date {
        self.monday.saturating_add(Span::new().weeks(weeks))
    }
}

/// The week of one's own desk in which this day lies, or today. Its days are those of the desk's place, of `elsewhere` where
/// the desk has not said where it is.
pub async fn week(
    app: &App,
    scope: &Scope,
    day: Option<Date>,
    elsewhere: &TimeZone,
) -> Result<Week, Refused> {
    let mut tx = app.store.read(scope).await?;
    let hours = desk_hours::own(&mut tx, scope).await?;
    let zone = hours.as_ref().map_or_else(|| elsewhere.clone(), |hours| hours.zone.clone());
    let day = day.unwrap_or_else(|| app.ambient.now().timestamp().to_zoned(zone.clone()).date());
    let monday = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
    let begin = |day: Date| {
        let at = day.to_zoned(zone.clone()).map(|at| Micros(at.timestamp().as_microsecond()));
        at.map_err(|_| Refused::invalid("field.not_a_date", "week"))
    };
    let (from, until) = (begin(monday)?, begin(monday.saturating_add(7.days()))?);
    let appointments = desk_hours::appointments(&mut tx, scope, from, until).await?;
    Ok(Week { monday, zone, hours, appointments })
}
