//! Files that go with messages of support cases: taken, handed out, refused, counted and forgotten.

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_server::jobs::keep_house;
use roadstead_store::args;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::sign_in::Portal;
use crate::world::{Answer, Client, World};

/// A case with a message of its own instant: messages stand in the order in which they came.
async fn open(world: &World, partner: &Client) -> String {
    let body = json!({ "kind": "question", "text": "Is this invoice enough?" });
    world.clock.step_seconds(1);
    partner.post("support-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn attach(client: &Client, case: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let path = format!("/api/v1/support-cases/{case}/attachments?name={name}");
    client.send(Method::POST, &path, Some(("application/octet-stream", bytes.into()))).await
}

fn pdf(bytes: usize) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    file.extend((0_u8..=255).cycle().take(bytes - 9));
    file
}

/// How many files and pieces the database has, and what is left in the spool.
async fn stored(world: &World) -> (i64, i64, usize) {
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    let files = tx.number("SELECT COUNT(*) FROM support_attachments", args![]).await.unwrap();
    let pieces = tx.number("SELECT COUNT(*) FROM support_attachment_pieces", args![]).await.unwrap();
    (files, pieces, std::fs::read_dir(&world.app.spool).map_or(0, |files| files.count()))
}

#[rstest]
#[tokio::test]
async fn a_file_comes_back_byte_for_byte_to_both_sides_and_to_nobody_else(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "attach").await;
    let (partner, other) = (world.partner("R-1").await, world.partner("R-2").await);
    let (case, second) = (open(&world, &partner).await, open(&world, &partner).await);
    let foreign = open(&world, &other).await;
    let file = pdf((5 << 20) / 2 + 7);
    world.clock.step_seconds(1);
    let said = attach(&partner, &case, "Rechnung für Späth.pdf", file.clone()).await.expect(201);
    let message = &said["messages"][1];
    let attached = &message["attachments"][0];
    assert_eq!((&message["from"], &message["text"]), (&json!("partner"), &json!("")));
    assert_eq!(
        (&attached["name"], &attached["bytes"], &attached["forgotten"]),
        (&json!("Rechnung für Späth.pdf"), &json!(file.len()), &json!(false))
    );
    assert_eq!(stored(&world).await, (1, 3, 0), "in three pieces, and nothing is left in the spool");
    let id = attached["id"].as_str().unwrap();
    let path = format!("support-cases/{case}/attachments/{id}");
    let seen = world.operator.fetch(&path).await;
    let header = |name: &str| seen.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"Rechnung f_r Sp_th.pdf\"; filename*=UTF-8''Rechnung%20f%C3%BCr%20Sp%C3%A4th.pdf"
    );
    assert_eq!(
        (header("x-content-type-options").as_str(), header("content-type").as_str()),
        ("nosniff", "application/pdf")
    );
    assert_eq!(
        (header("cache-control").as_str(), header("content-length")),
        ("no-store", file.len().to_string())
    );
    assert!(seen.bytes().await.unwrap() == file, "byte for byte");
    assert!(partner.bytes(&path).await == file);
    // An answer of the operator's may bring one, too.
    world.clock.step_seconds(1);
    let answer = attach(&world.operator, &case, "seen.txt", "Thank you\n").await.expect(201);
    assert_eq!(
        (&answer["state"], &answer["messages"][2]["from"]),
        (&json!("waiting_for_partner"), &json!("operator"))
    );

    let nowhere = "01a20000-0000-7000-8000-000000000000";
    for (who, path) in [
        (&other, path.clone()),
        (&other, format!("support-cases/{foreign}/attachments/{id}")),
        (&partner, format!("support-cases/{second}/attachments/{id}")),
        (&partner, format!("support-cases/{case}/attachments/{nowhere}")),
        (&partner, format!("support-cases/{case}/attachments/x")),
    ] {
        assert_eq!(who.get(&path).await.refused(404), "not_found", "{path}");
    }
    assert_eq!(attach(&other, &case, "a.pdf", pdf(20)).await.refused(404), "not_found");
    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert!(reader.bytes(&path).await == file, "who may read the case may read its files");
    assert_eq!(attach(&reader, &case, "a.pdf", pdf(20)).await.refused(403), "forbidden");
    let log = partner.all("audit-log").await;
    assert!(
        log.iter().any(|entry| entry["detail"]["attachments"] == json!(["Rechnung für Späth.pdf"])),
        "{log:?}"
    );
}

