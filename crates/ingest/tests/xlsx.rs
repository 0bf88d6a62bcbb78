//! The rules of workbooks.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::io::Write;

use common::{archive, inspected, lines, text_row, workbook};
use roadstead_domain::sale::{CellFault, Field, ReceivedLine};
use roadstead_ingest::{FileError, FileErrorCode as Code, Format, Limits};
use rust_xlsxwriter::{ExcelDateTime, Format as Style, Formula, Workbook};

const HEADERS: [&str; 5] = ["Date", "Reseller", "SKU", "Serial", "Qty"];

/// One line whose serial cell is `cell`.
fn with_serial(cell: &str, strings: &str, formats: &[&str]) -> Result<Vec<ReceivedLine>, FileError> {
    let rows = format!("{}<row><c r=\"A2\"><v>1</v></c>{cell}</row>", text_row(&HEADERS));
    lines(Format::Xlsx, &workbook(&rows, strings, formats), &Limits::default())
}

fn refused(bytes: &[u8], limits: &Limits) -> (Code, Option<u64>, String) {
    let error = inspected(Format::Xlsx, bytes, limits).unwrap_err();
    (error.code, error.row, error.detail)
}

#[test]
fn cells() {
    let strings = "<si><t>shared</t></si><si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>no</t></rPh></si>\
                   <si/><si><t>a&amp;b&#x20;<![CDATA[<c>]]>_x000D_ _x00_ _x</t></si>";
    for (cell, expected) in [
        (r#"<c r="D2" t="s"><v>0</v></c>"#, "shared"),
        (r#"<c r="D2" t="s"><v>1</v></c>"#, "rich"),
        (r#"<c r="D2" t="s"><v>2</v></c>"#, ""),
        (r#"<c r="D2" t="s"><v>3</v></c>"#, "a&b <c>\r _x00_ _x"),
        (r#"<c r="D2" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c>"#, "inline"),
        (r#"<c r="D2" t="n"><v>12345</v></c>"#, "12345"),
        (r#"<c r="D2"><v>1.2E4</v></c>"#, "12000"),
        (r#"<c r="D2" t="b"><v>1</v></c>"#, "TRUE"),
        (r#"<c r="D2" t="e"><v>#SPILL!</v></c>"#, "#SPILL!"),
        (r#"<c r="D2" t="d"><v>2026-11-18T00:00:00</v></c>"#, "2026-11-18"),
        (r#"<c r="D2" s="1"><v>46344</v></c>"#, "2026-11-18"),
        (r#"<c r="D2" s="2"><v>1234567890123</v></c>"#, "1234567890123"),
        (r#"<c r="D2" s="3"><v>1234567890123</v></c>"#, "1234567890123"),
        (r#"<c r="D2" s="4"><v>123</v></c>"#, "00000123"),
        (r#"<c r="D2" s="999"><v>123</v></c>"#, "123"),
        (r#"<c r="D2"/>"#, ""),
        ("", ""),
    ] {
        let lines = with_serial(cell, strings, &["dd.mm.yyyy", "0", "#,##0", "00000000"]).unwrap();
        assert_eq!((lines[0].row, lines[0].get(Field::Serial)), (2, expected), "{cell}");
        assert_eq!(lines[0].faults, [], "{cell}");
    }
}

#[test]
fn faults() {
    for (cell, text, fault) in [
        (r#"<c r="D2"><v>1234567890123</v></c>"#, "1.23457E+12", CellFault::ScientificNotation),
        (r#"<c r="D2" s="1"><v>1234567890123</v></c>"#, "1.23E+12", CellFault::ScientificNotation),
        (r#"<c r="D2" s="2"><v>12345678901234567</v></c>"#, "1.23457E+16", CellFault::ScientificNotation),
        (r#"<c r="D2" t="str"><f>A1&amp;"x"</f><v>cached</v></c>"#, "cached", CellFault::Formula),
        (r#"<c r="D2"><f>A1&amp;"x"</f></c>"#, "=A1&\"x\"", CellFault::Formula),
        (r#"<c r="D2"><f t="shared" si="99999999999999"/><v>7</v></c>"#, "7", CellFault::Formula),
    ] {
        let lines = with_serial(cell, "", &["0.00E+00", "0"]).unwrap();
        assert_eq!(lines[0].get(Field::Serial), text, "{cell}");
        assert_eq!(lines[0].faults, [(Field::Serial, fault)], "{cell}");
    }
    let elsewhere =
        with_serial(r#"<c r="B2"><v>1234567890123</v></c><c r="Z2"><f>A1</f></c>"#, "", &[]).unwrap();
    assert_eq!((elsewhere[0].get(Field::Seller), elsewhere[0].faults.len()), ("1234567890123", 0));
}

#[test]
fn too_long_a_cell_is_cut_and_marked() {
    let limits = Limits { field_bytes: 60, ..Limits::default() };
    let long = "ä".repeat(100);
    for (cell, strings) in [
        (format!(r#"<c r="D2" t="inlineStr"><is><t>{long}</t></is></c>"#), String::new()),
        (r#"<c r="D2" t="s"><v>0</v></c>"#.to_owned(), format!("<si><t>{long}</t></si>")),
    ] {
        let rows = format!("{}<row>{cell}</row>", text_row(&HEADERS));
        let bytes = workbook(&rows, &strings, &[]);
        let lines = lines(Format::Xlsx, &bytes, &limits).unwrap();
        assert_eq!(lines[0].get(Field::Serial), "ä".repeat(30));
        assert_eq!(lines[0].faults, [(Field::Serial, CellFault::TooLarge)]);
    }
}

#[test]
fn days_may_count_from_1904() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, header) in (0..).zip(HEADERS) {
        sheet.write(0, column, header).unwrap();
    }
    let style = Style::new().set_num_format("yyyy-mm-dd");
    let day = ExcelDateTime::from_ymd(2026, 11, 18).unwrap();
    sheet.write_with_format(1, 0, &day, &style).unwrap();
    sheet.write(1, 3, "A").unwrap();
    sheet.write(1, 4, Formula::new("=1+1").set_result("2")).unwrap();
    let found = lines(Format::Xlsx, &book.save_to_buffer().unwrap(), &Limits::default()).unwrap();
    assert_eq!(found[0].get(Field::TransactionDate), "2026-11-18");
    assert_eq!(found[0].faults, [(Field::Quantity, CellFault::Formula)]);

    let rows = format!("{}<row><c s=\"1\"><v>44882</v></c></row>", text_row(&HEADERS));
    let mut parts = zip::ZipArchive::new(std::io::Cursor::new(workbook(&rows, "", &["yyyy"]))).unwrap();
    let mut changed = Vec::new();
    for index in 0..parts.len() {
        let mut part = parts.by_index(index).unwrap();
        let text = std::io::read_to_string(&mut part).unwrap();
        changed.push((
            part.name().unwrap().to_string(),
            text.replace("<workbookPr/>", "<workbookPr date1904='1'/>"),
        ));
    }
    let changed: Vec<_> = changed.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let found = lines(Format::Xlsx, &archive(&changed), &Limits::default()).unwrap();
    assert_eq!(found[0].get(Field::TransactionDate), "2026-11-18");
}

#[test]
fn the_first_visible_sheet_with_a_header_is_taken() {
    let mut book = Workbook::new();
    book.add_worksheet().set_hidden(true).write_row(0, 0, HEADERS).unwrap();
    book.add_worksheet().write(0, 0, "Notes to the reader").unwrap();
    let table = book.add_worksheet();
    table.set_active(true);
    table.write_row(2, 1, HEADERS).unwrap();
    table.write_row(5, 1, ["d", "r", "p", "A", "1"]).unwrap();
    table.write_blank(900, 3, &Style::new().set_bold()).unwrap();
    table.write(901, 3, "   ").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let found = lines(Format::Xlsx, &bytes, &Limits::default()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].row, found[0].get(Field::Serial)), (6, "A"));
    let layout = inspected(Format::Xlsx, &bytes, &Limits::default()).unwrap();
    assert_eq!(layout.columns[0], (1, Field::TransactionDate, "Date".to_owned()));
}

#[test]
fn formulas_that_show_nothing_are_no_lines() {
    let rows = format!(r#"{}<row><c t="str"><f>IF(1,"")</f><v></v></c></row>"#, text_row(&HEADERS));
    assert_eq!(lines(Format::Xlsx, &workbook(&rows, "", &[]), &Limits::default()).unwrap(), []);
}

#[test]
fn headers_are_checked() {
    let bytes = workbook(&text_row(&["Date", "Reseller", "SKU", "Qty"]), "", &[]);
    assert_eq!(refused(&bytes, &Limits::default()).0, Code::ColumnMissing);
    let bytes =
        workbook(&format!("<row/>{}", text_row(&["Date", "Reseller", "SKU", "SN", "Qty", "S/N"])), "", &[]);
    let error = inspected(Format::Xlsx, &bytes, &Limits::default()).unwrap_err();
    assert_eq!(
        (error.code, error.row, error.column.as_deref()),
        (Code::ColumnDuplicate, Some(2), Some("S/N"))
    );
    assert_eq!(refused(&workbook("", "", &[]), &Limits::default()).0, Code::Empty);
}

#[test]
fn limits() {
    let line = text_row(&["d", "r", "p", "A", "1"]);
    let three = workbook(&format!("{}{line}{line}<row/>{line}", text_row(&HEADERS)), "", &[]);
    let limits = Limits { xlsx_rows: 3, ..Limits::default() };
    assert_eq!(inspected(Format::Xlsx, &three, &limits).unwrap().lines, 3);
    let limits = Limits { xlsx_rows: 2, ..limits };
    let (code, row, _) = refused(&three, &limits);
    assert_eq!((code, row), (Code::TooManyLines, Some(5)));
    let limits = Limits { unpacked_bytes: 1000, ..Limits::default() };
    assert_eq!(refused(&three, &limits).0, Code::TooLarge);
}

#[test]
fn a_bomb_that_lies_about_its_size_is_refused() {
    let rows = format!("{}{}", text_row(&HEADERS), "<row></row>".repeat(100_000));
    let bytes = workbook(&rows, "", &[]);
    let limits = Limits { unpacked_bytes: 100_000, ..Limits::default() };
    // In an entry of the directory the flags stand 8 bytes behind its mark, the unpacked size 24 bytes.
    let marks: Vec<_> = (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02")).collect();
    let mut small = bytes.clone();
    let mut unknown = bytes.clone();
    for mark in marks {
        small[mark + 24..mark + 28].copy_from_slice(&100_u32.to_le_bytes());
        unknown[mark + 8] |= 1 << 3;
    }
    assert_eq!(refused(&bytes, &limits).0, Code::TooLarge);
    assert_eq!(refused(&small, &limits).0, Code::Unreadable);
    let (code, _, detail) = refused(&unknown, &limits);
    assert_eq!(code, Code::TooLarge);
    assert!(detail.starts_with("part xl/worksheets/s.xml"), "{detail}");
}

#[test]
fn other_kinds_of_files() {
    let relation = |target: &str| {
        format!(
            r#"<Relationships><Relationship Id="a" Type="x/officeDocument" Target="{target}"/></Relationships>"#
        )
    };
    let letter =
        archive(&[("_rels/.rels", &relation("word/document.xml")), ("word/document.xml", "<document/>")]);
    let binary = archive(&[("_rels/.rels", &relation("xl/workbook.bin")), ("xl/workbook.bin", "x")]);
    let mut compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    compound.resize(2048, 0);
    compound[30] = 9;
    compound[48] = 1;
    let mut encrypted = compound.clone();
    let name: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
    encrypted[1200..1200 + name.len()].copy_from_slice(&name);
    for (bytes, word) in [
        (archive(&[("a.txt", "a")]), "without a workbook"),
        (archive(&[("content.xml", "<a/>")]), "OpenDocument"),
        (letter, "document"),
        (binary, "binary workbook"),
        (compound, "legacy"),
        (encrypted, "password"),
        (b"Date,Serial\n".to_vec(), "text"),
        (b"%PDF".to_vec(), "PDF"),
        (b"\x7fELF\0\0".to_vec(), "binary"),
    ] {
        let (code, _, detail) = refused(&bytes, &Limits::default());
        assert_eq!(code, Code::WrongType, "{word}");
        assert!(detail.contains(word), "{detail} / {word}");
    }
    assert_eq!(refused(b"", &Limits::default()).0, Code::Empty);
}

#[test]
fn broken_archives() {
    let line = text_row(&["d", "r", "p", "A", "1"]);
    let good = workbook(&format!("{}{line}", text_row(&HEADERS)), "", &[]);
    assert_eq!(refused(&good[..good.len() / 2], &Limits::default()).0, Code::Truncated);
    assert_eq!(refused(&good[..good.len() - 30], &Limits::default()).0, Code::Truncated);
    let sheet = b"xl/worksheets/s.xml";
    let at = good.windows(sheet.len()).position(|name| name == sheet).unwrap() + sheet.len() + 20;
    let mut flipped = good.clone();
    flipped[at] ^= 0x55;
    assert_eq!(refused(&flipped, &Limits::default()).0, Code::Unreadable);
}

#[test]
fn hostile_sheets_are_refused_or_harmless() {
    for (name, cell, code) in [
        ("a string that is not there", r#"<c r="D2" t="s"><v>9</v></c>"#, Code::Unreadable),
        ("an unknown type", r#"<c r="D2" t="z"><v>9</v></c>"#, Code::Unreadable),
        ("a column beyond all", r#"<c r="ZZZZ2"><v>9</v></c>"#, Code::Unreadable),
        ("a column twice", r#"<c r="A2"><v>9</v></c>"#, Code::Unreadable),
        ("a place without column", r#"<c r="2"><v>9</v></c>"#, Code::Unreadable),
        ("an unknown entity", r#"<c r="D2" t="str"><v>&lol;</v></c>"#, Code::Unreadable),
        ("an end too early", r#"<c r="D2"><v>"#, Code::Unreadable),
    ] {
        let error = with_serial(cell, "", &[]).unwrap_err();
        assert_eq!((error.code, error.row), (code, Some(2)), "{name}: {error}");
    }
    for rows in ["<row r=\"0\"/>", "<row r=\"2\"/><row r=\"2\"/>", "<row r=\"9999999\"/>", "<row r=\"-1\"/>"]
    {
        assert_eq!(refused(&workbook(rows, "", &[]), &Limits::default()).0, Code::Unreadable, "{rows}");
    }
    let deep = format!("{}{}", text_row(&HEADERS), "<a>".repeat(1000));
    assert_eq!(refused(&workbook(&deep, "", &[]), &Limits::default()).0, Code::Unreadable);
    let wide = format!("{}<row><c t=\"str\"><v>{}</v></c></row>", text_row(&HEADERS), " ".repeat(5 << 20));
    assert_eq!(refused(&workbook(&wide, "", &[]), &Limits::default()).0, Code::TooLarge);
}

#[test]
fn counts_in_the_file_are_not_believed() {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(workbook(&text_row(&HEADERS), "", &[]))).unwrap();
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).unwrap();
        let text = std::io::read_to_string(&mut part)
            .unwrap()
            .replace("<sst>", r#"<sst uniqueCount="4611686018427387904">"#)
            .replace("<sheetData>", r#"<dimension ref="ZZZZZZZZZZ2:A1"/><sheetData>"#);
        out.start_file(part.name().unwrap().to_string(), zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    let bytes = out.finish().unwrap().into_inner();
    assert_eq!(inspected(Format::Xlsx, &bytes, &Limits::default()).unwrap().lines, 0);
}
