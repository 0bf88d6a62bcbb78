//! Customer tenants: created by partners, accepted by customers, ended and asked anew.

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_server::flows;
use roadstead_server::flows::users::NewUser;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::mails::Catcher;
use crate::sign_in::Portal;
use crate::users::accept;
use crate::world::{PASSWORD, World, csv};

#[rstest]
#[tokio::test]
async fn b36_the_partner_itself_creates_a_customer_tenant(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b36").await;
    let partner = world.partner("R-1").await;
    let id = partner.invited_customer("Werft Nord").await;
    let found = partner.get(&format!("customers/{id}")).await.expect(200);
    assert_eq!(found["name"], "Werft Nord");
    assert_eq!(found["assigned_partner"]["state"], "invited");
    let number = found["customer_id"].as_str().unwrap();
    assert!(number.starts_with("C-") && number.len() == 11, "{number}");
    assert_eq!(partner.get(&format!("customers/{number}")).await.expect(200)["id"], id.as_str());
    // Until the customer has accepted, the partner may not look in.
    assert_eq!(partner.get(&format!("customers/{id}/devices")).await.refused(403), "customer.not_open");
    assert_eq!(found["devices"], json!(null));

    let admin = world.token(Role::ItAdmin, Some(number)).await;
    let accept = format!("customers/{id}/assigned-partner/accept");
    let answer = admin.post(&accept, json!({})).await.expect(200);
    assert_eq!((&answer["state"], &answer["name"]), (&json!("accepted"), &json!("Partner R-1")));
    assert_eq!(admin.post(&accept, json!({})).await.refused(409), "customer.nothing_to_answer");
    assert_eq!(partner.get(&format!("customers/{id}/devices")).await.expect(200)["items"], json!([]));
    for log in [&partner, &admin] {
        let actions = log.all("audit-log").await;
        assert!(actions.iter().any(|entry| entry["action"] == "assigned_partner.changed"), "{actions:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_plan_is_limited_to_what_the_partner_is_certified_for(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "plans").await;
    let partner = world.partner("R-1").await;
    let body = |plan: &str| json!({ "name": "A", "address": "B", "city": "C", "postal_code": "D", "plan": plan, "management": "partner" });
    let refused = partner.post("customers", body("premium")).await;
    assert_eq!(refused.refused(422), "customer.plan_not_certified");
    partner.post("customers", body("premium_plus")).await.expect(201);
    world.newcomer("R-2").await;
    let newcomer = world.token(Role::PartnerAdmin, Some("R-2")).await;
    let refused = newcomer.post("customers", body("premium_plus")).await;
    assert_eq!(refused.refused(409), "customer.partner_not_qualified");
    for (field, body) in [
        ("/name", json!({ "plan": "premium_plus" })),
        ("/plan", json!({ "name": "A" })),
        (
            "/admin/email",
            json!({
                "name": "A", "address": "B", "city": "C", "postal_code": "D", "plan": "premium_plus",
                "admin": { "first_name": "A", "last_name": "B", "email": "nobody" }
            }),
        ),
    ] {
        let refused = partner.post("customers", body).await.expect(422);
        let told = refused["errors"][0]["field"].as_str().unwrap();
        assert_eq!(told.replace('.', "/"), field.trim_start_matches('/'), "{refused}");
    }
    assert_eq!(partner.all("customers").await.len(), 1, "nothing was half done");
}

/// What a page has chosen for the self-service switch.
fn chosen(page: &str) -> Option<&'static str> {
    ["default", "off_when_allowed"]
        .into_iter()
        .find(|code| page.contains(&format!("<option value=\"{code}\" selected>")))
}

#[rstest]
#[tokio::test]
async fn the_form_preselects_off_when_allowed_where_the_partner_runs_the_tenant(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "preset").await;
    let partner = world.partner("R-1").await;
    world.user("admin@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "admin@example.com").await;
    let company = [("name", "Werft"), ("address", "Kaiweg 1"), ("city", "Kiel"), ("postal_code", "24103")];
    let send = async |more: &[(&str, &str)]| {
        portal.submit_from("/customers/new", "/customers/new", &[&company[..], more].concat()).await
    };
    let step_two = send(&[("step", "1"), ("management", "customer")]).await.text;
    assert_eq!(chosen(&step_two), Some("default"), "{step_two}");
    let run = ("management", "partner");
    let step_two = send(&[("step", "1"), run]).await.text;
    assert_eq!(chosen(&step_two), Some("off_when_allowed"), "{step_two}");
    // What was chosen otherwise stays on the way back, what was preselected goes by the management.
    for (sent, kept) in [("off_when_allowed", ""), ("default", "default")] {
        let back = [("step", "2"), ("back", "1"), run, ("self_service", sent)];
        let step_one = send(&back).await.text;
        let hidden = format!("name=\"self_service\" value=\"{kept}\"");
        assert!(step_one.contains(&hidden), "{sent}: {step_one}");
    }
    let plan = ("plan", "premium_plus");
    let wrong = send(&[("step", "2"), run, plan, ("self_service", "loud")]).await;
    assert_eq!(wrong.status.as_u16(), 422, "{}", wrong.text);
    let sent = send(&[("step", "2"), run, plan, ("self_service", "off_when_allowed")]).await;
    assert_eq!(sent.status.as_u16(), 303, "{}", sent.text);
    assert_eq!(partner.all("customers").await[0]["self_service"], "off_when_allowed");
    // By API it is said, or it is the default.
    let id = partner.customer("By API").await;
    assert_eq!(partner.get(&format!("customers/{id}")).await.expect(200)["self_service"], "default");
}

#[rstest]
#[tokio::test]
async fn a_customers_identity_provider_is_shown(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "identity_provider").await;
    let partner = world.partner("R-1").await;
    world.user("admin@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let body = json!({
        "name": "Werft", "address": "Kaiweg 1", "city": "Kiel", "postal_code": "24103", "plan": "premium_plus",
        "admin": {
            "first_name": "Inga", "last_name": "Boje", "email": "inga@example.com", "identity_provider": "Kiel SSO",
        },
    });
    let id = partner.post("customers", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let found = partner.get(&format!("customers/{id}")).await.expect(200);
    assert_eq!(found["admin"]["identity_provider"], "Kiel SSO");
    let portal = Portal::sign_in(&world, "admin@example.com").await;
    let overview = portal.get(&format!("/customers/{id}/settings")).await.text;
    assert!(overview.contains("<dd>Kiel SSO</dd>"), "{overview}");
}

