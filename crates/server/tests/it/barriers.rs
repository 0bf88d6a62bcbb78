//! No page has a barrier: axe-core (installed by scripts/install.sh) finds nothing on any page in either language, no
//! page needs scrolling sideways on a narrow screen, and the main works can be done by keyboard. Screenshots are left
//! in `target/screenshots`.

use reqwest::Method;
use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::Sqlite;
use rstest::rstest;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::{Driver, Page};
use crate::mails::Catcher;
use crate::world::{World, browse, csv, eventually};

pub(crate) const AXE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe/node_modules/axe-core/axe.min.js");

/// What axe-core says against the page: rule and place.
async fn violations(page: &Page, axe: &str) -> Vec<String> {
    page.driver.execute(axe, Vec::new()).await.unwrap();
    let script = "const done = arguments[arguments.length - 1]; axe.run(document).then((found) => done(\
                  found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html} ${n.failureSummary}`))))";
    let found = page.driver.execute_async(script, Vec::new()).await.unwrap();
    serde_json::from_value(found.json().clone()).unwrap()
}

/// A form, and names and values of what is filled in.
type Form = (&'static str, &'static [(&'static str, &'static str)]);

/// A page to look at: what its screenshot is called, where it is, and the form that is sent there first where only that
/// makes the page.
pub(crate) struct Visit {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) sends: Option<Form>,
}

/// Fills a form in and sends it, whatever the browser thinks of what is in it.
async fn send(page: &Page, (form, fields): Form) {
    page.find(form).await;
    let (form, fields) = (json!(form), json!(fields));
    page.run(&format!(
        "const form = document.querySelector({form}); \
         for (const [name, value] of {fields}) form.elements.namedItem(name).value = value; \
         window.isOld = true; form.noValidate = true; form.requestSubmit(form.querySelector('button.primary'))"
    ))
    .await;
    eventually(&format!("{form} has an answer"), async || {
        let script = "return document.readyState === 'complete' && !window.isOld";
        // While the page is replaced there is none to ask.
        let answer = page.driver.execute(script, Vec::new()).await.ok()?;
        (*answer.json() == true).then_some(())
    })
    .await;
}

/// Looks at pages of this width.
pub(crate) async fn look(page: &Page, axe: &str, width: i64, visits: &[Visit]) -> Vec<String> {
    let mut faults = Vec::new();
    for Visit { name, path, sends } in visits {
        page.go(path).await;
        page.find("main h1").await;
        if let Some(form) = sends {
            send(page, *form).await;
            page.find("main h1").await;
        }
        // Everything that can be opened is looked at, too.
        page.run("for (const d of document.querySelectorAll('main details')) d.open = true").await;
        page.shot(&format!("{name}-{width}")).await;
        page.run("for (const d of document.querySelectorAll('details')) d.open = true").await;
        let found = violations(page, axe).await;
        faults.extend(found.into_iter().map(|fault| format!("{name}, {path} at {width}: {fault}")));
        page.run("for (const d of document.querySelectorAll('details')) d.open = false").await;
        let wide = page.run("return document.documentElement.scrollWidth").await;
        if wide.as_i64().unwrap_or(0) > width {
            faults.push(format!("{name}, {path} at {width} is {wide} wide"));
        }
    }
    faults
}

