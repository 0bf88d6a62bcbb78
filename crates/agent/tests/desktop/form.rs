//! The form in a real browser.

use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;
use uuid::Uuid;

use crate::desk::{Desk, Ended, eventually, screenshots};
use crate::platform::{Submits, case};
use crate::pop_up::{heard, offer, pc};

/// Chromium, driven.
struct Browser {
    driver: WebDriver,
    _process: Ended,
    _home: tempfile::TempDir,
}

impl Browser {
    async fn start(desk: &Desk, size: (u32, u32)) -> Self {
        // The driver's client finds none set by itself.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = tempfile::TempDir::new().unwrap();
        let mut command = std::process::Command::new("chromedriver");
        command.arg(format!("--port={port}")).envs(desk.environment()).env("HOME", home.path());
        let nothing = std::process::Stdio::null;
        let process =
            Ended(command.stdout(nothing()).stderr(nothing()).spawn().expect("chromedriver is installed"));
        eventually("chromedriver listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        let mut capabilities = DesiredCapabilities::chrome();
        let metrics = json!({ "deviceMetrics": { "width": size.0, "height": size.1, "pixelRatio": 1.0 } });
        capabilities.add_experimental_option("mobileEmulation", metrics).unwrap();
        for argument in
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        {
            capabilities.add_arg(argument).unwrap();
        }
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await.unwrap();
        Self { driver, _process: process, _home: home }
    }

    async fn text(&self) -> String {
        match self.driver.find(By::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    async fn sees(&self, text: &str) {
        for _ in 0..300 {
            if self.text().await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the page never shows {text:?} but {}", self.text().await);
    }

    async fn fill(&self, field: &str, text: &str) {
        self.driver.find(By::Css(format!("[name={field}]"))).await.unwrap().send_keys(text).await.unwrap();
    }

    async fn value(&self, field: &str) -> String {
        let field = self.driver.find(By::Css(format!("[name={field}]"))).await.unwrap();
        field.prop("value").await.unwrap().unwrap_or_default()
    }

    async fn submit(&self) {
        self.driver.find(By::Css("button.primary")).await.unwrap().click().await.unwrap();
    }

    /// No barrier by axe-core, and nothing to scroll sideways.
    async fn has_no_barrier(&self) {
        let axe = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(axe).expect("axe-core is installed by scripts/install.sh");
        self.driver.execute(axe, Vec::new()).await.unwrap();
        let look = "const done = arguments[arguments.length - 1]; axe.run(document).then((found) => done(\
                    found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html}`))))";
        let found = self.driver.execute_async(look, Vec::new()).await.unwrap();
        assert_eq!(*found.json(), json!([]));
        let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(*self.driver.execute(wide, Vec::new()).await.unwrap().json(), json!(0));
    }

    async fn shot(&self, name: &str) {
        self.driver.screenshot(&screenshots().join(format!("{name}.png"))).await.unwrap();
    }
}

/// Behaviours 29, 30 and decisions 12, 13: View opens the form, Submit sends it, once; then the case's progress.
#[tokio::test(flavor = "multi_thread")]
async fn b29_b30_view_opens_the_form_and_submit_sends_one_case() {
    for (locale, words) in [
        (
            "C.UTF-8",
            ["en", "Nothing else is sent", "Appointment", "1 Dec 2026, 21:00 to 23:00", "enter your name"],
        ),
        (
            "de_DE.UTF-8",
            ["de", "Sonst wird nichts gesendet", "Termin", "01.12.2026, 21:00 bis 23:00 Uhr", "Ihren Namen"],
        ),
    ] {
        let desk = Desk::start(locale);
        let (platform, pc) = pc(&desk).await;
        let id = Uuid::from_u128(7);
        platform.send("pop_up", offer(id));
        let seen = desk.notification("the pop-up stands").await;
        desk.press_view(seen);
        let address = desk.page(1).await;
        heard(&platform, id, "viewed", 0).await;
        let browser = Browser::start(&desk, (360, 900)).await;
        browser.driver.goto(&address).await.unwrap();
        browser.sees(words[1]).await;
        heard(&platform, id, "viewed", 1).await;
        browser.shot(&format!("form-{}", words[0])).await;
        for shown in
            ["Hafen & Söhne <GmbH>", "SMART attribute 5: 24", "5CG1234ABC", "Your disk may fail soon"]
        {
            browser.sees(shown).await;
        }
        browser.has_no_barrier().await;
        // No View, no case; and View alone is none either.
        assert!(platform.calls("repair-cases").is_empty());
        // The address is used up: whoever reads it from a list of processes gets nothing.
        let body = reqwest::get(&address).await.unwrap();
        assert_eq!(body.status(), 404);
        browser.fill("text", "It clicks <b>loudly</b>").await;
        browser.fill("times", "weekdays 9-12").await;
        browser
            .driver
            .execute("document.querySelector('#case').noValidate = true", Vec::new())
            .await
            .unwrap();
        browser.submit().await;
        browser.sees(words[4]).await;
        assert_eq!(browser.value("text").await, "It clicks <b>loudly</b>");
        browser.fill("name", "Inga Boje").await;
        browser.fill("phone", "+49 40 1234").await;
        browser.submit().await;
        browser.sees("It is new").await;
        browser.sees("C-7K2M-4QXP").await;
        browser.shot(&format!("case-{}", words[0])).await;
        let cases = platform.calls("repair-cases");
        assert_eq!(cases.len(), 1);
        assert_eq!((&cases[0]["pop_up"], &cases[0]["recipient"]), (&json!(id), &json!("csdp")));
        assert_eq!(cases[0]["contact"], json!({ "name": "Inga Boje", "email": "", "phone": "+49 40 1234" }));
        assert_eq!(cases[0]["text"], "It clicks <b>loudly</b>");
        // A question is told on the screen and answered on the page.
        let mut asked = case(&cases[0], "waiting_for_user", true);
        asked["question"] = json!("Which floor?");
        platform.send("case", asked);
        browser.sees("Which floor?").await;
        let news = desk.notification("the question stands").await;
        desk.press(news, 0);
        browser.driver.goto(&desk.page(2).await).await.unwrap();
        desk.no_notification("the question was opened").await;
        browser.has_no_barrier().await;
        browser.fill("text", "The third").await;
        browser.submit().await;
        let answers = format!("repair-cases/{}/answer", cases[0]["id"].as_str().unwrap());
        eventually("it is answered", async || platform.calls(&answers).pop()).await;
        assert_eq!(platform.calls(&answers), [json!({ "text": "The third" })]);
        browser.sees("It is claimed").await;
        // Each step reaches the page and, once, the screen.
        let mut scheduled = case(&cases[0], "scheduled", true);
        scheduled["appointment"] = json!({
            "from": "2026-12-01T08:00:00Z", "until": "2026-12-01T10:00:00Z", "time_zone": "Europe/Berlin", "note": "",
        });
        platform.send("case", scheduled.clone());
        browser.sees(words[2]).await;
        browser.sees(words[3]).await;
        let news = desk.notification("the news stand").await;
        desk.shot(&format!("news-{}", words[0]));
        platform.send("case", scheduled);
        desk.press(news, 0);
        let again = desk.page(3).await;
        browser.driver.goto(&again).await.unwrap();
        browser.sees(words[3]).await;
        desk.no_notification("news come once").await;
        browser.has_no_barrier().await;
        // The user may cancel.
        browser.driver.find(By::Css("#cancel button")).await.unwrap().click().await.unwrap();
        eventually("it is cancelled", async || {
            platform.calls(&format!("repair-cases/{}/cancel", cases[0]["id"].as_str().unwrap())).pop()
        })
        .await;
        assert_eq!(platform.calls("repair-cases").len(), 1);
        assert!(pc.status().contains("case C-7K2M-4QXP"), "{}", pc.status());
        browser.driver.quit().await.unwrap();
    }
}

/// The agent is killed between View and Submit, the answer is lost, the server is down, the button is pressed twice, by two
/// people: one case, under one id.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_between_view_and_submit_there_is_one_case() {
    let desk = Desk::start("C.UTF-8");
    let (platform, mut pc) = pc(&desk).await;
    let id = Uuid::from_u128(7);
    platform.send("pop_up", offer(id));
    let seen = desk.notification("the pop-up stands").await;
    desk.press_view(seen);
    let browser = Browser::start(&desk, (1000, 900)).await;
    browser.driver.goto(&desk.page(1).await).await.unwrap();
    browser.fill("name", "Inga Boje").await;
    browser.fill("phone", "+49 40 1234").await;
    pc.restart();
    eventually("the agent is back", async || (platform.resumed().len() >= 2).then_some(())).await;
    platform.will(&[Submits::Down, Submits::TakeAndLoseTheAnswer, Submits::TakeAndLoseTheAnswer]);
    let form = browser.driver.current_url().await.unwrap();
    // The second press does not wait for the first one.
    let (host, secret) = (format!("http://{}", form.authority()), form.path().to_owned());
    let twice = format!(
        "fetch('{secret}/submit', {{method: 'POST', body: new URLSearchParams(
        {{name: 'Somebody Else', phone: 'x', recipient: 'csdp'}})}});"
    );
    browser.submit().await;
    browser.driver.execute(twice, Vec::new()).await.unwrap();
    browser.sees("on its way").await;
    browser.shot("form-sending").await;
    // Killed with the case not sent: the next start sends it.
    pc.restart();
    browser.sees("It is new").await;
    let cases = platform.calls("repair-cases");
    assert!(cases.len() >= 4, "{cases:?}");
    assert!(cases.iter().all(|case| *case == cases[0]), "{cases:?}");
    assert_eq!(cases[0]["contact"]["name"], "Inga Boje");

    // Other sites and other names for this machine get nothing.
    let http = reqwest::Client::new();
    for (header, value) in
        [("host", "evil.example"), ("host", "localhost"), ("origin", "http://evil.example")]
    {
        let answer = http.get(form.as_str()).header(header, value).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{header}: {value}");
    }
    for origin in [None, Some("null"), Some("http://evil.example"), Some(host.as_str())] {
        let mut request = http.post(format!("{form}/cancel"));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let expected = if origin == Some(host.as_str()) { 200 } else { 403 };
        assert_eq!(request.send().await.unwrap().status(), expected, "{origin:?}");
    }
    let answer = http.get(form.as_str()).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(http.get(format!("{host}/{}", "0".repeat(64))).send().await.unwrap().status(), 404);
    browser.driver.quit().await.unwrap();
}

