//! A writer of messages, and what a reader should find in them.

#![allow(dead_code, reason = "not every test file needs each helper")]

use proptest::collection::vec;
use proptest::prelude::*;
use roadstead_domain::sale::{Field, ReceivedLine};

/// One sale or return as a message says it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Of the fields of [`FIELDS`], in that order.
    pub(crate) texts: Vec<String>,
    pub(crate) returned: bool,
    pub(crate) serials: Vec<String>,
}

pub(crate) const FIELDS: [Field; 8] = [
    Field::TransactionDate,
    Field::Seller,
    Field::Buyer,
    Field::BuyerName,
    Field::Country,
    Field::Product,
    Field::Level,
    Field::Invoice,
];

/// What a line says: the fields, then serial, quantity and transaction.
pub(crate) fn expected(told: &Told) -> Vec<Vec<String>> {
    let transaction = if told.returned { "return" } else { "sale" };
    let none = [String::new()];
    let serials = if told.serials.is_empty() { &none[..] } else { &told.serials[..] };
    let line = |serial: &String| {
        let mut line: Vec<String> =
            told.texts.iter().map(|t| if t.trim().is_empty() { String::new() } else { t.clone() }).collect();
        line.extend([serial.clone(), "1".to_owned(), transaction.to_owned()]);
        line
    };
    serials.iter().map(line).collect()
}

pub(crate) fn found(line: &ReceivedLine) -> Vec<String> {
    let fields = FIELDS.iter().chain(&[Field::Serial, Field::Quantity, Field::Transaction]);
    fields.map(|field| line.get(*field).to_owned()).collect()
}

/// Sets of groups of an interchange.
pub(crate) type Sets = Vec<Vec<Told>>;

pub(crate) fn told(text: &'static str) -> impl Strategy<Value = Told> {
    (vec(text, FIELDS.len()), any::<bool>(), vec("[A-Z0-9]{5,12}", 0..4))
        .prop_map(|(texts, returned, serials)| Told { texts, returned, serials })
}

pub(crate) fn sets(text: &'static str) -> impl Strategy<Value = Sets> {
    vec(vec(told(text), 0..6), 1..4)
}

/// Element, component and terminator of X12; none of them is in the texts.
pub(crate) fn x12_delimiters() -> impl Strategy<Value = (char, char, &'static str)> {
    (
        prop::sample::select(vec!['*', '|', '+', '\u{1d}']),
        prop::sample::select(vec!['>', ':', '\\', '\u{1f}']),
        prop::sample::select(vec!["~", "~\r\n", "\n", "'\n", "\u{1c}"]),
    )
}

/// The letters of texts in X12, which has no way to write its delimiters.
pub(crate) const X12_TEXT: &str = "[A-Za-z0-9ÄÖÜéß &/.,_-]{0,12}";

pub(crate) fn x12((element, component, terminator): (char, char, &str), sets: &Sets) -> String {
    let mut file = String::from(
        "ISA*00*          *00*          *ZZ*DIST           *ZZ*VENDOR         *261122*1905*U*00401*000000101*0*P*>~\
         GS*PT*DIST*VENDOR*20261122*1905*7*X*004010~",
    );
    for (sales, number) in sets.iter().zip(1..) {
        let mut body = vec!["BPT*00*RPT*20261122*SS".to_owned(), "N1*DS*D*92*D-1".to_owned()];
        for told in sales {
            let [date, seller, buyer, name, country, product, level, invoice] = &told.texts[..] else {
                unreachable!("as many texts as fields")
            };
            body.push(format!("PTD*SS***IV*{invoice}"));
            body.push(format!("DTM*003*{date}"));
            body.push(format!("N1*BY*X*92*{seller}"));
            body.push(format!("N1*EN*{name}*92*{buyer}"));
            body.push(format!("N4****{country}"));
            let code = if told.returned { 76 } else { 32 };
            body.push(format!("QTY*{code}*{}*EA", told.serials.len().max(1)));
            body.push(format!("LIN**VP*{product}*ZZ*{level}"));
            body.extend(told.serials.iter().map(|serial| format!("REF*SE*{serial}")));
        }
        body.push(format!("CTT*{}", sales.len()));
        file += &format!("ST*867*{number:04}~{}~SE*{}*{number:04}~", body.join("~"), body.len() + 2);
    }
    file += &format!("GE*{}*7~IEA*1*000000101~", sets.len());
    let other = |c: char| match c {
        '*' => element.to_string(),
        '>' => component.to_string(),
        '~' => terminator.to_owned(),
        c => c.to_string(),
    };
    file.chars().map(other).collect()
}

