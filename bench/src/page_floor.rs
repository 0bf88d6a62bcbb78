//! The floors of W3a: the same page from a web server that has it at hand, and the same rows from the database alone.

use std::path::Path as FilePath;
use std::sync::{Arc, Barrier, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use rusqlite::{Connection, OpenFlags, Row, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::load::Slice;

/// A PC as the list tells of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    id: Uuid,
    serial_number: String,
    product_number: String,
    model: String,
    support_level: Option<String>,
    end_customer: String,
    invoice_number: String,
    sold_on: Option<String>,
    reported_by: Option<String>,
    since: String,
}

/// A page of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    items: Vec<Device>,
    next_cursor: Option<String>,
}

/// Serves pages read from a JSON file (a list of them) as `/page/0`, `/page/1`, ..., each made into JSON anew for
/// every request. Says where on standard output.
pub async fn serve(pages: &FilePath) -> anyhow::Result<()> {
    let pages: Vec<Page> = serde_json::from_slice(&std::fs::read(pages)?)?;
    let pages = pages.into_iter().map(Arc::new).collect::<Vec<_>>();
    let router = Router::new().route("/page/{at}", get(answer)).with_state(Arc::new(pages));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("The web floor listens on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

/// Lets an `Arc` be answered without a copy.
struct Shared(Arc<Page>);

impl Serialize for Shared {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

async fn answer(
    State(pages): State<Arc<Vec<Arc<Page>>>>,
    Path(at): Path<usize>,
) -> Result<Json<Shared>, StatusCode> {
    pages.get(at).map(|page| Json(Shared(page.clone()))).ok_or(StatusCode::NOT_FOUND)
}

/// The product's statement, word for word (`pool::list` by serial), bound as it binds it.
const PRODUCT_SQL: &str = "SELECT d.id, p.serial, d.product_number, d.model, (SELECT MAX(e.support_level) FROM entitlements e \
     WHERE e.device = p.device AND e.ends_on > $2) AS support_level, p.since, l.buyer_name, l.invoice, \
     l.sold_on, n.name AS reporter_name FROM placements p JOIN devices d ON d.id = p.device \
     LEFT JOIN report_lines l ON l.report = p.report AND l.line = p.line \
     LEFT JOIN reports r ON r.id = p.report LEFT JOIN reporters n ON n.id = r.reporter \
     WHERE p.tenant = $1 AND (p.serial, p.device) > ($4, $5) ORDER BY p.serial, p.device LIMIT $3";

/// The same with `?n`: SQLite takes `$n` for a name, and `rusqlite` binds by number.
static SQL: LazyLock<String> = LazyLock::new(|| PRODUCT_SQL.replace('$', "?"));

/// Where a page begins: after this row.
#[derive(Clone, Debug, Default)]
pub struct After {
    /// The serial.
    pub serial: String,
    /// The PC's id.
    pub device: Uuid,
}

/// What is asked of the database.
#[derive(Clone, Debug)]
pub struct Question {
    /// The partner's holding tenant.
    pub tenant: Uuid,
    /// Today.
    pub today: String,
    /// Rows of a page.
    pub limit: i64,
    /// Where it begins.
    pub after: After,
}

/// A row, read as the product reads it.
struct Read {
    id: Uuid,
    serial: String,
    product_number: String,
    model: String,
    support_level: Option<String>,
    since: i64,
    buyer_name: Option<String>,
    invoice: Option<String>,
    sold_on: Option<String>,
    reporter_name: Option<String>,
}

impl Read {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: Uuid::from_bytes(row.get(0)?),
            serial: row.get(1)?,
            product_number: row.get(2)?,
            model: row.get(3)?,
            support_level: row.get(4)?,
            since: row.get(5)?,
            buyer_name: row.get(6)?,
            invoice: row.get(7)?,
            sold_on: row.get(8)?,
            reporter_name: row.get(9)?,
        })
    }
}

/// A connection with the settings of the product's readers.
fn open(database: &FilePath) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.pragma_update(None, "cache_size", -8192)?;
    Ok(connection)
}

fn rows(connection: &Connection, question: &Question) -> anyhow::Result<Vec<Read>> {
    let Question { tenant, today, limit, after } = question;
    let mut statement = connection.prepare_cached(&SQL)?;
    let rows = statement.query_map(
        params![tenant.as_bytes(), today, limit + 1, after.serial, after.device.as_bytes()],
        Read::of,
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Makes sure that the database alone says what the product's page says.
pub fn same_answer(database: &FilePath, question: &Question, page: &Page) -> anyhow::Result<()> {
    let mut rows = rows(&open(database)?, question)?;
    let more = rows.len() as i64 > question.limit;
    ensure!(
        more == page.next_cursor.is_some(),
        "product and database disagree on whether there is a next page"
    );
    rows.truncate(usize::try_from(question.limit)?);
    ensure!(rows.len() == page.items.len(), "{} rows and {} items", rows.len(), page.items.len());
    for (row, item) in rows.into_iter().zip(&page.items) {
        let since: jiff::Timestamp = item.since.parse().context("since")?;
        let same = row.id == item.id
            && row.serial == item.serial_number
            && row.product_number == item.product_number
            && row.model == item.model
            && row.support_level == item.support_level
            && row.since == since.as_microsecond()
            && row.buyer_name.unwrap_or_default() == item.end_customer
            && row.invoice.unwrap_or_default() == item.invoice_number
            && row.sold_on == item.sold_on
            && row.reporter_name == item.reported_by;
        ensure!(same, "product and database disagree on {}", item.serial_number);
    }
    Ok(())
}

/// Asks the database alone for `length`, from this many threads with a connection each.
pub fn ask(
    database: &FilePath,
    question: &Question,
    threads: usize,
    length: Duration,
) -> anyhow::Result<Slice> {
    let ready = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let opened =
                        open(database).and_then(|c| rows(&c, question).map(|first| (c, first.len())));
                    // Everybody comes to the barrier, whatever went wrong.
                    ready.wait();
                    let (connection, expected) = opened?;
                    let mut millis = Vec::new();
                    let mut before = Instant::now();
                    let until = before + length;
                    while before < until {
                        let rows = std::hint::black_box(rows(&connection, question)?);
                        ensure!(rows.len() == expected, "the answer changed");
                        drop(rows);
                        let now = Instant::now();
                        millis.push((now - before).as_secs_f64() * 1000.0);
                        before = now;
                    }
                    Ok((before, millis))
                })
            })
            .collect();
        ready.wait();
        let start = Instant::now();
        let parts = workers.into_iter().map(|worker| match worker.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        Ok(Slice::gather(start, parts.collect::<anyhow::Result<Vec<_>>>()?))
    })
}
