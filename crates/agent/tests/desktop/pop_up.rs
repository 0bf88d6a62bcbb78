//! The pop-up on the screen.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::{Desk, Pc, eventually};
use crate::platform::{Platform, Submits};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_roadstead-agent");

pub(crate) fn offer(id: Uuid) -> Value {
    offer_until(id, 600)
}

pub(crate) fn offer_until(id: Uuid, seconds: i64) -> Value {
    let until = crate::now() + jiff::SignedDuration::from_secs(seconds);
    json!({
        "id": id, "state": "open", "alert": "disk.failing", "severity": "critical",
        "title": "Your disk may fail soon", "text": "It has replaced 24 sectors.",
        "partner": "Hafen & Söhne <GmbH>", "recipient": { "code": "csdp", "name": "Hafen & Söhne <GmbH>" },
        "contains": ["Serial 5CG1234ABC", "SMART attribute 5: 24"], "expires_at": until.to_string(),
    })
}

pub(crate) async fn pc(desk: &Desk) -> (Platform, Pc) {
    let platform = Platform::start().await;
    let mut pc = Pc::new(Path::new(PROGRAM), desk, &platform.url(), "5CG1234ABC", "");
    pc.start();
    (platform, pc)
}

/// Waits until the platform has heard this of a pop-up so often.
pub(crate) async fn heard(platform: &Platform, id: Uuid, what: &str, times: usize) {
    let path = format!("pop-ups/{id}/{what}");
    eventually(&format!("{what} was heard {times} times"), async || {
        (platform.calls(&path).len() >= times).then_some(())
    })
    .await;
    assert_eq!(platform.calls(&path).len(), times, "{what}");
}

/// Behaviours 28, 29: it stands on the screen with its two buttons, in the PC's language; it is never shown twice.
#[tokio::test(flavor = "multi_thread")]
async fn b28_b29_a_pop_up_is_shown_once_in_the_pcs_language() {
    for (locale, name) in [("C.UTF-8", "pop-up-en"), ("de_DE.UTF-8", "pop-up-de")] {
        let desk = Desk::start(locale);
        let (platform, mut pc) = pc(&desk).await;
        let id = Uuid::from_u128(7);
        platform.send("pop_up", offer(id));
        let seen = desk.notification("the pop-up stands").await;
        desk.shot(name);
        heard(&platform, id, "displayed", 1).await;
        // The same again, from the platform and by a restart: nothing new on the screen.
        platform.send("pop_up", offer(id));
        pc.restart();
        eventually("the channel goes on", async || (platform.resumed().len() >= 2).then_some(())).await;
        assert!(platform.resumed()[1].is_some(), "it goes on where it was");
        platform.send("pop_up", offer(id));
        assert_eq!(desk.notification("it still stands alone").await, seen);
        // Closed without a button: no case, and it does not come again.
        desk.press_later(seen);
        desk.no_notification("Later takes it off").await;
        heard(&platform, id, "dismissed", 1).await;
        heard(&platform, id, "displayed", 1).await;
        assert!(platform.calls("repair-cases").is_empty() && desk.opened().is_empty());
        assert!(pc.status().contains("disk.failing (not shown yet)"), "{}", pc.status());
    }
}

/// A PC that goes to another partner while its pop-up is on the screen: it says the new one's name, in its place.
#[tokio::test(flavor = "multi_thread")]
async fn b28_a_pop_up_that_stands_says_the_new_partners_name() {
    let desk = Desk::start("C.UTF-8");
    let (platform, pc) = pc(&desk).await;
    let id = Uuid::from_u128(7);
    platform.send("pop_up", offer(id));
    let seen = desk.notification("the pop-up stands").await;
    heard(&platform, id, "displayed", 1).await;
    let mut moved = offer(id);
    // Three lines more than the name before.
    moved["partner"] = json!("Kai ".repeat(50));
    platform.send("pop_up", moved);
    eventually("it says the other name", async || {
        let now = desk.notifications();
        (now.len() == 1 && now[0] != seen).then_some(())
    })
    .await;
    let now = desk.notification("it stands alone").await;
    assert_ne!(now, seen);
    heard(&platform, id, "displayed", 1).await;
    // Its buttons are still its buttons.
    desk.press_view(now);
    assert!(desk.page(1).await.starts_with("http://127.0.0.1:"), "{}", pc.log());
    desk.no_notification("View takes it off").await;
}

/// Withdrawn: off the screen at once, also where the agent was killed and started again in between.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_leaves_the_screen_and_what_expires_as_well() {
    let desk = Desk::start("C.UTF-8");
    let (platform, mut pc) = pc(&desk).await;
    let (one, two, three) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    platform.send("pop_up", offer(one));
    desk.notification("the pop-up stands").await;
    platform.send("withdraw", json!({ "id": one, "reason": "pop_up.switched_off" }));
    desk.no_notification("it is withdrawn").await;
    platform.send("pop_up", offer(two));
    desk.notification("the second stands").await;
    pc.kill();
    desk.notification("it outlives the agent").await;
    pc.start();
    platform.send("withdraw", json!({ "id": two, "reason": "pop_up.switched_off" }));
    desk.no_notification("the restarted agent takes it off").await;
    platform.send("pop_up", offer_until(three, 4));
    desk.notification("the third stands").await;
    desk.no_notification("it expires").await;
    assert!(platform.calls("repair-cases").is_empty());
}

/// The agent of a PC that was off is told what is still valid when it comes back; nothing of before is lost or doubled.
#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_was_off_is_told_when_it_returns() {
    let desk = Desk::start("C.UTF-8");
    let (platform, mut pc) = pc(&desk).await;
    eventually("the channel is open", async || (!platform.resumed().is_empty()).then_some(())).await;
    pc.kill();
    platform.send("pop_up", offer(Uuid::from_u128(9)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(desk.notifications().is_empty());
    platform.will(&[Submits::Take]);
    pc.start();
    desk.notification("the pop-up comes late").await;
}

/// What could not be sent survives a power cut, and is sent in order.
#[tokio::test(flavor = "multi_thread")]
async fn check_ins_of_a_time_without_a_server_survive_being_killed() {
    let desk = Desk::start("C.UTF-8");
    let platform = Platform::start().await;
    platform.takes_no_check_ins(true);
    let mut pc = Pc::new(Path::new(PROGRAM), &desk, &platform.url(), "5CG1234ABC", "");
    for corrected in [1, 2] {
        pc.readings(&json!({ "memory": { "corrected": corrected } }));
        pc.start();
        eventually("a check-in was tried", async || {
            (platform.calls("check-ins").len() >= corrected).then_some(())
        })
        .await;
        assert!(pc.status().contains(&format!("not sent yet:  {corrected}")), "{}", pc.status());
        pc.kill();
    }
    let tried = platform.calls("check-ins").len();
    platform.takes_no_check_ins(false);
    pc.readings(&json!({ "memory": { "corrected": 3 } }));
    pc.start();
    let sent = eventually("all are sent", async || {
        let calls = platform.calls("check-ins").split_off(tried);
        (calls.len() == 3).then_some(calls)
    })
    .await;
    let corrected: Vec<u64> =
        sent.iter().map(|sent| sent["readings"]["memory"]["corrected"].as_u64().unwrap()).collect();
    assert_eq!(corrected, [1, 2, 3]);
    eventually("nothing waits", async || pc.status().contains("not sent yet:  0").then_some(())).await;
    assert!(!pc.status().contains("last check-in: never"));
}