#[rstest]
#[tokio::test]
async fn d18_a_customer_ends_its_partner_and_asks_another(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "d18").await;
    let (first, second) = (world.partner("R-1").await, world.partner("R-2").await);
    let id = first.invited_customer("Werft Nord").await;
    let admin = world.token(Role::ItAdmin, Some(&id)).await;
    let step = |step: &str| format!("customers/{id}/assigned-partner/{step}");
    admin.post(&step("accept"), json!({})).await.expect(200);
    let asked = json!({ "partner_number": "R-2" });
    assert_eq!(
        admin.post(&step("ask"), json!({ "partner_number": "R-9" })).await.refused(422),
        "customer.partner_unknown"
    );
    assert_eq!(admin.post(&step("ask"), asked).await.expect(200)["state"], "requested");
    first.get(&format!("customers/{id}")).await.refused(404);
    assert_eq!(first.post(&step("accept"), json!({})).await.refused(404), "not_found");
    assert_eq!(second.post(&step("accept"), json!({})).await.expect(200)["state"], "accepted");
    assert_eq!(second.post(&step("end"), json!({})).await.refused(409), "customer.no_partner");
    assert_eq!(admin.post(&step("end"), json!({})).await.expect(200)["state"], "ended");
    second.get(&format!("customers/{id}")).await.refused(404);

    let own = second.customer("Own").await;
    let of_own = world.token(Role::ItAdmin, Some(&own)).await;
    let end = of_own.post(&format!("customers/{own}/assigned-partner/end"), json!({})).await;
    assert_eq!(end.refused(409), "customer.partner_managed");
}

