//! What is written comes back, and no bytes make the crate panic.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::messages::{self, edifact_delimiters, sets, x12_delimiters};
use common::{inspected, lines};
use proptest::collection::vec;
use proptest::prelude::*;
use roadstead_domain::sale::Field;
use roadstead_ingest::{Format, Limits};

/// The columns of the written files, in another order than that of the fields.
const COLUMNS: [(&str, Field); 6] = [
    ("Serial", Field::Serial),
    ("Qty", Field::Quantity),
    ("Customer", Field::BuyerName),
    ("Date", Field::TransactionDate),
    ("SKU", Field::Product),
    ("Reseller", Field::Seller),
];

fn blank(row: &[String]) -> bool {
    row.iter().all(|cell| cell.trim().is_empty())
}

/// Each line's row and cells, in the order of [`COLUMNS`].
fn read_back(format: Format, bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
    let lines = lines(format, bytes, &Limits::default()).unwrap();
    let cells = |line: &roadstead_domain::sale::ReceivedLine| {
        COLUMNS.iter().map(|(_, field)| line.get(*field).to_owned()).collect()
    };
    lines.iter().map(|line| (line.row, cells(line))).collect()
}

fn expected(rows: &[Vec<String>]) -> Vec<(u64, Vec<String>)> {
    (2..).zip(rows).filter(|(_, row)| !blank(row)).map(|(number, row)| (number, row.clone())).collect()
}

