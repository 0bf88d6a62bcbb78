//! Sell-through lines from nothing but their number: the same number is the same line on every machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;

use anyhow::Context;

/// How many partners the lines are spread over, the first of them far more often than the last.
pub const PARTNERS: usize = 200;

const HEADER: &str = "Transaction,Transaction Date,Reseller ID,End Customer ID,End Customer,Country,Product Number,\
                      Description,Service Level,Serial Number,Quantity,Invoice Number\n";
const CUSTOMERS: [(&str, &str); 8] = [
    ("Alder Clinic", "GB"),
    ("Boulangerie Roux", "FR"),
    ("Kanzlei Wiese", "DE"),
    ("Nordhus", "DK"),
    ("Oak Schools", "IE"),
    ("Pfeil Bau", "DE"),
    ("Studio Lume", "IT"),
    ("Zandvoort BV", "NL"),
];
/// Product number, description and the level that it is mostly sold with.
const PRODUCTS: [(&str, &str, Option<Level>); 10] = [
    ("3K1A0EA", "Notebook 14", Some(Level::Plus)),
    ("3K2A4EA", "Notebook 16", Some(Level::Premium)),
    ("5M0B1EA", "Mini 800", Some(Level::Premium)),
    ("5M7B9ET", "Tower 400", None),
    ("8T3C2EA", "Tablet 11", Some(Level::Plus)),
    ("8T6C5EA", "Tablet 13", None),
    ("9W2D8ET", "Studio Z4", Some(Level::Plus)),
    ("2F4E7EA", "Flip 13", Some(Level::Premium)),
    ("6H8F3EA", "One 24", None),
    ("7J5G6EA", "Book 15", Some(Level::Premium)),
];
const PREFIXES: [&str; 4] = ["1BN", "4QD", "7XT", "9HC"];
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";

/// A support level as a line names it and as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The lower one.
    Premium,
    /// The higher one.
    Plus,
}

impl Level {
    /// In a file.
    fn name(self) -> &'static str {
        match self {
            Level::Premium => "Premium",
            Level::Plus => "Premium+",
        }
    }

    /// In the database.
    pub fn code(self) -> &'static str {
        match self {
            Level::Premium => "premium",
            Level::Plus => "premium_plus",
        }
    }
}

/// One line of a report.
#[derive(Clone, Debug)]
pub struct Sale {
    /// Which partner sold, from 0.
    pub seller: usize,
    /// The partner's number.
    pub seller_number: String,
    /// The day of the sale, in 2026.
    pub sold_on: String,
    /// The same day three years later, on which the entitlement ends.
    pub ends_on: String,
    /// The end customer's number.
    pub buyer: String,
    /// The end customer.
    pub buyer_name: &'static str,
    /// Where it is.
    pub country: &'static str,
    /// The product number.
    pub product_number: &'static str,
    /// The model.
    pub model: &'static str,
    /// What was sold with it.
    pub level: Option<Level>,
    /// The serial, in its normal form.
    pub serial: String,
    /// The invoice.
    pub invoice: String,
}

/// Whose lines.
#[derive(Clone, Debug)]
pub enum Sellers {
    /// One partner sold everything.
    One(usize),
    /// All partners; the n-th is named about 1/n as often as the first. Holds the running sums.
    Skewed(Vec<f64>),
}

impl Sellers {
    /// All [`PARTNERS`], skewed.
    pub fn skewed() -> Self {
        let mut sum = 0.0;
        let sums = (1..=PARTNERS).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Sellers::Skewed(sums.collect())
    }

    fn pick(&self, random: u64) -> usize {
        match self {
            Sellers::One(seller) => *seller,
            Sellers::Skewed(sums) => {
                let all = sums.last().copied().unwrap_or(1.0);
                let point = (random >> 11) as f64 / (1_u64 << 53) as f64 * all;
                sums.partition_point(|sum| *sum <= point).min(sums.len() - 1)
            }
        }
    }
}

/// The number under which reports name this partner.
pub fn partner_number(partner: usize) -> String {
    format!("R-{}", 2001 + partner)
}

