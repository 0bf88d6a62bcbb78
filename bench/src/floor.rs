//! The floors of W1: the rows that the product writes, written straight into the tables that the product's own
//! migrations made, with nothing judged or looked up: by prepared single-row statements into SQLite, by COPY
//! (`copy.rs`) into PostgreSQL, in one transaction.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use roadstead_domain::audit::{CHAIN_START, ChainEntry};
use roadstead_domain::ids::{DeviceId, TenantId};
use rusqlite::{Connection, Statement, Transaction, params};
use uuid::{Builder, Uuid};

use crate::copy;
use crate::engine::{Database, Inside};
use crate::generator::{PARTNERS, Sale, Sellers};
use crate::machine;

/// Rows are made this many at a time, while the clock stands still. It is also how many share an instant, as the
/// product's batches do.
pub const CHUNK: u64 = 10_000;

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
    /// Time on the processor, the database's own processes included.
    pub cpu_ms: f64,
}

/// A line's rows with the identifiers that the product would have given them.
pub struct Row {
    /// The line.
    pub sale: Sale,
    /// The PC.
    pub device: Uuid,
    /// What lists search.
    pub search: String,
    /// Its place in the partner's log.
    pub seq: i64,
    /// What the log covers it with.
    pub hash: [u8; 32],
    /// The line's number in its report.
    pub line: i64,
    /// When, in microseconds.
    pub at: i64,
}

/// Makes rows, and remembers how far each partner's log is.
pub struct Maker {
    /// The report that they came with.
    pub report: Uuid,
    /// The partners, in the order of the generator.
    pub partners: Vec<Uuid>,
    /// Their holding tenants.
    pub holdings: Vec<Uuid>,
    /// The number of each partner's last log entry.
    pub seqs: Vec<i64>,
    /// The hash of each partner's last log entry, where the logs are to be chained as the product chains them.
    pub heads: Option<Vec<[u8; 32]>>,
    sellers: Sellers,
}

impl Maker {
    /// For a floor: nobody has these identifiers, and hashes are as good as random.
    pub fn unchained() -> Self {
        let ids = |from: u64| (0..PARTNERS as u64).map(|n| id(0, from + n)).collect();
        Self {
            report: id(0, 1),
            partners: ids(1000),
            holdings: ids(2000),
            seqs: vec![0; PARTNERS],
            heads: None,
            sellers: Sellers::skewed(),
        }
    }

    /// For a floor in a database where others were, from this line on: its places in the logs are free.
    pub fn unchained_from(line: u64) -> Self {
        Self {
            seqs: vec![i64::try_from(line).unwrap_or(0); PARTNERS],
            report: id(1, line),
            ..Self::unchained()
        }
    }

    /// For a filling that the product takes for its own.
    pub fn chained(report: Uuid, partners: Vec<Uuid>, holdings: Vec<Uuid>) -> Self {
        let heads = Some(vec![CHAIN_START; PARTNERS]);
        Self { report, partners, holdings, heads, ..Self::unchained() }
    }

    /// The rows of these lines.
    pub fn rows(&mut self, numbers: Range<u64>) -> anyhow::Result<Vec<Row>> {
        numbers.map(|number| self.row(number)).collect()
    }

    fn row(&mut self, number: u64) -> anyhow::Result<Row> {
        let sale = Sale::of(number, &self.sellers);
        let at = 1_795_000_000_000_000 + i64::try_from(number / CHUNK)?;
        let device = id(number / CHUNK, number);
        self.seqs[sale.seller] += 1;
        let seq = self.seqs[sale.seller];
        let mut hash = [0; 32];
        match &mut self.heads {
            Some(heads) => {
                let entry = ChainEntry {
                    partner: TenantId(self.partners[sale.seller]),
                    seq,
                    device: DeviceId(device),
                    serial: &sale.serial,
                    from: None,
                    to: Some(TenantId(self.holdings[sale.seller])),
                    generation: 1,
                    at,
                    // Of version 1, which is the default of the column.
                    grounds: None,
                };
                hash = entry.hash(&heads[sale.seller]);
                heads[sale.seller] = hash;
            }
            None => {
                for (at, byte) in hash.iter_mut().enumerate() {
                    *byte = (number.wrapping_mul(0x9d5b_3f01) >> (at % 4 * 8)) as u8 ^ at as u8;
                }
            }
        }
        let parts = [&sale.serial, sale.product_number, sale.model, sale.buyer_name, &sale.invoice];
        let search = parts.join("\n").to_lowercase();
        Ok(Row { sale, device, search, seq, hash, line: i64::try_from(number)? + 1, at })
    }
}

