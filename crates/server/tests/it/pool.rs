//! The pool in daily use: filters, groups, counts, saved views, exports; one PC by its serial.

use std::io::Read;

use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::pc::Pc;
use crate::sign_in::Portal;
use crate::world::{Client, World, csv, eventually};

/// Sixty PCs of R-1 in two deliveries with 40 days between, and one of R-2.
async fn filled(kind: Kind, name: &str) -> (World, Client) {
    let world = World::start(kind, name).await;
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    let (one, two) = (world.distributor("D-1").await, world.distributor("D-2").await);
    let lines: Vec<String> = (0..40)
        .map(|n| format!("5CG{n:07} R-1 name=Muster_AG invoice=INV-{} level=Premium", n / 4))
        .chain(["5CG9999999 R-2 name=Muster_AG invoice=INV-1".to_owned()])
        .collect();
    one.report("", "text/csv", csv(&lines.iter().map(String::as_str).collect::<Vec<_>>())).await;
    world.clock.step_seconds(40 * 24 * 3600);
    let lines: Vec<String> = (0..20)
        .map(|n| format!("MXL{n:07} R-1 name={} invoice= level=", if n < 15 { "Älpha_<GmbH>" } else { "" }))
        .collect();
    two.report("", "text/csv", csv(&lines.iter().map(String::as_str).collect::<Vec<_>>())).await;
    (world, partner)
}

async fn serials(partner: &Client, query: &str) -> Vec<String> {
    let items = partner.all(&format!("unassigned-devices?{query}")).await;
    items.iter().map(|item| item["serial_number"].as_str().unwrap().to_owned()).collect()
}

async fn groups(partner: &Client, query: &str) -> Vec<(String, u64)> {
    let items = partner.all(&format!("unassigned-devices/groups?{query}")).await;
    items.iter().map(|g| (g["name"].as_str().unwrap().to_owned(), g["devices"].as_u64().unwrap())).collect()
}

/// Orders of lines that were placed at once and of one that waited for its partner.
#[rstest]
#[tokio::test]
async fn a_pool_is_grouped_filtered_and_moved_by_order(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "orders").await;
    let newcomer = world.newcomer("R-1").await;
    let partner = world.token(Role::PartnerAdmin, Some("R-1")).await;
    let distributor = world.distributor("D-1").await;
    let file = |serials: &[(&str, &str)]| {
        let head =
            "Transaction Date,Reseller ID,Product Number,Serial Number,Quantity,Invoice Number,PO Number\n";
        let line =
            |(serial, order): &(&str, &str)| format!("2026-11-18,R-1,6T1A2EA,{serial},1,INV-1,{order}\n");
        [head.to_owned()].into_iter().chain(serials.iter().map(line)).collect::<String>()
    };
    distributor.report("", "text/csv", file(&[("5CG0000001", "PO-Früh 7")])).await;
    world.certify(&newcomer).await;
    eventually("the line that waited is judged again", async || {
        (partner.pool().await.len() == 1).then_some(())
    })
    .await;
    distributor
        .report(
            "",
            "text/csv",
            file(&[("5CG0000002", " PO-Früh 7 "), ("5CG0000003", "PO-8"), ("5CG0000004", "")]),
        )
        .await;

    let pair = |name: &str, devices| (name.to_owned(), devices);
    assert_eq!(
        groups(&partner, "by=order_number").await,
        [pair("PO-Früh 7", 2), pair("", 1), pair("PO-8", 1)]
    );
    assert_eq!(serials(&partner, "order_number=po-fr%C3%BCh%207").await, ["5CG0000001", "5CG0000002"]);
    assert_eq!(serials(&partner, "without=order_number").await, ["5CG0000004"]);
    assert_eq!(serials(&partner, "q=po-8").await, ["5CG0000003"]);
    // The whole list and what passes a filter tell it alike.
    for query in ["", "q=5cg"] {
        let items = partner.all(&format!("unassigned-devices?{query}")).await;
        let orders: Vec<&str> = items.iter().map(|pc| pc["order_number"].as_str().unwrap()).collect();
        assert_eq!(orders, ["PO-Früh 7", "PO-Früh 7", "PO-8", ""], "{query}");
    }
    let exported = partner.get("unassigned-devices?format=csv&order_number=po-8").await.text;
    assert!(exported.contains("Order Number") && exported.contains(",INV-1,PO-8,"), "{exported}");
    let seen = async |serial: &str| {
        partner.get(&format!("devices/{serial}")).await.expect(200)["order_number"].clone()
    };
    assert_eq!((seen("5CG0000002").await, seen("5CG0000004").await), (json!("PO-Früh 7"), json!(null)));

    // On the page, and from there as a whole group to a customer.
    let customer = partner.customer("Werft Nord").await;
    let number = partner.get(&format!("customers/{customer}")).await.expect(200)["customer_id"].clone();
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let one = Portal::sign_in(&world, "one@example.com").await;
    let page = one.get("/unassigned-devices?group=order_number").await.text;
    assert!(page.contains("PO-Früh 7") && page.contains("order_number=po-fr%C3%BCh%207"), "{page}");
    let query = "order_number=po-fr%C3%BCh%207";
    assert!(one.get(&format!("/unassigned-devices?{query}")).await.text.contains("Order: po-früh 7"));
    let fields = [("to", number.as_str().unwrap()), ("filter", query), ("whole", "1")];
    let previewed = one.submit("/transfers", &fields).await;
    assert_eq!(previewed.status.as_u16(), 303, "{}", previewed.text);
    let shown = partner.all("transfers").await.remove(0);
    assert_eq!((&shown["rows"], &shown["ready"]), (&json!(2), &json!(2)), "{shown}");
}

