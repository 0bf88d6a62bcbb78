//! Reports that come as messages, X12 867 and EDIFACT SLSRPT, through the API: lines, refusals, acknowledgements.

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_store::args;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{World, csv};

pub(crate) const X12: &str = "application/edi-x12";
pub(crate) const EDIFACT: &str = "application/edifact";

/// An 867 of a distributor that sells these: serial and reseller.
pub(crate) fn x12(reporter: &str, sales: &[(&str, &str)]) -> String {
    let loops: String = sales
        .iter()
        .zip(1..)
        .map(|((serial, seller), n)| {
            format!(
                "PTD*SS***IV*INV-{n}~DTM*003*20261118~N1*BY*RESELLER*92*{seller}~N1*EN*MUSTER AG*92*C-1~N4****DE~\
                 QTY*32*1*EA~LIN**VP*6T1A2EA*ZZ*PREMIUM+~REF*SE*{serial}~"
            )
        })
        .collect();
    let segments = 8 * sales.len() + 4;
    format!(
        "ISA*00*          *00*          *ZZ*DIST           *ZZ*VENDOR         *261122*1905*U*00401*000000101*0*T*>~\
         GS*PT*DIST*VENDOR*20261122*1905*101*X*004010~ST*867*0001~BPT*00*RPT*20261122*SS~N1*DS*D*92*{reporter}~\
         {loops}SE*{segments}*0001~GE*1*101~IEA*1*000000101~"
    )
}

/// The same as a SLSRPT.
pub(crate) fn edifact(reporter: &str, sales: &[(&str, &str)]) -> String {
    let locations: String = sales
        .iter()
        .zip(1..)
        .map(|((serial, seller), n)| {
            format!(
                "LOC+162+{seller}::92'DTM+3:20261118:102'LIN+{n}'PIA+1+6T1A2EA:SA'RFF+IV:INV-{n}'\
                 PIA+5+Premium?+:ZZZ'RFF+SE:{serial}'QTY+153:1:PCE'NAD+UC+C-1::92++Muster AG+++++DE'"
            )
        })
        .collect();
    let segments = 9 * sales.len() + 4;
    format!(
        "UNB+UNOC:3+DIST:ZZ+VENDOR:ZZ+261122:1905+101'UNH+1+SLSRPT:D:96A:UN'BGM+73E::9+RPT+9'\
         NAD+SE+{reporter}::92'{locations}UNT+{segments}+1'UNZ+1+101'"
    )
}

#[rstest]
#[tokio::test]
async fn messages_are_reports_and_are_acknowledged(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "messages").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let (distributor, other) = (world.distributor("D-1").await, world.distributor("D-2").await);

    let sales = [("5CG000000A", "R-1"), ("5CG000000B", "R-9"), ("5CG1", "R-1"), ("", "R-1")];
    let report = distributor.report("", X12, x12("D-1", &sales)).await;
    assert_eq!(
        distributor.verdicts(&report).await,
        ["placed", "parked.unknown_seller", "rejected.serial_invalid", "rejected.serial_missing"]
    );
    let second = [("5CG000000A", "R-1"), ("5CG000000C", "R-2")];
    let answer = distributor.report("", EDIFACT, edifact("D-1", &second)).await;
    assert_eq!(distributor.verdicts(&answer).await, ["duplicate", "placed"]);
    assert_eq!(
        (one.pool().await, two.pool().await),
        (vec!["5CG000000A".to_owned()], vec!["5CG000000C".to_owned()])
    );
    let pc = &one.all("unassigned-devices").await[0];
    assert_eq!(
        (pc["support_level"].as_str(), pc["product_number"].as_str()),
        (Some("premium_plus"), Some("6T1A2EA"))
    );

    let acknowledgement = |report: &str| format!("sell-through-reports/{report}/acknowledgement");
    let ack = distributor.get(&acknowledgement(&report)).await;
    assert_eq!(ack.status, 200);
    assert!(ack.text.contains("~AK1*PT*101~AK2*867*0001~AK5*A~AK9*A*1*1*1~"), "{}", ack.text);
    let contrl = distributor.get(&acknowledgement(&answer)).await.text;
    assert!(contrl.contains("'UCI+101+DIST:ZZ+VENDOR:ZZ+7'UCM+1+SLSRPT:D:96A:UN+7'"), "{contrl}");
    assert_eq!(world.operator.get(&acknowledgement(&answer)).await.text, contrl);
    assert_eq!(other.get(&acknowledgement(&answer)).await.refused(404), "not_found");
    assert_eq!(one.get(&acknowledgement(&answer)).await.refused(404), "not_found");

    let plain = distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    assert_eq!(distributor.get(&acknowledgement(&plain)).await.refused(404), "report.no_acknowledgement");
    let preview = distributor.report("?validate_only=true", X12, x12("D-1", &sales[..1])).await;
    let checked = distributor.get(&acknowledgement(&preview)).await.text;
    let path = format!("/api/v1/sell-through-reports/{preview}/submit");
    let made = distributor.send(Method::POST, &path, None).await.json();
    let made = made["report"]["id"].as_str().unwrap();
    assert_eq!(distributor.get(&acknowledgement(made)).await.text, checked, "handed in for good");
    assert_eq!(distributor.report("", X12, x12("D-1", &sales)).await, report, "the same bytes");
}