/// Every page, with who looks at it and what its screenshot is called. `{name}` is replaced by what [`populate`] made.
const PAGES: &[(&str, &str, &str)] = &[
    ("", "sign-in", "/sign-in"),
    ("", "invitation", "{invitation}"),
    ("", "invitation-spent", "/invitation?token=spent"),
    ("", "forgotten", "/password-reset"),
    ("", "new-password", "{password}"),
    ("", "new-password-spent", "/password-reset/new?token=spent"),
    ("", "repair-mails", "{repair-mails}"),
    ("", "repair-mails-spent", "/repair-mails?token=spent"),
    ("newcomer", "empty", "/unassigned-devices"),
    ("newcomer", "no-customers", "/customers"),
    ("newcomer", "no-transfers", "/transfers"),
    ("newcomer", "no-support-cases", "/support-cases"),
    ("newcomer", "no-alerts", "/alerts"),
    ("newcomer", "no-repair-cases", "/repair-cases"),
    ("partner", "start", "/"),
    ("partner", "pool", "/unassigned-devices"),
    ("partner", "filtered", "/unassigned-devices?q=5cg&support_level=premium&columns=model&columns=since"),
    ("partner", "groups", "/unassigned-devices?group=end_customer"),
    ("partner", "no-hit", "/unassigned-devices?q=zzz"),
    ("partner", "device", "/devices/5CG0000001"),
    ("partner", "find", "/devices?q=5cgnobody"),
    ("partner", "explained", "/explain?q=5CG0000001"),
    ("partner", "not-explained", "/explain?q=5CGNOBODY"),
    ("partner", "guide-support", "/help/support"),
    ("partner", "customers", "/customers"),
    ("partner", "customer-new", "/customers/new"),
    ("partner", "customer", "/customers/{customer}"),
    ("partner", "customer-invited", "/customers/{invited}"),
    ("partner", "customer-disable", "/customers/{customer}/disabled"),
    ("partner", "customer-disabled", "/customers/{disabled}"),
    ("partner", "customer-enable", "/customers/{disabled}/disabled"),
    ("partner", "customer-disabled-preferences", "/customers/{disabled}/settings/preferences"),
    ("partner", "customer-overview", "/customers/{customer}/settings"),
    ("partner", "customer-notifications", "/customers/{customer}/settings/notifications"),
    ("partner", "customer-repair-cases", "/customers/{customer}/settings/repair-cases"),
    ("partner", "customer-agent", "/customers/{customer}/settings/agent"),
    ("partner", "customer-partner", "/customers/{customer}/settings/assigned-partner"),
    ("partner", "customer-preferences", "/customers/{customer}/settings/preferences"),
    ("partner", "pending", "/pending-enrolment"),
    ("partner", "notices", "/notifications"),
    ("partner", "transfers", "/transfers"),
    ("partner", "transfer-new", "/transfers/new"),
    ("partner", "transfer", "/transfers/{transfer}"),
    ("partner", "transfer-undo", "/transfers/{transfer}?undo=1"),
    ("partner", "transfer-blocked", "/transfers/{blocked}"),
    ("partner", "support-cases", "/support-cases"),
    ("partner", "support-new", "/support-cases/new"),
    ("partner", "support-case", "/support-cases/{case}"),
    ("partner", "alerts", "/alerts"),
    ("partner", "alerts-closed", "/alerts?closed=1"),
    ("partner", "repair-cases", "/repair-cases"),
    ("partner", "repair-case-seen", "/repair-cases/{repair}"),
    ("partner", "repair-desk", "/repair-desk"),
    ("partner", "repair-new", "/repair-cases/new?alert={alert}"),
    ("partner", "help", "/help"),
    ("partner", "guide", "/help/transfers"),
    ("partner", "guide-repair-desk", "/help/repair-desk"),
    ("partner", "not-found", "/help/nothing"),
    ("partner", "account", "/account"),
    ("partner", "settings", "/settings"),
    ("partner", "users", "/settings/users"),
    ("partner", "logs", "/settings/logs"),
    ("partner", "tokens", "/settings/tokens"),
    ("partner", "outside-desk-none", "/settings/outside-desk"),
    ("it-admin", "own-devices", "/customers/{customer}"),
    ("it-admin", "own-notices", "/notifications"),
    ("it-admin", "arrivals", "/customers/{customer}/arrivals"),
    ("it-admin", "own-overview", "/customers/{customer}/settings"),
    ("it-admin", "own-notifications", "/customers/{customer}/settings/notifications"),
    ("it-admin", "own-preferences", "/customers/{customer}/settings/preferences"),
    ("it-admin", "own-partner", "/customers/{customer}/settings/assigned-partner"),
    ("it-admin", "own-users", "/settings/users"),
    ("it-admin", "own-alerts", "/alerts"),
    ("it-admin", "own-alerts-closed", "/alerts?closed=1"),
    ("it-admin", "own-repair-cases", "/repair-cases"),
    ("it-admin", "own-repair-case", "/repair-cases/{repair}"),
    ("it-admin", "own-repair-new", "/repair-cases/new?alert={alert}"),
    ("desk", "queue", "/repair-cases"),
    ("desk", "calendar", "/repair-desk/calendar?week=2027-01-04"),
    ("desk", "hours", "/repair-desk/hours"),
    ("desk", "repair-case", "/repair-cases/{repair}"),
    ("desk", "repair-by-hand", "/repair-cases/new"),
    ("distributor", "reports", "/reports"),
    ("distributor", "report", "/reports/{report}"),
    ("distributor", "preview", "/reports/{preview}"),
    ("distributor", "quality", "/reports/quality"),
    ("distributor", "guide-reports", "/help/reports"),
    ("distributor", "columns", "/reports/columns?h=Ger%C3%A4te-Kennung&h=Qty"),
    ("operator", "home", "/home"),
    ("operator", "partners", "/partners"),
    ("operator", "import", "/partners/import"),
    ("operator", "qualifications", "/qualifications"),
    ("operator", "reporters", "/reporters"),
    ("operator", "operator-quality", "/reports/quality?reporter=D-1"),
    ("operator", "operator-reports", "/reports"),
    ("operator", "disputes", "/disputes"),
    ("operator", "disputes-decided", "/disputes?state=decided"),
    ("operator", "dispute", "/disputes/{report}/61"),
    ("operator", "entitlements", "/entitlements?q=5CG0000001"),
    ("operator", "support-desk", "/support-cases"),
    ("operator", "support-desk-case", "/support-cases/{case}"),
    ("operator", "mails", "/settings/mails"),
    ("operator", "outside-desk", "/settings/outside-desk"),
    ("operator", "recalls", "/recalls"),
    ("operator", "failed-work", "/jobs"),
];

