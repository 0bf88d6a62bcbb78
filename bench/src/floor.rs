//! The floors of W1a: the rows that the product writes, written by prepared single-row statements of the same
//! SQLite with the same settings, in one transaction, with nothing judged, looked up or hashed.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rusqlite::{Connection, Statement, Transaction, params};
use uuid::{Builder, Uuid};

use crate::generator::{PARTNERS, Sale, Sellers};
use crate::machine;

/// Rows are made this many at a time, while the clock stands still. It is also how many share an instant, as the
/// product's batches do.
const CHUNK: u64 = 10_000;

/// Which floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// Every table that takes a row a line.
    SameTables,
    /// The table of PCs alone.
    OneTable,
}

/// What a floor took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Time on the clock, the commit included.
    pub seconds: f64,
    /// Time on the processor.
    pub cpu_ms: f64,
}

/// A row with the identifiers that the product would have given it.
struct Row {
    sale: Sale,
    device: [u8; 16],
    search: String,
    seq: i64,
    hash: [u8; 32],
}

/// What a run has in common.
struct Fixed {
    report: [u8; 16],
    partners: Vec<[u8; 16]>,
    holdings: Vec<[u8; 16]>,
}

/// Inserts the lines of these numbers into a fresh database in `directory`, made by the product's `program`.
pub fn run(floor: Floor, program: &Path, directory: &Path, lines: u64) -> anyhow::Result<Taken> {
    let directory = tempfile::Builder::new().prefix("roadstead-floor-").tempdir_in(directory)?;
    let mut database = open(program, directory.path())?;
    let sellers = Sellers::skewed();
    let ids = |from: u64| (0..PARTNERS as u64).map(|n| id(0, from + n)).collect();
    let fixed = Fixed { report: id(0, 1), partners: ids(1000), holdings: ids(2000) };
    let mut seqs = vec![0_i64; PARTNERS];

    let mut clock = Stopwatch::default();
    let tx = clock.time(|| Ok(database.transaction()?))?;
    let mut statements = Statements::prepare(&tx)?;
    let mut from = 0;
    while from < lines {
        let to = lines.min(from + CHUNK);
        let at = 1_795_000_000_000_000 + i64::try_from(from)?;
        let rows: Vec<Row> = (from..to).map(|number| row(number, &sellers, &mut seqs)).collect();
        clock.time(|| {
            for (number, row) in (from..).zip(&rows) {
                statements.device(row, at)?;
                if floor == Floor::SameTables {
                    statements.rest(row, &fixed, i64::try_from(number)? + 1, at)?;
                }
            }
            Ok(())
        })?;
        from = to;
    }
    drop(statements);
    clock.time(|| Ok(tx.commit()?))?;

    let tables: &[&str] = match floor {
        Floor::SameTables => &["devices", "placements", "placement_log", "report_lines"],
        Floor::OneTable => &["devices"],
    };
    for table in tables {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows: i64 = database.query_row(&sql, [], |row| row.get(0))?;
        ensure!(rows == i64::try_from(lines)?, "the floor has {rows} {table} instead of {lines}");
    }
    Ok(Taken { seconds: clock.elapsed.as_secs_f64(), cpu_ms: clock.cpu_ms })
}

/// A fresh database, made by the product, with the settings of its writer (`Store::open_sqlite`).
fn open(program: &Path, directory: &Path) -> anyhow::Result<Connection> {
    let made = Command::new(program).arg("migrate").arg("--data").arg(directory).output()?;
    ensure!(made.status.success(), "{} migrate: {}", program.display(), String::from_utf8_lossy(&made.stderr));
    let database = Connection::open(directory.join("roadstead.db"))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "foreign_keys", "ON")?;
    database.pragma_update(None, "cache_size", -65_536)?;
    database.pragma_update(None, "wal_autocheckpoint", 4000)?;
    Ok(database)
}

