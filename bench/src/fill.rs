//! A database with any number of PCs that the product takes for its own: made by COPY instead of by reports, since ten
//! million lines would take the better part of an hour. Partners and reporter come by the product's own API, hashes
//! are chained as the product chains them, counters and heads are what the product would have.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use uuid::Uuid;

use crate::copy;
use crate::engine::{Cell, Database, Engine, vacuum};
use crate::floor::{self, Floor, Maker};
use crate::generator::{PARTNERS, Sale, Sellers};
use crate::server::Platform;
use crate::w1;

/// So many lines are one transaction.
const STEP: u64 = 500_000;
/// The tables that take a row a line.
const TABLES: [&str; 5] = ["devices", "placements", "placement_log", "entitlements", "report_lines"];

/// A database of `lines` PCs under this name, filled now or by an earlier run of this program.
pub async fn filled(
    engine: &Engine,
    program: &Path,
    directory: &Path,
    name: &str,
    lines: u64,
) -> anyhow::Result<Database> {
    let (database, there) = Database::kept(engine, directory, name).await?;
    if there {
        if has(&database).await? == Some(lines) {
            return Ok(database);
        }
        // Somebody stopped in the middle.
        database.remove().await?;
        let (fresh, _) = Database::kept(engine, directory, name).await?;
        fill(fresh, program, lines).await
    } else {
        fill(database, program, lines).await
    }
}

/// How many PCs it was filled with, if it was filled to its end.
async fn has(database: &Database) -> anyhow::Result<Option<u64>> {
    let client = database.client().await?;
    let found = client
        .query_opt(
            "SELECT to_regclass('bench_filled')::text WHERE to_regclass('bench_filled') IS NOT NULL",
            &[],
        )
        .await?;
    if found.is_none() {
        return Ok(None);
    }
    let lines: i64 = client.query_one("SELECT lines FROM bench_filled", &[]).await?.get(0);
    Ok(Some(u64::try_from(lines)?))
}

async fn fill(database: Database, program: &Path, lines: u64) -> anyhow::Result<Database> {
    eprintln!("filling {lines} PCs");
    let platform = Platform::start(program, database).await?;
    let inside = platform.look_inside().await?;
    let mut holdings = Vec::with_capacity(PARTNERS);
    let mut partners = Vec::with_capacity(PARTNERS);
    for partner in &platform.partners {
        let id: Uuid = partner.id.parse()?;
        let sql = "SELECT id FROM tenants WHERE parent = $1 AND kind = 'holding'";
        holdings.push(inside.row(sql, &[Cell::Id(id)]).await?[0].id()?);
        partners.push(id);
    }
    let reporter = inside.row("SELECT id FROM reporters", &[]).await?[0].id()?;
    let Platform { process, database, partners: named, .. } = platform;
    // Nobody may be surprised by tables without indexes.
    drop(process);

    let report = floor::id(0, 2);
    let mut maker = Maker::chained(report, partners, holdings);
    let client = database.client().await?;
    let indexes = drop_indexes(&client).await?;
    let mut from = 0;
    while from < lines {
        let to = lines.min(from + STEP);
        let client = database.client().await?;
        copy::run(Floor::SameTables, &database.engine, client, &mut maker, from..to).await?;
        from = to;
        eprintln!("  {from} copied");
    }
    client
        .batch_execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 0")
        .await?;
    for index in &indexes {
        client.batch_execute(index).await?;
    }
    eprintln!("  {} indexes made", indexes.len());
    tell(&client, &maker, reporter, lines).await?;
    vacuum(&client).await?;

    check(&database, program, &named.iter().map(|partner| partner.number.clone()).collect::<Vec<_>>(), lines)
        .await?;
    client.batch_execute(&format!("CREATE TABLE bench_filled AS SELECT {lines}::bigint AS lines")).await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(database)
}

/// Takes the indexes of the large tables away; what makes them again.
async fn drop_indexes(client: &tokio_postgres::Client) -> anyhow::Result<Vec<String>> {
    let mut made = Vec::new();
    for table in TABLES {
        let rows = client
            .query(
                "SELECT i.indexrelid::regclass::text, c.conname::text, pg_get_constraintdef(c.oid), \
                 pg_get_indexdef(i.indexrelid) FROM pg_index i \
                 LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u') \
                 WHERE i.indrelid = $1::text::regclass",
                &[&table],
            )
            .await?;
        for row in rows {
            let (name, constraint): (String, Option<String>) = (row.get(0), row.get(1));
            let (sql, again) = match constraint {
                Some(constraint) => {
                    let definition: String = row.get(2);
                    (
                        format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}"),
                        format!("ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}"),
                    )
                }
                // The index of a partitioned table says ON ONLY, which would leave its partitions without.
                None => (format!("DROP INDEX {name}"), row.get::<_, String>(3).replace(" ON ONLY ", " ON ")),
            };
            // One that others refer to stays.
            if client.batch_execute(&sql).await.is_ok() {
                made.push(again);
            }
        }
    }
    Ok(made)
}