#[rstest]
#[tokio::test]
async fn a_file_that_pretends_is_refused_and_nothing_is_stored(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "pretend").await;
    let partner = world.partner("R-1").await;
    let case = open(&world, &partner).await;
    for (name, bytes, status, code) in [
        ("", pdf(20), 422, "attachment.name"),
        ("../a.pdf", pdf(20), 422, "attachment.name"),
        ("C:\\a.pdf", pdf(20), 422, "attachment.name"),
        ("a\u{7}.pdf", pdf(20), 422, "attachment.name"),
        ("a\u{202e}fdp.pdf", pdf(20), 422, "attachment.name"),
        ("nul.pdf", pdf(20), 422, "attachment.name"),
        ("invoice.exe", b"MZ".to_vec(), 422, "attachment.type"),
        ("invoice.pdf.exe", b"MZ".to_vec(), 422, "attachment.type"),
        ("invoice.exe.pdf", pdf(20), 422, "attachment.hidden_program"),
        ("page.html", b"<p>".to_vec(), 422, "attachment.type"),
        ("invoice.pdf", Vec::new(), 422, "attachment.empty"),
        ("invoice.pdf", b"MZ\x90\x00\x03".to_vec(), 422, "attachment.content"),
        ("notes.txt", b"<!DOCTYPE html><script>".to_vec(), 422, "attachment.content"),
        ("list.xlsx", b"PK\x03\x04word/document.xml".to_vec(), 422, "attachment.content"),
        (
            "list.xlsx",
            b"PK\x03\x04[Content_Types].xml xl/workbook.xml xl/vbaProject.bin".to_vec(),
            422,
            "attachment.active",
        ),
    ] {
        assert_eq!(attach(&partner, &case, name, bytes).await.refused(status), code, "{name:?}");
    }
    // One that says how large it is, is refused before anything of it has come.
    let token = partner.token.as_ref().unwrap();
    let (host, path) = (world.url.trim_start_matches("http://"), format!("support-cases/{case}/attachments"));
    let mut line = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /api/v1/{path}?name=large.pdf HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        (10 << 20) + 1
    );
    line.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("attachment.too_large"), "{answer}");
    // One that does not, is measured on its way.
    let pieces = [pdf(5 << 20), vec![0; 5 << 20], vec![0]].map(Ok::<_, std::io::Error>);
    let http = reqwest::Client::new().post(format!("{}/api/v1/{path}?name=large.pdf", world.url));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let refused = http.bearer_auth(token).body(body).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 413);
    assert!(refused.text().await.unwrap().contains("attachment.too_large"));
    assert_eq!(stored(&world).await, (0, 0, 0));
    let case = partner.get(&format!("support-cases/{case}")).await.expect(200);
    assert_eq!(case["messages"].as_array().unwrap().len(), 1, "no message was written");
}

#[rstest]
#[tokio::test]
async fn a_case_takes_twenty_files_and_fifty_mebibytes(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "manyfiles").await;
    let partner = world.partner("R-1").await;
    let (case, heavy) = (open(&world, &partner).await, open(&world, &partner).await);
    for n in 0..20 {
        attach(&partner, &case, &format!("{n}.txt"), "x").await.expect(201);
    }
    assert_eq!(attach(&partner, &case, "one.txt", "x").await.refused(409), "attachment.too_many");
    for n in 0..5 {
        attach(&partner, &heavy, &format!("{n}.pdf"), pdf(10 << 20)).await.expect(201);
    }
    assert_eq!(attach(&partner, &heavy, "one.txt", "x").await.refused(409), "attachment.too_many");
    assert_eq!(stored(&world).await, (25, 70, 0));
    partner.post(&format!("support-cases/{case}/close"), json!({})).await.expect(200);
    assert_eq!(attach(&partner, &case, "late.txt", "x").await.refused(409), "support.closed");
}