#[rstest]
#[tokio::test]
async fn a_pool_is_filtered_and_grouped(#[values(Sqlite, Postgres)] kind: Kind) {
    let (world, partner) = filled(kind, "groups").await;
    let pair = |name: &str, devices| (name.to_owned(), devices);
    assert_eq!(
        groups(&partner, "by=end_customer").await,
        [pair("Muster AG", 40), pair("Älpha <GmbH>", 15), pair("", 5)]
    );
    assert_eq!(groups(&partner, "by=support_level").await, [pair("premium", 40), pair("none", 20)]);
    assert_eq!(groups(&partner, "by=age").await, [pair("0", 20), pair("31", 40)]);
    let by_reporter = groups(&partner, "by=reporter").await;
    assert_eq!(by_reporter, [pair("Distributor D-1", 40), pair("Distributor D-2", 20)]);
    let invoices = groups(&partner, "by=invoice_number&q=5cg").await;
    assert_eq!((invoices.len(), &invoices[9]), (10, &pair("INV-9", 4)));
    assert_eq!(partner.get("unassigned-devices/groups?by=boss").await.refused(422), "field.unknown_value");

    // Each group's value opens it as a filter.
    for by in ["end_customer", "invoice_number", "order_number", "reporter", "model", "support_level", "age"]
    {
        for group in partner.all(&format!("unassigned-devices/groups?by={by}")).await {
            let value = group["value"].as_str().unwrap();
            let filter = match value {
                "" => format!("without={by}"),
                value => {
                    format!("{by}={}", value.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E"))
                }
            };
            let found = serials(&partner, &filter).await;
            assert_eq!(found.len() as u64, group["devices"].as_u64().unwrap(), "{filter}");
        }
    }
    assert_eq!(
        serials(&partner, "q=003&support_level=premium").await,
        [
            "5CG0000003",
            "5CG0000030",
            "5CG0000031",
            "5CG0000032",
            "5CG0000033",
            "5CG0000034",
            "5CG0000035",
            "5CG0000036",
            "5CG0000037",
            "5CG0000038",
            "5CG0000039"
        ]
    );
    assert_eq!(serials(&partner, "q=9999999").await, [""; 0], "another partner's");
    let newest = serials(&partner, "sort=-since&end_customer=MUSTER%20ag&invoice_number=inv-0").await;
    assert_eq!(newest.len(), 4);
    for (query, code) in [
        ("support_level=gold", "field.unknown_value"),
        ("age=12", "field.unknown_value"),
        ("reporter=D-1", "field.unknown_value"),
        ("without=serial", "field.unknown_value"),
        ("reported_after=soon", "rejected.date_invalid"),
        ("q=5cg&cursor=zz", "cursor.invalid"),
    ] {
        let answer = partner.get(&format!("unassigned-devices?{query}")).await;
        assert!(answer.status.is_client_error());
        assert_eq!(answer.json()["code"], code, "{query}");
    }

    // What changes later is there at the next question: arrivals, returns, and on another node.
    let distributor = world.token(Role::Distributor, Some("D-1")).await;
    distributor
        .report("", "text/csv", csv(&["5CG0000003 R-1 kind=return", "5CG0000099 R-1 name=Muster_AG"]))
        .await;
    let (url, _node) = world.second_node().await;
    for partner in [&partner, &partner.at(&url)] {
        let found = serials(partner, "q=5cg00000&end_customer=muster%20ag").await;
        assert_eq!(found.len(), 40);
        assert!(found.contains(&"5CG0000099".to_owned()) && !found.contains(&"5CG0000003".to_owned()));
    }
    // Level and age are those of today.
    world.clock.step_seconds(4 * 366 * 24 * 3600);
    assert_eq!(groups(&partner, "by=support_level").await, [pair("none", 60)]);
    assert_eq!(groups(&partner, "by=age").await, [pair("366", 60)]);
}

/// A workbook's shared strings and cells, as one text.
fn workbook_text(bytes: &[u8]) -> String {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes.to_vec())).unwrap();
    let mut text = String::new();
    for part in ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"] {
        if let Ok(mut part) = zip.by_name(part) {
            part.read_to_string(&mut text).unwrap();
        }
    }
    text
}

