//! From a reading to a repair: alerts, pop-ups on PCs, cases, who gets them, and the switch.

mod check_ins;
mod desk;
mod neighbours;
mod races;
mod switch;

use std::time::Duration;

use roadstead_store::engine::Kind;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::world::{Answer, Client, World, csv};

/// The events of a PC's channel.
struct Channel {
    response: reqwest::Response,
    buffer: String,
}

impl Channel {
    async fn open(pc: &Pc, last: Option<&str>, language: &str) -> Self {
        let mut headers = vec![("accept-language", language)];
        headers.extend(last.map(|last| ("last-event-id", last)));
        let response = pc.open("events", &headers).await;
        assert_eq!(response.status().as_u16(), 200);
        Self { response, buffer: String::new() }
    }

    /// The next event: its id, name and data.
    async fn next(&mut self) -> (String, String, Value) {
        let wait = Duration::from_secs(30);
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
                };
                let (id, event, data) = (field("id:"), field("event:"), field("data:"));
                self.buffer = rest.to_owned();
                if let (Some(event), Some(data)) = (event, data) {
                    return (id.unwrap(), event, serde_json::from_str(&data).unwrap());
                }
            }
            let chunk = tokio::time::timeout(wait, self.response.chunk()).await.expect("an event").unwrap();
            self.buffer += std::str::from_utf8(&chunk.expect("the channel is open")).unwrap();
        }
    }

    /// The data of the next event, which has this name.
    async fn expect(&mut self, name: &str) -> Value {
        let (_, event, data) = self.next().await;
        assert_eq!(event, name, "{data}");
        data
    }
}

pub(crate) fn bad_disk() -> Value {
    json!({ "readings": { "disks": [{ "name": "/dev/sda", "passed": false }] } })
}

fn good_disk() -> Value {
    json!({ "readings": { "disks": [{ "name": "/dev/sda", "passed": true }] } })
}

fn form(pop_up: &Value, id: u128) -> Value {
    json!({
        "id": uuid::Uuid::from_u128(id), "pop_up": pop_up["id"], "recipient": pop_up["recipient"]["code"],
        "contact": { "name": "CANARY Inga Boje", "email": "inga@example.com", "phone": "" },
        "text": "CANARY it clicks", "preferred_times": "in the morning",
    })
}

pub(crate) async fn deliver_service(world: &World, number: &str, level: &str) {
    let partner = world.operator.get(&format!("partners/{number}")).await.expect(200);
    let body = json!({
        "support_level": level, "role": "service_delivery",
        "course_completed_on": "2026-01-01", "certified_on": "2026-01-02", "expires_on": null,
    });
    let path = format!("partners/{}/qualifications", partner["id"].as_str().unwrap());
    world.operator.post(&path, body).await.expect(201);
}

/// A View/Monitor partner with an entitled PC in its pool, enrolled, and its pop-up.
struct Case {
    world: World,
    partner: Client,
    pc: Pc,
}

async fn case(kind: Kind, name: &str) -> Case {
    let world = World::start(kind, name).await;
    let partner = world.partner("R-1").await;
    let lines = ["5CG0000001 R-1", "5CG0000002 R-1 level=", "5CG0000003 R-1"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let pc = Pc::new(&world, "5CG0000001", 1);
    pc.enrol().await.expect(201);
    Case { world, partner, pc }
}

impl Case {
    /// The pop-up that follows from a bad disk.
    async fn pop_up(&self) -> Value {
        self.pc.post("check-ins", bad_disk()).await.expect(200);
        let mut channel = Channel::open(&self.pc, None, "en").await;
        channel.expect("settings").await;
        channel.expect("pop_up").await
    }

    async fn to_customer(&self, customer: &str) {
        send(&self.partner, &self.pc.serial, customer).await;
    }

    async fn turn(&self, customer: &str, to: &str) {
        let path = format!("customers/{customer}/notification-settings");
        self.partner.patch(&path, json!({ "self_service": to })).await.expect(200);
    }

    async fn submit(&self, form: &Value) -> Answer {
        self.pc.post("repair-cases", form.clone()).await
    }
}

pub(crate) async fn send(partner: &Client, serial: &str, to: &str) -> Value {
    let items = json!({ "items": [{ "serial": serial, "to": to }] });
    let shown = partner.post("transfers", items).await.expect(201);
    let digest = json!({ "digest": shown["digest"] });
    partner.post(&format!("transfers/{}/commit", shown["id"].as_str().unwrap()), digest).await.expect(200)
}
