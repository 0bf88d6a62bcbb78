//! The golden matrix of rights: who may do what with which kind of tenant, as the API answers. Whoever changes a cell
//! reads it as a reviewer would.

use std::collections::BTreeMap;

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::world::{Answer, Client, World, csv};

/// What is tried with a tenant: its name, the method, the path, and a body that is right, so that who may not is told so
/// and nothing else. What stands in braces is replaced by what the tenant has.
type Action = (&'static str, &'static str, &'static str, &'static str);

/// What is tried with a customer tenant.
const WITH_CUSTOMERS: &[Action] = &[
    ("read", "GET", "customers/{id}", ""),
    ("disable or enable", "PATCH", "customers/{id}", r#"{"disabled":{disabled}}"#),
    ("invite again", "POST", "customers/{id}/invitation", "{}"),
    ("its PCs", "GET", "customers/{id}/devices", ""),
    ("its switch", "GET", "customers/{id}/notification-settings", ""),
    ("turn the switch", "PATCH", "customers/{id}/notification-settings", r#"{"self_service":"on"}"#),
    (
        "its repair route",
        "PATCH",
        "customers/{id}/notification-settings",
        r#"{"repair_cases":"by_qualification"}"#,
    ),
    ("its partner", "GET", "customers/{id}/assigned-partner", ""),
    ("its access", "PATCH", "customers/{id}/assigned-partner", r#"{"access":"{access}"}"#),
    ("accept its partner", "POST", "customers/{id}/assigned-partner/accept", "{}"),
    ("decline its partner", "POST", "customers/{id}/assigned-partner/decline", "{}"),
    ("end its partner", "POST", "customers/{id}/assigned-partner/end", "{}"),
    ("ask for a partner", "POST", "customers/{id}/assigned-partner/ask", r#"{"partner_number":"R-2"}"#),
    ("arrivals", "GET", "customers/{id}/arrivals", ""),
    ("confirm arrivals", "POST", "customers/{id}/arrivals/confirm", r#"{"serials":["{serial}"]}"#),
    (
        "decline arrivals",
        "POST",
        "customers/{id}/arrivals/decline",
        r#"{"serials":["{serial}"],"reason":"x"}"#,
    ),
    ("its cPINs", "GET", "customers/{id}/cpins", ""),
    ("make a cPIN", "POST", "customers/{id}/cpins", "{}"),
    ("mail the cPIN", "POST", "customers/{id}/cpins/instructions", r#"{"email":"{cpin}@example.com"}"#),
    ("revoke a cPIN", "DELETE", "customers/{id}/cpins/{cpin}", ""),
    ("its domains", "GET", "customers/{id}/enrolment-domains", ""),
    ("set its domains", "PUT", "customers/{id}/enrolment-domains", r#"{"domains":["werft.example"]}"#),
    ("its list", "GET", "customers/{id}/zero-touch-serials", ""),
    ("put on its list", "POST", "customers/{id}/zero-touch-serials", r#"{"serials":["MXL0000001"]}"#),
    ("take off its list", "DELETE", "customers/{id}/zero-touch-serials/{listed}", ""),
    ("its privacy", "GET", "customers/{id}/privacy", ""),
    (
        "set its privacy",
        "PUT",
        "customers/{id}/privacy",
        r#"{"collect_user":false,"collect_location":false}"#,
    ),
    ("release an enrolment", "POST", "enrolments/{enrolment}/release", ""),
    (
        "raise an alert",
        "POST",
        "alerts",
        r#"{"serial":"{serial}","kind":"memory.errors","cause":"x","detail":"x"}"#,
    ),
    ("its alert", "GET", "alerts/{alert}", ""),
    ("close an alert", "POST", "alerts/{alert}/close", ""),
    (
        "open a repair case",
        "POST",
        "repair-cases",
        r#"{"serial":"{serial}","contact":{"name":"x","phone":"1"},"text":"x","caller":"x"}"#,
    ),
    ("its repair case", "GET", "repair-cases/{repair}", ""),
    ("move there", "POST", "transfers", r#"{"items":[{"serial":"5CG0000000","to":"{id}"}]}"#),
    ("the transfer there", "GET", "transfers/{transfer}", ""),
    ("undo the transfer there", "POST", "transfers/{transfer}/undo", ""),
];

/// What changes a tenant so that the next caller would find another one: once it was done, a new tenant takes its place.
const USES_UP: &[&str] = &[
    "accept its partner",
    "ask for a partner",
    "close an alert",
    "decline arrivals",
    "decline its partner",
    "end its partner",
    "release an enrolment",
    "revoke a cPIN",
    "take off its list",
    "undo the transfer there",
];

/// What is tried with a partner's holding tenant.
const WITH_HOLDINGS: &[Action] = &[
    ("list", "GET", "unassigned-devices?limit=200", ""),
    ("a PC", "GET", "devices/{serial}", ""),
    ("its history", "GET", "devices/{serial}/history", ""),
    ("its place", "GET", "devices/{serial}/placement", ""),
    ("move it out", "POST", "transfers", r#"{"items":[{"serial":"{serial}","to":"{customer}"}]}"#),
    (
        "raise an alert",
        "POST",
        "alerts",
        r#"{"serial":"{serial}","kind":"memory.errors","cause":"x","detail":"x"}"#,
    ),
    ("its alert", "GET", "alerts/{alert}", ""),
    (
        "open a repair case",
        "POST",
        "repair-cases",
        r#"{"serial":"{serial}","contact":{"name":"x","phone":"1"},"text":"x","caller":"x"}"#,
    ),
];

/// What is tried with a partner tenant.
const WITH_PARTNERS: &[Action] = &[
    ("read", "GET", "partners/{partner}", ""),
    (
        "certify",
        "POST",
        "partners/{partner}/qualifications",
        r#"{"support_level":"premium_plus","role":"resell_and_view_monitor","course_completed_on":"2026-01-01","certified_on":"2026-01-02"}"#,
    ),
    ("its people", "GET", "users?for=R-1", ""),
    (
        "invite into it",
        "POST",
        "invitations",
        r#"{"email":"new@example.com","name":"x","role":"partner_admin","for":"R-1"}"#,
    ),
    ("change a person", "PATCH", "users/{user}", r#"{"role":"partner_admin"}"#),
    ("reset a password", "POST", "users/{user}/password-reset", ""),
    ("its support case", "GET", "support-cases/{case}", ""),
    ("write in it", "POST", "support-cases/{case}/messages", r#"{"text":"x"}"#),
    (
        "decide in it",
        "POST",
        "support-cases/{case}/decision",
        r#"{"serials":["MXL0000002"],"decision":"refuse","reason":"x"}"#,
    ),
];

/// What is tried with a reporter.
const WITH_REPORTERS: &[Action] = &[
    ("a report", "GET", "sell-through-reports/{report}", ""),
    ("its lines", "GET", "sell-through-reports/{report}/lines", ""),
    ("its errors", "GET", "sell-through-reports/{report}/errors.csv", ""),
    ("its operation", "GET", "operations/{operation}", ""),
    ("change a person", "PATCH", "users/{user}", r#"{"role":"distributor"}"#),
    ("its support case", "GET", "support-cases/{case}", ""),
    ("write in it", "POST", "support-cases/{case}/messages", r#"{"text":"x"}"#),
];

/// What is tried with the operator's home.
const WITH_THE_OPERATOR: &[Action] = &[
    ("partners", "GET", "partners", ""),
    ("reporters", "GET", "reporters", ""),
    ("disputes", "GET", "disputes", ""),
    ("what was given up", "GET", "dead-jobs", ""),
    ("mails", "GET", "mails", ""),
    ("tokens", "GET", "tokens", ""),
    ("make a token", "POST", "tokens", r#"{"name":"x","role":"operator"}"#),
    ("recall lists", "GET", "recall-lists", ""),
    ("terms", "GET", "service-terms", ""),
    ("set a term", "PUT", "service-terms/U8PL1E", r#"{"support_level":"premium","months":60}"#),
    ("change a person", "PATCH", "users/{user}", r#"{"role":"operator"}"#),
];

/// What stands for the names in braces. The cPIN is mailed to its own name, so that there is one.
type Things = BTreeMap<&'static str, String>;

fn filled(text: &str, things: &Things) -> String {
    things.iter().fold(text.to_owned(), |text, (name, thing)| text.replace(&format!("{{{name}}}"), thing))
}

async fn tried(client: &Client, (_, method, path, body): &Action, things: &Things) -> (bool, String) {
    let method: Method = method.parse().unwrap();
    let body = (!body.is_empty()).then(|| ("application/json", filled(body, things).into_bytes()));
    let answer = client.send(method, &format!("/api/v1/{}", filled(path, things)), body).await;
    (answer.status.is_success(), cell(path, &answer, things))
}

/// The status, and what it says besides: why not, unless every refusal of this status says the same.
fn cell(path: &str, answer: &Answer, things: &Things) -> String {
    let status = answer.status.as_u16();
    let code = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let more = match (path, status) {
        // A preview is always answered; what counts is whether the row could be moved.
        ("transfers", 201) => {
            let row = &answer.json()["items"][0];
            format!("{} {}", code(&row["verdict"]), code(&row["reasons"][0]["code"]))
        }
        // Everybody with a pool has a list; what counts is whose PCs are in it.
        ("unassigned-devices?limit=200", 200) if answer.text.contains(&things["serial"]) => {
            "with it".to_owned()
        }
        ("unassigned-devices?limit=200", 200) => "without it".to_owned(),
        (_, 400..) => code(&answer.json()["code"]),
        _ => String::new(),
    };
    let more = match more.as_str() {
        "unauthenticated" | "forbidden" | "not_found" => "",
        more => more,
    };
    format!("{status} {more}").trim_end().to_owned()
}

/// Everybody who is there whatever the tenant is, and where new tenants come from.
struct Scene {
    world: World,
    partner: Client,
    reader: Client,
    neighbour: Client,
    neighbours_reader: Client,
    distributor: Client,
    support: Client,
    stranger: Client,
    strangers_reader: Client,
    /// How many tenants were made.
    made: u8,
}

/// A customer tenant, with its own people and what is in it.
struct Tenant {
    own: Client,
    own_reader: Client,
    things: Things,
}

fn id_in(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

impl Scene {
    async fn start(kind: Kind) -> Self {
        let world = World::start(kind, "rights").await;
        let partner = world.partner("R-1").await;
        let neighbour = world.partner("R-2").await;
        let distributor = world.distributor("D-1").await;
        let lines: Vec<String> = (0..200).map(|n| format!("5CG{n:07} R-1")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        distributor.report("", "text/csv", csv(&lines)).await;
        let other = neighbour.customer("Next Door").await;
        Self {
            reader: world.token(Role::PartnerReadOnly, Some("R-1")).await,
            neighbours_reader: world.token(Role::PartnerReadOnly, Some("R-2")).await,
            support: world.token(Role::CustomerSupport, None).await,
            stranger: world.token(Role::ItAdmin, Some(&other)).await,
            strangers_reader: world.token(Role::ReportAdmin, Some(&other)).await,
            world,
            partner,
            neighbour,
            distributor,
            made: 0,
        }
    }

    /// A customer tenant of this kind, with a PC in it unless nothing can come into it.
    async fn tenant(&mut self, kind: &str) -> Tenant {
        self.made += 1;
        let name = format!("{kind} {}", self.made);
        let id = match kind {
            "partner-run" => self.partner.customer(&name).await,
            _ => self.partner.invited_customer(&name).await,
        };
        let own = self.world.token(Role::ItAdmin, Some(&id)).await;
        let own_reader = self.world.token(Role::ReportAdmin, Some(&id)).await;
        let assigned = format!("customers/{id}/assigned-partner");
        if !["partner-run", "invited"].contains(&kind) {
            own.post(&format!("{assigned}/accept"), json!({})).await.expect(200);
        }
        let pc = format!("5CG{:07}", self.made);
        let items = json!({ "items": [{ "serial": pc, "to": id }] });
        let transfer = self.partner.post("transfers", items).await.expect(201);
        let transfer_id = id_in(&transfer);
        let serial = if kind == "invited" { "5CGNOBODY9".to_owned() } else { pc };
        if kind != "invited" {
            let digest = json!({ "digest": transfer["digest"] });
            self.partner.post(&format!("transfers/{transfer_id}/commit"), digest).await.expect(200);
        }
        match kind {
            "closed" => {
                own.patch(&assigned, json!({ "access": "closed" })).await.expect(200);
            }
            "ended" => {
                own.post(&format!("{assigned}/end"), json!({})).await.expect(200);
            }
            "disabled" => {
                let path = format!("customers/{id}");
                self.partner.patch(&path, json!({ "disabled": true })).await.expect(200);
            }
            _ => {}
        }
        let things = Things::from([
            ("id", id),
            ("serial", serial),
            ("transfer", transfer_id),
            ("disabled", (kind == "disabled").to_string()),
            ("access", if kind == "closed" { "closed" } else { "open" }.to_owned()),
        ]);
        Tenant { own, own_reader, things }
    }

    /// Puts into the tenant what an action names, if it is not there.
    async fn furnish(&self, tenant: &mut Tenant, (_, _, path, body): &Action) {
        let Tenant { own, things, .. } = tenant;
        for name in ["cpin", "listed", "alert", "repair", "enrolment"] {
            let named = format!("{{{name}}}");
            if things.contains_key(name) || !(path.contains(&named) || body.contains(&named)) {
                continue;
            }
            let (customer, serial) = (&things["id"], things["serial"].as_str());
            let is_there = serial != "5CGNOBODY9";
            let thing = match name {
                "cpin" => {
                    id_in(&own.post(&format!("customers/{customer}/cpins"), json!({})).await.expect(201))
                }
                "listed" => {
                    let list = format!("customers/{customer}/zero-touch-serials");
                    own.post(&list, json!({ "serials": ["MXL0000003"] })).await.expect(200);
                    "MXL0000003".to_owned()
                }
                "alert" if is_there => {
                    let body =
                        json!({ "serial": serial, "kind": "disk.failing", "cause": "x", "detail": "x" });
                    id_in(&own.post("alerts", body).await.expect(201))
                }
                "repair" if is_there => {
                    let contact = json!({ "name": "x", "phone": "1" });
                    let body = json!({ "serial": serial, "contact": contact, "text": "x", "caller": "x" });
                    id_in(&self.support.post("repair-cases", body).await.expect(201))
                }
                "enrolment" if is_there => {
                    Pc::new(&self.world, serial, self.made).enrol().await.expect(201);
                    id_in(&Pc::new(&self.world, serial, 255 - self.made).enrol().await.expect(201))
                }
                _ => uuid::Uuid::nil().to_string(),
            };
            things.insert(name, thing);
        }
    }

    /// Everybody who is tried, with these people of a customer's.
    fn callers(&self, own: &Client, own_reader: &Client) -> [(&'static str, Client); 12] {
        [
            ("operator", &self.world.operator),
            ("customer support", &self.support),
            ("distributor", &self.distributor),
            ("partner admin", &self.partner),
            ("partner reader", &self.reader),
            ("another partner", &self.neighbour),
            ("another partner's reader", &self.neighbours_reader),
            ("its IT admin", own),
            ("its report admin", own_reader),
            ("another's IT admin", &self.stranger),
            ("another's report admin", &self.strangers_reader),
            ("nobody", &self.world.nobody()),
        ]
        .map(|(who, client)| (who, client.clone()))
    }
}

async fn with_customers(scene: &mut Scene, table: &mut String) {
    for kind in ["partner-run", "invited", "accepted", "closed", "ended", "disabled"] {
        let mut tenant = scene.tenant(kind).await;
        for action in WITH_CUSTOMERS {
            *table += &format!("{kind}, {}:", action.0);
            for n in 0..scene.callers(&tenant.own, &tenant.own_reader).len() {
                scene.furnish(&mut tenant, action).await;
                let (who, client) = &scene.callers(&tenant.own, &tenant.own_reader)[n];
                let (done, cell) = tried(client, action, &tenant.things).await;
                *table += &format!(" {who} {cell};");
                if done && USES_UP.contains(&action.0) {
                    tenant = scene.tenant(kind).await;
                }
            }
            *table += "\n";
        }
    }
}

async fn with_homes(scene: &mut Scene, table: &mut String) {
    let customer = scene.tenant("partner-run").await;
    let world = &scene.world;
    for (email, role, whose) in [
        ("partner@example.com", Role::PartnerAdmin, Some("R-1")),
        ("distributor@example.com", Role::Distributor, Some("D-1")),
        ("operator@example.com", Role::Operator, None),
    ] {
        world.user(email, role, whose).await;
    }
    let user = async |query: &str, email: &str| {
        let people = world.operator.all(&format!("users{query}")).await;
        id_in(people.iter().find(|person| person["email"] == email).unwrap())
    };
    let case = async |client: &Client| {
        let body = json!({ "kind": "missing_devices", "text": "x", "serials": ["MXL0000002"] });
        id_in(&client.post("support-cases", body).await.expect(201))
    };
    let serial = "5CG0000199";
    let alert = json!({ "serial": serial, "kind": "disk.failing", "cause": "x", "detail": "x" });
    let report = scene.distributor.all("sell-through-reports").await.remove(0);
    let holding = Things::from([
        ("serial", serial.to_owned()),
        ("customer", customer.things["id"].clone()),
        ("alert", id_in(&scene.partner.post("alerts", alert).await.expect(201))),
    ]);
    let partner = Things::from([
        ("partner", id_in(&world.operator.get("partners/R-1").await.expect(200))),
        ("user", user("?for=R-1", "partner@example.com").await),
        ("case", case(&scene.partner).await),
    ]);
    let reporter = Things::from([
        ("report", id_in(&report)),
        ("operation", id_in(&report["operation"])),
        ("user", user("?for=D-1", "distributor@example.com").await),
        ("case", case(&scene.distributor).await),
    ]);
    let operator = Things::from([("user", user("", "operator@example.com").await)]);
    let callers = scene.callers(&customer.own, &customer.own_reader);
    for (kind, actions, things) in [
        ("holding", WITH_HOLDINGS, holding),
        ("partner", WITH_PARTNERS, partner),
        ("reporter", WITH_REPORTERS, reporter),
        ("operator", WITH_THE_OPERATOR, operator),
    ] {
        for action in actions {
            *table += &format!("{kind}, {}:", action.0);
            for (who, client) in &callers {
                *table += &format!(" {who} {};", tried(client, action, &things).await.1);
            }
            *table += "\n";
        }
    }
}

#[rstest]
#[tokio::test]
async fn golden_rights_role_by_action_by_kind_of_tenant(#[values(Sqlite, Postgres)] kind: Kind) {
    let mut scene = Scene::start(kind).await;
    let mut table = String::new();
    with_customers(&mut scene, &mut table).await;
    with_homes(&mut scene, &mut table).await;
    let golden = include_str!("rights.txt");
    if table != golden {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/rights.txt"), &table).unwrap();
    }
    assert!(
        table == golden,
        "what the API answers, also in target/rights.txt, is not in rights.txt:\n{table}"
    );
}
