//! The whole path on a real desktop: an alert's pop-up, pressed with a mouse, a form filled in a browser, a case where it
//! belongs. And how an agent gets onto a PC.

use roadstead_domain::access::Role;
use roadstead_server::app::Config;
use roadstead_store::engine::Kind::Sqlite;
use rstest::rstest;
use serde_json::json;

use crate::barriers::{AXE, look};
use crate::browser::Driver;
use crate::world::{World, csv};

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
    assert_eq!(look(&page, &axe, 360, &[("agent".to_owned(), path)]).await, Vec::<String>::new());
    page.driver.quit().await.unwrap();
}