#[rstest]
#[tokio::test]
async fn a_customer_closes_its_tenant_to_the_partner(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "access").await;
    let partner = world.partner("R-1").await;
    let id = partner.invited_customer("Werft Nord").await;
    let admin = world.token(Role::ItAdmin, Some(&id)).await;
    admin.post(&format!("customers/{id}/assigned-partner/accept"), json!({})).await.expect(200);
    let path = format!("customers/{id}/assigned-partner");
    let closed = admin.patch(&path, json!({ "access": "closed" })).await.expect(200);
    assert_eq!((&closed["state"], &closed["access"]), (&json!("accepted"), &json!("closed")));
    assert_eq!(partner.get(&format!("customers/{id}/devices")).await.refused(403), "customer.not_open");
    partner.patch(&path, json!({ "access": "open" })).await.refused(404);
    let reader = world.token(Role::ReportAdmin, Some(&id)).await;
    assert_eq!(reader.patch(&path, json!({ "access": "open" })).await.refused(403), "forbidden");
    admin.patch(&path, json!({ "access": "open" })).await.expect(200);
    partner.get(&format!("customers/{id}/devices")).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn who_may_not_take_a_step_is_told_the_same_by_page_and_by_api(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "may_not_step").await;
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    let id = partner.invited_customer("Werft Nord").await;
    // Status of a step, and of opening the tenant to the partner.
    for (role, whose, step, access) in [
        (Role::PartnerReadOnly, Some("R-1"), 403, 404),
        (Role::ReportAdmin, Some(id.as_str()), 403, 403),
        (Role::PartnerAdmin, Some("R-2"), 404, 404),
        (Role::Operator, None, 404, 404),
    ] {
        let email = format!("{}@example.com", role.as_str());
        world.user(&email, role, whose).await;
        let portal = Portal::sign_in(&world, &email).await;
        let client = world.token(role, whose).await;
        let page = format!("/customers/{id}/settings/assigned-partner");
        for taken in ["accept", "decline", "end", "ask"] {
            let by_page = portal.submit_from("/account", &format!("{page}/{taken}"), &[]).await;
            let by_api = client.post(&format!("customers/{id}/assigned-partner/{taken}"), json!({})).await;
            let answered = (by_page.status.as_u16(), by_api.status.as_u16());
            assert_eq!(answered, (step, step), "{email}, {taken}: {}", by_page.text);
        }
        let open = [("access", "open")];
        let by_page = portal.submit_from("/account", &format!("{page}/access"), &open).await;
        let by_api =
            client.patch(&format!("customers/{id}/assigned-partner"), json!({ "access": "open" })).await;
        let answered = (by_page.status.as_u16(), by_api.status.as_u16());
        assert_eq!(answered, (access, access), "{email}: {}", by_page.text);
    }
    let found = partner.get(&format!("customers/{id}")).await.expect(200);
    assert_eq!(found["assigned_partner"]["state"], "invited");
}

