//! The first net: every route is called as a neighbour and as nobody, with a foreign thing of the right kind in its
//! address; pages and forms by a session of each role. No answer may hold a canary of somebody else. A route that the net
//! does not know fails the test.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_server::{api, portal};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::pc::Pc;
use crate::sign_in::Portal;
use crate::world::{Client, World, csv};

/// Every route of the API with the ids that stand in it. What is not here is uncovered.
const COVERED: &[&str] = &[
    "DELETE /customers/{id}/cpins/{cpin}",
    "DELETE /customers/{id}/zero-touch-serials/{serial}",
    "DELETE /invitations/{id}",
    "DELETE /outside-desk",
    "DELETE /recall-lists/{number}",
    "DELETE /service-terms/{name}",
    "DELETE /sessions/{id}",
    "DELETE /tokens/{id}",
    "GET /alerts",
    "GET /alerts/groups",
    "GET /alerts/{id}",
    "GET /audit-log",
    "GET /audit-log/proof",
    "GET /customers",
    "GET /customers/{id}",
    "GET /customers/{id}/arrivals",
    "GET /customers/{id}/assigned-partner",
    "GET /customers/{id}/cpins",
    "GET /customers/{id}/devices",
    "GET /customers/{id}/enrolment-domains",
    "GET /customers/{id}/notification-settings",
    "GET /customers/{id}/privacy",
    "GET /customers/{id}/zero-touch-serials",
    "GET /dead-jobs",
    "GET /devices/{serial}",
    "GET /devices/{serial}/history",
    "GET /devices/{serial}/placement",
    "GET /disputes",
    "GET /disputes/{report}/{line}",
    "GET /enrolments",
    "GET /events",
    "GET /invitations",
    "GET /mails",
    "GET /notifications",
    "GET /operations/{id}",
    "GET /operations/{id}/events",
    "GET /outside-desk",
    "GET /outside-desk/cases",
    "GET /own-headers",
    "GET /partners",
    "GET /partners/{id}",
    "GET /profile",
    "GET /recall-lists",
    "GET /recall-lists/{number}/ranges",
    "GET /repair-cases",
    "GET /repair-cases/{id}",
    "GET /repair-desk/appointments",
    "GET /repair-desk/hours",
    "GET /reporter-quality",
    "GET /reporters",
    "GET /sell-through-reports",
    "GET /sell-through-reports/{id}",
    "GET /sell-through-reports/{id}/acknowledgement",
    "GET /sell-through-reports/{id}/errors.csv",
    "GET /sell-through-reports/{id}/lines",
    "GET /serials/{serial}/explanation",
    "GET /service-terms",
    "GET /sessions",
    "GET /support-cases",
    "GET /support-cases/{id}",
    "GET /support-cases/{id}/attachments/{attachment}",
    "GET /support-cases/{id}/bundle",
    "GET /support-cases/{id}/serials",
    "GET /tokens",
    "GET /transfers",
    "GET /transfers/{id}",
    "GET /transfers/{id}/items",
    "GET /unassigned-devices",
    "GET /unassigned-devices/groups",
    "GET /users",
    "PATCH /customers/{id}",
    "PATCH /customers/{id}/assigned-partner",
    "PATCH /customers/{id}/notification-settings",
    "PATCH /users/{id}",
    "POST /alerts",
    "POST /alerts/{id}/close",
    "POST /customers",
    "POST /customers/{id}/arrivals/confirm",
    "POST /customers/{id}/arrivals/decline",
    "POST /customers/{id}/assigned-partner/{step}",
    "POST /customers/{id}/cpins",
    "POST /customers/{id}/cpins/instructions",
    "POST /customers/{id}/invitation",
    "POST /customers/{id}/zero-touch-serials",
    "POST /dead-jobs/{id}/retry",
    "POST /disputes/{report}/{line}/decision",
    "POST /disputes/{report}/{line}/undo",
    "POST /enrolments/{id}/{say}",
    "POST /invitations",
    "POST /invitations/list",
    "POST /outside-desk",
    "POST /outside-desk/retry",
    "POST /outside-desk/secret",
    "POST /outside-desks/{id}/cases/{case}/status",
    "POST /partners",
    "POST /partners/import",
    "POST /partners/{id}/qualifications",
    "POST /recall-lists/import",
    "POST /repair-cases",
    "POST /repair-cases/{id}/appointment",
    "POST /repair-cases/{id}/claim",
    "POST /repair-cases/{id}/close",
    "POST /repair-cases/{id}/parts",
    "POST /repair-cases/{id}/steps/{step}",
    "POST /reporters",
    "POST /sell-through-reports",
    "POST /sell-through-reports/{id}/submit",
    "POST /sell-through-reports/{id}/undo",
    "POST /sell-through-reports/{id}/withdraw",
    "POST /serials/verdicts",
    "POST /support-cases",
    "POST /support-cases/{id}/attachments",
    "POST /support-cases/{id}/close",
    "POST /support-cases/{id}/decision",
    "POST /support-cases/{id}/messages",
    "POST /support-cases/{id}/solve",
    "POST /tokens",
    "POST /transfers",
    "POST /transfers/{id}/commit",
    "POST /transfers/{id}/undo",
    "POST /users/{id}/password-reset",
    "PUT /customers/{id}/enrolment-domains",
    "PUT /customers/{id}/privacy",
    "PUT /devices/{serial}/entitlements/{support_level}",
    "PUT /own-headers",
    "PUT /profile",
    "PUT /repair-desk/hours",
    "PUT /sell-through-reports/files/{file_name}",
    "PUT /service-terms/{name}",
];

