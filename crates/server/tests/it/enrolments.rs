//! PCs that ask to join: signed requests, trust on first use, quarantine.

use reqwest::Method;
use roadstead_domain::access;
use roadstead_domain::cpin::Cpin;
use roadstead_domain::enrolment::{UNKNOWN_IN_ALL, UNKNOWN_PER_NETWORK};
use roadstead_domain::wire::signature::Headers;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::testing::SeededEntropy;
use roadstead_store::{args, cpins};
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::world::{Answer, Client, World, csv, eventually};

impl Client {
    /// Takes back every cPIN of this customer.
    async fn revoke_cpins(&self, customer: &str) {
        let path = format!("customers/{customer}/cpins");
        let made = self.get(&path).await.expect(200);
        for cpin in made["items"].as_array().unwrap() {
            let path = format!("/api/v1/{path}/{}", cpin["id"].as_str().unwrap());
            assert_eq!(self.send(Method::DELETE, &path, None).await.status.as_u16(), 204);
        }
    }

    /// Releases the one enrolment that this caller sees waiting.
    async fn release(&self) -> Value {
        let waiting = self.all("enrolments").await;
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        let path = format!("enrolments/{}/release", waiting[0]["id"].as_str().unwrap());
        self.post(&path, json!({})).await.expect(200)
    }
}

#[rstest]
#[tokio::test]
async fn a_pc_in_a_pool_enrols_by_its_serial_and_a_second_key_waits(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "tofu").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;

    let pc = Pc::new(&world, " 5cg000000a", 1);
    let answer = pc.enrol().await.expect(201);
    assert_eq!((&answer["state"], &answer["reason"]), (&json!("enrolled"), &json!(null)));
    let again = pc.enrol().await.expect(200);
    assert_eq!((&again["id"], &again["state"]), (&answer["id"], &json!("enrolled")));

    let thief = Pc::new(&world, "5CG000000A", 2).enrol().await.expect(201);
    assert_eq!(thief["state"], "waiting");
    assert_eq!(thief["reason"], "enrolment.second_key");
    assert_eq!(thief["message"], "The PC has another key already");
    assert_eq!(thief["retry_after_seconds"], 900);
    assert_eq!(pc.enrol().await.expect(200)["state"], "enrolled", "the first key stays");

    // The partner's log has both; the PC is still where it was, once.
    let log = partner.all("audit-log").await;
    let actions: Vec<&str> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    for action in ["enrolment.waiting", "device.enrolled"] {
        assert_eq!(actions.iter().filter(|logged| **logged == action).count(), 1, "{actions:?}");
    }
    assert_eq!(partner.pool().await, ["5CG000000A"]);

    // One key cannot be two PCs.
    world.distributor("D-2").await.report("", "text/csv", csv(&["5CG000000B R-1"])).await;
    let copied = Pc::new(&world, "5CG000000B", 1).enrol().await.expect(201);
    assert_eq!((&copied["state"], &copied["reason"]), (&json!("waiting"), &json!("enrolment.key_taken")));
}

#[rstest]
#[tokio::test]
async fn b14_a_pc_that_was_never_reported_waits_in_quarantine(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "quarantine").await;
    let partner = world.partner("R-1").await;
    let pc = Pc::new(&world, "5CG000000C", 1);
    let waiting = pc.enrol().await.expect(201);
    assert_eq!((&waiting["state"], &waiting["reason"]), (&json!("waiting"), &json!("enrolment.not_placed")));
    assert_eq!(partner.pool().await, Vec::<String>::new());

    // A line places it, and the PC asks again.
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000C R-1"])).await;
    let enrolled = pc.enrol().await.expect(200);
    assert_eq!((&enrolled["id"], &enrolled["state"]), (&waiting["id"], &json!("enrolled")));
    assert_eq!(partner.pool().await, ["5CG000000C"]);
}

#[tokio::test]
async fn keys_that_race_for_a_serial_before_it_is_placed_all_wait() {
    let world = World::start(Sqlite, "rivals").await;
    world.partner("R-1").await;
    let (pc, thief) = (Pc::new(&world, "5CG000000D", 1), Pc::new(&world, "5CG000000D", 2));
    thief.enrol().await.expect(201);
    pc.enrol().await.expect(201);
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000D R-1"])).await;
    for each in [&thief, &pc, &thief] {
        assert_eq!(each.enrol().await.expect(200)["reason"], "enrolment.rival_keys");
    }
}

