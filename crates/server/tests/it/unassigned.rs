//! The partner's pool (behaviours 6, 14, 18) and its live events.

use futures_util::StreamExt;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;

use crate::sign_in::Portal;
use crate::world::{World, csv};

#[rstest]
#[tokio::test]
async fn b06_only_the_partner_reaches_its_pool(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "b06").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let reader = world.token(Role::PartnerReadOnly, Some("R-1")).await;
    assert_eq!(reader.pool().await, one.pool().await);
    assert!(two.pool().await.is_empty());
    assert_eq!(two.get("unassigned-devices?q=5CG").await.expect(200)["items"], serde_json::json!([]));
    for stranger in [&distributor, &world.operator] {
        assert_eq!(stranger.get("unassigned-devices").await.refused(404), "not_found");
        assert_eq!(stranger.get("unassigned-devices?format=csv").await.refused(404), "not_found");
    }
    assert_eq!(world.nobody().get("unassigned-devices").await.refused(401), "unauthenticated");
}

#[tokio::test]
async fn b14_a_partner_without_reports_has_an_empty_pool() {
    let world = World::start(Sqlite, "b14").await;
    assert!(world.partner("R-1").await.pool().await.is_empty());
}

#[rstest]
#[tokio::test]
async fn the_list_is_searched_sorted_and_paged(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "list").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    for (from, name) in [(20, "Alpha"), (10, "Beta"), (0, "Gamma")] {
        let lines: Vec<String> =
            (from..from + 10).map(|n| format!("5CG{n:07} R-1 name={name} invoice=INV-{n}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        distributor.report("", "text/csv", csv(&lines)).await;
    }
    let serials = async |query: &str| -> Vec<String> {
        let items = partner.all(&format!("unassigned-devices?{query}")).await;
        items.iter().map(|pc| pc["serial_number"].as_str().unwrap()[3..].to_owned()).collect()
    };
    let all = serials("sort=serial_number").await;
    assert_eq!(all.len(), 30);
    assert!(all.is_sorted());
    let newest = serials("sort=-since").await;
    assert!(newest[..10].iter().all(|serial| serial.as_str() < "0000010"), "{newest:?}");
    assert_eq!(serials("q=beta").await.len(), 10);
    assert_eq!(serials("q=G0000017").await, ["0000017"]);
    assert_eq!(serials("q=inv-7").await, ["0000007"]);
    assert_eq!(serials("q=%25").await.len(), 0);
    assert_eq!(serials("model=Notebook%2014").await.len(), 30);
    assert_eq!(serials("reported_after=2099-01-01").await.len(), 0);

    let page = partner.get("unassigned-devices?limit=7").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 7);
    assert_eq!(partner.get("unassigned-devices?cursor=zz").await.refused(400), "cursor.invalid");
    assert_eq!(partner.get("unassigned-devices?sort=colour").await.refused(422), "field.unknown_value");
}

#[rstest]
#[tokio::test]
async fn the_export_has_every_pc_and_no_formula(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "export").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let mut lines: Vec<String> = (0..1203).map(|n| format!("5CG{n:07} R-1")).collect();
    lines.push("MXL0000001 R-1 name==HYPERLINK(1)".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    distributor.report("", "text/csv", csv(&lines)).await;
    let answer = partner.get("unassigned-devices?format=csv").await;
    let rows: Vec<&str> = answer.text.lines().collect();
    assert_eq!(rows.len(), 1205);
    assert!(rows[0].starts_with("\u{feff}Serial Number,"));
    assert!(rows[1204].contains(",'=HYPERLINK(1),"), "{}", rows[1204]);
    let some = partner.get("unassigned-devices?format=csv&q=MXL").await;
    assert_eq!(some.text.lines().count(), 2);
}

