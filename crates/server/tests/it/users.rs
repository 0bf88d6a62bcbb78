//! Users by invitation, roles, deactivation, a forgotten password: through real mails.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use roadstead_domain::access::{self, Role};
use roadstead_domain::ids::UserId;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::users;
use rstest::rstest;
use serde_json::{Value, json};

use crate::mails::Catcher;
use crate::sign_in::Portal;
use crate::world::{Answer, Client, PASSWORD, Page, World, browse};

const NEW_PASSWORD: &str = "another horse, another battery";

/// The path of the link in a mail.
fn link(world: &World, mail: &Value) -> String {
    let text = mail["text"].as_str().unwrap();
    let (_, rest) = text.split_once(&world.url).expect("a link to the platform");
    rest.split_whitespace().next().unwrap().to_owned()
}

fn token_of(link: &str) -> &str {
    link.split("token=").nth(1).unwrap().split('&').next().unwrap()
}

/// Takes an invitation as the page of its link does.
pub(crate) async fn accept(url: &str, link: &str, password: &str) -> Page {
    let form = [("token", token_of(link)), ("name", "Anna Beispiel"), ("password", password)];
    browse(url, "/invitation", &form, &[]).await
}

fn invitee(email: &str, role: &str) -> Value {
    json!({ "email": email, "name": "Anna", "role": role, "language": "de" })
}

async fn change(client: &Client, user: &str, change: Value) -> Answer {
    let body = Some(("application/json", change.to_string().into_bytes()));
    client.send(Method::PATCH, &format!("/api/v1/users/{user}"), body).await
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.send(Method::DELETE, &format!("/api/v1/{path}"), None).await
}

/// The id of a user of the caller's home.
async fn id_of(client: &Client, email: &str) -> String {
    let users = client.all("users").await;
    users.iter().find(|user| user["email"] == email).unwrap()["id"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn an_invitation_becomes_an_account_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "invite", catcher.config("")).await;
    let partner = world.partner("R-1").await;
    let mut body = invitee("anna@example.com", "partner_admin");
    body["for"] = "R-1".into();
    world.operator.post("invitations", body).await.expect(201);
    let mail = catcher.next().await;
    assert_eq!(mail["to"], json!(["anna@example.com"]));
    assert!(mail["headers"]["subject"].as_str().unwrap().contains("Partner R-1"), "{mail}");
    let link = link(&world, &mail);

    // Looking uses nothing up, however often.
    for _ in 0..2 {
        let page = world.nobody().send(Method::GET, &link, None).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("Partner R-1") && page.text.contains("anna@example.com"), "{}", page.text);
        assert!(page.text.contains("<html lang=\"de\">"));
    }
    let short = accept(&world.url, &link, "short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text.contains("Beispiel"), "what was typed in is kept");
    assert!(partner.all("users").await.is_empty());

    let tries = join_all((0..4).map(|_| accept(&world.url, &link, PASSWORD))).await;
    let accepted: Vec<&Page> = tries.iter().filter(|page| page.status == StatusCode::SEE_OTHER).collect();
    assert_eq!(accepted.len(), 1, "{:?}", tries.iter().map(|page| page.status).collect::<Vec<_>>());
    let portal = Portal::with_cookie(&world, accepted[0].session().unwrap());
    assert_eq!(portal.get("/unassigned-devices").await.status, StatusCode::OK);
    let again = world.nobody().send(Method::GET, &link, None).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);

    let users = partner.all("users").await;
    assert_eq!(users.len(), 1);
    assert_eq!((&users[0]["role"], &users[0]["active"]), (&json!("partner_admin"), &json!(true)));
    assert_eq!(users[0]["name"], "Anna Beispiel");
    Portal::sign_in(&world, "anna@example.com").await;
    let log = partner.all("audit-log").await;
    let done: Vec<&str> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(done.contains(&"user.invited") && done.contains(&"user.created"), "{done:?}");
}