#[rstest]
#[tokio::test]
async fn files_are_kept_with_their_case_and_for_a_year_after_it(#[values(Sqlite, Postgres)] kind: Kind) {
    const DAY: i64 = 24 * 3600;
    let world = World::start(kind, "keepfiles").await;
    let partner = world.partner("R-1").await;
    let (closed, still) = (open(&world, &partner).await, open(&world, &partner).await);
    let mut files = Vec::new();
    world.clock.step_seconds(1);
    for case in [&closed, &still] {
        let said = attach(&partner, case, "a.txt", "x").await.expect(201);
        let id = said["messages"][1]["attachments"][0]["id"].as_str().unwrap().to_owned();
        files.push(format!("support-cases/{case}/attachments/{id}"));
    }
    partner.post(&format!("support-cases/{closed}/close"), json!({})).await.expect(200);
    let swept = async || {
        let stop = CancellationToken::new();
        stop.cancel();
        keep_house(world.app.clone(), stop).await;
    };
    world.clock.step_seconds(364 * DAY);
    swept().await;
    assert_eq!(partner.bytes(&files[0]).await, b"x");
    world.clock.step_seconds(2 * DAY);
    swept().await;
    assert_eq!(stored(&world).await, (2, 1, 0));
    assert_eq!(partner.get(&files[0]).await.refused(410), "attachment.forgotten");
    let case = partner.get(&format!("support-cases/{closed}")).await.expect(200);
    let file = &case["messages"][1]["attachments"][0];
    assert_eq!(
        (&file["name"], &file["forgotten"]),
        (&json!("a.txt"), &json!(true)),
        "that it was there, stays"
    );
    assert_eq!(partner.bytes(&files[1]).await, b"x", "an open case keeps its files");
}

#[tokio::test]
async fn the_forms_take_files_and_say_which_are_not_taken() {
    let world = World::start(Sqlite, "fileform").await;
    world.partner("R-1").await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "partner@example.com").await;
    let new = "/support-cases/new";
    let fields = [("kind", "question"), ("text", "Two files <b>"), ("serials", "")];
    let two: [(&str, &[u8]); 2] = [("a.pdf", b"%PDF-1.7"), ("b.csv", b"Serial\n5CG1\n")];
    let opened = portal.send_files(new, "/support-cases", &fields, &two).await;
    assert_eq!(opened.status.as_u16(), 303, "{}", opened.text);
    let case = world.operator.all("support-cases").await.remove(0)["id"].as_str().unwrap().to_owned();
    let path = format!("/support-cases/{case}");
    let page = portal.get(&path).await.text;
    assert!(page.contains("a.pdf</a>") && page.contains("b.csv</a>") && page.contains("12 B"), "{page}");
    assert_eq!(stored(&world).await, (2, 2, 0));

    // A refusal keeps what was written, and no part of it.
    let bad: [(&str, &[u8]); 2] = [("c.pdf", b"%PDF-1.7"), ("c.pdf.exe", b"MZ")];
    let refused =
        portal.send_files(&path, &format!("{path}/messages"), &[("text", "Look <here>")], &bad).await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.text.contains("Files of this type are not taken"), "{}", refused.text);
    assert!(refused.text.contains(">Look &#60;here&#62;</textarea>"), "{}", refused.text);
    let six: Vec<(&str, &[u8])> = vec![("d.txt", b"x"); 6];
    let refused = portal.send_files(new, "/support-cases", &fields, &six).await;
    assert!(refused.status.as_u16() == 422 && refused.text.contains("Too many files"), "{}", refused.text);
    // A chooser without a choice is no file.
    let none: [(&str, &[u8]); 1] = [("", b"")];
    let said = portal.send_files(&path, &format!("{path}/messages"), &[("text", "No file")], &none).await;
    assert_eq!(said.status.as_u16(), 303);
    assert_eq!(stored(&world).await, (2, 2, 0));
    let case: Value = world.operator.get(&path[1..]).await.expect(200);
    assert_eq!(case["messages"].as_array().unwrap().len(), 2);

    // Without the page's secret nothing is even read.
    let body = "--edge\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\nx\r\n--edge--\r\n";
    let forged =
        portal.send_raw("/support-cases", "multipart/form-data; boundary=edge", body.as_bytes()).await;
    assert_eq!(forged.status.as_u16(), 403);
    // Another tenant's page has no such case to write in.
    world.partner("R-2").await;
    world.user("other@example.com", Role::PartnerAdmin, Some("R-2")).await;
    let other = Portal::sign_in(&world, "other@example.com").await;
    let sent = other.send_files(new, &format!("{path}/messages"), &[("text", "x")], &two).await;
    assert_eq!(sent.status.as_u16(), 404);
}
