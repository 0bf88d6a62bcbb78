//! X12 867: what its segments mean, how its envelopes are checked, what its 997 says.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::{inspected, lines};
use roadstead_domain::clock::Micros;
use roadstead_domain::sale::{CellFault, Field, ReceivedLine};
use roadstead_ingest::{EdiMaps, FileErrorCode, Format, Limits};

/// 2026-11-22T19:05:00Z
const AT: Micros = Micros(1_795_374_300_000_000);

const ISA: &str = "ISA*00*          *00*          *ZZ*DIST           *ZZ*VENDOR         *261122*1905*U*00401*000000101*0*T*>~";

/// A sale in a PTD loop, with the serial between the tildes.
const SALE: &str = "PTD*SS***IV*INV-1~DTM*003*20261118~N1*BY*RESELLER*92*R-1~N1*EN*MUSTER AG*92*C-7~N4*BERLIN**10115*DE~\
QTY*32*1*EA~LIN**VP*6T1A2EA*ZZ*PREMIUM+~REF*SE*5CG0000001~";

/// A set of this body, with counts that are right.
fn set(reference: &str, body: &str) -> String {
    let body = format!("BPT*00*RPT-1*20261122*SS~N1*DS*DISTRIBUTION*92*D-1~{body}");
    let segments = body.matches('~').count() + 2;
    format!("ST*867*{reference}~{body}SE*{segments}*{reference}~")
}

fn group(reference: &str, sets: &[String]) -> String {
    let head = format!("GS*PT*DIST*VENDOR*20261122*1905*{reference}*X*004010~");
    format!("{head}{}GE*{}*{reference}~", sets.concat(), sets.len())
}

fn file(groups: &[String]) -> String {
    format!("{ISA}{}IEA*{}*000000101~", groups.concat(), groups.len())
}

fn one(body: &str) -> String {
    file(&[group("1", &[set("0001", body)])])
}

fn read(file: &str) -> Vec<ReceivedLine> {
    lines(Format::X12, file.as_bytes(), &Limits::default()).unwrap()
}

/// Some cells of each line.
fn cells(file: &str, fields: &[Field]) -> Vec<String> {
    let row = |line: &ReceivedLine| fields.iter().map(|field| line.get(*field)).collect::<Vec<_>>().join(" ");
    read(file).iter().map(row).collect()
}

fn serials(file: &str) -> Vec<String> {
    cells(file, &[Field::Serial, Field::Quantity, Field::Transaction])
}

/// The 997 without its envelope, one segment a line.
fn answer(file: &str) -> Vec<String> {
    let answer = match inspected(Format::X12, file.as_bytes(), &Limits::default()) {
        Ok(layout) => layout.acknowledgement.unwrap(),
        Err(error) => error.acknowledgement.unwrap_or_else(|| panic!("{}", error.detail)),
    };
    let text = String::from_utf8(answer.render(AT)).unwrap();
    let segments = text.split_terminator('~').map(str::to_owned);
    segments.filter(|segment| segment.starts_with("AK") || segment.starts_with("TA1")).collect()
}

fn code(bytes: &[u8]) -> (FileErrorCode, Option<u64>) {
    let error = inspected(Format::X12, bytes, &Limits::default()).unwrap_err();
    (error.code, error.row)
}

#[test]
fn a_ptd_loop_is_a_line() {
    let line = &read(&one(SALE))[0];
    let expected = [
        (Field::Transaction, "sale"),
        (Field::TransactionDate, "20261118"),
        (Field::Seller, "R-1"),
        (Field::Buyer, "C-7"),
        (Field::BuyerName, "MUSTER AG"),
        (Field::Country, "DE"),
        (Field::Product, "6T1A2EA"),
        (Field::Level, "PREMIUM+"),
        (Field::Serial, "5CG0000001"),
        (Field::Quantity, "1"),
        (Field::Invoice, "INV-1"),
    ];
    for field in Field::ALL {
        let wanted = expected.iter().find(|(known, _)| known == field).map_or("", |(_, text)| text);
        assert_eq!(line.get(*field), wanted, "{field:?}");
    }
    assert_eq!((line.row, line.reporter.as_deref()), (13, Some("D-1")));
}

