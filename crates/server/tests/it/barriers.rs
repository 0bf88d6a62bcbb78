//! No page has a barrier: axe-core (installed by scripts/install.sh) finds nothing on any page in either language, no
//! page needs scrolling sideways on a narrow screen, and the pool can be worked with by keyboard. Screenshots are left
//! in `target/screenshots`.

use roadstead_domain::access::Role;
use roadstead_store::engine::Kind::Sqlite;
use rstest::rstest;
use thirtyfour::prelude::*;

use crate::browser::{Driver, Page};
use crate::world::{World, csv};

const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe/node_modules/axe-core/axe.min.js");

/// What axe-core says against the page: rule and place.
async fn violations(page: &Page, axe: &str) -> Vec<String> {
    page.driver.execute(axe, Vec::new()).await.unwrap();
    let script = "const done = arguments[arguments.length - 1]; axe.run(document).then((found) => done(\
                  found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html} ${n.failureSummary}`))))";
    let found = page.driver.execute_async(script, Vec::new()).await.unwrap();
    serde_json::from_value(found.json().clone()).unwrap()
}

/// Looks at pages of this width.
async fn look(page: &Page, axe: &str, width: i64, paths: &[(&str, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, path) in paths {
        page.go(path).await;
        page.find("main h1").await;
        // Everything that can be opened is looked at, too.
        page.run("for (const d of document.querySelectorAll('main details')) d.open = true").await;
        page.shot(&format!("{name}-{width}")).await;
        page.run("for (const d of document.querySelectorAll('details')) d.open = true").await;
        let found = violations(page, axe).await;
        faults.extend(found.into_iter().map(|fault| format!("{path} at {width}: {fault}")));
        page.run("for (const d of document.querySelectorAll('details')) d.open = false").await;
        let wide = page.run("return document.documentElement.scrollWidth").await;
        if wide.as_i64().unwrap_or(0) > width {
            faults.push(format!("{path} at {width} is {wide} wide"));
        }
    }
    faults
}

#[rstest]
#[case::english("en")]
#[case::german("de")]
#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_barrier(#[case] lang: &'static str) {
    let axe = std::fs::read_to_string(AXE).expect("axe-core is installed by scripts/install.sh");
    let world = World::start(Sqlite, "barriers").await;
    world.partner("R-1").await;
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
    let preview = distributor.report("?validate_only=true", "text/csv", csv(&["MXL0000001 R-1"])).await;
    let term = ("application/json", br#"{"support_level":"premium","months":60}"#.to_vec());
    world.operator.send(reqwest::Method::PUT, "/api/v1/service-terms/U8PL1E", Some(term)).await;
    for (email, role, whose) in [
        ("operator@example.com", Role::Operator, None),
        ("distributor@example.com", Role::Distributor, Some("D-1")),
        ("partner@example.com", Role::PartnerAdmin, Some("R-1")),
        ("newcomer@example.com", Role::PartnerAdmin, Some("R-3")),
    ] {
        world.user(email, role, whose).await;
    }
    let driver = Driver::start().await;
    let own = |paths: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        paths.iter().map(|(name, path)| (*name, (*path).to_owned())).collect()
    };
    let visits = [
        ("", vec![("b-sign-in", format!("/sign-in?lang={lang}"))]),
        ("newcomer@example.com", own(&[("b-empty", "/unassigned-devices")])),
        (
            "partner@example.com",
            own(&[
                ("b-pool", "/unassigned-devices"),
                ("b-filtered", "/unassigned-devices?q=5cg&support_level=premium&columns=model&columns=since"),
                ("b-groups", "/unassigned-devices?group=end_customer"),
                ("b-no-hit", "/unassigned-devices?q=zzz"),
                ("b-device", "/devices/5CG0000001"),
                ("b-find", "/devices?q=5cgnobody"),
            ]),
        ),
        (
            "distributor@example.com",
            vec![
                ("b-reports", "/reports".to_owned()),
                ("b-report", format!("/reports/{report}")),
                ("b-preview", format!("/reports/{preview}")),
                ("b-quality", "/reports/quality".to_owned()),
                ("b-guide", "/help/reports".to_owned()),
                ("b-columns", "/reports/columns?h=Ger%C3%A4te-Kennung&h=Qty".to_owned()),
            ],
        ),
        (
            "operator@example.com",
            vec![
                ("b-home", "/home".to_owned()),
                ("b-partners", "/partners".to_owned()),
                ("b-import", "/partners/import".to_owned()),
                ("b-qualifications", "/qualifications".to_owned()),
                ("b-reporters", "/reporters".to_owned()),
                ("b-operator-quality", "/reports/quality?reporter=D-1".to_owned()),
                ("b-operator-reports", "/reports".to_owned()),
                ("b-disputes", "/disputes".to_owned()),
                ("b-dispute", format!("/disputes/{report}/61")),
                ("b-entitlements", "/entitlements?q=5CG0000001".to_owned()),
            ],
        ),
    ];
    let mut faults = Vec::new();
    for (who, paths) in visits {
        for (width, height) in [(1280, 900), (360, 740)] {
            let page = driver.browser_with(&world, lang, Some((width, height))).await;
            if !who.is_empty() {
                page.sign_in(who).await;
            }
            faults.extend(look(&page, &axe, width, &paths).await);
            page.driver.quit().await.unwrap();
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
    page.driver.quit().await.unwrap();
}
