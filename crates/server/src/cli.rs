//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use roadstead_domain::access::{self, Role};
use roadstead_domain::audit::{self, ProofRow};
use roadstead_domain::ids::{ReportId, TokenId};
use roadstead_ingest::EdiMaps;
use roadstead_store::engine::{Kind, copy};
use roadstead_store::page::Page;
use roadstead_store::{Store, jobs as stored_jobs, lines, operations, placements, reports, tokens};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::app::{App, Config, system_ambient};
use crate::drop_folder::{self, DropFolder};
use crate::flows::submit_report::{Submission, submit};
use crate::flows::users::NewUser;
use crate::flows::withdraw_report::About;
use crate::mail::MailServer;
use crate::{demo, events, flows, http, jobs, mail, spool};

#[derive(Parser)]
#[command(name = "roadstead", version, about = "Resold PCs ride at anchor here until they get a berth.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the portal and the API.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Address and port to listen on.
        #[arg(long, env = "ROADSTEAD_LISTEN", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// The address that browsers use; with https:// cookies are Secure.
        #[arg(long, env = "ROADSTEAD_PUBLIC_URL")]
        public_url: Option<String>,
        /// How many proxies of ours are in front, each of which appends to X-Forwarded-For whom it heard from.
        #[arg(long, env = "ROADSTEAD_PROXIES", default_value_t = 0)]
        proxies: usize,
        /// The mail server: smtp://user:password@host:587?tls=required, or smtps://...
        #[arg(long, env = "ROADSTEAD_SMTP", hide_env_values = true, requires = "mail_from")]
        smtp: Option<String>,
        /// Whom mails come from: "Roadstead <no-reply@example.com>".
        #[arg(long, env = "ROADSTEAD_MAIL_FROM")]
        mail_from: Option<String>,
        /// The most bytes of an upload.
        #[arg(long, env = "ROADSTEAD_UPLOAD_BYTES", default_value_t = 1 << 30)]
        upload_bytes: u64,
        /// A directory of maps (*.json) for partners whose X12 or EDIFACT differs: docs/messages.md.
        #[arg(long, env = "ROADSTEAD_EDI_MAPS")]
        edi_maps: Option<PathBuf>,
        /// A directory with a folder for each reporter, whose files are taken: docs/operating.md.
        #[arg(long, env = "ROADSTEAD_DROP")]
        drop: Option<PathBuf>,
        /// How many seconds a file there must not have changed before it is taken.
        #[arg(long, env = "ROADSTEAD_DROP_STILL", default_value_t = 10)]
        drop_still: u32,
        /// The directory that holds the agent's program for PCs to fetch; this program's own unless said.
        #[arg(long, env = "ROADSTEAD_AGENTS")]
        agents: Option<PathBuf>,
        /// Forget report lines after so many months; without it they are kept.
        #[arg(long, env = "ROADSTEAD_KEEP_REPORT_LINES_MONTHS", value_parser = clap::value_parser!(u32).range(12..))]
        keep_report_lines_months: Option<u32>,
        /// Forget closed alerts, pop-ups and closed repair cases after so many months; without it they are kept.
        #[arg(long, env = "ROADSTEAD_KEEP_REPAIR_MONTHS", value_parser = clap::value_parser!(u32).range(1..))]
        keep_repair_months: Option<u32>,
        /// Let outside desks stand in private networks, and be called by http:// too.
        #[arg(long, env = "ROADSTEAD_PRIVATE_OUTSIDE_DESKS")]
        private_outside_desks: bool,
    },
    /// Serve a filled platform to look around in.
    Demo {
        /// Where the demo's data is kept.
        #[arg(long, default_value = "demo-data")]
        data: PathBuf,
        /// Address and port to listen on.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
    },
    /// Bearer tokens of the API.
    #[command(subcommand)]
    Token(TokenCommand),
    /// People who sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Hand in a sell-through report and wait until it is judged.
    Import {
        /// A CSV, XLSX, X12 or EDIFACT file.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
        /// The reporter's id or number.
        #[arg(long)]
        reporter: String,
        /// A directory of maps (*.json) for partners whose X12 or EDIFACT differs.
        #[arg(long, env = "ROADSTEAD_EDI_MAPS")]
        edi_maps: Option<PathBuf>,
        /// Judge it without changing anything.
        #[arg(long)]
        validate_only: bool,
        /// Print every line with its verdict as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Move a whole platform from the embedded database to an empty PostgreSQL database, while neither is served.
    Copy {
        /// Where the data is.
        #[arg(long)]
        from: Embedded,
        /// Where it goes to.
        #[arg(long)]
        to: Shared,
        /// The data directory that holds the embedded database; it stays as it is.
        #[arg(long, env = "ROADSTEAD_DATA", default_value = "roadstead-data")]
        data: PathBuf,
        /// The PostgreSQL database, postgres://user@host/name.
        #[arg(long, env = "ROADSTEAD_DATABASE")]
        database: String,
    },
    /// Bring the database to this version's schema; `serve` does so too.
    Migrate {
        #[command(flatten)]
        place: Place,
    },
}

