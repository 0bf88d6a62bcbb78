//! The whole path in a real browser, in each language, as the people on it go it. Screenshots are left in
//! `target/screenshots`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use roadstead_domain::access::Role;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::Sqlite;
use rstest::rstest;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;

use crate::world::{PASSWORD, World, csv};

/// Debian's chromedriver on a spare port, ended with the test.
pub(crate) struct Driver {
    process: Child,
    url: String,
    _profile: tempfile::TempDir,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Driver {
    pub(crate) async fn start() -> Self {
        let port = crate::resume::free_port();
        // A home of its own: Chromium keeps its settings there.
        let profile = tempfile::TempDir::new().unwrap();
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .env("HOME", profile.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by scripts/install.sh");
        let driver = Self { process, url: format!("http://127.0.0.1:{port}"), _profile: profile };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return driver;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("chromedriver does not listen");
    }

    pub(crate) async fn browser(&self, world: &World, lang: &'static str) -> Page {
        self.browser_with(world, lang, None).await
    }

    /// A browser whose pages have this size, however small.
    pub(crate) async fn browser_with(
        &self,
        world: &World,
        lang: &'static str,
        size: Option<(i64, i64)>,
    ) -> Page {
        let mut capabilities = DesiredCapabilities::chrome();
        if let Some((width, height)) = size {
            let metrics = serde_json::json!({ "width": width, "height": height, "pixelRatio": 1.0 });
            let emulation = serde_json::json!({ "deviceMetrics": metrics });
            capabilities.add_experimental_option("mobileEmulation", emulation).unwrap();
        }
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::Severe).unwrap();
        let driver = WebDriver::new(&self.url, capabilities).await.unwrap();
        Page { driver, url: world.url.clone(), lang }
    }
}

/// What was done to an element; `None` if its page had just been replaced by the next one.
#[track_caller]
fn there(done: WebDriverResult<()>) -> Option<()> {
    match done {
        Err(error) if error.to_string().contains("stale element") => None,
        Err(error) => panic!("{error}"),
        Ok(()) => Some(()),
    }
}

/// Somebody's browser.
pub(crate) struct Page {
    pub(crate) driver: WebDriver,
    url: String,
    lang: &'static str,
}

impl Page {
    pub(crate) async fn sign_in(&self, email: &str) {
        self.go(&format!("/sign-in?lang={}", self.lang)).await;
        self.fill("#email", email).await;
        self.fill("#password", PASSWORD).await;
        self.shot("sign-in").await;
        self.click("form.stack button").await;
        self.see("main h1", "").await;
        assert_eq!(self.attribute("html", "lang").await, self.lang);
    }

