//! The repair desk: working hours, the week, and mails that one need not have.

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_server::flows;
use roadstead_server::flows::users::NewUser;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::repair::deliver_service;
use crate::resume::{free_port, serve, token};
use crate::sign_in::Portal;
use crate::world::{Answer, Client, PASSWORD, World, csv};

/// A partner that delivers service, customer support, and a case at each desk.
struct Scene {
    world: World,
    partner: Client,
    support: Client,
    /// At the partner's CSDP account.
    theirs: String,
    /// At customer support.
    ours: String,
}

async fn scene(kind: Kind, name: &str) -> Scene {
    let world = World::start(kind, name).await;
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    deliver_service(&world, "R-1", "premium_plus").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1", "5CG0000002 R-2"])).await;
    let support = world.token(Role::CustomerSupport, None).await;
    let theirs = open(&support, "5CG0000001").await;
    let ours = open(&support, "5CG0000002").await;
    Scene { world, partner, support, theirs, ours }
}

async fn open(support: &Client, serial: &str) -> String {
    let contact = json!({ "name": "Inga Boje", "phone": "1" });
    let body = json!({ "serial": serial, "contact": contact, "text": "It clicks", "caller": "Inga" });
    support.post("repair-cases", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn put_hours(client: &Client, zone: &str, days: [&str; 7]) -> Answer {
    let body = json!({ "time_zone": zone, "days": days }).to_string().into_bytes();
    client.send(Method::PUT, "/api/v1/repair-desk/hours", Some(("application/json", body))).await
}

async fn appoint(client: &Client, case: &str, from: &str, until: &str, outside_hours: bool) -> Answer {
    let body = json!({ "from": from, "until": until, "time_zone": "UTC", "outside_hours": outside_hours });
    client.post(&format!("repair-cases/{case}/appointment"), body).await
}

const WEEK: [&str; 7] = ["08:00-17:00", "08:00-17:00", "08:00-17:00", "08:00-17:00", "08:00-12:30", "", ""];

#[rstest]
#[tokio::test]
async fn an_appointment_outside_of_the_working_hours_has_to_be_confirmed(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let Scene { world, partner, support, theirs, ours } = scene(kind, "hours").await;
    let hours = async |client: &Client| client.get("repair-desk/hours").await.expect(200);
    assert_eq!(hours(&partner).await, json!({ "time_zone": "", "days": [] }));
    assert_eq!(put_hours(&partner, "Mars/Olympus", WEEK).await.refused(422), "field.unknown_value");
    assert_eq!(put_hours(&partner, "UTC", [""; 7]).await.refused(422), "desk_hours.no_day");
    let mut odd = WEEK;
    odd[1] = "17:00-08:00";
    let refused = put_hours(&partner, "UTC", odd).await.expect(422);
    assert_eq!(
        (&refused["code"], &refused["errors"][0]["field"]),
        (&json!("desk_hours.no_time"), &json!("tuesday"))
    );
    assert_eq!(put_hours(&partner, "Europe/Berlin", WEEK).await.expect(200)["time_zone"], "Europe/Berlin");
    // Seven in UTC is eight in Berlin; a Saturday is off.
    let early = ("2027-01-04T06:30:00Z", "2027-01-04T08:00:00Z");
    let saturday = ("2027-01-09T09:00:00Z", "2027-01-09T10:00:00Z");
    for (from, until) in [early, saturday] {
        let refused = appoint(&partner, &theirs, from, until, false).await.refused(409);
        assert_eq!(refused, "appointment.outside_hours", "{from}");
    }
    assert_eq!(partner.get(&format!("repair-cases/{theirs}")).await.expect(200)["state"], "new");
    appoint(&partner, &theirs, saturday.0, saturday.1, true).await.expect(200);
    appoint(&partner, &theirs, "2027-01-04T07:00:00Z", "2027-01-04T09:00:00Z", false).await.expect(200);
    // The hours of one desk are not another's: customer support has not said any.
    assert_eq!(hours(&support).await["time_zone"], "");
    appoint(&support, &ours, early.0, early.1, false).await.expect(200);
    put_hours(&support, "UTC", WEEK).await.expect(200);
    assert_eq!(hours(&partner).await["time_zone"], "Europe/Berlin");

    let week =
        async |client: &Client| client.get("repair-desk/appointments?week=2027-01-06").await.expect(200);
    let own = week(&partner).await;
    assert_eq!(
        (&own["week"], &own["time_zone"], &own["items"][0]["repair_case"], &own["items"][0]["from"]),
        (&json!("2027-01-04"), &json!("Europe/Berlin"), &json!(theirs), &json!("2027-01-04T07:00:00Z"))
    );
    let of_support = week(&support).await;
    let items = |week: &Value| week["items"].as_array().unwrap().len();
    assert_eq!((items(&own), items(&of_support)), (1, 1));
    assert_eq!(of_support["items"][0]["repair_case"], json!(ours));
    assert_eq!(items(&partner.get("repair-desk/appointments").await.expect(200)), 0);
    assert_eq!(partner.get("repair-desk/appointments?week=soon").await.refused(422), "field.not_a_date");
    // Who looks sees the week and sets nothing; a neighbour sees their own; a customer has no desk.
    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(items(&week(&reader).await), 1);
    assert_eq!(put_hours(&reader, "UTC", WEEK).await.refused(403), "forbidden");
    let neighbour = world.token(Role::PartnerAdmin, Some("R-2")).await;
    assert_eq!(items(&week(&neighbour).await), 0);
    let customer = partner.customer("A").await;
    let it_admin = world.token(Role::ItAdmin, Some(&customer)).await;
    assert_eq!(it_admin.get("repair-desk/appointments").await.refused(404), "not_found");
    assert_eq!(it_admin.get("repair-desk/hours").await.refused(404), "not_found");
    assert_eq!(world.operator.get("repair-desk/appointments").await.refused(404), "not_found");
}

#[rstest]
#[tokio::test]
async fn the_page_asks_back_and_keeps_what_was_typed(#[values(Sqlite, Postgres)] kind: Kind) {
    let Scene { world, partner, theirs, .. } = scene(kind, "askback").await;
    put_hours(&partner, "Europe/Berlin", WEEK).await.expect(200);
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let (page, path) = (format!("/repair-cases/{theirs}"), format!("/repair-cases/{theirs}/appointment"));
    // By the clock of the desk's place, wherever the reader lives.
    let fields = [("from", "2027-01-04T17:30"), ("until", "2027-01-04T18:00"), ("note", "Tor 3")];
    let asked = portal.submit_from(&page, &path, &fields).await;
    assert_eq!(asked.status.as_u16(), 422);
    for text in ["outside of the working hours", "2027-01-04T17:30", "Tor 3", "name=\"outside_hours\""] {
        assert!(asked.text.contains(text), "{text}: {}", asked.text);
    }
    let fields = [fields.as_slice(), &[("outside_hours", "yes")]].concat();
    assert_eq!(portal.submit_from(&page, &path, &fields).await.status.as_u16(), 303);
    let seen = partner.get(&format!("repair-cases/{theirs}")).await.expect(200);
    assert_eq!(
        (&seen["appointment"]["from"], &seen["appointment"]["time_zone"]),
        (&json!("2027-01-04T16:30:00Z"), &json!("Europe/Berlin"))
    );
    let week = portal.get("/repair-desk/calendar?week=2027-01-04").await.text;
    assert!(week.contains("17:30–18:00") && week.contains("08:00–17:00"), "{week}");
    let queue = portal.get("/repair-desk").await.text;
    assert!(queue.contains(&theirs) && queue.contains("aria-current=\"page\">Repair desk"), "{queue}");
    // A week that is wrong is shown again with its fault.
    let odd = [("time_zone", "Europe/Berlin"), ("monday", "early"), ("tuesday", "09:00-10:00")];
    let refused = portal.submit_from("/repair-desk/hours", "/repair-desk/hours", &odd).await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.text.contains("early") && refused.text.contains("09:00-10:00"), "{}", refused.text);
    let customer = partner.customer("A").await;
    world.user("it@example.com", Role::ItAdmin, Some(&customer)).await;
    let it_admin = Portal::sign_in(&world, "it@example.com").await;
    for path in ["/repair-desk", "/repair-desk/calendar", "/repair-desk/hours"] {
        assert!([403, 404].contains(&it_admin.get(path).await.status.as_u16()), "{path}");
    }
}

#[rstest]
#[tokio::test]
async fn a_case_is_assigned_to_anybody_of_its_desk_and_to_nobody_else(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let Scene { world, partner, support, theirs, ours } = scene(kind, "assign").await;
    for (email, role, whose) in [
        ("one@example.com", Role::PartnerAdmin, Some("R-1")),
        ("two@example.com", Role::PartnerAdmin, Some("R-1")),
        ("gone@example.com", Role::PartnerAdmin, Some("R-1")),
        ("reader@example.com", Role::PartnerReadOnly, Some("R-1")),
        ("next@example.com", Role::PartnerAdmin, Some("R-2")),
        ("desk@example.com", Role::CustomerSupport, None),
        ("team@example.com", Role::Operator, None),
    ] {
        world.user(email, role, whose).await;
    }
    let people = partner.all("users").await;
    let id_of = |email: &str| {
        let person = people.iter().find(|person| person["email"] == email).unwrap();
        person["id"].as_str().unwrap().to_owned()
    };
    let gone = format!("users/{}", id_of("gone@example.com"));
    partner.patch(&gone, json!({ "active": false })).await.expect(200);
    let assign = async |client: &Client, case: &str, user: &str| {
        client.post(&format!("repair-cases/{case}/steps/assign"), json!({ "user": user })).await
    };
    let two = id_of("two@example.com");
    let assigned = assign(&partner, &theirs, &two).await.expect(200);
    assert_eq!((&assigned["state"], &assigned["assignee"]["id"]), (&json!("claimed"), &json!(two)));
    for who in ["gone", "reader", "next", "desk"].map(|who| format!("{who}@example.com")) {
        let refused = assign(&partner, &theirs, &who).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "user", "{who}");
    }
    assert_eq!(assign(&support, &ours, "team@example.com").await.refused(422), "field.unknown_value");
    let assigned = assign(&support, &ours, "Desk@example.com").await.expect(200);
    assert_eq!(assigned["assignee"]["name"], "Test Person");
    let neighbour = world.token(Role::PartnerAdmin, Some("R-2")).await;
    assert_eq!(neighbour.get(&format!("repair-cases/{ours}")).await.expect(200)["assignee"], json!(null));
    assert_eq!(assign(&neighbour, &ours, "next@example.com").await.refused(409), "repair_case.not_yours");

    // A token that takes the case on is nobody: who has it keeps it.
    assert_eq!(assign(&partner, &theirs, "").await.expect(200)["assignee"]["id"], json!(two));
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let (page, path) = (format!("/repair-cases/{theirs}"), format!("/repair-cases/{theirs}/assign"));
    let shown = portal.get(&page).await.text;
    assert!(shown.contains(&format!("<option value=\"{two}\" selected>")), "{shown}");
    for who in ["gone", "reader", "next", "desk"] {
        assert!(!shown.contains(&format!("{who}@example.com")), "{who}: {shown}");
    }
    let who_has_it = async || {
        let case = partner.get(&format!("repair-cases/{theirs}")).await.expect(200);
        case["assignee"]["id"].as_str().unwrap().to_owned()
    };
    // By itself the button is for oneself; another is chosen.
    assert_eq!(portal.submit_from(&page, &path, &[]).await.status.as_u16(), 303);
    assert_eq!(who_has_it().await, id_of("one@example.com"));
    assert_eq!(portal.submit_from(&page, &path, &[("user", &two)]).await.status.as_u16(), 303);
    assert_eq!(who_has_it().await, two);
    let odd = [("user", "nobody@example.com")];
    assert_eq!(portal.submit_from(&page, &path, &odd).await.status.as_u16(), 422);
}

