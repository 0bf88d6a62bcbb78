//! When a desk works, by the clock of its own place, and whether an appointment falls into that.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::clock::Micros;

/// From when until when a desk works on one day of the week; `None` is a day off.
pub type Day = Option<(Time, Time)>;

/// A desk's week.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkingHours {
    /// The place's time zone.
    pub zone: TimeZone,
    /// Monday to Sunday.
    pub days: [Day; 7],
}

/// Why a week cannot be as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHours {
    /// No time zone has this name.
    Zone,
    /// A day is not `HH:MM-HH:MM`, or ends before it begins. Monday is 0.
    Day(usize),
    /// There are not seven days, or none of them is worked on.
    Days,
}

impl WorkingHours {
    /// Reads a week: a zone's name, and for each day from Monday on `08:00-17:00`, or nothing.
    pub fn read<'a>(zone: &str, days: impl IntoIterator<Item = &'a str>) -> Result<Self, BadHours> {
        let zone = TimeZone::get(zone).ok().filter(|known| known.iana_name() == Some(zone));
        let zone = zone.ok_or(BadHours::Zone)?;
        let read = |(at, day): (usize, &str)| read_day(day.trim()).ok_or(BadHours::Day(at));
        let days: Vec<Day> = days.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let days: [Day; 7] = days.try_into().map_err(|_| BadHours::Days)?;
        if days.iter().all(Option::is_none) {
            return Err(BadHours::Days);
        }
        Ok(Self { zone, days })
    }

    /// Each day as it is read: `08:00-17:00`, or empty.
    pub fn write(&self) -> [String; 7] {
        self.days.map(|day| {
            day.map_or_else(String::new, |(from, until)| {
                format!("{}-{}", from.strftime("%H:%M"), until.strftime("%H:%M"))
            })
        })
    }

    /// Whether an appointment lies within one working day.
    pub fn covers(&self, from: Micros, until: Micros) -> bool {
        let local =
            |at: Micros| Timestamp::from_microsecond(at.0).ok().map(|at| at.to_zoned(self.zone.clone()));
        let (Some(from), Some(until)) = (local(from), local(until)) else { return false };
        let weekday = usize::from(from.weekday().to_monday_zero_offset().unsigned_abs());
        let Some((opens, closes)) = self.days[weekday] else { return false };
        from.date() == until.date() && from.time() >= opens && until.time() <= closes
    }
}

fn read_day(text: &str) -> Option<Day> {
    if text.is_empty() {
        return Some(None);
    }
    let (from, until) = text.split_once(['-', '–'])?;
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
    let (from, until) = (time(from)?, time(until)?);
    (from < until).then_some(Some((from, until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> WorkingHours {
        let week = ["08:00-17:00", "8:00 – 17:00", "08:00-17:00", "08:00-17:00", "08:00-12:30", "", ""];
        WorkingHours::read("Europe/Berlin", week).unwrap()
    }

    #[test]
    fn a_week_is_read_and_written() {
        let written = berlin().write();
        assert_eq!(
            written,
            ["08:00-17:00", "08:00-17:00", "08:00-17:00", "08:00-17:00", "08:00-12:30", "", ""]
        );
        let again = WorkingHours::read("Europe/Berlin", written.iter().map(String::as_str)).unwrap();
        assert_eq!(again, berlin());
        for (zone, days, expected) in [
            ("Mars/Olympus", vec!["08:00-17:00"; 7], BadHours::Zone),
            ("europe/berlin", vec!["08:00-17:00"; 7], BadHours::Zone),
            ("UTC", vec!["08:00-17:00"; 6], BadHours::Days),
            ("UTC", vec![""; 7], BadHours::Days),
            ("UTC", vec!["", "17:00-08:00", "", "", "", "", ""], BadHours::Day(1)),
            ("UTC", vec!["", "", "08:00-08:00", "", "", "", ""], BadHours::Day(2)),
            ("UTC", vec!["from eight", "", "", "", "", "", ""], BadHours::Day(0)),
            ("UTC", vec!["08:00-25:00", "", "", "", "", "", ""], BadHours::Day(0)),
        ] {
            assert_eq!(WorkingHours::read(zone, days.iter().copied()), Err(expected), "{zone} {days:?}");
        }
    }

    #[test]
    fn appointments_by_table() {
        let at = |text: &str| Micros(text.parse::<Timestamp>().unwrap().as_microsecond());
        for (from, until, covered) in [
            // Monday in winter: eight in Berlin is seven in UTC.
            ("2027-01-04T07:00:00Z", "2027-01-04T16:00:00Z", true),
            ("2027-01-04T06:59:00Z", "2027-01-04T08:00:00Z", false),
            ("2027-01-04T15:00:00Z", "2027-01-04T16:01:00Z", false),
            // In summer it is six.
            ("2027-07-05T06:00:00Z", "2027-07-05T07:00:00Z", true),
            ("2027-07-05T15:30:00Z", "2027-07-05T16:00:00Z", false),
            // Friday closes early, Saturday is off.
            ("2027-01-08T10:00:00Z", "2027-01-08T11:30:00Z", true),
            ("2027-01-08T11:00:00Z", "2027-01-08T12:00:00Z", false),
            ("2027-01-09T10:00:00Z", "2027-01-09T11:00:00Z", false),
            // Over night.
            ("2027-01-04T15:00:00Z", "2027-01-05T08:00:00Z", false),
        ] {
            assert_eq!(berlin().covers(at(from), at(until)), covered, "{from} to {until}");
        }
    }
}
