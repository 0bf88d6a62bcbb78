//! Roadstead's benches: the release server against floors that the same machine reaches in the same run.
//! See README.md beside this package.

mod agents;
mod asked;
mod commits;
mod copy;
mod engine;
mod explanation;
mod fill;
mod floor;
mod generator;
mod http;
mod load;
mod machine;
mod nodes;
mod plot;
mod question;
mod report;
mod server;
mod signed;
mod signed_floor;
mod transfer;
mod w1;
mod w1e;
mod w2;
mod w3a;
mod w3c;
mod w4;
mod w5;
mod w6;
mod w7;
mod w9;
mod web_floor;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::engine::{Database, Engine, EngineName};
use crate::machine::Machine;
use crate::report::Report;
use crate::server::Platform;
use crate::w1::Case;

#[derive(Parser)]
#[command(name = "bench", about = "Measures Roadstead's release server against floors of the same run.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A report of new PCs, rows per second.
    W1a(Options),
    /// Reports of new PCs, of the same again, of more, and of flawed lines, rows per second.
    W1(Options),
    /// Reports of new PCs as X12 867 and EDIFACT SLSRPT, beside the same lines as CSV, rows per second.
    W1m(Options),
    /// From a report's last byte to the partner's open page.
    W1e(Options),
    /// A look-up by serial, requests per second.
    W2(Options),
    /// A page of the list, requests per second.
    W3a(Options),
    /// A search, a filter and their counts, answer by answer.
    W3c(Options),
    /// PCs moved to many tenants and back, PCs per second.
    W4(Options),
    /// PCs enrol and check in, per second.
    W5(Options),
    /// From an alert to the agent's live channel, with many agents connected; and (W8) the memory that each of them costs.
    W6(Options),
    /// From Submit to the desk's page, and cases per second.
    W7(Options),
    /// A serial explained to a partner, answer by answer. On PostgreSQL in the largest of the filled databases of W9.
    Explanation(Options),
    /// What a line, a look-up and a page cost as the platform grows. On PostgreSQL.
    W9(Options),
    /// Fills the databases of W9, where they are not there yet, and measures nothing.
    Fill(Options),
    /// Two servers on one database against one. On PostgreSQL.
    Nodes(Options),
    /// One after the other, without W9 and nodes, and on PostgreSQL without explanation.
    All(Options),
    /// The web floor's own process (started by w2 and w3a).
    #[command(hide = true)]
    WebFloor {
        /// A JSON list of answers.
        bodies: PathBuf,
    },
    /// The floor of check-ins (started by w5 and w6).
    #[command(hide = true)]
    SignedFloor {
        /// The address that the requests are signed for.
        origin: String,
    },
}

/// What can be set. The defaults are what the bounds are about.
#[derive(Args, Clone, Debug)]
struct Options {
    /// The engine under the product. PostgreSQL is started beside, with its own settings, unless
    /// ROADSTEAD_TEST_POSTGRES says where one is.
    #[arg(long, value_enum, default_value = "sqlite")]
    engine: EngineName,
    /// Lines of a report of W1, PCs in the tenant of W2, W3a and, on SQLite, of explanation.
    #[arg(long, default_value_t = 1_000_000)]
    lines: u64,
    /// Runs of W1, each of the product and of both floors.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Reports of W1e.
    #[arg(long, default_value_t = 30)]
    reports: u64,
    /// Lines of each report of W1e; the product judges 10,000 in one batch.
    #[arg(long, default_value_t = 10_000)]
    report_lines: u64,
    /// Seconds of a slice of W2, W3a and explanation, and of the commits of W5 and W7.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Slices of W2, W3a, W5's check-ins and explanation at each page and number of connections.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// PCs that W4 moves.
    #[arg(long, default_value_t = 10_000)]
    moved: u64,
    /// PCs that enrol in W5.
    #[arg(long, default_value_t = 20_000)]
    pcs: u64,
    /// Check-ins of each PC of W5 from each number of connections; the product lets 30 come at once.
    #[arg(long, default_value_t = 6)]
    times: usize,
    /// Agents that are connected in W6 and W8.
    #[arg(long, default_value_t = 10_000)]
    agents: u64,
    /// Alerts of W6, each of another agent's PC.
    #[arg(long, default_value_t = 300)]
    alerts: usize,
    /// Cases of W7.
    #[arg(long, default_value_t = 1_000)]
    cases: u64,
    /// PCs of the platforms of W9; explanation asks on the largest of them.
    #[arg(long, value_delimiter = ',', default_values_t = w9::SIZES)]
    sizes: Vec<u64>,
    /// The server.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/roadstead"))]
    server: PathBuf,
    /// Where data is kept meanwhile: on a disk, with 6 GB of room.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Where the figures go as JSON.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/out.json"))]
    out: PathBuf,
}

#[derive(Clone, Copy)]
enum Which {
    W1a,
    W1,
    W1m,
    W1e,
    W2,
    W3a,
    W3c,
    W4,
    W5,
    W6,
    W7,
    Explanation,
    W9,
    Fill,
    Nodes,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let command = Cli::parse().command;
    tokio::select! {
        done = execute(command) => done,
        // What was started is ended and its data removed by whoever holds it, in the order in which it is dropped.
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    }
}

async fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::W1a(options) => run(&options, &[Which::W1a]).await,
        Command::W1(options) => run(&options, &[Which::W1]).await,
        Command::W1m(options) => run(&options, &[Which::W1m]).await,
        Command::W1e(options) => run(&options, &[Which::W1e]).await,
        Command::W2(options) => run(&options, &[Which::W2]).await,
        Command::W3a(options) => run(&options, &[Which::W3a]).await,
        Command::W3c(options) => run(&options, &[Which::W3c]).await,
        Command::W4(options) => run(&options, &[Which::W4]).await,
        Command::W5(options) => run(&options, &[Which::W5]).await,
        Command::W6(options) => run(&options, &[Which::W6]).await,
        Command::W7(options) => run(&options, &[Which::W7]).await,
        Command::Explanation(options) => run(&options, &[Which::Explanation]).await,
        Command::W9(options) => run(&options, &[Which::W9]).await,
        Command::Fill(options) => run(&options, &[Which::Fill]).await,
        Command::Nodes(options) => run(&options, &[Which::Nodes]).await,
        Command::All(options) => {
            let mut all = vec![Which::W1, Which::W1m, Which::W1e, Which::W2, Which::W3a, Which::W3c];
            if options.engine == EngineName::Sqlite {
                // On PostgreSQL it takes ten million lines.
                all.push(Which::Explanation);
            }
            all.extend([Which::W4, Which::W5, Which::W6, Which::W7]);
            run(&options, &all).await
        }
        Command::WebFloor { bodies } => web_floor::serve(&bodies).await.map(|()| ExitCode::SUCCESS),
        Command::SignedFloor { origin } => signed_floor::serve(origin).await.map(|()| ExitCode::SUCCESS),
    }
}

/// Runs these and reports; a failure if a bound was missed or an answer was wrong.
async fn run(options: &Options, which: &[Which]) -> anyhow::Result<ExitCode> {
    if options.engine == EngineName::Postgres
        && let Some(code) = engine::beside_postgres()?
    {
        return Ok(code.into());
    }
    let engine = Engine::find(options.engine).await?;
    let machine = Machine::look(&options.dir, &options.server)?;
    let started = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut report = Report { started, machine, workloads: Vec::new() };
    print!("{}", report.head()?);
    // W2, W3 and, on SQLite, explanation ask the same tenant.
    let mut asked = None;
    for one in which {
        let workloads = match one {
            Which::W1a => w1::run(options, &engine, &[Case::New]).await?,
            Which::W1 => w1::run(options, &engine, &Case::ALL).await?,
            Which::W1m => w1::run(options, &engine, &Case::MESSAGES).await?,
            Which::W1e => vec![w1e::run(options, &engine).await?],
            Which::W4 => vec![w4::run(options, &engine).await?],
            Which::W5 => vec![w5::run(options, &engine).await?],
            Which::W6 => w6::run(options, &engine).await?,
            Which::W7 => vec![w7::run(options, &engine).await?],
            Which::Explanation if engine.name() == EngineName::Postgres => {
                vec![w9::explanation(options, &engine).await?]
            }
            Which::W9 => vec![w9::run(options, &engine).await?],
            Which::Nodes => vec![nodes::run(options, &engine).await?],
            Which::Fill => {
                w9::fill_all(options, &engine).await?;
                Vec::new()
            }
            Which::W2 | Which::W3a | Which::W3c | Which::Explanation => {
                let platform = match asked.take() {
                    Some(platform) => platform,
                    None => filled(options, &engine).await?,
                };
                let workload = match one {
                    Which::W2 => w2::run(options, &engine, &platform).await?,
                    Which::W3a => w3a::run(options, &engine, &platform).await?,
                    Which::Explanation => {
                        let step = usize::try_from((options.lines / 2_000).max(1))?;
                        let serials: Vec<String> =
                            (0..options.lines).step_by(step).map(generator::serial).collect();
                        let lines = (options.lines, explanation::FULL_SQLITE);
                        explanation::run(options, &engine, &platform, lines, &serials).await?
                    }
                    _ => w3c::run(options, &engine, &platform).await?,
                };
                asked = Some(platform);
                vec![workload]
            }
        };
        for workload in workloads {
            print!("{}", workload.text());
            report.workloads.push(workload);
        }
        // After each, so that a later one that breaks off loses nothing.
        report.write(&options.out)?;
    }
    if let Some(platform) = asked {
        platform.remove().await?;
    }
    Ok(if report.missed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A platform with one partner that has `options.lines` PCs.
async fn filled(options: &Options, engine: &Engine) -> anyhow::Result<Platform> {
    let mut platform = Platform::start(&options.server, Database::fresh(engine, &options.dir).await?).await?;
    asked::fill(&mut platform, options).await?;
    platform.database.settle().await?;
    Ok(platform)
}