#[rstest]
#[tokio::test]
async fn b17_an_open_page_is_told_of_new_pcs_and_of_its_own_alone(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "live").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    let mut ones = one.stream("events", None).await;
    let mut twos = two.stream("events", None).await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-1"])).await;
    let (id, heard) = ones.next_event().await;
    assert!(heard.contains("event: unassigned_devices.changed"), "{heard}");
    assert!(heard.contains("\"arrived\":2"), "{heard}");

    distributor.report("", "text/csv", csv(&["5CG000000C R-2"])).await;
    let (_, heard) = twos.next_event().await;
    assert!(heard.contains("\"arrived\":1"), "the neighbour's event was not among its own: {heard}");

    // Who was away gets what it missed, and only that, however much happened to others.
    for _ in 0..30 {
        let mut tx = world.app.store.write(&roadstead_domain::access::system()).await.unwrap();
        let report = roadstead_domain::ids::ReportId(uuid::Uuid::nil());
        let event = roadstead_domain::event::Event::ReportedLinesChanged { report };
        let foreign = vec![(Some(uuid::Uuid::nil()), event); 100];
        roadstead_store::outbox::publish(&mut tx, &foreign, world.app.ambient.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    distributor.report("", "text/csv", csv(&["5CG000000D R-1"])).await;
    let mut again = one.stream("events", Some(&id)).await;
    let (_, heard) = again.next_event().await;
    assert!(heard.contains("\"arrived\":1"), "{heard}");
}

#[rstest]
#[tokio::test]
async fn b17_a_page_is_told_what_came_before_its_stream_stood(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "since").await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let page = Portal::sign_in(&world, "partner@example.com").await.get("/unassigned-devices").await;
    let (_, rest) = page.text.split_once("data-live=\"/api/v1/").expect("a live page");
    let (address, _) = rest.split_once('"').unwrap();
    distributor.report("", "text/csv", csv(&["5CG000000A R-1", "5CG000000B R-1"])).await;
    let (id, heard) = partner.stream(address, None).await.next_event().await;
    assert!(heard.contains("event: unassigned_devices.changed"), "{heard}");
    assert!(heard.contains("\"arrived\":2"), "{heard}");

    // Who comes back goes on after what it heard, not from where its page stood.
    distributor.report("", "text/csv", csv(&["5CG000000C R-1"])).await;
    let (_, heard) = partner.stream(address, Some(&id)).await.next_event().await;
    assert!(heard.contains("\"arrived\":1"), "{heard}");
}

/// The page knows the senders of the newest reports by heart; whose report is older than those is asked for.
#[rstest]
#[tokio::test]
async fn a_page_names_who_reported_a_pc_however_many_reports_came_since(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "senders").await;
    world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    world.distributor("D-2").await.report("", "text/csv", csv(&["5CG000000B R-1"])).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "partner@example.com").await;
    let senders = async || {
        let page = portal.get("/unassigned-devices").await.text;
        let cell = "data-label=\"Reported by\">";
        page.split(cell).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = senders().await;
    assert_eq!(before.len(), 2);
    assert!(before[0] != before[1] && before.iter().all(|name| !name.is_empty()), "{before:?}");
    // As 200 later reports of the second distributor would leave it.
    let system = roadstead_domain::access::system();
    let mut tx = world.app.store.write(&system).await.unwrap();
    for n in 0..200_u128 {
        let id = uuid::Uuid::from_u128(u128::MAX - n);
        tx.execute(
            "INSERT INTO reports (id, reporter, operation, file_name, format, sha256, bytes, lines, validate_only, state, \
             received_at, finished_at) SELECT $1, reporter, operation, file_name, format, $2, bytes, lines, validate_only, \
             state, received_at, finished_at FROM reports ORDER BY id DESC LIMIT 1",
            vec![id.into(), id.as_bytes().to_vec().into()],
        )
        .await
        .unwrap();
        tx.execute(
            "INSERT INTO partner_report_counts (partner, report, verdict, lines) \
             SELECT partner, $1, 'duplicate', 1 FROM partner_report_counts ORDER BY report LIMIT 1",
            vec![id.into()],
        )
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(senders().await, before);
}

#[tokio::test]
async fn an_open_stream_ends_with_its_token() {
    let world = World::start(Sqlite, "revoked").await;
    let partner = world.partner("R-1").await;
    let mut stream = partner.stream("events", None).await;
    let scope = roadstead_domain::access::system();
    let mut tx = world.app.store.read(&scope).await.unwrap();
    for token in roadstead_store::tokens::list(&mut tx, &scope).await.unwrap() {
        let id = roadstead_domain::ids::TokenId(token.id);
        roadstead_server::flows::tokens::revoke(&world.app, &scope, id).await.unwrap();
    }
    assert_eq!(partner.get("unassigned-devices").await.refused(401), "unauthenticated");
    let ended = async { while stream.bytes.next().await.is_some() {} };
    tokio::time::timeout(std::time::Duration::from_secs(40), ended).await.unwrap();
}