#[tokio::test]
async fn a_filtered_list_is_exported_without_formulas() {
    let (world, partner) = filled(Sqlite, "exports").await;
    let distributor = world.token(Role::Distributor, Some("D-1")).await;
    let many: Vec<String> = (0..1100).map(|n| format!("XX{n:08} R-1 name==HYPERLINK(1) invoice=X")).collect();
    distributor.report("", "text/csv", csv(&many.iter().map(String::as_str).collect::<Vec<_>>())).await;
    for (query, lines) in [("", 1161), ("&q=xx0", 1101), ("&invoice_number=inv-3", 5), ("&q=nothing", 1)] {
        let answer = partner.get(&format!("unassigned-devices?format=csv{query}")).await;
        assert_eq!(answer.text.lines().count(), lines, "{query}");
        assert!(!answer.text.contains(",=HYPERLINK"));
        let bytes = partner.bytes(&format!("unassigned-devices?format=xlsx{query}")).await;
        let text = workbook_text(&bytes);
        assert_eq!(text.matches("<row ").count(), lines, "{query}");
        assert!(!text.contains("<f>"), "a cell is a text, never a formula");
    }
    let text = workbook_text(&partner.bytes("unassigned-devices?format=xlsx&q=xx0").await);
    assert!(text.contains("XX00001099") && text.contains("=HYPERLINK(1)"));
}

/// A PC of a pool may have joined by its serial, and says how it is. Lists tell when it last did only where that is asked for.
#[rstest]
#[tokio::test]
async fn a_partner_sees_when_each_of_its_pcs_was_last_seen(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "lastseen").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1", "5CG0000002 R-1"])).await;
    let pc = Pc::new(&world, "5CG0000001", 1);
    pc.enrol().await.expect(201);
    let before = world.app.ambient.now().timestamp();
    pc.post("check-ins", json!({})).await.expect(200);
    let after = world.app.ambient.now().timestamp();
    world.clock.step_seconds(60);

    let one =
        async |serial: &str| partner.get(&format!("devices/{serial}")).await.expect(200)["last_seen"].clone();
    let seen = one("5CG0000001").await;
    let at: jiff::Timestamp = seen.as_str().unwrap().parse().unwrap();
    assert!((before..=after).contains(&at), "{seen}");
    assert_eq!(one("5CG0000002").await, Value::Null);
    for query in ["", "&q=5cg"] {
        let usual = partner.all(&format!("unassigned-devices?sort=serial_number{query}")).await;
        assert!(usual.iter().all(|pc| pc.get("last_seen").is_none()), "{usual:?}");
        let asked = partner.all(&format!("unassigned-devices?last_seen=true{query}")).await;
        let told: Vec<_> = asked.iter().map(|pc| pc.get("last_seen")).collect();
        assert_eq!(told, [Some(&seen), Some(&Value::Null)], "{query}");
        let path = |format: &str| format!("unassigned-devices?format={format}&last_seen=true{query}");
        let file = partner.get(&path("csv")).await.text;
        assert!(file.contains(",Last Seen\n") && file.contains(seen.as_str().unwrap()), "{file}");
        assert!(
            !partner.get(&format!("unassigned-devices?format=csv{query}")).await.text.contains("Last Seen")
        );
        let sheet = workbook_text(&partner.bytes(&path("xlsx")).await);
        assert!(sheet.contains("Last Seen") && sheet.contains(seen.as_str().unwrap()), "{sheet}");
    }

    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let cell = "data-label=\"Last seen (UTC)\"";
    let page = portal.get("/unassigned-devices").await.text;
    assert!(!page.contains(cell) && page.contains("value=\"last_seen\""), "{page}");
    let page = portal.get("/unassigned-devices?columns=model&columns=last_seen").await.text;
    assert_eq!((page.matches(cell).count(), page.matches(">never</td>").count()), (2, 1), "{page}");
    assert!(page.contains("format=csv&#38;last_seen=true"), "{page}");
    let never = "<dt>Last seen (UTC)</dt><dd>never</dd>";
    assert!(portal.get("/devices/5CG0000002").await.text.contains(never));
    let page = portal.get("/devices/5CG0000001").await.text;
    assert!(page.contains("<dt>Last seen (UTC)</dt>") && !page.contains(never), "{page}");

    // In a customer's list a serial leads to its page, for those who have one.
    let customer = partner.customer("A").await;
    let items = json!({ "items": [{ "serial": "5CG0000001", "to": customer }] });
    let shown = partner.post("transfers", items).await.expect(201);
    let commit = format!("transfers/{}/commit", shown["id"].as_str().unwrap());
    partner.post(&commit, json!({ "digest": shown["digest"] })).await.expect(200);
    let (list, link) = (format!("/customers/{customer}"), "<a href=\"/devices/5CG0000001\">5CG0000001</a>");
    let page = portal.get(&list).await.text;
    assert!(page.contains(link), "{page}");
    assert_eq!(one("5CG0000001").await, seen);
    world.user("it@example.com", Role::ItAdmin, Some(&customer)).await;
    let page = Portal::sign_in(&world, "it@example.com").await.get(&list).await.text;
    assert!(page.contains("5CG0000001") && !page.contains("/devices/5CG0000001"), "{page}");
}

