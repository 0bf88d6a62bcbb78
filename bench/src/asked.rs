//! One question, put in turn to the product, to the web floor and to the database alone.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

use crate::Options;
use crate::engine::{Cell, Engine, Inside};
use crate::generator::{self, Sellers, Style};
use crate::http::{Client, Credential, Pieces, text_at};
use crate::load::{self, Slices, Target};
use crate::machine::idle_share;
use crate::object;
use crate::question::{self, Asking, Question};
use crate::report::{Bound, Outcome, figure};
use crate::server::{Platform, Process};

/// What the product must reach of the smaller floor.
pub const OF_SMALLER_FLOOR: f64 = 0.5;
/// From how many connections at a time.
pub const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// At one connection, neither generator nor server is busy all the time: shown, not judged.
const JUDGED: [usize; 2] = [16, 64];
/// The partner that asks.
pub const PARTNER: usize = 0;
/// So many answers the web floor has at hand.
const AT_HAND: usize = 200;

/// A question to all three.
pub struct Asked {
    /// What stands in the table: the page, or what is looked up.
    pub name: &'static str,
    product: Target,
    web: Target,
    alone: Asking,
}

/// What is asked: of the product by these paths, of the database by this question, key for key.
pub struct Plan {
    /// What stands in the table.
    pub name: &'static str,
    /// Paths of the product.
    pub paths: Vec<String>,
    /// The same to the database.
    pub question: Question,
    /// A table of this name holds what is asked about.
    pub table: &'static str,
    /// What the product is shown.
    pub credential: Credential,
}

/// What came of asking at one number of connections.
pub struct Found {
    /// Rows for the table.
    pub rows: Vec<Map<String, Value>>,
    /// The product's rate of the smaller floor's.
    pub of_smaller: f64,
    /// Answers per second of the product and of the database alone.
    pub rates: (f64, f64),
    /// Microseconds of processor an answer: of server and database, and of the database alone (0 if it is not known).
    pub cpu_us: (f64, f64),
}

/// Puts every line of a report of one partner into the platform.
pub async fn fill(platform: &mut Platform, options: &Options) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new().prefix("roadstead-fill-").tempdir_in(&options.dir)?;
    let csv = directory.path().join("sales.csv");
    let written = generator::write_csv(&csv, 0..options.lines, &Sellers::One(PARTNER), Style::Plain)?;
    let pieces = Pieces::new(std::fs::File::open(&csv)?, written.bytes);
    let submitted = platform.distributor.post_csv("/api/v1/sell-through-reports", pieces).await?;
    let result = platform.until_done(text_at(&submitted, "/operation/id")?).await?;
    Platform::all_placed(&result, options.lines)
}

/// Asks the product once for everything, starts a web floor with what it says, and makes the database ready.
pub async fn prepare(
    platform: &Platform,
    plans: Vec<Plan>,
    directory: &Path,
) -> anyhow::Result<(Vec<Asked>, Process)> {
    let mut bodies = Vec::new();
    let mut found = Vec::new();
    for plan in plans {
        let mut client = Client::with(platform.process.address, plan.credential.clone()).await?;
        let mut paths = Vec::with_capacity(plan.paths.len());
        let mut web = Vec::new();
        for path in plan.paths {
            let bytes = client.get_bytes(&path).await?;
            if web.len() < AT_HAND {
                web.push((format!("/{}", bodies.len()), bytes.len() as u64));
                bodies.push(bytes.clone());
            }
            paths.push((path, bytes.len() as u64));
        }
        let alone = plan.question.ready(&platform.database, plan.table).await?;
        let product = Target { address: platform.process.address, paths, credential: plan.credential };
        found.push((plan.name, product, web, alone));
    }
    // A page is text to the floor; an answer in JSON is made anew there for every request.
    let texts = bodies.iter().map(|body| match std::str::from_utf8(body)? {
        html if html.starts_with('<') => Ok(serde_json::to_string(html)?),
        json => Ok(json.to_owned()),
    });
    let texts = texts.collect::<anyhow::Result<Vec<String>>>()?;
    let file = directory.join("bodies.json");
    std::fs::write(&file, format!("[{}]", texts.join(",")))?;
    let floor = Process::start(Command::new(std::env::current_exe()?).arg("web-floor").arg(file))?;
    let mut client = Client::connect(floor.address, "").await?;
    for (at, body) in bodies.iter().enumerate() {
        ensure!(client.get_bytes(&format!("/{at}")).await? == *body, "the web floor's answer {at} differs");
    }
    let asked = found.into_iter().map(|(name, product, paths, alone)| {
        let web = Target { address: floor.address, paths, credential: product.credential.clone() };
        Asked { name, product, web, alone }
    });
    Ok((asked.collect(), floor))
}