#[test]
fn a_quantity_is_as_many_lines_as_it_has_serials() {
    let two = SALE.replace("QTY*32*1", "QTY*32*2") + "REF*SE*5CG0000002~";
    assert_eq!(serials(&one(&two)), ["5CG0000001 1 sale", "5CG0000002 1 sale"]);
    let returned = two.replace("QTY*32*2", "QTY*76*-2.0");
    assert_eq!(serials(&one(&returned)), ["5CG0000001 -1 return", "5CG0000002 -1 return"]);
    for wrong in ["1", "3", "0", "-2", "x"] {
        let file = one(&two.replace("QTY*32*2", &format!("QTY*32*{wrong}")));
        let lines = read(&file);
        assert_eq!(lines.len(), 2, "{wrong}");
        for line in lines {
            let disagrees = line.fault(Field::Quantity) == Some(CellFault::Disagrees);
            // Two PCs taken back in a sale are told by the sign.
            assert!(disagrees || line.get(Field::Quantity) == "-1", "{wrong}");
        }
    }
    assert_eq!(serials(&one(&SALE.replace("REF*SE*5CG0000001~", ""))), [" 1 sale"]);
    assert_eq!(serials(&one(&SALE.replace("*5CG0000001~", "~"))), [" 1 sale"]);
}

#[test]
fn several_quantities_of_a_loop_and_several_loops() {
    let second = "QTY*76*1~LIN**VP*9F6G7EA~REF*SE*5CG0000002~";
    let third = SALE.replace("0000001", "0000003").replace("INV-1", "INV-3").replace("*ZZ*PREMIUM+", "");
    let fields =
        [Field::Serial, Field::Transaction, Field::Product, Field::Level, Field::Invoice, Field::Buyer];
    assert_eq!(
        cells(&one(&[SALE, second, &third].concat()), &fields),
        [
            "5CG0000001 sale 6T1A2EA PREMIUM+ INV-1 C-7",
            "5CG0000002 return 9F6G7EA  INV-1 C-7",
            "5CG0000003 sale 6T1A2EA  INV-3 C-7"
        ]
    );
}

#[test]
fn what_a_header_says_holds_for_all_and_what_is_nearer_holds_first() {
    let file = one(
        "N1*BY*RESELLER*92*R-9~REF*PO*PO-1~PTD*SS~DTM*011*20261101~QTY*32*1~LIN**UP*195~REF*SE*5CG0000001~\
         PTD*SS~DTM*011*20261101~N1*BY*RESELLER*92*R-2~QTY*39*1~LIN**UP*195*VP*6T1A2EA~REF*SE*5CG0000002~\
         DTM*003*20261102~PID*F****NOTEBOOK~REF*PO*PO-2~",
    );
    let fields = [
        Field::Seller,
        Field::TransactionDate,
        Field::ShipDate,
        Field::Product,
        Field::Model,
        Field::PurchaseOrder,
    ];
    assert_eq!(
        cells(&file, &fields),
        ["R-9 20261101 20261101 195  PO-1", "R-2 20261102 20261101 6T1A2EA NOTEBOOK PO-2"]
    );
}

#[test]
fn serials_before_their_quantities_are_shared_in_order() {
    let body = |quantities: &str| {
        format!("PTD*SS~REF*SE*5CG0000001~REF*SE*5CG0000002~REF*SE*5CG0000003~{quantities}")
    };
    let shared = body("QTY*32*2~LIN**VP*A~QTY*17*40~QTY*76*1~LIN**VP*B~");
    assert_eq!(serials(&one(&shared)), ["5CG0000001 1 sale", "5CG0000002 1 sale", "5CG0000003 1 return"]);
    let unfit = body("QTY*32*1~LIN**VP*A~QTY*76*1~LIN**VP*B~");
    assert_eq!(
        serials(&one(&unfit)),
        ["5CG0000001 1 sale", "5CG0000002 1 sale", "5CG0000003 1 sale", " 1 return"],
        "and the three disagree with their amount"
    );
    assert_eq!(read(&one(&unfit))[0].fault(Field::Quantity), Some(CellFault::Disagrees));
    assert_eq!(serials(&one(&body(""))), ["5CG0000001  sale", "5CG0000002  sale", "5CG0000003  sale"]);
}

#[test]
fn quantities_that_are_neither_sold_nor_returned() {
    assert!(serials(&one(&SALE.replace("QTY*32", "QTY*17"))).is_empty(), "stock is passed over");
    assert_eq!(serials(&one(&SALE.replace("QTY*32", "QTY*ZZ"))), ["5CG0000001 1 ZZ"]);
}