const WRONG_PARTNERS: &str = "partner_number,name,support_level\n,Ohne <Nummer>,premium\nR-5,Reederei,gold\n";
const RIGHT_PARTNERS: &str = "partner_number,name\nR-5,Reederei <Süd>\nR-6,Werft & Söhne\n";
const WRONG_RECALLS: &str =
    "list,part,serial_from,serial_to,source\nR-8,anchor,5CG0000001,5CG0000002,Bulletin <8>\n";
const RIGHT_RECALLS: &str = "list,part,product_number,serial_from,serial_to,source\nR-8,battery,6T1A2EA,5CG0000011,5CG0000012,Bulletin <8>\n";
const PEOPLE: &str =
    "email,name,role\nanna@example.com,Anna <Boje>,partner_admin\nkaputt,Karl,partner_admin\n";

/// Every page that only a form makes: besides, the form and what it says.
const SENT: &[(&str, &str, &str, Form)] = &[
    (
        "",
        "sign-in-wrong",
        "/sign-in",
        ("form.stack", &[("email", "nobody@example.com"), ("password", "not the password")]),
    ),
    ("partner", "explained-list", "/explain", ("form.card", &[("serials", "5CG0000001\n5CGNOBODY9\n?")])),
    (
        "partner",
        "customer-new-2",
        "/customers/new",
        (
            "form.card",
            &[("name", "Werft <Süd>"), ("address", "Kai 1"), ("city", "Kiel"), ("postal_code", "24103")],
        ),
    ),
    ("partner", "customer-new-refused", "/customers/new", ("form.card", &[("name", "Werft <Süd>")])),
    ("partner", "transfer-refused", "/transfers/new", ("form.card", &[("serials", "")])),
    ("partner", "support-refused", "/support-cases/new", ("form.card", &[("text", "")])),
    (
        "partner",
        "password-refused",
        "/account",
        ("form[action='/account/password']", &[("present_password", "wrong"), ("password", "short")]),
    ),
    ("partner", "invitation-refused", "/settings/users", ("main form.grid", &[("email", "nobody")])),
    ("partner", "users-preview", "/settings/users", ("#many form.stack", &[("list", PEOPLE)])),
    ("partner", "users-list-refused", "/settings/users", ("#many form.stack", &[("list", "colour\nred\n")])),
    (
        "partner",
        "outside-desk-refused",
        "/settings/outside-desk",
        ("main form.stack", &[("url", "http://desk.invalid/")]),
    ),
    (
        "desk",
        "repair-refused",
        "/repair-cases/new",
        ("main form", &[("serial", "5CGNOBODY9"), ("caller", "Inga"), ("name", "Inga"), ("phone", "040 1")]),
    ),
    ("operator", "partner-refused", "/partners", ("form[action='/partners']", &[("name", "Ohne Nummer")])),
    ("operator", "import-preview", "/partners/import", ("main form.stack", &[("table", RIGHT_PARTNERS)])),
    ("operator", "import-refused", "/partners/import", ("main form.stack", &[("table", WRONG_PARTNERS)])),
    ("operator", "recalls-preview", "/recalls", ("main form.stack", &[("table", RIGHT_RECALLS)])),
    ("operator", "recalls-refused", "/recalls", ("main form.stack", &[("table", WRONG_RECALLS)])),
    (
        "operator",
        "token-made",
        "/settings/tokens",
        ("form[action='/settings/tokens']", &[("name", "Werft <Nord>"), ("role", "operator")]),
    ),
    (
        "operator",
        "token-refused",
        "/settings/tokens",
        (
            "form[action='/settings/tokens']",
            &[("name", "Werft"), ("role", "partner_admin"), ("for", "R-none")],
        ),
    ),
    ("operator", "outside-desk-secret", "/settings/outside-desk", ("form[action$='/secret']", &[])),
];