    pub(crate) async fn go(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.url)).await.unwrap();
    }

    pub(crate) async fn find(&self, css: &str) -> WebElement {
        let wait = (Duration::from_secs(20), Duration::from_millis(50));
        self.driver
            .query(By::Css(css))
            .wait(wait.0, wait.1)
            .first()
            .await
            .unwrap_or_else(|e| panic!("{css}: {e}"))
    }

    pub(crate) async fn fill(&self, css: &str, text: &str) {
        crate::world::eventually(&format!("{css} is there to be filled"), async || {
            let field = self.find(css).await;
            there(field.clear().await)?;
            there(field.send_keys(text).await)
        })
        .await;
    }

    pub(crate) async fn click(&self, css: &str) {
        let click = async || there(self.find(css).await.click().await);
        crate::world::eventually(&format!("{css} is there to be clicked"), click).await;
    }

    pub(crate) async fn attribute(&self, css: &str, name: &str) -> String {
        self.find(css).await.attr(name).await.unwrap().unwrap_or_default()
    }

    /// Waits until an element that matches shows this text.
    pub(crate) async fn see(&self, css: &str, text: &str) {
        crate::world::eventually(
            &format!("{css} shows {text:?}; the page shows {}", self.text().await),
            async || {
                for element in self.driver.find_all(By::Css(css)).await.ok()? {
                    // Between finding and reading the live list may have been replaced.
                    if element.text().await.is_ok_and(|shown| shown.contains(text)) {
                        return Some(());
                    }
                }
                None
            },
        )
        .await;
    }

    pub(crate) async fn text(&self) -> String {
        match self.driver.find(By::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub(crate) async fn run(&self, script: &str) -> serde_json::Value {
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Presses a key where the focus is.
    pub(crate) async fn keys(&self, key: Key) {
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Types where the focus is.
    pub(crate) async fn type_in(&self, text: &str) {
        self.driver.action_chain().send_keys(text).perform().await.unwrap();
    }

    pub(crate) async fn shot(&self, name: &str) {
        let directory = screenshots();
        std::fs::create_dir_all(&directory).unwrap();
        self.driver.screenshot(&directory.join(format!("{name}-{}.png", self.lang))).await.unwrap();
    }

    /// What the browser has noted against all its pages since it was asked last: script errors, rejections that nobody
    /// handles, violations of the Content-Security-Policy.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let noted = self.driver.browser_log().await.unwrap();
        // A request that was refused is often what a test is about.
        let faults = noted.iter().filter(|entry| entry.source.as_deref() != Some("network"));
        faults.map(|entry| format!("{entry:?}")).collect()
    }

    /// Ends the browser, which must have nothing against any of its pages.
    pub(crate) async fn close(self) {
        let faults = self.faults().await;
        self.driver.quit().await.unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots")
}

/// [`Page::close`] can fail: each kind of fault is noted, also one of a page that was left.
#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "Content Security Policy")]
async fn a_browser_with_a_fault_on_any_page_fails_its_test() {
    let world = World::start(Sqlite, "faults_browser").await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, "en").await;
    page.go("/sign-in").await;
    assert_eq!(page.faults().await, Vec::<String>::new());
    for (script, words) in [
        ("setTimeout(() => { throw new Error('thrown later') })", "thrown later"),
        ("Promise.reject(new Error('handled by nobody'))", "handled by nobody"),
    ] {
        page.run(script).await;
        crate::world::eventually(&format!("the browser notes {words:?}"), async || {
            page.faults().await.iter().any(|fault| fault.contains(words)).then_some(())
        })
        .await;
    }
    page.run(
        "const script = document.createElement('script');
         script.textContent = 'window.ran = true';
         document.head.append(script);",
    )
    .await;
    assert_eq!(page.run("return window.ran === undefined").await, true);
    page.go("/password-reset").await;
    page.close().await;
}

/// What the pages say, by language.
struct Words {
    unassigned: &'static str,
    not_certified: &'static str,
    has_holding: &'static str,
    waiting: &'static str,
    placed: &'static str,
    not_a_serial: &'static str,
    empty_file: &'static str,
    no_hit: &'static str,
    pcs: &'static str,
    wrong: &'static str,
}

const ENGLISH: Words = Words {
    unassigned: "Unassigned Devices",
    not_certified: "not certified yet",
    has_holding: "Holding tenant in place",
    waiting: "Waiting",
    placed: "Placed with the partner",
    not_a_serial: "This is not a serial number",
    empty_file: "The file is empty",
    no_hit: "zzz",
    pcs: "2 PCs",
    wrong: "wrong",
};

const GERMAN: Words = Words {
    unassigned: "Nicht zugewiesene Geräte",
    not_certified: "noch nicht zertifiziert",
    has_holding: "Holding-Mandant",
    waiting: "Wartet",
    placed: "Dem Partner zugeordnet",
    not_a_serial: "Das ist keine Seriennummer",
    empty_file: "Die Datei ist leer",
    no_hit: "zzz",
    pcs: "2 PCs",
    wrong: "falsch",
};

/// Behaviours 17 to 21 and 53: from an empty page that explains itself to PCs that appear on it by themselves.
#[rstest]
#[case::english("en", &ENGLISH)]
#[case::german("de", &GERMAN)]
#[tokio::test(flavor = "multi_thread")]
async fn b17_b21_b53_the_whole_path_in_the_browser(#[case] lang: &'static str, #[case] words: &Words) {
    let world = World::start(Sqlite, "browser").await;
    let driver = Driver::start().await;
    world.user("operator@example.com", Role::Operator, None).await;

    // The operator adds a partner that has finished the course, and a distributor.
    let operator = driver.browser(&world, lang).await;
    operator.go(&format!("/sign-in?lang={lang}")).await;
    operator.fill("#email", "operator@example.com").await;
    operator.fill("#password", "not the password").await;
    operator.click("form.stack button").await;
    operator.see("[role=alert]", words.wrong).await;
    operator.sign_in("operator@example.com").await;
    operator.shot("home-nothing").await;
    operator.go("/partners").await;
    operator.click("main details summary").await;
    operator.fill("form[action='/partners'] [name=name]", "Hafen & Söhne <GmbH>").await;
    operator.fill("form[action='/partners'] [name=partner_number]", "R-1").await;
    operator.click("form[action='/partners'] button").await;
    operator.see("article.partner h2", "Hafen & Söhne <GmbH>").await;
    let partner = world.operator.get("partners/R-1").await.expect(200)["id"].as_str().unwrap().to_owned();
    let course = serde_json::json!({
        "support_level": "premium", "role": "service_delivery", "course_completed_on": "2026-01-01",
    });
    world.operator.post(&format!("partners/{partner}/qualifications"), course).await.expect(201);
    world.distributor("D-1").await;
    world.user("distributor@example.com", Role::Distributor, Some("D-1")).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;

    // The partner's page is there, empty, and says why (behaviours 19, 20, 21).
    let admin = driver.browser(&world, lang).await;
    admin.sign_in("partner@example.com").await;
    admin.see("nav a[aria-current]", words.unassigned).await;
    admin.see("h1", words.unassigned).await;
    admin.see("main", words.not_certified).await;
    admin.see("main", "R-1").await;
    admin.shot("unassigned-empty").await;
    // If the page were loaded anew, this would be gone.
    admin.run("window.neverReloaded = true").await;

    // The distributor hands in a file: a refusal first, then a real one, with progress to its verdicts.
    let distributor = driver.browser(&world, lang).await;
    distributor.sign_in("distributor@example.com").await;
    distributor.shot("reports-empty").await;
    let files = tempfile::TempDir::new().unwrap();
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("empty.csv"), "").unwrap();
    std::fs::write(path("sales.csv"), csv(&["5CG000000A R-1", "5CG000000B R-1", "5CG12!4ABC R-1"])).unwrap();
    distributor.find("#file").await.send_keys(path("empty.csv")).await.unwrap();
    distributor.click("#upload button.primary").await;
    distributor.see("[role=alert]", words.empty_file).await;
    distributor.shot("reports-refused").await;
    distributor.go("/reports").await;
    distributor.find("#file").await.send_keys(path("sales.csv")).await.unwrap();
    distributor.click("#upload button.primary").await;
    distributor.see("main", words.waiting).await;
    distributor.see("h1", "sales.csv").await;
    distributor.see("main", words.not_a_serial).await;
    distributor.shot("report").await;

    // It reached the partner's open page: what waits, and why.
    admin.see("main", words.waiting).await;
    admin.shot("unassigned-parked").await;

    // The operator certifies the partner; the PCs stand on the page that nobody reloaded.
    let certified = serde_json::json!({
        "support_level": "premium", "role": "service_delivery", "course_completed_on": "2026-01-01",
        "certified_on": "2026-02-01",
    });
    world.operator.post(&format!("partners/{partner}/qualifications"), certified).await.expect(201);
    admin.see("table.list th[scope=row]", "5CG000000A").await;
    admin.see("table.list th[scope=row]", "5CG000000B").await;
    admin.see(".count", words.pcs).await;
    assert_eq!(admin.run("return window.neverReloaded === true").await, true);
    admin.shot("unassigned").await;
    distributor.driver.refresh().await.unwrap();
    distributor.see("main", words.placed).await;
    operator.go("/partners").await;
    operator.see("article.partner .badge", words.has_holding).await;
    operator.shot("partners").await;

    // Search, with and without a hit; the export is one click away.
    admin.fill("#q", "g000000b").await;
    admin.click(".filters .search button").await;
    admin.see("table.list th[scope=row]", "5CG000000B").await;
    assert_eq!(admin.driver.find_all(By::Css("table.list tbody tr")).await.unwrap().len(), 1);
    admin.fill("#q", words.no_hit).await;
    admin.click(".filters .search button").await;
    admin.see(".chips", words.no_hit).await;
    admin.find(".empty a").await;
    admin.shot("unassigned-no-hit").await;
    assert!(admin.attribute("a[download]", "href").await.contains("format=csv"));

    // A foreign page is a friendly not found.
    admin.go("/partners").await;
    admin.shot("not-found").await;
    assert!(!admin.text().await.contains("Hafen & Söhne <GmbH>\nR-1"));
    for page in [operator, admin, distributor] {
        page.close().await;
    }
}

/// Behaviour 17: what happens after a page was made and before its stream stands reaches it, too.
#[tokio::test(flavor = "multi_thread")]
async fn b17_a_page_shows_what_came_before_its_stream_stood() {
    let world = World::start(Sqlite, "since_browser").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, "en").await;
    page.sign_in("partner@example.com").await;
    page.go("/unassigned-devices").await;
    // A page that is left gives its stream up: this one is then as if it had not asked for any yet.
    page.run("window.neverReloaded = true; window.dispatchEvent(new Event('pagehide'))").await;
    distributor.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    page.run("new LiveList(document.querySelector('[data-live]'))").await;
    page.see("table.list th[scope=row]", "5CG000000A").await;
    assert_eq!(page.run("return window.neverReloaded === true").await, true);
    page.close().await;
}