/// What can be copied from.
#[derive(Clone, Copy, ValueEnum)]
enum Embedded {
    Sqlite,
}

/// What can be copied to.
#[derive(Clone, Copy, ValueEnum)]
enum Shared {
    Postgres,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token; the last line of the output is the token alone.
    Create {
        #[command(flatten)]
        place: Place,
        /// What it may do.
        #[arg(long)]
        role: TokenRole,
        /// The partner's, customer's or reporter's id or number; none for an operator or customer support.
        #[arg(long = "for")]
        whose: Option<String>,
        /// What it is called in the lists.
        #[arg(long)]
        name: String,
    },
    /// List tokens with their last use.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Take a token's power away.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The token's id.
        id: TokenId,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum TokenRole {
    Operator,
    /// Partner admin.
    Partner,
    PartnerReadOnly,
    /// A customer's IT admin.
    Customer,
    /// Looks at a customer tenant.
    CustomerReadOnly,
    Distributor,
    /// The vendor's repair desk.
    CustomerSupport,
}

impl TokenRole {
    fn role(self) -> Role {
        match self {
            TokenRole::Operator => Role::Operator,
            TokenRole::Partner => Role::PartnerAdmin,
            TokenRole::PartnerReadOnly => Role::PartnerReadOnly,
            TokenRole::Customer => Role::ItAdmin,
            TokenRole::CustomerReadOnly => Role::ReportAdmin,
            TokenRole::Distributor => Role::Distributor,
            TokenRole::CustomerSupport => Role::CustomerSupport,
        }
    }
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user; the password is read from ROADSTEAD_PASSWORD or from standard input.
    Create {
        #[command(flatten)]
        place: Place,
        /// The address they sign in with.
        #[arg(long)]
        email: String,
        /// Their name.
        #[arg(long)]
        name: String,
        /// What they may do.
        #[arg(long)]
        role: TokenRole,
        /// The partner's, customer's or reporter's id or number; none for an operator or customer support.
        #[arg(long = "for")]
        whose: Option<String>,
    },
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Walk the hash chain of every partner's moves, and compare where PCs are with what they say.
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Check a downloaded proof of one PC's moves, offline.
    Check {
        /// The file.
        file: PathBuf,
        /// The PC's serial.
        #[arg(long)]
        serial: String,
    },
}

/// Where the data is.
#[derive(Args)]
struct Place {
    /// The data directory; holds the embedded database and uploads on their way.
    #[arg(long, env = "ROADSTEAD_DATA", default_value = "roadstead-data")]
    data: PathBuf,
    /// A PostgreSQL database, postgres://user@host/name, instead of the embedded one.
    #[arg(long, env = "ROADSTEAD_DATABASE")]
    database: Option<String>,
}

impl Place {
    async fn open(&self, config: Config) -> anyhow::Result<App> {
        let store = match &self.database {
            Some(url) => Store::open_postgres(url).await,
            None => Store::open_sqlite(&self.data).await,
        };
        let store = store.context("the database cannot be opened")?;
        Ok(App::new(store, system_ambient(), config, self.data.join("spool")))
    }
}

/// Runs the program.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("ROADSTEAD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match execute(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("roadstead: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> anyhow::Result<()> {
    let scope = access::system();
    match command {
        Command::Serve {
            place,
            listen,
            public_url,
            proxies,
            smtp,
            mail_from,
            upload_bytes,
            edi_maps,
            drop,
            drop_still,
            agents,
            keep_report_lines_months: keep_line_months,
            keep_repair_months,
            private_outside_desks,
        } => {
            let edi_maps = maps_of(edi_maps.as_deref())?;
            raise_open_files();
            let listener = bind(listen).await?;
            let public_url = match public_url {
                Some(url) => url,
                None => format!("http://{}", listener.local_addr()?),
            };
            let https = public_url.starts_with("https://");
            let mail = smtp.zip(mail_from).map(|(url, from)| MailServer { url, from });
            let drop = drop.map(|path| DropFolder { path, still_seconds: drop_still });
            let usual = Config::default();
            let agents = agents.unwrap_or_else(|| usual.agents.clone());
            let config = Config {
                https,
                upload_bytes,
                proxies,
                mail,
                public_url,
                edi_maps,
                drop,
                agents,
                keep_line_months,
                keep_repair_months,
                private_outside_desks,
                ..usual
            };
            let app = place.open(config).await?;
            println!("Roadstead listens on http://{}", listener.local_addr()?);
            serve(app, listener, until_told_to_stop()).await
        }
        Command::Demo { data, listen } => {
            let place = Place { data: data.clone(), database: None };
            let listener = bind(listen).await?;
            let public_url = format!("http://{}", listener.local_addr()?);
            let app = place.open(Config { public_url, ..Config::default() }).await?;
            let sign_ins = demo::fill(&app, &data).await?;
            println!("{sign_ins}\nRoadstead's demo is at http://{}", listener.local_addr()?);
            serve(app, listener, until_told_to_stop()).await
        }
        Command::Token(TokenCommand::Create { place, role, whose, name }) => {
            let app = place.open(Config::default()).await?;
            let token = flows::tokens::create(&app, &scope, role.role(), whose.as_deref(), &name).await?;
            println!("{token}");
            Ok(())
        }
        Command::Token(TokenCommand::List { place }) => {
            let app = place.open(Config::default()).await?;
            let mut tx = app.store.read(&scope).await?;
            for token in tokens::list(&mut tx, &scope).await? {
                let state = if token.revoked_at.is_some() { "revoked" } else { "active" };
                let used = token.used_at.map_or("never used".to_owned(), |at| {
                    format!("last used {}", roadstead_domain::clock::Micros(at).rfc3339())
                });
                println!("{}  {}  {}  {state}  {used}", token.id, token.role, token.name);
            }
            Ok(())
        }
        Command::Token(TokenCommand::Revoke { place, id }) => {
            let app = place.open(Config::default()).await?;
            if !flows::tokens::revoke(&app, &scope, id).await? {
                bail!("there is no active token {id}");
            }
            Ok(())
        }
        Command::User(UserCommand::Create { place, email, name, role, whose }) => {
            let app = place.open(Config::default()).await?;
            let password = match std::env::var("ROADSTEAD_PASSWORD") {
                Ok(password) => password,
                Err(_) => read_line().context("no password on standard input")?,
            };
            let new = NewUser {
                email: &email,
                name: &name,
                password: &password,
                role: role.role(),
                whose: whose.as_deref(),
                language: None,
            };
            println!("{}", flows::users::create(&app, &scope, new).await?);
            Ok(())
        }
        Command::Import { file, place, reporter, edi_maps, validate_only, json } => {
            let edi_maps = maps_of(edi_maps.as_deref())?;
            let app = place.open(Config { edi_maps, ..Config::default() }).await?;
            import(&app, &file, &reporter, validate_only, json).await
        }
        Command::Copy { from: Embedded::Sqlite, to: Shared::Postgres, data, database } => {
            let copied = copy::to_postgres(&data, &database, &scope).await.context("nothing was copied")?;
            for (table, rows) in &copied.tables {
                println!("{rows:>9}  {table}");
            }
            println!(
                "every row arrived as it was; {} entries of the placement log hold, and every PC stands where they say",
                copied.entries
            );
            Ok(())
        }
        Command::Migrate { place } => {
            place.open(Config::default()).await?;
            println!("the database is up to date: schema version {}", roadstead_store::migrate::newest());
            Ok(())
        }
        Command::Audit(AuditCommand::Verify { place }) => verify(&place.open(Config::default()).await?).await,
        Command::Audit(AuditCommand::Check { file, serial }) => check(&file, &serial),
    }
}