#[rstest]
#[tokio::test]
async fn a_request_is_taken_once_and_only_as_it_was_signed(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "signed").await;
    let pc = Pc::new(&world, "5CG000000E", 1);
    let wish = pc.wish();
    let headers = pc.sign("enrolments", &wish);
    pc.send("enrolments", &wish, &headers).await.expect(201);
    assert_eq!(pc.send("enrolments", &wish, &headers).await.refused(401), "signature.repeated");

    let mut other = wish.clone();
    other["serial"] = "5CG000000F".into();
    assert_eq!(pc.send("enrolments", &other, &headers).await.refused(401), "signature.digest");
    let thief = Pc::new(&world, "5CG000000E", 2);
    let forged = thief.sign("enrolments", &wish);
    assert_eq!(pc.send("enrolments", &wish, &forged).await.refused(401), "signature.wrong");
    let elsewhere = pc.at("http://elsewhere.example").sign("enrolments", &wish);
    assert_eq!(pc.send("enrolments", &wish, &elsewhere).await.refused(401), "signature.wrong");
    let headers = pc.sign("enrolments", &wish);
    let bare = Headers { signature_input: String::new(), ..headers.clone() };
    assert_eq!(pc.send("enrolments", &wish, &bare).await.refused(401), "signature.missing");
    let short = Headers { signature_input: headers.signature_input.replace("\"@method\" ", ""), ..headers };
    assert_eq!(pc.send("enrolments", &wish, &short).await.refused(401), "signature.coverage");

    for (field, value, code) in [
        ("public_key", "AAAA", "key.invalid"),
        ("serial", "5C", "serial.invalid"),
        ("serial", "", "serial.invalid"),
    ] {
        let mut bad = pc.wish();
        bad[field] = value.into();
        assert_eq!(pc.post("enrolments", bad).await.refused(422), code);
    }
    assert_eq!(pc.post("enrolments", json!([])).await.refused(400), "request.invalid");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_the_time_and_one_retry_by_it_works() {
    let world = World::start(Sqlite, "skew").await;
    let pc = Pc::new(&world, "5CG000000G", 1);
    let wish = pc.wish();
    let early = pc.sign("enrolments", &wish);
    world.clock.step_seconds(24 * 3600);
    let refused = pc.send("enrolments", &wish, &early).await.expect(401);
    assert_eq!(refused["code"], "signature.clock_skewed");
    assert_eq!(refused["server_time"].as_str().unwrap().split('T').next(), Some("2026-11-23"), "{refused}");
    pc.enrol().await.expect(201);
}

#[tokio::test]
async fn one_of_two_nodes_takes_a_request_that_both_are_sent() {
    let world = World::start(Postgres, "nodesonce").await;
    let (other, _second) = world.second_node().await;
    let pc = Pc::new(&world, "5CG000000H", 1);
    // A proxy in front of both: the signature is for one address.
    let there = Pc::new(&world, "5CG000000H", 1).at(&other);
    let wish = pc.wish();
    let (here_headers, there_headers) = (pc.sign("enrolments", &wish), there.sign("enrolments", &wish));
    let answers = futures_util::join!(
        pc.send("enrolments", &wish, &here_headers),
        there.send("enrolments", &wish, &there_headers)
    );
    let statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
    assert!(statuses == [201, 200] || statuses == [200, 201], "{answers:?}");
}

#[rstest]
#[tokio::test]
async fn a_release_by_one_customer_does_not_count_for_another(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "onecustomer").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-2"])).await;
    let (theirs, ours) = (one.customer("Werft Nord").await, two.customer("Werft Ost").await);
    let (of_theirs, of_ours) = (one.cpin(&theirs).await, two.cpin(&ours).await);
    one.revoke_cpins(&theirs).await;
    two.revoke_cpins(&ours).await;

    let pc = Pc::new(&world, "5CG000000A", 1);
    assert_eq!(pc.enrol_with(&of_theirs).await.expect(201)["reason"], "enrolment.cpin_revoked");
    let released = one.release().await;
    assert_eq!(
        (&released["state"], &released["reason"]),
        (&json!("waiting"), &json!("enrolment.other_partners_pool"))
    );
    // Asking again with the same cPIN loses nothing; with another customer's it is that customer's to say.
    assert_eq!(pc.enrol_with(&of_theirs).await.expect(200)["reason"], "enrolment.other_partners_pool");
    let other = pc.enrol_with(&of_ours).await.expect(200);
    assert_eq!((&other["state"], &other["reason"]), (&json!("waiting"), &json!("enrolment.cpin_revoked")));
    assert_eq!(two.pool().await, ["5CG000000A"]);
    assert_eq!(two.release().await["state"], "enrolled");
    assert_eq!(two.devices_of(&ours).await, ["5CG000000A"]);
}