/// Drops a file on the field for reports: the text's last line as often as said, each with a serial of its own.
async fn drop_file(page: &Page, name: &str, text: &[u8], lines: usize) {
    let text = serde_json::Value::from(String::from_utf8_lossy(text).trim_end());
    page.run(&format!(
        "const [head, row] = {text}.split('\\n');
         const rows = Array.from({{ length: {lines} }}, (_, n) => row.replace('SERIAL', '5CG' + String(n).padStart(7, '0')));
         const data = new DataTransfer();
         data.items.add(new File([[head, ...rows, ''].join('\\n')], '{name}', {{ type: 'text/csv' }}));
         const dropped = new DragEvent('drop', {{ bubbles: true, cancelable: true, dataTransfer: data }});
         document.querySelector('#upload .drop').dispatchEvent(dropped);"
    ))
    .await;
    page.see("[data-chosen]", name).await;
}

/// A distributor's day on its page: a file is dropped and shows its pace; a preview is handed in, taken back, and that undone.
#[rstest]
#[case::english("en", " a second, about ", "Placed with the partner")]
#[case::german("de", " je Sekunde, noch etwa ", "Dem Partner zugeordnet")]
#[tokio::test(flavor = "multi_thread")]
async fn a_distributor_drops_hands_in_takes_back_and_undoes_in_the_browser(
    #[case] lang: &'static str,
    #[case] pace: &str,
    #[case] placed: &str,
) {
    // Many short transactions: there is progress to be seen.
    let config = Config { batch_lines: 50, most_batches: 1, ..Config::default() };
    let world = World::with(Sqlite, "distributor_browser", config).await;
    let driver = Driver::start().await;
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    world.distributor("D-1").await;
    world.user("distributor@example.com", Role::Distributor, Some("D-1")).await;
    let page = driver.browser(&world, lang).await;
    page.sign_in("distributor@example.com").await;

    // The pace is gone with the page, so what it said is kept.
    page.go("/reports").await;
    page.run(
        "const place = document.querySelector('[data-pace]');
         const keep = () => sessionStorage.setItem('pace', place.textContent);
         new MutationObserver(keep).observe(place, { childList: true });",
    )
    .await;
    drop_file(&page, "pallets.csv", &csv(&["SERIAL R-2"]), 10_000).await;
    page.click("#upload button.primary").await;
    page.see("h1", "pallets.csv").await;
    page.see("form.act[action$='/withdraw'] button", "").await;
    let told = page.run("return sessionStorage.getItem('pace')").await;
    assert!(told.as_str().is_some_and(|told| told.contains(pace)), "{told}");

    page.go("/reports").await;
    drop_file(&page, "sale.csv", &csv(&["5CGSALE001 R-1"]), 1).await;
    page.click("#validate-only").await;
    page.click("#upload button.primary").await;
    page.see("h1", "sale.csv").await;
    page.see("ul.verdicts", placed).await;
    assert!(partner.pool().await.is_empty(), "a preview changes nothing");
    page.click("form.act[action$='/submit'] button").await;
    page.see("form.act[action$='/withdraw'] button", "").await;
    assert_eq!(partner.pool().await, ["5CGSALE001"]);

    page.click("form.act[action$='/withdraw'] button").await;
    page.see("h1", "− sale.csv").await;
    page.see("form.act[action$='/submit'] button", "").await;
    page.shot("report-withdraw-preview").await;
    assert_eq!(partner.pool().await, ["5CGSALE001"], "nothing is taken back before it is confirmed");
    page.click("form.act[action$='/submit'] button").await;
    page.see("form.act[action$='/undo'] button", "").await;
    assert!(partner.pool().await.is_empty());

    page.click("form.act[action$='/undo'] button").await;
    page.see("h1", "+ sale.csv").await;
    page.click("form.act[action$='/submit'] button").await;
    page.see("form.act[action$='/withdraw'] button", "").await;
    assert_eq!(partner.pool().await, ["5CGSALE001"]);
    page.shot("report-undone").await;
    page.close().await;
}