/// A pseudo-random number for this number: two rounds of multiply and fold.
fn scramble(number: u64) -> u64 {
    let mut x = number.wrapping_mul(0xd6e8_feb8_6659_fd93).wrapping_add(0x2545_f491_4f6c_dd1d);
    for _ in 0..2 {
        x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    x ^ (x >> 32)
}

/// A serial for each number below 2^35, never the same one twice, in no order: every step can be undone.
pub fn serial(number: u64) -> String {
    const MASK: u64 = (1 << 35) - 1;
    let mut x = number & MASK;
    for factor in [0x4_a1c3_5e7b, 0x2_6d8f_91a5, 0x6_3b47_c0d9_u64] {
        x = x.wrapping_mul(factor) & MASK;
        x ^= x >> 18;
    }
    let mut serial = String::with_capacity(10);
    serial.push_str(PREFIXES[(x % PREFIXES.len() as u64) as usize]);
    for place in (0..7).rev() {
        serial.push(char::from(DIGITS[(x >> (place * 5)) as usize & 31]));
    }
    serial
}

impl Sale {
    /// The line of this number.
    pub fn of(number: u64, sellers: &Sellers) -> Self {
        let (dice, more) = (scramble(number * 2), scramble(number * 2 + 1));
        let at = |shift: u32, sides: u64| (dice >> shift) % sides;
        let seller = sellers.pick(more);
        let (month, day) = (1 + at(0, 10), 1 + at(8, 28));
        let (buyer_name, country) = CUSTOMERS[at(16, CUSTOMERS.len() as u64) as usize];
        let (product_number, model, level) = PRODUCTS[at(24, PRODUCTS.len() as u64) as usize];
        Self {
            seller,
            seller_number: partner_number(seller),
            sold_on: format!("2026-{month:02}-{day:02}"),
            ends_on: format!("2029-{month:02}-{day:02}"),
            buyer: format!("C{}", 1000 + at(32, 9000)),
            buyer_name,
            country,
            product_number,
            model,
            level,
            serial: serial(number),
            invoice: format!("A{}", 100_000 + at(44, 900_000)),
        }
    }

    fn write(&self, flaw: Option<Flaw>, text: &mut String) {
        let level = self.level.map_or("", Level::name);
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "sale,{},{},{},{},{},{},{},{level},{},1,{}",
            if flaw == Some(Flaw::Date) { "2026-13-41" } else { &self.sold_on },
            if flaw == Some(Flaw::Seller) { "R-9999" } else { &self.seller_number },
            self.buyer,
            self.buyer_name,
            self.country,
            self.product_number,
            self.model,
            self.serial,
            self.invoice
        );
    }

    /// As the PTD loop of an 867; how many segments it is.
    fn write_x12(&self, text: &mut String) -> u64 {
        let date = self.sold_on.replace('-', "");
        let level = self.level.map_or_else(String::new, |level| format!("*ZZ*{}", level.name()));
        let _ = write!(
            text,
            "PTD*SS***IV*{}~DTM*003*{date}~N1*BY**92*{}~N1*EN*{}*92*{}~N4****{}~QTY*32*1*EA~LIN**VP*{}{level}~\
             REF*SE*{}~",
            self.invoice,
            self.seller_number,
            self.buyer_name,
            self.buyer,
            self.country,
            self.product_number,
            self.serial
        );
        8
    }

    /// As the location of a SLSRPT; how many segments it is.
    fn write_edifact(&self, line: u64, text: &mut String) -> u64 {
        let date = self.sold_on.replace('-', "");
        let _ = write!(
            text,
            "LOC+162+{}::92'DTM+3:{date}:102'LIN+{line}'PIA+1+{}:SA'RFF+IV:{}'",
            self.seller_number, self.product_number, self.invoice
        );
        if let Some(level) = self.level {
            let _ = write!(text, "PIA+5+{}:ZZZ'", level.name().replace('+', "?+"));
        }
        let _ = write!(
            text,
            "RFF+SE:{}'QTY+153:1:PCE'NAD+UC+{}::92++{}+++++{}'",
            self.serial, self.buyer, self.buyer_name, self.country
        );
        8 + u64::from(self.level.is_some())
    }
}

/// What is wrong with a line of a dirty file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Nobody knows this partner.
    Seller,
    /// The line before, once more.
    Doubled,
    /// No such day.
    Date,
}

impl Flaw {
    /// Every hundredth line has one, the three kinds in turn.
    fn of(number: u64) -> Option<Self> {
        (number % 100 == 37).then(|| match number / 100 % 3 {
            0 => Flaw::Seller,
            1 => Flaw::Doubled,
            _ => Flaw::Date,
        })
    }

    fn verdict(self) -> &'static str {
        match self {
            Flaw::Seller => "parked.unknown_seller",
            Flaw::Doubled => "duplicate",
            Flaw::Date => "rejected.date_invalid",
        }
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Line after line.
    Plain,
    /// In another order and with one column more, so that it has another digest.
    Shuffled,
    /// With one flawed line in a hundred.
    Dirty,
}

/// What a written file holds.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Its size.
    pub bytes: u64,
    /// Its lines.
    pub lines: u64,
    /// Lines of each partner that place a PC.
    pub per_partner: Vec<u64>,
    /// Those with a support level.
    pub with_level: u64,
    /// What all lines come to where the PCs are new.
    pub verdicts: BTreeMap<&'static str, u64>,
}

/// The `at`-th of `count` numbers in another order.
fn shuffled(at: u64, count: u64) -> u64 {
    // A prime beyond any count, so that no number comes twice.
    (u128::from(at) * 2_147_483_647 % u128::from(count)) as u64
}

