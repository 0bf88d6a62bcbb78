//! Outside desks: cases go there by signed messages to a real HTTP server, and what it says comes back.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_domain::webhook;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::repair::deliver_service;
use crate::world::{Answer, Client, World, csv, eventually};

/// An outside desk of the test's own; see the script.
struct Desk {
    port: u16,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Desk {
    async fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/outside_desk.py");
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().unwrap().parse().unwrap();
        let input = process.stdin.take().unwrap();
        Self { port, input, lines, _process: process }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/cases", self.port)
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(30), self.lines.next_line()).await;
        serde_json::from_str(&line.expect("a line within 30 seconds").unwrap().unwrap()).unwrap()
    }

    /// Tells it something, and waits until it is so.
    async fn tell(&mut self, what: &str) {
        self.input.write_all(format!("{what}\n").as_bytes()).await.unwrap();
        let line = self.line().await;
        assert!(line["done"].is_string(), "{line}");
    }

    /// The next message, which is genuine.
    async fn next(&mut self) -> Value {
        let line = self.line().await;
        assert_eq!(line["genuine"], true, "{line}");
        line
    }
}

/// A partner that delivers service, with an outside desk, and customer support.
struct Scene {
    world: World,
    partner: Client,
    support: Client,
    desk: Desk,
    id: String,
    secret: String,
}