/// A UUIDv7 that rises with these two.
fn id(chunk: u64, number: u64) -> [u8; 16] {
    let mut random = [0x5a; 10];
    random[2..].copy_from_slice(&(0x1234_5678_9abc_0000 + number).to_be_bytes());
    let id: Uuid = Builder::from_unix_timestamp_millis(1_795_000_000_000 + chunk, &random).into_uuid();
    id.into_bytes()
}

fn row(number: u64, sellers: &Sellers, seqs: &mut [i64]) -> Row {
    let sale = Sale::of(number, sellers);
    seqs[sale.seller] += 1;
    let parts = [&sale.serial, sale.product_number, sale.model, sale.buyer_name, &sale.invoice];
    let search = parts.join("\n").to_lowercase();
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = (number.wrapping_mul(0x9d5b_3f01) >> (at % 4 * 8)) as u8 ^ at as u8;
    }
    Row { seq: seqs[sale.seller], device: id(number / CHUNK, number), search, hash, sale }
}

/// Runs only while it is asked to.
#[derive(Default)]
struct Stopwatch {
    elapsed: Duration,
    cpu_ms: f64,
}

impl Stopwatch {
    fn time<T>(&mut self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let (start, cpu) = (Instant::now(), machine::thread_cpu_ms()?);
        let done = work();
        self.elapsed += start.elapsed();
        self.cpu_ms += machine::thread_cpu_ms()? - cpu;
        done
    }
}

struct Statements<'a> {
    device: Statement<'a>,
    placement: Statement<'a>,
    log: Statement<'a>,
    entitlement: Statement<'a>,
    line: Statement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(tx: &'a Transaction<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            device: tx.prepare(
                "INSERT INTO devices (id, serial, manufacturer, product_number, model, created_at) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?,
            placement: tx.prepare(
                "INSERT INTO placements (device, tenant, generation, serial, search, since, report, line) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            log: tx.prepare(
                "INSERT INTO placement_log (partner, seq, device, serial, from_tenant, to_tenant, generation, \
                 report, line, at, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            entitlement: tx.prepare(
                "INSERT INTO entitlements (device, support_level, starts_on, ends_on, assumed, report, line) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?,
            line: tx.prepare(
                "INSERT INTO report_lines (report, line, file_row, transaction_kind, sold_on, shipped_on, seller, \
                 buyer, buyer_name, country, product_number, model, support_level, manufacturer, serial, invoice, \
                 supersedes, received, verdict, reasons, pool, waits_for, judged_at) \
                 VALUES (?, ?, ?, 'sale', ?, NULL, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, '', NULL, 'placed', NULL, ?, \
                 NULL, ?)",
            )?,
        })
    }

    fn device(&mut self, row: &Row, at: i64) -> anyhow::Result<()> {
        let sale = &row.sale;
        self.device.execute(params![row.device, sale.serial, "", sale.product_number, sale.model, at])?;
        Ok(())
    }

    fn rest(&mut self, row: &Row, fixed: &Fixed, line: i64, at: i64) -> anyhow::Result<()> {
        let sale = &row.sale;
        let (report, partner) = (fixed.report, fixed.partners[sale.seller]);
        let holding = fixed.holdings[sale.seller];
        let none: Option<[u8; 16]> = None;
        self.placement.execute(params![row.device, holding, 1, sale.serial, row.search, at, report, line])?;
        self.log.execute(params![
            partner,
            row.seq,
            row.device,
            sale.serial,
            none,
            holding,
            1,
            report,
            line,
            at,
            row.hash
        ])?;
        if let Some(level) = sale.level {
            self.entitlement.execute(params![
                row.device,
                level.code(),
                sale.sold_on,
                sale.ends_on,
                true,
                report,
                line
            ])?;
        }
        self.line.execute(params![
            report,
            line,
            line + 1,
            sale.sold_on,
            sale.seller_number,
            sale.buyer,
            sale.buyer_name,
            sale.country,
            sale.product_number,
            sale.model,
            sale.level.map(|level| level.code()),
            sale.serial,
            sale.invoice,
            partner,
            at
        ])?;
        Ok(())
    }
}