#[test]
fn the_purpose_of_the_whole_is_that_of_its_lines() {
    let with = |purpose: &str, body: &str| one(body).replace("BPT*00", &format!("BPT*{purpose}"));
    assert_eq!(serials(&with("01", SALE)), ["5CG0000001 1 void"]);
    assert_eq!(serials(&with("05", SALE)), ["5CG0000001 1 sale"], "nothing is named that it replaces");
    let naming = format!("{SALE}REF*OI*INV-0~");
    assert_eq!(serials(&with("05", &naming)), ["5CG0000001 1 correction"]);
    assert_eq!(cells(&with("05", &naming), &[Field::Supersedes]), ["INV-0"]);
    assert_eq!(serials(&with("77", SALE)), ["5CG0000001 1 77"]);
}

#[test]
fn delimiters_line_breaks_and_characters_are_those_of_the_file() {
    let plain = one(&SALE.replace("MUSTER AG", "Café & Söhne"));
    let expected = read(&plain);
    let other = plain.replace('*', "|").replace('>', "^");
    for file in [
        other.replace('~', "\n"),
        other.replace('~', "\r\n").replace("*T*>\r\n", "*T*>\r"),
        plain.replace('~', "~\r\n"),
        plain.replace('~', "\u{1}").replace('*', "\u{2}"),
        format!("\u{feff}\r\n {plain}\r\n\0\0\u{1a}"),
    ] {
        let file = file.replace("|T|^\r\n", "|T|^\r");
        assert_eq!(lines(Format::X12, file.as_bytes(), &Limits::default()).unwrap(), expected);
    }
    let latin: Vec<u8> = plain.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(lines(Format::X12, &latin, &Limits::default()).unwrap(), expected);
}

#[test]
fn several_interchanges_groups_and_sets() {
    let body = |n: u32| SALE.replace("0000001", &format!("{n:07}"));
    let first = file(&[
        group("1", &[set("0001", &body(1)), set("0002", &body(2))]),
        group("2", &[set("0001", &body(3))]).replace("004010", "005010"),
    ]);
    let second = one(&body(4)).replace('*', "+").replace("000000101", "000000102");
    let all = format!("{first}\n{second}");
    let found = cells(&all, &[Field::Serial]);
    assert_eq!(found, ["5CG0000001", "5CG0000002", "5CG0000003", "5CG0000004"]);
    let layout = inspected(Format::X12, all.as_bytes(), &Limits::default()).unwrap();
    let answer = String::from_utf8(layout.acknowledgement.unwrap().render(AT)).unwrap();
    let expected = "ISA*00*          *00*          *ZZ*VENDOR         *ZZ*DIST           *261122*1905*U*00401*953743018*0*T*>~\
GS*FA*VENDOR*DIST*20261122*1905*1*X*004010~ST*997*0001~AK1*PT*1~AK2*867*0001~AK5*A~AK2*867*0002~AK5*A~AK9*A*2*2*2~SE*8*0001~GE*1*1~\
GS*FA*VENDOR*DIST*20261122*1905*2*X*005010~ST*997*0001~AK1*PT*2~AK2*867*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~GE*1*2~\
IEA*2*953743018~";
    assert_eq!(&answer[..expected.len()], expected);
    assert!(answer[expected.len()..].starts_with("ISA+00+"), "{answer}");
    assert!(answer.ends_with("AK9+A+1+1+1~SE+6+0001~GE+1+1~IEA+1+953743019~"), "{answer}");
}

#[test]
fn what_is_wrong_with_a_set_refuses_the_set_alone() {
    let good = set("0001", SALE);
    for (wrong, ak) in [
        (set("0002", SALE).replace("SE*12*", "SE*13*"), "AK5*R*4"),
        (set("0002", SALE).replace("SE*12*0002", "SE*12*2"), "AK5*R*3"),
        (set("0001", SALE), "AK5*R*23"),
        (set("0002", SALE).replace("ST*867", "ST*850"), "AK5*R*1"),
        (set("0002", SALE).replace("SE*12*0002~", ""), "AK5*R*2"),
        (set("0002", &format!("{SALE}CTT*2~")), "AK3*CTT*12**8"),
        (
            set("0002", SALE).replace("BPT*00*RPT-1*20261122*SS~", "").replace("SE*12", "SE*11"),
            "AK3*BPT*2**3",
        ),
        (set("0002", &format!("QTY*32*1~{SALE}")), "AK3*QTY*4**7"),
        (set("0002", &SALE.replace("QTY*32*1*EA~", "")), "AK3*LIN*9**7"),
        (set("0002", &format!("{SALE}LIN**VP*X~")), "AK3*LIN*12**5"),
        (set("0002", &format!("REF*SE*5CG0000009~{SALE}")), "AK3*REF*4**7"),
        (set("0002", &format!("{SALE}CTT*1~{SALE}")), "AK3*PTD*13**7"),
    ] {
        let both = file(&[group("1", &[good.clone(), wrong.clone()])]);
        let answer = answer(&both);
        assert_eq!(answer[..3], ["AK1*PT*1", "AK2*867*0001", "AK5*A"], "{wrong}");
        assert!(answer.iter().any(|segment| segment == ak), "{ak}: {answer:?}");
        assert_eq!(answer.last().unwrap(), "AK9*P*2*2*1", "{wrong}");
        assert_eq!(serials(&both), ["5CG0000001 1 sale"], "{wrong}");

        let alone = file(&[group("1", &[wrong.replace("*0001~", "*0002~")])]);
        if ak != "AK5*R*23" {
            assert_eq!(code(alone.as_bytes()).0, FileErrorCode::NothingAccepted, "{wrong}");
        }
    }
    assert_eq!(serials(&one(&format!("{SALE}CTT*1~"))), ["5CG0000001 1 sale"]);
}

