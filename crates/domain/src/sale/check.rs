//! From what a file says to a line that can be judged: the first of the ordered rules (`rejected.*`).

use std::collections::HashMap;

use jiff::civil::Date;

use super::{CellFault, Field, Reason, ReceivedLine, Verdict};
use crate::partner::SupportLevel;
use crate::serial::{self, SerialError};

/// The kinds of transaction. A void counts as a return; a correction voids the line it supersedes and is a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transaction {
    /// The seller sold the PC.
    Sale,
    /// The seller took it back.
    Return,
    /// The line it supersedes was wrong; this is right.
    Correction,
    /// The sale never was.
    Void,
}

impl Transaction {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Transaction::Sale => "sale",
            Transaction::Return => "return",
            Transaction::Correction => "correction",
            Transaction::Void => "void",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Sale, Self::Return, Self::Correction, Self::Void].into_iter().find(|t| t.as_str() == code)
    }

    /// Reads the word of a file, English or German; empty is a sale.
    fn read(text: &str) -> Option<Self> {
        let word = text.trim().to_lowercase();
        Some(match word.as_str() {
            "" | "sale" | "sales" | "sell" | "sold" | "ss" | "verkauf" | "verkauft" => Self::Sale,
            "return" | "returns" | "returned" | "retoure" | "rückgabe" | "rueckgabe" | "rücksendung"
            | "ruecksendung" => Self::Return,
            "correction" | "corrected" | "korrektur" | "berichtigung" => Self::Correction,
            "void" | "voided" | "cancellation" | "cancelled" | "storno" | "stornierung" => Self::Void,
            _ => return None,
        })
    }

    /// Whether the line takes a PC back.
    pub fn takes_back(self) -> bool {
        matches!(self, Self::Return | Self::Void)
    }
}

/// A line that passed the first rule, in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleLine {
    /// 1 for the first line of the report.
    pub line: u64,
    /// The kind of transaction.
    pub transaction: Transaction,
    /// The day of the sale or return.
    pub date: Date,
    /// The day of shipping, if told.
    pub shipped_on: Option<Date>,
    /// The seller's number, upper case.
    pub seller: String,
    /// The buyer's number, upper case; empty if not told.
    pub buyer: String,
    /// The serial's normal form.
    pub serial: String,
    /// The manufacturer, where the line names one.
    pub manufacturer: Option<String>,
    /// The support level, if one was sold.
    pub level: Option<SupportLevel>,
    /// The months of its term, where they are known.
    pub months: Option<i32>,
    /// The invoice number; empty if not told.
    pub invoice: String,
    /// The invoice of the line that a correction replaces; empty if not told.
    pub supersedes: String,
}

/// What a name or service SKU stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sold {
    /// The level, if any was sold.
    pub level: Option<SupportLevel>,
    /// The months of its term, where they are known.
    pub months: Option<i32>,
}

/// The names and SKUs under which the support levels are sold. Data: the platform's operator may add its own.
#[derive(Clone, Debug)]
pub struct LevelNames(HashMap<String, Sold>);

impl LevelNames {
    /// The names that every platform starts with. "Active Care" is what both were called before (behaviour 1).
    pub const DEFAULT: &'static [(&'static str, Option<SupportLevel>)] = &[
        ("premium", Some(SupportLevel::Premium)),
        ("premium+", Some(SupportLevel::PremiumPlus)),
        ("premium plus", Some(SupportLevel::PremiumPlus)),
        ("active care", Some(SupportLevel::PremiumPlus)),
        ("none", None),
        ("ohne", None),
        ("kein", None),
        ("keine", None),
        ("keiner", None),
        ("-", None),
    ];

    /// A table from names as people write them to levels; `None` says that no level was sold.
    pub fn new<'a>(names: impl IntoIterator<Item = (&'a str, Option<SupportLevel>)>) -> Self {
        let sold = |level| Sold { level, months: None };
        Self(names.into_iter().map(|(name, level)| (fold_level(name), sold(level))).collect())
    }

    /// Adds a name, or changes what it stands for.
    pub fn add(&mut self, name: &str, sold: Sold) {
        self.0.insert(fold_level(name), sold);
    }

    /// What a cell says; `None` for a name that is not known.
    pub fn read(&self, text: &str) -> Option<Sold> {
        if text.trim().is_empty() {
            return Some(Sold::default());
        }
        self.0.get(&fold_level(text)).copied()
    }

    /// One spelling of a name for all that mean the same; empty if nothing is left of it.
    pub fn key(name: &str) -> String {
        fold_level(name)
    }
}

