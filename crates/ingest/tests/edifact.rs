//! EDIFACT SLSRPT: what its segments mean, how its envelopes are checked, what its CONTRL says.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::{inspected, lines};
use roadstead_domain::clock::Micros;
use roadstead_domain::sale::{CellFault, Field, ReceivedLine};
use roadstead_ingest::{FileErrorCode, Format, Limits};

/// 2026-11-22T19:05:00Z
const AT: Micros = Micros(1_795_374_300_000_000);

const UNB: &str = "UNB+UNOC:3+DIST:ZZ+VENDOR:ZZ+261122:1905+101'";

const SALE: &str = "LOC+162+R-1::92'DTM+3:20261118:102'LIN+1'PIA+1+6T1A2EA:SA'RFF+IV:INV-1'PIA+5+Premium?+:ZZZ'\
RFF+SE:5CG0000001'QTY+153:1:PCE'NAD+UC+C-7::92++Muster AG+++++DE'";

/// A message of this body, with counts that are right.
fn message(reference: &str, body: &str) -> String {
    let body = format!("BGM+73E::9+RPT-1+9'DTM+137:20261122:102'NAD+SE+D-1::92'{body}");
    let segments = body.matches('\'').count() - body.matches("?'").count() + 2;
    format!("UNH+{reference}+SLSRPT:D:96A:UN'{body}UNT+{segments}+{reference}'")
}

fn file(messages: &[String]) -> String {
    format!("{UNB}{}UNZ+{}+101'", messages.concat(), messages.len())
}

