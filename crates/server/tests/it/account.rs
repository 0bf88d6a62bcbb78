//! One's own account, the log of one's home, and the operator's tokens.

use reqwest::{Method, StatusCode};
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::sign_in::Portal;
use crate::world::{PASSWORD, World, browse, csv};

/// The secret that forms of this page carry.
async fn csrf(portal: &Portal) -> String {
    let page = portal.get("/account").await.text;
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form with its secret");
    rest.split('"').next().unwrap().to_owned()
}

/// The ids of the sessions on the page, in its order.
async fn sessions(portal: &Portal) -> Vec<String> {
    let page = portal.get("/account").await.text;
    page.split("/account/sessions/")
        .skip(1)
        .map(|rest| rest.split('/').next().unwrap())
        .filter(|id| id.len() == 36)
        .map(|id| id.split('"').next().unwrap().to_owned())
        .collect()
}

#[rstest]
#[tokio::test]
async fn a_profile_changes_how_times_and_days_are_written(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "profile").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let page = portal.get("/unassigned-devices").await.text;
    assert!(page.contains("22 Nov 2026, 12:00") && page.contains(">UTC<"), "{page}");
    let secret = csrf(&portal).await;
    let form =
        |zone: &str| format!("csrf={secret}&name=Anna+Neu&language=de&time_zone={zone}&date_format=iso");
    let refused = portal.post("/account/profile", &form("Nowhere/Land"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("Anna Neu") && refused.text.contains("aria-invalid"));
    let saved = portal.post("/account/profile", &form("Asia%2FTokyo"), &[]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    let page = portal.get("/unassigned-devices").await.text;
    assert!(page.contains("<html lang=\"de\">") && page.contains("Anna Neu"));
    assert!(page.contains("2026-11-22, 21:00") && page.contains("Asia/Tokyo"), "{page}");
    // The interface speaks UTC as before.
    let token = world.token(Role::PartnerAdmin, Some("R-1")).await;
    assert_eq!(token.get("profile").await.refused(404), "not_found");
    assert_eq!(token.get("sessions").await.refused(404), "not_found");
}

#[rstest]
#[tokio::test]
async fn my_sessions_are_mine_to_end(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "sessions").await;
    world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerReadOnly, Some("R-1")).await;
    world.user("two@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let here = Portal::sign_in(&world, "one@example.com").await;
    let there = Portal::sign_in(&world, "one@example.com").await;
    let third = Portal::sign_in(&world, "one@example.com").await;
    let stranger = Portal::sign_in(&world, "two@example.com").await;
    let open = async |portal: &Portal| portal.get("/unassigned-devices").await.status == StatusCode::OK;
    let listed = sessions(&here).await;
    assert_eq!(listed.len(), 3, "{listed:?}");
    // Newest first: the third, the second, this one.
    let end = async |portal: &Portal, id: &str| {
        let body = format!("csrf={}", csrf(portal).await);
        portal.post(&format!("/account/sessions/{id}/end"), &body, &[]).await.status
    };
    assert_eq!(end(&stranger, &listed[1]).await, StatusCode::NOT_FOUND);
    assert!(open(&there).await);
    assert_eq!(end(&here, &listed[1]).await, StatusCode::SEE_OTHER);
    assert!(!open(&there).await && open(&third).await && open(&here).await);
    let body = format!("csrf={}", csrf(&here).await);
    here.post("/account/sessions/end-others", &body, &[]).await;
    assert!(!open(&third).await && open(&here).await && open(&stranger).await);
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_the_present_one() {
    let world = World::start(Sqlite, "password2").await;
    world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let here = Portal::sign_in(&world, "one@example.com").await;
    let there = Portal::sign_in(&world, "one@example.com").await;
    let secret = csrf(&here).await;
    let change = async |present: &str, new: &str| {
        let form = format!("csrf={secret}&present_password={present}&password={new}");
        here.post("/account/password", &form.replace(' ', "+"), &[]).await.status
    };
    assert_eq!(
        change("wrong password wrong", "another horse another").await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(change(PASSWORD, "short").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(change(PASSWORD, "another horse another").await, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/unassigned-devices").await.status, StatusCode::OK, "this browser stays signed in");
    assert_eq!(there.get("/unassigned-devices").await.status, StatusCode::SEE_OTHER);
    let sign_in = async |password: &str| {
        browse(&world.url, "/sign-in", &[("email", "one@example.com"), ("password", password)], &[])
            .await
            .status
    };
    assert_eq!(sign_in(PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in("another horse another").await, StatusCode::SEE_OTHER);
}

#[rstest]
#[tokio::test]
async fn a_log_is_filtered_and_exported_by_its_own_home(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "logs").await;
    let partner = world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    world.clock.step_seconds(24 * 3600);
    let again = Portal::sign_in(&world, "one@example.com").await;
    let count = async |query: &str| partner.all(&format!("audit-log?{query}")).await.len();
    let all = count("").await;
    assert_eq!(count("action=session.signed_in").await, 2);
    assert_eq!(count("action=session.signed_in&until=2026-11-22").await, 1);
    assert_eq!(count("action=session.signed_in&from=2026-11-23").await, 1);
    assert_eq!(count("from=2026-11-23T12:00:00Z&until=2026-11-22").await, 0);
    let user = partner.all("users").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(count(&format!("actor={user}")).await, 2);
    assert_eq!(count(&format!("actor={user}&action=user.created")).await, 0);
    assert_eq!(partner.get("audit-log?actor=x").await.refused(422), "field.unknown_value");
    assert_eq!(partner.get("audit-log?from=soon").await.refused(422), "field.not_a_date");
    let named: Vec<Value> = partner.all("audit-log?action=session.signed_in").await;
    assert_eq!(named[0]["actor_name"], "Test Person");
    let export = partner.get("audit-log?format=csv&action=session.signed_in").await;
    assert_eq!(export.text.lines().count(), 3, "{}", export.text);
    let whole = partner.get("audit-log?format=csv").await;
    assert_eq!(whole.text.lines().count(), all + 1);

    let page = again.get("/settings/logs?action=session.signed_in").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.text.matches("<tr>").count(), 3, "{}", page.text);
    assert!(page.text.contains("format=csv&#38;action=session.signed_in"), "{}", page.text);
    world.user("reader@example.com", Role::PartnerReadOnly, Some("R-1")).await;
    let reader = Portal::sign_in(&world, "reader@example.com").await;
    assert_eq!(reader.get("/settings/logs").await.status, StatusCode::FORBIDDEN);
    assert_eq!(reader.get("/settings/users").await.status, StatusCode::FORBIDDEN);
    assert_eq!(reader.get("/settings").await.status, StatusCode::NOT_FOUND);
    assert_eq!(reader.get("/account").await.status, StatusCode::OK);
    drop(portal);
}

#[rstest]
#[tokio::test]
async fn the_operator_makes_tokens_sees_their_use_and_revokes_them(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "tokens").await;
    let partner = world.partner("R-1").await;
    let new = json!({ "name": "monitor", "role": "partner_read_only", "for": "R-1" });
    let made = world.operator.post("tokens", new).await.expect(201);
    let client = world.with_token(made["token"].as_str().unwrap());
    assert_eq!(client.pool().await, [] as [String; 0]);
    let id = made["id"].as_str().unwrap();
    let listed = async || {
        let tokens = world.operator.all("tokens").await;
        tokens.into_iter().find(|token| token["id"] == id).unwrap()
    };
    crate::world::eventually("its use is noted", async || {
        (!listed().await["used_at"].is_null()).then_some(())
    })
    .await;
    assert!(!world.operator.get("tokens").await.text.contains(made["token"].as_str().unwrap()));
    let revoke = async || world.operator.send(Method::DELETE, &format!("/api/v1/tokens/{id}"), None).await;
    assert_eq!(revoke().await.status, StatusCode::NO_CONTENT);
    assert_eq!(client.get("unassigned-devices").await.refused(401), "unauthenticated");
    assert_eq!(revoke().await.refused(404), "not_found");
    assert!(!listed().await["revoked_at"].is_null());
    assert_eq!(partner.get("tokens").await.refused(404), "not_found");
    let odd = json!({ "name": "x", "role": "partner_admin", "for": "R-9" });
    assert_eq!(world.operator.post("tokens", odd).await.refused(422), "partner.unknown");
}
