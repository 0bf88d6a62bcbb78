//! The switch, the alerts and the repair cases on their pages, in a browser and in each language.

use roadstead_domain::access::{Role, system};
use roadstead_store::engine::Kind::{self, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};
use thirtyfour::prelude::By;

use crate::browser::{Driver, Page};
use crate::pc::Pc;
use crate::repair::{bad_disk, deliver_service, send};
use crate::world::{World, csv};

/// What the pages say, by language.
struct Words {
    turned_off: &'static str,
    failing: &'static str,
    new: &'static str,
    in_work: &'static str,
    asked: &'static str,
    scheduled: &'static str,
    in_repair: &'static str,
    closed: &'static str,
    cancelled: &'static str,
    used: &'static str,
    elsewhere: &'static str,
    handed_over: &'static str,
}

const ENGLISH: Words = Words {
    turned_off: "Self-service notifications are off.",
    failing: "A disk is failing",
    new: "New",
    in_work: "In work",
    asked: "Question to the user",
    scheduled: "Appointment made",
    in_repair: "In repair",
    closed: "Closed",
    cancelled: "Cancelled",
    used: "This order reference was used before",
    elsewhere: "It went to the CSDP account",
    handed_over: "It was handed over",
};

const GERMAN: Words = Words {
    turned_off: "Self-Service-Benachrichtigungen sind aus.",
    failing: "Ein Datenträger fällt aus",
    new: "Neu",
    in_work: "In Arbeit",
    asked: "Rückfrage an den Benutzer",
    scheduled: "Termin vereinbart",
    in_repair: "In Reparatur",
    closed: "Geschlossen",
    cancelled: "Zurückgenommen",
    used: "Diese Bestellreferenz wurde schon verwendet",
    elsewhere: "Er ging an das CSDP-Konto",
    handed_over: "Er wurde übergeben",
};

/// Opens a page with a live list. What happens from then on reaches it as long as nobody loads it anew.
async fn follow(page: &Page, path: &str) {
    page.go(path).await;
    page.find("[data-live]").await;
    page.run("window.neverReloaded = true").await;
}

/// The page is the one that was opened.
async fn stayed(page: &Page) {
    assert_eq!(page.run("return window.neverReloaded === true").await, true);
}

/// Fills the form that opens a case, and sends it.
async fn open_case(page: &Page) {
    page.fill("#name", "Inga Boje").await;
    page.fill("#phone", "+49 40 1234").await;
    page.fill("#text", "It clicks").await;
    page.click("main form.card button.primary").await;
}

/// The badge beside the case's number.
async fn stands(page: &Page, state: &str) {
    page.see(".head .badge", state).await;
}

