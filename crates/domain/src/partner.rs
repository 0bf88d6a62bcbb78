//! Partners: support levels, roles and the qualifications that open a holding tenant.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What was sold with the PC. Both were called "Active Care" before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupportLevel {
    /// Premium.
    Premium,
    /// Premium+.
    PremiumPlus,
}

impl SupportLevel {
    /// The stable code: `premium`, `premium_plus`.
    pub fn as_str(self) -> &'static str {
        match self {
            SupportLevel::Premium => "premium",
            SupportLevel::PremiumPlus => "premium_plus",
        }
    }

    /// The level with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "premium" => Some(SupportLevel::Premium),
            "premium_plus" => Some(SupportLevel::PremiumPlus),
            _ => None,
        }
    }

    /// The name on a page, the same in every language: `Premium`, `Premium+`.
    pub fn name(self) -> &'static str {
        match self {
            SupportLevel::Premium => "Premium",
            SupportLevel::PremiumPlus => "Premium+",
        }
    }
}

/// What a partner may do with the PCs it resold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerRole {
    /// Sells and watches; the vendor's customer support repairs.
    ResellAndViewMonitor,
    /// Sells and repairs; cases land in its CSDP account.
    ServiceDelivery,
}

impl PartnerRole {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            PartnerRole::ResellAndViewMonitor => "resell_and_view_monitor",
            PartnerRole::ServiceDelivery => "service_delivery",
        }
    }

    /// The role with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "resell_and_view_monitor" => Some(PartnerRole::ResellAndViewMonitor),
            "service_delivery" => Some(PartnerRole::ServiceDelivery),
            _ => None,
        }
    }
}

/// A (support level, role) that a partner works towards or holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    /// For which level.
    pub support_level: SupportLevel,
    /// In which role.
    pub role: PartnerRole,
    /// The day the course was finished, if it was.
    pub course_completed_on: Option<Date>,
    /// The first day of the certification, if there is one.
    pub certified_on: Option<Date>,
    /// The first day on which the certification no longer holds, if it ends.
    pub expires_on: Option<Date>,
}

/// Where a qualification stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The course is not finished, or only later.
    CourseOpen,
    /// The course is finished, the certificate is not there yet, or only later.
    NotCertified,
    /// Course and certificate are there.
    Valid,
    /// It was valid and has ended.
    Lapsed,
}

impl Qualification {
    /// Where it stands on this day. The day of the certificate counts, the day of expiry no longer does.
    pub fn standing(&self, today: Date) -> Standing {
        let reached = |day: Option<Date>| day.is_some_and(|day| day <= today);
        if !reached(self.course_completed_on) {
            Standing::CourseOpen
        } else if !reached(self.certified_on) {
            Standing::NotCertified
        } else if self.expires_on.is_some_and(|end| end <= today) {
            Standing::Lapsed
        } else {
            Standing::Valid
        }
    }

    /// An end that is not after the beginning is a slip; other gaps only mean that it is not valid yet.
    pub fn check(&self) -> Result<(), QualificationError> {
        match (self.certified_on, self.expires_on) {
            (Some(certified), Some(end)) if end <= certified => {
                Err(QualificationError::ExpiresBeforeCertified)
            }
            _ => Ok(()),
        }
    }
}

/// Where a partner stands that is not qualified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certification {
    /// Nothing says when it will be.
    Open,
    /// It will be, from this day.
    From(Date),
    /// It was, until before this day.
    Ended(Date),
}

/// When a partner becomes qualified, or was last; `None` where it is on this day.
pub fn certification<'a>(
    recorded: impl IntoIterator<Item = &'a Qualification>,
    today: Date,
) -> Option<Certification> {
    let (mut from, mut ended): (Option<Date>, Option<Date>) = (None, None);
    for qualification in recorded {
        match (qualification.standing(today), qualification.course_completed_on, qualification.certified_on) {
            (Standing::Valid, ..) => return None,
            (Standing::Lapsed, ..) => ended = ended.max(qualification.expires_on),
            (_, Some(course), Some(certified)) => {
                let first = course.max(certified);
                if qualification.expires_on.is_none_or(|end| end > first) {
                    from = Some(from.map_or(first, |known| known.min(first)));
                }
            }
            _ => {}
        }
    }
    Some(match (from, ended) {
        (Some(from), _) => Certification::From(from),
        (None, Some(ended)) => Certification::Ended(ended),
        (None, None) => Certification::Open,
    })
}

/// Dates of a qualification that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QualificationError {
    /// The end is not after the beginning.
    #[error("expires_on is not after certified_on")]
    ExpiresBeforeCertified,
}

