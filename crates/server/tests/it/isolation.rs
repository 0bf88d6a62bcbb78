//! The first net: every route is called as a neighbour, as nobody and as every other role; no answer may hold a
//! canary of somebody else. A route that the net does not know fails the test.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_server::{api, portal};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

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
    strangers: Vec<(&'static str, Client)>,
}

const CANARIES: &[&str] = &["CANARY", "5CGKANARIE"];

async fn neighbours(kind: Kind, name: &str) -> Neighbours {
    let world = World::start(kind, name).await;
    let body = json!({ "name": "CANARY Partner", "partner_number": "R-1" });
    let partner = world.operator.post("partners", body).await.expect(201);
    world.certify(partner["id"].as_str().unwrap()).await;
    let neighbour = world.partner("R-2").await;
    let body = json!({ "name": "CANARY Distribution", "reporter_number": "D-1", "kind": "distributor" });
    world.operator.post("reporters", body).await.expect(201);
    let distributor = world.token(Role::Distributor, Some("D-1")).await;
    let other = world.distributor("D-2").await;
    let lines = [
        "5CGKANARIE1 R-1 name=CANARY invoice=CANARY-1",
        "5CGKANARIE!! R-1 name=CANARY invoice=CANARY-2",
        "5CGKANARIE3 R-9 name=CANARY invoice=CANARY-3",
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
        strangers,
    }
}

#[rstest]
#[tokio::test]
async fn every_route_called_as_a_neighbour_shows_nothing_of_the_other(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let Neighbours {
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
        strangers,
    } = neighbours(kind, "net").await;
    let id_in = |answer: serde_json::Value| answer["id"].as_str().unwrap().to_owned();
    let partner = id_in(world.operator.get("partners/R-1").await.expect(200));
    world.user("CANARY@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let user = id_in(world.operator.all("users?for=R-1").await.remove(0));
    let body =
        json!({ "email": "CANARY2@example.com", "name": "CANARY", "role": "partner_admin", "for": "R-1" });
    let invitation = id_in(world.operator.post("invitations", body).await.expect(201));
    let token = id_in(world.operator.all("tokens").await.remove(0));
    for route in api_routes() {
        let (method, path) = route.split_once(' ').unwrap();
        if ENDLESS.contains(&path) {
            continue;
        }
        let id = match path {
            path if path.starts_with("/partners") => &partner,
            path if path.starts_with("/operations") => &operation,
            path if path.starts_with("/customers") => &customer,
            path if path.starts_with("/transfers") => &transfer,
            path if path.starts_with("/users") => &user,
            path if path.starts_with("/invitations") => &invitation,
            path if path.starts_with("/tokens") => &token,
            path if path.starts_with("/support-cases") => &case,
            path if path.starts_with("/dead-jobs") => &job,
            path if path.starts_with("/alerts") => &alert,
            path if path.starts_with("/repair-cases") => &repair,
            _ => &report,
        };
        let serial = "5CGKANARIE1".to_owned();
        let answers_any = ANSWERS_ANY.contains(&path);
        let filled = path.replace("{id}", id).replace("{serial}", &serial);
        let id = if path.contains("{id}") { id } else { &serial };
        let filled = filled
            .replace("{step}", if path.starts_with("/repair-cases") { "assign" } else { "accept" })
            .replace("{attachment}", &attachment)
            .replace("{say}", "release");
        let filled = filled.replace("{report}", &report).replace("{line}", "1");
        let filled = filled.replace("{case}", &repair).replace("{number}", "CANARY");
        let path =
            format!("/api/v1{}", filled.replace("{support_level}", "premium").replace("{name}", "CANARY"));
        let method: Method = method.parse().unwrap();
        for (who, stranger) in &strangers {
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
                    answer.text = answer.text.replace(&serial, "");
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
                if path.contains(id.as_str()) && !answers_any {
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
    for (method, path) in portal::routes().list {
        if path.starts_with("/assets") {
            continue;
        }
        let path = path.replace("{id}", &report).replace("{report}", &report).replace("{line}", "1");
        let path = path.replace("{serial}", "5CGKANARIE1");
        for (who, stranger) in &strangers {
            let body = (method == Method::POST).then(|| ("application/x-www-form-urlencoded", Vec::new()));
            let answer = stranger.send(method.clone(), &path, body).await;
            for canary in CANARIES {
                assert!(!answer.text.contains(canary), "{who} got {canary} by {method} {path}");
            }
        }
    }
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