/// What else the product would have written: the report with its counts, the counters, the heads of the logs.
async fn tell(
    client: &tokio_postgres::Client,
    maker: &Maker,
    reporter: Uuid,
    lines: u64,
) -> anyhow::Result<()> {
    let report = maker.report;
    let mut sql = format!(
        "INSERT INTO reports (id, reporter, operation, file_name, format, sha256, bytes, lines, validate_only, state, \
         received_at, finished_at) VALUES ('{report}', '{reporter}', '{report}', 'filling', 'csv', '\\x00', 0, {lines}, \
         false, 'succeeded', 1795000000000000, 1795000000000000);\
         INSERT INTO report_counts (report, verdict, lines) VALUES ('{report}', 'placed', {lines});"
    );
    let heads = maker.heads.as_ref().context("a filling without a chain")?;
    for (at, (partner, holding)) in maker.partners.iter().zip(&maker.holdings).enumerate() {
        let (seq, hash) = (maker.seqs[at], hex::encode(heads[at]));
        if seq > 0 {
            sql += &format!(
                "INSERT INTO placement_log_heads (partner, seq, hash) VALUES ('{partner}', {seq}, '\\x{hash}');\
                 INSERT INTO tenant_counts (tenant, devices) VALUES ('{holding}', {seq});\
                 INSERT INTO partner_report_counts (partner, report, verdict, lines) \
                 VALUES ('{partner}', '{report}', 'placed', {seq});"
            );
        }
    }
    Ok(client.batch_execute(&sql).await?)
}

/// The product's own counters against what was counted, and every partner's chain by the product itself.
async fn check(database: &Database, program: &Path, numbers: &[String], lines: u64) -> anyhow::Result<()> {
    let inside = database.inside().await?;
    let mut per_partner = vec![0; PARTNERS];
    let sellers = Sellers::skewed();
    for number in 0..lines {
        per_partner[Sale::of(number, &sellers).seller] += 1;
    }
    w1::pools_and_counters(&inside, numbers, &per_partner).await?;
    for table in ["devices", "placements", "placement_log", "report_lines"] {
        let rows = inside.number(&format!("SELECT COUNT(*) FROM {table}"), &[]).await?;
        ensure!(u64::try_from(rows)? == lines, "{rows} rows in {table}");
    }
    let output = Command::new(program)
        .args(["audit", "verify"])
        .args(database.arguments())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot verify the chain")?;
    ensure!(output.status.success(), "the chain does not hold: {}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// A copy of a filled database, for what changes it.
pub async fn copied(database: &Database, directory: &Path) -> anyhow::Result<Database> {
    let copy = Database::fresh(&database.engine, directory).await?;
    let (from, to) = (database.name(), copy.name());
    let client = copy.engine.client().await?;
    client.batch_execute(&format!("DROP DATABASE \"{to}\"; ")).await?;
    client.batch_execute(&format!("CREATE DATABASE \"{to}\" TEMPLATE \"{from}\" STRATEGY file_copy")).await?;
    Ok(copy)
}

/// The first line that nobody has used in this database, with so many taken from now on.
pub async fn take_lines(database: &Database, lines: u64) -> anyhow::Result<u64> {
    let client = database.client().await?;
    client.batch_execute("ALTER TABLE bench_filled ADD COLUMN IF NOT EXISTS used bigint").await?;
    let sql =
        format!("UPDATE bench_filled SET used = COALESCE(used, lines) + {lines} RETURNING used - {lines}");
    let first: i64 = client.query_one(&sql, &[]).await?.get(0);
    Ok(u64::try_from(first)?)
}

/// Serials of this partner's, in no order, of those that were filled.
pub fn serials_of(partner: usize, lines: u64, count: usize) -> Vec<String> {
    let sellers = Sellers::skewed();
    let step = (lines / (count as u64 * 8)).max(1);
    let numbers = (0..lines).step_by(usize::try_from(step).unwrap_or(1));
    let sales = numbers.map(|number| Sale::of(number, &sellers)).filter(|sale| sale.seller == partner);
    sales.map(|sale| sale.serial).take(count).collect()
}