impl QualificationError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            QualificationError::ExpiresBeforeCertified => "qualification.expires_before_certified",
        }
    }
}

/// Any valid qualification, of any level and role, opens the pool for every line of that partner.
pub fn is_qualified<'a>(qualifications: impl IntoIterator<Item = &'a Qualification>, today: Date) -> bool {
    qualifications.into_iter().any(|q| q.standing(today) == Standing::Valid)
}

impl fmt::Display for SupportLevel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn qualification(course: Option<Date>, certified: Option<Date>, expires: Option<Date>) -> Qualification {
        Qualification {
            support_level: SupportLevel::Premium,
            role: PartnerRole::ServiceDelivery,
            course_completed_on: course,
            certified_on: certified,
            expires_on: expires,
        }
    }

    #[test]
    fn certification_by_table() {
        let day = |text: &str| (!text.is_empty()).then(|| text.parse::<Date>().unwrap());
        let of = |course, certified, expires| Qualification {
            support_level: SupportLevel::Premium,
            role: PartnerRole::ServiceDelivery,
            course_completed_on: day(course),
            certified_on: day(certified),
            expires_on: day(expires),
        };
        let date = |text: &str| day(text).unwrap();
        for (recorded, expected) in [
            (vec![], Some(Certification::Open)),
            (vec![of("2026-11-01", "", "")], Some(Certification::Open)),
            (vec![of("", "2026-11-01", "")], Some(Certification::Open)),
            (vec![of("2026-11-01", "2026-12-01", "")], Some(Certification::From(date("2026-12-01")))),
            (vec![of("2027-01-05", "2026-11-01", "")], Some(Certification::From(date("2027-01-05")))),
            (
                vec![of("2026-01-01", "2027-02-01", ""), of("2026-01-01", "2026-12-01", "")],
                Some(Certification::From(date("2026-12-01"))),
            ),
            (
                vec![of("2026-01-01", "2026-01-01", "2026-10-01")],
                Some(Certification::Ended(date("2026-10-01"))),
            ),
            (
                vec![
                    of("2025-01-01", "2025-01-01", "2026-10-01"),
                    of("2024-01-01", "2024-01-01", "2025-01-01"),
                ],
                Some(Certification::Ended(date("2026-10-01"))),
            ),
            // What will be is what counts.
            (
                vec![of("2025-01-01", "2025-01-01", "2026-10-01"), of("2026-01-01", "2026-12-01", "")],
                Some(Certification::From(date("2026-12-01"))),
            ),
            (vec![of("2026-01-01", "2026-01-01", ""), of("2026-01-01", "2026-12-01", "")], None),
            // It never will be.
            (vec![of("2027-05-01", "2026-12-01", "2027-04-01")], Some(Certification::Open)),
        ] {
            assert_eq!(certification(&recorded, date("2026-11-22")), expected, "{recorded:?}");
        }
    }

    #[test]
    fn standing_by_day() {
        let today = date(2026, 11, 22);
        let (past, soon) = (Some(date(2026, 1, 1)), Some(date(2026, 11, 23)));
        let cases = [
            (qualification(None, None, None), Standing::CourseOpen),
            (qualification(soon, None, None), Standing::CourseOpen),
            (qualification(past, None, None), Standing::NotCertified),
            (qualification(past, soon, None), Standing::NotCertified),
            (qualification(past, past, None), Standing::Valid),
            (qualification(past, Some(today), None), Standing::Valid),
            (qualification(past, past, soon), Standing::Valid),
            (qualification(past, past, Some(today)), Standing::Lapsed),
        ];
        for (qualification, standing) in cases {
            assert_eq!(qualification.standing(today), standing, "{qualification:?}");
        }
    }

    #[test]
    fn either_one_qualifies() {
        let today = date(2026, 11, 22);
        let open = qualification(Some(today), None, None);
        let valid = qualification(Some(today), Some(today), None);
        assert!(!is_qualified([], today));
        assert!(!is_qualified([&open], today));
        assert!(is_qualified([&open, &valid], today));
    }

    #[test]
    fn impossible_dates_are_told() {
        let (a, b) = (Some(date(2026, 1, 1)), Some(date(2026, 2, 1)));
        let check = |c, d, e| qualification(c, d, e).check();
        assert_eq!(check(a, b, None), Ok(()));
        assert_eq!(check(a, a, b), Ok(()));
        assert_eq!(check(None, a, None), Ok(()), "a certificate whose course is open is only not valid yet");
        assert_eq!(check(a, b, b), Err(QualificationError::ExpiresBeforeCertified));
    }
}
