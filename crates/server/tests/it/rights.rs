//! The golden matrix of rights: who may do what with which kind of tenant, as the API answers. Whoever changes a cell
//! reads it as a reviewer would.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::world::{Client, World, csv};

/// What is tried with a tenant. A body that cannot be right tells a right from its use: a role that may is told what is
/// wrong with it (422), before any tenant is looked for, so that it learns nothing of one that is not its own.
const ACTIONS: &[(&str, &str, &str, &str)] = &[
    ("read", "GET", "customers/{id}", ""),
    ("disable", "PATCH", "customers/{id}", "{}"),
    ("its PCs", "GET", "customers/{id}/devices", ""),
    ("its switch", "GET", "customers/{id}/notification-settings", ""),
    ("turn the switch", "PATCH", "customers/{id}/notification-settings", r#"{"self_service":"loud"}"#),
    ("its partner", "GET", "customers/{id}/assigned-partner", ""),
    ("its access", "PATCH", "customers/{id}/assigned-partner", r#"{"access":"ajar"}"#),
    ("arrivals", "GET", "customers/{id}/arrivals", ""),
    ("decline arrivals", "POST", "customers/{id}/arrivals/decline", r#"{"serials":[],"reason":""}"#),
    ("its cPINs", "GET", "customers/{id}/cpins", ""),
    ("make a cPIN", "POST", "customers/{id}/cpins", r#"{"most_uses":-1}"#),
    ("move there", "POST", "transfers", r#"{"items":[{"serial":"5CG0000001","to":"{id}"}]}"#),
];

async fn tried(client: &Client, action: &(&str, &str, &str, &str), id: &str) -> String {
    let (_, method, path, body) = action;
    let method: Method = method.parse().unwrap();
    let body = (!body.is_empty()).then(|| ("application/json", body.replace("{id}", id).into_bytes()));
    let answer = client.send(method, &format!("/api/v1/{}", path.replace("{id}", id)), body).await;
    let status = answer.status.as_u16().to_string();
    if *path != "transfers" || status != "201" {
        return status;
    }
    // A preview is always answered; what counts is whether the row could be moved.
    let row = &answer.json()["items"][0];
    let reason = row["reasons"][0]["code"].as_str().unwrap_or_default();
    format!("{} {reason}", row["verdict"].as_str().unwrap()).trim_end().to_owned()
}

#[rstest]
#[tokio::test]
async fn golden_rights_role_by_action_by_kind_of_tenant(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "rights").await;
    let partner = world.partner("R-1").await;
    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    let neighbour = world.partner("R-2").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let other = neighbour.customer("Next Door").await;
    let stranger = world.token(Role::ItAdmin, Some(&other)).await;

    let run = partner.customer("Run By The Partner").await;
    let invited = partner.invited_customer("Invited").await;
    let accepted = partner.invited_customer("Accepted").await;
    let closed = partner.invited_customer("Closed").await;
    let ended = partner.invited_customer("Ended").await;
    let disabled = partner.invited_customer("Disabled").await;
    for id in [&accepted, &closed, &ended, &disabled] {
        let admin = world.token(Role::ItAdmin, Some(id)).await;
        admin.post(&format!("customers/{id}/assigned-partner/accept"), json!({})).await.expect(200);
    }
    let admin = world.token(Role::ItAdmin, Some(&closed)).await;
    admin
        .patch(&format!("customers/{closed}/assigned-partner"), json!({ "access": "closed" }))
        .await
        .expect(200);
    let admin = world.token(Role::ItAdmin, Some(&ended)).await;
    admin.post(&format!("customers/{ended}/assigned-partner/end"), json!({})).await.expect(200);
    partner.patch(&format!("customers/{disabled}"), json!({ "disabled": true })).await.expect(200);

    let mut table = String::new();
    for (name, id) in [
        ("partner-run", run),
        ("invited", invited),
        ("accepted", accepted),
        ("closed", closed),
        ("ended", ended),
        ("disabled", disabled),
    ] {
        let own = world.token(Role::ItAdmin, Some(&id)).await;
        let own_reader = world.token(Role::ReportAdmin, Some(&id)).await;
        let callers = [
            ("operator", &world.operator),
            ("distributor", &distributor),
            ("partner admin", &partner),
            ("partner reader", &reader),
            ("another partner", &neighbour),
            ("its IT admin", &own),
            ("its report admin", &own_reader),
            ("another's IT admin", &stranger),
            ("nobody", &world.nobody()),
        ];
        for action in ACTIONS {
            table += &format!("{name}, {}:", action.0);
            for (who, client) in callers {
                table += &format!(" {who} {};", tried(client, action, &id).await);
            }
            table += "\n";
        }
    }
    let golden = include_str!("rights.txt");
    if table != golden {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/rights.txt"), &table).unwrap();
    }
    assert_eq!(table, golden, "what the API answers is in target/rights.txt");
}
