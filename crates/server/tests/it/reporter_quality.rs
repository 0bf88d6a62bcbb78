//! How well a reporter reports, and the alarm when it falls silent.

use roadstead_domain::access::Role;
use roadstead_server::flows::reporter_quality::notice_silence;
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;

use crate::sign_in::Portal;
use crate::world::{World, csv};

const DAY: i64 = 24 * 3600;

/// Reports once a week, so many times, the last one now.
async fn weekly(world: &World, times: usize) {
    let distributor = world.token(Role::Distributor, Some("D-1")).await;
    for n in 0..times {
        if n > 0 {
            world.clock.step_seconds(7 * DAY);
        }
        let (good, bad) = (format!("5CG000000{n} R-1"), format!("5CG!{n} R-1"));
        distributor.report("", "text/csv", csv(&[&good, &format!("MXL000000{n} R-9"), &bad])).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_reporter_and_the_operator_see_what_lines_came_to_week_by_week(
    #[values(Sqlite, Postgres)] kind: Kind,
) {
    let world = World::start(kind, "quality").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let other = world.distributor("D-2").await;
    let nothing = distributor.get("reporter-quality").await.expect(200);
    assert_eq!((nothing["weeks"].as_array().unwrap().len(), nothing["rhythm"].is_null()), (26, true));
    weekly(&world, 6).await;
    // Neither a preview nor a withdrawal is a report of its own.
    distributor.report("?validate_only=true", "text/csv", csv(&["5CGPREVIEW R-1"])).await;

    let quality = distributor.get("reporter-quality").await.expect(200);
    assert_eq!(quality, world.operator.get("reporter-quality?reporter=D-1").await.expect(200));
    let weeks = quality["weeks"].as_array().unwrap();
    // Noon of Sunday 22 November and five weeks on.
    assert_eq!(
        (weeks[25]["from"].as_str(), weeks[20]["from"].as_str()),
        (Some("2026-12-21"), Some("2026-11-16"))
    );
    for week in &weeks[20..] {
        let counted =
            ["reports", "matched", "parked", "disputed", "rejected"].map(|name| week[name].as_i64().unwrap());
        assert_eq!(counted, [1, 1, 1, 0, 1], "{week}");
    }
    assert_eq!(weeks[19]["reports"], 0);
    let rhythm = &quality["rhythm"];
    assert_eq!(
        (rhythm["usual_days"].as_i64(), rhythm["last_report_on"].as_str(), rhythm["expected_by"].as_str()),
        (Some(7), Some("2026-12-27"), Some("2027-01-07"))
    );
    assert_eq!(quality["silent"], false);
    assert_eq!(other.get("reporter-quality").await.expect(200)["rhythm"], serde_json::Value::Null);
    assert_eq!(other.get("reporter-quality?reporter=D-1").await.refused(404), "reporter.unknown");
    assert_eq!(world.operator.get("reporter-quality").await.refused(422), "field.missing");

    // A lapse of the verdict shows: what was parked is matched once the seller is known.
    let late = world.newcomer("R-9").await;
    world.certify(&late).await;
    crate::world::eventually("the parked lines are replayed", async || {
        let quality = distributor.get("reporter-quality").await.expect(200);
        (quality["weeks"][25]["matched"] == 2 && quality["weeks"][20]["parked"] == 0).then_some(())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn a_silent_reporter_is_noticed_once_and_heard_of_again(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::start(kind, "silence").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    world.distributor("D-2").await;
    world.user("operator@example.com", Role::Operator, None).await;
    world.user("distributor@example.com", Role::Distributor, Some("D-1")).await;
    world.user("other@example.com", Role::Distributor, Some("D-2")).await;
    weekly(&world, 5).await;
    let silences = async || {
        let mails = world.operator.all("mails").await;
        let mut to: Vec<String> = mails
            .iter()
            .filter(|mail| mail["kind"] == "reporter_silent")
            .map(|mail| mail["recipient"].as_str().unwrap().to_owned())
            .collect();
        to.sort();
        to
    };

    world.clock.step_seconds(11 * DAY);
    notice_silence(&world.app).await.unwrap();
    assert!(silences().await.is_empty(), "not late yet");
    let mut stream = distributor.stream("events", None).await;
    world.clock.step_seconds(DAY);
    notice_silence(&world.app).await.unwrap();
    // A preview is no sign of life, and the silence is still the same one.
    distributor.report("?validate_only=true", "text/csv", csv(&["5CGPREVIEW R-1"])).await;
    notice_silence(&world.app).await.unwrap();
    assert_eq!(silences().await, ["distributor@example.com", "operator@example.com"]);
    let told = stream.next_event().await.1;
    assert!(told.contains("reporter.rhythm") && told.contains("\"silent\":true"), "{told}");
    assert_eq!(distributor.get("reporter-quality").await.expect(200)["silent"], true);
    let logged = world.operator.all("audit-log").await;
    assert_eq!(logged.iter().filter(|entry| entry["action"] == "reporter.silent").count(), 1);

    let operator = Portal::sign_in(&world, "operator@example.com").await;
    let home = operator.get("/home").await.text;
    assert!(home.contains("reporter is silent") && home.contains("href=\"/reporters\""), "{home}");
    assert!(operator.get("/reporters").await.text.contains("badge bad"));
    let page = operator.get("/reports/quality?reporter=D-1").await.text;
    assert!(page.contains("Silent: the last report came on 20 Dec 2026") && page.contains("<svg"), "{page}");
    let own = Portal::sign_in(&world, "distributor@example.com").await.get("/reports/quality").await.text;
    assert!(own.contains("Silent:") && own.contains("<table"), "{own}");
    let other = Portal::sign_in(&world, "other@example.com").await;
    assert_eq!(other.get("/reports/quality?reporter=D-1").await.status.as_u16(), 404);

    distributor.report("", "text/csv", csv(&["5CG0000099 R-1"])).await;
    assert!(!operator.get("/home").await.text.contains("is silent"));
    assert_eq!(distributor.get("reporter-quality").await.expect(200)["silent"], false);
    world.clock.step_seconds(40 * DAY);
    notice_silence(&world.app).await.unwrap();
    assert_eq!(silences().await.len(), 4, "a new silence is a new alarm");
}