#[tokio::test]
async fn a_report_that_names_another_reporter_adds_nothing() {
    let world = World::start(Sqlite, "othername").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    world.distributor("D-2").await;
    for (kind, bytes) in
        [(X12, x12("D-2", &[("5CG000000A", "R-1")])), (EDIFACT, edifact("D-2", &[("5CG000000A", "R-1")]))]
    {
        let report = distributor.report("", kind, bytes).await;
        let lines = distributor.all(&format!("sell-through-reports/{report}/lines")).await;
        assert_eq!(lines[0]["verdict"], "rejected.reporter_not_allowed");
        let codes: Vec<&str> =
            lines[0]["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["rejected.reporter_not_allowed", "reporter.another_named"]);
        assert_eq!(lines[0]["reasons"][0]["received"], "D-2");
        assert_eq!(lines[0]["row"], if kind == X12 { 13 } else { 11 }, "the segment with the serial");
    }
    assert!(partner.pool().await.is_empty());
    let own = world.token(Role::Operator, None).await;
    own.report("?reporter=D-2", X12, x12(" d-2", &[("5CG000000A", "R-1")])).await;
    assert_eq!(partner.pool().await, ["5CG000000A"]);
}

/// What it is, its type and bytes; the status and code that it gets, the segment that is named, and what the
/// acknowledgement says.
type Case = (&'static str, &'static str, String, u16, &'static str, Option<i64>, &'static str);

/// Every way in which a message can be bad that we know of. Segments of the good X12: ISA, GS, ST, BPT, N1, PTD (6), DTM,
/// N1, N1, N4, QTY (11), LIN, REF, SE (14), GE, IEA. Of the good EDIFACT: UNB, UNH, BGM, NAD, LOC (5), DTM, LIN, PIA,
/// RFF, PIA (10), RFF, QTY, NAD, UNT (14), UNZ.
fn bad_messages() -> Vec<Case> {
    const NONE_LEFT: (u16, &str) = (422, "file.nothing_accepted");
    let (x, e) = (x12("D-1", &[("5CG000000A", "R-1")]), edifact("D-1", &[("5CG000000A", "R-1")]));
    let x_less = |segment: &str, count: &str| x.replace(segment, "").replace("SE*12", count);
    let e_moved = |segment: &str, behind: &str| {
        let without = e.replace(segment, "");
        assert_ne!(without, e);
        without.replace(behind, &format!("{behind}{segment}"))
    };
    let x_moved = |segment: &str, behind: &str| {
        let without = x.replace(segment, "");
        assert_ne!(without, x);
        without.replace(behind, &format!("{behind}{segment}"))
    };
    let refused = |what, kind, bytes, row, said| {
        let (status, code) = NONE_LEFT;
        (what, kind, bytes, status, code, Some(row), said)
    };
    let whole = |what, kind, bytes, status, code, row| (what, kind, bytes, status, code, row, "");
    let cut =
        |kind, bytes: String, row, said| ("cut off", kind, bytes, 422, "file.truncated", Some(row), said);
    let x_serial = "REF*SE*5CG000000A~";
    let e_serial = "RFF+SE:5CG000000A'";
    let long = |text: &str| format!("{text}{}", "x".repeat(3 << 20));
    vec![
        cut(X12, x[..x.len() - 30].to_owned(), 14, "TA1*000000101*261122*1905*R*023"),
        cut(X12, x.replace("IEA*1*000000101~", ""), 16, "TA1*000000101*261122*1905*R*023"),
        cut(X12, format!("{}{x}", x.replace("IEA*1*000000101~", "")), 16, "TA1*000000101*261122*1905*R*023"),
        cut(X12, x[..80].to_owned(), 1, ""),
        cut(EDIFACT, e[..e.len() - 8].to_owned(), 15, "+4+13+UNZ"),
        cut(EDIFACT, e.replace("UNZ+1+101'", ""), 15, "+4+13+UNZ"),
        cut(EDIFACT, format!("{}{e}", e.replace("UNZ+1+101'", "")), 15, "+4+13+UNZ"),
        cut(EDIFACT, "UNA:+.".to_owned(), 1, ""),
        refused("count of the set", X12, x.replace("SE*12", "SE*11"), 14, "AK5*R*4~AK9*R*1*1*0"),
        refused("reference of the set", X12, x.replace("SE*12*0001", "SE*12*0002"), 14, "AK5*R*3~"),
        refused("count of lines", X12, x.replace("SE*12", "CTT*2~SE*13"), 14, "AK3*CTT*12**8~AK5*R*5~"),
        refused("count of the group", X12, x.replace("GE*1*", "GE*2*"), 15, "~AK9*R*"),
        refused("reference of the group", X12, x.replace("GE*1*101", "GE*1*102"), 15, "~AK9*R*"),
        refused(
            "count of the interchange",
            X12,
            x.replace("IEA*1", "IEA*2"),
            16,
            "TA1*000000101*261122*1905*R*",
        ),
        refused(
            "reference of the interchange",
            X12,
            x.replace("IEA*1*000000101", "IEA*1*000000102"),
            16,
            "TA1*000000101*261122*1905*R*",
        ),
        refused("count of the message", EDIFACT, e.replace("UNT+13", "UNT+12"), 14, "+4+29+UNT"),
        refused("reference of the message", EDIFACT, e.replace("UNT+13+1", "UNT+13+2"), 14, "+4+28+UNT"),
        refused("count of lines", EDIFACT, e.replace("UNT+13", "CNT+2:2'UNT+14"), 14, "'UCS+13+29'"),
        refused("count of the interchange", EDIFACT, e.replace("UNZ+1", "UNZ+2"), 15, "+4+29+UNZ"),
        refused(
            "reference of the interchange",
            EDIFACT,
            e.replace("UNZ+1+101", "UNZ+1+102"),
            15,
            "+4+28+UNZ",
        ),
        refused("another set", X12, x.replace("ST*867", "ST*850"), 3, "AK5*R*1~"),
        refused("another group", X12, x.replace("GS*PT", "GS*PO"), 2, "~AK9*R*"),
        refused("another release", X12, x.replace("*004010~", "*003060~"), 2, "~AK9*R*"),
        refused("another message", EDIFACT, e.replace("SLSRPT", "INVOIC"), 2, "+4+17+UNH"),
        refused("another directory", EDIFACT, e.replace("D:96A", "D:01B"), 2, "+4+17+UNH"),
        refused("no quantity", X12, x_less("QTY*32*1*EA~", "SE*11"), 11, "AK3*LIN*9**7~AK5*R*5~"),
        refused("no beginning", X12, x_less("BPT*00*RPT*20261122*SS~", "SE*11"), 4, "AK3*BPT*2**3~"),
        refused(
            "beginning too late",
            X12,
            x_moved("BPT*00*RPT*20261122*SS~", "N1*DS*D*92*D-1~"),
            4,
            "AK3*BPT*2**3~",
        ),
        refused(
            "item before its quantity",
            X12,
            x_moved("QTY*32*1*EA~", "ZZ*PREMIUM+~"),
            11,
            "AK3*LIN*9**7~",
        ),
        refused("serial in the header", X12, x_moved(x_serial, "N1*DS*D*92*D-1~"), 6, "AK3*REF*4**7~"),
        refused(
            "serial before the set",
            X12,
            x_moved(x_serial, "*X*004010~"),
            3,
            "TA1*000000101*261122*1905*R*",
        ),
        refused(
            "serial behind the set",
            X12,
            x_moved(x_serial, "SE*12*0001~"),
            13,
            "TA1*000000101*261122*1905*R*024",
        ),
        refused(
            "set before its group",
            X12,
            x_moved("GS*PT*DIST*VENDOR*20261122*1905*101*X*004010~", "ST*867*0001~"),
            2,
            "TA1*000000101*261122*1905*R*",
        ),
        refused(
            "group ends before its set",
            X12,
            x_moved("SE*12*0001~", "GE*1*101~"),
            14,
            "TA1*000000101*261122*1905*R*024",
        ),
        refused("no beginning", EDIFACT, e_moved("BGM+73E::9+RPT+9'", "NAD+SE+D-1::92'"), 3, "'UCS+2+13'"),
        refused("line before its location", EDIFACT, e_moved("LOC+162+R-1::92'", "LIN+1'"), 6, "'UCS+5+15'"),
        refused("quantity before its line", EDIFACT, e_moved("QTY+153:1:PCE'", "102'"), 7, "'UCS+6+15'"),
        refused("product before its line", EDIFACT, e_moved("LIN+1'", "QTY+153:1:PCE'"), 7, "'UCS+6+15'"),
        refused("serial in the header", EDIFACT, e_moved(e_serial, "NAD+SE+D-1::92'"), 5, "'UCS+4+15'"),
        refused("serial behind the message", EDIFACT, e_moved(e_serial, "UNT+13+1'"), 13, "+4+33"),
        refused("message after its end", EDIFACT, e_moved("UNH+1+SLSRPT:D:96A:UN'", "UNT+13+1'"), 2, "+4+33"),
        // A quote that is not released ends its segment.
        refused("quotes in a text", EDIFACT, e.replace("Muster AG", "Muster 'AG'"), 16, "+4+29+UNT"),
        whole("105 characters", X12, x.replacen("DIST  ", "DIST ", 1), 422, "file.envelope_broken", Some(1)),
        whole(
            "107 characters",
            X12,
            x.replacen("DIST  ", "DIST   ", 1),
            422,
            "file.envelope_broken",
            Some(1),
        ),
        whole(
            "no reference",
            EDIFACT,
            e.replace(":1905+101'", ":1905'"),
            422,
            "file.envelope_broken",
            Some(1),
        ),
        whole("no interchange", X12, x[106..].to_owned(), 415, "file.wrong_type", Some(1)),
        whole(
            "no interchange",
            EDIFACT,
            e[e.find("UNH").unwrap()..].to_owned(),
            415,
            "file.wrong_type",
            Some(1),
        ),
        whole("one long segment", X12, long(&x[..200]), 413, "file.too_large", Some(5)),
        whole("one long segment", EDIFACT, long(&e[..100]), 413, "file.too_large", Some(5)),
        whole("the other syntax", X12, e.clone(), 415, "file.wrong_type", None),
        whole("the other syntax", EDIFACT, x.clone(), 415, "file.wrong_type", None),
        whole("as a table", "text/csv", x.clone(), 415, "file.wrong_type", None),
    ]
}

#[rstest]
#[tokio::test]
async fn messages_that_cannot_be_taken_are_refused_with_reason_place_and_acknowledgement(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "badmessages").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    for (what, kind, bytes, status, code, row, said) in bad_messages() {
        let body = Some((kind, bytes.into_bytes()));
        let answer = distributor.send(Method::POST, "/api/v1/sell-through-reports", body).await;
        assert_eq!(answer.status.as_u16(), status, "{what} {kind}: {}", answer.text);
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{what} {kind}: {problem}");
        assert_eq!(problem["errors"][0]["row"].as_i64(), row, "{what} {kind}: {problem}");
        match problem["acknowledgement"].as_str() {
            Some(text) => assert!(!said.is_empty() && text.contains(said), "{what} {kind}: {text}"),
            None => assert_eq!(said, "", "{what} {kind}: {problem}"),
        }
    }
    // Nothing is half done: no report, no piece of a file, no line, no PC.
    assert!(distributor.all("sell-through-reports").await.is_empty());
    assert!(partner.pool().await.is_empty());
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    for count in ["SELECT COUNT(*) FROM report_pieces", "SELECT COUNT(*) FROM report_lines"] {
        assert_eq!(tx.number(count, args![]).await.unwrap(), 0, "{count}");
    }
    drop(tx);
    assert_eq!(std::fs::read_dir(&world.app.spool).map_or(0, |files| files.count()), 0);
}