fn maps_of(directory: Option<&std::path::Path>) -> anyhow::Result<EdiMaps> {
    match directory {
        Some(directory) => EdiMaps::load(directory).map_err(|error| anyhow::anyhow!(error)),
        None => Ok(EdiMaps::default()),
    }
}

/// Starts the program anew in this process with as many arenas of memory as there are processors, unless somebody set their
/// number. The system's allocator otherwise gives nearly each thread one of its own, up to eight a processor, and what a large
/// transfer frees in one is of no use to the next step in another: 370 MB instead of 280 (docs/decisions/0052).
pub fn with_few_arenas() {
    #[cfg(all(unix, target_env = "gnu"))]
    {
        use std::os::unix::process::CommandExt as _;

        const ARENAS: &str = "MALLOC_ARENA_MAX";
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if std::env::var_os(ARENAS).is_none()
            && let Ok(program) = std::env::current_exe()
        {
            // It comes back only where that failed; then all goes on as it is.
            let _ = std::process::Command::new(program)
                .args(std::env::args_os().skip(1))
                .env(ARENAS, processors.max(2).to_string())
                .exec();
        }
    }
}

/// Lets the server open as many files as the system allows it at most: each agent and each open page holds a connection, and
/// the usual 1,024 would keep everybody else out.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => tracing::info!(most = limit.maximum, before = limit.current, "open files"),
        Err(error) => tracing::warn!(%error, most = limit.current, "the limit of open files was not raised"),
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))
}