/// Writes under a case and presses this button of the form.
async fn write(page: &Page, text: &str, button: &str) {
    page.fill("#text", text).await;
    page.click(button).await;
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Behaviours 43 to 47: the customer in the drop-down, Settings, Notifications, off; the next alert stands on the open page
/// Alerts and makes no pop-up; the partner opens the case itself, takes one back, answers. And customer support at work.
#[rstest]
#[case::english("en", Sqlite, &ENGLISH)]
#[case::german("de", Postgres, &GERMAN)]
#[tokio::test(flavor = "multi_thread")]
async fn b43_b47_the_switch_and_a_case_from_its_alert_to_its_claim(
    #[case] lang: &'static str,
    #[case] kind: Kind,
    #[case] words: &Words,
) {
    let world = World::start(kind, &format!("switchpages{lang}")).await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let pc = Pc::new(&world, "5CG0000001", 1);
    pc.enrol().await.expect(201);
    let customer = partner.customer("Werft Nord").await;
    send(&partner, "5CG0000001", &customer).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("desk@example.com", Role::CustomerSupport, None).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, lang).await;
    page.sign_in("partner@example.com").await;

    page.click(".choose summary").await;
    page.see(".choose li a", "Werft Nord").await;
    page.click(".choose li a").await;
    page.see("h1", "Werft Nord").await;
    page.click(".panel .inside a[href$='/settings']").await;
    page.click("main .tabs a[href$='/settings/notifications']").await;
    assert_eq!(page.attribute("main [role=switch]", "aria-checked").await, "true");
    page.shot("switch-on").await;
    page.click("main [role=switch]").await;
    page.see(".notice.good", words.turned_off).await;
    page.go(&format!("/customers/{customer}/settings/notifications")).await;
    assert_eq!(page.attribute("main [role=switch]", "aria-checked").await, "false");
    page.shot("switch-off").await;

    follow(&page, "/alerts").await;
    page.see("main .empty h2", "").await;
    pc.post("check-ins", bad_disk()).await.expect(200);
    page.see("table.list th[scope=row]", "5CG0000001").await;
    page.see("table.list td", words.failing).await;
    stayed(&page).await;
    let mut tx = world.app.store.read(&system()).await.unwrap();
    assert_eq!(tx.number("SELECT COUNT(*) FROM pop_ups", vec![]).await.unwrap(), 0);
    drop(tx);

    // Opened from the alert and taken back; the queue of customer support tells of it by itself.
    let desk = driver.browser(&world, lang).await;
    desk.sign_in("desk@example.com").await;
    follow(&desk, "/repair-cases").await;
    desk.see("main .empty h2", "").await;
    page.click("table.list a[href^='/repair-cases/new']").await;
    page.see("main form.card", "5CG0000001").await;
    page.shot("case-by-hand").await;
    open_case(&page).await;
    stands(&page, words.new).await;
    desk.see("table.list .badge", words.new).await;
    page.click("form[action$='/cancel'] button").await;
    stands(&page, words.cancelled).await;
    desk.see("main .empty h2", "").await;
    page.go("/alerts").await;
    page.click("table.list a[href^='/repair-cases/new']").await;
    open_case(&page).await;
    stands(&page, words.new).await;
    let open = partner.all("repair-cases?open=true").await;
    let case = open.iter().find(|case| case["state"] == "new").unwrap();
    let (number, path) = (text(&case["number"]), format!("/repair-cases/{}", text(&case["id"])));
    desk.see("table.list th[scope=row]", number).await;
    stayed(&desk).await;

    // The desk takes it on and asks, the partner answers in the user's place.
    desk.click("table.list th a").await;
    desk.see("main dd", "Inga Boje").await;
    desk.click("form[action$='/assign'] button").await;
    stands(&desk, words.in_work).await;
    desk.see("main dd", "Test Person").await;
    write(&desk, "Which floor?", "button[formaction$='/ask']").await;
    stands(&desk, words.asked).await;
    page.go(&path).await;
    page.see("article.message", "Which floor?").await;
    page.fill("#answer", "The third").await;
    page.shot("case-asked").await;
    page.click("form[action$='/answer'] button").await;
    stands(&page, words.in_work).await;
    desk.go(&path).await;
    desk.see("article.message", "The third").await;
    write(&desk, "Bring a ladder", "form[action$='/note'] button:not([formaction])").await;
    desk.see("article.message", "Bring a ladder").await;

    // The appointment reaches the partner's open list; what the desk wrote for itself reaches nobody else.
    follow(&page, "/repair-cases").await;
    desk.run(
        "document.getElementById('from').value = '2027-01-04T09:00'; \
         document.getElementById('until').value = '2027-01-04T11:00'",
    )
    .await;
    desk.fill("#appointment-note", "Tor 3").await;
    desk.click("form[action$='/appointment'] button").await;
    stands(&desk, words.scheduled).await;
    page.see("table.list .badge", words.scheduled).await;
    stayed(&page).await;
    page.go(&path).await;
    page.see("main dd", "Tor 3").await;
    let shown = page.text().await;
    assert!(shown.contains("The third") && !shown.contains("Bring a ladder"), "{shown}");
    let cancels = By::Css("form[action$='/cancel']");
    assert!(page.driver.find_all(cancels).await.unwrap().is_empty(), "there is an appointment");

    // Parts by a reference that works once; closed; claimed.
    let order = async || {
        desk.fill("#reference", "PO-1").await;
        desk.fill("#part", "SSD").await;
        desk.click("form[action$='/parts'] button").await;
    };
    order().await;
    stands(&desk, words.in_repair).await;
    desk.see("main li", "PO-1").await;
    order().await;
    desk.see("[role=alert]", words.used).await;
    desk.shot("case-at-the-desk").await;
    desk.fill("#result", "New disk").await;
    desk.fill("#failure-code", "HDD-01").await;
    desk.click("form[action$='/close'] button").await;
    stands(&desk, words.closed).await;
    desk.fill("#claim-reference", "CL-1").await;
    desk.click("form[action$='/claim'] button").await;
    desk.see("main dd", "CL-1").await;
    desk.shot("case-claimed").await;
    let done = partner.get(&format!("repair-cases/{number}")).await.expect(200);
    assert_eq!(
        (&done["state"], &done["result"], &done["failure_code"], &done["claim_reference"]),
        (&json!("closed"), &json!("New disk"), &json!("HDD-01"), &json!("CL-1"))
    );
    for page in [page, desk] {
        page.close().await;
    }
}

