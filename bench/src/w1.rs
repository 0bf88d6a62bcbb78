//! W1: a sell-through file, from the start of its upload until every line is judged. W1a all PCs new, W1b the same
//! lines again, W1c a second file of new PCs on top, W1d a file with one flawed line in a hundred; the lines of W1a as
//! X12 867 and as EDIFACT SLSRPT.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use serde_json::{Map, Value};

use crate::Options;
use crate::engine::{Cell, Database, Engine, EngineName, Inside};
use crate::floor::{self, Floor, Maker, Taken};
use crate::generator::{self, PARTNERS, Sale, Sellers, Style, Written};
use crate::http::{Pieces, text_at};
use crate::machine::{Spread, idle_share, settle};
use crate::object;
use crate::report::{Bound, Outcome, Table, Workload, figure};
use crate::server::Platform;

/// The size that the bounds are about.
const FULL: u64 = 1_000_000;
/// What the product must reach of the same rows into the same tables, and what it is meant to reach.
const LEAST: f64 = 0.35;
const GOAL: f64 = 0.5;
/// W1a on SQLite must reach the goal, or this of the floor of one table.
const OF_ONE_TABLE: f64 = 0.15;
/// What messages must reach of the rate of CSV.
const OF_CSV: f64 = 1.0 / 3.0;
/// The most memory of the server.
const PEAK_MB: f64 = 300.0;
/// How many serials are looked up afterwards.
const SAMPLE: u64 = 1000;

/// Which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// W1a.
    New,
    /// W1b.
    Again,
    /// W1c.
    Second,
    /// W1d.
    Dirty,
    /// The lines of W1a as X12 867.
    X12,
    /// The lines of W1a as EDIFACT SLSRPT.
    Edifact,
}

impl Case {
    /// Every one, in the order in which they run; the second and the third follow the first on its platform.
    pub const ALL: [Case; 4] = [Case::New, Case::Again, Case::Second, Case::Dirty];

    /// The same lines as CSV and as messages, each on a platform of its own.
    pub const MESSAGES: [Case; 3] = [Case::New, Case::X12, Case::Edifact];

    fn is_message(self) -> bool {
        matches!(self, Case::X12 | Case::Edifact)
    }

    /// Whether it needs a platform that has nothing yet.
    fn is_alone(self) -> bool {
        self == Case::Dirty || self.is_message()
    }

    fn content_type(self) -> &'static str {
        match self {
            Case::X12 => "application/edi-x12",
            Case::Edifact => "application/edifact",
            _ => "text/csv",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Case::New => "W1a",
            Case::Again => "W1b",
            Case::Second => "W1c",
            Case::Dirty => "W1d",
            Case::X12 => "W1m-867",
            Case::Edifact => "W1m-SLSRPT",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Case::New => "every PC is new",
            Case::Again => "the lines of W1a in another order and with a column more: nothing changes",
            Case::Second => "every PC is new, into the tables that W1a has filled",
            Case::Dirty => "one line in a hundred with an unknown partner, a doubled serial or a bad date",
            Case::X12 => "the lines of W1a as X12 867, sets of 10,000",
            Case::Edifact => "the lines of W1a as EDIFACT SLSRPT, messages of 10,000",
        }
    }

    /// The floor of a repeated or a dirty file is that of a clean one.
    fn floor(self) -> Case {
        if self == Case::Second { Case::Second } else { Case::New }
    }
}

/// Who ran.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Product(Case),
    /// The case is `New` or `Second`.
    Floor(Floor, Case),
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Who::Product(Case::New) => "product, CSV of new PCs",
            Who::Product(_) => "product",
            Who::Floor(Floor::SameTables, _) => "floor, same tables",
            Who::Floor(Floor::OneTable, _) => "floor, one table",
        }
    }
}

struct Run {
    who: Who,
    idle: f64,
    upload_seconds: Option<f64>,
    seconds: f64,
    cpu_ms: f64,
    peak_mb: Option<f64>,
    wal_bytes: Option<i64>,
}

/// The files, each with what it holds.
struct Files {
    _directory: tempfile::TempDir,
    of: Vec<(Case, std::path::PathBuf, Written)>,
}

