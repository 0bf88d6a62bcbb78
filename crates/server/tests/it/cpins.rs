//! cPINs: how customers' PCs come in, every case of decision 10, and what guessing comes to.

use roadstead_domain::access::{self, Role};
use roadstead_domain::cpin::{Cpin, WRONG_PER_NETWORK};
use roadstead_domain::customer::Assignment;
use roadstead_store::customers;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::testing::SeededEntropy;
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::sign_in::Portal;
use crate::world::{Client, World, csv, eventually};

impl Client {
    /// A fresh cPIN of this customer.
    pub(crate) async fn cpin(&self, customer: &str) -> String {
        let made = self.post(&format!("customers/{customer}/cpins"), json!({})).await.expect(201);
        made["cpin"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn devices_of(&self, customer: &str) -> Vec<String> {
        let items = self.all(&format!("customers/{customer}/devices")).await;
        items.iter().map(|item| item["serial_number"].as_str().unwrap().to_owned()).collect()
    }

    /// The reasons of what waits, by serial.
    async fn pending(&self) -> Vec<(String, String)> {
        let items = self.all("enrolments").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        items.iter().map(|item| (text(&item["serial_number"]), text(&item["reason"]["code"]))).collect()
    }
}

impl Pc {
    pub(crate) async fn enrol_with(&self, cpin: &str) -> crate::world::Answer {
        let mut wish = self.wish();
        wish["cpin"] = cpin.into();
        self.post("enrolments", wish).await
    }
}

#[rstest]
#[tokio::test]
async fn b37_b39_the_cpin_moves_a_pc_out_of_the_pool_into_the_dashboard_once(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "b37").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-1"])).await;
    let customer = partner.customer("Werft Nord").await;
    let cpin = partner.cpin(&customer).await;

    let pc = Pc::new(&world, "5CG000000A", 1);
    // Typed by a person.
    let typed = cpin.to_lowercase().replace('-', " ");
    let answer = pc.enrol_with(&typed).await.expect(201);
    assert_eq!(answer["state"], "enrolled", "{answer}");
    assert_eq!(partner.devices_of(&customer).await, ["5CG000000A"]);
    assert_eq!(partner.pool().await, ["5CG000000B"]);
    // Again, and again by its serial alone: it stays where it is, once.
    assert_eq!(pc.enrol_with(&cpin).await.expect(200)["state"], "enrolled");
    assert_eq!(pc.enrol().await.expect(200)["state"], "enrolled");
    assert_eq!(partner.devices_of(&customer).await, ["5CG000000A"]);

    // One that enrolled in the pool by its serial, and is given the cPIN later.
    let later = Pc::new(&world, "5CG000000B", 2);
    assert_eq!(later.enrol().await.expect(201)["state"], "enrolled");
    assert_eq!(partner.pool().await, ["5CG000000B"]);
    assert_eq!(later.enrol_with(&cpin).await.expect(200)["state"], "enrolled");
    assert_eq!(partner.devices_of(&customer).await, ["5CG000000A", "5CG000000B"]);
    assert_eq!(partner.pool().await, Vec::<String>::new());

    let listed = partner.get(&format!("customers/{customer}/cpins")).await.expect(200);
    let used = &listed["items"][0];
    assert_eq!((&used["uses"], &used["last_device"]), (&json!(2), &json!("5CG000000B")));
    assert_eq!(
        (&used["cpin"], &used["state"], &used["created_by"]),
        (&json!(cpin), &json!("valid"), &json!("partner"))
    );
    let log = partner.all("audit-log").await;
    assert_eq!(log.iter().filter(|entry| entry["action"] == "device.enrolled").count(), 3);
    assert!(
        !log.iter().any(|entry| entry.to_string().contains(&cpin)),
        "the log does not give the cPIN away"
    );
    assert_eq!(partner.pending().await, []);
}

#[rstest]
#[tokio::test]
async fn a_cpin_of_a_disabled_customer_does_not_hold(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "disabled_cpin").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-1"])).await;
    let customer = partner.customer("Werft Nord").await;
    let cpin = partner.cpin(&customer).await;
    let (there, new) = (Pc::new(&world, "5CG000000A", 1), Pc::new(&world, "5CG000000B", 2));
    assert_eq!(there.enrol_with(&cpin).await.expect(201)["state"], "enrolled");
    let path = format!("customers/{customer}");
    partner.patch(&path, json!({ "disabled": true })).await.expect(200);