#[tokio::test]
async fn a_link_of_one_node_opens_at_another_and_of_two_at_once_only_at_one() {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(Postgres, "invitenodes", catcher.config("")).await;
    let (other, _second) = world.second_node().await;
    let partner = world.partner("R-1").await;
    partner.post("invitations", invitee("anna@example.com", "partner_admin")).await.expect(201);
    let link = link(&world, &catcher.next().await);
    let page = world.nobody().at(&other).send(Method::GET, &link, None).await;
    assert_eq!(page.status, StatusCode::OK);
    let tries = (0..6).map(|n| accept(if n % 2 == 0 { &world.url } else { &other }, &link, PASSWORD));
    let tries: Vec<StatusCode> = join_all(tries).await.iter().map(|page| page.status).collect();
    assert_eq!(tries.iter().filter(|status| **status == StatusCode::SEE_OTHER).count(), 1, "{tries:?}");
    assert_eq!(partner.all("users").await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn an_invitation_ends_is_withdrawn_or_replaced(#[values(Sqlite, Postgres)] kind: Kind) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "inviteends", catcher.config("")).await;
    let partner = world.partner("R-1").await;
    partner.post("invitations", invitee("anna@example.com", "partner_admin")).await.expect(201);
    let first = link(&world, &catcher.next().await);
    let second =
        partner.post("invitations", invitee("Anna@Example.com", "partner_read_only")).await.expect(201);
    let replaced = link(&world, &catcher.next().await);
    assert_eq!(accept(&world.url, &first, PASSWORD).await.status, StatusCode::NOT_FOUND);
    assert_eq!(partner.all("invitations").await.len(), 1);

    let id = second["id"].as_str().unwrap();
    let neighbour = world.partner("R-2").await;
    assert_eq!(delete(&neighbour, &format!("invitations/{id}")).await.refused(404), "not_found");
    assert_eq!(delete(&partner, &format!("invitations/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(accept(&world.url, &replaced, PASSWORD).await.status, StatusCode::NOT_FOUND);

    partner.post("invitations", invitee("anna@example.com", "partner_admin")).await.expect(201);
    let old = link(&world, &catcher.next().await);
    world.clock.step_seconds(7 * 24 * 3600);
    assert_eq!(accept(&world.url, &old, PASSWORD).await.status, StatusCode::NOT_FOUND);
}

#[rstest]
#[tokio::test]
async fn an_account_elsewhere_is_told_to_the_mailbox_alone(#[values(Sqlite, Postgres)] kind: Kind) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "elsewhere", catcher.config("")).await;
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    world.user("two@example.com", Role::PartnerAdmin, Some("R-2")).await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let foreign = partner.post("invitations", invitee("two@example.com", "partner_admin")).await;
    let unknown = partner.post("invitations", invitee("new@example.com", "partner_admin")).await;
    assert_eq!((foreign.status, unknown.status), (StatusCode::CREATED, StatusCode::CREATED));
    let own = partner.post("invitations", invitee("one@example.com", "partner_admin")).await;
    assert_eq!(own.refused(409), "field.taken");
    for _ in 0..2 {
        let mail = catcher.next().await;
        let link = link(&world, &mail);
        let page = accept(&world.url, &link, PASSWORD).await;
        let expected = if mail["to"] == json!(["two@example.com"]) { 409 } else { 303 };
        assert_eq!(page.status.as_u16(), expected, "{}", page.text);
    }
    // Nobody of another home can be looked at or changed, and an unknown one looks the same.
    let two = id_of_all(&world, "two@example.com").await;
    let unknown = "01a20000-0000-7000-8000-000000000000";
    for body in [json!({ "active": false }), json!({ "role": "nonsense" })] {
        let mut foreign = change(&partner, &two, body.clone()).await.expect(404);
        let mut missing = change(&partner, unknown, body).await.expect(404);
        foreign["request_id"] = Value::Null;
        missing["request_id"] = Value::Null;
        assert_eq!(foreign, missing);
    }
    let reset = partner.post(&format!("users/{two}/password-reset"), json!({})).await;
    assert_eq!(reset.refused(404), "not_found");
    assert_eq!(partner.get("users?for=R-2").await.refused(422), "field.not_allowed");
    assert_eq!(world.operator.all("users?for=R-2").await.len(), 1);
}

async fn id_of_all(world: &World, email: &str) -> String {
    let scope = access::system();
    let mut tx = world.app.store.read(&scope).await.unwrap();
    users::for_sign_in(&mut tx, email).await.unwrap().unwrap().id.to_string()
}

#[rstest]
#[tokio::test]
async fn a_password_that_is_changed_while_it_is_checked_opens_nothing(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "changedmeanwhile").await;
    let _partner = world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let mut tx = world.app.store.write(&access::system()).await.unwrap();
    let user = users::for_sign_in(&mut tx, "one@example.com").await.unwrap().unwrap();
    let id = UserId(user.id);
    assert!(users::still_has(&mut tx, id, &user.password_hash).await.unwrap());
    users::set_password(&mut tx, id, "another").await.unwrap();
    assert!(!users::still_has(&mut tx, id, &user.password_hash).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn the_last_admin_of_a_home_stays(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "lastadmin").await;
    let partner = world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("reader@example.com", Role::PartnerReadOnly, Some("R-1")).await;
    let (one, reader) =
        (id_of(&partner, "one@example.com").await, id_of(&partner, "reader@example.com").await);
    for body in [json!({ "active": false }), json!({ "role": "partner_read_only" })] {
        assert_eq!(change(&partner, &one, body.clone()).await.refused(409), "user.last_admin");
        assert_eq!(change(&world.operator, &one, body).await.refused(409), "user.last_admin");
    }
    assert_eq!(
        change(&partner, &one, json!({ "role": "operator" })).await.refused(422),
        "field.unknown_value"
    );
    change(&partner, &reader, json!({ "role": "partner_admin" })).await.expect(200);
    // Two admins who remove each other at the same moment do not both succeed.
    for _ in 0..5 {
        let off = json!({ "active": false });
        let (a, b) = tokio::join!(change(&partner, &one, off.clone()), change(&partner, &reader, off));
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        for user in [&one, &reader] {
            change(&partner, user, json!({ "active": true })).await.expect(200);
        }
    }
    let read_only = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(read_only.get("users").await.refused(403), "forbidden");
    assert_eq!(change(&read_only, &one, json!({ "active": false })).await.refused(403), "forbidden");
}

#[rstest]
#[tokio::test]
async fn who_is_deactivated_is_signed_out_everywhere(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "deactivate").await;
    let partner = world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("two@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "two@example.com").await;
    let two = id_of(&partner, "two@example.com").await;
    assert_eq!(portal.get("/unassigned-devices").await.status, StatusCode::OK);
    change(&partner, &two, json!({ "active": false })).await.expect(200);
    assert_eq!(portal.get("/unassigned-devices").await.status, StatusCode::SEE_OTHER);
    let form = [("email", "two@example.com"), ("password", PASSWORD)];
    assert_eq!(browse(&world.url, "/sign-in", &form, &[]).await.status, StatusCode::UNAUTHORIZED);
    let reset = partner.post(&format!("users/{two}/password-reset"), json!({})).await;
    assert_eq!(reset.refused(409), "user.deactivated");
    change(&partner, &two, json!({ "active": true })).await.expect(200);
    assert_eq!(
        portal.get("/unassigned-devices").await.status,
        StatusCode::SEE_OTHER,
        "the old session stays ended"
    );
    Portal::sign_in(&world, "two@example.com").await;
}

#[rstest]
#[tokio::test]
async fn a_forgotten_password_is_reset_by_mail_and_nobody_learns_who_has_an_account(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "reset", catcher.config("")).await;
    world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let ask = async |email: &str| {
        let page = browse(&world.url, "/password-reset", &[("email", email)], &[]).await;
        (page.status, page.text.replace(email, "somebody"))
    };
    let known = ask("one@example.com").await;
    assert_eq!(known.0, StatusCode::OK);
    assert_eq!(known, ask("nobody@example.com").await);
    let mail = catcher.next().await;
    assert_eq!(mail["to"], json!(["one@example.com"]));
    let link = link(&world, &mail);
    assert_eq!(world.nobody().send(Method::GET, &link, None).await.status, StatusCode::OK);
    let choose = async |password: &str| {
        let form = [("token", token_of(&link)), ("password", password)];
        browse(&world.url, "/password-reset/new", &form, &[]).await
    };
    assert_eq!(choose("short").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(portal.get("/unassigned-devices").await.status, StatusCode::OK, "nothing has changed yet");
    let tries = join_all((0..4).map(|_| choose(NEW_PASSWORD))).await;
    assert_eq!(tries.iter().filter(|page| page.status == StatusCode::SEE_OTHER).count(), 1);
    assert_eq!(portal.get("/unassigned-devices").await.status, StatusCode::SEE_OTHER, "signed out elsewhere");
    let sign_in = async |password: &str| {
        browse(&world.url, "/sign-in", &[("email", "one@example.com"), ("password", password)], &[])
            .await
            .status
    };
    assert_eq!(sign_in(PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(NEW_PASSWORD).await, StatusCode::SEE_OTHER);
    // A mailbox is not to be filled by others; an unknown address is paused alike.
    for email in ["one@example.com", "nobody@example.com"] {
        assert_eq!(ask(email).await.0, StatusCode::OK);
        assert_eq!(ask(email).await.0, StatusCode::TOO_MANY_REQUESTS);
    }
}

#[rstest]
#[tokio::test]
async fn a_list_of_people_is_previewed_and_invited_and_has_its_bounds(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "invitelist").await;
    let partner = world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    partner.post("invitations", invitee("open@example.com", "partner_admin")).await.expect(201);
    let list = "E-Mail;Name;Rolle;Sprache\n\
                anna@example.com;Anna;Partneradministration;de\n\
                one@example.com;Eins;partner_admin;\n\
                open@example.com;Offen;Partner, nur lesend;en\n\
                kaputt;Karl;partner_admin;\n\
                ANNA@example.com;Anna;partner_admin;\n\
                ben@example.com;;partner_admin;\n\
                cara@example.com;Cara;boss;\n";
    let send = async |query: &str, list: Vec<u8>| {
        partner
            .send(Method::POST, &format!("/api/v1/invitations/list{query}"), Some(("text/csv", list)))
            .await
    };
    let preview = send("?validate_only=true", list.into()).await.expect(200);
    let verdicts: Vec<&str> =
        preview["lines"].as_array().unwrap().iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(
        verdicts,
        [
            "invited",
            "field.taken",
            "invited_again",
            "field.not_an_address",
            "invitation.twice",
            "field.missing",
            "field.unknown_value"
        ]
    );
    assert_eq!((&preview["invited"], &preview["refused"]), (&json!(2), &json!(5)));
    assert_eq!(partner.all("invitations").await.len(), 1, "a preview invites nobody");
    assert_eq!(send("", list.into()).await.expect(200), preview);
    assert_eq!(partner.all("invitations").await.len(), 2);

    let people = |from: usize, count: usize| -> Vec<u8> {
        let lines: String =
            (from..from + count).map(|n| format!("p{n}@example.com,Person,partner_admin\n")).collect();
        format!("email,name,role\n{lines}").into_bytes()
    };
    assert_eq!(send("", people(0, 10_000)).await.refused(422), "invitation.too_many");
    assert_eq!(send("", people(0, 500)).await.expect(200)["invited"], 500);
    assert_eq!(send("", people(500, 498)).await.expect(200)["invited"], 498);
    assert_eq!(send("", people(998, 1)).await.refused(409), "invitation.too_many_open");
    let one_more = partner.post("invitations", invitee("late@example.com", "partner_admin")).await;
    assert_eq!(one_more.refused(409), "invitation.too_many_open");
    assert_eq!(send("", people(0, 500)).await.expect(200)["invited"], 500, "again is not more");
    assert_eq!(partner.all("invitations").await.len(), 1000);
    assert_eq!(send("", b"email,name\n\xff\xfe".to_vec()).await.refused(422), "invitation.list_not_utf_8");
}

#[tokio::test]
async fn only_hashes_of_links_are_kept_once_their_mails_are_sent() {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(Sqlite, "hashes", catcher.config("")).await;
    world.user("one@example.com", Role::Operator, None).await;
    world.operator.post("invitations", invitee("anna@example.com", "operator")).await.expect(201);
    let first = link(&world, &catcher.next().await);
    browse(&world.url, "/password-reset", &[("email", "one@example.com")], &[]).await;
    let second = link(&world, &catcher.next().await);
    crate::world::eventually("both are noted as sent", async || {
        let list = world.operator.get("mails").await.expect(200);
        (list["queued"] == 0).then_some(())
    })
    .await;
    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    assert_eq!(tx.number("SELECT COUNT(*) FROM mails WHERE link IS NOT NULL", vec![]).await.unwrap(), 0);
    for (table, link) in [("invitations", first), ("password_resets", second)] {
        let hash = roadstead_server::flows::tokens::hash(token_of(&link));
        let sql = match table {
            "invitations" => "SELECT COUNT(*) FROM invitations WHERE secret_hash = $1",
            _ => "SELECT COUNT(*) FROM password_resets WHERE secret_hash = $1",
        };
        let known = tx.number(sql, vec![roadstead_store::engine::Arg::from(hash)]).await.unwrap();
        assert_eq!(known, 1, "{table}");
    }
}
