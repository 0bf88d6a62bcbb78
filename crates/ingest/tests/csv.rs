//! The rules of delimited text.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::{HEADER, inspected, lines};
use roadstead_domain::sale::{CellFault, Field};
use roadstead_ingest::{FileErrorCode as Code, Format, Limits};

fn rows(bytes: impl AsRef<[u8]>) -> Vec<(u64, String)> {
    let lines = lines(Format::Csv, bytes.as_ref(), &Limits::default()).unwrap();
    lines.iter().map(|line| (line.row, line.get(Field::Serial).to_owned())).collect()
}

fn refused(bytes: impl AsRef<[u8]>) -> (Code, Option<u64>) {
    let error = inspected(Format::Csv, bytes.as_ref(), &Limits::default()).unwrap_err();
    (error.code, error.row)
}

fn row(number: u64, serial: &str) -> (u64, String) {
    (number, serial.to_owned())
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn rows_are_numbered_as_a_spreadsheet_does() {
    for (text, expected) in [
        ("d,r,p,A,1\nd,r,p,B,1\n", vec![row(2, "A"), row(3, "B")]),
        ("d,r,p,A,1\r\n\r\nd,r,p,B,1", vec![row(2, "A"), row(4, "B")]),
        ("d,r,p,A,1\rd,r,p,B,1\r\rd,r,p,C,1", vec![row(2, "A"), row(3, "B"), row(5, "C")]),
        ("\n\nd,r,p,A,1", vec![row(4, "A")]),
        ("\"d\ne\r\nf\",r,p,A,1\nd,r,p,B,1", vec![row(2, "A"), row(3, "B")]),
        (",,,,\n , ,\t,\u{a0},\n\"\",\"\"\nd,r,p,A,1\n,,,\n\n", vec![row(5, "A")]),
        ("", vec![]),
    ] {
        assert_eq!(rows(format!("{HEADER}\n{text}")), expected, "{text:?}");
    }
    assert_eq!(rows(format!("\r\n,,\r\n{HEADER}\r\nd,r,p,A,1")), [row(4, "A")]);
}

#[test]
fn cells() {
    for (text, expected) in [
        ("d,r,p,\"A,\"\"B\"\"\nC\",1", "A,\"B\"\nC"),
        ("d,r,p,A\"B\",1", "A\"B\""),
        ("d,r,p,\"A\"B,1", "AB"),
        ("d,r,p", ""),
        ("d,r,p,A,1,more,\"and more\"", "A"),
        ("d,r,p,  A ,1", "  A "),
        ("d,r,p,\"A", "A"),
    ] {
        let text = if text.ends_with("\"A") { format!("{text}\",1") } else { text.to_owned() };
        assert_eq!(rows(format!("{HEADER}\n{text}")), [row(2, expected)], "{text:?}");
    }
}

#[test]
fn delimiters_are_found_from_the_header() {
    for delimiter in [",", ";", "\t", "|"] {
        let text =
            "Date,\"Reseller, and; so\t|\",Reseller,SKU,Serial,Qty\nd,x,r,p,A,1".replace("so\t|", "so");
        let (header, line) = text.split_once('\n').unwrap();
        let header = header.replace("\"Reseller, and; so\"", "X").replace(',', delimiter);
        assert_eq!(
            rows(format!("{header}\n{}", line.replace(',', delimiter))),
            [row(2, "A")],
            "{delimiter:?}"
        );
    }
    let quoted = "\"Date\";\"Reseller, ID, (a, b, c, d, e, f)\";\"SKU\";\"Serial\";\"Qty\"\nd;r;p;A;1";
    assert_eq!(rows(quoted), [row(2, "A")]);
}

#[test]
fn a_declared_delimiter_is_obeyed() {
    for text in [
        "sep=;\r\nDate;Reseller;SKU;Serial;Qty\r\nd;r;p;A;1",
        "SEP=^\nDate^Reseller^SKU^Serial^Qty\nd^r^p^A^1",
    ] {
        assert_eq!(rows(text), [row(3, "A")]);
        assert_eq!(rows(format!("\u{feff}{text}")), [row(3, "A")]);
    }
}

#[test]
fn encodings() {
    let text = "Datum;Händler;Artikelnummer;Seriennummer;Menge\nd;r;p;Ä€ß;1\n";
    let code_page: Vec<u8> = text
        .chars()
        .map(|letter| match letter {
            '€' => 0x80,
            _ => u8::try_from(u32::from(letter)).unwrap(),
        })
        .collect();
    let le = utf16(text, u16::to_le_bytes);
    let be = utf16(text, u16::to_be_bytes);
    for (name, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-8 with mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("Windows-1252", code_page),
        ("UTF-16LE with mark", [b"\xff\xfe", le.as_slice()].concat()),
        ("UTF-16BE with mark", [b"\xfe\xff", be.as_slice()].concat()),
        ("UTF-16LE", le),
        ("UTF-16BE", be),
    ] {
        assert_eq!(rows(bytes), [row(2, "Ä€ß")], "{name}");
    }
}

#[test]
fn the_encoding_is_decided_over_the_whole_file() {
    let mut text = format!("{HEADER}\nd,r,p,ä,1\n").into_bytes();
    text.extend(b"d,r,p,A,1\n".repeat(20_000));
    assert_eq!(rows(&text)[0].1, "ä");
    text.extend(b"d,r,p,\xe4,1\n");
    let rows = rows(&text);
    assert_eq!((rows[0].1.as_str(), rows[20_001].1.as_str()), ("Ã¤", "ä"));
}

#[test]
fn a_letter_across_two_chunks() {
    for shift in 0..4 {
        let filler = "x".repeat((64 << 10) - 45 + shift);
        let text = format!("{HEADER}\nd,{},p,ä€ä€,1\n", &filler[HEADER.len()..filler.len()]);
        assert_eq!(rows(text), [row(2, "ä€ä€")]);
    }
}

#[test]
fn broken_text_is_refused_with_its_row() {
    let le = |text: &str| [b"\xff\xfe", utf16(text, u16::to_le_bytes).as_slice()].concat();
    let good = format!("{HEADER}\nd,r,p,A,1\n");
    for (name, bytes, expected) in [
        ("NUL", format!("{good}\nd,r,p,\0,1\n").into_bytes(), (Code::NulBytes, Some(4))),
        ("NUL in UTF-16", le(&format!("{good}d,r,p,\0,1\n")), (Code::NulBytes, Some(3))),
        ("open quote", format!("{good}d,r,\"p,A,1\nd,r,p,B,1\n").into_bytes(), (Code::Truncated, Some(3))),
        ("cut letter", [good.as_bytes(), b"d,r,p,\xc3\xa4,\xc3"].concat(), (Code::Truncated, Some(3))),
        ("cut long letter", [good.as_bytes(), b"d,r,p,\xe2\x82"].concat(), (Code::Truncated, Some(3))),
        ("odd byte", [le(&good).as_slice(), b"d"].concat(), (Code::Truncated, Some(3))),
        ("lone surrogate", [le(&good).as_slice(), b"d\0\x00\xd8d\0"].concat(), (Code::Unreadable, Some(3))),
        (
            "not the mark's encoding",
            [b"\xef\xbb\xbf", good.as_bytes(), b"\xe4,"].concat(),
            (Code::Unreadable, Some(3)),
        ),
    ] {
        assert_eq!(refused(&bytes), expected, "{name}");
    }
}

#[test]
fn a_code_page_letter_at_the_very_end_is_not_a_cut() {
    assert_eq!(rows([HEADER.as_bytes(), b"\nd,r,p,\xe9"].concat()), [row(2, "é")]);
}

#[test]
fn other_kinds_of_files() {
    for (bytes, word) in [
        (&b"PK\x03\x04rest"[..], "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "legacy"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html>", "HTML"),
        (b"<HTML>", "HTML"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"ISA*00*", "X12"),
        (b"UNA:+.? 'UNB+UNOC:3", "EDIFACT"),
        (b"UNB+UNOC:3", "EDIFACT"),
        (b"Date,Serial\x01", "binary"),
    ] {
        let error = inspected(Format::Csv, bytes, &Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::WrongType, "{word}");
        assert!(error.detail.contains(word), "{} / {word}", error.detail);
    }
}

#[test]
fn nothing_but_blanks_is_empty() {
    for bytes in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b" \r\n\t\n", b"\xef\xbb\xbf;;;\n;\n", b"\"\""] {
        assert_eq!(refused(bytes).0, Code::Empty, "{bytes:?}");
    }
}