#[rstest]
#[tokio::test]
async fn the_partner_disables_a_customer_that_it_manages(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "disable").await;
    let (partner, neighbour) = (world.partner("R-1").await, world.partner("R-2").await);
    let id = partner.invited_customer("Werft Nord").await;
    let (path, disable) = (format!("customers/{id}"), json!({ "disabled": true }));
    let admin = world.token(Role::ItAdmin, Some(&id)).await;
    // It is the customer's word first.
    assert_eq!(partner.patch(&path, disable.clone()).await.refused(403), "customer.not_open");
    admin.post(&format!("{path}/assigned-partner/accept"), json!({})).await.expect(200);
    admin.patch(&format!("{path}/assigned-partner"), json!({ "access": "closed" })).await.expect(200);
    assert_eq!(partner.patch(&path, disable.clone()).await.refused(403), "customer.not_open");
    admin.patch(&format!("{path}/assigned-partner"), json!({ "access": "open" })).await.expect(200);

    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(reader.patch(&path, disable.clone()).await.refused(403), "forbidden");
    for stranger in [&admin, &neighbour, &world.operator] {
        assert_eq!(stranger.patch(&path, disable.clone()).await.refused(404), "not_found");
    }
    let missing = partner.patch(&path, json!({})).await.expect(422);
    assert_eq!(
        (&missing["code"], &missing["errors"][0]["field"]),
        (&json!("field.missing"), &json!("disabled"))
    );
    assert_eq!(admin.get(&path).await.expect(200)["disabled"], false);

    // Said twice it is done once, and both logs name who did it.
    for _ in 0..2 {
        assert_eq!(partner.patch(&path, disable.clone()).await.expect(200)["disabled"], true);
    }
    for log in [&partner, &admin] {
        let log = log.all("audit-log").await;
        let told: Vec<_> = log.iter().filter(|entry| entry["action"] == "customer.disabled").collect();
        assert_eq!(told.len(), 1, "{log:?}");
        assert_eq!((&told[0]["detail"]["customer"], &told[0]["subject"]), (&json!("Werft Nord"), &json!(id)));
        assert!(told[0]["actor"].is_object() || told[0]["actor"].is_string(), "{}", told[0]);
    }
    // Its people read as before.
    assert_eq!(admin.get(&path).await.expect(200)["disabled"], true);
    admin.get(&format!("{path}/devices")).await.expect(200);
    assert_eq!(partner.patch(&path, json!({ "disabled": false })).await.expect(200)["disabled"], false);
    let log = admin.all("audit-log").await;
    assert!(log.iter().any(|entry| entry["action"] == "customer.enabled"), "{log:?}");

    // The partner's word ends with the partner.
    partner.patch(&path, disable).await.expect(200);
    admin.post(&format!("{path}/assigned-partner/end"), json!({})).await.expect(200);
    assert_eq!(admin.get(&path).await.expect(200)["disabled"], false);
}

