//! Partners, qualifications and their holding tenants (behaviours 4, 7 to 12).

use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, csv, eventually};

async fn holding(world: &World, partner: &str) -> Value {
    world.operator.get(&format!("partners/{partner}")).await.expect(200)["holding_tenant"].clone()
}

#[rstest]
#[tokio::test]
async fn b04_a_partner_has_exactly_one_holding_tenant(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b04").await;
    let partner = world.newcomer("R-1").await;
    world.certify(&partner).await;
    let first = holding(&world, &partner).await;
    assert!(first["id"].is_string());
    let second_role = json!({
        "support_level": "premium", "role": "service_delivery",
        "course_completed_on": "2026-01-01", "certified_on": "2026-02-01",
    });
    world.operator.post(&format!("partners/{partner}/qualifications"), second_role).await.expect(201);
    assert_eq!(holding(&world, &partner).await, first);
}

#[rstest]
#[case::b08_unfinished(json!({}), false)]
#[case::b08_unfinished_though_certified(json!({ "certified_on": "2026-01-02" }), false)]
#[case::b09_finished_not_certified(json!({ "course_completed_on": "2026-01-01" }), false)]
#[case::b09_certified_only_next_week(
    json!({ "course_completed_on": "2026-01-01", "certified_on": "2026-11-29" }), false)]
#[case::lapsed(
    json!({ "course_completed_on": "2025-01-01", "certified_on": "2025-01-01", "expires_on": "2026-01-01" }), false)]
#[case::b09_certified(json!({ "course_completed_on": "2026-01-01", "certified_on": "2026-01-02" }), true)]
#[tokio::test]
async fn b07_the_holding_tenant_comes_by_itself_when_course_and_certificate_are_there(
    #[case] dates: Value,
    #[case] exists: bool,
    #[values("premium", "premium_plus")] level: &str,
    #[values("resell_and_view_monitor", "service_delivery")] role: &str,
) {
    let world = World::start(Sqlite, "b07").await;
    let partner = world.newcomer("R-1").await;
    assert_eq!(holding(&world, &partner).await, Value::Null);
    let mut body = dates;
    body["support_level"] = level.into();
    body["role"] = role.into();
    world.operator.post(&format!("partners/{partner}/qualifications"), body).await.expect(201);
    assert_eq!(holding(&world, &partner).await.is_object(), exists);
}

#[tokio::test]
async fn b07_there_is_no_call_that_creates_a_holding_tenant() {
    let world = World::start(Sqlite, "b07call").await;
    let document = world.nobody().get("openapi.json").await.expect(200);
    for (path, methods) in document["paths"].as_object().unwrap() {
        let about_pools = ["holding", "tenant", "unassigned"].iter().any(|word| path.contains(word));
        let writes = ["post", "put", "patch", "delete"].iter().any(|method| methods.get(method).is_some());
        assert!(!(about_pools && writes), "{path}");
        let bodies = methods["post"]["requestBody"].to_string();
        assert!(!bodies.contains("holding"), "{path}: {bodies}");
    }
}

#[rstest]
#[tokio::test]
async fn a_certificate_of_next_week_opens_the_pool_next_week(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "nextweek").await;
    let partner = world.newcomer("R-1").await;
    world.qualify(&partner, "2026-11-29", Value::Null).await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG1234ABC R-1"])).await;
    let admin = world.token(Role::PartnerAdmin, Some("R-1")).await;
    assert!(admin.pool().await.is_empty());
    world.clock.step_seconds(7 * 24 * 3600);
    world.app.wake();
    eventually("the PC has arrived", async || (admin.pool().await == ["5CG1234ABC"]).then_some(())).await;
}

#[rstest]
#[tokio::test]
async fn a_lapsed_partner_keeps_its_pcs_and_gets_new_ones_on_renewal(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "lapse").await;
    let partner = world.newcomer("R-1").await;
    world.qualify(&partner, "2026-01-02", "2026-12-01".into()).await;
    let distributor = world.distributor("D-1").await;
    let admin = world.token(Role::PartnerAdmin, Some("R-1")).await;
    distributor.report("", "text/csv", csv(&["5CG1234AAA R-1"])).await;
    world.clock.step_seconds(30 * 24 * 3600);
    let report = distributor.report("", "text/csv", csv(&["5CG1234BBB R-1"])).await;
    assert_eq!(distributor.verdicts(&report).await, ["parked.partner_not_qualified"]);
    assert_eq!(admin.pool().await, ["5CG1234AAA"], "it still reads what it has");
    world.qualify(&partner, "2026-01-02", "2027-12-01".into()).await;
    eventually("the parked PC has arrived", async || (admin.pool().await.len() == 2).then_some(())).await;
    assert_eq!(distributor.verdicts(&report).await, ["placed"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_field() {
    let world = World::start(Sqlite, "refused").await;
    let partner = world.newcomer("R-1").await;
    let refused = async |path: &str, body: Value, status: u16| {
        let problem = world.operator.post(path, body).await.expect(status);
        (problem["code"].as_str().unwrap().to_owned(), problem["errors"][0]["field"].clone())
    };
    let new = |name: &str, number: &str| json!({ "name": name, "partner_number": number });
    assert_eq!(
        refused("partners", new("Again", " r-1 "), 409).await,
        ("field.taken".to_owned(), "partner_number".into())
    );
    assert_eq!(refused("partners", new("", "R-2"), 422).await, ("field.missing".to_owned(), "name".into()));
    let long = "x".repeat(201);
    assert_eq!(refused("partners", new(&long, "R-2"), 422).await.0, "field.too_long");
    let kind = json!({ "name": "D", "reporter_number": "D-1", "kind": "shop" });
    assert_eq!(refused("reporters", kind, 422).await, ("field.unknown_value".to_owned(), "kind".into()));
    let path = format!("partners/{partner}/qualifications");
    let ended = json!({
        "support_level": "premium", "role": "service_delivery", "course_completed_on": "2026-01-01",
        "certified_on": "2026-02-01", "expires_on": "2026-01-15",
    });
    assert_eq!(refused(&path, ended, 422).await.0, "qualification.expires_before_certified");
    let day = json!({ "support_level": "premium", "role": "service_delivery", "course_completed_on": "31.02.2026" });
    assert_eq!(
        refused(&path, day, 422).await,
        ("rejected.date_invalid".to_owned(), "course_completed_on".into())
    );
    assert_eq!(world.operator.post("partners", json!({ "name": 7 })).await.refused(422), "request.invalid");
    assert_eq!(world.operator.all("partners").await.len(), 1, "nothing was changed");
}

#[tokio::test]
async fn a_retry_with_an_idempotency_key_gets_the_first_answer() {
    let world = World::start(Sqlite, "idem").await;
    let send = async |key: &str, name: &str| {
        let body = json!({ "name": name, "partner_number": name }).to_string().into_bytes();
        let headers = [("idempotency-key", key)];
        let body = Some(("application/json", body));
        world.operator.send_with(reqwest::Method::POST, "/api/v1/partners", body, &headers).await
    };
    let first = send("k1", "A").await.expect(201);
    assert_eq!(send("k1", "A").await.expect(201), first);
    assert_eq!(send("k1", "B").await.refused(422), "idempotency_key.reused");
    assert_ne!(send("k2", "B").await.expect(201), first);
    assert_eq!(world.operator.all("partners").await.len(), 2);
}