/// Routes that answer as a stream that never ends: what they tell is tested in `unassigned.rs`.
const ENDLESS: &[&str] = &["/events"];

/// Routes that answer for any serial, with the serial in the answer; that a foreign one is explained like an unknown one is
/// tested in `explanations.rs`.
const ANSWERS_ANY: &[&str] = &["/serials/{serial}/explanation"];

fn api_routes() -> Vec<String> {
    let document = serde_json::to_value(api::document()).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if methods.get(method).is_some() {
                routes.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    routes.sort();
    routes
}

#[test]
fn no_route_is_uncovered() {
    assert_eq!(api_routes(), COVERED);
}

/// Answers that have nothing of anybody's in them, though their address names something.
const FOR_ALL: &[&str] = &["/help/{name}", "/sell-through-reports/files/{file_name}"];

/// What stands for a name in a route, by what stands before it; in braces what [`made`] made. A route that nobody has
/// thought of here fails the test.
fn stands_for(before: &str, name: &str) -> &'static str {
    match (before, name) {
        ("/account/sessions" | "/sessions", "{id}") => "{session}",
        ("/alerts", "{id}") => "{alert}",
        ("/customers", "{id}") => "{customer}",
        ("/customers/{id}/assigned-partner" | "/customers/{id}/settings/assigned-partner", "{step}") => {
            "accept"
        }
        ("/customers/{id}/cpins" | "/customers/{id}/settings/preferences/cpins", "{cpin}") => "{cpin}",
        (
            "/customers/{id}/zero-touch-serials"
            | "/customers/{id}/settings/preferences/zero-touch"
            | "/devices"
            | "/serials",
            "{serial}",
        ) => SERIAL,
        ("/dead-jobs" | "/jobs", "{id}") => "{job}",
        ("/devices/{serial}/entitlements", "{support_level}") => "premium",
        ("/disputes", "{report}") => "{report}",
        ("/disputes/{report}", "{line}") => "4",
        ("/disputes/{report}/{line}", "{what}") => "undo",
        ("/enrolments" | "/pending-enrolment", "{id}") => "{enrolment}",
        ("/enrolments/{id}" | "/pending-enrolment/{id}", "{say}") => "release",
        ("/help", "{name}") => "transfers",
        ("/invitations" | "/settings/invitations", "{id}") => "{invitation}",
        ("/operations", "{id}") => "{operation}",
        ("/outside-desks", "{id}") => "{outside-desk}",
        ("/outside-desks/{id}/cases", "{case}") | ("/repair-cases", "{id}") => "{repair}",
        ("/partners", "{id}") => "{partner}",
        ("/recall-lists", "{number}") | ("/service-terms", "{name}") => "CANARY",
        ("/repair-cases/{id}", "{what}") | ("/repair-cases/{id}/steps", "{step}") => "assign",
        ("/reports" | "/sell-through-reports", "{id}") => "{report}",
        ("/sell-through-reports/files", "{file_name}") => "own",
        ("/settings/tokens" | "/tokens", "{id}") => "{token}",
        ("/settings/users" | "/users", "{id}") => "{user}",
        ("/support-cases", "{id}") => "{case}",
        ("/support-cases/{id}", "{what}") => "close",
        ("/support-cases/{id}/attachments", "{attachment}") => "{attachment}",
        ("/transfers", "{id}") => "{transfer}",
        ("/unassigned-devices/views", "{id}") => "{view}",
        unknown => panic!("what stands for {unknown:?}?"),
    }
}

