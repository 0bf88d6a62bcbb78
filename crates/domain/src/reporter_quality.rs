//! How well somebody reports: what their lines come to, how often they report, and when they have been silent too long.

use jiff::civil::Date;
use serde::Serialize;

use crate::sale::Verdict;

/// Lines by what they came to, in the four ways that matter to whoever sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Understood and settled: placed, recorded, returned or there already.
    pub matched: i64,
    /// Waiting for a partner to be known or certified.
    pub parked: i64,
    /// Against what another line says.
    pub disputed: i64,
    /// Not understood.
    pub rejected: i64,
}

impl Tally {
    /// Counts lines that came to this code. One that is not known counts as rejected, so that nobody overlooks it.
    pub fn add(&mut self, code: &str, lines: i64) {
        let of = match Verdict::from_code(code).map(Verdict::family) {
            Some("placed" | "recorded" | "returned" | "duplicate") => &mut self.matched,
            Some("parked") => &mut self.parked,
            Some("disputed") => &mut self.disputed,
            _ => &mut self.rejected,
        };
        *of += lines;
    }

    /// The lines of another time besides.
    pub fn join(&mut self, other: Tally) {
        self.matched += other.matched;
        self.parked += other.parked;
        self.disputed += other.disputed;
        self.rejected += other.rejected;
    }

    /// In the order in which they are drawn.
    pub fn parts(&self) -> [i64; 4] {
        [self.matched, self.parked, self.disputed, self.rejected]
    }

    /// All lines.
    pub fn lines(&self) -> i64 {
        self.parts().iter().sum()
    }
}

/// The rhythm in which somebody reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// Days from one report to the next, as most are.
    pub usual_days: i32,
    /// The last day with a report.
    pub last: Date,
    /// The last day on which the next report is not late.
    pub expected_by: Date,
}

/// Days with reports that it takes to speak of a rhythm.
const LEAST: usize = 5;
/// Gaps that are looked at: a rhythm may change.
const RECENT: usize = 20;

impl Rhythm {
    /// The rhythm of the days on which reports came, in any order. None where they are too few.
    ///
    /// The next report is late after half as long again as usual, or after the longest of the recent gaps, the longest
    /// tenth left out: whoever reports on working days is not late on a Sunday, and holidays of long ago excuse nobody.
    pub fn of(days: &[Date]) -> Option<Self> {
        let mut days = days.to_vec();
        days.sort_unstable();
        days.dedup();
        let last = *days.last().filter(|_| days.len() >= LEAST)?;
        let mut gaps: Vec<i32> =
            days.windows(2).rev().take(RECENT).map(|pair| (pair[1] - pair[0]).get_days()).collect();
        gaps.sort_unstable();
        let usual_days = gaps[gaps.len() / 2];
        let longest = gaps[gaps.len() * 9 / 10];
        let allowed = longest.max(usual_days + (usual_days + 1) / 2);
        let expected_by = last.checked_add(jiff::Span::new().days(allowed)).unwrap_or(Date::MAX);
        Some(Self { usual_days, last, expected_by })
    }

    /// Whether the next report is late on this day.
    pub fn is_silent(&self, today: Date) -> bool {
        today > self.expected_by
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn days(steps: &[i64]) -> Vec<Date> {
        let mut day = date(2026, 6, 1);
        let mut days = vec![day];
        for step in steps {
            day = day.saturating_add(step.days());
            days.push(day);
        }
        days
    }

    #[test]
    fn a_rhythm_and_its_end() {
        for (what, steps, usual, allowed) in [
            ("too few", vec![7, 7, 7], None, 0),
            ("weekly", vec![7; 8], Some(7), 11),
            ("weekly, a day early or late", vec![7, 6, 8, 7, 7, 8, 6, 7], Some(7), 11),
            ("every day", vec![1; 30], Some(1), 2),
            ("working days", [1, 1, 1, 1, 3].repeat(5), Some(1), 3),
            ("monthly", vec![30, 31, 31, 30, 31], Some(31), 47),
            (
                "one long silence does not excuse the next",
                [vec![7; 10], vec![60], vec![7; 9]].concat(),
                Some(7),
                11,
            ),
            ("now and then", vec![2, 40, 9, 35, 5, 50], Some(35), 53),
            ("daily by now", [vec![30; 12], vec![1; 20]].concat(), Some(1), 2),
        ] {
            let days = days(&steps);
            let found = Rhythm::of(&days);
            assert_eq!(found.map(|rhythm| rhythm.usual_days), usual, "{what}");
            let Some(rhythm) = found else { continue };
            let end = rhythm.last.saturating_add(i64::from(allowed).days());
            assert_eq!(rhythm.expected_by, end, "{what}");
            assert!(!rhythm.is_silent(end) && rhythm.is_silent(end.tomorrow().unwrap()), "{what}");
        }
    }

    #[test]
    fn order_and_repetition_of_days_make_no_difference() {
        let mut mixed = days(&[7; 6]);
        mixed.reverse();
        mixed.extend(days(&[7; 6]));
        assert_eq!(Rhythm::of(&mixed), Rhythm::of(&days(&[7; 6])));
        assert_eq!(Rhythm::of(&[date(2026, 6, 1); 9]), None);
    }

    #[test]
    fn every_verdict_counts_somewhere() {
        let mut tally = Tally::default();
        for verdict in Verdict::ALL {
            tally.add(verdict.as_str(), 1);
        }
        tally.add("of.another.version", 1);
        assert_eq!(tally, Tally { matched: 4, parked: 2, disputed: 4, rejected: 12 });
        assert_eq!(tally.lines(), Verdict::ALL.len() as i64 + 1);
    }
}