#[test]
fn what_is_wrong_with_a_group_refuses_the_group() {
    let other = group("1", &[set("0001", SALE)]);
    let group = |reference: &str| group(reference, &[set("0001", &SALE.replace("0000001", "0000002"))]);
    for (wrong, ak) in [
        (group("2").replace("GE*1*2", "GE*2*2"), "AK9*R*2*1*0*5"),
        (group("2").replace("GE*1*2", "GE*1*3"), "AK9*R*1*1*0*4"),
        (group("2").replace("004010", "003060"), "AK9*R*1*1*0*2"),
        (group("2").replace("GS*PT", "GS*PO"), "AK9*R*1*1*0*1"),
        (group("1"), "AK9*R*1*1*0*19"),
        (group("2").replace("GE*1*2~", ""), "AK9*R*1*1*0*3"),
    ] {
        let both = file(&[other.clone(), wrong]);
        assert_eq!(serials(&both), ["5CG0000001 1 sale"], "{ak}");
        assert_eq!(answer(&both).last().unwrap(), ak);
        if !ak.ends_with("*19") {
            let alone = both.replace(&other, "").replace("IEA*2", "IEA*1");
            assert_eq!(code(alone.as_bytes()).0, FileErrorCode::NothingAccepted, "{ak}");
        }
    }
}

#[test]
fn what_is_wrong_with_an_interchange_refuses_the_interchange() {
    let good = one(SALE);
    for (wrong, ak) in [
        (good.replace("IEA*1*000000101", "IEA*1*000000109"), "TA1*000000101*261122*1905*R*001"),
        (good.replace("IEA*1", "IEA*2"), "TA1*000000101*261122*1905*R*021"),
        (good.replace("IEA*1", "PTD*SS~IEA*1"), "TA1*000000101*261122*1905*R*024"),
    ] {
        let both = format!("{wrong}{}", good.replace("0000001~", "0000002~"));
        assert_eq!(serials(&both), ["5CG0000002 1 sale"], "{ak}");
        assert_eq!(answer(&both)[..2], [ak, "AK1*PT*1"]);
        assert_eq!(code(wrong.as_bytes()).0, FileErrorCode::NothingAccepted, "{ak}");
    }
    let asking = good.replace("*0*T*>", "*1*P*>");
    assert_eq!(answer(&asking)[0], "TA1*000000101*261122*1905*A*000");
}

#[test]
fn a_truncated_file_is_refused_as_a_whole() {
    let good = one(SALE);
    for cut in ISA.len()..good.len() {
        let (code, _) = code(&good.as_bytes()[..cut]);
        assert_eq!(code, FileErrorCode::Truncated, "{cut}");
        assert_eq!(answer(&good[..cut]), ["TA1*000000101*261122*1905*R*023"]);
    }
    for cut in 3..ISA.len() {
        assert_eq!(code(&good.as_bytes()[..cut]).0, FileErrorCode::Truncated, "{cut}");
    }
    let within = format!("{}{good}", good.replace("IEA*1*000000101~", ""));
    assert_eq!(code(within.as_bytes()), (FileErrorCode::Truncated, Some(16)));
}