    let waits = new.enrol_with(&cpin).await.expect(201);
    assert_eq!(
        (&waits["state"], &waits["reason"]),
        (&json!("waiting"), &json!("enrolment.customer_disabled"))
    );
    let waiting = ("5CG000000B".to_owned(), "enrolment.customer_disabled".to_owned());
    assert_eq!(partner.pending().await, [waiting]);
    assert_eq!(there.enrol_with(&cpin).await.expect(200)["state"], "enrolled", "what is there stays");
    assert_eq!(partner.devices_of(&customer).await, ["5CG000000A"]);
    let sent = json!({ "email": "inga@example.com", "language": "de" });
    let refused = partner.post(&format!("{path}/cpins/instructions"), sent).await;
    assert_eq!(refused.refused(409), "cpin.customer_disabled");

    partner.patch(&path, json!({ "disabled": false })).await.expect(200);
    assert_eq!(new.enrol_with(&cpin).await.expect(200)["state"], "enrolled");
    assert_eq!(partner.devices_of(&customer).await, ["5CG000000A", "5CG000000B"]);
    assert_eq!(partner.pending().await, []);
}

#[rstest]
#[tokio::test]
async fn d10_every_other_case(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "d10").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let lines = ["5CG00000P2 R-2", "5CG00000C2 R-2"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let muster = one.customer("CANARY Muster").await;
    let other = two.customer("CANARY Other").await;
    let (cpin, of_other) = (one.cpin(&muster).await, two.cpin(&other).await);

    // Never reported: enrolled, without entitlement.
    let new = Pc::new(&world, "5CG00000N1", 1);
    assert_eq!(new.enrol_with(&cpin).await.expect(201)["state"], "enrolled");
    let devices = one.all(&format!("customers/{muster}/devices")).await;
    assert_eq!(devices[0]["serial_number"], "5CG00000N1");
    assert_eq!(
        (&devices[0]["support_level"], &devices[0]["product_number"]),
        (&json!(null), &json!("6T1A2EA"))
    );

    // In the pool of another partner: held. Each partner sees its own half, the operator both.
    let foreign = Pc::new(&world, "5CG00000P2", 2);
    let held = foreign.enrol_with(&cpin).await.expect(201);
    assert_eq!(
        (&held["state"], &held["reason"]),
        (&json!("waiting"), &json!("enrolment.other_partners_pool"))
    );
    let reason = "enrolment.other_partners_pool".to_owned();
    assert_eq!(one.pending().await, [("5CG00000P2".to_owned(), reason.clone())]);
    assert_eq!(two.pending().await, [("5CG00000P2".to_owned(), reason)]);
    let (here, there) = (one.all("enrolments").await, two.all("enrolments").await);
    assert_eq!((&here[0]["comes_by"], &here[0]["held_by"]), (&json!("CANARY Muster"), &json!(null)));
    assert_eq!((&here[0]["can_release"], &there[0]["can_release"]), (&json!(false), &json!(true)));
    assert_eq!(there[0]["comes_by"], json!(null));
    assert!(!there[0].to_string().contains("CANARY"), "{}", there[0]);
    let both = world.operator.all("enrolments").await;
    assert_eq!(both[0]["comes_by"], "CANARY Muster");
    assert_eq!(both[0]["held_by"], "Partner R-2");
    assert_eq!(two.pool().await, ["5CG00000C2", "5CG00000P2"], "nothing moved");
    let id = here[0]["id"].as_str().unwrap();
    assert_eq!(
        one.post(&format!("enrolments/{id}/release"), json!({})).await.refused(409),
        "enrolment.not_yours"
    );
    let released = two.post(&format!("enrolments/{id}/release"), json!({})).await.expect(200);
    assert_eq!(released["state"], "enrolled");
    assert_eq!(two.pool().await, ["5CG00000C2"]);
    assert_eq!(one.devices_of(&muster).await, ["5CG00000N1", "5CG00000P2"]);
    assert_eq!(foreign.enrol_with(&cpin).await.expect(200)["state"], "enrolled");

    // In another customer's tenant: held until that tenant's manager releases it; refused, it stays.
    let theirs = Pc::new(&world, "5CG00000C2", 3);
    assert_eq!(theirs.enrol_with(&of_other).await.expect(201)["state"], "enrolled");
    let held = theirs.enrol_with(&cpin).await.expect(200);
    assert_eq!(held["reason"], "enrolment.other_customers_tenant");
    let admin = world.token(Role::ItAdmin, Some(&other)).await;
    let waits = admin.all("enrolments").await;
    assert_eq!((&waits[0]["held_by"], &waits[0]["comes_by"]), (&json!("CANARY Other"), &json!(null)));
    let id = waits[0]["id"].as_str().unwrap();
    assert_eq!(
        admin.post(&format!("enrolments/{id}/refuse"), json!({})).await.expect(200)["state"],
        "refused"
    );
    let refused = theirs.enrol_with(&cpin).await.expect(200);
    assert_eq!((&refused["state"], &refused["reason"]), (&json!("refused"), &json!("enrolment.refused")));
    assert_eq!(two.devices_of(&other).await, ["5CG00000C2"]);
    let reader = world.token(Role::ReportAdmin, Some(&other)).await;
    reader.post(&format!("enrolments/{id}/release"), json!({})).await.refused(403);
    assert_eq!(
        admin.post(&format!("enrolments/{id}/release"), json!({})).await.expect(200)["state"],
        "waiting"
    );
    assert_eq!(
        admin.post(&format!("enrolments/{id}/release"), json!({})).await.expect(200)["state"],
        "enrolled"
    );
    assert_eq!(two.devices_of(&other).await, Vec::<String>::new());
    assert_eq!(one.devices_of(&muster).await.len(), 3);

    // A second key for a serial, with the right cPIN: the PC was set up anew. Its tenant says so.
    let anew = Pc::new(&world, "5CG00000N1", 9);
    assert_eq!(anew.enrol_with(&cpin).await.expect(201)["reason"], "enrolment.second_key");
    let id = one.all("enrolments").await[0]["id"].as_str().unwrap().to_owned();
    one.post(&format!("enrolments/{id}/release"), json!({})).await.expect(200);
    assert_eq!(anew.enrol().await.expect(200)["state"], "enrolled");
    assert_eq!(new.enrol().await.expect(200)["reason"], "enrolment.second_key", "the old key is no more");
}