/// A transfer that is carried out in one step has no progress to show: its page counts the time.
#[rstest]
#[case::english("en", " so far.")]
#[case::german("de", "Bisher ")]
#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_under_way_counts_the_time(#[case] lang: &'static str, #[case] words: &str) {
    let world = World::start(Sqlite, "transfer_time_browser").await;
    let driver = Driver::start().await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    let items =
        serde_json::json!({ "items": [{ "serial": "5CG0000001", "to": partner.customer("Hafen").await }] });
    let transfer = partner.post("transfers", items).await.expect(201);
    let id = transfer["id"].as_str().unwrap();
    crate::transfers::begun(&world, id).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let admin = driver.browser(&world, lang).await;
    admin.sign_in("partner@example.com").await;
    admin.go(&format!("/transfers/{id}")).await;
    admin.see("[data-elapsed]", words).await;
    let first = admin.find("[data-elapsed]").await.text().await.unwrap();
    // The platform's clock stands still in a test; the page's goes on.
    crate::world::eventually("the time is counted on", async || {
        (admin.find("[data-elapsed]").await.text().await.ok()? != first).then_some(())
    })
    .await;
    admin.shot("transfer-under-way").await;
    admin.close().await;
}

/// Behaviours 36, 38, 39, 43, 44, 50 to 53: the partner creates a customer, moves PCs there and takes them back; the
/// customer's IT admin accepts its partner.
#[rstest]
#[case::english("en", ["Invitation pending", "Accepted", "Preview", "Taken back", "Self-service notifications"])]
#[case::german("de", ["Einladung offen", "Angenommen", "Vorschau", "Zurückgenommen", "Self-Service-Benachrichtigungen"])]
#[tokio::test(flavor = "multi_thread")]
async fn b36_b38_b50_b53_customers_and_transfers_in_the_browser(
    #[case] lang: &'static str,
    #[case] words: [&'static str; 5],
) {
    let world = World::start(Sqlite, "customers_browser").await;
    let driver = Driver::start().await;
    let partner = world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines =
        ["5CG0000001 R-1 name=Werft_Nord", "5CG0000002 R-1 name=Werft_Nord", "5CG0000003 R-1 name=Andere"];
    distributor.report("", "text/csv", csv(&lines)).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;

    // The form in two steps: a fault is told at its field, what was typed stays.
    let admin = driver.browser(&world, lang).await;
    admin.sign_in("partner@example.com").await;
    admin.click("nav a[href='/customers']").await;
    admin.shot("customers-empty").await;
    admin.click("a[href='/customers/new']").await;
    for (field, text) in
        [("name", "Werft Nord"), ("address", "Kai 1"), ("city", "Hamburg"), ("postal_code", "20457")]
    {
        admin.fill(&format!("[name={field}]"), text).await;
    }
    admin.shot("customer-new-1").await;
    admin.click("main form.card button.primary").await;
    admin.see("main", words[4]).await;
    admin.fill("[name='admin.first_name']", "Inga").await;
    admin.fill("[name='admin.last_name']", "Boje").await;
    admin.fill("[name='admin.email']", "inga@example").await;
    admin.click("main form.card button.primary").await;
    admin.see(".cards .badge.waiting", words[0]).await;
    admin.shot("customers").await;
    let id = partner.all("customers").await[0]["id"].as_str().unwrap().to_owned();
    admin.click(".cards h2 a").await;
    admin.see("main .empty h2", "").await;
    admin.shot("customer-not-open").await;

    // The customer's IT admin accepts under Settings > Assigned Partner.
    world.user("inga@example.com", Role::ItAdmin, Some(&id)).await;
    let customer = driver.browser(&world, lang).await;
    customer.sign_in("inga@example.com").await;
    customer.see("h1", "Werft Nord").await;
    customer.click(".panel .inside a[href$='/settings']").await;
    customer.see("#customer-id", "C-").await;
    customer.shot("customer-settings").await;
    customer.click(&format!("a[href='/customers/{id}/settings/assigned-partner']")).await;
    customer.shot("assigned-partner-invited").await;
    customer.click("form[action$='/accept'] button").await;
    customer.see("main .badge.good", words[1]).await;
    customer.shot("assigned-partner").await;
    customer.go(&format!("/customers/{id}")).await;
    customer.see("main .empty h2", "").await;

    // The partner ticks a PC, previews, moves it; the customer's open page shows it without a click.
    admin.go("/unassigned-devices").await;
    admin.click("input[name=serials][value='5CG0000001']").await;
    admin.run("document.getElementById('move-to').selectedIndex = 1").await;
    admin.shot("unassigned-ticked").await;
    admin.click("#move button.primary").await;
    admin.see("main .badge.waiting", words[2]).await;
    admin.shot("transfer-preview").await;
    admin.click("form[action$='/commit'] button.primary").await;
    admin.see("main td .badge.good", "").await;
    customer.see("table.list th[scope=row]", "5CG0000001").await;
    customer.shot("customer-devices").await;

    // The rest of its group goes by the filter, with the customer that was chosen before.
    // Whatever the filter is: what passes this one is all of one end customer.
    admin.go("/unassigned-devices?q=0000002").await;
    admin.see("table.list th[scope=row]", "5CG0000002").await;
    assert_eq!(admin.run("return document.getElementById('move-to').selectedIndex").await, 1);
    admin.go("/unassigned-devices?end_customer=Werft%20Nord").await;
    admin.see("table.list th[scope=row]", "5CG0000002").await;
    assert_eq!(admin.run("return document.getElementById('move-to').selectedIndex").await, 1);
    admin.click("[name=whole]").await;
    admin.shot("unassigned-group").await;
    admin.click("#move button.primary").await;
    admin.see("table.list th[scope=row]", "5CG0000002").await;
    admin.click("form[action$='/commit'] button.primary").await;
    customer.see("table.list th[scope=row]", "5CG0000002").await;

    // A pasted list with a mistake in it, and the good rows only.
    admin.go("/transfers/new").await;
    admin.fill("#serials", "5CG0000003\n5CG0000009").await;
    admin.run("document.getElementById('to').selectedIndex = 2").await;
    admin.click("main form button.primary").await;
    admin.see("main td .badge.bad", "").await;
    admin.shot("transfer-blocked").await;
    admin.click("[name=good_rows_only]").await;
    admin.click("form[action$='/commit'] button.primary").await;
    customer.see("table.list th[scope=row]", "5CG0000003").await;

    // The customer sees them among its arrivals, which it may send back.
    customer.click(".panel .inside a[href$='/arrivals']").await;
    customer.see("table.list th[scope=row]", "5CG0000003").await;
    customer.shot("arrivals").await;
    customer.click("input[name=serials][value='5CG0000003']").await;
    customer.fill("#reason", "Nicht unserer").await;
    customer.click("#decline [name=go]").await;
    customer.see(".notice.good", "").await;
    assert_eq!(partner.pool().await, ["5CG0000003"]);
    admin.go("/transfers/new").await;
    admin.fill("#serials", "5CG0000003").await;
    admin.run("document.getElementById('to').selectedIndex = 2").await;
    admin.click("main form button.primary").await;
    admin.click("form[action$='/commit'] button.primary").await;
    admin.see("main td .badge.good", "").await;

    // And back again, after a look at what the undo would do.
    admin.click("a[href$='undo=1']").await;
    admin.see("form[action$='/undo']", "").await;
    admin.shot("transfer-undo").await;
    admin.click("form[action$='/undo'] button.primary").await;
    admin.see("main .badge", words[3]).await;
    assert_eq!(partner.pool().await, ["5CG0000003"]);
    // What became of the data, for both sides, and the guide to it.
    admin.see("main a[href='/help/arrivals']", "").await;
    admin.shot("transfer-undone").await;
    customer.go("/settings/logs").await;
    customer.see("table.list th[scope=row]", "transfer.undone").await;
    customer.shot("logs-receipts").await;
    customer.go("/help/arrivals").await;
    customer.shot("guide-arrivals").await;
    // A PC is missing: the page leads to a support case, where each serial has its answer (behaviours 24 and 26).
    admin.go("/unassigned-devices").await;
    admin.click("a[href^='/support-cases/new']").await;
    admin.fill("#text", "Zwei fehlen").await;
    admin.fill("#serials", "5CG0000003\n5CG0000077").await;
    admin.shot("support-new").await;
    admin.click("main form button.primary").await;
    admin.see("main h3 .badge.good", "").await;
    admin.see("main h3 .badge.waiting", "").await;
    admin.shot("support-case").await;
    world.user("desk@example.com", Role::Operator, None).await;
    let desk = driver.browser(&world, lang).await;
    desk.sign_in("desk@example.com").await;
    desk.click("nav a[href='/support-cases']").await;
    desk.shot("support-desk").await;
    desk.click("table.list th a").await;
    desk.click("input[name=serials][value='5CG0000077']").await;
    desk.fill("#reason", "Rechnung gesehen").await;
    desk.shot("support-decide").await;
    desk.click("button[value=approve]").await;
    desk.see("main td .badge.good", "").await;
    desk.close().await;
    admin.go("/unassigned-devices").await;
    admin.see("table.list th[scope=row]", "5CG0000077").await;
    // The guides are chained (behaviours 50 to 52).
    admin.click("header a.help[href='/help']").await;
    for guide in ["customer-dashboard", "transfers"] {
        admin.click("a[rel=next]").await;
        admin.see(&format!(".tabs a[href='/help/{guide}'][aria-current]"), "").await;
        admin.see("article.guide h1", "").await;
        admin.shot(&format!("guide-{guide}")).await;
    }
    admin.click("a[rel=prev]").await;
    admin.go("/transfers").await;
    admin.shot("transfers").await;

    // The customer drop-down at the top left leads to the customer, whose settings are in the left panel.
    admin.click(".choose summary").await;
    admin.see(".choose li a", "Werft Nord").await;
    admin.shot("choose-customer").await;
    admin.click(".choose li a").await;
    admin.see("h1", "Werft Nord").await;
    admin.see(".choose summary", "Werft Nord").await;
    admin.see(".panel .inside", "").await;
    for page in [admin, customer] {
        page.close().await;
    }
}

