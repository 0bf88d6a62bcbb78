//! Arrivals: a customer may send PCs back that its partner moved to it (decision 8).

use crate::clock::Micros;
use crate::customer::Management;

/// For how long an arrival may be declined, in microseconds.
pub const DECLINE_FOR: i64 = 14 * 24 * 60 * 60 * 1_000_000;

/// The causes in the placement log that a customer may answer: what its partner did. A cPIN is its own word.
pub const BY_PARTNER: [&str; 2] = ["transfer", "undo"];

/// Why PCs stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// The partner runs the tenant: there is nobody to decline.
    PartnerManaged,
    /// It did not come by its partner's doing.
    NotMovedHere,
    /// It came too long ago.
    TooLate,
}

impl Stays {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Stays::PartnerManaged => "customer.partner_managed",
            Stays::NotMovedHere => "arrival.not_moved_here",
            Stays::TooLate => "arrival.too_late",
        }
    }
}

/// Whether a PC that came at this instant by this cause may be sent back now.
pub fn may_decline(
    management: Management,
    cause: Option<&str>,
    at: Micros,
    now: Micros,
) -> Result<(), Stays> {
    if management == Management::Partner {
        Err(Stays::PartnerManaged)
    } else if !cause.is_some_and(|cause| BY_PARTNER.contains(&cause)) {
        Err(Stays::NotMovedHere)
    } else if now.0 - at.0 >= DECLINE_FOR {
        Err(Stays::TooLate)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_table() {
        let (now, day) = (Micros(100 * DECLINE_FOR), 24 * 3600 * 1_000_000);
        let ago = |days: i64| Micros(now.0 - days * day);
        for (management, cause, at, expected) in [
            (Management::Customer, Some("transfer"), ago(0), Ok(())),
            (Management::Customer, Some("undo"), ago(13), Ok(())),
            (Management::Customer, Some("transfer"), ago(14), Err(Stays::TooLate)),
            (Management::Customer, Some("enrolment"), ago(0), Err(Stays::NotMovedHere)),
            (Management::Customer, None, ago(0), Err(Stays::NotMovedHere)),
            (Management::Partner, Some("transfer"), ago(0), Err(Stays::PartnerManaged)),
        ] {
            assert_eq!(may_decline(management, cause, at, now), expected, "{management:?} {cause:?}");
        }
    }
}