/// Decision 12: the recipient shown is another one by now. Nothing is sent; the form shows the new one and keeps what was
/// written.
#[tokio::test(flavor = "multi_thread")]
async fn another_recipient_is_shown_before_anything_is_sent() {
    let desk = Desk::start("C.UTF-8");
    let (platform, _pc) = pc(&desk).await;
    let id = Uuid::from_u128(7);
    platform.send("pop_up", offer(id));
    let seen = desk.notification("the pop-up stands").await;
    desk.press_view(seen);
    let browser = Browser::start(&desk, (1000, 900)).await;
    browser.driver.goto(&desk.page(1).await).await.unwrap();
    browser.fill("name", "Inga Boje").await;
    browser.fill("phone", "+49 40 1234").await;
    platform.will(&[Submits::RecipientIs("customer_support")]);
    browser.submit().await;
    browser.sees("Nothing was sent").await;
    browser.sees("customer_support").await;
    browser.shot("form-recipient-changed").await;
    assert_eq!(browser.value("name").await, "Inga Boje");
    browser.submit().await;
    browser.sees("It is new").await;
    let cases = platform.calls("repair-cases");
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[1]["recipient"], "customer_support");
    assert_ne!(cases[0]["id"], cases[1]["id"], "what was refused is not what was agreed to");
    browser.driver.quit().await.unwrap();
}

