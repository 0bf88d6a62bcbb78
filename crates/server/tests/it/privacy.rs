//! What is known of persons at a PC: sealed by a move, opened by proof, taken along by an undo alone (decisions 7, 9, 25).

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_domain::clock::Micros;
use roadstead_server::jobs;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::privacy;
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::world::{Client, World, csv};

const SERIAL: &str = "5CG000000A";

/// A partner with two customers that run themselves, and one PC in its pool.
struct Stage {
    world: World,
    partner: Client,
    customers: [(String, Client); 2],
    pc: Pc,
}

impl Stage {
    async fn new(kind: Kind, name: &str) -> Self {
        let world = World::start(kind, name).await;
        let partner = world.partner("R-1").await;
        world.distributor("D-1").await.report("", "text/csv", csv(&[&format!("{SERIAL} R-1")])).await;
        let mut customers = Vec::new();
        for name in ["Werft", "Kai"] {
            let id = partner.invited_customer(name).await;
            let admin = world.token(Role::ItAdmin, Some(&id)).await;
            admin.post(&format!("customers/{id}/assigned-partner/accept"), json!({})).await.expect(200);
            put(
                &admin,
                &format!("customers/{id}/privacy"),
                &json!({ "collect_user": true, "collect_location": true }),
            )
            .await;
            customers.push((id, admin));
        }
        let pc = Pc::new(&world, SERIAL, 1);
        pc.enrol().await.expect(201);
        Self { world, partner, customers: customers.try_into().ok().unwrap(), pc }
    }

    /// Moves the PC; the transfer.
    async fn moved(&self, to: &str) -> Value {
        let preview = json!({ "items": [{ "serial": SERIAL, "to": to }] });
        let preview = self.partner.post("transfers", preview).await.expect(201);
        let path = format!("transfers/{}/commit", preview["id"].as_str().unwrap());
        self.partner.post(&path, json!({ "digest": preview["digest"] })).await.expect(200)
    }

    async fn undo(&self, transfer: &Value) -> Value {
        let path = format!("transfers/{}/undo", transfer["id"].as_str().unwrap());
        self.partner.post(&path, json!({})).await.expect(200)
    }

    async fn checks_in(&self, user: &str) -> Value {
        self.pc.post("check-ins", json!({ "user": user, "location": format!("at {user}") })).await.expect(200)
    }

    /// What a customer's own people see of the PC: possession and user; `None` where they do not have it.
    async fn sees(&self, customer: usize) -> Option<(Value, Value)> {
        let (id, admin) = &self.customers[customer];
        let own = admin.all(&format!("customers/{id}/devices")).await;
        let same = self.partner.all(&format!("customers/{id}/devices")).await;
        assert_eq!(own, same, "the partner sees what the customer sees");
        own.first().map(|pc| {
            assert_eq!(pc["location"].is_null(), pc["last_user"].is_null());
            (pc["possession"].clone(), pc["last_user"].clone())
        })
    }

    async fn confirm(&self, customer: usize) -> Value {
        let (id, admin) = &self.customers[customer];
        admin
            .post(&format!("customers/{id}/arrivals/confirm"), json!({ "serials": [SERIAL] }))
            .await
            .expect(200)
    }

    async fn rows(&self) -> i64 {
        let mut tx = self.world.app.store.read(&access::system()).await.unwrap();
        tx.number("SELECT COUNT(*) FROM personal_data", vec![]).await.unwrap()
    }
}