#[rstest]
#[tokio::test]
async fn r6_a_cpin_expires_is_capped_rotates_and_is_taken_back(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "r6").await;
    let partner = world.partner("R-1").await;
    let customer = partner.customer("Werft Nord").await;
    let path = format!("customers/{customer}/cpins");
    let new = json!({ "expires_on": "2026-12-24", "most_uses": 2 });
    let first = partner.post(&path, new).await.expect(201);
    assert_eq!((&first["expires_at"], &first["most_uses"]), (&json!("2026-12-25T00:00:00Z"), &json!(2)));
    for (bad, code) in [
        (json!({ "expires_on": "2026-11-21" }), "date.past"),
        (json!({ "most_uses": 0 }), "field.unknown_value"),
        (json!({ "most_uses": 1_000_001 }), "field.unknown_value"),
    ] {
        assert_eq!(partner.post(&path, bad).await.refused(422), code);
    }
    let cpin = first["cpin"].as_str().unwrap();
    for key in [1, 2] {
        let pc = Pc::new(&world, &format!("5CG000000{key}"), key);
        assert_eq!(pc.enrol_with(cpin).await.expect(201)["state"], "enrolled");
        assert_eq!(pc.enrol_with(cpin).await.expect(200)["state"], "enrolled", "asking again costs no use");
    }
    let third = Pc::new(&world, "5CG0000003", 3);
    assert_eq!(third.enrol_with(cpin).await.expect(201)["reason"], "enrolment.cpin_used_up");
    assert_eq!(partner.pending().await, [("5CG0000003".to_owned(), "enrolment.cpin_used_up".to_owned())]);

    // Rotation: the former one goes on, the one before it does not.
    let second = partner.cpin(&customer).await;
    let third_pin = partner.cpin(&customer).await;
    let states = async || -> Vec<String> {
        let items = partner.get(&path).await.expect(200);
        items["items"].as_array().unwrap().iter().map(|i| i["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states().await, ["valid", "valid", "used_up"]);
    let newest = partner.cpin(&customer).await;
    assert_eq!(states().await, ["valid", "valid", "expired", "used_up"]);
    let expired = Pc::new(&world, "5CG0000004", 4);
    assert_eq!(expired.enrol_with(&second).await.expect(201)["reason"], "enrolment.cpin_expired");
    assert_eq!(
        Pc::new(&world, "5CG0000005", 5).enrol_with(&third_pin).await.expect(201)["state"],
        "enrolled"
    );
    world.clock.step_seconds(15 * 24 * 3600);
    assert_eq!(states().await, ["valid", "expired", "expired", "used_up"]);

    // The customer's word can be given by hand as well: the expired PC is let in.
    let waiting = partner.all("enrolments").await;
    let expired = waiting.iter().find(|item| item["serial_number"] == "5CG0000004").unwrap();
    let id = expired["id"].as_str().unwrap();
    assert_eq!(
        partner.post(&format!("enrolments/{id}/release"), json!({})).await.expect(200)["state"],
        "enrolled"
    );

    let listed = partner.get(&path).await.expect(200);
    let current = listed["items"][0]["id"].as_str().unwrap();
    let gone = partner.send(reqwest::Method::DELETE, &format!("/api/v1/{path}/{current}"), None).await;
    assert_eq!(gone.status.as_u16(), 204);
    assert_eq!(
        Pc::new(&world, "5CG0000006", 6).enrol_with(&newest).await.expect(201)["reason"],
        "enrolment.cpin_revoked"
    );
    let again = partner.send(reqwest::Method::DELETE, &format!("/api/v1/{path}/{current}"), None).await;
    again.refused(404);
}

#[rstest]
#[tokio::test]
async fn wrong_cpins_are_told_counted_and_stopped(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "guess").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let customer = partner.customer("Werft Nord").await;
    let right = partner.cpin(&customer).await;
    let pc = Pc::new(&world, "5CG000000A", 1);
    // A slip of the hand is no guess, however often.
    let mut slip = right.clone().into_bytes();
    slip.swap(0, 5);
    let slip = String::from_utf8(slip).unwrap();
    for _ in 0..=WRONG_PER_NETWORK {
        assert_eq!(pc.enrol_with(&slip).await.refused(422), "cpin.mistyped");
    }
    // Never silent: the partner sees that one of its PCs has a wrong cPIN.
    assert_eq!(partner.pending().await, [("5CG000000A".to_owned(), "enrolment.cpin_unknown".to_owned())]);
    let entropy = SeededEntropy::new(99);
    for _ in 0..WRONG_PER_NETWORK {
        let guess = Cpin::random(&*entropy).to_string();
        assert_eq!(pc.enrol_with(&guess).await.refused(422), "cpin.unknown");
    }
    // From here on not even the right one is looked at.
    let refused = pc.enrol_with(&right).await;
    assert_eq!(refused.refused(429), "cpin.too_many_guesses");
    assert_eq!(partner.pool().await, ["5CG000000A"]);
    // Without a cPIN the network is not held up, and an hour later it has its guesses again.
    assert_eq!(Pc::new(&world, "5CG000000B", 2).enrol().await.expect(201)["reason"], "enrolment.not_placed");
    world.clock.step_seconds(3600);
    assert_eq!(pc.enrol_with(&right).await.expect(200)["state"], "enrolled");
    assert_eq!(partner.devices_of(&customer).await, ["5CG000000A"]);
}

#[rstest]
#[tokio::test]
async fn a_domain_is_a_second_factor_and_a_list_touches_nothing(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "factors").await;
    let partner = world.partner("R-1").await;
    let lines = ["5CG000000A R-1", "5CG000000B R-1", "5CG000000C R-1", "5CG000000Z R-1"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let customer = partner.customer("Werft Nord").await;
    let cpin = partner.cpin(&customer).await;
    let domains = format!("/api/v1/customers/{customer}/enrolment-domains");
    let put = |body: Value| {
        let bytes = ("application/json", body.to_string().into_bytes());
        partner.send(reqwest::Method::PUT, &domains, Some(bytes))
    };
    assert_eq!(put(json!({ "domains": ["no domain"] })).await.refused(422), "domain.invalid");
    let set = put(json!({ "domains": ["@Werft.Example", "werft.example"] })).await.expect(200);
    assert_eq!(set["domains"], json!(["werft.example"]));

    let with = |pc: &Pc, domain: &str, confirmed: bool| {
        let mut wish = pc.wish();
        wish["cpin"] = cpin.as_str().into();
        wish["domain"] = domain.into();
        wish["confirmed"] = confirmed.into();
        wish
    };
    let own = Pc::new(&world, "5CG000000A", 1);
    let answer = own.post("enrolments", with(&own, "hh.werft.example", false)).await.expect(201);
    assert_eq!(answer["state"], "enrolled");
    let foreign = Pc::new(&world, "5CG000000B", 2);
    let answer = foreign.post("enrolments", with(&foreign, "home.example", false)).await.expect(201);
    assert_eq!(
        (&answer["state"], &answer["reason"]),
        (&json!("waiting"), &json!("enrolment.foreign_domain"))
    );
    assert_eq!(partner.pending().await, [("5CG000000B".to_owned(), "enrolment.foreign_domain".to_owned())]);
    let answer = foreign.post("enrolments", with(&foreign, "home.example", true)).await.expect(200);
    assert_eq!(answer["state"], "enrolled");

    // Zero touch.
    let list = format!("customers/{customer}/zero-touch-serials");
    let refused = partner.post(&list, json!({ "serials": ["5CG000000C", "5C"] })).await.expect(422);
    assert_eq!((&refused["code"], &refused["errors"][0]["row"]), (&json!("serial.invalid"), &json!(2)));
    let added = partner.post(&list, json!({ "serials": ["5cg000000c", "5CG00000NO", "5CG000000C"] })).await;
    assert_eq!(added.expect(200)["added"], 2);
    let listed = Pc::new(&world, "5CG000000C", 3);
    let mut wish = listed.wish();
    wish["domain"] = "werft.example".into();
    assert_eq!(listed.post("enrolments", wish).await.expect(201)["state"], "enrolled");
    assert_eq!(partner.devices_of(&customer).await, ["5CG000000A", "5CG000000B", "5CG000000C"]);
    assert_eq!(partner.pool().await, ["5CG000000Z"]);
    let rows = partner.all(&list).await;
    assert_eq!(rows[0]["serial_number"], "5CG000000C");
    assert!(rows[0]["joined_at"].is_string() && rows[1]["joined_at"].is_null(), "{rows:?}");
    // A list proves nothing of a PC that nobody has reported (R9).
    let mut wish = Pc::new(&world, "5CG00000NO", 4).wish();
    wish["domain"] = "werft.example".into();
    let unknown = Pc::new(&world, "5CG00000NO", 4).post("enrolments", wish).await.expect(201);
    assert_eq!(unknown["reason"], "enrolment.not_placed");
    let gone = partner.send(reqwest::Method::DELETE, &format!("/api/v1/{list}/5CG00000NO"), None).await;
    assert_eq!(gone.status.as_u16(), 204);
}

#[rstest]
#[tokio::test]
async fn who_may_say_how_pcs_come_in(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "cpinrights").await;
    let partner = world.partner("R-1").await;
    let customer = partner.invited_customer("Werft Nord").await;
    let admin = world.token(Role::ItAdmin, Some(&customer)).await;
    let path = format!("customers/{customer}/cpins");
    // Before acceptance the partner has no say, the customer has.
    assert_eq!(partner.get(&path).await.refused(403), "customer.not_open");
    assert_eq!(partner.post(&path, json!({})).await.refused(403), "customer.not_open");
    let made = admin.post(&path, json!({})).await.expect(201);
    assert_eq!(made["created_by"], "customer");
    admin.post(&format!("customers/{customer}/assigned-partner/accept"), json!({})).await.expect(200);
    assert_eq!(partner.get(&path).await.expect(200)["items"][0]["cpin"], made["cpin"]);
    for (role, whose) in [(Role::ReportAdmin, customer.as_str()), (Role::PartnerReadOnly, "R-1")] {
        world.token(role, Some(whose)).await.get(&path).await.refused(403);
    }
    let neighbour = world.partner("R-2").await;
    neighbour.get(&path).await.refused(404);
    world.operator.get(&path).await.refused(404);
}