#[tokio::test]
async fn a_file_that_is_put_under_its_name_is_a_report_whatever_it_is() {
    let world = World::start(Sqlite, "putfiles").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let put = async |name: &str, kind: &str, bytes: Vec<u8>| {
        let path = format!("/api/v1/sell-through-reports/files/{name}");
        distributor.send(Method::PUT, &path, Some((kind, bytes))).await
    };
    for (name, kind, bytes, format) in [
        ("week.txt", "application/octet-stream", x12("D-1", &[("5CG000000A", "R-1")]).into_bytes(), "x12"),
        ("week.edi", "", edifact("D-1", &[("5CG000000B", "R-1")]).into_bytes(), "edifact"),
        ("K%C3%A4ufe%20KW47.csv", "application/octet-stream", csv(&["5CG000000C R-1"]), "csv"),
        ("typed", "text/csv", csv(&["5CG000000D R-1"]), "csv"),
    ] {
        let submitted = put(name, kind, bytes.clone()).await.expect(202);
        distributor.done(submitted["operation"]["id"].as_str().unwrap()).await;
        let id = submitted["report"]["id"].as_str().unwrap();
        let report = distributor.get(&format!("sell-through-reports/{id}")).await.expect(200);
        let shown = name.replace("%C3%A4", "ä").replace("%20", " ");
        assert_eq!((report["format"].as_str(), report["file_name"].as_str()), (Some(format), Some(&*shown)));
        let again = put("again", kind, bytes).await.expect(202);
        assert_eq!(again["report"]["id"], id, "the same bytes under another name");
    }
    assert_eq!(partner.pool().await.len(), 4);
    let wrong = put("week.csv", "text/csv", x12("D-1", &[("5CG000000E", "R-1")]).into_bytes()).await;
    assert_eq!(wrong.refused(415), "file.wrong_type");
    assert_eq!(put("empty", "application/octet-stream", Vec::new()).await.refused(422), "file.empty");
}
