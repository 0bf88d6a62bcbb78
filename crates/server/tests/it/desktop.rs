//! The whole path on a real desktop: an alert's pop-up, pressed with a mouse, a form filled in a browser, a case where it
//! belongs. And how an agent gets onto a PC.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use roadstead_domain::access::Role;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::{Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::barriers::{AXE, Visit, look};
use crate::browser::{Driver, Page};
use crate::desk::{Desk, Pc};
use crate::world::{Client, World, csv};

/// The page near the cPIN hands out the agent and a command that carries the cPIN; what the command fetches is whole.
#[rstest]
#[case::english("en", ["does not lie beside", "make one under"])]
#[case::german("de", ["liegt nicht neben", "erstellen sie unter"])]
#[tokio::test(flavor = "multi_thread")]
async fn b37_the_agent_is_there_to_fetch_with_a_silent_install_command(
    #[case] lang: &'static str,
    #[case] words: [&str; 2],
) {
    let agents = tempfile::TempDir::new().unwrap();
    let config = Config { agents: agents.path().to_owned(), ..Config::default() };
    let world = World::with(Sqlite, &format!("agentpage{lang}"), config).await;
    let partner = world.partner("R-1").await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let customer = partner.customer("Werft Nord").await;
    world.user("partner@example.com", Role::PartnerAdmin, Some("R-1")).await;
    let driver = Driver::start().await;
    let page = driver.browser_with(&world, lang, Some((360, 900))).await;
    page.sign_in("partner@example.com").await;
    let path = format!("/customers/{customer}/settings/agent");
    page.go(&path).await;
    page.see("[data-missing]", words[0]).await;
    std::fs::write(agents.path().join("roadstead-agent"), vec![7_u8; 300_000]).unwrap();
    page.go(&path).await;
    page.see("main", words[1]).await;
    let made = partner.post(&format!("customers/{customer}/cpins"), json!({})).await.expect(201);
    page.go(&format!("/customers/{customer}/settings/preferences")).await;
    page.click("main a[href$='/settings/agent']").await;
    let command = page.find("#install-command").await.text().await.unwrap();
    assert!(command.ends_with(&format!("--cpin {}", made["cpin"].as_str().unwrap())), "{command}");
    let fetch = command.split(" && sudo").next().unwrap().to_owned();
    let run = move || std::process::Command::new("sh").arg("-c").arg(fetch).status().unwrap();
    assert!(tokio::task::spawn_blocking(run).await.unwrap().success(), "{command}");
    let axe = std::fs::read_to_string(AXE).expect("axe-core is installed by scripts/install.sh");
    let visit = Visit { name: "agent".to_owned(), path, sends: None };
    assert_eq!(look(&page, &axe, 360, &[visit]).await, Vec::<String>::new());
    page.close().await;
}

/// The agent's program, as `cargo test` has built it for the agent's own tests; built now where it is not there.
fn agent() -> std::path::PathBuf {
    let program =
        std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("roadstead-agent");
    if !program.exists() {
        let build = ["build", "--quiet", "--locked", "-p", "roadstead-agent"];
        assert!(std::process::Command::new(env!("CARGO")).args(build).status().unwrap().success());
    }
    program
}

/// A certified partner of this role, with a PC in its pool that has a failing disk; its agent, which knows the platform by
/// this address, is to be started.
async fn pc_in_the_pool(world: &World, desk: &Desk, server: &str, role: &str) -> (Client, Pc) {
    let id = world.newcomer("R-1").await;
    let body = json!({
        "support_level": "premium_plus", "role": role,
        "course_completed_on": "2026-01-01", "certified_on": "2026-01-02",
    });
    world.operator.post(&format!("partners/{id}/qualifications"), body).await.expect(201);
    let partner = world.token(Role::PartnerAdmin, Some("R-1")).await;
    world.distributor("D-1").await.report("", "text/csv", csv(&["5CG000000A R-1"])).await;
    let pc = Pc::new(&agent(), desk, server, "5CG000000A", "");
    pc.readings(&json!({ "disks": [{ "name": "/dev/sda", "model": "Example SSD 512", "passed": false }] }));
    (partner, pc)
}

/// Moves the PC to a customer that its partner runs; the customer's id.
async fn to_customer(partner: &Client) -> String {
    let customer = partner.customer("Werft Nord").await;
    move_to(partner, &customer).await;
    customer
}

async fn move_to(partner: &Client, customer: &str) {
    let items = json!({ "items": [{ "serial": "5CG000000A", "to": customer }] });
    let shown = partner.post("transfers", items).await.expect(201);
    let path = format!("transfers/{}/commit", shown["id"].as_str().unwrap());
    partner.post(&path, json!({ "digest": shown["digest"] })).await.expect(200);
}

