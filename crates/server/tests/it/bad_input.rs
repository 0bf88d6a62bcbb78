//! Files and requests that cannot be taken: a clear, located, translated refusal, and nothing changes.

use std::io::{Cursor, Write};

use reqwest::Method;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::Sqlite;
use rust_xlsxwriter::{Formula, Workbook};
use serde_json::Value;

use crate::world::{World, XLSX, csv};

const HEAD: &str = "Transaction Date,Reseller ID,Product Number,Serial Number,Quantity\n";

fn workbook(rows: &[[&str; 5]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, text) in (0..).zip(HEAD.trim().split(',')) {
        sheet.write(0, column, text).unwrap();
    }
    for (row, cells) in (1..).zip(rows) {
        for (column, text) in (0..).zip(*cells) {
            match text.strip_prefix('=') {
                Some(formula) => {
                    sheet.write(row, column, Formula::new(formula).set_result("5CG000000A")).unwrap()
                }
                None => match text.parse::<f64>() {
                    Ok(number) => sheet.write(row, column, number).unwrap(),
                    Err(_) => sheet.write(row, column, text).unwrap(),
                },
            };
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// What it is, its type and bytes; the status and code that it gets, and the row and column that are named.
type Case = (&'static str, &'static str, Vec<u8>, u16, &'static str, Option<i64>, Option<&'static str>);

#[tokio::test]
async fn a_file_that_cannot_be_taken_is_refused_whole_with_reason_and_place() {
    let world = World::start(Sqlite, "badfiles").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let good = csv(&["5CG000000A R-1"]);
    let book = workbook(&[["2026-11-18", "R-1", "P", "5CG000000A", "1"]]);
    let line = "2026-11-18,R-1,P,5CG000000A,1\n";
    let cases: Vec<Case> = vec![
        ("empty", "text/csv", Vec::new(), 422, "file.empty", None, None),
        ("blank", "text/csv", b"\n \n".to_vec(), 422, "file.empty", None, None),
        ("workbook as csv", "text/csv", book.clone(), 415, "file.wrong_type", None, None),
        ("csv as workbook", XLSX, good.clone(), 415, "file.wrong_type", None, None),
        ("picture", "text/csv", b"\x89PNG\r\n\x1a\n....".to_vec(), 415, "file.wrong_type", None, None),
        ("unknown type", "image/png", good.clone(), 415, "content_type.unsupported", None, None),
        (
            "column missing",
            "text/csv",
            b"Transaction Date,Reseller ID,Product Number,Quantity\n2026-11-18,R-1,P,1\n".to_vec(),
            422,
            "file.column_missing",
            Some(1),
            Some("Serial Number"),
        ),
        (
            "column twice",
            "text/csv",
            format!("{}{line}", HEAD.replace("Quantity", "Quantity,Seriennummer")).into_bytes(),
            422,
            "file.column_duplicate",
            Some(1),
            Some("Seriennummer"),
        ),
        (
            "open quote",
            "text/csv",
            format!("{HEAD}{line}2026-11-18,R-1,P,\"5CG").into_bytes(),
            422,
            "file.truncated",
            Some(3),
            None,
        ),
        (
            "NUL bytes",
            "text/csv",
            format!("{HEAD}{line}2026-11-18,R-1,P,5CG\0\0\0,1\n").into_bytes(),
            422,
            "file.nul_bytes",
            Some(3),
            None,
        ),
        ("cut workbook", XLSX, book[..book.len() / 2].to_vec(), 422, "file.truncated", None, None),
    ];
    for (name, kind, bytes, status, code, row, column) in cases {
        let body = Some((kind, bytes));
        let path = "/api/v1/sell-through-reports";
        let answer = distributor.send_with(Method::POST, path, body, &[("accept-language", "de")]).await;
        let problem = answer.expect(status);
        assert_eq!(problem["code"], code, "{name}");
        let place = &problem["errors"][0];
        assert_eq!(place["row"].as_i64(), row, "{name}: {problem}");
        assert_eq!(place["column"].as_str(), column, "{name}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("Es wurde nichts geändert") || name == "unknown type", "{name}: {detail}");
    }
    assert!(distributor.all("sell-through-reports").await.is_empty());
    assert!(partner.pool().await.is_empty());
}

#[tokio::test]
async fn cells_that_cannot_be_taken_reject_their_line_alone() {
    let world = World::start(Sqlite, "badcells").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let rows = [
        ["2026-11-18", "R-1", "P", "=\"5CG\"&\"000000A\"", "1"],
        ["2026-11-18", "R-1", "P", "1234567890123", "1"],
        ["31.02.2026", "R-1", "P", "5CG000000B", "1"],
        ["2026-11-18", "R-1", "P", "5CG000000C", "3"],
        ["2026-11-18", "R-1", "P", "5CG000000D", "1"],
        ["2026-11-18", "R-1", "", "5CG000000E", "1"],
        ["2026-11-18", "", "P", "5CG000000F", "1"],
        ["2026-11-18", "R-1", "P", "", "1"],
    ];
    let report = distributor.report("", XLSX, workbook(&rows)).await;
    assert_eq!(
        distributor.verdicts(&report).await,
        [
            "rejected.serial_invalid",
            "rejected.serial_scientific_notation",
            "rejected.date_invalid",
            "rejected.quantity_serial_mismatch",
            "placed",
            "rejected.cell_missing",
            "rejected.seller_missing",
            "rejected.serial_missing",
        ]
    );
    let lines = distributor.all(&format!("sell-through-reports/{report}/lines")).await;
    assert_eq!(lines[0]["reasons"][1]["code"], "cell.formula");
    assert_eq!(partner.pool().await, ["5CG000000D"]);
}

#[tokio::test]
async fn quotes_within_quotes_are_text_and_cost_no_line_but_their_own() {
    let world = World::start(Sqlite, "quotes").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let rows = [
        r#"2026-11-18,R-1,"Notebook 14"" ""Pro"", grey",5CG000000A,1"#,
        r#"2026-11-18,R-1,P,"5CG""000""00B",1"#,
        r#"2026-11-18,R-1,P,"5CG"000"00C",1"#,
        r#"2026-11-18,R-1,P,"""5CG000000D""",1"#,
        r#"2026-11-18,R-1,P,5CG000000E,1"#,
    ];
    let report = distributor.report("", "text/csv", format!("{HEAD}{}\n", rows.join("\n"))).await;
    let lines = distributor.all(&format!("sell-through-reports/{report}/lines")).await;
    let found: Vec<(i64, &str)> =
        lines.iter().map(|line| (line["row"].as_i64().unwrap(), line["verdict"].as_str().unwrap())).collect();
    let bad = "rejected.serial_invalid";
    assert_eq!(found, [(2, "placed"), (3, bad), (4, bad), (5, bad), (6, "placed")], "{lines:?}");
    assert_eq!(partner.pool().await, ["5CG000000A", "5CG000000E"]);
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused_before_it_is_stored() {
    let config = Config { upload_bytes: 1000, ..Config::default() };
    let world = World::with(Sqlite, "limit", config).await;
    let distributor = world.distributor("D-1").await;
    let path = "/api/v1/sell-through-reports";
    let body = Some(("text/csv", vec![b'x'; 5000]));
    assert_eq!(distributor.send(Method::POST, path, body).await.refused(413), "upload.too_large");
    let left = std::fs::read_dir(&world.app.spool).map_or(0, |files| files.count());
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_workbook_bomb_is_refused() {
    let config = Config {
        file: roadstead_ingest::Limits { unpacked_bytes: 1 << 20, ..Default::default() },
        ..Config::default()
    };
    let world = World::with(Sqlite, "bomb", config).await;
    let distributor = world.distributor("D-1").await;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("[Content_Types].xml", options).unwrap();
    archive.write_all(b"<Types/>").unwrap();
    archive.start_file("xl/workbook.xml", options).unwrap();
    archive.write_all(b"<workbook/>").unwrap();
    archive.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    archive.write_all(&vec![b' '; 8 << 20]).unwrap();
    let bytes = archive.finish().unwrap().into_inner();
    assert!(bytes.len() < 100_000);
    let path = "/api/v1/sell-through-reports";
    assert_eq!(
        distributor.send(Method::POST, path, Some((XLSX, bytes))).await.refused(413),
        "file.too_large"
    );
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_told_so() {
    let world = World::start(Sqlite, "requests").await;
    let operator = &world.operator;
    let path = "/api/v1/sell-through-reports";
    let good = || Some(("text/csv", csv(&["5CG000000A R-1"])));
    assert_eq!(operator.send(Method::POST, path, good()).await.refused(422), "field.missing");
    let unknown = format!("{path}?reporter=D-7");
    assert_eq!(operator.send(Method::POST, &unknown, good()).await.refused(404), "reporter.unknown");
    let broken = Some(("application/json", b"{".to_vec()));
    assert_eq!(operator.send(Method::POST, "/api/v1/partners", broken).await.refused(400), "request.invalid");
    // Half of a pair of surrogates is no character, in JSON, in an address or in a file.
    let half = Some(("application/json", br#"{"name":"\ud800","partner_number":"R-1"}"#.to_vec()));
    assert_eq!(operator.send(Method::POST, "/api/v1/partners", half).await.refused(400), "request.invalid");
    let half = Some(("text/csv", b"partner_number,name\nR-1,\xed\xa0\x80\n".to_vec()));
    let import = operator.send(Method::POST, "/api/v1/partners/import", half).await;
    assert_eq!(import.refused(422), "file.unreadable");
    let partner = world.partner("R-5").await;
    for query in ["q=%ED%A0%80", "model=%ED%A0%80", "end_customer=%00", "cursor=%ED%A0%80", "columns=%FF"] {
        let status = partner.get(&format!("unassigned-devices?{query}")).await.status.as_u16();
        assert!([200, 400].contains(&status), "{query}: {status}");
    }
    let too_much = Some(("text/csv", vec![b'x'; 3 << 20]));
    let refused = operator.send(Method::POST, "/api/v1/partners/import", too_much).await;
    assert_eq!(refused.status.as_u16(), 413);
    assert_eq!(operator.get("partners?limit=many").await.refused(400), "request.invalid");
    assert_eq!(operator.get("nowhere").await.refused(404), "not_found");
    assert_eq!(operator.get("operations/not-an-id").await.refused(404), "not_found");
    let wrong = operator.send(Method::DELETE, "/api/v1/partners", None).await;
    assert_eq!(wrong.status.as_u16(), 405);
    let problem: Value = operator.get("nowhere").await.expect(404);
    assert!(problem["request_id"].as_str().unwrap().len() > 30);
}

#[tokio::test]
async fn schemes_and_types_may_be_written_in_any_case() {
    let world = World::start(Sqlite, "case").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "Text/CSV; Charset=UTF-8", csv(&["5CG000000A R-1"])).await;
    let token = distributor.token.as_deref().unwrap();
    let answer = reqwest::Client::new()
        .get(format!("{}/api/v1/sell-through-reports", world.url))
        .header("authorization", format!("bearer {token}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}
