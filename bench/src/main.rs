//! Roadstead's benches: the release server against floors that the same machine reaches in the same run.
//! See README.md beside this package.

mod floor;
mod generator;
mod http;
mod load;
mod machine;
mod page_floor;
mod report;
mod server;
mod w1a;
mod w1e;
mod w3a;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::machine::Machine;
use crate::report::Report;

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
    /// From a report's last byte to the partner's open page.
    W1e(Options),
    /// A page of the list, requests per second.
    W3a(Options),
    /// One after the other.
    All(Options),
    /// The web floor's own process (started by w3a).
    #[command(hide = true)]
    WebFloor {
        /// A JSON list of pages.
        pages: PathBuf,
    },
}

/// What can be set. The defaults are what the bounds are about.
#[derive(Args, Clone, Debug)]
struct Options {
    /// Lines of the report of W1a, PCs in the tenant of W3a.
    #[arg(long, default_value_t = 1_000_000)]
    lines: u64,
    /// Runs of W1a, each of the product and of both floors.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Reports of W1e.
    #[arg(long, default_value_t = 30)]
    reports: u64,
    /// Lines of each report of W1e; the product judges 10,000 in one batch.
    #[arg(long, default_value_t = 10_000)]
    report_lines: u64,
    /// Seconds of a slice of W3a.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Slices of W3a at each page and number of connections.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
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
    W1e,
    W3a,
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
        Command::W1e(options) => run(&options, &[Which::W1e]).await,
        Command::W3a(options) => run(&options, &[Which::W3a]).await,
        Command::All(options) => run(&options, &[Which::W1a, Which::W1e, Which::W3a]).await,
        Command::WebFloor { pages } => page_floor::serve(&pages).await.map(|()| ExitCode::SUCCESS),
    }
}

/// Runs these and reports; a failure if a bound was missed or an answer was wrong.
async fn run(options: &Options, which: &[Which]) -> anyhow::Result<ExitCode> {
    let machine = Machine::look(&options.dir, &options.server)?;
    let started = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut report = Report { started, machine, workloads: Vec::new() };
    print!("{}", report.head()?);
    for one in which {
        let workload = match one {
            Which::W1a => w1a::run(options).await?,
            Which::W1e => w1e::run(options).await?,
            Which::W3a => w3a::run(options).await?,
        };
        print!("{}", workload.text());
        report.workloads.push(workload);
        // After each, so that a later one that breaks off loses nothing.
        report.write(&options.out)?;
    }
    Ok(if report.missed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