/// Component, element, release and terminator, and what stands behind a segment.
pub(crate) fn edifact_delimiters() -> impl Strategy<Value = (Option<[char; 4]>, &'static str)> {
    (
        prop::sample::select(vec![
            None,
            Some([':', '+', '?', '\'']),
            Some(['>', '*', '\\', '~']),
            Some(['|', '^', '!', '\n']),
        ]),
        prop::sample::select(vec!["", "\r\n"]),
    )
}

/// The letters of texts in EDIFACT: anything in Latin-1 that is no line end.
pub(crate) const EDIFACT_TEXT: &str = "[ -~ÄÖÜéß¡ÿ]{0,12}";

pub(crate) fn edifact((delimiters, behind): (Option<[char; 4]>, &str), sets: &Sets) -> Vec<u8> {
    let [component, element, release, terminator] = delimiters.unwrap_or([':', '+', '?', '\'']);
    let text = |text: &str| {
        let special = |c: char| [component, element, release, terminator].contains(&c);
        text.chars().flat_map(|c| special(c).then_some(release).into_iter().chain([c])).collect::<String>()
    };
    // `+` and `:` in a pattern are the delimiters; what comes out of a report is released first.
    let segment = |pattern: &str, texts: &[&str]| {
        let mut texts = texts.iter();
        let mut made = String::new();
        for c in pattern.chars() {
            match c {
                '+' => made.push(element),
                ':' => made.push(component),
                '#' => made += &text(texts.next().unwrap()),
                c => made.push(c),
            }
        }
        made.push(terminator);
        made + behind
    };
    let mut file = match delimiters {
        Some(_) => format!("UNA{component}{element}.{release} {terminator}{behind}"),
        None => String::new(),
    };
    file += &segment("UNB+UNOC:3+DIST:ZZ+VENDOR:ZZ+261122:1905+101", &[]);
    for (sales, number) in sets.iter().zip(1..) {
        let number = number.to_string();
        let mut body = vec![segment("BGM+73E::9+RPT+9", &[]), segment("NAD+SE+D-1::92", &[])];
        for (told, line) in sales.iter().zip(1..) {
            let [date, seller, buyer, name, country, product, level, invoice] = &told.texts[..] else {
                unreachable!("as many texts as fields")
            };
            body.push(segment("LOC+162+#::92", &[seller]));
            body.push(segment("DTM+3:#:102", &[date]));
            body.push(segment("LIN+#", &[&line.to_string()]));
            body.push(segment("PIA+1+#:SA", &[product]));
            body.push(segment("RFF+IV:#", &[invoice]));
            body.push(segment("PIA+5+#:ZZZ", &[level]));
            body.extend(told.serials.iter().map(|serial| segment("RFF+SE:#", &[serial])));
            let code = if told.returned { "77" } else { "153" };
            body.push(segment("QTY+#:#:PCE", &[code, &told.serials.len().max(1).to_string()]));
            body.push(segment("NAD+UC+#::92++#+++++#", &[buyer, name, country]));
        }
        body.push(segment("CNT+2:#", &[&sales.len().to_string()]));
        file += &segment("UNH+#+SLSRPT:D:96A:UN", &[&number]);
        file += &body.concat();
        file += &segment("UNT+#+#", &[&(body.len() + 2).to_string(), &number]);
    }
    file += &segment("UNZ+#+101", &[&sets.len().to_string()]);
    file.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}
