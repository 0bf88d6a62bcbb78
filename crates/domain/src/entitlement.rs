//! Entitlements: a PC's right to a support level, with dates.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::partner::SupportLevel;

/// The term that is assumed while none is known for the service SKU (decision 17).
pub const ASSUMED_MONTHS: i32 = 36;

/// A PC's right to a support level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// Which level.
    pub support_level: SupportLevel,
    /// The first day.
    pub starts_on: Date,
    /// The first day on which it no longer holds.
    pub ends_on: Date,
    /// Whether the term is our assumption.
    pub assumed: bool,
}

/// The entitlement that a sale brings: from the ship date, else the sale date, for the months of its service SKU.
pub fn of_sale(
    support_level: SupportLevel,
    sold_on: Date,
    shipped_on: Option<Date>,
    months: Option<i32>,
) -> Entitlement {
    let starts_on = shipped_on.unwrap_or(sold_on);
    let term: Span = months.unwrap_or(ASSUMED_MONTHS).months();
    Entitlement {
        support_level,
        starts_on,
        ends_on: starts_on.saturating_add(term),
        assumed: months.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_term_starts_with_shipping_and_is_marked_as_assumed() {
        let sold = of_sale(SupportLevel::Premium, date(2026, 11, 20), None, None);
        assert_eq!((sold.starts_on, sold.ends_on), (date(2026, 11, 20), date(2029, 11, 20)));
        assert!(sold.assumed);
        let shipped = of_sale(SupportLevel::Premium, date(2026, 11, 20), Some(date(2024, 2, 29)), None);
        assert_eq!((shipped.starts_on, shipped.ends_on), (date(2024, 2, 29), date(2027, 2, 28)));
        let known = of_sale(SupportLevel::Premium, date(2026, 11, 20), None, Some(60));
        assert_eq!((known.ends_on, known.assumed), (date(2031, 11, 20), false));
    }
}