/// Presses View, and opens in a browser what the agent asked for.
async fn view(world: &World, desk: &Desk, driver: &Driver, lang: &'static str) -> Page {
    let seen = desk.notification("the pop-up stands").await;
    desk.press_view(seen);
    let page = driver.browser_with(world, lang, Some((1000, 900))).await;
    page.driver.goto(&desk.page(1).await).await.unwrap();
    page
}

async fn cases(world: &World) -> Vec<Value> {
    world.token(Role::CustomerSupport, None).await.all("repair-cases").await
}

/// Behaviours 27 to 34: a failing disk of a PC in the pool, whose clock is days off; a pop-up with the partner's name, in the
/// PC's language; View, the form, the agent killed in between, Submit, one case: with customer support for a View/Monitor
/// partner, in the CSDP account of a Service Delivery partner, and there alone. The appointment reaches the PC.
#[rstest]
#[case::monitor_in_english("en", "C.UTF-8", "resell_and_view_monitor", "1 Dec 2026, 21:00")]
#[case::service_in_german("de", "de_DE.UTF-8", "service_delivery", "01.12.2026, 21:00")]
#[tokio::test(flavor = "multi_thread")]
async fn b27_b34_from_a_failing_disk_to_a_case_in_the_right_queue(
    #[case] lang: &'static str,
    #[case] locale: &'static str,
    #[case] role: &str,
    #[case] when: &str,
) {
    let world = World::start(Sqlite, &format!("desktop{lang}")).await;
    let desk = Desk::start(locale);
    let (partner, mut pc) = pc_in_the_pool(&world, &desk, &world.url, role).await;
    let support = world.token(Role::CustomerSupport, None).await;
    pc.start();
    desk.notification("the pop-up stands").await;
    desk.shot(&format!("whole-path-pop-up-{lang}"));
    assert_eq!(partner.all("alerts").await.len(), 1);
    let driver = Driver::start().await;
    let page = view(&world, &desk, &driver, lang).await;
    page.see("main", "Partner R-1").await;
    page.shot("whole-path-form").await;
    for client in [&partner, &support] {
        assert!(client.all("repair-cases").await.is_empty(), "View is not Submit");
    }
    pc.restart();
    page.fill("#name", "Inga Boje").await;
    page.fill("#phone", "+49 40 1234").await;
    page.fill("#text", "It clicks").await;
    page.click("#case button.primary").await;
    page.see("#live .state", "").await;
    page.shot("whole-path-case").await;

    // Behaviours 31 and 33: one case, with one desk; the partner sees it either way, customer support only its own.
    let is_csdp = role == "service_delivery";
    let (desk_of_it, other) = if is_csdp { (&partner, &support) } else { (&support, &partner) };
    let found = desk_of_it.all("repair-cases?own_desk=true").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["desk"]["own"], true);
    assert_eq!(found[0]["desk"]["code"].as_str().unwrap().starts_with("csdp:"), is_csdp);
    assert!(other.all("repair-cases?own_desk=true").await.is_empty());
    page.see("h1", found[0]["number"].as_str().unwrap()).await;
    let id = found[0]["id"].as_str().unwrap();
    let whole = desk_of_it.get(&format!("repair-cases/{id}")).await.expect(200);
    assert_eq!(
        (&whole["person"]["name"], &whole["person"]["text"]),
        (&json!("Inga Boje"), &json!("It clicks"))
    );

    // Behaviours 32 and 34: only that desk says when; the user hears of it on the PC, on the screen and on the page.
    let appointment = json!({
        "from": "2026-12-01T08:00:00Z", "until": "2026-12-01T10:00:00Z", "time_zone": "Europe/Berlin", "note": "",
    });
    let path = format!("repair-cases/{id}/appointment");
    assert_ne!(other.post(&path, appointment.clone()).await.status.as_u16(), 200);
    desk_of_it.post(&path, appointment).await.expect(200);
    page.see("#live", when).await;
    desk.notification("the news stand").await;
    desk.shot(&format!("whole-path-news-{lang}"));
    page.shot("whole-path-appointment").await;
    page.close().await;
}

/// The PC moves to a customer without pop-ups while the form is open: nothing is sent. (Where the customer has them, the
/// same pop-up goes on, for whoever looks after the PC by then: decision 28.)
#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_moves_while_the_form_is_open_sends_nothing() {
    let world = World::start(Sqlite, "desktopmoved").await;
    let desk = Desk::start("C.UTF-8");
    let (partner, mut pc) = pc_in_the_pool(&world, &desk, &world.url, "service_delivery").await;
    pc.start();
    let driver = Driver::start().await;
    let page = view(&world, &desk, &driver, "en").await;
    page.fill("#name", "Inga Boje").await;
    let body = json!({
        "name": "Werft Nord", "address": "Kaiweg 1", "city": "Hamburg", "postal_code": "20457", "country": "DE",
        "plan": "premium_plus", "management": "partner", "self_service": "off_when_allowed",
    });
    let customer = partner.post("customers", body).await.expect(201);
    move_to(&partner, customer["id"].as_str().unwrap()).await;
    page.see("#live", "Nothing was sent").await;
    page.shot("whole-path-moved").await;
    assert!(partner.all("repair-cases").await.is_empty() && cases(&world).await.is_empty());
    page.close().await;
}