impl Files {
    fn write(options: &Options, cases: &[Case]) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("roadstead-w1-").tempdir_in(&options.dir)?;
        let (sellers, lines) = (Sellers::skewed(), options.lines);
        let mut of = Vec::new();
        for case in cases {
            let path = directory.path().join(format!("{}.csv", case.id()));
            let syntax = match case {
                Case::X12 => Some(generator::Syntax::X12),
                Case::Edifact => Some(generator::Syntax::Edifact),
                _ => None,
            };
            if let Some(syntax) = syntax {
                let written = generator::write_messages(&path, 0..lines, &sellers, syntax)?;
                of.push((*case, path, written));
                continue;
            }
            let (numbers, style) = match case {
                Case::New | Case::X12 | Case::Edifact => (0..lines, Style::Plain),
                Case::Again => (0..lines, Style::Shuffled),
                Case::Second => (lines..2 * lines, Style::Plain),
                Case::Dirty => (0..lines, Style::Dirty),
            };
            let written = generator::write_csv(&path, numbers, &sellers, style)?;
            of.push((*case, path, written));
        }
        Ok(Self { _directory: directory, of })
    }

    fn get(&self, case: Case) -> anyhow::Result<(&Path, &Written)> {
        let found = self.of.iter().find(|(of, ..)| *of == case);
        let (_, path, written) = found.ok_or_else(|| anyhow::anyhow!("no file for {}", case.id()))?;
        Ok((path, written))
    }
}

/// Runs product and floors alternately.
pub async fn run(options: &Options, engine: &Engine, cases: &[Case]) -> anyhow::Result<Vec<Workload>> {
    let mut needed = cases.to_vec();
    if cases.iter().any(|case| matches!(case, Case::Again | Case::Second)) && !cases.contains(&Case::New) {
        needed.insert(0, Case::New);
    }
    let files = Files::write(options, &needed)?;
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        one_round(options, engine, &needed, &files, &mut runs).await?;
    }
    cases.iter().map(|case| workload(options.lines, engine, *case, &files, &runs)).collect()
}

async fn one_round(
    options: &Options,
    engine: &Engine,
    cases: &[Case],
    files: &Files,
    runs: &mut Vec<Run>,
) -> anyhow::Result<()> {
    let mut done = |run: Run| {
        let (Who::Product(case) | Who::Floor(_, case)) = run.who;
        eprintln!("{} {}: {:.2} s, idle before {:.2}", case.id(), run.who.name(), run.seconds, run.idle);
        runs.push(run);
    };
    let first: Vec<Case> = cases.iter().copied().filter(|case| !case.is_alone()).collect();
    let alone = cases.iter().filter(|case| case.is_alone()).map(|case| vec![*case]);
    for cases in std::iter::once(first).chain(alone) {
        if cases.is_empty() {
            continue;
        }
        let mut platform =
            Platform::start(&options.server, Database::fresh(engine, &options.dir).await?).await?;
        let mut there = There::default();
        for case in cases {
            settle().await?;
            done(product(&mut platform, case, files, &mut there).await?);
        }
        platform.remove().await?;
    }
    for floor in [Floor::SameTables, Floor::OneTable] {
        let database = Database::fresh(engine, &options.dir).await?;
        database.migrate(&options.server)?;
        let mut maker = Maker::unchained();
        for (case, numbers) in
            [(Case::New, 0..options.lines), (Case::Second, options.lines..2 * options.lines)]
        {
            let wanted = cases.iter().any(|other| other.floor() == case);
            if !wanted || (floor == Floor::OneTable && case == Case::Second) {
                continue;
            }
            settle().await?;
            let idle = idle_share().await?;
            let before = database.wal_bytes().await?;
            let Taken { seconds, cpu_ms } = floor::run(floor, &database, &mut maker, numbers).await?;
            let wal_bytes = wal_since(&database, before).await?;
            let who = Who::Floor(floor, case);
            done(Run { who, idle, upload_seconds: None, seconds, cpu_ms, peak_mb: None, wal_bytes });
        }
        database.remove().await?;
    }
    Ok(())
}

async fn wal_since(database: &Database, before: Option<i64>) -> anyhow::Result<Option<i64>> {
    Ok(database.wal_bytes().await?.zip(before).map(|(after, before)| after - before))
}

/// What a platform has by now.
#[derive(Default)]
struct There {
    per_partner: Vec<u64>,
    with_level: u64,
    lines: u64,
}

impl There {
    fn add(&mut self, case: Case, written: &Written) {
        self.lines += written.lines;
        if case == Case::Again {
            return;
        }
        self.with_level += written.with_level;
        self.per_partner.resize(PARTNERS, 0);
        for (all, new) in self.per_partner.iter_mut().zip(&written.per_partner) {
            *all += new;
        }
    }

    fn placed(&self) -> u64 {
        self.per_partner.iter().sum()
    }
}