async fn scene(kind: Kind, name: &str) -> Scene {
    let config = Config { private_outside_desks: true, ..Config::default() };
    let world = World::with(kind, name, config).await;
    let partner = world.partner("R-1").await;
    deliver_service(&world, "R-1", "premium_plus").await;
    let lines = ["5CG0000001 R-1", "5CG0000002 R-1"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let support = world.token(Role::CustomerSupport, None).await;
    let mut desk = Desk::start().await;
    let made = partner.post("outside-desk", json!({ "url": desk.url() })).await.expect(201);
    let (id, secret) = (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned());
    desk.tell(&format!("secret {secret}")).await;
    Scene { world, partner, support, desk, id, secret }
}

impl Scene {
    /// A case that somebody's call opened, at the partner's CSDP account; its id.
    async fn case(&self, serial: &str) -> String {
        let contact = json!({ "name": "Inga Boje", "email": "inga@example.com", "phone": "" });
        let body = json!({ "serial": serial, "contact": contact, "text": "It clicks", "caller": "Inga" });
        self.support.post("repair-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Says something of a case as the outside desk, signed with this secret under this id.
    async fn say(&self, case: &str, message: &str, secret: &str, said: &Value) -> Answer {
        let body = said.to_string();
        let seconds = self.world.app.ambient.now().0 / 1_000_000;
        let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signature = webhook::sign(&[&secret], message, seconds, body.as_bytes());
        let path = format!("/api/v1/outside-desks/{}/cases/{case}/status", self.id);
        let seconds = seconds.to_string();
        let headers = [
            ("webhook-id", message),
            ("webhook-timestamp", seconds.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        let body = Some(("application/json", body.into_bytes()));
        self.world.nobody().send_with(Method::POST, &path, body, &headers).await
    }

    async fn log(&self) -> Vec<Value> {
        let log = self.partner.all("audit-log").await;
        log.into_iter().filter(|entry| entry["action"] == "repair_case.changed").collect()
    }
}

#[rstest]
#[tokio::test]
async fn a_case_goes_to_the_outside_desk_and_its_status_comes_back(#[values(Sqlite, Postgres)] kind: Kind) {
    let mut scene = scene(kind, "outside").await;
    let id = scene.case("5CG0000001").await;
    let told = scene.desk.next().await;
    let (message, data) = (&told["message"], &told["message"]["data"]);
    assert_eq!(
        (&message["type"], &data["id"], &data["state"], &data["serial_number"], &data["contact"]["name"]),
        (&json!("repair_case.changed"), &json!(id), &json!("new"), &json!("5CG0000001"), &json!("Inga Boje"))
    );
    let status_url = data["status_url"].as_str().unwrap();
    assert!(status_url.ends_with(&format!("/outside-desks/{}/cases/{id}/status", scene.id)), "{status_url}");

    // Taken on there, under its own number; the same call again, and another that says the same, change nothing.
    let claimed = json!({ "state": "claimed", "reference": "INC-7" });
    let secret = scene.secret.clone();
    for message in ["m-1", "m-1", "m-2"] {
        let answer = scene.say(&id, message, &secret, &claimed).await.expect(200);
        assert_eq!((&answer["id"], &answer["state"]), (&json!(id), &json!("claimed")));
    }
    assert_eq!(scene.log().await.len(), 1);
    let appointment = json!({
        "from": "2027-01-04T08:00:00Z", "until": "2027-01-04T10:00:00Z", "time_zone": "Europe/Berlin", "note": "Tor 3",
    });
    let scheduled = json!({ "state": "scheduled", "appointment": appointment });
    assert_eq!(scene.say(&id, "m-3", &secret, &scheduled).await.expect(200)["state"], "scheduled");
    // What comes late says nothing any more.
    assert_eq!(scene.say(&id, "m-4", &secret, &claimed).await.expect(200)["state"], "scheduled");
    let order = json!({ "order_reference": "PO-1", "part": "SSD", "quantity": 1 });
    let ordered = json!({ "state": "in_repair", "order": order });
    for message in ["m-5", "m-6"] {
        assert_eq!(scene.say(&id, message, &secret, &ordered).await.expect(200)["state"], "in_repair");
    }
    let incomplete = json!({ "state": "closed", "result": "New disk" });
    assert_eq!(scene.say(&id, "m-7", &secret, &incomplete).await.refused(422), "field.missing");
    let closed = json!({ "state": "closed", "result": "New disk", "failure_code": "HDD-01" });
    // An id that was taken says nothing else any more.
    assert_eq!(scene.say(&id, "m-5", &secret, &closed).await.expect(200)["state"], "in_repair");
    for message in ["m-7", "m-8"] {
        assert_eq!(scene.say(&id, message, &secret, &closed).await.expect(200)["state"], "closed");
    }
    let seen = scene.partner.get(&format!("repair-cases/{id}")).await.expect(200);
    assert_eq!(
        (&seen["state"], &seen["result"], &seen["parts"][0]["order_reference"], &seen["appointment"]["note"]),
        (&json!("closed"), &json!("New disk"), &json!("PO-1"), &json!("Tor 3"))
    );
    let log = scene.log().await;
    assert_eq!(log.len(), 4);
    assert!(log.iter().all(|entry| entry["actor_kind"] == "outside_desk"), "{log:?}");
    // It is not told what it said itself; the next message is of the next case.
    let other = scene.case("5CG0000002").await;
    assert_eq!(scene.desk.next().await["message"]["data"]["id"], json!(other));
    let list = scene.partner.all("outside-desk/cases").await;
    assert_eq!(list.len(), 2);
    assert!(
        list.iter().any(|one| one["repair_case"] == json!(id) && one["reference"] == "INC-7"),
        "{list:?}"
    );
}

#[rstest]
#[tokio::test]
async fn a_message_that_is_not_taken_comes_again_and_says_how_the_case_stands_by_then(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let mut scene = scene(kind, "calledagain").await;
    scene.desk.tell("answer 503").await;
    let id = scene.case("5CG0000001").await;
    let first = scene.desk.next().await;
    assert_eq!(first["answered"], 503);
    let (partner, app) = (scene.partner.clone(), scene.world.app.clone());
    let state = async |wanted: &str, attempts: i64| {
        eventually("the attempt is noted", async || {
            let row = partner.all("outside-desk/cases").await.remove(0);
            (row["state"] == wanted && row["attempts"] == attempts).then_some(row)
        })
        .await
    };
    let waiting = state("waiting", 1).await;
    assert_eq!(
        (&waiting["last_error"], &waiting["last_status"], &waiting["delivered_at"]),
        (&json!("outside_desk.refused"), &json!(503), &Value::Null)
    );
    let settled = async || {
        eventually("the job has ended", async || {
            let mut tx = app.store.read(&access::system()).await.unwrap();
            let due =
                "SELECT COUNT(*) FROM jobs WHERE NOT dead AND (leased_until IS NOT NULL OR run_at <= $1)";
            (tx.number(due, vec![app.ambient.now().into()]).await.unwrap() == 0).then_some(())
        })
        .await;
    };
    settled().await;
    // The second attempt: the same message, five seconds later at the earliest.
    scene.world.clock.step_seconds(6);
    scene.world.app.wake();
    let second = scene.desk.next().await;
    assert_eq!(second["id"], first["id"]);
    assert!(second["timestamp"].as_i64() >= first["timestamp"].as_i64().map(|at| at + 5));
    state("waiting", 2).await;
    // Meanwhile the desk claims the case by hand: a new message at once, which is taken.
    scene.desk.tell("answer 204").await;
    partner.post(&format!("repair-cases/{id}/steps/assign"), json!({})).await.expect(200);
    let third = scene.desk.next().await;
    assert_ne!(third["id"], first["id"]);
    assert_eq!(third["message"]["data"]["state"], "claimed");
    let taken = state("delivered", 0).await;
    assert!(taken["delivered_at"].is_string() && taken["last_error"].is_null(), "{taken}");

    // Ten attempts in four days, then it is given up, until somebody says: again.
    scene.desk.tell("answer 500").await;
    partner
        .post(&format!("repair-cases/{id}/steps/ask"), json!({ "text": "Which floor?" }))
        .await
        .expect(200);
    for attempt in 1..=10 {
        let told = scene.desk.next().await;
        assert_eq!(told["message"]["data"]["question"], "Which floor?");
        state(if attempt == 10 { "failed" } else { "waiting" }, attempt).await;
        settled().await;
        scene.world.clock.step_seconds(100_000);
        scene.world.app.wake();
    }
    scene.desk.tell("answer 410").await;
    assert_eq!(partner.post("outside-desk/retry", json!({})).await.status.as_u16(), 204);
    scene.desk.next().await;
    // It wants no more: nothing is sent, and nothing is lost.
    eventually("it is stopped", async || {
        let outside = partner.get("outside-desk").await.expect(200);
        (outside["stopped"] == "outside_desk.unwanted").then_some(())
    })
    .await;
    scene.desk.tell("answer 200").await;
    assert_eq!(partner.post("outside-desk/retry", json!({})).await.status.as_u16(), 204);
    scene.desk.next().await;
    state("delivered", 0).await;
}

#[rstest]
#[tokio::test]
async fn only_the_outside_desk_that_has_a_case_speaks_for_it(#[values(Sqlite, Postgres)] kind: Kind) {
    let mut scene = scene(kind, "forged").await;
    let id = scene.case("5CG0000001").await;
    scene.desk.next().await;
    let (secret, claimed) = (scene.secret.clone(), json!({ "state": "claimed" }));
    let stranger = webhook::show_secret(b"somebody else's");
    assert_eq!(scene.say(&id, "f-1", &stranger, &claimed).await.refused(401), "webhook.forged");
    let path = format!("outside-desks/{}/cases/{id}/status", scene.id);
    assert_eq!(scene.partner.post(&path, claimed.clone()).await.refused(401), "webhook.unreadable");
    let nobody = uuid::Uuid::from_u128(7).to_string();
    let unknown = scene.say(&nobody, "f-2", &secret, &claimed).await;
    assert_eq!(unknown.refused(404), "not_found");
    // An outside desk that nobody connected is told what a wrong signature is told.
    let real = std::mem::replace(&mut scene.id, nobody);
    assert_eq!(scene.say(&id, "f-3", &secret, &claimed).await.refused(401), "webhook.forged");
    scene.id = real;
    // The neighbour's own outside desk does not reach the case, nor see anything of this one.
    let neighbour = scene.world.partner("R-2").await;
    assert_eq!(neighbour.get("outside-desk").await.refused(404), "not_found");
    assert!(neighbour.all("outside-desk/cases").await.is_empty());
    let made = neighbour.post("outside-desk", json!({ "url": scene.desk.url() })).await.expect(201);
    let theirs = made["secret"].as_str().unwrap().to_owned();
    let real = std::mem::replace(&mut scene.id, made["id"].as_str().unwrap().to_owned());
    assert_eq!(scene.say(&id, "f-4", &theirs, &claimed).await.refused(404), "not_found");
    scene.id = real;
    let reader = scene.world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(reader.get("outside-desk").await.refused(403), "forbidden");
    assert_eq!(scene.support.get("outside-desk").await.refused(404), "not_found");

    // A new secret: both hold for a day, then the new one alone.
    let made = scene.partner.post("outside-desk/secret", json!({})).await.expect(201);
    let renewed = made["secret"].as_str().unwrap().to_owned();
    scene.say(&id, "f-5", &secret, &claimed).await.expect(200);
    scene.say(&id, "f-6", &renewed, &claimed).await.expect(200);
    scene.world.clock.step_seconds(25 * 3600);
    assert_eq!(scene.say(&id, "f-7", &secret, &claimed).await.refused(401), "webhook.forged");
    scene.say(&id, "f-8", &renewed, &claimed).await.expect(200);

    // Handed over, the case has left: the outside desk hears that, and nothing of the person any more.
    scene.desk.tell(&format!("secret {renewed}")).await;
    let handed = scene
        .partner
        .post(&format!("repair-cases/{id}/steps/hand-over"), json!({ "text": "Not ours" }))
        .await;
    assert_eq!(handed.status.as_u16(), 204, "{}", handed.text);
    let left = scene.desk.next().await;
    assert_eq!(left["message"]["type"], "repair_case.left");
    assert!(!left.to_string().contains("Inga"), "{left}");
    assert_eq!(scene.say(&id, "f-9", &renewed, &claimed).await.refused(404), "not_found");

    // Disconnected, it says nothing any more.
    let gone = scene.partner.send(Method::DELETE, "/api/v1/outside-desk", None).await;
    assert_eq!(gone.status.as_u16(), 204);
    assert_eq!(scene.say(&id, "f-10", &renewed, &claimed).await.refused(401), "webhook.forged");
}

#[rstest]
#[tokio::test]
async fn an_outside_desk_is_on_the_internet_and_one_for_each_desk(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "walls").await;
    let partner = world.partner("R-1").await;
    for (url, code) in [
        ("", "outside_desk.no_address"),
        ("desk.example", "outside_desk.no_address"),
        ("http://desk.example/", "outside_desk.no_address"),
        ("https://me:hush@desk.example/", "outside_desk.no_address"),
        ("https://127.0.0.1/", "outside_desk.private_address"),
        ("https://[::1]/", "outside_desk.private_address"),
        ("https://169.254.169.254/latest", "outside_desk.private_address"),
    ] {
        assert_eq!(partner.post("outside-desk", json!({ "url": url })).await.refused(422), code, "{url}");
    }
    // A name that leads behind walls is found out when it is looked up.
    let url = json!({ "url": "https://localhost:1/" });
    world.operator.post("outside-desk", url.clone()).await.expect(201);
    assert_eq!(world.operator.post("outside-desk", url).await.refused(409), "outside_desk.exists");
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let support = world.token(Role::CustomerSupport, None).await;
    let contact = json!({ "name": "Inga", "phone": "1" });
    let body = json!({ "serial": "5CG0000001", "contact": contact, "text": "It clicks", "caller": "Inga" });
    support.post("repair-cases", body).await.expect(201);
    let operator = world.operator.clone();
    let why = eventually("the attempt is noted", async || {
        operator.all("outside-desk/cases").await.remove(0)["last_error"].as_str().map(str::to_owned)
    })
    .await;
    assert_eq!(why, "outside_desk.private_address");
}