impl Default for LevelNames {
    fn default() -> Self {
        Self::new(Self::DEFAULT.iter().copied())
    }
}

/// `Premium+ Support`, `PREMIUM PLUS` and `premium_plus` are one name.
fn fold_level(text: &str) -> String {
    let text = text.to_lowercase().replace('+', " plus ");
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !matches!(*word, "support" | "service" | "level"))
        .collect();
    words.concat()
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateError {
    /// No date at all, or no such day.
    Invalid,
    /// `05/06/2026` is two different days in two countries.
    Ambiguous,
}

/// Reads `2026-11-18`, `20261118`, `18.11.2026`, `2026/11/18`, and slashes where only one reading is a date; a time
/// of day after it is passed over. Years 2000 to 2099.
pub fn parse_date(text: &str) -> Result<Date, DateError> {
    let text = text.trim();
    let day = text.split(['T', ' ']).next().unwrap_or("");
    let number = |s: &str| -> Option<i16> {
        (!s.is_empty() && s.len() <= 4 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?
    };
    let make = |year: Option<i16>, month: Option<i16>, day: Option<i16>| {
        let (year, month, day) = (year?, month?, day?);
        let year = if year < 100 { year + 2000 } else { year };
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        (2000..2100).contains(&year).then(|| Date::new(year, month, day).ok())?
    };
    if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) {
        return make(number(&day[..4]), number(&day[4..6]), number(&day[6..])).ok_or(DateError::Invalid);
    }
    let Some(mark) = day.chars().find(|c| matches!(c, '-' | '.' | '/')) else {
        return Err(DateError::Invalid);
    };
    let parts: Vec<Option<i16>> = day.split(mark).map(number).collect();
    let [a, b, c] = parts[..] else { return Err(DateError::Invalid) };
    let year_first = day.split(mark).next().is_some_and(|first| first.len() == 4);
    match mark {
        _ if year_first => make(a, b, c).ok_or(DateError::Invalid),
        '.' => make(c, b, a).ok_or(DateError::Invalid),
        '/' => match (make(c, b, a), make(c, a, b)) {
            (Some(one), Some(other)) if one != other => Err(DateError::Ambiguous),
            (Some(date), _) | (None, Some(date)) => Ok(date),
            (None, None) => Err(DateError::Invalid),
        },
        _ => make(c, b, a).ok_or(DateError::Invalid),
    }
}