#[rstest]
#[tokio::test]
async fn a_view_is_saved_for_its_person_alone(#[values(Sqlite, Postgres)] kind: Kind) {
    let (world, _) = filled(kind, "views").await;
    for (email, whose) in
        [("one@example.com", "R-1"), ("colleague@example.com", "R-1"), ("two@example.com", "R-2")]
    {
        world.user(email, Role::PartnerAdmin, Some(whose)).await;
    }
    let one = Portal::sign_in(&world, "one@example.com").await;
    let page =
        one.get("/unassigned-devices?q=5cg&group=invoice_number&columns=model&columns=since&boss=1").await;
    assert!(page.text.contains("INV-9") && page.text.contains("40 of 60 PCs"), "{}", page.text);
    let save =
        [("name", "My <view>"), ("query", "q=5cg&group=invoice_number&columns=model%2Csince&cursor=1")];
    let saved = one.submit("/unassigned-devices/views", &save).await;
    assert_eq!(saved.status.as_u16(), 303, "{}", saved.text);
    let page = one.get("/unassigned-devices").await;
    assert!(page.text.contains("My &#60;view&#62;"));
    assert!(
        page.text.contains("/unassigned-devices?columns=model%2Csince&#38;group=invoice_number&#38;q=5cg")
    );
    let id =
        page.text.split("/unassigned-devices/views/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    for email in ["colleague@example.com", "two@example.com"] {
        let other = Portal::sign_in(&world, email).await;
        assert!(!other.get("/unassigned-devices").await.text.contains("My &#60;view"));
        let forget = format!("/unassigned-devices/views/{id}/forget");
        assert_eq!(other.submit(&forget, &[]).await.status.as_u16(), 404);
    }
    assert_eq!(one.submit(&format!("/unassigned-devices/views/{id}/forget"), &[]).await.status.as_u16(), 303);
    assert!(!one.get("/unassigned-devices").await.text.contains("My &#60;view"));
    assert_eq!(
        one.submit("/unassigned-devices/views", &[("name", " "), ("query", "q=1")]).await.status.as_u16(),
        422
    );
}