/// How long requests and batches may take to finish after SIGTERM.
const LONGEST_STOP: Duration = Duration::from_secs(20);

/// Serves until `stop`, then lets requests finish for some seconds.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let sender = match &app.config.mail {
        Some(server) => Some(mail::Sender::new(server, &app.config.public_url)?),
        None => None,
    };
    if app.store.kind() == Kind::Sqlite {
        // The only node: whoever held a job before is no more.
        let mut tx = app.store.write(&access::system()).await?;
        stored_jobs::release_all(&mut tx).await?;
        tx.commit().await?;
        spool::sweep(&app.spool)?;
    }
    events::begin(&app).await?;
    let stopping = app.closing.clone();
    // More than one, so that a large report does not keep everybody's waiting.
    let runners: Vec<_> =
        (0..jobs::RUNNERS).map(|_| tokio::spawn(jobs::run(app.clone(), stopping.clone()))).collect();
    let others = [
        tokio::spawn(events::dispatch(app.clone(), stopping.clone())),
        tokio::spawn(events::listen(app.clone(), stopping.clone())),
        tokio::spawn(jobs::keep_house(app.clone(), stopping.clone())),
        tokio::spawn(flows::check_in::run(app.clone())),
        tokio::spawn(flows::alerts::run(app.clone(), stopping.clone())),
    ];
    let dropped = app.config.drop.clone();
    let dropped =
        dropped.map(|folder| tokio::spawn(drop_folder::watch(app.clone(), folder, stopping.clone())));
    let sending = sender.map(|sender| tokio::spawn(mail::run(app.clone(), sender, stopping.clone())));
    let server = tokio::spawn(http::serve(listener, http::router(app.clone()), stopping.clone()));
    stop.await;
    stopping.cancel();
    // A job ends with the batch in work and is handed back; what takes longer is cut off and done again.
    let rest = async {
        let _ = server.await;
        for worker in runners.into_iter().chain(others).chain(sending).chain(dropped) {
            let _ = worker.await;
        }
    };
    let _ = tokio::time::timeout(LONGEST_STOP, rest).await;
    app.store.close().await;
    Ok(())
}

async fn until_told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} }
        }
        Err(_) => {
            let _ = interrupted.await;
        }
    }
}

fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn import(
    app: &App,
    file: &std::path::Path,
    reporter: &str,
    validate_only: bool,
    json: bool,
) -> anyhow::Result<()> {
    let scope = access::system();
    let format = roadstead_ingest::guess(file)?;
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("report").to_owned();
    let source =
        tokio::fs::File::open(file).await.with_context(|| format!("cannot open {}", file.display()))?;
    let pieces = tokio_util::io::ReaderStream::new(source);
    let spooled = format!("import-{}", app.ambient.id::<uuid::Uuid>());
    let file = spool::receive(&app.spool, &spooled, pieces, app.config.upload_bytes).await?;
    let submission = Submission {
        file,
        name: &name,
        format,
        reporter: Some(reporter),
        validate_only,
        about: About::default(),
    };
    let submitted = submit(app, &scope, submission).await?;
    // A server beside us may take the job; then we wait for it.
    loop {
        let mut tx = app.store.read(&scope).await?;
        let operation = operations::get(&mut tx, &scope, submitted.operation).await?;
        tx.commit().await?;
        match operation.context("the operation is gone")?.state.as_str() {
            "succeeded" => break,
            "failed" => bail!("the report could not be judged; the server's log says why"),
            _ if jobs::step(app).await? => {}
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    let mut tx = app.store.read(&scope).await?;
    let counts = reports::counts(&mut tx, &scope, submitted.report).await?;
    if json {
        let lines = all_lines(&mut tx, submitted.report).await?;
        let report = serde_json::json!({ "report": submitted.report, "counts": counts, "lines": lines });
        println!("{report}");
    } else {
        println!("report {}", submitted.report);
        for (verdict, lines) in counts {
            println!("{lines:>9}  {verdict}");
        }
    }
    Ok(())
}

async fn all_lines(tx: &mut roadstead_store::Tx, report: ReportId) -> anyhow::Result<Vec<serde_json::Value>> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = Page { limit: Some(1000), cursor };
        let rows = lines::list(tx, &access::system(), report, None, lines::Cells::Without, &page)
            .await?
            .context("cursor")?;
        for line in rows.items {
            all.push(serde_json::json!({
                "line": line.line,
                "row": line.file_row,
                "serial_number": line.serial,
                "seller": line.seller,
                "verdict": line.verdict,
                "reasons": line.reasons()?,
            }));
        }
        cursor = rows.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Walks a proof; needs no database.
fn check(file: &std::path::Path, serial: &str) -> anyhow::Result<()> {
    let serial =
        roadstead_domain::serial::normalize(serial).map_err(|_| anyhow::anyhow!("{serial} is no serial"))?;
    let mut text = std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut mark = [0; 3];
    std::io::Read::read_exact(&mut text, &mut mark)?;
    if mark != *b"\xef\xbb\xbf" {
        std::io::Seek::rewind(&mut text)?;
    }
    let mut reader = csv::Reader::from_reader(text);
    let columns = reader.headers()?.clone();
    let rows = reader.records().map(|record| proof_row(&columns, &record?));
    match audit::check_proof(&serial, rows)? {
        Ok(proven) => {
            let (seq, hash) = proven.head;
            println!("{} moves of {serial} in {} entries hold.", proven.moves, proven.entries);
            println!("head: entry {seq}, {}", hex::encode(hash));
            Ok(())
        }
        Err(row) => bail!("row {row} does not follow from the one before"),
    }
}

fn proof_row(columns: &csv::StringRecord, record: &csv::StringRecord) -> anyhow::Result<ProofRow> {
    let found = |name: &str| columns.iter().position(|column| column == name).and_then(|at| record.get(at));
    let cell = |name: &str| {
        found(name)
            .with_context(|| format!("{name} is missing in row {:?}", record.position().map(|p| p.record())))
    };
    let place = |text: &str| match text {
        "" => Ok(None),
        id => id.parse().map(Some),
    };
    let hash = |text: &str| -> anyhow::Result<[u8; 32]> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash)?;
        Ok(hash)
    };
    // Proofs of earlier releases do not say by which version their entries are hashed.
    let grounds = match found("version") {
        None | Some("1") => None,
        Some("2") => Some(hash(cell("grounds")?)?),
        Some(other) => bail!("entries of version {other} are not known: use a newer roadstead"),
    };
    Ok(ProofRow {
        partner: cell("partner")?.parse()?,
        seq: cell("seq")?.parse()?,
        device: cell("device")?.parse()?,
        serial: cell("serial")?.to_owned(),
        from: place(cell("from")?)?,
        to: place(cell("to")?)?,
        generation: cell("generation")?.parse()?,
        at: cell("at")?.parse()?,
        grounds,
        before: hash(cell("before")?)?,
        hash: hash(cell("hash")?)?,
    })
}

async fn verify(app: &App) -> anyhow::Result<()> {
    let scope = access::system();
    let mut tx = app.store.read(&scope).await?;
    let (mut entries, mut broken) = (0, 0);
    for (tenant, name) in placements::chains(&mut tx, &scope).await? {
        match placements::verify_chain(&mut tx, &scope, tenant).await? {
            Ok(count) => entries += count,
            Err(seq) => {
                broken += 1;
                println!("{name} ({tenant}): entry {seq} does not follow from the one before");
            }
        }
    }
    let (mut strays, mut after) = (0, Some(uuid::Uuid::nil()));
    while let Some(from) = after {
        let (found, next) = placements::strays(&mut tx, &scope, from).await?;
        for stray in &found {
            println!("{stray}");
        }
        strays += found.len();
        after = next;
    }
    if broken > 0 || strays > 0 {
        bail!("{broken} chains are broken, and {strays} PCs do not stand where the logs say");
    }
    println!("{entries} entries hold");
    Ok(())
}