#[tokio::test]
async fn a_cap_holds_however_many_come_at_once() {
    let world = World::start(Postgres, "cap").await;
    let partner = world.partner("R-1").await;
    let customer = partner.customer("Werft Nord").await;
    let made =
        partner.post(&format!("customers/{customer}/cpins"), json!({ "most_uses": 5 })).await.expect(201);
    let cpin = made["cpin"].as_str().unwrap();
    let answers = (1..=20_u8).map(|n| {
        let pc = Pc::new(&world, &format!("5CG00000{n:02}"), n);
        async move { pc.enrol_with(cpin).await.expect(201)["state"].as_str().unwrap().to_owned() }
    });
    let states = futures_util::future::join_all(answers).await;
    assert_eq!(states.iter().filter(|state| *state == "enrolled").count(), 5, "{states:?}");
    assert_eq!(partner.devices_of(&customer).await.len(), 5);
}

#[rstest]
#[tokio::test]
async fn b37_the_partner_sends_the_customer_the_instructions(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "instructions").await;
    let partner = world.partner("R-1").await;
    let customer = partner.invited_customer("Werft Nord").await;
    let admin = world.token(Role::ItAdmin, Some(&customer)).await;
    admin.post(&format!("customers/{customer}/assigned-partner/accept"), json!({})).await.expect(200);
    let path = format!("customers/{customer}/cpins/instructions");
    assert_eq!(partner.post(&path, json!({})).await.refused(409), "cpin.none_valid");
    partner.cpin(&customer).await;
    for (bad, code) in [
        (json!({ "email": "nobody" }), "field.not_an_address"),
        (json!({ "language": "fr" }), "field.unknown_value"),
    ] {
        assert_eq!(partner.post(&path, bad).await.refused(422), code);
    }
    let sent = partner.post(&path, json!({ "language": "de" })).await.expect(202);
    assert_eq!(sent["sent_to"], "inga@example.com");
    let mails = world.operator.get("mails").await.expect(200);
    let mut items = mails["items"].as_array().unwrap().iter();
    let mail = items.find(|mail| mail["kind"] == "cpin_instructions").unwrap();
    assert!(mail.to_string().contains("inga@example.com"), "{mails}");
    let neighbour = world.partner("R-2").await;
    neighbour.post(&path, json!({})).await.refused(404);
}

