//! Sample reports of our own making: mostly good lines, and each kind of trouble that real files have.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

struct Line {
    transaction: &'static str,
    date: Date,
    seller: &'static str,
    buyer: String,
    buyer_name: &'static str,
    country: &'static str,
    product: &'static str,
    model: &'static str,
    level: &'static str,
    serial: String,
    quantity: i32,
    invoice: String,
}

const SELLERS: &[&str] = &["R-3001", "R-3001", "R-3001", "R-3002", "R-3002", "R-3003", "R-3004", "R-3005"];
const BUYERS: &[(&str, &str)] =
    &[("Bäckerei Körner", "DE"), ("Atelier Ébène", "FR"), ("Harbour Dental", "GB"), ("Alpenbau AG", "CH")];
const MODELS: &[(&str, &str, &str)] = &[
    ("4N1C0EA", "Notebook 14", "Premium+"),
    ("4N2C7EA", "Notebook 16", "Premium"),
    ("7D3A1EA", "Desktop Mini", "Premium"),
    ("7W9B4ET", "Workstation Tower", "Premium+"),
    ("2C5F8EA", "Convertible 13", ""),
];

/// Repeatable, so that every demo looks the same: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}

fn lines(seed: u64, count: usize, today: Date) -> Vec<Line> {
    let mut dice = Dice(seed);
    let letters: Vec<char> = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789".chars().collect();
    let mut lines: Vec<Line> = Vec::with_capacity(count);
    for _ in 0..count {
        let (buyer_name, country) = BUYERS[dice.roll(BUYERS.len())];
        let (product, model, level) = MODELS[dice.roll(MODELS.len())];
        let tail: String = (0..7).map(|_| letters[dice.roll(letters.len())]).collect();
        lines.push(Line {
            transaction: "sale",
            date: today.saturating_sub((dice.roll(6) as i64).days()),
            seller: SELLERS[dice.roll(SELLERS.len())],
            buyer: format!("C-{}", 10 + dice.roll(90)),
            buyer_name,
            country,
            product,
            model,
            level,
            serial: format!("{}{tail}", ["8AN", "5RD", "3ST"][dice.roll(3)]),
            quantity: 1,
            invoice: format!("INV-{}", 100_000 + dice.roll(900_000)),
        });
    }
    lines
}

/// Puts one of each trouble into a file.
fn troubled(mut lines: Vec<Line>) -> Vec<Line> {
    let last = lines.len() - 1;
    lines[7].serial = "1.23457E+12".to_owned();
    lines[11].serial = "5RD?1".to_owned();
    lines[15].serial = String::new();
    lines[19].quantity = 3;
    lines[23].seller = "R-3999";
    lines[27].serial = lines[2].serial.clone();
    lines[27].seller = if lines[2].seller == "R-3002" { "R-3003" } else { "R-3002" };
    for twin in [30, last] {
        lines[twin].serial = lines[4].serial.clone();
        lines[twin].seller = lines[4].seller;
        lines[twin].invoice = lines[4].invoice.clone();
    }
    lines[last].transaction = "return";
    lines[last].quantity = -1;
    lines
}

const ENGLISH: [&str; 12] = [
    "Transaction",
    "Transaction Date",
    "Reseller ID",
    "End Customer ID",
    "End Customer",
    "Country",
    "Product Number",
    "Description",
    "Service Level",
    "Serial Number",
    "Quantity",
    "Invoice Number",
];

fn csv(delimiter: u8, head: [&str; 12], lines: &[Line], german: bool) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(head);
    for line in lines {
        let date = match german {
            true => line.date.strftime("%d.%m.%Y").to_string(),
            false => line.date.to_string(),
        };
        let transaction = match (german, line.transaction) {
            (true, "sale") => "Verkauf",
            (true, _) => "Rückgabe",
            (false, word) => word,
        };
        let _ = writer.write_record([
            transaction,
            &date,
            line.seller,
            &line.buyer,
            line.buyer_name,
            line.country,
            line.product,
            line.model,
            line.level,
            &line.serial,
            &line.quantity.to_string(),
            &line.invoice,
        ]);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// An English file, comma and UTF-8, with every trouble.
pub(super) fn english_csv(today: Date) -> Vec<u8> {
    csv(b',', ENGLISH, &troubled(lines(1, 240, today)), false).into_bytes()
}

/// A German file, semicolon and Windows-1252, with every trouble and a day that does not exist.
pub(super) fn german_csv(today: Date) -> Vec<u8> {
    let head = [
        "Vorgang",
        "Verkaufsdatum",
        "Händlernummer",
        "Endkundennummer",
        "Endkunde",
        "Land",
        "Produktnummer",
        "Bezeichnung",
        "Servicelevel",
        "Seriennummer",
        "Menge",
        "Rechnungsnummer",
    ];
    let mut lines = troubled(lines(2, 180, today));
    lines[9].level = "Gold";
    let text = csv(b';', head, &lines, true);
    // Every letter of the samples is in that code page, where Latin letters have the numbers of Unicode.
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}

/// A workbook with real dates and real numbers.
pub(super) fn workbook(today: Date) -> anyhow::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let days = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet();
    for (column, text) in (0..).zip(ENGLISH) {
        sheet.write(0, column, text)?;
    }
    for (row, line) in (1..).zip(troubled(lines(3, 160, today))) {
        let (year, month, day) = (line.date.year(), line.date.month(), line.date.day());
        let date = ExcelDateTime::from_ymd(u16::try_from(year)?, u8::try_from(month)?, u8::try_from(day)?)?;
        let texts = [
            line.transaction,
            "",
            line.seller,
            &line.buyer,
            line.buyer_name,
            line.country,
            line.product,
            line.model,
            line.level,
            &line.serial,
            "",
            &line.invoice,
        ];
        for (column, text) in (0..).zip(texts) {
            sheet.write(row, column, text)?;
        }
        sheet.write_with_format(row, 1, &date, &days)?;
        sheet.write(row, 10, line.quantity)?;
    }
    Ok(workbook.save_to_buffer()?)
}

/// A file that was not handed in yet.
pub(super) fn another_csv(today: Date) -> Vec<u8> {
    csv(b',', ENGLISH, &troubled(lines(4, 60, today)), false).into_bytes()
}