impl Asked {
    /// Asks all three in turn.
    pub async fn ask(
        &self,
        platform: &Platform,
        web_floor: &Process,
        connections: usize,
        options: &Options,
    ) -> anyhow::Result<Found> {
        let idle = idle_share().await?;
        let length = Duration::from_secs_f64(options.seconds);
        let engine = &platform.database.engine;
        let (mut product, mut web, mut alone) = (Slices::default(), Slices::default(), Slices::default());
        for _ in 0..options.rounds {
            let cpu = platform.cpu_ms()?;
            product.slices.push(load::ask(&self.product, connections, length).await?);
            product.cpu_ms += platform.cpu_ms()? - cpu;
            let cpu = web_floor.cpu_ms()?;
            web.slices.push(load::ask(&self.web, connections, length).await?);
            web.cpu_ms += web_floor.cpu_ms()? - cpu;
            let cpu = engine.cpu_ms()?;
            alone.slices.push(self.alone.ask(connections, length).await?);
            alone.cpu_ms += engine.cpu_ms()? - cpu;
        }
        let place = object! {
            "what" => self.name, "connections" => connections, "idle_before" => figure(idle),
        };
        let rows = vec![
            product.row("product", &place, Some(self.product.bytes())),
            web.row("floor, web", &place, Some(self.web.bytes())),
            alone.row(&self.alone.who(connections), &place, None),
        ];
        let rates = (product.rates().median, alone.rates().median);
        let of_smaller = rates.0 / web.rates().median.min(rates.1);
        eprintln!("{}, {connections} connections: {of_smaller:.2} of the smaller floor", self.name);
        Ok(Found { rows, of_smaller, rates, cpu_us: (product.cpu_us(), alone.cpu_us()) })
    }
}

/// The bound of one place and number of connections, if it has one.
pub fn bound(asked: &Asked, connections: usize, of_smaller: f64, full: bool) -> Option<Bound> {
    JUDGED.contains(&connections).then(|| Bound {
        demand: format!(
            "of the smaller floor, {}, {connections} connections, at least {OF_SMALLER_FLOOR}",
            asked.name
        ),
        measured: of_smaller,
        outcome: Outcome::of(of_smaller >= OF_SMALLER_FLOOR, full),
    })
}

/// Makes sure that the database alone says what the product's page or PC says.
pub async fn same_answer(inside: &Inside, question: &Question, page: &Value) -> anyhow::Result<()> {
    let rows = question::answer(inside, question).await?;
    let one = [page.clone()];
    let items = page["items"].as_array().map_or(&one[..], Vec::as_slice);
    let more = page.get("next_cursor").is_some_and(|cursor| !cursor.is_null());
    ensure!(rows.len() == items.len() + usize::from(more), "{} rows for {} items", rows.len(), items.len());
    for (row, item) in rows.iter().zip(items) {
        let since: jiff::Timestamp = text_at(item, "/since")?.parse().context("since")?;
        let says = |at: usize, name: &str| match (&row[at], &item[name]) {
            (Cell::Null, Value::Null) => true,
            (Cell::Null, Value::String(text)) => text.is_empty(),
            (Cell::Text(text), value) => value == text,
            (Cell::Id(id), value) => *value == id.to_string(),
            _ => false,
        };
        let names = [
            (0, "id"),
            (1, "serial_number"),
            (2, "product_number"),
            (3, "model"),
            (4, "support_level"),
            (6, "end_customer"),
            (7, "invoice_number"),
            (8, "sold_on"),
            (9, "reported_by"),
        ];
        for (at, name) in names {
            ensure!(says(at, name), "product and database disagree on {name}: {item} and {:?}", row[at]);
        }
        ensure!(
            row[5] == Cell::Int(since.as_microsecond()),
            "product and database disagree on since: {item}"
        );
    }
    Ok(())
}

