//! Personal data of a PC: bound to one generation of its placement, sealed by a move (decision 7), and opened in a new
//! tenant only once something shows that this tenant holds the PC (decision 25).

use std::ops::Add;

use serde::{Deserialize, Serialize};

use crate::enrolment::is_own_domain;

/// By what a PC was shown to be in its tenant's hands, in one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Possession {
    /// Its key signed the challenge of that very move, from inside the tenant.
    Key,
    /// It enrolled by the tenant's cPIN.
    Cpin,
    /// An IT admin of the customer said so.
    Confirmed,
}

impl Possession {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Possession::Key => "key",
            Possession::Cpin => "cpin",
            Possession::Confirmed => "confirmed",
        }
    }
}

/// Whether a PC of this domain speaks from inside a tenant that names these domains. Where none is named nothing can be
/// shown this way.
pub fn is_inside(domain: &str, own: &[String]) -> bool {
    !own.is_empty() && !domain.trim().is_empty() && is_own_domain(domain, own)
}

/// What became of one class of data in an operation, in PCs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// It stays with the PC, or is open again.
    pub kept: i64,
    /// It is deleted.
    pub wiped: i64,
    /// Nobody sees it; it is deleted after 30 days.
    pub sealed: i64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            kept: self.kept + other.kept,
            wiped: self.wiped + other.wiped,
            sealed: self.sealed + other.sealed,
        }
    }
}

/// What became of the data of the PCs of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Receipt {
    /// What the machine said of itself. It is of nobody, and goes with the PC.
    pub readings: Counts,
    /// Who was signed in.
    pub last_user: Counts,
    /// Where the PC was.
    pub location: Counts,
    /// What users wrote in repair cases, and whom to turn to there.
    pub free_text: Counts,
}

impl Add for Receipt {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            readings: self.readings + other.readings,
            last_user: self.last_user + other.last_user,
            location: self.location + other.location,
            free_text: self.free_text + other.free_text,
        }
    }
}

impl Receipt {
    /// Each class with its stable code.
    pub fn classes(&self) -> [(&'static str, Counts); 4] {
        [
            ("readings", self.readings),
            ("last_user", self.last_user),
            ("location", self.location),
            ("free_text", self.free_text),
        ]
    }

    /// The same once what was sealed has been deleted.
    pub fn after_wiping(self) -> Self {
        let wiped =
            |counts: Counts| Counts { wiped: counts.wiped + counts.sealed, sealed: 0, kept: counts.kept };
        Self {
            last_user: wiped(self.last_user),
            location: wiped(self.location),
            free_text: wiped(self.free_text),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_by_table() {
        let own = ["werft.example".to_owned()];
        for (domain, own, expected) in [
            ("hh.werft.example", &own[..], true),
            ("WERFT.example", &own[..], true),
            ("kai.example", &own[..], false),
            ("", &own[..], false),
            ("werft.example", &[][..], false),
        ] {
            assert_eq!(is_inside(domain, own), expected, "{domain} {own:?}");
        }
    }

    #[test]
    fn what_was_sealed_is_wiped_in_the_end() {
        let counts = Counts { kept: 1, wiped: 2, sealed: 3 };
        let receipt = Receipt { readings: counts, last_user: counts, location: counts, free_text: counts };
        let wiped = receipt.after_wiping();
        assert_eq!(wiped.readings, counts, "readings are of nobody");
        for counts in [wiped.last_user, wiped.location, wiped.free_text] {
            assert_eq!(counts, Counts { kept: 1, wiped: 5, sealed: 0 });
        }
        assert_eq!((wiped + receipt).location, Counts { kept: 2, wiped: 7, sealed: 3 });
    }

    #[test]
    fn a_receipt_of_an_older_version_is_read() {
        let old = r#"{"readings":{"kept":1,"wiped":0,"sealed":0}}"#;
        let receipt: Receipt = serde_json::from_str(old).unwrap();
        assert_eq!((receipt.readings.kept, receipt.free_text), (1, Counts::default()));
    }
}