fn one(body: &str) -> String {
    file(&[message("1", body)])
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

fn read(file: &str) -> Vec<ReceivedLine> {
    lines(Format::Edifact, &latin(file), &Limits::default()).unwrap()
}

fn cells(file: &str, fields: &[Field]) -> Vec<String> {
    let row = |line: &ReceivedLine| fields.iter().map(|field| line.get(*field)).collect::<Vec<_>>().join(" ");
    read(file).iter().map(row).collect()
}

fn serials(file: &str) -> Vec<String> {
    cells(file, &[Field::Serial, Field::Quantity, Field::Transaction])
}

/// The CONTRL whole.
fn contrl(file: &str) -> String {
    let answer = match inspected(Format::Edifact, &latin(file), &Limits::default()) {
        Ok(layout) => layout.acknowledgement.unwrap(),
        Err(error) => error.acknowledgement.unwrap_or_else(|| panic!("{}", error.detail)),
    };
    String::from_utf8(answer.render(AT)).unwrap()
}

/// Its segments about the interchange and what is in it.
fn answer(file: &str) -> Vec<String> {
    let segments = contrl(file).replace("?'", "\u{1}");
    segments.split('\'').filter(|segment| segment.starts_with("UC")).map(str::to_owned).collect()
}

fn code(bytes: &[u8]) -> (FileErrorCode, Option<u64>) {
    let error = inspected(Format::Edifact, bytes, &Limits::default()).unwrap_err();
    (error.code, error.row)
}

#[test]
fn a_line_of_a_location_is_a_line() {
    let line = &read(&one(&SALE.replace("Muster AG", "Café Zürich")))[0];
    let expected = [
        (Field::Transaction, "sale"),
        (Field::TransactionDate, "20261118"),
        (Field::Seller, "R-1"),
        (Field::Buyer, "C-7"),
        (Field::BuyerName, "Café Zürich"),
        (Field::Country, "DE"),
        (Field::Product, "6T1A2EA"),
        (Field::Level, "Premium+"),
        (Field::Serial, "5CG0000001"),
        (Field::Quantity, "1"),
        (Field::Invoice, "INV-1"),
    ];
    for field in Field::ALL {
        let wanted = expected.iter().find(|(known, _)| known == field).map_or("", |(_, text)| text);
        assert_eq!(line.get(*field), wanted, "{field:?}");
    }
    assert_eq!((line.row, line.reporter.as_deref()), (12, Some("D-1")));
}

#[test]
fn serials_of_a_line_are_shared_among_its_quantities() {
    let line = |serials: &str, quantities: &str| {
        one(&SALE.replace("RFF+SE:5CG0000001'", serials).replace("QTY+153:1:PCE'", quantities))
    };
    let two = "RFF+SE:5CG0000001'RFF+SE:5CG0000002'";
    assert_eq!(serials(&line(two, "QTY+153:2:PCE'")), ["5CG0000001 1 sale", "5CG0000002 1 sale"]);
    assert_eq!(serials(&line(two, "QTY+77:-2'")), ["5CG0000001 -1 return", "5CG0000002 -1 return"]);
    let buyers = line(two, "QTY+153:1'NAD+UC+C-1::92'QTY+61:1'");
    let fields = [Field::Serial, Field::Transaction, Field::Buyer];
    assert_eq!(cells(&buyers, &fields), ["5CG0000001 sale C-1", "5CG0000002 return C-7"]);
    let behind = line("", "QTY+153:1'RFF+SE:5CG0000008'QTY+61:1'RFF+SE:5CG0000009'");
    assert_eq!(serials(&behind), ["5CG0000008 1 sale", "5CG0000009 1 return"]);
    let disagreeing = read(&line(two, "QTY+153:3'"));
    assert!(disagreeing.iter().all(|line| line.fault(Field::Quantity) == Some(CellFault::Disagrees)));
    assert_eq!(serials(&line("", "QTY+153:1'")), [" 1 sale"]);
    assert_eq!(serials(&line(two, "")), ["5CG0000001  sale", "5CG0000002  sale"]);
    assert_eq!(serials(&line("", "")), ["  sale"]);
    assert_eq!(serials(&line(two, "QTY+145:90'QTY+153:2'")), ["5CG0000001 1 sale", "5CG0000002 1 sale"]);
}

#[test]
fn a_location_has_several_lines_and_a_message_several_locations() {
    let line = |n: u32| format!("LIN+{n}'PIA+1+P{n}:SA'RFF+SE:5CG000000{n}'QTY+153:1'");
    let body = format!("LOC+162+R-1'DTM+3:20261118:102'{}{}LOC+162+R-2'{}", line(1), line(2), line(3));
    let fields = [Field::Seller, Field::Product, Field::Serial, Field::TransactionDate];
    assert_eq!(
        cells(&one(&body), &fields),
        ["R-1 P1 5CG0000001 20261118", "R-1 P2 5CG0000002 20261118", "R-2 P3 5CG0000003 "]
    );
}

#[test]
fn dates_with_a_time_and_products_in_the_line() {
    for (format, date) in [
        ("202611181905:203", "20261118"),
        ("20261118190500:204", "20261118"),
        ("261118:101", "20261118"),
        ("20261118:102", "20261118"),
        ("20261118-20261119:718", "20261118-20261119"),
    ] {
        let file = one(&SALE.replace("20261118:102", format));
        assert_eq!(cells(&file, &[Field::TransactionDate]), [date]);
    }
    let line = one(&SALE.replace("LIN+1'PIA+1+6T1A2EA:SA'", "LIN+1++4012345678901:EN'IMD+F++:::Notebook'"));
    assert_eq!(cells(&line, &[Field::Product, Field::Model]), ["4012345678901 Notebook"]);
}

#[test]
fn service_characters_are_those_of_una_and_released_ones_are_text() {
    let plain = one(&SALE.replace("Muster AG", "O?'Neil?: A?+B??C"));
    let expected = read(&plain);
    assert_eq!(expected[0].get(Field::BuyerName), "O'Neil: A+B?C");
    let swapped: String = plain
        .replace("?'", "\u{1}")
        .replace("?:", "\u{2}")
        .replace("?+", "\u{3}")
        .replace("??", "\u{4}")
        .replace('\'', "~\r\n")
        .replace(':', "^")
        .replace('+', "|")
        .replace('\u{1}', "'")
        .replace('\u{2}', ":")
        .replace('\u{3}', "+")
        .replace('\u{4}', "?");
    for (file, more) in [
        (format!("UNA:+.? '{plain}"), 1),
        (format!("UNA:+.? '\r\n{}", plain.replace("PIA+", "PIA\r\n+")), 1),
        (format!("UNA^|,\\ ~{swapped}"), 1),
    ] {
        let found = read(&file);
        assert_eq!(found[0].row, expected[0].row + more);
        for field in Field::ALL {
            assert_eq!(found[0].get(*field), expected[0].get(*field), "{field:?}");
        }
    }
    let unreleased = plain.replace("?'", "").replace("?:", "").replace("?+", "").replace("??", "");
    let level_b = unreleased.replace('\'', "\u{1c}").replace('+', "\u{1d}").replace(':', "\u{1f}");
    assert_eq!(serials(&level_b), ["5CG0000001 1 sale"]);
}

#[test]
fn characters_are_those_that_unb_declares() {
    let name = |syntax: &str, bytes: &[u8]| {
        let file = one(SALE).replace("UNOC:3", syntax);
        let (before, behind) = file.split_once("Muster AG").unwrap();
        let bytes = [before.as_bytes(), bytes, behind.as_bytes()].concat();
        let lines = lines(Format::Edifact, &bytes, &Limits::default()).unwrap();
        lines[0].get(Field::BuyerName).to_owned()
    };
    assert_eq!(name("UNOC:3", b"Caf\xe9\x80"), "Café\u{80}");
    assert_eq!(name("UNOC:3", "é".as_bytes()), "Ã©", "declared is declared");
    assert_eq!(name("UNOD:3", b"\xa3\xf3d\xbc"), "Łódź");
    assert_eq!(name("UNOE:3", b"\xbc\xde"), "Мо");
    assert_eq!(name("UNOF:3", b"\xc1\xe8"), "Αθ");
    assert_eq!(name("UNOW:4", "Łódź".as_bytes()), "Łódź");
    assert_eq!(name("UNOA:2", b"Caf\xe9"), "Café");
    let unknown = one(SALE).replace("UNOC:3", "UNOZ:3");
    assert_eq!(code(unknown.as_bytes()).0, FileErrorCode::NothingAccepted);
    assert_eq!(answer(&unknown), ["UCI+101+DIST:ZZ+VENDOR:ZZ+4+2+UNB+2"]);
}

#[test]
fn a_contrl_says_that_all_is_well() {
    assert_eq!(
        contrl(&file(&[message("1", SALE), message("2", "")])),
        "UNA:+.? 'UNB+UNOC:3+VENDOR:ZZ+DIST:ZZ+261122:1905+953743018'UNH+1+CONTRL:D:3:UN'\
         UCI+101+DIST:ZZ+VENDOR:ZZ+7'UCM+1+SLSRPT:D:96A:UN+7'UCM+2+SLSRPT:D:96A:UN+7'UNT+5+1'UNZ+1+953743018'"
    );
    let released = one(SALE).replace("DIST:ZZ", "D?+I?'ST:ZZ").replace("UNOC:3", "UNOC:4");
    assert!(contrl(&released).contains("UNH+1+CONTRL:4:1:UN'UCI+101+D?+I?'ST:ZZ+VENDOR:ZZ+7'"));
    let swapped = one(SALE).replace("?+", "").replace('\'', "~").replace(':', "^");
    let swapped = format!("UNA^+.  ~{swapped}");
    assert!(contrl(&swapped).starts_with("UNA^+.  ~UNB+UNOC^3+VENDOR^ZZ+DIST^ZZ+261122^1905+"));
}

#[test]
fn what_is_wrong_with_a_message_refuses_the_message_alone() {
    let good = message("1", SALE);
    for (wrong, answers) in [
        (message("2", SALE).replace("UNT+14", "UNT+13"), &["UCM+2+SLSRPT:D:96A:UN+4+29+UNT+2"][..]),
        (message("2", SALE).replace("UNT+14+2", "UNT+14+02"), &["UCM+2+SLSRPT:D:96A:UN+4+28+UNT+3"]),
        (message("2", SALE).replace("UNT+14+2'", ""), &["UCM+2+SLSRPT:D:96A:UN+4+13+UNT"]),
        (message("1", SALE), &["UCM+1+SLSRPT:D:96A:UN+4+26+UNH+2"]),
        (message("2", SALE).replace("SLSRPT", "ORDERS"), &["UCM+2+ORDERS:D:96A:UN+4+17+UNH+3:1"]),
        (message("2", SALE).replace("96A", "01B"), &["UCM+2+SLSRPT:D:01B:UN+4+17+UNH+3:3"]),
        (
            message("2", SALE).replace("BGM+73E::9+RPT-1+9'", "").replace("UNT+14", "UNT+13"),
            &["UCM+2+SLSRPT:D:96A:UN+4", "UCS+2+13"],
        ),
        (message("2", &format!("LIN+1'{SALE}")), &["UCM+2+SLSRPT:D:96A:UN+4", "UCS+5+15"]),
        (message("2", &format!("QTY+153:1'{SALE}")), &["UCM+2+SLSRPT:D:96A:UN+4", "UCS+5+15"]),
        (message("2", &format!("RFF+SE:5CG0000009'{SALE}")), &["UCM+2+SLSRPT:D:96A:UN+4", "UCS+5+15"]),
        (message("2", &format!("{SALE}CNT+2:2'")), &["UCM+2+SLSRPT:D:96A:UN+4", "UCS+14+29"]),
    ] {
        let both = file(&[good.clone(), wrong.clone()]);
        let found = answer(&both);
        assert_eq!(found[..2], ["UCI+101+DIST:ZZ+VENDOR:ZZ+7", "UCM+1+SLSRPT:D:96A:UN+7"], "{wrong}");
        assert_eq!(&found[2..], answers, "{wrong}");
        assert_eq!(serials(&both), ["5CG0000001 1 sale"], "{wrong}");
        assert!(
            answers[0].contains("+26+") || {
                code(&latin(&file(&[wrong]))).0 == FileErrorCode::NothingAccepted
            }
        );
    }
    assert_eq!(serials(&one(&format!("{SALE}CNT+2:1'"))), ["5CG0000001 1 sale"]);
}

#[test]
fn what_is_wrong_with_an_interchange_refuses_the_interchange() {
    let good = one(SALE);
    for (wrong, said) in [
        (good.replace("UNZ+1+101", "UNZ+1+109"), "UCI+101+DIST:ZZ+VENDOR:ZZ+4+28+UNZ+3"),
        (good.replace("UNZ+1", "UNZ+2"), "UCI+101+DIST:ZZ+VENDOR:ZZ+4+29+UNZ+2"),
        (good.replace("UNZ+1", "RFF+SE:1'UNZ+1"), "UCI+101+DIST:ZZ+VENDOR:ZZ+4+33"),
    ] {
        let both = format!("{wrong}\r\nUNA:+.? '{}", good.replace("0000001'", "0000002'"));
        assert_eq!(serials(&both), ["5CG0000002 1 sale"], "{said}");
        assert_eq!(answer(&both)[..2], [said, "UCI+101+DIST:ZZ+VENDOR:ZZ+7"]);
        assert_eq!(code(wrong.as_bytes()).0, FileErrorCode::NothingAccepted, "{said}");
    }
}

#[test]
fn groups_are_checked_and_answered() {
    let ung = |n: u32, body: &str| format!("UNG+SLSRPT+A+B+261122:1905+{n}+UN+D:96A'{body}UNE+1+{n}'");
    let of = |groups: &[String]| format!("{UNB}{}UNZ+{}+101'", groups.concat(), groups.len());
    let (first, second) = (message("1", SALE), message("1", &SALE.replace("0000001", "0000002")));
    let good = of(&[ung(1, &first), ung(2, &second)]);
    assert_eq!(serials(&good), ["5CG0000001 1 sale", "5CG0000002 1 sale"]);
    assert_eq!(
        answer(&good)[1..],
        ["UCF+1+A+B+7", "UCM+1+SLSRPT:D:96A:UN+7", "UCF+2+A+B+7", "UCM+1+SLSRPT:D:96A:UN+7"]
    );
    let bad = of(&[ung(1, &first), ung(2, &second).replace("UNE+1", "UNE+3")]);
    assert_eq!(serials(&bad), ["5CG0000001 1 sale"]);
    assert_eq!(answer(&bad)[1..], ["UCF+1+A+B+7", "UCM+1+SLSRPT:D:96A:UN+7", "UCF+2+A+B+4+29+UNE+2"]);
}

#[test]
fn a_truncated_or_broken_file_is_refused_as_a_whole() {
    let good = format!("UNA:+.? '{}", one(SALE));
    for cut in 3..good.len() {
        assert_eq!(code(&good.as_bytes()[..cut]).0, FileErrorCode::Truncated, "{cut}");
    }
    assert_eq!(answer(&good[..good.len() - 1]), ["UCI+101+DIST:ZZ+VENDOR:ZZ+4+13+UNZ"]);
    for (broken, row) in [
        (good.replacen("UNA:+", "UNA++", 1), 1),
        (good.replacen("UNA:+", "UNAA+", 1), 1),
        (good.replacen("UNB+", "UNX+", 1), 2),
        (good.replacen("+101'", "'", 1), 2),
        (format!("{good}XXX"), 18),
    ] {
        assert_eq!(code(broken.as_bytes()), (FileErrorCode::EnvelopeBroken, Some(row)), "{broken}");
    }
    let again = format!("{}{good}", good.replace("UNZ+1+101'", ""));
    assert_eq!(code(again.as_bytes()).0, FileErrorCode::Truncated);
    assert_eq!(code(b"ISA*00*").0, FileErrorCode::WrongType);
    let error = inspected(Format::Csv, one(SALE).as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!((error.code, error.detail.contains("EDIFACT")), (FileErrorCode::WrongType, true));
}

#[test]
fn an_acknowledgement_is_not_acknowledged() {
    let theirs = "UNH+2+CONTRL:D:3:UN'UCI+1+A+B+7'UNT+3+2'".to_owned();
    assert_eq!(
        answer(&file(&[message("1", SALE), theirs.clone()])),
        ["UCI+101+DIST:ZZ+VENDOR:ZZ+7", "UCM+1+SLSRPT:D:96A:UN+7"]
    );
    assert_eq!(contrl(&file(&[theirs])), "");
}
