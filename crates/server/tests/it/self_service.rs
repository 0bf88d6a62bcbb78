//! The switch over pop-ups: arms once, may be off after the first entitled PC, each customer's own.

use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::sign_in::Portal;
use crate::world::{Client, World, csv};

async fn switch(caller: &Client, customer: &str) -> (String, Value) {
    let settings = caller.get(&format!("customers/{customer}/notification-settings")).await.expect(200);
    assert_eq!(settings["off_allowed"], settings["reason"].is_null());
    (settings["self_service"].as_str().unwrap().to_owned(), settings["reason"].clone())
}

async fn turn(caller: &Client, customer: &str, to: &str) -> crate::world::Answer {
    let path = format!("customers/{customer}/notification-settings");
    caller.patch(&path, json!({ "self_service": to })).await
}

async fn send(partner: &Client, serial: &str, to: &str) {
    let items = json!({ "items": [{ "serial": serial, "to": to }] });
    let shown = partner.post("transfers", items).await.expect(201);
    let digest = json!({ "digest": shown["digest"] });
    partner.post(&format!("transfers/{}/commit", shown["id"].as_str().unwrap()), digest).await.expect(200);
}

async fn partner(world: &World) -> Client {
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines = ["5CG0000001 R-1 level=", "5CG0000002 R-1", "5CG0000003 R-1"];
    distributor.report("", "text/csv", csv(&lines)).await;
    partner
}

#[rstest]
#[tokio::test]
async fn b41_b42_b46_b48_the_switch_arms_once_and_may_be_off_after_the_first_entitled_pc(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "switch").await;
    let partner = partner(&world).await;
    let (a, b) = (partner.customer("A").await, partner.customer("B").await);
    assert_eq!(switch(&partner, &a).await, ("unset".to_owned(), json!("self_service.no_device_yet")));
    for to in ["on", "off"] {
        assert_eq!(turn(&partner, &a, to).await.refused(409), "self_service.no_device_yet");
    }
    // A PC without an entitlement arms it, and does not yet let it be off.
    send(&partner, "5CG0000001", &a).await;
    assert_eq!(switch(&partner, &a).await, ("on".to_owned(), json!("self_service.no_entitled_device_yet")));
    assert_eq!(turn(&partner, &a, "off").await.refused(409), "self_service.no_entitled_device_yet");
    send(&partner, "5CG0000002", &a).await;
    assert_eq!(switch(&partner, &a).await, ("on".to_owned(), Value::Null));
    // It is history: the PC may have left again.
    send(&partner, "5CG0000002", "unassigned").await;
    assert_eq!(turn(&partner, &a, "off").await.expect(200)["self_service"], "off");
    assert_eq!(switch(&partner, &a).await.0, "off");
    // Armed once: another first PC does not turn it on again.
    send(&partner, "5CG0000001", "unassigned").await;
    send(&partner, "5CG0000002", &a).await;
    assert_eq!(switch(&partner, &a).await.0, "off");
    // Each customer's own.
    send(&partner, "5CG0000003", &b).await;
    assert_eq!(switch(&partner, &b).await.0, "on");
    let log = partner.all("audit-log").await;
    let turned = log.iter().find(|entry| entry["action"] == "self_service.turned").unwrap();
    assert_eq!((&turned["detail"]["to"], &turned["actor_kind"]), (&json!("off"), &json!("token")));
    assert_eq!(turn(&partner, &a, "maybe").await.refused(422), "field.unknown_value");
}