/// Withdrawn while the form is open: the page says so, and a submit from it sends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_withdrawn_sends_nothing() {
    let desk = Desk::start("C.UTF-8");
    let (platform, _pc) = pc(&desk).await;
    let id = Uuid::from_u128(7);
    platform.send("pop_up", offer(id));
    let seen = desk.notification("the pop-up stands").await;
    desk.press_view(seen);
    let browser = Browser::start(&desk, (1000, 900)).await;
    browser.driver.goto(&desk.page(1).await).await.unwrap();
    browser.fill("name", "Inga Boje").await;
    let form = browser.driver.current_url().await.unwrap();
    platform.send("withdraw", json!({ "id": id, "reason": "pop_up.switched_off" }));
    browser.sees("Nothing was sent").await;
    assert!(browser.driver.find_all(By::Css("form")).await.unwrap().is_empty());
    browser.shot("form-withdrawn").await;
    let answer = reqwest::Client::new()
        .post(format!("{form}/submit"))
        .header("origin", format!("http://{}", form.authority()))
        .body("name=a&phone=b&recipient=csdp")
        .send()
        .await
        .unwrap();
    assert!(answer.text().await.unwrap().contains("Nothing was sent"));
    assert!(platform.calls("repair-cases").is_empty());
    browser.driver.quit().await.unwrap();
}