#[rstest]
#[tokio::test]
async fn a_release_by_one_holder_does_not_count_for_the_next(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "oneholder").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-2"])).await;
    let (theirs, ours) = (one.customer("Werft Nord").await, two.customer("Werft Ost").await);
    let cpin = one.cpin(&theirs).await;
    let pc = Pc::new(&world, "5CG000000A", 1);
    assert_eq!(pc.enrol_with(&cpin).await.expect(201)["reason"], "enrolment.other_partners_pool");
    one.revoke_cpins(&theirs).await;
    assert_eq!(two.release().await["reason"], "enrolment.cpin_revoked", "the pool lets it go");

    // Before the customer has its say the PC goes to somebody else.
    let items = json!([{ "serial": "5CG000000A", "to": ours }]);
    let shown = two.post("transfers", json!({ "items": items })).await.expect(201);
    let path = format!("transfers/{}/commit", shown["id"].as_str().unwrap());
    two.post(&path, json!({ "digest": shown["digest"] })).await.expect(200);
    let released = one.release().await;
    assert_eq!(
        (&released["state"], &released["reason"]),
        (&json!("waiting"), &json!("enrolment.other_customers_tenant"))
    );
    assert_eq!(two.devices_of(&ours).await, ["5CG000000A"]);
    assert_eq!(two.release().await["state"], "enrolled");
    assert_eq!(one.devices_of(&theirs).await, ["5CG000000A"]);
}

#[rstest]
#[tokio::test]
async fn a_foreign_domain_is_confirmed_for_one_customer_alone(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "oneconfirmed").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let (north, east) = (partner.customer("Werft Nord").await, partner.customer("Werft Ost").await);
    let (of_north, of_east) = (partner.cpin(&north).await, partner.cpin(&east).await);
    partner.revoke_cpins(&north).await;
    let path = format!("/api/v1/customers/{east}/enrolment-domains");
    let domains = json!({ "domains": ["werft.example"] }).to_string().into_bytes();
    partner.send(Method::PUT, &path, Some(("application/json", domains))).await.expect(200);

    let pc = Pc::new(&world, "5CG000000A", 1);
    let wish = |cpin: &str, confirmed: bool| {
        let mut wish = pc.wish();
        wish["cpin"] = cpin.into();
        wish["domain"] = "home.example".into();
        wish["confirmed"] = confirmed.into();
        wish
    };
    let waits = pc.post("enrolments", wish(&of_north, true)).await.expect(201);
    assert_eq!(waits["reason"], "enrolment.cpin_revoked");
    let waits = pc.post("enrolments", wish(&of_east, false)).await.expect(200);
    assert_eq!(waits["reason"], "enrolment.foreign_domain");
    assert_eq!(pc.post("enrolments", wish(&of_east, true)).await.expect(200)["state"], "enrolled");
    assert_eq!(partner.devices_of(&east).await, ["5CG000000A"]);
}

/// What somebody is answered who asks after another node has changed enrolments and before it commits.
async fn between(
    world: &World,
    change: &'static str,
    asks: impl Future<Output = Answer> + Send + 'static,
) -> Answer {
    let system = access::system();
    let mut other = world.app.store.write(&system).await.unwrap();
    assert_eq!(other.execute(change, args![]).await.unwrap(), 1);
    let theirs = other.number("SELECT CAST(pg_backend_pid() AS bigint)", args![]).await.unwrap();
    let asked = tokio::spawn(asks);
    eventually("whoever asks waits for the other node", async || {
        let mut tx = world.app.store.read(&system).await.unwrap();
        let waiting = "SELECT COUNT(*) FROM pg_locks w JOIN pg_locks h ON h.transactionid = w.transactionid \
                       AND h.granted WHERE NOT w.granted AND h.pid = $1";
        (tx.number(waiting, args![theirs]).await.unwrap() > 0).then_some(())
    })
    .await;
    other.commit().await.unwrap();
    asked.await.unwrap()
}

#[tokio::test]
async fn what_another_node_writes_meanwhile_is_judged_and_not_written_over() {
    let world = World::start(Postgres, "meanwhile").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000J R-1"])).await;
    Pc::new(&world, "5CG000000J", 1).enrol().await.expect(201);
    let second = Pc::new(&world, "5CG000000J", 2);
    assert_eq!(second.enrol().await.expect(201)["reason"], "enrolment.second_key");
    let id = partner.all("enrolments").await[0]["id"].as_str().unwrap().to_owned();

    let refuses =
        "UPDATE enrolments SET state = 'refused', reason = 'enrolment.refused' WHERE state = 'waiting'";
    let answer = between(&world, refuses, async move { second.enrol().await }).await.expect(200);
    assert_eq!((&answer["state"], &answer["reason"]), (&json!("refused"), &json!("enrolment.refused")));
    assert_eq!(partner.all("enrolments").await[0]["state"], "refused");

    let enrols = "UPDATE enrolments SET state = 'enrolled', reason = NULL WHERE state = 'refused'";
    let (path, refusing) = (format!("enrolments/{id}/refuse"), partner.clone());
    let answer = between(&world, enrols, async move { refusing.post(&path, json!({})).await }).await;
    assert_eq!(answer.refused(409), "enrolment.over");
    assert_eq!(partner.all("enrolments").await, Vec::<Value>::new());
}