async fn product(
    platform: &mut Platform,
    case: Case,
    files: &Files,
    there: &mut There,
) -> anyhow::Result<Run> {
    let (file, written) = files.get(case)?;
    let idle = idle_share().await?;
    let cpu = platform.cpu_ms()?;
    let wal = platform.database.wal_bytes().await?;
    let start = Instant::now();
    let pieces = Pieces::new(File::open(file)?, written.bytes);
    let path = "/api/v1/sell-through-reports";
    let submitted = platform.distributor.post_file(path, case.content_type(), pieces).await?;
    let upload_seconds = Some(start.elapsed().as_secs_f64());
    let result = platform.until_done(text_at(&submitted, "/operation/id")?).await?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu_ms = platform.cpu_ms()? - cpu;
    let wal_bytes = wal_since(&platform.database, wal).await?;
    let peak_mb = Some(platform.process.peak_mb()?);
    let mut expected = written.verdicts.clone();
    if case == Case::Again {
        expected = [("duplicate", written.lines)].into();
    }
    Platform::came_to(&result, &expected)?;
    there.add(case, written);
    check(platform, there).await?;
    Ok(Run { who: Who::Product(case), idle, upload_seconds, seconds, cpu_ms, peak_mb, wal_bytes })
}

/// Every row is where it belongs: counted in the database, and seen as the partner sees it.
async fn check(platform: &Platform, there: &There) -> anyhow::Result<()> {
    let inside = platform.look_inside().await?;
    let placed = there.placed();
    for (table, expected) in [
        ("devices", placed),
        ("placements", placed),
        ("placement_log", placed),
        ("entitlements", there.with_level),
        ("report_lines", there.lines),
        ("report_pieces", 0),
    ] {
        let rows = inside.number(&format!("SELECT COUNT(*) FROM {table}"), &[]).await?;
        ensure!(u64::try_from(rows)? == expected, "{rows} rows in {table} instead of {expected}");
    }
    let numbers: Vec<String> = platform.partners.iter().map(|partner| partner.number.clone()).collect();
    pools_and_counters(&inside, &numbers, &there.per_partner).await?;
    let sellers = Sellers::skewed();
    // Sales that neither style spoils.
    let step = (placed / SAMPLE.min(placed)).next_multiple_of(100).min(placed);
    for number in (0..placed).step_by(usize::try_from(step)?) {
        let sale = Sale::of(number, &sellers);
        let sql = "SELECT n.number FROM devices d JOIN placements p ON p.device = d.id \
                   JOIN tenants t ON t.id = p.tenant JOIN partners n ON n.tenant = t.parent WHERE d.serial = $1";
        let row = inside.row(sql, &[Cell::Text(sale.serial.clone())]).await?;
        ensure!(row[0].text()? == sale.seller_number, "{} is with {:?}", sale.serial, row[0]);
    }
    as_the_partner_sees_it(platform, there).await
}

/// Each partner's PCs and its counter.
pub async fn pools_and_counters(
    inside: &Inside,
    numbers: &[String],
    per_partner: &[u64],
) -> anyhow::Result<()> {
    let sql = "SELECT (SELECT COUNT(*) FROM placements p WHERE p.tenant = t.id), \
               COALESCE((SELECT devices FROM tenant_counts c WHERE c.tenant = t.id), 0) \
               FROM partners n JOIN tenants t ON t.parent = n.tenant WHERE n.number = $1 AND t.kind = 'holding'";
    for (number, expected) in numbers.iter().zip(per_partner) {
        let row = inside.row(sql, &[Cell::Text(number.clone())]).await?;
        let (rows, counter, expected) = (row[0].int()?, row[1].int()?, i64::try_from(*expected)?);
        ensure!(
            rows == expected && counter == expected,
            "partner {number}: {rows} PCs and a counter of {counter} instead of {expected}"
        );
    }
    Ok(())
}