/// A customer that is to be off as soon as that is allowed.
async fn with_preset(partner: &Client) -> String {
    let body = json!({
        "name": "DaaS", "address": "Kai 1", "city": "Hamburg", "postal_code": "20457", "plan": "premium_plus",
        "management": "partner", "self_service": "off_when_allowed",
    });
    partner.post("customers", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn d11_the_preset_leaves_no_window(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "presetwindow").await;
    let partner = partner(&world).await;
    let id = with_preset(&partner).await;
    send(&partner, "5CG0000001", &id).await;
    assert_eq!(switch(&partner, &id).await.0, "on");
    // The entitlement comes with a later line, while the PC is with the customer.
    let distributor = world.token(Role::Distributor, Some("D-1")).await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1 invoice=LATER"])).await;
    assert_eq!(switch(&partner, &id).await, ("off".to_owned(), Value::Null));
    // Once: somebody who turns it on has it on.
    turn(&partner, &id, "on").await.expect(200);
    send(&partner, "5CG0000002", &id).await;
    assert_eq!(switch(&partner, &id).await.0, "on");
}

#[rstest]
#[tokio::test]
async fn d11_a_correction_leaves_no_window_either(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "preset_corrected").await;
    let partner = partner(&world).await;
    let id = with_preset(&partner).await;
    send(&partner, "5CG0000001", &id).await;
    let not_yet = ("on".to_owned(), json!("self_service.no_entitled_device_yet"));
    assert_eq!(switch(&partner, &id).await, not_yet);
    let correct = async |ends_on: &str| {
        let dates = json!({ "starts_on": "2020-01-01", "ends_on": ends_on, "reason": "Vertrag 7" });
        let body = ("application/json", dates.to_string().into_bytes());
        let path = "/api/v1/devices/5CG0000001/entitlements/premium";
        let answer = world.operator.send(reqwest::Method::PUT, path, Some(body)).await;
        assert_eq!(answer.status.as_u16(), 204, "{}", answer.text);
    };
    // One that is over by now lets nothing be off.
    correct("2021-01-01").await;
    assert_eq!(switch(&partner, &id).await, not_yet);
    correct("2031-01-01").await;
    assert_eq!(switch(&partner, &id).await, ("off".to_owned(), Value::Null));
    // Once: somebody who turns it on has it on.
    turn(&partner, &id, "on").await.expect(200);
    correct("2032-01-01").await;
    assert_eq!(switch(&partner, &id).await.0, "on");
}

#[rstest]
#[tokio::test]
async fn b42_partner_and_it_admin_turn_it_and_nobody_else(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "turners").await;
    let partner = partner(&world).await;
    let invited = partner.invited_customer("Werft Nord").await;
    let admin = world.token(Role::ItAdmin, Some(&invited)).await;
    assert_eq!(turn(&partner, &invited, "off").await.refused(409), "customer.not_open");
    admin.post(&format!("customers/{invited}/assigned-partner/accept"), json!({})).await.expect(200);
    send(&partner, "5CG0000002", &invited).await;
    turn(&admin, &invited, "off").await.expect(200);
    assert_eq!(switch(&partner, &invited).await.0, "off");
    turn(&partner, &invited, "on").await.expect(200);
    // A form that says neither turns nothing.
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let page = Portal::sign_in(&world, "one@example.com").await;
    let path = format!("/customers/{invited}/settings/notifications");
    assert_eq!(page.submit(&path, &[("to", "maybe")]).await.status.as_u16(), 422);
    assert_eq!(switch(&partner, &invited).await.0, "on");
    assert_eq!(page.submit(&path, &[("to", "off")]).await.status.as_u16(), 303);
    assert_eq!(switch(&partner, &invited).await.0, "off");
    assert_eq!(page.submit(&path, &[("to", "on")]).await.status.as_u16(), 303);
    for (role, whose) in [(Role::PartnerReadOnly, "R-1"), (Role::ReportAdmin, invited.as_str())] {
        let reader = world.token(role, Some(whose)).await;
        assert_eq!(turn(&reader, &invited, "off").await.refused(403), "forbidden");
        assert_eq!(switch(&reader, &invited).await.0, "on");
    }
    let stranger = world.partner("R-2").await;
    assert_eq!(turn(&stranger, &invited, "off").await.refused(404), "not_found");
    // A pool has no switch.
    let pool = world.operator.get("partners/R-1").await.expect(200)["holding_tenant"]["id"].clone();
    assert_eq!(turn(&partner, pool.as_str().unwrap(), "off").await.refused(404), "not_found");
    // In a tenant that the partner runs, it is the partner's alone.
    let run = partner.customer("Own").await;
    send(&partner, "5CG0000003", &run).await;
    let of_run = world.token(Role::ItAdmin, Some(&run)).await;
    assert_eq!(turn(&of_run, &run, "off").await.refused(409), "customer.partner_managed");
}

/// As many as a node has connections to PostgreSQL: if each held one and needed another, none would get on.
#[rstest]
#[tokio::test]
async fn many_switches_are_turned_at_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "switches").await;
    let partner = partner(&world).await;
    let a = partner.customer("A").await;
    send(&partner, "5CG0000002", &a).await;
    let turns: Vec<_> = (0..16)
        .map(|n| {
            let (partner, a) = (partner.clone(), a.clone());
            tokio::spawn(async move { turn(&partner, &a, if n % 2 == 0 { "off" } else { "on" }).await })
        })
        .collect();
    for turned in turns {
        turned.await.unwrap().expect(200);
    }
}
