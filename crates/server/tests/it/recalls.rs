//! Recall lists of the operator: a table with preview, alerts of the PCs on them, and their end.

use reqwest::Method;
use roadstead_domain::access::{self, Role};
use roadstead_server::flows;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use roadstead_store::{args, jobs};
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::sign_in::Portal;
use crate::world::{Client, World, csv, eventually};

const HEAD: &str = "list,part,product_number,model,serial_from,serial_to,source\n";

async fn import(client: &Client, query: &str, rows: &str) -> Value {
    let table = Some(("text/csv", format!("{HEAD}{rows}").into_bytes()));
    client.send(Method::POST, &format!("/api/v1/recall-lists/import{query}"), table).await.expect(200)
}

fn outcomes(imported: &Value) -> Vec<&str> {
    imported["rows"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect()
}

/// The look that comes once an hour, to its end.
async fn hourly(world: &World) {
    flows::recalls::schedule(&world.app).await.unwrap();
    looked(world).await;
}

/// Waits for the end of a look.
async fn looked(world: &World) {
    eventually("the look is over", async || {
        let mut tx = world.app.store.read(&access::system()).await.unwrap();
        (jobs::left(&mut tx).await.unwrap() == (0, 0)).then_some(())
    })
    .await;
}

/// Waits until these serials have a recall alert, and no others.
async fn recalled(partner: &Client, expected: &[(&str, &str, &str)]) {
    eventually("the PCs were compared", async || {
        let alerts = partner.all("alerts").await;
        let mut found: Vec<(&str, &str, &str)> = alerts
            .iter()
            .map(|alert| {
                let text = |name: &str| alert[name].as_str().unwrap();
                (text("serial_number"), text("kind"), text("detail"))
            })
            .collect();
        found.sort_unstable();
        (found == expected).then_some(())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn a_pc_on_a_list_gets_an_alert_with_its_source_and_loses_it_when_it_is_taken_off(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "recalls").await;
    let partner = world.partner("R-1").await;
    let lines = ["5CG0000001 R-1", "5CG0000002 R-1", "5CG0000003 R-1"];
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&lines)).await;
    let pc = Pc::new(&world, "5CG0000001", 1);
    pc.enrol().await.expect(201);
    let product = partner.get("devices/5CG0000001").await.expect(200)["product_number"].clone();
    let product = product.as_str().unwrap();

    // A preview says what would be, and writes nothing; so does a table with a wrong row.
    let row = |from: &str, to: &str| format!("R-7,battery,{product},,{from},{to},Bulletin 7\n");
    let two = row("5CG0000001", "5CG0000002");
    let shown = import(&world.operator, "?validate_only=true", &two).await;
    assert_eq!((&shown["applied"], outcomes(&shown)), (&json!(false), vec!["added"]));
    let wrong = import(&world.operator, "", &format!("{two}R-8,fan,{product},,,,Bulletin 8\n")).await;
    assert_eq!((&wrong["applied"], outcomes(&wrong)), (&json!(false), vec!["added", "rejected"]));
    assert_eq!(
        (&wrong["rows"][1]["code"], &wrong["rows"][1]["column"]),
        (&json!("recall.part"), &json!("part"))
    );
    assert!(world.operator.all("recall-lists").await.is_empty());

    let battery = "battery.recall";
    assert_eq!(import(&world.operator, "", &two).await["applied"], true);
    let on_two = [("5CG0000001", battery, "Bulletin 7"), ("5CG0000002", battery, "Bulletin 7")];
    recalled(&partner, &on_two).await;
    let list = world.operator.all("recall-lists").await.remove(0);
    assert_eq!(
        (&list["number"], &list["ranges"], &list["open_alerts"], &list["source"]),
        (&json!("R-7"), &json!(1), &json!(2), &json!("Bulletin 7"))
    );
    // The user is told, as of any hardware fault.
    let mut told = pc.open("events", &[("accept-language", "en")]).await;
    let mut heard = String::new();
    while !heard.contains("event: pop_up") {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(30), told.chunk()).await;
        heard += std::str::from_utf8(&chunk.expect("a pop-up").unwrap().unwrap()).unwrap();
    }
    assert!(heard.contains("battery.recall") && heard.contains("R-7"), "{heard}");
    // What the PC itself reads closes nothing of it; the same table again changes nothing.
    for _ in 0..3 {
        let readings = json!({ "readings": { "batteries": [{ "name": "BAT0", "health_percent": 90 }] } });
        pc.post("check-ins", readings).await.expect(200);
    }
    assert_eq!(outcomes(&import(&world.operator, "", &two).await), ["unchanged"]);
    hourly(&world).await;
    recalled(&partner, &on_two).await;

    // The list is replaced: one PC is taken off, a list of another part comes beside it.
    let other = format!("R-9,other,{product},,5CG0000003,,Notice 9\n");
    let replaced = import(&world.operator, "", &format!("{}{other}", row("5CG0000002", ""))).await;
    assert_eq!(outcomes(&replaced), ["added", "added", "removed"]);
    recalled(
        &partner,
        &[("5CG0000002", battery, "Bulletin 7"), ("5CG0000003", "hardware.recall", "Notice 9")],
    )
    .await;
    // A PC that comes later is found by the hourly look.
    import(&world.operator, "", &format!("R-7,battery,{product},,5CG0000002,5CG0000005,Bulletin 7\n")).await;
    recalled(
        &partner,
        &[
            ("5CG0000002", battery, "Bulletin 7"),
            ("5CG0000003", battery, "Bulletin 7"),
            ("5CG0000003", "hardware.recall", "Notice 9"),
        ],
    )
    .await;
    distributor.report("", "text/csv", csv(&["5CG0000004 R-1"])).await;
    hourly(&world).await;
    assert_eq!(partner.all("alerts?kind=battery.recall").await.len(), 3);

    let gone = world.operator.send(Method::DELETE, "/api/v1/recall-lists/R-7", None).await;
    assert_eq!(gone.status.as_u16(), 204);
    recalled(&partner, &[("5CG0000003", "hardware.recall", "Notice 9")]).await;
    let again = world.operator.send(Method::DELETE, "/api/v1/recall-lists/R-7", None).await;
    assert_eq!(again.refused(404), "not_found");
    assert_eq!(world.operator.get("recall-lists/R-7/ranges").await.refused(404), "not_found");
    let ranges = world.operator.all("recall-lists/R-9/ranges").await;
    assert_eq!(ranges[0]["serial_from"], "5CG0000003");
    // Lists are the operator's.
    assert_eq!(partner.get("recall-lists").await.refused(404), "not_found");
}