/// Somebody calls customer support about a PC whose partner delivers service, twice: the partner's open desk shows both, one
/// becomes part of the other, and that is handed over to customer support, whose open queue shows it.
#[rstest]
#[case::english("en", Sqlite, &ENGLISH)]
#[case::german("de", Postgres, &GERMAN)]
#[tokio::test(flavor = "multi_thread")]
async fn cases_that_go_elsewhere_are_merged_and_handed_over_on_their_pages(
    #[case] lang: &'static str,
    #[case] kind: Kind,
    #[case] words: &Words,
) {
    let world = World::start(kind, &format!("deskpages{lang}")).await;
    let partner = world.partner("R-1").await;
    deliver_service(&world, "R-1", "premium_plus").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("desk@example.com", Role::CustomerSupport, None).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, lang).await;
    page.sign_in("partner@example.com").await;
    follow(&page, "/repair-desk").await;
    page.see("main .empty h2", "").await;
    let support = driver.browser(&world, lang).await;
    support.sign_in("desk@example.com").await;
    for nth in 1..=2 {
        support.go("/repair-cases/new").await;
        support.fill("#serial", "5CG0000001").await;
        support.fill("#caller", "Inga").await;
        open_case(&support).await;
        // It is at the partner's desk, where customer support does not look in.
        support.see(".notice.good", words.elsewhere).await;
        support.see("main .empty h2", "").await;
        page.find(&format!("table.list tbody tr:nth-child({nth})")).await;
    }
    page.see("table.list .badge", words.new).await;
    stayed(&page).await;
    support.shot("case-went-elsewhere").await;

    let cases = partner.all("repair-cases?own_desk=true").await;
    assert_eq!(cases.len(), 2, "{cases:?}");
    let [second, first] = [&cases[0], &cases[1]].map(|case| text(&case["number"]).to_owned());
    page.go(&format!("/repair-cases/{second}")).await;
    page.click("main details.fold summary").await;
    page.fill("#into", &first).await;
    page.click("form[action$='/merge'] button").await;
    stands(&page, words.closed).await;
    page.see("main dd", &first).await;
    page.shot("case-merged").await;

    follow(&support, "/repair-cases").await;
    page.go(&format!("/repair-cases/{first}")).await;
    write(&page, "Not ours", "button[formaction$='/hand-over']").await;
    page.see("main .tabs a[aria-current]", "").await;
    support.see("table.list th[scope=row]", &first).await;
    stayed(&support).await;
    support.click("table.list th a").await;
    support.see("main dd", words.handed_over).await;
    support.see("article.message", "Not ours").await;
    support.shot("case-handed-over").await;
    let left = partner.get(&format!("repair-cases/{first}")).await.expect(200);
    assert_eq!((&left["state"], &left["desk"]["own"]), (&json!("new"), &json!(false)));
    for page in [page, support] {
        page.close().await;
    }
}