/// Behaviour 37: the partner makes a cPIN on the customer's page and a PC joins by it; a PC that is with somebody else
/// waits on a page that gives the reason, live, and names nobody.
#[rstest]
#[case::english("en", "The PC is with another partner", "The PC is enrolled.", "valid")]
#[case::german("de", "Der PC ist bei einem anderen Partner", "Der PC ist registriert.", "gültig")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b37_the_cpin_and_what_waits_in_the_browser(
    #[case] lang: &'static str,
    #[case] reason: &str,
    #[case] enrolled: &str,
    #[case] valid: &str,
) {
    let world = World::start(Sqlite, &format!("cpinpages{lang}")).await;
    let (one, _two) = (world.partner("R-1").await, world.partner("R-2").await);
    let lines = ["5CG000000A R-1", "5CG000000B R-2"];
    world.distributor("D-1").await.report("", "text/csv", csv(&lines)).await;
    let customer = one.customer("Werft Nord").await;
    world.user("one@example.com", Role::PartnerAdmin, Some("R-1")).await;
    world.user("two@example.com", Role::PartnerAdmin, Some("R-2")).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, lang).await;
    page.sign_in("one@example.com").await;
    page.go(&format!("/customers/{customer}/settings/preferences")).await;
    page.click("form[action$='/cpins'] button").await;
    page.see("table.list .badge", valid).await;
    let cpin = page.find("table.list th .mono").await.text().await.unwrap();
    page.fill("#domains", "werft.example").await;
    page.click("form[action$='/domains'] button").await;
    page.fill("#serials", "5CG000000A, nonsense!!").await;
    page.click("form[action$='/zero-touch'] button").await;
    page.see(".notice.bad", "").await;
    page.shot("preferences").await;

    let mut wish = crate::pc::Pc::new(&world, "5CG000000B", 2).wish();
    wish["cpin"] = cpin.into();
    wish["domain"] = "hh.werft.example".into();
    let pc = crate::pc::Pc::new(&world, "5CG000000B", 2);
    page.go("/pending-enrolment").await;
    page.see(".empty h2", "").await;
    pc.post("enrolments", wish.clone()).await.expect(201);
    // Live: nobody loads the page anew.
    page.see("table.list td", reason).await;
    page.see("table.list td", "Werft Nord").await;
    page.shot("pending-customer-side").await;

    let other = driver.browser(&world, lang).await;
    other.sign_in("two@example.com").await;
    other.go("/pending-enrolment").await;
    other.see("table.list td", reason).await;
    assert!(!other.text().await.contains("Werft Nord"), "{}", other.text().await);
    other.shot("pending-holder-side").await;
    other.click("form[action$='/release'] button").await;
    other.see(".notice.good", enrolled).await;
    page.see(".empty h2", "").await;
    assert_eq!(one.all(&format!("customers/{customer}/devices")).await[0]["serial_number"], "5CG000000B");
    page.close().await;
    other.close().await;
}