/// Walks the whole list of one of the smaller partners by its own token.
async fn as_the_partner_sees_it(platform: &Platform, there: &There) -> anyhow::Result<()> {
    let partner = PARTNERS - 1;
    let mut client = platform.partner(partner).await?;
    let (mut seen, mut cursor) = (0_u64, String::new());
    loop {
        let page = client.get(&format!("/api/v1/unassigned-devices?limit=1000{cursor}")).await?;
        seen += page["items"].as_array().map_or(0, Vec::len) as u64;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected = there.per_partner[partner];
    let number = &platform.partners[partner].number;
    ensure!(seen == expected, "{number} is shown {seen} PCs instead of {expected}");
    Ok(())
}

fn workload(
    lines: u64,
    engine: &Engine,
    case: Case,
    files: &Files,
    runs: &[Run],
) -> anyhow::Result<Workload> {
    let (_, written) = files.get(case)?;
    let rate = |run: &Run| lines as f64 / run.seconds;
    let per_thousand = |run: &Run| run.cpu_ms * 1000.0 / lines as f64;
    let whos = [
        Who::Product(case),
        Who::Floor(Floor::SameTables, case.floor()),
        Who::Floor(Floor::OneTable, case.floor()),
        Who::Product(Case::New),
    ];
    let whos = match case {
        Case::New => &whos[..3],
        Case::X12 | Case::Edifact => &[whos[0], whos[1], whos[3]],
        _ => &whos[..2],
    };
    let of = |who: Who| runs.iter().filter(move |run| run.who == who);
    let rows: Vec<Map<String, Value>> = runs
        .iter()
        .filter(|run| whos.contains(&run.who))
        .map(|run| {
            let known = |value: Option<f64>| value.map_or(Value::from("-"), |value| figure(value).into());
            object! {
                "run" => run.who.name(), "idle_before" => figure(run.idle), "seconds" => figure(run.seconds),
                "of_which_upload" => known(run.upload_seconds), "rows_per_second" => figure(rate(run)),
                "cpu_ms_per_1000_rows" => figure(per_thousand(run)),
                "peak_mb_of_the_server" => known(run.peak_mb),
                "wal_mb" => known(run.wal_bytes.map(|bytes| bytes as f64 / 1e6)),
            }
        })
        .collect();
    let spread = |who: Who, f: &dyn Fn(&Run) -> f64| Spread::of(&of(who).map(f).collect::<Vec<_>>());
    let summary = whos
        .iter()
        .map(|who| {
            let rates = spread(*who, &rate);
            object! {
                "rows_per_second" => who.name(), "min" => figure(rates.min), "median" => figure(rates.median),
                "max" => figure(rates.max), "cpu_ms_per_1000_rows" => figure(spread(*who, &per_thousand).median),
            }
        })
        .collect();
    let share = |who: Who| spread(whos[0], &rate).median / spread(who, &rate).median;
    let of_same = share(whos[1]);
    let full = lines >= FULL;
    let bound = |demand: String, measured: f64, met: bool| Bound {
        demand,
        measured,
        outcome: Outcome::of(met, full),
    };
    let mut bounds = Vec::new();
    if case.is_message() {
        let of_csv = share(whos[2]);
        let demand = "of the rate of the same lines as CSV, at least a third".to_owned();
        bounds.push(bound(demand, of_csv, of_csv >= OF_CSV));
    } else if case == Case::New && engine.name() == EngineName::Sqlite {
        let of_one = share(whos[2]);
        let fast = of_same >= GOAL || of_one >= OF_ONE_TABLE;
        bounds.push(bound(
            format!("of the same rows into the same tables, at least {GOAL} here or {OF_ONE_TABLE} below"),
            of_same,
            fast,
        ));
        bounds.push(bound(
            format!("of the rows of one table, at least {OF_ONE_TABLE} here or {GOAL} above"),
            of_one,
            fast,
        ));
    } else {
        bounds.push(bound(
            format!("of as many new rows into the same tables, at least {LEAST}, the goal is {GOAL}"),
            of_same,
            of_same >= LEAST,
        ));
    }
    if case == Case::New || case.is_message() {
        let peak = of(whos[0]).filter_map(|run| run.peak_mb).fold(0.0, f64::max);
        let met = peak > 0.0 && peak < PEAK_MB;
        bounds.push(bound(format!("resident MB of the server at most, under {PEAK_MB}"), peak, met));
    }
    let verdicts = match case {
        Case::Again => [("duplicate", written.lines)].into(),
        _ => written.verdicts.clone(),
    };
    Ok(Workload {
        id: case.id(),
        facts: object! {
            "engine" => engine.settings(), "lines" => lines, "which" => case.what(), "bytes" => written.bytes,
            "partners" => PARTNERS, "verdicts" => verdicts,
            "clock" => "from the first byte of the POST until the operation says succeeded",
            "processor_time" => "of server and database",
            "checked" => "what the lines came to; rows of five tables; pool and counter of each partner; the \
                          partner of sampled serials; one partner's list to its end",
        },
        tables: vec![
            Table { title: "runs, in their order", rows },
            Table { title: "rows per second", rows: summary },
        ],
        bounds,
    })
}