/// The address of a route with the other's things in it.
fn filled(route: &str, made: &[(&'static str, String)]) -> String {
    let (mut before, mut path) = (String::new(), String::new());
    for part in route.split('/').skip(1) {
        path += "/";
        path += if part.starts_with('{') { stands_for(&before, part) } else { part };
        before = format!("{before}/{part}");
    }
    made.iter().fold(path, |path, (name, id)| path.replace(name, id))
}

/// Whether a route names something that is somebody's.
fn names_a_thing(route: &str) -> bool {
    route.contains('{') && !FOR_ALL.contains(&route)
}

/// Two distributors and two partners, each with a canary in all that it has.
struct Neighbours {
    world: World,
    report: String,
    operation: String,
    customer: String,
    transfer: String,
    case: String,
    attachment: String,
    job: String,
    alert: String,
    repair: String,
    next_door: String,
    strangers: Vec<(&'static str, Client)>,
}

const CANARIES: &[&str] = &["CANARY", "5CGKANARIE", "canary@", "canary2@"];
const SERIAL: &str = "5CGKANARIE1";

async fn neighbours(kind: Kind, name: &str) -> Neighbours {
    let world = World::start(kind, name).await;
    let body = json!({ "name": "CANARY Partner", "partner_number": "R-1" });
    let partner = world.operator.post("partners", body).await.expect(201);
    world.certify(partner["id"].as_str().unwrap()).await;
    let neighbour = world.partner("R-2").await;
    world.partner("R-3").await;
    let body = json!({ "name": "CANARY Distribution", "reporter_number": "D-1", "kind": "distributor" });
    world.operator.post("reporters", body).await.expect(201);
    let distributor = world.token(Role::Distributor, Some("D-1")).await;
    let other = world.distributor("D-2").await;
    let lines = [
        "5CGKANARIE1 R-1 name=CANARY invoice=CANARY-1",
        "5CGKANARIE!! R-1 name=CANARY invoice=CANARY-2",
        "5CGKANARIE3 R-9 name=CANARY invoice=CANARY-3",
        "5CGKANARIE1 R-3 name=CANARY invoice=CANARY-4",
    ];
    let report = distributor.report("", "text/csv", csv(&lines)).await;
    let found = distributor.get(&format!("sell-through-reports/{report}")).await.expect(200);
    let operation = found["operation"]["id"].as_str().unwrap().to_owned();
    let admin = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let customer = admin.customer("CANARY Customer").await;
    let next_door = neighbour.customer("Next Door").await;
    let foreign = world.token(Role::ItAdmin, Some(&next_door)).await;
    let items = json!({ "items": [{ "serial": "5CGKANARIE1", "to": customer }] });
    let transfer = admin.post("transfers", items).await.expect(201)["id"].as_str().unwrap().to_owned();
    let body = json!({ "kind": "missing_devices", "text": "CANARY", "serials": ["5CGKANARIE9"] });
    let case = admin.post("support-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/support-cases/{case}/attachments?name=CANARY.txt&text=CANARY");
    let said = admin.send(Method::POST, &path, Some(("text/plain", b"CANARY".to_vec()))).await.expect(201);
    let mut files =
        said["messages"].as_array().unwrap().iter().map(|message| &message["attachments"][0]["id"]);
    let attachment = files.find_map(|id| id.as_str()).unwrap().to_owned();
    let job = world.dead_job(&report, "CANARY").await;
    let body =
        json!({ "serial": "5CGKANARIE1", "kind": "disk.failing", "cause": "CANARY", "detail": "CANARY" });
    let alert = admin.post("alerts", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let desk = world.token(Role::CustomerSupport, None).await;
    let contact = json!({ "name": "CANARY", "phone": "CANARY" });
    let body = json!({ "serial": "5CGKANARIE1", "contact": contact, "text": "CANARY", "caller": "CANARY" });
    let repair = desk.post("repair-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let reader = world.token(Role::PartnerReadOnly, Some("R-2")).await;
    let nobody = world.nobody();
    let strangers = vec![
        ("the neighbour partner", neighbour),
        ("its reader", reader),
        ("the other distributor", other),
        ("another customer", foreign),
        ("nobody", nobody),
    ];
    Neighbours {
        world,
        report,
        operation,
        customer,
        transfer,
        case,
        attachment,
        job,
        alert,
        repair,
        next_door,
        strangers,
    }
}

/// What stands for the names of [`stands_for`]: the rest of what the one side has, made here, with its admin's session.
async fn made(there: &Neighbours) -> (Vec<(&'static str, String)>, Portal) {
    let Neighbours { world, customer, .. } = there;
    let id_in = |answer: serde_json::Value| answer["id"].as_str().unwrap().to_owned();
    let admin = world.token(Role::PartnerAdmin, Some("R-1")).await;
    world.user("CANARY@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let owner = Portal::sign_in(world, "CANARY@example.com").await;
    let sessions = owner.get("/api/v1/sessions").await.expect(200);
    let saved = owner.submit("/unassigned-devices/views", &[("name", "CANARY view"), ("query", "q=1")]).await;
    assert_eq!(saved.status.as_u16(), 303, "{}", saved.text);
    let page = owner.get("/unassigned-devices").await.text;
    let view = page.split("/unassigned-devices/views/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let body =
        json!({ "email": "CANARY2@example.com", "name": "CANARY", "role": "partner_admin", "for": "R-1" });
    let invitation = id_in(world.operator.post("invitations", body).await.expect(201));
    Pc::new(world, SERIAL, 1).enrol().await.expect(201);
    // A second key for the PC waits for its partner.
    let enrolment = id_in(Pc::new(world, SERIAL, 2).enrol().await.expect(201));
    let outside = json!({ "url": "https://desk.invalid/roadstead" });
    let made = vec![
        ("{alert}", there.alert.clone()),
        ("{attachment}", there.attachment.clone()),
        ("{case}", there.case.clone()),
        ("{cpin}", id_in(admin.post(&format!("customers/{customer}/cpins"), json!({})).await.expect(201))),
        ("{customer}", customer.clone()),
        ("{enrolment}", enrolment),
        ("{invitation}", invitation),
        ("{job}", there.job.clone()),
        ("{operation}", there.operation.clone()),
        ("{outside-desk}", id_in(world.operator.post("outside-desk", outside).await.expect(201))),
        ("{partner}", id_in(world.operator.get("partners/R-1").await.expect(200))),
        ("{repair}", there.repair.clone()),
        ("{report}", there.report.clone()),
        ("{session}", id_in(sessions["items"][0].clone())),
        ("{token}", id_in(world.operator.all("tokens").await.remove(0))),
        ("{transfer}", there.transfer.clone()),
        ("{user}", id_in(world.operator.all("users?for=R-1").await.remove(0))),
        ("{view}", view),
    ];
    (made, owner)
}

#[rstest]
#[tokio::test]
async fn every_route_called_as_a_neighbour_shows_nothing_of_the_other(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let there = neighbours(kind, "net").await;
    let (made, _owner) = made(&there).await;
    for route in api_routes() {
        let (method, path) = route.split_once(' ').unwrap();
        if ENDLESS.contains(&path) {
            continue;
        }
        let answers_any = ANSWERS_ANY.contains(&path);
        let names_a_thing = names_a_thing(path) && !answers_any;
        let path = format!("/api/v1{}", filled(path, &made));
        let method: Method = method.parse().unwrap();
        for (who, stranger) in &there.strangers {
            for query in [
                "",
                "?q=5CG",
                "?verdict=rejected",
                "?reporter=D-1",
                "?format=csv",
                "?format=xlsx",
                "?by=invoice_number",
            ] {
                let body = (!method.is_safe()).then(|| ("application/json", b"{}".to_vec()));
                let mut answer = stranger.send(method.clone(), &format!("{path}{query}"), body).await;
                if answers_any {
                    answer.text = answer.text.replace(SERIAL, "");
                }
                for canary in CANARIES {
                    assert!(
                        !answer.text.contains(canary),
                        "{who} got {canary} by {route}{query}: {}",
                        answer.text
                    );
                }
                let allowed = [200, 400, 401, 403, 404, 415, 422];
                assert!(allowed.contains(&answer.status.as_u16()), "{who}, {route}: {}", answer.status);
                if names_a_thing {
                    let status = answer.status.as_u16();
                    // A lesser role is refused before anything is looked for.
                    assert!(
                        [401, 403, 404, 422].contains(&status),
                        "{who}, {route}: {status} {}",
                        answer.text
                    );
                }
            }
        }
    }
}

/// Forms with files.
const OF_PARTS: &[&str] = &["/support-cases", "/support-cases/{id}/messages"];

/// The pages on which the domain lets a role see what belongs to others.
fn may_see(role: Role) -> &'static [&'static str] {
    match role {
        Role::CustomerSupport => &["/repair-cases", "/repair-desk"],
        Role::Operator => &[
            "/disputes",
            "/entitlements",
            "/home",
            "/jobs",
            "/partners",
            "/pending-enrolment",
            "/qualifications",
            "/recalls",
            "/reporters",
            "/reports",
            "/settings",
            "/support-cases",
        ],
        _ => &[],
    }
}

/// Somebody of each role who has nothing to do with the one side, each signed in.
async fn signed_in_strangers(world: &World, next_door: &str) -> Vec<(Role, Portal)> {
    let mut strangers = Vec::new();
    for role in Role::ALL {
        let whose = match role {
            Role::Operator | Role::CustomerSupport => None,
            Role::Distributor => Some("D-2"),
            Role::PartnerAdmin | Role::PartnerReadOnly => Some("R-2"),
            Role::ItAdmin | Role::ReportAdmin => Some(next_door),
        };
        let email = format!("{}@example.com", role.as_str());
        world.user(&email, role, whose).await;
        strangers.push((role, Portal::sign_in(world, &email).await));
    }
    strangers
}

/// What a form that names somebody's thing says, so that it is not refused for what it says.
fn fields(route: &str, digest: &str) -> String {
    let to = match route {
        "/customers/{id}/disabled" => "disabled",
        "/customers/{id}/settings/repair-cases" => "customer_support",
        _ => "on",
    };
    format!(
        "&to={to}&serials={SERIAL}&reason=x&text=x&access=open&active=no&domains=stranger.example\
         &email=stranger%40example.com&digest={digest}"
    )
}

#[rstest]
#[tokio::test]
async fn every_page_and_form_called_by_a_strangers_session_shows_and_changes_nothing_of_the_other(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let there = neighbours(kind, "strangers").await;
    let (made, owner) = made(&there).await;
    let world = &there.world;
    let admin = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let transfer = admin.get(&format!("transfers/{}", there.transfer)).await.expect(200);
    let digest = transfer["digest"].as_str().unwrap();
    let cpins = admin.get(&format!("customers/{}/cpins", there.customer)).await.expect(200);
    let cpin = cpins["items"][0]["cpin"].as_str().unwrap();

    // What stands in the addresses is there: somebody whose it is, or who may see it, gets each page.
    let strangers = signed_in_strangers(world, &there.next_door).await;
    world.user("canary@d-1.example", Role::Distributor, Some("D-1")).await;
    world.user("canary@customer.example", Role::ItAdmin, Some(&there.customer)).await;
    let distributor = Portal::sign_in(world, "canary@d-1.example").await;
    let it_admin = Portal::sign_in(world, "canary@customer.example").await;
    let who_sees = strangers.iter().filter(|(role, _)| !may_see(*role).is_empty()).map(|(_, portal)| portal);
    let owners: Vec<&Portal> = [&owner, &distributor, &it_admin].into_iter().chain(who_sees).collect();
    let routes = portal::routes().list;
    for (method, route) in &routes {
        if *method != Method::GET || route.starts_with("/assets") || !names_a_thing(route) {
            continue;
        }
        let path = filled(route, &made);
        let mut found = false;
        for owner in &owners {
            found = found || owner.get(&path).await.status.as_u16() == 200;
        }
        assert!(found, "nobody finds {path}");
    }

    for (role, stranger) in &strangers {
        let who = role.as_str();
        let csrf = format!("csrf={}", stranger.csrf_of("/account").await);
        let parts = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--edge--\r\n",
            &csrf[5..]
        );
        for (method, route) in &routes {
            let may_see =
                may_see(*role).iter().any(|page| route == page || route.starts_with(&format!("{page}/")));
            // Who signs out sees nothing any more.
            if may_see || route.starts_with("/assets") || *route == "/sign-out" {
                continue;
            }
            let path = filled(route, &made);
            let answer = if *method == Method::GET {
                stranger.get(&path).await
            } else if OF_PARTS.contains(route) {
                stranger.send_raw(&path, "multipart/form-data; boundary=edge", parts.as_bytes()).await
            } else if names_a_thing(route) {
                stranger.post(&path, &format!("{csrf}{}", fields(route, digest)), &[]).await
            } else {
                stranger.post(&path, &csrf, &[]).await
            };
            let status = answer.status.as_u16();
            for canary in CANARIES.iter().chain([&cpin]) {
                assert!(!answer.text.contains(canary), "{who} got {canary} by {method} {route}");
            }
            assert!(status < 500, "{who}, {method} {route}: {status}");
            if names_a_thing(route) {
                // A role that only looks is refused before anything is looked for.
                let only_looks = matches!(role, Role::PartnerReadOnly | Role::ReportAdmin);
                let refused = status == 404 || only_looks && status == 403;
                assert!(refused, "{who}, {method} {route}: {status} {}", answer.text);
            }
        }
        assert_eq!(stranger.get("/account").await.status.as_u16(), 200, "{who} was signed in to the end");
    }
    let nobody = world.nobody();
    for (method, route) in &routes {
        if !names_a_thing(route) || route.starts_with("/assets") {
            continue;
        }
        let body = (*method == Method::POST).then(|| ("application/x-www-form-urlencoded", Vec::new()));
        let answer = nobody.send(method.clone(), &filled(route, &made), body).await;
        assert_eq!(answer.status.as_u16(), 303, "nobody is sent to the sign-in by {method} {route}");
        assert!(CANARIES.iter().all(|canary| !answer.text.contains(canary)), "{method} {route}");
    }

    // Nothing has become of it.
    let page = owner.get("/unassigned-devices").await;
    assert!(page.text.contains("CANARY view") && page.text.contains(SERIAL), "{}", page.text);
    let after = admin.get(&format!("transfers/{}", there.transfer)).await.expect(200);
    assert_eq!(after["state"], transfer["state"]);
    assert_eq!(admin.get(&format!("customers/{}/cpins", there.customer)).await.expect(200), cpins);
    assert_eq!(admin.all("enrolments").await.len(), 1, "the second key waits");
}

#[rstest]
#[tokio::test]
async fn a_foreign_thing_and_an_unknown_one_differ_in_no_byte(#[values(Sqlite, Postgres)] kind: Kind) {
    let Neighbours {
        world: _world,
        report,
        operation,
        customer,
        transfer,
        case,
        attachment,
        alert,
        repair,
        strangers,
        ..
    } = neighbours(kind, "bytes").await;
    let serial = "5CGKANARIE1".to_owned();
    let unknown = "01a20000-0000-7000-8000-000000000000";
    let masked = |mut answer: serde_json::Value| {
        answer["request_id"] = serde_json::Value::Null;
        answer
    };
    for (who, stranger) in &strangers {
        for (path, id) in [
            ("sell-through-reports/{id}", &report),
            ("sell-through-reports/{id}/lines", &report),
            ("sell-through-reports/{id}/errors.csv", &report),
            ("sell-through-reports/{id}/acknowledgement", &report),
            ("operations/{id}", &operation),
            ("operations/{id}/events", &operation),
            ("devices/{id}", &serial),
            ("devices/{id}/history", &serial),
            ("devices/{id}/placement", &serial),
            ("transfers/{id}", &transfer),
            ("support-cases/{id}", &case),
            ("support-cases/{id}/bundle", &case),
            ("support-cases/{id}/serials", &case),
            (format!("support-cases/{case}/attachments/{{id}}").as_str(), &attachment),
            (format!("support-cases/{{id}}/attachments/{attachment}").as_str(), &case),
            ("alerts/{id}", &alert),
            ("repair-cases/{id}", &repair),
            ("transfers/{id}/items", &transfer),
            ("customers/{id}", &customer),
            ("customers/{id}/devices", &customer),
            ("customers/{id}/assigned-partner", &customer),
        ] {
            let foreign = stranger.get(&path.replace("{id}", id)).await;
            let unknown = if path.starts_with("devices") { "5CGNOBODY99" } else { unknown };
            let missing = stranger.get(&path.replace("{id}", unknown)).await;
            assert_eq!(foreign.status, missing.status, "{who} {path}");
            assert_eq!(masked(foreign.json()), masked(missing.json()), "{who} {path}");
        }
    }
}

#[tokio::test]
async fn a_session_of_another_tenant_finds_nothing() {
    let Neighbours { world, report, .. } = neighbours(Sqlite, "session").await;
    world.user("two@example.com", Role::PartnerAdmin, Some("R-2")).await;
    let two = crate::sign_in::Portal::sign_in(&world, "two@example.com").await;
    for path in [
        "/unassigned-devices",
        "/unassigned-devices?q=5CG",
        "/unassigned-devices?group=invoice_number",
        "/devices/5CGKANARIE1",
        "/",
        &format!("/reports/{report}"),
        "/partners",
    ] {
        let page = two.get(path).await;
        assert!(!page.text.contains("CANARY") && !page.text.contains("5CGKANARIE"), "{path}: {}", page.text);
    }
    assert_eq!(two.get(&format!("/reports/{report}")).await.status.as_u16(), 404);
    assert_eq!(two.get("/partners").await.status.as_u16(), 404);
}