#[test]
fn an_isa_that_is_not_106_long_is_refused_with_the_element() {
    let good = one(SALE);
    let short = good.replacen("VENDOR         *", "VENDOR        *", 1);
    let error = inspected(Format::X12, short.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!((error.code, error.row), (FileErrorCode::EnvelopeBroken, Some(1)));
    assert!(error.detail.contains("ISA08"), "{}", error.detail);
    for broken in [
        good.replacen("*T*>~", "*T*~", 1),
        good.replacen("*T*>~", "*T*>", 1),
        good.replacen("*T*>~", "*T**~", 1),
        good.replacen("*U*", "*U**", 1),
        format!("{good}XXX"),
    ] {
        assert_eq!(code(broken.as_bytes()).0, FileErrorCode::EnvelopeBroken, "{broken}");
    }
}

#[test]
fn other_files_are_told_what_they_look_like() {
    for (bytes, looks) in [
        (&b"UNB+UNOC:3+A+B+261122:1905+1'"[..], "EDIFACT"),
        (b"Date,Reseller,SKU,Serial,Qty\n", "something else"),
        (b"PK\x03\x04", "ZIP"),
    ] {
        let error = inspected(Format::X12, bytes, &Limits::default()).unwrap_err();
        assert_eq!(error.code, FileErrorCode::WrongType);
        assert!(error.detail.contains(looks), "{}", error.detail);
    }
    assert_eq!(code(b" \r\n").0, FileErrorCode::Empty);
    assert_eq!(code(b"").0, FileErrorCode::Empty);
    let error =
        inspected(Format::Csv, one(SALE).replace('*', "|").as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!((error.code, error.detail.contains("X12")), (FileErrorCode::WrongType, true));
}

#[test]
fn limits_hold() {
    let long = one(&format!("{SALE}MSG*{}~", "x".repeat(70_000)));
    assert_eq!(code(long.as_bytes()), (FileErrorCode::TooLarge, Some(14)));
    let few = Limits { lines: 1, sets: 2, ..Limits::default() };
    let refused = |file: &str| inspected(Format::X12, file.as_bytes(), &few).unwrap_err().code;
    assert_eq!(refused(&one(&[SALE, SALE].concat())), FileErrorCode::TooManyLines);
    let sets = ["1", "2", "3"].map(|n| set(n, ""));
    assert_eq!(refused(&file(&[group("1", &sets)])), FileErrorCode::TooLarge);
    let many = format!("{SALE}{}", "REF*SE*5CG0000009~".repeat(10_000));
    assert_eq!(answer(&one(&many))[2], "AK3*REF*10011**5");
    assert_eq!(code(one(&format!("{SALE}MSG*a\0b~")).as_bytes()), (FileErrorCode::NulBytes, Some(14)));
}

#[test]
fn an_acknowledgement_is_not_acknowledged() {
    let theirs = group("2", &[])
        .replace("GE*0", "GE*1")
        .replace("GS*PT", "GS*FA")
        .replace("GE*", "ST*997*0001~AK1*PT*1~AK9*A*1*1*1~SE*4*0001~GE*");
    let ours = group("1", &[set("0001", SALE)]);
    let both = file(&[ours, theirs.clone()]);
    assert_eq!(serials(&both), ["5CG0000001 1 sale"]);
    assert_eq!(answer(&both), ["AK1*PT*1", "AK2*867*0001", "AK5*A", "AK9*A*1*1*1"]);
    assert!(answer(&file(&[theirs])).is_empty());
}

#[test]
fn a_partners_map_is_used_for_its_files_alone() {
    let mut maps = EdiMaps::default();
    let map = r#"{ "name": "vn", "syntax": "x12", "senders": ["DIST"], "fields": {
        "seller": [{ "segment": "N1", "qualifier": "VN", "element": 4 }],
        "level": [{ "segment": "REF", "qualifier": "CT", "element": 2 }],
        "serial": [{ "segment": "MAN", "qualifier": "SN", "element": 2 }] } }"#;
    maps.add(map).unwrap();
    let body = "PTD*SS~N1*VN*X*92*R-8~N1*BY*X*92*R-1~QTY*32*1~LIN**VP*A*ZZ*NONE~REF*CT*Premium~REF*SE*1~MAN*SN*5CG0000007~";
    let read = |bytes: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let limits = Limits::default();
        let layout = roadstead_ingest::inspect(Format::X12, file.path(), &limits, &maps).unwrap();
        let mut found = Vec::new();
        roadstead_ingest::read(file.path(), &layout, &limits, &maps, &mut |line| {
            found.push([Field::Seller, Field::Level, Field::Serial].map(|field| line.get(field).to_owned()));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        found
    };
    assert_eq!(read(&one(body)), [["R-8", "Premium", "5CG0000007"]]);
    let other = one(body).replacen("*DIST           *", "*OTHER          *", 1);
    assert_eq!(read(&other), [["R-1", "NONE", "1"]]);
}
