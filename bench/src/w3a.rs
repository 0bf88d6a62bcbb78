//! W3a: the page of 50, as JSON and as the page that a person sees, in a tenant of 1,000,000 PCs, at the first, the middle and the last page.

use anyhow::{Context, ensure};
use uuid::Uuid;

use crate::Options;
use crate::asked::{self, CONNECTIONS, PAGE_SQL, Plan};
use crate::engine::{Cell, Engine};
use crate::http::{Client, Credential};
use crate::machine::settle;
use crate::object;
use crate::question::Question;
use crate::report::{Table, Workload};
use crate::server::Platform;

/// The size that the bounds are about.
const FULL: u64 = 1_000_000;
const LIMIT: i64 = 50;

/// Asks the product and both floors in turn, in a tenant of `options.lines` PCs.
pub async fn run(options: &Options, engine: &Engine, platform: &Platform) -> anyhow::Result<Workload> {
    ensure!(
        options.lines > 2 * LIMIT as u64,
        "a list with a first, a middle and a last page needs more lines"
    );
    let directory = tempfile::Builder::new().prefix("roadstead-w3a-").tempdir_in(&options.dir)?;
    let plans = plans(platform, options.lines).await?;
    let (positions, web_floor) = asked::prepare(platform, plans, directory.path()).await?;
    settle().await?;
    let (mut rows, mut bounds) = (Vec::new(), Vec::new());
    for position in &positions {
        for connections in CONNECTIONS {
            let found = position.ask(platform, &web_floor, connections, options).await?;
            bounds.extend(asked::bound(position, connections, found.of_smaller, options.lines >= FULL));
            rows.extend(found.rows);
        }
    }
    let mut facts = object! { "pcs_in_the_tenant" => options.lines, "rows_of_a_page" => LIMIT };
    facts.extend(asked::facts(options, engine, platform)?);
    facts.extend(object! {
        "checked" => "the web floor's bytes and the database floor's rows are those of the product's page; \
                      every answer's status and length",
    });
    Ok(Workload { id: "W3a", facts, tables: vec![Table { title: "pages per second", rows }], bounds })
}

/// The three pages; product and database must say the same.
async fn plans(platform: &Platform, lines: u64) -> anyhow::Result<Vec<Plan>> {
    let inside = platform.look_inside().await?;
    let tenant = asked::tenant(platform, &inside).await?;
    let token = platform.partner_token(asked::PARTNER)?;
    let mut client = Client::connect(platform.process.address, &token).await?;
    let session = platform.partner_session(asked::PARTNER).await?;
    let mut person = Client::with(platform.process.address, session.clone()).await?;
    let mut plans = Vec::new();
    for (name, skipped) in
        [("first page", 0), ("middle page", lines / 2), ("last page", lines - LIMIT as u64)]
    {
        let (serial, device) = match i64::try_from(skipped)?.checked_sub(1).filter(|offset| *offset >= 0) {
            None => (String::new(), Uuid::nil()),
            Some(offset) => {
                let sql = "SELECT serial, device FROM placements WHERE tenant = $1 \
                           ORDER BY serial, device LIMIT 1 OFFSET $2";
                let row = inside.row(sql, &[Cell::Id(tenant), Cell::Int(offset)]).await?;
                (row[0].text()?.to_owned(), row[1].id()?)
            }
        };
        let after = (skipped > 0).then_some((serial.as_str(), device));
        let path = asked::page_path(LIMIT, after)?;
        let question =
            || Question { sql: PAGE_SQL, keys: vec![asked::page_key(tenant, LIMIT, &serial, device)] };
        let page = client.get(&path).await?;
        asked::same_answer(&inside, &question(), &page).await.with_context(|| format!("the {name}"))?;
        let credential = Credential::token(&token);
        plans.push(Plan { name, paths: vec![path], question: question(), table: "bench_pages", credential });
        if skipped == lines / 2 {
            let path = asked::html_path(after)?;
            let html = person.get_bytes(&path).await?;
            shows(std::str::from_utf8(&html)?, &page)?;
            let (question, credential) = (question(), session.clone());
            plans.push(Plan {
                name: "middle page, HTML",
                paths: vec![path],
                question,
                table: "bench_pages",
                credential,
            });
        }
    }
    Ok(plans)
}

/// Makes sure that a page in HTML shows the PCs of the page in JSON, in their order, and no other link to a PC.
fn shows(html: &str, page: &serde_json::Value) -> anyhow::Result<()> {
    let items = page["items"].as_array().context("a page without items")?;
    let expected: Vec<&str> = items.iter().filter_map(|item| item["serial_number"].as_str()).collect();
    let shown: Vec<&str> =
        html.split("href=\"/devices/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ensure!(shown == expected && !shown.is_empty(), "the page shows {shown:?} instead of {expected:?}");
    Ok(())
}
