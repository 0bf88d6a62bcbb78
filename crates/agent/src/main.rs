//! The agent's command line.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use roadstead_agent::agent::Agent;
use roadstead_agent::ambient;
use roadstead_agent::config::Config;
use roadstead_agent::health::Health;
use roadstead_agent::link::LinkError;
use roadstead_agent::platform::This;
use roadstead_agent::{install, screen, service, status};
use roadstead_domain::wire::{Enrolled, EnrolmentState};

#[derive(Parser)]
#[command(
    name = "roadstead-agent",
    version,
    about = "Says how this PC is, to the platform that its partner uses."
)]
struct Cli {
    /// The config file.
    #[arg(long, global = true, default_value = "/etc/roadstead-agent.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run as a service (the default).
    Run {
        /// Replay recorded readings from this file instead of reading the machine.
        #[arg(long)]
        readings: Option<PathBuf>,
        /// One round, then end; fails if the platform could not be reached.
        #[arg(long)]
        once: bool,
    },
    /// Join now, with somebody at the PC; asks if the PC's domain is not the customer's.
    Enrol {
        /// The cPIN, if it is not in the config file.
        #[arg(long)]
        cpin: Option<String>,
        /// Do not ask: a foreign domain is meant so.
        #[arg(long)]
        yes: bool,
    },
    /// Read this PC's health and print it.
    Readings,
    /// Install as a service that starts with the PC; asks nothing.
    Install {
        /// The platform's address; without it the config file has to be there.
        #[arg(long)]
        server: Option<String>,
        /// The customer's cPIN.
        #[arg(long)]
        cpin: Option<String>,
    },
    /// Say how the agent stands.
    Status,
    /// Show a pop-up that standard input describes; the service calls this.
    #[command(hide = true)]
    PopUp,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ROADSTEAD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // One thread is plenty, and keeps the agent small.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done =
        runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(execute(Cli::parse())));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("roadstead-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::PopUp) => return screen::run(serde_json::from_reader(std::io::stdin().lock())?).await,
        Some(Command::Install { server, cpin }) => {
            return install::install(&This, &cli.config, server.as_deref(), cpin.as_deref());
        }
        _ => {}
    }
    let mut config = Config::read(&cli.config)?;
    match cli.command.unwrap_or(Command::Run { readings: None, once: false }) {
        Command::PopUp | Command::Install { .. } => Ok(()),
        Command::Status => {
            println!("{}", status::status(&This, &config)?);
            Ok(())
        }
        Command::Run { readings, once } => {
            let health = match readings {
                Some(file) => Health::recorded(&file)?,
                None => Health::of_this_machine(&config, &ambient::system().clock),
            };
            if once {
                let mut agent = Agent::new(config, health, ambient::system())?;
                agent.step().await?;
                anyhow::ensure!(!agent.is_failing(), "the platform could not be reached");
                return Ok(());
            }
            tokio::select! {
                ended = service::run(config, health, ambient::system()) => ended,
                _ = tokio::signal::ctrl_c() => Ok(()),
                () = terminated() => Ok(()),
            }
        }
        Command::Enrol { cpin, yes } => {
            config.cpin = cpin.or(config.cpin);
            let health = Health::of_this_machine(&config, &ambient::system().clock);
            let mut agent = Agent::new(config, health, ambient::system())?;
            let mut answer = said(agent.enrol(yes).await)?;
            if answer.reason.as_deref() == Some("enrolment.foreign_domain")
                && ask("Is this PC meant to join? [y/N] ")?
            {
                answer = said(agent.enrol(true).await)?;
            }
            anyhow::ensure!(
                answer.state == EnrolmentState::Enrolled,
                "{}",
                answer.message.unwrap_or_default()
            );
            println!("this PC is enrolled");
            Ok(())
        }
        Command::Readings => {
            println!(
                "{}",
                serde_json::to_string_pretty(
                    &Health::of_this_machine(&config, &ambient::system().clock).read()
                )?
            );
            Ok(())
        }
    }
}

/// What a service manager sends to end a service.
async fn terminated() {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        signal.recv().await;
        return;
    }
    std::future::pending::<()>().await;
}

fn said(answer: Result<Enrolled, LinkError>) -> anyhow::Result<Enrolled> {
    answer.map_err(|error| match error {
        LinkError::Later(why) => anyhow::anyhow!("the platform cannot be reached: {why}"),
        LinkError::Refused { message, .. } => anyhow::anyhow!(message),
    })
}

fn ask(question: &str) -> anyhow::Result<bool> {
    print!("{question}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "j" | "J"))
}