async fn put(client: &Client, path: &str, body: &Value) {
    let body = Some(("application/json", body.to_string().into_bytes()));
    client.send(Method::PUT, &format!("/api/v1/{path}"), body).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn d07_a_move_seals_an_undo_unseals_and_what_stays_sealed_is_wiped(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let stage = Stage::new(kind, "sealed").await;
    let [(werft, admin), (kai, _)] = &stage.customers;
    let sealed = json!(null);
    // By the cPIN: open at once.
    let cpin = admin.post(&format!("customers/{werft}/cpins"), json!({})).await.expect(201);
    let mut wish = stage.pc.wish();
    wish["cpin"] = cpin["cpin"].clone();
    assert_eq!(stage.pc.post("enrolments", wish).await.expect(200)["state"], "enrolled");
    stage.checks_in("Inga").await;
    assert_eq!(stage.sees(0).await, Some((json!("cpin"), json!("Inga"))));

    let transfer = stage.moved(kai).await;
    let receipt = &transfer["privacy"]["commit"];
    assert_eq!(receipt["last_user"], json!({ "kept": 0, "wiped": 0, "sealed": 1 }), "{transfer}");
    assert_eq!(receipt["readings"]["kept"], 1);
    // What the PC tells in the new tenant is kept, and sealed until something shows that this tenant has it.
    stage.checks_in("Piet").await;
    assert_eq!((stage.sees(0).await, stage.sees(1).await), (None, Some((sealed.clone(), sealed.clone()))));

    let undone = stage.undo(&transfer).await;
    assert_eq!(undone["privacy"]["undo"]["last_user"], json!({ "kept": 1, "wiped": 0, "sealed": 1 }));
    assert_eq!(stage.sees(0).await, Some((json!("cpin"), json!("Inga"))), "as it was before");

    // Again, and the customer says that it has the PC: of its own time only.
    stage.moved(kai).await;
    assert_eq!(stage.confirm(1).await["confirmed"], 1);
    assert_eq!(stage.confirm(1).await["confirmed"], 0, "it was known already");
    assert_eq!(stage.sees(1).await, Some((json!("confirmed"), sealed.clone())));
    stage.checks_in("Kaja").await;
    assert_eq!(stage.sees(1).await, Some((json!("confirmed"), json!("Kaja"))));

    // A plain move back opens nothing old.
    let back = stage.moved(werft).await;
    assert_eq!(stage.sees(0).await, Some((sealed.clone(), sealed.clone())));
    stage.checks_in("Inga again").await;
    assert_eq!(stage.sees(0).await, Some((sealed.clone(), sealed)));
    assert_eq!(stage.rows().await, 4);
    let wipe = async |days: i64| {
        stage.world.clock.step_seconds(days * 24 * 3600);
        jobs::wipe_sealed(&stage.world.app).await.unwrap()
    };
    assert_eq!(wipe(29).await, 0);
    assert_eq!(wipe(2).await, 3, "all but that of the present generation");
    let path = format!("transfers/{}", back["id"].as_str().unwrap());
    let told = stage.partner.get(&path).await.expect(200);
    assert_eq!(told["privacy"]["commit"]["last_user"], json!({ "kept": 0, "wiped": 1, "sealed": 0 }));
    assert!(told["privacy"]["wiped_at"].is_string());
}

/// A report that moves a PC between pools seals as a transfer does, and both partners' logs say so.
#[rstest]
#[tokio::test]
async fn r2_the_logs_of_both_partners_say_what_a_report_sealed(#[values(Sqlite, Postgres)] kind: Kind) {
    let stage = Stage::new(kind, "report_receipts").await;
    let (world, one) = (&stage.world, &stage.partner);
    let two = world.partner("R-2").await;
    let pool_changes = async |who: &Client| {
        let log = who.all("audit-log?action=pool.changed").await;
        log.iter().map(|entry| entry["detail"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(pool_changes(one).await, [json!({ "arrived": 1, "left": 0 })], "nothing was there before");
    stage.checks_in("Inga").await;
    let desk = world.token(Role::CustomerSupport, None).await;
    let contact = json!({ "name": "Inga", "phone": "040 1" });
    let body = json!({ "serial": SERIAL, "contact": contact, "text": "It clicks", "caller": "Inga" });
    desk.post("repair-cases", body).await.expect(201);

    // Sold on to another partner, with a PC that nobody knew.
    world.clock.step_seconds(1);
    let distributor = world.token(Role::Distributor, Some("D-1")).await;
    let sold = format!("{SERIAL} R-1 buyer=R-2 invoice=INV-2");
    distributor.report("", "text/csv", csv(&[&sold, "5CG000000B R-2"])).await;
    assert_eq!(two.pool().await, [SERIAL, "5CG000000B"]);
    let counts = |kept, sealed| json!({ "kept": kept, "wiped": 0, "sealed": sealed });
    let receipt = json!({
        "readings": counts(1, 0), "last_user": counts(0, 0), "location": counts(0, 0), "free_text": counts(0, 1),
    });
    assert_eq!(pool_changes(one).await[0], json!({ "arrived": 0, "left": 1, "privacy": receipt }));
    assert_eq!(pool_changes(&two).await, [json!({ "arrived": 2, "left": 0, "privacy": receipt })]);

    // Taken back and sold to the first again, by one file: the same PC counts once on either side.
    world.clock.step_seconds(1);
    let (back, again) = (format!("{SERIAL} R-2 kind=return"), format!("{SERIAL} R-1 invoice=INV-3"));
    distributor.report("", "text/csv", csv(&[&back, &again])).await;
    assert_eq!(one.pool().await, [SERIAL]);
    let receipt = json!({
        "readings": counts(1, 0), "last_user": counts(0, 0), "location": counts(0, 0), "free_text": counts(0, 0),
    });
    assert_eq!(pool_changes(&two).await[0], json!({ "arrived": 0, "left": 1, "privacy": receipt }));
    assert_eq!(pool_changes(one).await[0], json!({ "arrived": 1, "left": 0, "privacy": receipt }));

    world.clock.step_seconds(1);
    let (back, again) = (format!("{SERIAL} R-1 kind=return"), format!("{SERIAL} R-1 invoice=INV-4"));
    distributor.report("", "text/csv", csv(&[&back, &again])).await;
    assert_eq!(pool_changes(one).await[0], json!({ "arrived": 1, "left": 1, "privacy": receipt }));

    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let page =
        crate::sign_in::Portal::sign_in(world, "one@example.com").await.get("/settings/logs").await.text;
    assert!(page.contains("Free text of repair cases: 1"), "{page}");
}

/// What became of the data stands in the log of every tenant concerned, each with its own part.
#[rstest]
#[tokio::test]
async fn r2_the_logs_of_both_tenants_say_what_a_move_kept_and_sealed(#[values(Sqlite, Postgres)] kind: Kind) {
    let stage = Stage::new(kind, "receipts").await;
    let [(werft, admin), (kai, other)] = &stage.customers;
    stage.moved(werft).await;
    stage.checks_in("Inga").await;
    // Entries of one millisecond have no order among them.
    stage.world.clock.step_seconds(1);
    let transfer = stage.moved(kai).await;
    let counts = |kept, sealed| json!({ "kept": kept, "wiped": 0, "sealed": sealed });
    let expected = json!({
        "readings": counts(1, 0), "last_user": counts(0, 1), "location": counts(0, 1), "free_text": counts(0, 0),
    });
    assert_eq!(transfer["privacy"]["commit"], expected);
    let newest = async |who: &Client, action: &str| {
        let log = who.all(&format!("audit-log?action={action}")).await;
        log.first().map(|entry| entry["detail"].clone()).unwrap_or_default()
    };
    for who in [&stage.partner, admin, other] {
        let said = newest(who, "transfer.committed").await;
        assert_eq!(said["privacy"], expected, "{said}");
        assert!(!said.to_string().contains("Inga"));
    }
    stage.checks_in("Piet").await;
    stage.undo(&transfer).await;
    for who in [&stage.partner, admin, other] {
        let said = newest(who, "transfer.undone").await;
        assert_eq!(said["privacy"]["last_user"], counts(1, 1), "{said}");
    }

    // A PC that goes by the other customer's cPIN, released by who had it.
    let cpin = other.post(&format!("customers/{kai}/cpins"), json!({})).await.expect(201);
    let mut wish = stage.pc.wish();
    wish["cpin"] = cpin["cpin"].clone();
    assert_eq!(stage.pc.post("enrolments", wish).await.expect(200)["state"], "waiting");
    let waiting = admin.all("enrolments").await;
    let path = format!("enrolments/{}/release", waiting[0]["id"].as_str().unwrap());
    stage.world.clock.step_seconds(1);
    admin.post(&path, json!({})).await.expect(200);
    for who in [&stage.partner, admin, other] {
        assert_eq!(newest(who, "device.enrolled").await["privacy"], expected);
    }
    assert_eq!(
        stage.sees(1).await,
        Some((json!(null), json!(null))),
        "a release shows nothing of who has it"
    );
}

/// The deletion goes in batches, on from where it was, and two nodes share the work.
#[rstest]
#[tokio::test]
async fn d07_the_deletion_goes_in_batches_and_two_nodes_do_none_of_it_twice(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    const PCS: usize = 2_300;
    let world = World::start(kind, "batches").await;
    let partner = world.partner("R-1").await;
    let serials: Vec<String> = (0..PCS).map(|n| format!("5CG{n:07}")).collect();
    let lines: Vec<String> = serials.iter().map(|serial| format!("{serial} R-1")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let werft = partner.customer("Werft").await;
    let system = access::system();
    let learn = async || {
        let mut tx = world.app.store.write(&system).await.unwrap();
        let sql = "INSERT INTO personal_data (device, generation, last_user, at) \
                   SELECT device, generation, 'Inga', 0 FROM placements";
        tx.execute(sql, vec![]).await.unwrap();
        tx.commit().await.unwrap();
    };
    let move_all = async |to: &str| {
        for part in serials.chunks(1_000) {
            let items: Vec<Value> = part.iter().map(|pc| json!({ "serial": pc, "to": to })).collect();
            let preview = partner.post("transfers", json!({ "items": items })).await.expect(201);
            let path = format!("transfers/{}/commit", preview["id"].as_str().unwrap());
            partner.post(&path, json!({ "digest": preview["digest"] })).await.expect(200);
        }
    };
    let left = async || {
        let mut tx = world.app.store.read(&system).await.unwrap();
        tx.number("SELECT COUNT(*) FROM personal_data", vec![]).await.unwrap()
    };
    let batch = async || {
        let now = world.app.ambient.now();
        let before = Micros(now.0 - roadstead_domain::transfer::UNDO_FOR);
        let mut tx = world.app.store.write(&system).await.unwrap();
        let wiped = privacy::wipe(&mut tx, &system, before, now).await.unwrap();
        tx.commit().await.unwrap();
        wiped
    };
    move_all(&werft).await;
    learn().await;
    // The server looked when it started.
    world.clock.step_seconds(3_600);
    assert_eq!((batch().await, batch().await), (Some(0), Some(0)), "looked at, and nothing to delete");
    assert_eq!((batch().await, batch().await), (Some(0), None));
    move_all("unassigned").await;
    learn().await;
    world.clock.step_seconds(31 * 24 * 3600);
    assert_eq!(batch().await, Some(1_000));
    assert_eq!(left().await, 3_600, "only what is sealed, and no more than a batch");
    let both = tokio::join!(jobs::wipe_sealed(&world.app), jobs::wipe_sealed(&world.app));
    assert_eq!(both.0.unwrap() + both.1.unwrap(), 1_300);
    assert_eq!(left().await, 2_300);
    assert_eq!(batch().await, None, "the next round begins later");
    let transfers = partner.all("transfers").await;
    let wiped = transfers.iter().filter(|transfer| transfer["privacy"]["wiped_at"].is_string()).count();
    assert_eq!(wiped, 6);
    world.clock.step_seconds(3_600);
    assert_eq!(batch().await, Some(0));
}

#[rstest]
#[tokio::test]
async fn d25_the_pcs_key_shows_from_inside_the_tenant_that_the_tenant_has_it(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let stage = Stage::new(kind, "inside").await;
    let [(werft, admin), (kai, other)] = &stage.customers;
    assert_eq!(stage.checks_in("x").await.get("challenge"), None, "in a pool there is nothing to show");
    stage.moved(werft).await;
    assert_eq!(stage.checks_in("x").await.get("challenge"), None, "a tenant without domains has no inside");
    for (id, admin, domain) in [(werft, admin, "werft.example"), (kai, other, "kai.example")] {
        put(admin, &format!("customers/{id}/enrolment-domains"), &json!({ "domains": [domain] })).await;
    }
    let first = stage.checks_in("Inga").await["challenge"].clone();
    assert!(first.is_string());
    let answer = async |challenge: &Value, domain: &str| {
        let body = json!({ "challenge": challenge, "domain": domain, "user": "Inga" });
        stage.pc.post("check-ins", body).await.expect(200)
    };
    answer(&json!("00"), "werft.example").await;
    answer(&first, "kai.example").await;
    answer(&first, "").await;
    assert_eq!(stage.sees(0).await, Some((json!(null), json!(null))));
    let shown = answer(&first, "hh.werft.example").await;
    assert_eq!(shown.get("challenge"), None, "nothing is left to show");
    assert_eq!(stage.sees(0).await, Some((json!("key"), json!("Inga"))));

    // What was signed for one move shows nothing after another.
    stage.moved(kai).await;
    answer(&first, "kai.example").await;
    assert_eq!(stage.sees(1).await, Some((json!(null), json!(null))));
    let second = stage.checks_in("Inga").await["challenge"].clone();
    assert_ne!(first, second);
    // A stranger's PC that was moved by mistake says where it is.
    answer(&second, "werft.example").await;
    assert_eq!(stage.sees(1).await, Some((json!(null), json!(null))));
    answer(&second, "kai.example").await;
    assert_eq!(stage.sees(1).await, Some((json!("key"), json!("Inga"))));
}

#[tokio::test]
async fn only_the_customers_own_people_confirm_and_only_what_is_theirs() {
    let stage = Stage::new(Sqlite, "confirm").await;
    let [(werft, admin), (kai, other)] = &stage.customers;
    stage.moved(werft).await;
    let path = format!("customers/{werft}/arrivals/confirm");
    let body = json!({ "serials": [SERIAL] });
    stage.partner.post(&path, body.clone()).await.refused(404);
    other.post(&path, body.clone()).await.refused(404);
    let foreign = format!("customers/{kai}/arrivals/confirm");
    assert_eq!(other.post(&foreign, body).await.refused(409), "transfer.device_not_found");
    assert_eq!(admin.post(&path, json!({ "serials": [] })).await.refused(422), "field.missing");
    assert_eq!(stage.sees(0).await, Some((json!(null), json!(null))));
}

/// One stay of the PC somewhere.
#[derive(Clone, Default)]
struct Stay {
    /// 0 and 1 are the customers, 2 is the pool.
    at: usize,
    user: Option<String>,
    proved: bool,
}

/// Whatever is moved, undone, told and confirmed in whatever order: each customer sees of the PC what it learned in this
/// very stay, once it was shown to have it; an undo brings the stay before back as it was; nothing else opens.
#[rstest]
#[case::sqlite(Sqlite, 1)]
#[case::sqlite(Sqlite, 2)]
#[case::sqlite(Sqlite, 3)]
#[case::postgres(Postgres, 4)]
#[tokio::test]
async fn property_to_and_fro_opens_nothing_old(#[case] kind: Kind, #[case] seed: u64) {
    let stage = Stage::new(kind, &format!("walk{seed}")).await;
    let mut random = seed;
    let mut pick = move |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut stay = Stay { at: 2, ..Stay::default() };
    // The transfer that began this stay, and the stay before it.
    let mut before: Option<(Value, Stay)> = None;
    let mut trail = Vec::new();
    for step in 0..60 {
        match pick(5) {
            0 | 1 => {
                let to = (stay.at + 1 + usize::try_from(pick(2)).unwrap()) % 3;
                let id = stage.customers.get(to).map_or("unassigned", |(id, _)| id);
                before = Some((stage.moved(id).await, stay));
                stay = Stay { at: to, ..Stay::default() };
                trail.push(format!("move to {to}"));
            }
            2 => {
                if let Some((transfer, former)) = before.take() {
                    stage.undo(&transfer).await;
                    stay = former;
                    trail.push(format!("undo to {}", stay.at));
                }
            }
            3 => {
                let user = format!("user {step}");
                stage.checks_in(&user).await;
                if stay.at < 2 {
                    stay.user = Some(user);
                }
                trail.push("check-in".to_owned());
            }
            _ => {
                if stay.at < 2 {
                    stage.confirm(stay.at).await;
                    stay.proved = true;
                    trail.push("confirm".to_owned());
                }
            }
        }
        for customer in 0..2 {
            let expected = (stay.at == customer).then(|| {
                let proof = if stay.proved { json!("confirmed") } else { json!(null) };
                (proof, json!(stay.user.clone().filter(|_| stay.proved)))
            });
            assert_eq!(stage.sees(customer).await, expected, "customer {customer} after {trail:?}");
        }
    }
}

/// The preview warns where nothing shows that the customer holds the PC, and is silent once something does.
#[rstest]
#[tokio::test]
async fn r2_the_preview_warns_where_nothing_shows_that_the_customer_has_the_pc(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let stage = Stage::new(kind, "warned").await;
    let [(werft, admin), (kai, _)] = &stage.customers;
    let warned = async |to: &str| {
        let preview = json!({ "items": [{ "serial": SERIAL, "to": to }] });
        let preview = stage.partner.post("transfers", preview).await.expect(201);
        assert_eq!(preview["ready"], 1);
        preview["items"][0]["reasons"][0]["code"] == "transfer.nothing_shows_the_customer"
    };
    assert!(warned(werft).await && warned(kai).await, "it was sold to somebody else");
    let list = format!("customers/{werft}/zero-touch-serials");
    admin.post(&list, json!({ "serials": [SERIAL] })).await.expect(200);
    assert!(!warned(werft).await && warned(kai).await, "it is on the list");
    admin.send(Method::DELETE, &format!("/api/v1/{list}/{SERIAL}"), None).await;
    assert!(warned(werft).await);
    // Its domain, as it said when it enrolled.
    let mut wish = stage.pc.wish();
    wish["domain"] = "HH.werft.example".into();
    stage.pc.post("enrolments", wish).await.expect(200);
    put(admin, &format!("customers/{werft}/enrolment-domains"), &json!({ "domains": ["werft.example"] }))
        .await;
    assert!(!warned(werft).await && warned(kai).await, "it is of the domain");
    put(admin, &format!("customers/{werft}/enrolment-domains"), &json!({ "domains": [] })).await;
    assert!(warned(werft).await);
    // It was there once, and the customer said so.
    stage.moved(werft).await;
    stage.confirm(0).await;
    stage.moved("unassigned").await;
    assert!(!warned(werft).await && warned(kai).await, "it was in its hands");
}

/// What waits for an answer stands in the notification area of whoever has to give it, and goes with the answer.
#[rstest]
#[tokio::test]
async fn the_notification_area_says_what_waits_and_for_whom(#[values(Sqlite, Postgres)] kind: Kind) {
    let stage = Stage::new(kind, "notices").await;
    let [(werft, admin), _] = &stage.customers;
    let invited = stage.partner.invited_customer("Reede").await;
    let invitee = stage.world.token(Role::ItAdmin, Some(&invited)).await;
    let waiting = async |who: &Client| who.get("notifications").await.expect(200);
    assert_eq!(waiting(&stage.partner).await["unanswered"], 1);
    let told = waiting(&invitee).await;
    assert_eq!((&told["invited_by"], &told["count"]), (&json!("Partner R-1"), &json!(1)));
    assert_eq!(waiting(admin).await["count"], 0);
    stage.moved(werft).await;
    assert_eq!(waiting(admin).await["arrivals"], 1);
    stage.confirm(0).await;
    assert_eq!(waiting(admin).await["count"], 0);
    invitee.post(&format!("customers/{invited}/assigned-partner/accept"), json!({})).await.expect(200);
    assert_eq!(
        (&waiting(&invitee).await["count"], &waiting(&stage.partner).await["count"]),
        (&json!(0), &json!(0))
    );
}