fn rows(cell: &'static str) -> impl Strategy<Value = Vec<Vec<String>>> {
    vec(vec(cell, COLUMNS.len()), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn delimited_text_comes_back(
        // The letters of both UTF-8 and Windows-1252, and all that needs quoting.
        rows in rows("[ -~\r\näöüßéÄ€\"',;|\t]{0,12}"),
        delimiter in prop::sample::select(b",;\t|".to_vec()),
        crlf in any::<bool>(),
        encoding in 0..6,
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
        writer.write_record(COLUMNS.map(|(name, _)| name)).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let bytes: Vec<u8> = match encoding {
            0 => text.into_bytes(),
            1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            2 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            3 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            4 => std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
            _ => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        };
        prop_assert_eq!(read_back(Format::Csv, &bytes), expected(&rows));
    }

    #[test]
    fn any_text_splits_as_the_csv_crate_splits_it(body in "[a-c,\"\r\n ]{0,80}") {
        let text = format!("Serial,Qty,Customer,Date,SKU,Reseller\n{body}");
        if let Ok(found) = lines(Format::Csv, text.as_bytes(), &Limits::default()) {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
            let cell = |record: &csv::StringRecord, n| record.get(n).unwrap_or_default().to_owned();
            let records: Vec<_> = reader.records().map(Result::unwrap).collect();
            let theirs: Vec<Vec<_>> = records
                .iter()
                .filter(|record| record.iter().any(|cell| !cell.trim().is_empty()))
                .map(|record| (0..6).map(|n| cell(record, n)).collect())
                .collect();
            let ours: Vec<Vec<_>> = found
                .iter()
                .map(|line| COLUMNS.iter().map(|(_, field)| line.get(*field).to_owned()).collect())
                .collect();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn workbooks_come_back(rows in rows("[ -~\näöüßéÄ€😀&<>\"'_x]{0,12}")) {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_row(0, 0, COLUMNS.map(|(name, _)| name)).unwrap();
        for (number, row) in (1..).zip(&rows) {
            sheet.write_row(number, 0, row).unwrap();
        }
        prop_assert_eq!(read_back(Format::Xlsx, &book.save_to_buffer().unwrap()), expected(&rows));
    }

    #[test]
    fn x12_comes_back(
        sets in sets(messages::X12_TEXT),
        delimiters in x12_delimiters(),
        again in any::<bool>(),
    ) {
        let mut file = messages::x12(delimiters, &sets);
        let mut expected: Vec<_> = sets.iter().flatten().flat_map(messages::expected).collect();
        if again {
            file += &messages::x12(('*', '>', "~"), &sets);
            expected.extend_from_within(..);
        }
        let found: Vec<_> = lines(Format::X12, file.as_bytes(), &Limits::default())
            .unwrap()
            .iter()
            .map(messages::found)
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn edifact_comes_back(
        sets in sets(messages::EDIFACT_TEXT),
        delimiters in edifact_delimiters(),
        again in any::<bool>(),
    ) {
        let mut file = messages::edifact(delimiters, &sets);
        let mut expected: Vec<_> = sets.iter().flatten().flat_map(messages::expected).collect();
        if again {
            file.extend(messages::edifact((None, ""), &sets));
            expected.extend_from_within(..);
        }
        let found: Vec<_> = lines(Format::Edifact, &file, &Limits::default())
            .unwrap()
            .iter()
            .map(messages::found)
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_damaged_message_panics_or_counts_otherwise_than_it_reads(
        sets in sets("[A-Z]{1,3}"),
        flips in vec((any::<prop::sample::Index>(), prop::sample::select(b"*+'~:?\n0AZ \xff".to_vec())), 1..4),
        cuts in vec((any::<prop::sample::Index>(), 0..40_usize), 0..3),
    ) {
        let x12 = messages::x12(('*', '>', "~"), &sets).into_bytes();
        let edifact = messages::edifact((None, ""), &sets);
        for (format, mut bytes) in [(Format::X12, x12), (Format::Edifact, edifact)] {
            for (index, byte) in &flips {
                let at = index.index(bytes.len());
                bytes[at] = *byte;
            }
            for (index, length) in &cuts {
                let at = index.index(bytes.len());
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            let answered = match lines(format, &bytes, &Limits::default()) {
                Ok(_) => inspected(format, &bytes, &Limits::default()).unwrap().acknowledgement,
                Err(error) => error.acknowledgement,
            };
            if let Some(answer) = answered {
                answer.render(roadstead_domain::clock::Micros(0));
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400), like in 0..6) {
        let beginning: &[u8] = match like {
            0 => b"",
            1 => b"Serial,Qty,Customer,Date,SKU,Reseller\n",
            2 => b"\xff\xfeS\0e\0r\0i\0a\0l\0;\0",
            3 => b"PK\x03\x04",
            4 => b"UNA:+.? 'UNB+UNOC:3+A+B+1:1+1'UNH+1+SLSRPT:D:96A:UN'BGM'",
            _ => b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        };
        let bytes = [beginning, &bytes].concat();
        let _ = lines(Format::Csv, &bytes, &Limits::default());
        let _ = lines(Format::Xlsx, &bytes, &Limits::default());
        let _ = lines(Format::X12, &bytes, &Limits::default());
        let _ = lines(Format::Edifact, &bytes, &Limits::default());
    }

    #[test]
    fn no_damaged_workbook_panics(flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        // Stored, not compressed, so that a flip reaches the XML behind the checksum now and then.
        let mut bytes = damaged_base();
        for (index, flip) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= flip;
        }
        let _ = inspected(Format::Xlsx, &bytes, &Limits::default());
    }

    #[test]
    fn no_damaged_sheet_panics(
        flips in vec((any::<prop::sample::Index>(), "[ -~]"), 1..6),
    ) {
        let mut rows = SHEET.to_owned();
        for (index, letter) in flips {
            let at = index.index(rows.len());
            rows.replace_range(at..=at, &letter);
        }
        let bytes = common::workbook(&rows, "<si><t>shared</t></si>", &["yyyy-mm-dd", "0.00E+00"]);
        let _ = lines(Format::Xlsx, &bytes, &Limits::default());
    }
}

const SHEET: &str = concat!(
    r#"<row r="1"><c r="A1" t="str"><v>Date</v></c><c r="B1" t="str"><v>Reseller</v></c><c r="C1" t="str"><v>SKU</v>"#,
    r#"</c><c r="D1" t="str"><v>Serial</v></c><c r="E1" t="str"><v>Qty</v></c></row><row r="2"><c r="A2" s="1">"#,
    r#"<v>46344.5</v></c><c r="B2" t="s"><v>0</v></c><c r="C2" t="inlineStr"><is><t>a&amp;b</t></is></c><c r="D2" "#,
    r#"s="2"><v>1.5E12</v></c><c r="E2"><f>1+1</f><v>2</v></c></row>"#,
);

fn damaged_base() -> Vec<u8> {
    common::workbook(SHEET, "<si><t>shared</t></si>", &["yyyy-mm-dd", "0.00E+00"])
}
