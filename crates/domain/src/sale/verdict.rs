//! The stable codes of what a report line came to.

use serde::{Deserialize, Serialize};

use super::Field;

macro_rules! verdicts {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// What a report line came to. The codes are stable: clients and stored lines use them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Verdict {
            $($(#[$doc])* $name),+
        }

        impl Verdict {
            /// Every verdict, in the order in which the rules ask.
            pub const ALL: &'static [Verdict] = &[$(Verdict::$name),+];

            /// The stable code, as in the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Verdict::$name => $code),+ }
            }

            /// The verdict with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Verdict::$name),)+ _ => None }
            }
        }
    };
}

verdicts! {
    /// The serial cell is empty.
    SerialMissing = "rejected.serial_missing",
    /// A spreadsheet turned the serial into a number.
    SerialScientificNotation = "rejected.serial_scientific_notation",
    /// The serial is not 5 to 40 of `A-Z 0-9 - . /`.
    SerialInvalid = "rejected.serial_invalid",
    /// The date is none, or can be read in two ways.
    DateInvalid = "rejected.date_invalid",
    /// The amount is not the number of serials, or negative in a sale.
    QuantitySerialMismatch = "rejected.quantity_serial_mismatch",
    /// The reseller's number is empty.
    SellerMissing = "rejected.seller_missing",
    /// A required cell is empty, or holds a formula.
    CellMissing = "rejected.cell_missing",
    /// The kind of transaction is none that we know.
    TransactionUnknown = "rejected.transaction_unknown",
    /// The support level is none that we know.
    SupportLevelUnknown = "rejected.support_level_unknown",
    /// A cell is over the limit.
    TooLarge = "rejected.too_large",
    /// This reporter may not report for this seller.
    ReporterNotAllowed = "rejected.reporter_not_allowed",
    /// An earlier line says the same.
    Duplicate = "duplicate",
    /// The seller's number is not known: replayed once it is.
    UnknownSeller = "parked.unknown_seller",
    /// The receiving partner has no valid qualification: replayed once it has.
    PartnerNotQualified = "parked.partner_not_qualified",
    /// The PC left the pool, or a parked sale was withdrawn.
    Returned = "returned",
    /// A return of a PC that is with a customer.
    ReturnOfAssigned = "disputed.return_of_assigned",
    /// A return of a PC that this seller does not hold.
    ReturnOfUnheld = "disputed.return_of_unheld",
    /// A sale of a PC that is with a customer of another partner.
    CustomerOfOtherPartner = "disputed.customer_of_other_partner",
    /// A sale of a PC that another partner has in its pool.
    SoldByOtherPartner = "disputed.sold_by_other_partner",
    /// The PC is already with a customer of the seller: the entitlement is attached, nothing moves.
    AlreadyWithCustomer = "recorded.already_with_customer",
    /// The PC is in the partner's pool.
    Placed = "placed",
}

impl Verdict {
    /// The family: `rejected`, `parked`, `disputed`, `recorded`, `duplicate`, `returned` or `placed`.
    pub fn family(self) -> &'static str {
        let code = self.as_str();
        code.split_once('.').map_or(code, |(family, _)| family)
    }

    /// A rejected line is as if it had never been sent.
    pub fn is_rejected(self) -> bool {
        self.family() == "rejected"
    }

    /// A parked line waits for its seller to become known or qualified.
    pub fn is_parked(self) -> bool {
        self.family() == "parked"
    }
}

/// One reason behind a verdict, with the cell that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A verdict's code, or a finer one below it: `rejected.date_invalid`, `cell.formula`, `sold_by_us_before`.
    pub code: String,
    /// The field it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
    /// What the cell said, as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
}

impl Reason {
    /// A reason without a cell.
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into(), field: None, received: None }
    }

    /// A reason about a cell; a long text is cut, since the whole one is kept with the line.
    pub fn at(code: impl Into<String>, field: Field, received: &str) -> Self {
        let received = received.chars().take(120).collect::<String>();
        Self { code: code.into(), field: Some(field), received: Some(received) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::from_code(verdict.as_str()), Some(*verdict));
        }
        assert_eq!(Verdict::from_code("placed "), None);
        assert_eq!(Verdict::Placed.family(), "placed");
        assert_eq!(Verdict::ReturnOfUnheld.family(), "disputed");
    }
}