#[rstest]
#[tokio::test]
async fn one_pc_is_seen_by_its_partner_with_what_became_of_it(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "device").await;
    let (one, two) = (world.partner("R-1").await, world.partner("R-2").await);
    let distributor = world.distributor("D-1").await;
    let before = world.app.ambient.now().rfc3339();
    world.clock.step_seconds(60);
    distributor
        .report("", "text/csv", csv(&["5CG000000A R-1 level=Premium+ name=Muster_AG invoice=INV-7"]))
        .await;
    let during = world.app.ambient.now().rfc3339();
    world.clock.step_seconds(60);

    let pc = one.get("devices/5cg%20000000a").await.expect(200);
    assert_eq!((&pc["serial_number"], &pc["support_level"]), (&json!("5CG000000A"), &json!("premium_plus")));
    assert_eq!((&pc["end_customer"], &pc["invoice_number"]), (&json!("Muster AG"), &json!("INV-7")));
    assert_eq!(pc["placement"]["kind"], "unassigned");
    let right = &pc["entitlements"][0];
    assert_eq!((&right["starts_on"], &right["ends_on"]), (&json!("2026-11-18"), &json!("2029-11-18")));
    assert_eq!((&right["assumed"], &right["reported_by"]), (&json!(true), &json!("Distributor D-1")));

    // A neighbour gets the same bytes as for a serial that was never heard of.
    let masked = |mut answer: Value| {
        answer["request_id"] = Value::Null;
        answer
    };
    for path in ["", "/history", "/placement", "/placement?as_of=2026-01-01"] {
        let foreign = two.get(&format!("devices/5CG000000A{path}")).await;
        let unknown = two.get(&format!("devices/5CG000000Z{path}")).await;
        assert_eq!(foreign.status.as_u16(), 404);
        assert_eq!(masked(foreign.json()), masked(unknown.json()));
    }
    assert_eq!(world.operator.get("devices/5CG000000A").await.refused(404), "not_found");
    assert_eq!(distributor.get("devices/5CG000000A").await.refused(404), "not_found");
    assert_eq!(one.get("devices/..").await.status.as_u16(), 404);

    // Resold to the neighbour: each has its own half, and sees where it was when.
    distributor.report("", "text/csv", csv(&["5CG000000A R-1 buyer=R-2 invoice=INV-8"])).await;
    let gone = one.get("devices/5CG000000A").await.expect(200);
    assert_eq!((&gone["placement"]["kind"], &gone["model"]), (&json!("none"), &Value::Null));
    assert_eq!(gone["entitlements"], json!([]), "its rights are the new holder's business");
    let halves = one.all("devices/5CG000000A/history").await;
    assert_eq!(halves.len(), 2);
    assert_eq!((&halves[0]["from"], &halves[0]["to"]), (&json!("unassigned"), &json!("none")));
    assert_eq!((&halves[1]["from"], &halves[1]["transaction"]), (&json!("none"), &json!("sale")));
    let theirs = two.all("devices/5CG000000A/history").await;
    assert_eq!((theirs.len(), &theirs[0]["to"]), (1, &json!("unassigned")));
    for (client, at, kind) in
        [(&one, &before, "none"), (&one, &during, "unassigned"), (&two, &during, "none")]
    {
        let at = at.replace('+', "%2B");
        let placed = client.get(&format!("devices/5CG000000A/placement?as_of={at}")).await.expect(200);
        assert_eq!(placed["kind"], kind);
    }
    assert_eq!(one.get("devices/5CG000000A/placement").await.expect(200)["kind"], "none");
    assert_eq!(two.get("devices/5CG000000A/placement").await.expect(200)["kind"], "unassigned");
    assert_eq!(
        two.get("devices/5CG000000A/placement?as_of=soon").await.refused(422),
        "rejected.date_invalid"
    );
}

#[tokio::test]
async fn a_serial_of_two_manufacturers_needs_the_manufacturer() {
    let world = World::start(Sqlite, "makers").await;
    let partner = world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let distributor = world.distributor("D-1").await;
    let file = "Transaction Date,Reseller ID,Product Number,Serial Number,Quantity,Manufacturer\n\
                2026-11-18,R-1,6T1A2EA,5CG000000A,1,\n2026-11-18,R-1,6T1A2EA,5CG000000A,1,Acme\n";
    distributor.report("", "text/csv", file).await;
    assert_eq!(partner.pool().await.len(), 2);
    let answer = partner.get("devices/5CG000000A").await;
    assert_eq!(answer.json()["errors"][0]["field"], "manufacturer");
    assert_eq!(answer.refused(409), "serial.ambiguous");
    let acme = partner.get("devices/5CG000000A?manufacturer=acme").await.expect(200);
    assert_eq!(acme["manufacturer"].as_str().unwrap().to_lowercase(), "acme");
    let portal = Portal::sign_in(&world, "one@example.com").await;
    let choose = portal.get("/devices?q=5cg000000a").await;
    assert!(choose.text.to_lowercase().contains("manufacturer=acme"), "{}", choose.text);
    assert_eq!(portal.get("/devices?q=5cgnobody").await.status.as_u16(), 404);
    let page = portal.get("/devices/5CG000000A?manufacturer=Acme").await;
    assert!(page.text.contains("Premium") && page.text.to_lowercase().contains("acme"), "{}", page.text);
}