/// The rows of the product's list by serial (`pool::list`) past its views and walls; the tenant is bound.
pub const PAGE_SQL: &str = "SELECT d.id, p.serial, d.product_number, d.model, (SELECT MAX(e.support_level) FROM entitlements e \
     WHERE e.device = p.device AND e.ends_on > $2) AS support_level, p.since, l.buyer_name, l.invoice, \
     l.sold_on, n.name AS reporter_name FROM (SELECT device, serial, since, report, line FROM placements \
     WHERE tenant = $1 AND (serial, device) > ($4, $5) ORDER BY serial, device LIMIT $3) p \
     JOIN devices d ON d.id = p.device LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line \
     LEFT JOIN reports r ON r.id = p.report LEFT JOIN reporters n ON n.id = r.reporter \
     ORDER BY p.serial, p.device";

/// One PC of a partner's by its serial, past every scope: what the product's look-up says.
pub const LOOK_UP_SQL: &str = "SELECT d.id, d.serial, d.product_number, d.model, p.tenant, t.kind, p.generation, \
     p.since, l.buyer_name, l.invoice, l.sold_on, n.name AS reporter_name, \
     (SELECT MAX(e.ends_on) FROM entitlements e WHERE e.device = d.id) AS ends_on FROM devices d \
     JOIN placements p ON p.device = d.id JOIN tenants t ON t.id = p.tenant \
     LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line \
     LEFT JOIN reports r ON r.id = p.report LEFT JOIN reporters n ON n.id = r.reporter \
     WHERE d.serial = $1 AND t.parent = $2";

/// What a page is asked with: the tenant, today, how many rows, and after which row.
pub fn page_key(tenant: uuid::Uuid, limit: i64, serial: &str, device: uuid::Uuid) -> Vec<Cell> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let mut key = vec![Cell::Id(tenant), Cell::Text(today), Cell::Int(limit + 1)];
    key.extend([Cell::Text(serial.to_owned()), Cell::Id(device)]);
    key
}

/// The path of the page after this row, with the cursor that the product would have written.
pub fn page_path(limit: i64, after: Option<(&str, uuid::Uuid)>) -> anyhow::Result<String> {
    Ok(format!("/api/v1/unassigned-devices?limit={limit}{}", cursor(after)?))
}

/// The path of the same page in HTML, which has 50 rows.
pub fn html_path(after: Option<(&str, uuid::Uuid)>) -> anyhow::Result<String> {
    Ok(format!("/unassigned-devices?{}", cursor(after)?.trim_start_matches('&')))
}

fn cursor(after: Option<(&str, uuid::Uuid)>) -> anyhow::Result<String> {
    Ok(match after {
        None => String::new(),
        // The last row's key as JSON, in hex.
        Some(after) => format!("&cursor={}", hex::encode(serde_json::to_vec(&after)?)),
    })
}

/// The holding tenant of the partner that asks.
pub async fn tenant(platform: &Platform, inside: &Inside) -> anyhow::Result<uuid::Uuid> {
    let partner = Cell::Id(platform.partners[PARTNER].id.parse()?);
    let sql = "SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding'";
    inside.row(sql, &[partner]).await?[0].id()
}

/// What every report of questions says of itself.
pub fn facts(options: &Options, engine: &Engine, platform: &Platform) -> anyhow::Result<Map<String, Value>> {
    Ok(object! {
        "engine" => engine.settings(),
        "slices" => format!("{} of {} s each, product and floors in turn", options.rounds, options.seconds),
        "processor_time" => "of server and database; of the database alone for its floor on PostgreSQL",
        "peak_mb_of_the_server" => figure(platform.process.peak_mb()?),
    })
}