/// As if so many unknown PCs had asked in this hour under this name.
async fn have_asked(world: &World, name: &str, count: i64) {
    let mut tx = world.app.store.write(&access::system()).await.unwrap();
    let sql = "UPDATE cpin_guesses SET wrong = $2 WHERE network = $1";
    assert_eq!(tx.execute(sql, args![name, count]).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn made_up_pcs_are_limited_by_the_hour_and_real_ones_are_not(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "madeup").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let customer = partner.customer("Werft Nord").await;
    let cpin = partner.cpin(&customer).await;
    let list = format!("customers/{customer}/zero-touch-serials");
    partner.post(&list, json!({ "serials": ["5CG000000C"] })).await.expect(200);

    let first = Pc::new(&world, "5CG0000001", 1);
    assert_eq!(first.enrol().await.expect(201)["reason"], "enrolment.not_placed");
    have_asked(&world, "unknown 127.0.0.1", UNKNOWN_PER_NETWORK - 1).await;
    Pc::new(&world, "5CG0000002", 2).enrol().await.expect(201);
    let next = Pc::new(&world, "5CG0000003", 3);
    assert_eq!(next.enrol().await.refused(429), "enrolment.too_many_unknown");
    assert_eq!(next.enrol_with("slip").await.refused(429), "enrolment.too_many_unknown");
    // Nothing of it is kept, and what is there asks again.
    let serials = async || -> Vec<String> {
        let items = world.operator.all("enrolments").await;
        let mut serials: Vec<String> =
            items.iter().map(|item| item["serial_number"].as_str().unwrap().to_owned()).collect();
        serials.sort();
        serials
    };
    assert_eq!(serials().await, ["5CG0000001", "5CG0000002"]);
    assert_eq!(first.enrol().await.expect(200)["reason"], "enrolment.not_placed");

    // A known serial, a right cPIN and a list are no matter of luck; a wrong cPIN stays a guess.
    let mut pcs = 10..;
    let mut pc = |serial: &str| Pc::new(&world, serial, pcs.next().unwrap());
    assert_eq!(pc("5CG000000A").enrol().await.expect(201)["state"], "enrolled");
    assert_eq!(pc("5CG000000A").enrol().await.expect(201)["reason"], "enrolment.second_key");
    assert_eq!(pc("5CG000000B").enrol_with(&cpin).await.expect(201)["state"], "enrolled");
    assert_eq!(pc("5CG000000C").enrol().await.expect(201)["reason"], "enrolment.not_placed");
    let guess = Cpin::random(&*SeededEntropy::new(5)).to_string();
    assert_eq!(pc("5CG000000D").enrol_with(&guess).await.refused(422), "cpin.unknown");

    world.clock.step_seconds(3600);
    next.enrol().await.expect(201);
    let mut tx = world.app.store.write(&access::system()).await.unwrap();
    cpins::forget_guesses(&mut tx, world.app.ambient.now()).await.unwrap();
    tx.commit().await.unwrap();
    have_asked(&world, "unknown all", UNKNOWN_IN_ALL).await;
    assert_eq!(pc("5CG0000004").enrol().await.refused(429), "enrolment.too_many_unknown");
    assert_eq!(pc("5CG000000E").enrol_with(&cpin).await.expect(201)["state"], "enrolled");
}

#[rstest]
#[tokio::test]
async fn an_enrolment_that_concerns_nobody_is_in_no_log(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "nolog").await;
    let logged = async |who: &Client| {
        let log = who.all("audit-log?action=enrolment.waiting").await;
        log.iter().map(|entry| entry["detail"]["reason"].clone()).collect::<Vec<Value>>()
    };
    let pc = Pc::new(&world, "5CG000000A", 1);
    assert_eq!(pc.enrol_with("slip").await.refused(422), "cpin.mistyped");
    assert_eq!(pc.enrol().await.expect(200)["reason"], "enrolment.not_placed");
    assert_eq!(world.operator.all("enrolments").await.len(), 1, "the list has it");
    assert_eq!(logged(&world.operator).await, Vec::<Value>::new());

    // From the moment at which it is somebody's, it is in that log.
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    assert_eq!(Pc::new(&world, "5CG000000A", 2).enrol().await.expect(201)["reason"], "enrolment.rival_keys");
    assert_eq!(logged(&partner).await, [json!("enrolment.rival_keys")]);
    assert_eq!(logged(&world.operator).await, Vec::<Value>::new());
}
