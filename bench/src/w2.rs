//! W2: one PC looked up by its serial, over HTTP with a partner's token, any of many.

use anyhow::ensure;

use crate::Options;
use crate::asked::{self, CONNECTIONS, LOOK_UP_SQL, Plan};
use crate::engine::{Cell, Engine};
use crate::generator;
use crate::http::{Client, Credential, text_at};
use crate::machine::settle;
use crate::object;
use crate::question::{self, Question};
use crate::report::{Table, Workload};
use crate::server::Platform;

/// The size that the bounds are about.
const FULL: u64 = 1_000_000;
/// So many PCs are asked about.
const SAMPLE: u64 = 10_000;

/// Asks the product and both floors in turn, in a tenant of `options.lines` PCs.
pub async fn run(options: &Options, engine: &Engine, platform: &Platform) -> anyhow::Result<Workload> {
    let directory = tempfile::Builder::new().prefix("roadstead-w2-").tempdir_in(&options.dir)?;
    let step = (options.lines / SAMPLE).max(1);
    let serials: Vec<String> =
        (0..options.lines).step_by(usize::try_from(step)?).map(generator::serial).collect();
    let count = serials.len();
    let plan = plan(platform, serials).await?;
    let (looked_up, web_floor) = asked::prepare(platform, vec![plan], directory.path()).await?;
    settle().await?;
    let (mut rows, mut bounds) = (Vec::new(), Vec::new());
    for asked in &looked_up {
        for connections in CONNECTIONS {
            let found = asked.ask(platform, &web_floor, connections, options).await?;
            bounds.extend(asked::bound(asked, connections, found.of_smaller, options.lines >= FULL));
            rows.extend(found.rows);
        }
    }
    let mut facts = object! {
        "pcs_in_the_tenant" => options.lines, "asked_about" => count, "how" => HOW,
    };
    facts.extend(asked::facts(options, engine, platform)?);
    facts.extend(object! {
        "checked" => "the web floor's bytes, and the database floor's row of one PC, are those of the product; \
                      every answer's status and length, and that it is the PC asked for",
    });
    Ok(Workload { id: "W2", facts, tables: vec![Table { title: "look-ups per second", rows }], bounds })
}

/// How the product is asked, for the report.
pub const HOW: &str = "GET /api/v1/devices/{serial}";

/// What is asked; product and database must say the same of the first PC.
pub async fn plan(platform: &Platform, serials: Vec<String>) -> anyhow::Result<Plan> {
    let partner = Cell::Id(platform.partners[asked::PARTNER].id.parse()?);
    let keys = serials.iter().map(|serial| vec![Cell::Text(serial.clone()), partner.clone()]).collect();
    let question = Question { sql: LOOK_UP_SQL, keys };
    let paths: Vec<String> = serials.iter().map(|serial| format!("/api/v1/devices/{serial}")).collect();
    let inside = platform.look_inside().await?;
    let rows = question::answer(&inside, &question).await?;
    let token = platform.partner_token(asked::PARTNER)?;
    let mut client = Client::connect(platform.process.address, &token).await?;
    let body = client.get(&paths[0]).await?;
    ensure!(rows.len() == 1, "the database says {rows:?} of {}", serials[0]);
    let says = [
        ("/id", &rows[0][0]),
        ("/serial_number", &rows[0][1]),
        ("/product_number", &rows[0][2]),
        ("/model", &rows[0][3]),
        ("/placement/tenant", &rows[0][4]),
        ("/end_customer", &rows[0][8]),
        ("/invoice_number", &rows[0][9]),
        ("/sold_on", &rows[0][10]),
        ("/reported_by", &rows[0][11]),
    ];
    for (name, cell) in says {
        let text = match cell {
            Cell::Id(id) => id.to_string(),
            other => other.text()?.to_owned(),
        };
        ensure!(
            text_at(&body, name)? == text,
            "product and database disagree on {name}: {body} and {cell:?}"
        );
    }
    Ok(Plan {
        name: "look-up",
        paths,
        question,
        table: "bench_serials",
        credential: Credential::token(&token),
    })
}