/// Reads an amount: a whole number, also as `1.0` or `1,00`.
pub fn parse_quantity(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once(['.', ',']) {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

/// Whoever hands a report in, as the first rule has to know it.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Its number.
    pub number: String,
    /// The one seller that it may report for, if it is bound to one.
    pub only_seller: Option<String>,
}

fn same_number(one: &str, other: &str) -> bool {
    one.trim().to_uppercase() == other.trim().to_uppercase()
}

/// The first rule.
///
/// Every fault of the line is listed; the verdict is the first in the order of [`Verdict::ALL`].
pub fn check(
    received: &ReceivedLine,
    levels: &LevelNames,
    sender: &Sender,
) -> Result<SaleLine, (Verdict, Vec<Reason>)> {
    let mut faults: Vec<(Verdict, Reason)> = Vec::new();
    let mut reject = |verdict: Verdict, field: Field| {
        faults.push((verdict, Reason::at(verdict.as_str(), field, received.get(field))));
    };
    let formula = |field| received.fault(field) == Some(CellFault::Formula);
    let text = |field| received.get(field).trim();

    for (field, fault) in &received.faults {
        if *fault == CellFault::TooLarge {
            reject(Verdict::TooLarge, *field);
        }
    }

    let serial = match serial::normalize(text(Field::Serial)) {
        _ if received.fault(Field::Serial) == Some(CellFault::ScientificNotation) => {
            Err(Verdict::SerialScientificNotation)
        }
        _ if formula(Field::Serial) => Err(Verdict::SerialInvalid),
        Ok(serial) => Ok(serial),
        Err(SerialError::Missing) => Err(Verdict::SerialMissing),
        Err(SerialError::ScientificNotation) => Err(Verdict::SerialScientificNotation),
        Err(SerialError::Invalid) => Err(Verdict::SerialInvalid),
    }
    .map_err(|verdict| reject(verdict, Field::Serial))
    .unwrap_or_default();

    let mut date = |field: Field| match text(field) {
        _ if formula(field) => {
            reject(Verdict::DateInvalid, field);
            None
        }
        "" if field.required() => {
            reject(Verdict::CellMissing, field);
            None
        }
        "" => None,
        text => parse_date(text).map_err(|_| reject(Verdict::DateInvalid, field)).ok(),
    };
    let sold_on = date(Field::TransactionDate);
    let shipped_on = date(Field::ShipDate);

    let transaction = Transaction::read(text(Field::Transaction)).filter(|_| !formula(Field::Transaction));
    if transaction.is_none() {
        reject(Verdict::TransactionUnknown, Field::Transaction);
    }

    let disagrees = received.fault(Field::Quantity) == Some(CellFault::Disagrees);
    match (text(Field::Quantity), parse_quantity(text(Field::Quantity))) {
        ("", _) if !formula(Field::Quantity) => reject(Verdict::CellMissing, Field::Quantity),
        _ if disagrees => reject(Verdict::QuantitySerialMismatch, Field::Quantity),
        (_, Some(1)) if !formula(Field::Quantity) => {}
        (_, Some(-1)) if transaction.is_none_or(Transaction::takes_back) && !formula(Field::Quantity) => {}
        _ => reject(Verdict::QuantitySerialMismatch, Field::Quantity),
    }

    let seller = text(Field::Seller).to_uppercase();
    if seller.is_empty() || formula(Field::Seller) {
        reject(Verdict::SellerMissing, Field::Seller);
    } else if sender.only_seller.as_deref().is_some_and(|only| !same_number(only, &seller)) {
        reject(Verdict::ReporterNotAllowed, Field::Seller);
    }

    if text(Field::Product).is_empty() || formula(Field::Product) {
        reject(Verdict::CellMissing, Field::Product);
    }
    for field in [Field::Buyer, Field::Invoice, Field::Supersedes, Field::Manufacturer] {
        if formula(field) {
            reject(Verdict::CellMissing, field);
        }
    }

    let sold = levels.read(text(Field::Level)).filter(|_| !formula(Field::Level));
    if sold.is_none() {
        reject(Verdict::SupportLevelUnknown, Field::Level);
    }

    if let Some(named) = received.reporter.as_deref().filter(|named| !same_number(named, &sender.number)) {
        let reason = Reason::new(Verdict::ReporterNotAllowed.as_str());
        faults.push((Verdict::ReporterNotAllowed, Reason { received: Some(named.to_owned()), ..reason }));
    }

    match (sold_on, transaction, faults.is_empty()) {
        (Some(date), Some(transaction), true) => Ok(SaleLine {
            line: received.line,
            transaction,
            date,
            shipped_on,
            seller,
            buyer: text(Field::Buyer).to_uppercase(),
            serial,
            manufacturer: Some(text(Field::Manufacturer)).filter(|m| !m.is_empty()).map(str::to_owned),
            level: sold.and_then(|sold| sold.level),
            months: sold.and_then(|sold| sold.months),
            invoice: text(Field::Invoice).to_owned(),
            supersedes: text(Field::Supersedes).to_owned(),
        }),
        _ => {
            faults.sort_by_key(|(verdict, _)| *verdict);
            let mut reasons = Vec::with_capacity(faults.len() + 1);
            for (verdict, reason) in &faults {
                reasons.push(reason.clone());
                let field = reason.field.unwrap_or(Field::Serial);
                if formula(field) {
                    reasons.push(Reason::at("cell.formula", field, received.get(field)));
                } else if *verdict == Verdict::DateInvalid
                    && parse_date(text(field)) == Err(DateError::Ambiguous)
                {
                    reasons.push(Reason::at("date.ambiguous", field, received.get(field)));
                } else if *verdict == Verdict::ReporterNotAllowed && reason.field.is_none() {
                    reasons.push(Reason::new("reporter.another_named"));
                }
            }
            // A line that fails without a fault would be lost without a reason.
            let verdict = faults.first().map_or(Verdict::CellMissing, |(verdict, _)| *verdict);
            Err((verdict, reasons))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn sender(only_seller: Option<&str>) -> Sender {
        Sender { number: "D-1001".to_owned(), only_seller: only_seller.map(str::to_owned) }
    }

    fn good() -> ReceivedLine {
        let mut line = ReceivedLine::new(7, 8);
        for (field, text) in [
            (Field::Transaction, "Verkauf"),
            (Field::TransactionDate, "18.11.2026"),
            (Field::Seller, " r-2002 "),
            (Field::Product, "6T1A2EA"),
            (Field::Serial, " 5cg1234abc"),
            (Field::Quantity, "1"),
            (Field::Level, "Premium+"),
            (Field::Invoice, "INV-1"),
        ] {
            line.set(field, text);
        }
        line
    }

    fn verdict(change: impl FnOnce(&mut ReceivedLine)) -> Option<Verdict> {
        let mut line = good();
        change(&mut line);
        check(&line, &LevelNames::default(), &sender(None)).err().map(|(verdict, reasons)| {
            assert_eq!(reasons[0].code, verdict.as_str(), "the first reason is the verdict");
            verdict
        })
    }

    #[test]
    fn a_good_line_is_normalised() {
        let line = check(&good(), &LevelNames::default(), &sender(Some("R-2002"))).unwrap();
        assert_eq!((line.seller.as_str(), line.serial.as_str()), ("R-2002", "5CG1234ABC"));
        assert_eq!((line.date, line.level), (date(2026, 11, 18), Some(SupportLevel::PremiumPlus)));
    }

    #[test]
    fn each_fault_has_its_code() {
        use Field as F;
        let cases: &[(F, &str, Option<Verdict>)] = &[
            (F::Serial, "", Some(Verdict::SerialMissing)),
            (F::Serial, "1.23457E+12", Some(Verdict::SerialScientificNotation)),
            (F::Serial, "5CG1", Some(Verdict::SerialInvalid)),
            (F::TransactionDate, "31.02.2026", Some(Verdict::DateInvalid)),
            (F::TransactionDate, "05/06/2026", Some(Verdict::DateInvalid)),
            (F::TransactionDate, "", Some(Verdict::CellMissing)),
            (F::ShipDate, "soon", Some(Verdict::DateInvalid)),
            (F::Quantity, "3", Some(Verdict::QuantitySerialMismatch)),
            (F::Quantity, "-1", Some(Verdict::QuantitySerialMismatch)),
            (F::Quantity, "one", Some(Verdict::QuantitySerialMismatch)),
            (F::Quantity, "", Some(Verdict::CellMissing)),
            (F::Quantity, "1,00", None),
            (F::Seller, "", Some(Verdict::SellerMissing)),
            (F::Product, "", Some(Verdict::CellMissing)),
            (F::Transaction, "gift", Some(Verdict::TransactionUnknown)),
            (F::Transaction, "", None),
            (F::Level, "Gold", Some(Verdict::SupportLevelUnknown)),
            (F::Level, "", None),
        ];
        for (field, text, expected) in cases {
            assert_eq!(verdict(|line| line.set(*field, text)), *expected, "{field:?} {text:?}");
        }
        let formula = |field| verdict(|line| line.faults.push((field, CellFault::Formula)));
        assert_eq!(formula(F::Serial), Some(Verdict::SerialInvalid));
        assert_eq!(formula(F::Product), Some(Verdict::CellMissing));
        assert_eq!(formula(F::Model), None, "a computed description is nobody's harm");
        assert_eq!(
            verdict(|line| line.faults.push((F::Model, CellFault::TooLarge))),
            Some(Verdict::TooLarge)
        );
        assert_eq!(
            verdict(|line| line.faults.push((F::Serial, CellFault::ScientificNotation))),
            Some(Verdict::SerialScientificNotation)
        );
    }

    #[test]
    fn a_return_may_be_negative_and_every_fault_is_listed() {
        assert_eq!(
            verdict(|line| {
                line.set(Field::Transaction, "Retoure");
                line.set(Field::Quantity, "-1");
            }),
            None
        );
        let mut line = good();
        line.set(Field::Quantity, "3");
        line.set(Field::TransactionDate, "31.02.2026");
        let (verdict, reasons) = check(&line, &LevelNames::default(), &sender(None)).unwrap_err();
        assert_eq!(verdict, Verdict::DateInvalid);
        assert_eq!(reasons.len(), 2);
    }

    #[test]
    fn a_reseller_reports_for_itself_alone() {
        let outcome = check(&good(), &LevelNames::default(), &sender(Some("R-2003")));
        assert_eq!(outcome.unwrap_err().0, Verdict::ReporterNotAllowed);
    }

    #[test]
    fn b01_both_levels_and_the_old_name_map_to_one_family() {
        let levels = LevelNames::default();
        let plus = Some(Some(SupportLevel::PremiumPlus));
        for name in
            ["Premium+", "premium plus", "PREMIUM_PLUS", "Premium+-Support", "PremiumPlus", "Active Care"]
        {
            assert_eq!(levels.read(name).map(|sold| sold.level), plus, "{name}");
        }
        for name in ["Premium", " PREMIUM ", "Premium-Support", "Premium Service"] {
            assert_eq!(levels.read(name).map(|sold| sold.level), Some(Some(SupportLevel::Premium)), "{name}");
        }
        assert_eq!(levels.read("ohne").map(|sold| sold.level), Some(None));
        assert_eq!(levels.read("Gold").map(|sold| sold.level), None);
        let own = LevelNames::new([("Active Care", Some(SupportLevel::Premium))]);
        assert_eq!(
            own.read("active care").map(|sold| sold.level),
            Some(Some(SupportLevel::Premium)),
            "the mapping is data"
        );
    }

    #[test]
    fn dates() {
        let day = Ok(date(2026, 11, 18));
        for text in
            ["2026-11-18", "20261118", "18.11.2026", "18.11.26", "2026/11/18", "18/11/2026", "11/18/2026"]
        {
            assert_eq!(parse_date(text), day, "{text}");
        }
        assert_eq!(parse_date("2026-11-18T08:00:00Z"), day);
        assert_eq!(parse_date("18.11.2026 08:00"), day);
        assert_eq!(parse_date("05/05/2026"), Ok(date(2026, 5, 5)));
        assert_eq!(parse_date("05/06/2026"), Err(DateError::Ambiguous));
        for text in [
            "",
            "31.02.2026",
            "2026-13-01",
            "46347",
            "1999-01-01",
            "18.11",
            "a.b.c",
            "18-11.2026",
            "é8.11.2026",
        ] {
            assert_eq!(parse_date(text), Err(DateError::Invalid), "{text}");
        }
    }
}
