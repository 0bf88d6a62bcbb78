//! Two nodes on one PostgreSQL database: what one does, the other knows.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::Postgres;

use crate::world::{World, csv};

#[tokio::test]
async fn a_report_at_one_node_reaches_the_open_page_at_the_other() {
    let world = World::start(Postgres, "nodes").await;
    let (other, _second) = world.second_node().await;
    let partner = world.partner("R-1").await.at(&other);
    let distributor = world.distributor("D-1").await;
    let mut page = partner.stream("events", None).await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let (_, heard) = page.next_event().await;
    assert!(heard.contains("\"arrived\":1"), "{heard}");
    assert_eq!(partner.pool().await, ["5CG000000A"]);
}

#[tokio::test]
async fn reports_at_both_nodes_are_each_judged_once() {
    let world = World::start(Postgres, "share").await;
    let (other, _second) = world.second_node().await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let nodes = [distributor.clone(), distributor.at(&other)];
    // Half of the serials are in every file: whichever comes first places them.
    let reports = (0..12_usize).map(|file| {
        let lines: Vec<String> = (0..40)
            .map(|n| if n < 20 { format!("5CG{n:07} R-1") } else { format!("MXL{:07} R-1", file * 100 + n) })
            .collect();
        let node = &nodes[file % 2];
        async move {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            node.report("", "text/csv", csv(&lines)).await
        }
    });
    let reports = futures_util::future::join_all(reports).await;
    let mut placed = 0;
    for report in &reports {
        let verdicts = distributor.verdicts(report).await;
        assert_eq!(verdicts.len(), 40);
        assert!(verdicts.iter().all(|verdict| verdict == "placed" || verdict == "duplicate"));
        placed += verdicts.iter().filter(|verdict| *verdict == "placed").count();
    }
    assert_eq!(placed, 20 + 12 * 20);
    assert_eq!(partner.pool().await.len(), placed);
}

#[tokio::test]
async fn a_session_of_one_node_holds_at_the_other() {
    let world = World::start(Postgres, "nodesession").await;
    world.partner("R-1").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let (other, _second) = world.second_node().await;
    let portal = crate::sign_in::Portal::sign_in(&world, "one@example.com").await;
    assert_eq!(portal.at(&other).get("/unassigned-devices").await.status.as_u16(), 200);
}

#[tokio::test]
async fn the_progress_of_a_report_at_one_node_is_followed_at_the_other_to_its_end() {
    let world = World::start(Postgres, "nodeprogress").await;
    let (other, _second) = world.second_node().await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let file = Some(("text/csv", csv(&["5CG000000A R-1", "5CG000000B R-1"])));
    let submitted = distributor.send(Method::POST, "/api/v1/sell-through-reports", file).await.expect(202);
    let events = format!("operations/{}/events", submitted["operation"]["id"].as_str().unwrap());
    let followed = distributor.at(&other).get(&events).await;
    let last = followed.text.trim().rsplit("\n\n").next().unwrap_or_default();
    assert!(
        last.contains("event: progress") && last.contains("\"state\":\"succeeded\""),
        "{}",
        followed.text
    );
    assert!(last.contains("\"done\":2"), "{last}");
}