/// Behaviours 42, 46 and 47: the switch takes the pop-up off the screen; the alert stays.
#[tokio::test(flavor = "multi_thread")]
async fn b46_turning_the_switch_off_takes_the_pop_up_off_the_screen() {
    let world = World::start(Sqlite, "desktopswitch").await;
    let desk = Desk::start("C.UTF-8");
    let (partner, mut pc) = pc_in_the_pool(&world, &desk, &world.url, "service_delivery").await;
    let customer = to_customer(&partner).await;
    pc.start();
    desk.notification("the pop-up stands").await;
    let path = format!("customers/{customer}/notification-settings");
    partner.patch(&path, json!({ "self_service": "off" })).await.expect(200);
    desk.no_notification("the switch takes it off").await;
    assert_eq!(partner.all("alerts").await.len(), 1);
    assert!(partner.all("repair-cases").await.is_empty() && desk.opened().is_empty());
}

/// What stands before two nodes: the channels of PCs lead to the second one, everything else to the first.
#[derive(Clone)]
struct Balancer {
    nodes: [String; 2],
    http: reqwest::Client,
    /// The path of each request, and which node got it.
    led: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Balancer {
    /// Starts it; its address.
    async fn start(first: &str, second: &str) -> (Self, String) {
        let nodes = [first.to_owned(), second.to_owned()];
        let balancer = Self { nodes, http: reqwest::Client::new(), led: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = Router::new().fallback(Self::lead).with_state(balancer.clone());
        tokio::spawn(axum::serve(listener, service).into_future());
        (balancer, url)
    }

    async fn lead(State(balancer): State<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let node = usize::from(path == "/device/v1/events");
        balancer.led.lock().unwrap().push((node, path));
        let url = format!("{}{}", balancer.nodes[node], parts.uri);
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let request = balancer.http.request(parts.method, url).headers(parts.headers).body(body);
        // An agent that goes away, or a node, is no concern of this test.
        let Ok(answer) = request.send().await else {
            return Response::builder().status(502).body(Body::empty()).unwrap();
        };
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if name != "transfer-encoding" {
                response = response.header(name, value);
            }
        }
        response.body(Body::from_stream(answer.bytes_stream())).unwrap()
    }

    /// Which nodes got requests to this path.
    fn led_to(&self, path: &str) -> Vec<usize> {
        let led = self.led.lock().unwrap();
        let mut nodes: Vec<usize> = led.iter().filter(|(_, at)| at == path).map(|(node, _)| *node).collect();
        nodes.dedup();
        nodes
    }
}

/// Two nodes: the alert is raised at one, its pop-up is told by the other, the case is submitted to the first, and worked on
/// at the second.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_at_one_node_pops_up_by_the_other_and_is_submitted_to_the_first() {
    let world = World::start(Postgres, "desktopnodes").await;
    let (second, _node) = world.second_node().await;
    let (balancer, between) = Balancer::start(&world.url, &second).await;
    let desk = Desk::start("C.UTF-8");
    let (partner, mut pc) = pc_in_the_pool(&world, &desk, &between, "service_delivery").await;
    pc.start();
    let driver = Driver::start().await;
    let page = view(&world, &desk, &driver, "en").await;
    page.fill("#name", "Inga Boje").await;
    page.fill("#phone", "+49 40 1234").await;
    page.click("#case button.primary").await;
    page.see("#live .state", "").await;
    let there = partner.at(&second);
    let found = there.all("repair-cases?own_desk=true").await;
    assert_eq!(found.len(), 1, "{found:?}");
    let appointment = json!({
        "from": "2026-12-01T08:00:00Z", "until": "2026-12-01T10:00:00Z", "time_zone": "Europe/Berlin", "note": "",
    });
    let path = format!("repair-cases/{}/appointment", found[0]["id"].as_str().unwrap());
    there.post(&path, appointment).await.expect(200);
    page.see("#live", "1 Dec 2026, 21:00").await;
    assert_eq!(balancer.led_to("/device/v1/check-ins"), [0]);
    assert_eq!(balancer.led_to("/device/v1/events"), [1]);
    assert_eq!(balancer.led_to("/device/v1/repair-cases"), [0]);
    page.close().await;
}