/// What is no page of its own: files.
const FILES: &[&str] = &["/assets/{digest}/{name}", "/reports/template.csv", "/downloads/roadstead-agent"];

/// Whether an address falls under a route.
fn is_of(route: &str, address: &str) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len()
        && route.iter().zip(&path).all(|(want, got)| want.starts_with('{') || want == got)
}

#[test]
fn every_page_is_looked_at() {
    let list = roadstead_server::portal::routes().list;
    let routes = list.iter().filter(|(method, path)| *method == Method::GET && !FILES.contains(path));
    let forgotten: Vec<&str> = routes
        .map(|(_, path)| *path)
        .filter(|path| !PAGES.iter().any(|(_, _, address)| is_of(path, address)))
        .collect();
    assert!(forgotten.is_empty(), "nobody looks for barriers on {forgotten:?}");
}

/// Something of everything, and somebody of every kind; what stands for each `{name}` of [`PAGES`].
async fn populate(world: &World, catcher: &mut Catcher) -> Vec<(&'static str, String)> {
    let partner = world.partner("R-1").await;
    world.partner("R-2").await;
    world.newcomer("R-3").await;
    let distributor = world.distributor("D-1").await;
    let mut lines: Vec<String> = (0..60)
        .map(|n| format!("5CG{n:07} R-1 name=Hafen_&_Söhne_<GmbH> invoice=RE-2026-{} level=Premium", n / 5))
        .collect();
    lines.push("5CG0000001 R-2 invoice=X-1".to_owned());
    lines.push("5CG!! R-1".to_owned());
    lines.push("5CG0009999 R-77 invoice=X-2".to_owned());
    let report =
        distributor.report("", "text/csv", csv(&lines.iter().map(String::as_str).collect::<Vec<_>>())).await;
    for key in [1, 2] {
        crate::pc::Pc::new(world, "5CG0000002", key).enrol().await.expect(201);
    }
    let preview = distributor.report("?validate_only=true", "text/csv", csv(&["MXL0000001 R-1"])).await;
    let term = ("application/json", br#"{"support_level":"premium","months":60}"#.to_vec());
    world.operator.send(Method::PUT, "/api/v1/service-terms/U8PL1E", Some(term)).await;

    let id = |answer: Value| answer["id"].as_str().unwrap().to_owned();
    let customer = partner.invited_customer("Werft <Nord>").await;
    let admin = world.token(Role::ItAdmin, Some(&customer)).await;
    admin.post(&format!("customers/{customer}/assigned-partner/accept"), json!({})).await.expect(200);
    admin.post(&format!("customers/{customer}/cpins"), json!({})).await.expect(201);
    let invited = partner.invited_customer("Reederei Süd").await;
    let disabled = partner.customer("Werft Ost").await;
    partner.patch(&format!("customers/{disabled}"), json!({ "disabled": true })).await.expect(200);
    let transfer = |serials: &[&str]| {
        let items: Vec<Value> =
            serials.iter().map(|serial| json!({ "serial": serial, "to": customer })).collect();
        json!({ "items": items })
    };
    let moved = partner.post("transfers", transfer(&["5CG0000050", "5CG0000051"])).await.expect(201);
    let digest = json!({ "digest": moved["digest"] });
    let moved = id(moved);
    partner.post(&format!("transfers/{moved}/commit"), digest).await.expect(200);
    let blocked = id(partner.post("transfers", transfer(&["5CG0000052", "5CGNOBODY9"])).await.expect(201));
    let body = json!({ "kind": "missing_devices", "text": "Zwei fehlen", "serials": ["5CG0000003", "5CG0000077", "5CG0000001", "5CG0009999", "?"] });
    let case = id(partner.post("support-cases", body).await.expect(201));
    let path = format!(
        "/api/v1/support-cases/{case}/attachments?name=Rechnung_%C3%BCber_zwei_Notebooks_2026-11.pdf"
    );
    let file = ("application/pdf", b"%PDF-1.7".to_vec());
    partner.send(Method::POST, &path, Some(file)).await.expect(201);
    let alert = |serial: &str, kind: &str| json!({ "serial": serial, "kind": kind, "cause": "/dev/<sda>", "detail": "x" });
    for (serial, kind) in [("5CG0000003", "battery.recall"), ("5CG0000004", "disk.failing")] {
        partner.post("alerts", alert(serial, kind)).await.expect(201);
    }
    let over = id(partner.post("alerts", alert("5CG0000051", "memory.errors")).await.expect(201));
    assert_eq!(partner.post(&format!("alerts/{over}/close"), json!({})).await.status.as_u16(), 204);
    let alert = id(partner.post("alerts", alert("5CG0000050", "firmware.outdated")).await.expect(201));
    let desk = world.token(Role::CustomerSupport, None).await;
    let contact = json!({ "name": "Inga <Boje>", "email": "inga.boje@example.com", "phone": "040 1" });
    let body = json!({
        "serial": "5CG0000050", "contact": contact, "text": "Es klickt", "preferred_times": "morgens", "caller": "Inga",
    });
    let repair = id(desk.post("repair-cases", body).await.expect(201));
    let repair_mails = catcher.link_to(&world.url, "inga.boje@example.com").await;
    let order = json!({ "order_reference": "PO-1", "part": "SSD", "quantity": 1 });
    desk.post(&format!("repair-cases/{repair}/parts"), order).await.expect(200);
    let question = json!({ "text": "Which floor?" });
    desk.post(&format!("repair-cases/{repair}/steps/ask"), question).await.expect(200);
    let week = ["08:00-17:00", "08:00-17:00", "08:00-17:00", "08:00-17:00", "08:00-12:30", "", ""];
    let hours = json!({ "time_zone": "Europe/Berlin", "days": week }).to_string().into_bytes();
    let put = desk.send(Method::PUT, "/api/v1/repair-desk/hours", Some(("application/json", hours))).await;
    assert!(put.status.is_success(), "{}", put.text);
    let body = json!({ "serial": "5CG0000051", "contact": contact, "text": "Es klickt", "caller": "Inga" });
    let visited = id(desk.post("repair-cases", body).await.expect(201));
    let appointment = json!({
        "from": "2027-01-04T08:00:00Z", "until": "2027-01-04T10:00:00Z", "time_zone": "Europe/Berlin", "note": "Tor 3",
    });
    desk.post(&format!("repair-cases/{visited}/appointment"), appointment).await.expect(200);
    let recalls = "list,part,product_number,model,serial_from,serial_to,source\nR-7,battery,6T1A2EA,,5CG0000001,5CG0000009,Bulletin <7>\n";
    let table = Some(("text/csv", recalls.as_bytes().to_vec()));
    world.operator.send(Method::POST, "/api/v1/recall-lists/import", table).await.expect(200);
    // Nobody answers there: the page says so.
    world.operator.post("outside-desk", json!({ "url": "https://desk.invalid/roadstead" })).await.expect(201);
    let invitation = json!({ "email": "new@example.com", "name": "Neu", "role": "partner_read_only" });
    partner.post("invitations", invitation).await.expect(201);
    for (email, role, whose) in [
        ("operator@example.com", Role::Operator, None),
        ("distributor@example.com", Role::Distributor, Some("D-1")),
        ("partner@example.com", Role::PartnerAdmin, Some("R-1")),
        ("newcomer@example.com", Role::PartnerAdmin, Some("R-3")),
        ("it-admin@example.com", Role::ItAdmin, Some(customer.as_str())),
        ("desk@example.com", Role::CustomerSupport, None),
    ] {
        world.user(email, role, whose).await;
    }
    let invitation = catcher.link_to(&world.url, "new@example.com").await;
    browse(&world.url, "/password-reset", &[("email", "newcomer@example.com")], &[]).await;
    let password = catcher.link_to(&world.url, "newcomer@example.com").await;
    vec![
        ("{report}", report),
        ("{preview}", preview),
        ("{customer}", customer),
        ("{invited}", invited),
        ("{disabled}", disabled),
        ("{transfer}", moved),
        ("{blocked}", blocked),
        ("{case}", case),
        ("{repair}", repair),
        ("{repair-mails}", repair_mails),
        ("{alert}", alert),
        ("{invitation}", invitation),
        ("{password}", password),
    ]
}

#[rstest]
#[case::english("en")]
#[case::german("de")]
#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_barrier(#[case] lang: &'static str) {
    let axe = std::fs::read_to_string(AXE).expect("axe-core is installed by scripts/install.sh");
    let mut catcher = Catcher::start(&[]).await;
    let world = World::with(Sqlite, "barriers", catcher.config("")).await;
    let made = populate(&world, &mut catcher).await;
    let driver = Driver::start().await;
    let mut faults = Vec::new();
    for visit in PAGES.chunk_by(|a, b| a.0 == b.0) {
        let who = visit[0].0;
        let of_sight = visit.iter().map(|(_, name, path)| (name, path, None));
        let sent = SENT.iter().filter(|(of, ..)| *of == who);
        let of_forms = sent.map(|(_, name, path, form)| (name, path, Some(*form)));
        let visits: Vec<Visit> = of_sight
            .chain(of_forms)
            .map(|(name, path, sends)| {
                let path = made.iter().fold((*path).to_owned(), |path, (name, id)| path.replace(name, id));
                Visit { name: format!("b-{name}"), path, sends }
            })
            .collect();
        for (width, height) in [(1280, 900), (360, 740)] {
            let page = driver.browser_with(&world, lang, Some((width, height))).await;
            if who.is_empty() {
                page.go(&format!("/sign-in?lang={lang}")).await;
            } else {
                page.sign_in(&format!("{who}@example.com")).await;
            }
            faults.extend(look(&page, &axe, width, &visits).await);
            page.close().await;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_is_worked_with_by_keyboard() {
    let world = World::start(Sqlite, "keyboard").await;
    world.partner("R-1").await;
    let distributor = world.distributor("D-1").await;
    let lines: Vec<String> = (0..6).map(|n| format!("5CG{n:07} R-1 invoice=RE-{}", n / 3)).collect();
    distributor.report("", "text/csv", csv(&lines.iter().map(String::as_str).collect::<Vec<_>>())).await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, "en").await;
    page.sign_in("partner@example.com").await;
    page.go("/unassigned-devices").await;
    page.find("table.list").await;
    let focused = "const e = document.activeElement; return [e.tagName, e.name || e.className || e.textContent.trim()].join(' ')";
    // The first stop skips the menu.
    page.keys(Key::Tab).await;
    assert_eq!(page.run(focused).await, "A skip");
    page.keys(Key::Enter).await;
    assert_eq!(page.run("return location.hash").await, "#content");
    // From there to the choices, which open, are set and applied without a mouse.
    let mut stops = Vec::new();
    for _ in 0..6 {
        page.keys(Key::Tab).await;
        let stop = page.run(focused).await.as_str().unwrap().to_owned();
        stops.push(stop.clone());
        if stop.starts_with("SUMMARY") {
            break;
        }
    }
    assert!(stops.last().unwrap().starts_with("SUMMARY"), "{stops:?}");
    page.keys(Key::Enter).await;
    page.keys(Key::Tab).await;
    assert_eq!(page.run(focused).await, "SELECT group");
    let outline = page.run("return getComputedStyle(document.activeElement).outlineStyle").await;
    assert_eq!(outline, "solid", "where one is can be seen");
    page.type_in("Invoice").await;
    for _ in 0..30 {
        page.keys(Key::Tab).await;
        if page.run(focused).await == "BUTTON primary" {
            break;
        }
    }
    page.keys(Key::Enter).await;
    page.see("table.list tbody th a", "RE-1").await;
    page.close().await;
}

/// Goes on by Tab until the focus is there.
async fn tab_to(page: &Page, css: &str) {
    page.find(css).await;
    let script = format!("return document.activeElement.matches({})", json!(css));
    for _ in 0..80 {
        page.keys(Key::Tab).await;
        if page.run(&script).await == true {
            return;
        }
    }
    panic!("the keyboard does not get to {css}");
}

/// Goes on to a field and types.
async fn type_into(page: &Page, css: &str, text: &str) {
    tab_to(page, css).await;
    page.type_in(text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_created_by_keyboard() {
    let world = World::start(Sqlite, "keyboardcustomer").await;
    let partner = world.partner("R-1").await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, "en").await;
    page.sign_in("partner@example.com").await;
    page.go("/customers").await;
    tab_to(&page, "main a[href='/customers/new']").await;
    page.keys(Key::Enter).await;
    for (field, text) in
        [("name", "Werft Nord"), ("address", "Kai 1"), ("city", "Kiel"), ("postal-code", "24103")]
    {
        type_into(&page, &format!("#new-{field}"), text).await;
    }
    tab_to(&page, "main form.card button.primary").await;
    page.keys(Key::Space).await;
    // The second step, and back to the first, where what was typed still stands.
    page.find("#new-plan").await;
    tab_to(&page, "main form.card button[name=back]").await;
    page.keys(Key::Space).await;
    page.find("#new-city").await;
    assert_eq!(page.run("return document.querySelector('#new-city').value").await, "Kiel");
    type_into(&page, "#new-management", "We").await;
    tab_to(&page, "main form.card button.primary").await;
    page.keys(Key::Enter).await;
    // Enter in a field goes on and not back.
    type_into(&page, "#new-admin-phone", "040 1").await;
    page.keys(Key::Enter).await;
    page.see(".cards h2", "Werft Nord").await;
    let made = partner.all("customers").await;
    assert_eq!(made.len(), 1);
    assert_eq!((&made[0]["city"], &made[0]["management"]), (&json!("Kiel"), &json!("partner")));
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_made_and_taken_back_by_keyboard() {
    let world = World::start(Sqlite, "keyboardtransfer").await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    partner.customer("Werft Nord").await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, "en").await;
    page.sign_in("partner@example.com").await;
    page.go("/unassigned-devices").await;
    tab_to(&page, "main a[href='/transfers/new']").await;
    page.keys(Key::Enter).await;
    type_into(&page, "#serials", "5CG0000001").await;
    page.keys(Key::Enter).await;
    page.type_in("5CGNOBODY9").await;
    type_into(&page, "#to", "Werft").await;
    tab_to(&page, "main form button.primary").await;
    page.keys(Key::Space).await;
    // One row cannot be moved: that it is left out is ticked.
    tab_to(&page, "[name=good_rows_only]").await;
    page.keys(Key::Space).await;
    tab_to(&page, "form[action$='/commit'] button.primary").await;
    page.keys(Key::Space).await;
    tab_to(&page, "main a[href$='undo=1']").await;
    assert_eq!(partner.pool().await, Vec::<String>::new(), "it was moved");
    page.keys(Key::Enter).await;
    tab_to(&page, "form[action$='/undo'] button.primary").await;
    page.keys(Key::Space).await;
    page.see("main .badge", "Taken back").await;
    assert_eq!(partner.pool().await, ["5CG0000001"]);
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_case_is_opened_by_hand_and_taken_by_keyboard() {
    let world = World::start(Sqlite, "keyboardrepair").await;
    world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG0000001 R-1"])).await;
    world.user("desk@example.com", Role::CustomerSupport, None).await;
    let driver = Driver::start().await;
    let page = driver.browser(&world, "en").await;
    page.sign_in("desk@example.com").await;
    page.go("/repair-cases").await;
    tab_to(&page, "main a[href='/repair-cases/new']").await;
    page.keys(Key::Enter).await;
    for (field, text) in [
        ("serial", "5CG0000001"),
        ("caller", "Inga"),
        ("name", "Inga Boje"),
        ("phone", "040 1"),
        ("text", "It clicks"),
    ] {
        type_into(&page, &format!("main #{field}"), text).await;
    }
    tab_to(&page, "main form button.primary").await;
    page.keys(Key::Space).await;
    tab_to(&page, "form[action$='/assign'] button").await;
    page.keys(Key::Enter).await;
    page.see("dl.facts dd", "Test Person").await;
    type_into(&page, "main #text", "Called back").await;
    tab_to(&page, "form[action$='/note'] .tools button").await;
    page.keys(Key::Space).await;
    page.see("article.message .prose", "Called back").await;
    let desk = world.token(Role::CustomerSupport, None).await;
    let cases = desk.all("repair-cases").await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    page.close().await;
}