/// Signed in, once they have said whether they want mails about cases.
async fn wishing(world: &World, email: &str, wish: &str) -> Portal {
    let portal = Portal::sign_in(world, email).await;
    let fields = [("name", "Test Person"), ("date_format", "day_month_year"), ("case_mails", wish)];
    let saved = portal.submit_from("/account", "/account/profile", &fields).await;
    assert_eq!(saved.status.as_u16(), 303, "{}", saved.text);
    portal
}

#[rstest]
#[tokio::test]
async fn whoever_is_assigned_a_case_by_somebody_else_is_mailed_once(#[values(Sqlite, Postgres)] kind: Kind) {
    let Scene { world, partner, support, theirs, ours } = scene(kind, "assignmail").await;
    for (email, role, whose, language) in [
        ("one@example.com", Role::PartnerAdmin, Some("R-1"), "en"),
        ("two@example.com", Role::PartnerAdmin, Some("R-1"), "de"),
        ("quiet@example.com", Role::PartnerAdmin, Some("R-1"), "en"),
        ("desk@example.com", Role::CustomerSupport, None, "en"),
    ] {
        let language = Some(language);
        let new = NewUser { email, name: "Test Person", password: PASSWORD, role, whose, language };
        flows::users::create(&world.app, &access::system(), new).await.unwrap();
    }
    wishing(&world, "quiet@example.com", "no").await;
    let one = Portal::sign_in(&world, "one@example.com").await;
    let (page, path) = (format!("/repair-cases/{theirs}"), format!("/repair-cases/{theirs}/assign"));
    let by_hand = async |user: &str| {
        let assigned = one.submit_from(&page, &path, &[("user", user)]).await;
        assert_eq!(assigned.status.as_u16(), 303, "{}", assigned.text);
        // The next mail comes after it.
        world.clock.step_seconds(1);
    };
    let by_token = async |client: &Client, case: &str, user: &str| {
        client.post(&format!("repair-cases/{case}/steps/assign"), json!({ "user": user })).await.expect(200);
        world.clock.step_seconds(1);
    };
    // To oneself, with and without a name, to somebody twice, and to somebody who wants no mails.
    for user in ["", "one@example.com", "two@example.com", "two@example.com", "quiet@example.com"] {
        by_hand(user).await;
    }
    // A token is nobody.
    by_token(&partner, &theirs, "one@example.com").await;
    by_token(&support, &ours, "desk@example.com").await;

    let mut tx = world.app.store.read(&access::system()).await.unwrap();
    let sql = "SELECT recipient, language, data, link FROM mails WHERE kind = 'repair_case_assigned' \
               ORDER BY id";
    let mails: Vec<(String, String, String, Option<String>)> = tx.all(sql, vec![]).await.unwrap();
    drop(tx);
    let told: Vec<_> = mails
        .iter()
        .map(|(to, language, data, link)| {
            let data: Value = serde_json::from_str(data).unwrap();
            let state = data["state"].as_str().unwrap().to_owned();
            (to.as_str(), language.as_str(), state, link.clone().unwrap())
        })
        .collect();
    let (link, other) = (format!("/repair-cases/{theirs}"), format!("/repair-cases/{ours}"));
    assert_eq!(
        told,
        [
            ("two@example.com", "de", "In Arbeit".to_owned(), link.clone()),
            ("one@example.com", "en", "In work".to_owned(), link),
            ("desk@example.com", "en", "In work".to_owned(), other),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn whoever_wants_no_mails_about_cases_gets_none(#[values(Sqlite, Postgres)] kind: Kind) {
    let Scene { world, support, .. } = scene(kind, "mute").await;
    for (email, role) in [
        ("loud@example.com", Role::CustomerSupport),
        ("quiet@example.com", Role::CustomerSupport),
        ("team@example.com", Role::Operator),
        ("silent@example.com", Role::Operator),
    ] {
        world.user(email, role, None).await;
    }
    world.user("opener@example.com", Role::PartnerAdmin, Some("R-2")).await;
    let mute = async |email: &str, wish: &str| wishing(&world, email, wish).await;
    let quiet = mute("quiet@example.com", "no").await;
    assert!(quiet.get("/account").await.text.contains("<option value=\"no\" selected>"));
    mute("silent@example.com", "no").await;
    open(&support, "5CG0000002").await;
    let opener = mute("opener@example.com", "yes").await;
    let fields = [("kind", "question"), ("text", "Why?"), ("serials", "")];
    let opened = opener.send_files("/support-cases/new", "/support-cases", &fields, &[]).await;
    assert_eq!(opened.status.as_u16(), 303, "{}", opened.text);
    let mails = world.operator.all("mails").await;
    let to = |who: &str| mails.iter().filter(|mail| mail["recipient"] == who).count();
    assert_eq!(
        ["loud", "quiet", "team", "silent"].map(|who| to(&format!("{who}@example.com"))),
        [1, 0, 1, 0],
        "{mails:?}"
    );
    // The answer reaches the opener, until they want none.
    let case = world.operator.all("support-cases").await.remove(0)["id"].as_str().unwrap().to_owned();
    let say = async || {
        let body = json!({ "text": "Because." });
        world.operator.post(&format!("support-cases/{case}/messages"), body).await
    };
    let answers = async || {
        let mails = world.operator.all("mails").await;
        mails.iter().filter(|mail| mail["recipient"] == "opener@example.com").count()
    };
    assert!(say().await.status.is_success());
    let before = answers().await;
    assert_eq!(before, 1);
    mute("opener@example.com", "no").await;
    assert!(say().await.status.is_success());
    assert_eq!(answers().await, before);
}

#[rstest]
#[tokio::test]
async fn where_a_customers_cases_go_is_set_on_its_page(#[values(Sqlite, Postgres)] kind: Kind) {
    let Scene { world, partner, support, .. } = scene(kind, "route").await;
    let customer = partner.customer("A").await;
    let items = json!({ "items": [{ "serial": "5CG0000001", "to": customer }] });
    let shown = partner.post("transfers", items).await.expect(201);
    let path = format!("transfers/{}/commit", shown["id"].as_str().unwrap());
    partner.post(&path, json!({ "digest": shown["digest"] })).await.expect(200);
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("reader@example.com", Role::PartnerReadOnly, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let path = format!("/customers/{customer}/settings/repair-cases");
    let page = portal.get(&path).await.text;
    assert!(
        page.contains("By the partner&#39;s qualification") && page.contains("customer_support"),
        "{page}"
    );
    let desk_of = async |case: String| {
        let case = support.get(&format!("repair-cases/{case}")).await;
        case.status.as_u16() == 200
    };
    assert!(!desk_of(open(&support, "5CG0000001").await).await, "it is the partner's");
    let set = portal.submit_from(&path, &path, &[("to", "customer_support")]).await;
    assert_eq!(set.status.as_u16(), 303, "{}", set.text);
    let settings = partner.get(&format!("customers/{customer}/notification-settings")).await.expect(200);
    assert_eq!(settings["repair_cases"], "customer_support");
    assert!(desk_of(open(&support, "5CG0000001").await).await, "it is customer support's");
    assert!(portal.get(&path).await.text.contains("Always to customer support"));
    let reader = Portal::sign_in(&world, "reader@example.com").await;
    let shown = reader.get(&path).await.text;
    assert!(
        shown.contains("Always to customer support") && !shown.contains("value=\"by_qualification\""),
        "{shown}"
    );
    let refused = reader.submit_from("/customers", &path, &[("to", "by_qualification")]).await;
    assert_eq!(refused.status.as_u16(), 403);
    let odd = portal.submit_from(&path, &path, &[("to", "the moon")]).await;
    assert_eq!(odd.status.as_u16(), 422);
}

#[tokio::test]
async fn customer_support_is_offered_no_search_that_finds_nothing() {
    let world = World::start(Sqlite, "nosearch").await;
    world.partner("R-1").await;
    world.user("desk@example.com", Role::CustomerSupport, None).await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    for (who, offered) in [("desk@example.com", false), ("one@example.com", true)] {
        let portal = Portal::sign_in(&world, who).await;
        let page = portal.get("/repair-cases").await.text;
        assert_eq!(page.contains("role=\"search\""), offered, "{who}");
    }
}

/// Every role can be given a token where the server is installed, customer support's too: it reads its queue and no more.
#[tokio::test]
async fn a_token_of_customer_support_comes_from_the_command_line() {
    let directory = TempDir::new().unwrap();
    let data = ["--data", directory.path().to_str().unwrap()];
    let port = free_port();
    let _server = serve(&data, port).await;
    let support = token(&data, "customer-support", &[]);
    let http = reqwest::Client::new();
    let status = async |path: &str| {
        let url = format!("http://127.0.0.1:{port}/api/v1/{path}");
        http.get(url).bearer_auth(&support).send().await.unwrap().status().as_u16()
    };
    assert_eq!((status("repair-cases").await, status("partners").await), (200, 404));
}