/// A UUIDv7 that rises with these two.
pub fn id(chunk: u64, number: u64) -> Uuid {
    let mut random = [0x5a; 10];
    random[2..].copy_from_slice(&(0x1234_5678_9abc_0000 + number).to_be_bytes());
    Builder::from_unix_timestamp_millis(1_795_000_000_000 + chunk, &random).into_uuid()
}

/// Writes the lines of these numbers into a migrated database, and makes sure that they are there.
pub async fn run(
    floor: Floor,
    database: &Database,
    maker: &mut Maker,
    numbers: Range<u64>,
) -> anyhow::Result<Taken> {
    let tables: &[&str] = match floor {
        Floor::SameTables => &["devices", "placements", "placement_log", "report_lines"],
        Floor::OneTable => &["devices"],
    };
    let before = count(database, tables).await?;
    let taken = match database.inside().await? {
        Inside::Sqlite(connection) => insert(floor, connection, maker, numbers.clone())?,
        Inside::Postgres(client) => {
            copy::run(floor, &database.engine, client, maker, numbers.clone()).await?
        }
    };
    let after = count(database, tables).await?;
    for ((table, before), after) in tables.iter().zip(before).zip(after) {
        let new = after - before;
        ensure!(
            new == i64::try_from(numbers.end - numbers.start)?,
            "the floor has put {new} rows into {table}"
        );
    }
    Ok(taken)
}

async fn count(database: &Database, tables: &[&str]) -> anyhow::Result<Vec<i64>> {
    let inside = database.inside().await?;
    let mut counts = Vec::new();
    for table in tables {
        counts.push(inside.number(&format!("SELECT COUNT(*) FROM {table}"), &[]).await?);
    }
    Ok(counts)
}

fn insert(
    floor: Floor,
    mut database: Connection,
    maker: &mut Maker,
    numbers: Range<u64>,
) -> anyhow::Result<Taken> {
    // The settings of the product's writer (`Store::open_sqlite`).
    let mode: String = database.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        bail!("the product's database is in {mode} mode");
    }
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "foreign_keys", "ON")?;
    database.pragma_update(None, "cache_size", -65_536)?;
    database.pragma_update(None, "wal_autocheckpoint", 4000)?;
    let mut clock = Stopwatch::default();
    let tx = clock.time(|| Ok(database.transaction()?))?;
    let mut statements = Statements::prepare(&tx)?;
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + CHUNK);
        let rows = maker.rows(from..to)?;
        clock.time(|| {
            for row in &rows {
                statements.device(row)?;
                if floor == Floor::SameTables {
                    statements.rest(row, maker)?;
                }
            }
            Ok(())
        })?;
        from = to;
    }
    drop(statements);
    clock.time(|| Ok(tx.commit()?))?;
    Ok(Taken { seconds: clock.elapsed.as_secs_f64(), cpu_ms: clock.cpu_ms })
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

    fn device(&mut self, row: &Row) -> anyhow::Result<()> {
        let sale = &row.sale;
        let device = row.device.as_bytes();
        self.device.execute(params![device, sale.serial, "", sale.product_number, sale.model, row.at])?;
        Ok(())
    }

    fn rest(&mut self, row: &Row, maker: &Maker) -> anyhow::Result<()> {
        let Row { sale, line, at, .. } = row;
        let (device, report) = (row.device.as_bytes(), maker.report.as_bytes());
        let partner = maker.partners[sale.seller].as_bytes();
        let holding = maker.holdings[sale.seller].as_bytes();
        let none: Option<[u8; 16]> = None;
        self.placement.execute(params![device, holding, 1, sale.serial, row.search, at, report, line])?;
        self.log.execute(params![
            partner,
            row.seq,
            device,
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
                device,
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