/// On SQLite the look waits for the end of the move.
#[tokio::test]
async fn a_look_for_recall_lists_during_a_move_leaves_no_alert_where_the_pc_was() {
    let world = World::start(Postgres, "recallmoving").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let customer = partner.customer("A").await;
    let mut moving = world.app.store.write(&access::system()).await.unwrap();
    let sql = "UPDATE placements SET tenant = $2, generation = generation + 1 WHERE serial = $1";
    let to: uuid::Uuid = customer.parse().unwrap();
    assert_eq!(moving.execute(sql, args!["5CG0000001", to]).await.unwrap(), 1);
    import(&world.operator, "", "R-7,battery,6T1A2EA,,5CG0000001,5CG0000002,Bulletin 7\n").await;
    looked(&world).await;
    moving.commit().await.unwrap();
    hourly(&world).await;
    let alerts = partner.all("alerts").await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let found = (&alerts[0]["kind"], &alerts[0]["tenant"]["id"]);
    assert_eq!(found, (&json!("battery.recall"), &json!(customer)));
}

/// Two lists of one kind are two storms, each counted whole; what is of one PC is grouped by its kind.
#[rstest]
#[tokio::test]
async fn a_storm_is_grouped_by_its_cause_and_none_of_it_is_lost(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "storms").await;
    let partner = world.partner("R-1").await;
    let lines = ["5CG0000001 R-1", "5CG0000002 R-1", "5CG0000003 R-1", "5CG0000004 R-1"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let product = partner.get("devices/5CG0000001").await.expect(200)["product_number"].clone();
    let product = product.as_str().unwrap();
    let rows = format!(
        "R-7,battery,{product},,5CG0000001,5CG0000002,Bulletin 7\n\
         R-8,battery,{product},,5CG0000002,5CG0000004,Notice 8\n"
    );
    import(&world.operator, "", &rows).await;
    let of = |serial: &'static str, detail: &'static str| (serial, "battery.recall", detail);
    recalled(
        &partner,
        &[
            of("5CG0000001", "Bulletin 7"),
            of("5CG0000002", "Bulletin 7"),
            of("5CG0000002", "Notice 8"),
            of("5CG0000003", "Notice 8"),
            of("5CG0000004", "Notice 8"),
        ],
    )
    .await;
    let told = async |serial: &str, kind: &str, cause: &str| {
        let body = json!({ "serial": serial, "kind": kind, "cause": cause, "detail": "x" });
        partner.post("alerts", body).await.expect(201);
    };
    told("5CG0000001", "disk.failing", "/dev/sda").await;
    told("5CG0000002", "disk.failing", "/dev/nvme0").await;

    let group =
        |kind: &str, cause: Value, alerts: u64| json!({ "kind": kind, "cause": cause, "alerts": alerts });
    let expected = [
        group("battery.recall", json!("R-8"), 3),
        group("battery.recall", json!("R-7"), 2),
        group("disk.failing", Value::Null, 2),
    ];
    assert_eq!(partner.all("alerts/groups").await, expected);
    let first = partner.get("alerts/groups?limit=2").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = partner.get(&format!("alerts/groups?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((&rest["items"], &rest["next_cursor"]), (&json!([expected[2]]), &Value::Null));
    assert_eq!(partner.get("alerts/groups?cursor=x").await.refused(400), "cursor.invalid");
    assert_eq!(partner.all("alerts?kind=battery.recall&cause=R-7").await.len(), 2);
    assert!(world.partner("R-2").await.all("alerts/groups").await.is_empty());

    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let page = portal.get("/alerts").await.text;
    assert!(page.contains("?kind=battery.recall&#38;cause=R-7") && page.contains("(R-7): 2"), "{page}");
    let page = portal.get("/alerts?kind=battery.recall&cause=R-7").await.text;
    assert_eq!((page.matches("Bulletin 7").count(), page.matches("Notice 8").count()), (2, 0), "{page}");
    // More causes than a page has room for.
    for n in 0..50 {
        told("5CG0000001", "hardware.fault", &format!("fault {n}")).await;
    }
    assert_eq!(partner.all("alerts/groups").await.len(), 53);
    let page = portal.get("/alerts").await.text;
    assert!(page.contains("?kind=battery.recall\"") && page.contains("?kind=hardware.fault\""), "{page}");
    assert!(page.contains(": 50</a>") && page.contains(": 5</a>"), "{page}");
}

#[rstest]
#[tokio::test]
async fn the_page_shows_what_a_table_comes_to_before_it_is_written(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "recallpage").await;
    world.user("operator@example.com", Role::Operator, None).await;
    let portal = Portal::sign_in(&world, "operator@example.com").await;
    let table = format!("{HEAD}R-7,battery,6T1A2EA,,5CG0000001,5CG0000002,Bulletin 7\n");
    let shown = portal.submit_from("/recalls", "/recalls", &[("table", &table)]).await;
    assert_eq!(shown.status.as_u16(), 200);
    assert!(
        shown.text.contains("Comes in: 1") && shown.text.contains("5CG0000001–5CG0000002"),
        "{}",
        shown.text
    );
    assert!(world.operator.all("recall-lists").await.is_empty());
    let wrong = table.replace("5CG0000002", "5CG1");
    let refused = portal.submit_from("/recalls", "/recalls", &[("table", &wrong)]).await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(refused.text.contains("serial_to"), "{}", refused.text);
    let written = portal.submit_from("/recalls", "/recalls", &[("table", &table), ("apply", "true")]).await;
    assert_eq!(written.status.as_u16(), 303);
    assert!(portal.get("/recalls").await.text.contains("Bulletin 7"));
    let removed = portal.submit_from("/recalls", "/recalls/remove", &[("number", "R-7")]).await;
    assert_eq!(removed.status.as_u16(), 303);
    assert!(world.operator.all("recall-lists").await.is_empty());
}