#[rstest]
#[tokio::test]
async fn the_page_of_the_zero_touch_list_takes_a_file_shows_all_and_takes_a_serial_off(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "zero_page").await;
    let (partner, _neighbour) = (world.partner("R-1").await, world.partner("R-2").await);
    let customer = partner.customer("Werft Nord").await;
    for (email, number) in [("one@example.com", "R-1"), ("two@example.com", "R-2")] {
        world.user(email, Role::PartnerAdmin, Some(number)).await;
    }
    let one = Portal::sign_in(&world, "one@example.com").await;
    let page = format!("/customers/{customer}/settings/preferences");
    assert!(one.get(&page).await.text.contains("type=\"file\""), "a list as a file");
    let serials: Vec<String> = (0..101).map(|n| format!("5CG0000{n:03}")).collect();
    let list = format!("{page}/zero-touch");
    let sent = one.submit_from(&page, &list, &[("serials", &serials.join("\r\n"))]).await;
    assert_eq!(sent.status.as_u16(), 303, "{}", sent.text);
    let first = one.get(&page).await.text;
    assert!(first.contains("5CG0000099") && !first.contains("5CG0000100"), "{first}");
    let (_, next) = first.split_once(&format!("href=\"{page}?cursor=")).expect("the list goes on");
    let next = format!("{page}?cursor={}", next.split('"').next().unwrap());
    let remove = format!("{list}/5CG0000100/remove");
    let rest = one.get(&next).await.text;
    assert!(rest.contains(&format!("action=\"{remove}\"")) && !rest.contains("5CG0000099"), "{rest}");

    let two = Portal::sign_in(&world, "two@example.com").await;
    assert_eq!(two.submit(&remove, &[]).await.status.as_u16(), 404);
    let listed = format!("customers/{customer}/zero-touch-serials");
    assert_eq!(partner.all(&listed).await.len(), 101);
    let removed = one.submit_from(&page, &remove, &[]).await;
    assert_eq!(removed.status.as_u16(), 303, "{}", removed.text);
    let left = partner.all(&listed).await;
    assert!(left.len() == 100 && left.iter().all(|row| row["serial_number"] != "5CG0000100"), "{left:?}");
}

/// On the embedded database whoever writes stands in line; meanwhile the right to do so may go.
#[tokio::test]
async fn a_partner_that_lost_the_customer_while_it_waited_gets_no_cpin() {
    let world = World::start(Sqlite, "lostmeanwhile").await;
    let partner = world.partner("R-1").await;
    let customer = partner.customer("Werft Nord").await;
    let system = access::system();
    let mut tx = world.app.store.write(&system).await.unwrap();
    let ends = async {
        eventually("the partner stands in line", async || world.app.store.is_awaited().then_some(())).await;
        let found = customers::find(&mut tx, &system, &customer).await.unwrap().unwrap();
        let now = world.app.ambient.now();
        assert!(customers::assign(&mut tx, &system, &found, None, Assignment::Ended, now).await.unwrap());
        tx.commit().await.unwrap();
    };
    let path = format!("customers/{customer}/cpins");
    let (answer, ()) = tokio::join!(partner.post(&path, json!({})), ends);
    assert_eq!(answer.refused(404), "not_found");
}
