//! Disputes: a line that contradicts what the platform knows. What the operator can decide, and what it takes.

use crate::sale::Verdict;

/// How a dispute ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The line counts for nothing; the PC stays where it is.
    Dismissed,
    /// The line is right; the PC goes to its seller.
    Upheld,
}

impl Outcome {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Dismissed => "dismissed",
            Outcome::Upheld => "upheld",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Outcome::Dismissed, Outcome::Upheld].into_iter().find(|outcome| outcome.as_str() == code)
    }
}

/// The reason of a dispute that was dismissed by nobody's decision: the withdrawal that made it was undone.
pub const WITHDRAWAL_UNDONE: &str = "report.withdrawal_undone";

/// Where the PC of a dispute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nowhere.
    Nowhere,
    /// In a holding tenant.
    Pool,
    /// With a customer.
    Customer,
}

/// Whether a dispute can end so; else a stable code of what stands in the way. A PC that is with a customer is never taken
/// from it by a decision about resellers.
pub fn check(verdict: Verdict, held: Held, outcome: Outcome) -> Result<(), &'static str> {
    match (outcome, verdict, held) {
        (Outcome::Dismissed, ..) => Ok(()),
        (Outcome::Upheld, Verdict::SoldByOtherPartner | Verdict::CustomerOfOtherPartner, Held::Customer) => {
            Err("dispute.with_customer")
        }
        (Outcome::Upheld, Verdict::SoldByOtherPartner | Verdict::CustomerOfOtherPartner, _) => Ok(()),
        (Outcome::Upheld, Verdict::ReturnOfAssigned, Held::Customer) => Err("dispute.with_customer"),
        (Outcome::Upheld, ..) => Err("dispute.not_a_sale"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_by_table() {
        use Verdict::{CustomerOfOtherPartner, ReturnOfAssigned, ReturnOfUnheld, SoldByOtherPartner};
        for (verdict, held, expected) in [
            (SoldByOtherPartner, Held::Pool, Ok(())),
            (SoldByOtherPartner, Held::Nowhere, Ok(())),
            (SoldByOtherPartner, Held::Customer, Err("dispute.with_customer")),
            (CustomerOfOtherPartner, Held::Customer, Err("dispute.with_customer")),
            (CustomerOfOtherPartner, Held::Pool, Ok(())),
            (ReturnOfAssigned, Held::Customer, Err("dispute.with_customer")),
            (ReturnOfUnheld, Held::Pool, Err("dispute.not_a_sale")),
        ] {
            assert_eq!(check(verdict, held, Outcome::Upheld), expected, "{verdict:?} {held:?}");
            assert_eq!(check(verdict, held, Outcome::Dismissed), Ok(()));
        }
    }
}