#[rstest]
#[tokio::test]
async fn an_invitation_is_sent_again_also_to_another_address_and_the_link_before_is_dead(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "invite_again", catcher.config("")).await;
    let (partner, neighbour) = (world.partner("R-1").await, world.partner("R-2").await);
    let id = partner.invited_customer("Werft Nord").await;
    let first = catcher.link_to(&world.url, "inga@example.com").await;
    let (customer, again) = (format!("customers/{id}"), format!("customers/{id}/invitation"));

    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(reader.post(&again, json!({})).await.refused(403), "forbidden");
    for stranger in [&neighbour, &world.operator] {
        assert_eq!(stranger.post(&again, json!({})).await.refused(404), "not_found");
    }
    let wrong = partner.post(&again, json!({ "email": "nobody" })).await.expect(422);
    assert_eq!(
        (&wrong["code"], &wrong["errors"][0]["field"]),
        (&json!("field.not_an_address"), &json!("email"))
    );
    let run = partner.customer("Own").await;
    let refused = partner.post(&format!("customers/{run}/invitation"), json!({})).await;
    assert_eq!(refused.refused(409), "customer.partner_managed");
    assert_eq!(world.nobody().send(Method::GET, &first, None).await.status.as_u16(), 200);

    // Nobody came in a week.
    let until = partner.get(&customer).await.expect(200)["invited_until"].as_str().unwrap().to_owned();
    world.clock.step_seconds(8 * 24 * 3600);
    world.user("admin@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "admin@example.com").await;
    let (page, button) = (format!("/customers/{id}"), format!("action=\"/customers/{id}/invitation\""));
    let cards = portal.get("/customers").await.text;
    assert!(cards.contains("<span class=\"badge bad\">Invitation expired</span>"), "{cards}");
    assert!(portal.get(&page).await.text.contains(&button));
    let action = format!("{page}/invitation");
    let wrong = portal.submit_from(&page, &action, &[("email", "inge@")]).await;
    assert_eq!(wrong.status.as_u16(), 422);
    assert!(wrong.text.contains("value=\"inge@\""), "what was typed in stays: {}", wrong.text);
    let sent = portal.submit_from(&page, &action, &[("email", "inge@example.com")]).await;
    assert_eq!(sent.status.as_u16(), 303, "{}", sent.text);
    let second = catcher.link_to(&world.url, "inge@example.com").await;
    let cards = portal.get("/customers").await.text;
    assert!(cards.contains("<span class=\"badge waiting\">Invitation pending</span>"), "{cards}");

    // Without an address it goes where it went last; each link dies with the next.
    let found = partner.post(&again, json!({})).await.expect(200);
    assert_eq!(found["admin"]["email"], "inge@example.com");
    assert!(found["invited_until"].as_str().unwrap() > until.as_str(), "{found}");
    let third = catcher.link_to(&world.url, "inge@example.com").await;
    for dead in [&first, &second] {
        assert_eq!(accept(&world.url, dead, PASSWORD).await.status.as_u16(), 404, "{dead}");
    }

    // The last one leads to an account of the IT admin, who accepts the partner.
    let joined = accept(&world.url, &third, PASSWORD).await;
    assert_eq!(joined.status.as_u16(), 303, "{}", joined.text);
    assert_eq!(partner.get(&customer).await.expect(200)["invited_until"], json!(null));
    assert_eq!(partner.post(&again, json!({})).await.refused(409), "customer.admin_joined");
    let shown = portal.get(&page).await.text;
    assert!(shown.contains("has an account") && !shown.contains(&button), "{shown}");
    let admin = Portal::with_cookie(&world, joined.session().unwrap());
    let settings = format!("{page}/settings/assigned-partner");
    let accepted = admin.submit_from(&settings, &format!("{settings}/accept"), &[]).await;
    assert_eq!(accepted.status.as_u16(), 303, "{}", accepted.text);
    assert_eq!(partner.get(&customer).await.expect(200)["assigned_partner"]["state"], "accepted");
    assert_eq!(partner.post(&again, json!({})).await.refused(409), "customer.not_invited");

    let own = world.token(Role::ItAdmin, Some(&id)).await;
    assert_eq!(own.post(&again, json!({})).await.refused(404), "not_found");
    for log in [&partner, &own] {
        let log = log.all("audit-log").await;
        let told: Vec<_> = log.iter().filter(|entry| entry["action"] == "customer.invited_again").collect();
        assert_eq!(told.len(), 2, "{log:?}");
        assert_eq!(told[0]["detail"]["email"], "inge@example.com");
    }
}