#[test]
fn headers_are_checked_and_told() {
    let layout =
        inspected(Format::Csv, b"\n Qty ;Region;SKU;Serial;Date;Reseller\n", &Limits::default()).unwrap();
    assert_eq!(layout.lines, 0);
    assert_eq!(layout.columns[0], (0, Field::Quantity, "Qty".to_owned()));
    assert_eq!(layout.unknown_columns, ["Region"]);
    assert_eq!(refused("\nDate,Reseller,SKU,Qty\n"), (Code::ColumnMissing, Some(2)));
    assert_eq!(refused(format!("{HEADER},Seriennummer\n")), (Code::ColumnDuplicate, Some(1)));
}

#[test]
fn too_long_a_cell_is_cut_and_marked() {
    let limits = Limits { field_bytes: 8, ..Limits::default() };
    let text = format!("{HEADER},Other\nd,r,p,12345678,1,{0}\nd,r,p,1234567ä9,1,{0}\n", "x".repeat(50));
    let lines = lines(Format::Csv, text.as_bytes(), &limits).unwrap();
    assert_eq!((lines[0].get(Field::Serial), lines[0].fault(Field::Serial)), ("12345678", None));
    assert_eq!(lines[1].get(Field::Serial), "1234567");
    assert_eq!(lines[1].faults, [(Field::Serial, CellFault::TooLarge)]);
}