/// Writes the lines of these numbers as a CSV file.
pub fn write_csv(
    path: &Path,
    numbers: Range<u64>,
    sellers: &Sellers,
    style: Style,
) -> anyhow::Result<Written> {
    let mut file = std::fs::File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    let mut written = Written { per_partner: vec![0; PARTNERS], ..Written::default() };
    let mut text = HEADER.to_owned();
    if style == Style::Shuffled {
        text.truncate(text.len() - 1);
        text.push_str(",Comment\n");
    }
    let count = numbers.end - numbers.start;
    for at in 0..count {
        let number = numbers.start + if style == Style::Shuffled { shuffled(at, count) } else { at };
        let flaw = if style == Style::Dirty { Flaw::of(number) } else { None };
        let sale = Sale::of(if flaw == Some(Flaw::Doubled) { number - 1 } else { number }, sellers);
        if flaw.is_none() {
            written.per_partner[sale.seller] += 1;
            written.with_level += u64::from(sale.level.is_some());
        }
        written.lines += 1;
        *written.verdicts.entry(flaw.map_or("placed", Flaw::verdict)).or_default() += 1;
        sale.write(flaw, &mut text);
        text.push_str(if style == Style::Shuffled { ",again\n" } else { "\n" });
        if text.len() > 1 << 20 {
            written.bytes += text.len() as u64;
            file.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    written.bytes += text.len() as u64;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(written)
}

/// The syntax of a file of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// X12 867.
    X12,
    /// EDIFACT SLSRPT.
    Edifact,
}

/// Lines of one transaction set or message.
const SET: u64 = 10_000;

/// Writes the lines of these numbers, plain, as one interchange.
pub fn write_messages(
    path: &Path,
    numbers: Range<u64>,
    sellers: &Sellers,
    syntax: Syntax,
) -> anyhow::Result<Written> {
    let mut file = std::fs::File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    let mut written = Written { per_partner: vec![0; PARTNERS], ..Written::default() };
    let mut text = match syntax {
        Syntax::X12 => {
            "ISA*00*          *00*          *ZZ*BENCH          *ZZ*VENDOR         *261122*1905*U*00401\
                        *000000101*0*P*>~GS*PT*BENCH*VENDOR*20261122*1905*101*X*004010~"
                .to_owned()
        }
        Syntax::Edifact => "UNA:+.? 'UNB+UNOC:3+BENCH:ZZ+VENDOR:ZZ+261122:1905+101'".to_owned(),
    };
    let mut sets = 0;
    let mut number = numbers.start;
    while number < numbers.end {
        sets += 1;
        let until = (number + SET).min(numbers.end);
        // Segments of the set, its header and trailer with them.
        let mut segments = 3;
        // Writing to a string does not fail.
        let _ = match syntax {
            Syntax::X12 => write!(text, "ST*867*{sets:04}~BPT*00*RPT-{sets}*20261122*SS~"),
            Syntax::Edifact => write!(text, "UNH+{sets}+SLSRPT:D:96A:UN'BGM+73E::9+RPT-{sets}+9'"),
        };
        for number in number..until {
            let sale = Sale::of(number, sellers);
            written.per_partner[sale.seller] += 1;
            written.with_level += u64::from(sale.level.is_some());
            segments += match syntax {
                Syntax::X12 => sale.write_x12(&mut text),
                Syntax::Edifact => sale.write_edifact(number + 1, &mut text),
            };
            if text.len() > 1 << 20 {
                written.bytes += text.len() as u64;
                file.write_all(text.as_bytes())?;
                text.clear();
            }
        }
        let _ = match syntax {
            Syntax::X12 => write!(text, "SE*{segments}*{sets:04}~"),
            Syntax::Edifact => write!(text, "UNT+{segments}+{sets}'"),
        };
        number = until;
    }
    let _ = match syntax {
        Syntax::X12 => write!(text, "GE*{sets}*101~IEA*1*000000101~"),
        Syntax::Edifact => write!(text, "UNZ+{sets}+101'"),
    };
    written.bytes += text.len() as u64;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    written.lines = numbers.end - numbers.start;
    written.verdicts = [("placed", written.lines)].into();
    Ok(written)
}

/// The same, plain, as text in memory.
pub fn csv(numbers: Range<u64>, sellers: &Sellers) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    for number in numbers {
        Sale::of(number, sellers).write(None, &mut text);
        text.push('\n');
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn serials_never_repeat_and_are_in_no_order() {
        let serials: Vec<String> = (0..200_000).map(serial).collect();
        assert_eq!(serials.iter().collect::<HashSet<_>>().len(), serials.len());
        let rising = serials.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((80_000..120_000).contains(&rising), "{rising} of 200,000 rise");
    }

    #[test]
    fn another_order_has_the_same_lines() {
        let mut numbers: Vec<u64> = (0..30_000).map(|at| shuffled(at, 30_000)).collect();
        assert_ne!(numbers[..3], [0, 1, 2]);
        numbers.sort_unstable();
        assert_eq!(numbers, (0..30_000).collect::<Vec<_>>());
    }

    #[test]
    fn every_partner_sells_and_the_first_sells_most() {
        let sellers = Sellers::skewed();
        let mut counts = vec![0; PARTNERS];
        let mut levels = 0;
        for number in 0..100_000 {
            let sale = Sale::of(number, &sellers);
            counts[sale.seller] += 1;
            levels += u32::from(sale.level.is_some());
        }
        assert!(counts.iter().all(|count| *count > 20));
        assert!(counts[0] > 15_000 && counts[0] > 50 * counts[PARTNERS - 1]);
        assert!((68_000..72_000).contains(&levels), "{levels} of 100,000 with a level");
    }
}