#[rstest]
#[tokio::test]
async fn an_invitation_that_is_not_answered_is_withdrawn(#[values(Sqlite, Postgres)] kind: Kind) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "withdraw_invitation", catcher.config("")).await;
    let (partner, neighbour) = (world.partner("R-1").await, world.partner("R-2").await);
    let id = partner.invited_customer("Werft Nord").await;
    let link = catcher.link_to(&world.url, "inga@example.com").await;
    let end = format!("customers/{id}/assigned-partner/end");
    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(reader.post(&end, json!({})).await.refused(403), "forbidden");
    assert_eq!(neighbour.post(&end, json!({})).await.refused(404), "not_found");
    assert_eq!(world.nobody().send(Method::GET, &link, None).await.status.as_u16(), 200);

    assert_eq!(partner.post(&end, json!({})).await.expect(200)["state"], "ended");
    assert_eq!(accept(&world.url, &link, PASSWORD).await.status.as_u16(), 404);
    assert_eq!(partner.all("customers").await.len(), 0);
    partner.get(&format!("customers/{id}")).await.refused(404);
    assert_eq!(partner.post(&end, json!({})).await.refused(404), "not_found");
    let log = partner.all("audit-log").await;
    let told = log.iter().find(|entry| entry["action"] == "assigned_partner.changed").expect("in the log");
    assert_eq!((&told["detail"]["from"], &told["detail"]["to"]), (&json!("invited"), &json!("ended")));

    // Whoever has joined before keeps the tenant, without a partner.
    let id = partner.invited_customer("Werft Ost").await;
    let link = catcher.link_to(&world.url, "inga@example.com").await;
    let joined = accept(&world.url, &link, PASSWORD).await;
    let admin = Portal::with_cookie(&world, joined.session().unwrap());
    world.user("admin@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "admin@example.com").await;
    let page = format!("/customers/{id}");
    let end = format!("{page}/settings/assigned-partner/end");
    assert!(portal.get(&page).await.text.contains(&format!("action=\"{end}\"")));
    let withdrawn = portal.submit_from(&page, &end, &[("from", "cards")]).await;
    assert_eq!(withdrawn.status.as_u16(), 303, "{}", withdrawn.text);
    assert!(portal.get("/customers?done=withdrawn").await.text.contains("The invitation is withdrawn."));
    assert_eq!(portal.get(&page).await.status.as_u16(), 404);
    assert_eq!(admin.get(&format!("{page}/settings/assigned-partner")).await.status.as_u16(), 200);
    let own = world.token(Role::ItAdmin, Some(&id)).await;
    let found = own.get(&format!("customers/{id}")).await.expect(200);
    assert_eq!(
        (&found["assigned_partner"]["state"], &found["assigned_partner"]["name"]),
        (&json!("ended"), &json!(null))
    );
}

#[rstest]
#[tokio::test]
async fn a_customer_that_never_came_leaves_the_list_the_counts_and_its_name(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "never_came").await;
    let partner = world.partner("R-1").await;
    world.user("admin@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "admin@example.com").await;
    let waits = async || portal.get("/notifications").await.text.contains("has not answered your invitation");
    // Withdrawn by the partner, then made anew under the same name and declined by the customer.
    for step in ["end", "decline"] {
        let id = partner.invited_customer("Werft Nord").await;
        let list = partner.all("customers").await;
        assert_eq!((list.len(), &list[0]["id"]), (1, &json!(id)), "{step}: {list:?}");
        assert!(waits().await, "{step}");
        let answer = format!("customers/{id}/assigned-partner/{step}");
        let admin = world.token(Role::ItAdmin, Some(&id)).await;
        let whose = if step == "end" { &partner } else { &admin };
        whose.post(&answer, json!({})).await.expect(200);
        assert_eq!(partner.all("customers").await.len(), 0, "{step}");
        let cards = portal.get("/customers").await.text;
        assert!(cards.contains("No customer tenant yet") && !cards.contains("Werft Nord"), "{step}: {cards}");
        assert!(!waits().await, "{step}");
    }
    // The log keeps both.
    let log = partner.all("audit-log").await;
    let logged = |action: &str| log.iter().filter(|entry| entry["action"] == action).count();
    assert_eq!((logged("customer.created"), logged("assigned_partner.changed")), (2, 2), "{log:?}");
}

#[rstest]
#[tokio::test]
async fn its_admins_are_mailed_that_their_tenant_was_disabled_and_enabled(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(kind, "disable_mail", catcher.config("")).await;
    let partner = world.partner("R-1").await;
    let id = partner.invited_customer("Werft Nord").await;
    assert_eq!(catcher.next().await["to"], json!(["inga@example.com"]), "the invitation");
    let admin = world.token(Role::ItAdmin, Some(&id)).await;
    admin.post(&format!("customers/{id}/assigned-partner/accept"), json!({})).await.expect(200);
    for (email, role, language) in [
        ("anna@example.com", Role::ItAdmin, "en"),
        ("bernd@example.com", Role::ItAdmin, "de"),
        ("rita@example.com", Role::ReportAdmin, "en"),
    ] {
        let (whose, language) = (Some(id.as_str()), Some(language));
        let new = NewUser { email, name: "Test Person", password: PASSWORD, role, whose, language };
        flows::users::create(&world.app, &access::system(), new).await.unwrap();
    }
    for (disabled, english, german) in [
        (true, "Werft Nord is disabled on Roadstead", "Werft Nord ist auf Roadstead deaktiviert"),
        (false, "Werft Nord is enabled again on Roadstead", "Werft Nord ist auf Roadstead wieder aktiv"),
    ] {
        // Said twice it is done once.
        for _ in 0..2 {
            partner.patch(&format!("customers/{id}"), json!({ "disabled": disabled })).await.expect(200);
        }
        let mut mails = [catcher.next().await, catcher.next().await];
        mails.sort_by_key(|mail| mail["to"].to_string());
        for (mail, to, subject) in
            [(&mails[0], "anna@example.com", english), (&mails[1], "bernd@example.com", german)]
        {
            assert_eq!((&mail["to"], &mail["headers"]["subject"]), (&json!([to]), &json!(subject)));
            let (text, link) = (mail["text"].as_str().unwrap(), format!("{}/customers/{id}", world.url));
            assert!(text.contains("Partner R-1") && text.contains(&link), "{text}");
        }
    }
    let told = world.operator.all("mails").await;
    let told = told.iter().filter(|mail| mail["kind"].as_str().unwrap().starts_with("customer_")).count();
    assert_eq!(told, 4);
}

#[rstest]
#[tokio::test]
async fn the_pages_say_what_disabling_means_and_that_it_is_so(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "disable_pages").await;
    let partner = world.partner("R-1").await;
    let id = partner.customer("Werft Nord").await;
    world.user("admin@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("reader@example.com", Role::PartnerReadOnly, Some("R-1")).await;
    let admin = Portal::sign_in(&world, "admin@example.com").await;
    let reader = Portal::sign_in(&world, "reader@example.com").await;
    let (page, ask) = (format!("/customers/{id}"), format!("/customers/{id}/disabled"));
    let button = format!("href=\"{ask}\"");
    assert!(admin.get(&page).await.text.contains(&button));
    assert!(!reader.get(&page).await.text.contains(&button));
    assert_eq!(reader.get(&ask).await.status.as_u16(), 403);

    let asked = admin.get(&ask).await.text;
    for said in
        ["Disable Werft Nord?", "No PC can be moved here", "cPINs and the zero-touch list do not hold"]
    {
        assert!(asked.contains(said), "{said}: {asked}");
    }
    let sent = admin.submit_from(&ask, &ask, &[("to", "disabled")]).await;
    assert_eq!(sent.status.as_u16(), 303, "{}", sent.text);
    for (page, said) in [
        ("/customers", "<span class=\"badge bad\">Disabled</span>"),
        (page.as_str(), "Disabled since"),
        (&format!("{page}/settings/preferences"), "its cPINs do not hold"),
        (&ask, "Enable Werft Nord?"),
        ("/settings/logs", "Customer disabled"),
    ] {
        let shown = admin.get(page).await.text;
        assert!(shown.contains(said), "{page}: {shown}");
    }
    let wrong = admin.submit_from(&ask, &ask, &[("to", "gone")]).await;
    assert_eq!(wrong.status.as_u16(), 422);
    admin.submit_from(&ask, &ask, &[("to", "enabled")]).await;
    assert!(!admin.get(&page).await.text.contains("Disabled since"));
}

#[rstest]
#[tokio::test]
async fn b06_customers_find_no_holding_tenant(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b06customers").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG1234ABC R-1"])).await;
    let id = partner.customer("Werft Nord").await;
    for role in [Role::ItAdmin, Role::ReportAdmin] {
        let customer = world.token(role, Some(&id)).await;
        assert_eq!(customer.get("unassigned-devices").await.refused(404), "not_found");
        assert_eq!(customer.all("customers").await.len(), 1);
        assert_eq!(customer.all(&format!("customers/{id}/devices")).await, Vec::<serde_json::Value>::new());
    }
}