#[test]
fn quotes_within_quotes_and_within_words_are_part_of_the_text() {
    for (cell, expected) in [
        (r#""Hafen ""Süd"" GmbH""#, r#"Hafen "Süd" GmbH"#),
        (r#""""Süd"" GmbH""#, r#""Süd" GmbH"#),
        (r#""""""#, r#"""#),
        (r#"14" Notebook"#, r#"14" Notebook"#),
        (r#""Say ""a, ""b"" and c""""#, r#"Say "a, "b" and c""#),
        ("\"two\nlines, \"\"one\"\" cell\"", "two\nlines, \"one\" cell"),
    ] {
        let text = format!("Date,Reseller,SKU,Serial,Qty,End Customer\nd,r,p,A,1,{cell}\nd,r,p,B,1,x\n");
        let lines = lines(Format::Csv, text.as_bytes(), &Limits::default()).unwrap();
        let read: Vec<_> = lines.iter().map(|l| (l.get(Field::Serial), l.get(Field::BuyerName))).collect();
        assert_eq!(read, [("A", expected), ("B", "x")], "{cell}");
    }
}

#[test]
fn an_open_quote_does_not_eat_the_file() {
    let text = format!("{HEADER}\nd,r,p,A,1\nd,r,p,\"B,1\n{}", "d,r,p,C,1\n".repeat(600_000));
    assert_eq!(refused(text), (Code::TooLarge, Some(3)));
}

#[test]
fn lines_are_limited() {
    let limits = Limits { lines: 2, ..Limits::default() };
    let two = format!("{HEADER}\nd,r,p,A,1\n\nd,r,p,B,1\n,,\n");
    assert_eq!(inspected(Format::Csv, two.as_bytes(), &limits).unwrap().lines, 2);
    let error = inspected(Format::Csv, format!("{two}d,r,p,C,1").as_bytes(), &limits).unwrap_err();
    assert_eq!((error.code, error.row), (Code::TooManyLines, Some(6)));
}

#[test]
fn reading_stops_when_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{HEADER}\nd,r,p,A,1\nd,r,p,B,1\n")).unwrap();
    let maps = roadstead_ingest::EdiMaps::default();
    let layout = roadstead_ingest::inspect(Format::Csv, file.path(), &Limits::default(), &maps).unwrap();
    let mut seen = 0;
    roadstead_ingest::read(file.path(), &layout, &Limits::default(), &maps, &mut |_| {
        seen += 1;
        std::ops::ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(seen, 1);
}
