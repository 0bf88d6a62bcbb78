//! The two engines under the product, and what the benches themselves look at in a database.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use tempfile::TempDir;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::machine;

/// Where `scripts/with-postgres.sh` says its cluster is.
const CLUSTER: &str = "ROADSTEAD_TEST_POSTGRES";

/// Which engine, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The embedded one.
    Sqlite,
    /// A PostgreSQL of its own, durable.
    Postgres,
}

/// An engine to make databases on.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A running cluster.
    Postgres(Arc<Cluster>),
}

/// A PostgreSQL cluster that answers and is durable.
#[derive(Debug)]
pub struct Cluster {
    url: String,
    postmaster: u32,
    /// What it says of itself and of its settings, for the report.
    pub version: String,
    made: AtomicU64,
}

/// Runs this program again beside a private cluster with PostgreSQL's own settings, unless there is one; its exit code.
pub fn beside_postgres() -> anyhow::Result<Option<u8>> {
    if std::env::var_os(CLUSTER).is_some() {
        return Ok(None);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/with-postgres.sh");
    let status = Command::new(script)
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        // Without the shortcuts of the tests: fsync stays on.
        .env("POSTGRES_OPTIONS", " ")
        .status()
        .context("cannot run scripts/with-postgres.sh")?;
    Ok(Some(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.with_context(|| format!("cannot reach {url}"))?;
    // Its end shows at the next question.
    tokio::spawn(connection);
    Ok(client)
}

impl Engine {
    /// Looks for a cluster if one is needed.
    pub async fn find(name: EngineName) -> anyhow::Result<Self> {
        if name == EngineName::Sqlite {
            return Ok(Engine::Sqlite);
        }
        let url = std::env::var(CLUSTER).with_context(|| format!("{CLUSTER} is not set"))?;
        let client = connect(&format!("{url}/postgres")).await?;
        let mut settings = Vec::new();
        for name in ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"] {
            let value: String = client.query_one("SELECT current_setting($1)", &[&name]).await?.get(0);
            let durable = !matches!(name, "fsync" | "synchronous_commit" | "full_page_writes");
            ensure!(durable || value == "on", "{name} is {value}: figures of a cluster that may forget");
            settings.push(format!("{name} {value}"));
        }
        let version: String = client.query_one("SELECT current_setting('server_version')", &[]).await?.get(0);
        let file: String = client.query_one("SELECT pg_read_file('postmaster.pid')", &[]).await?.get(0);
        let postmaster =
            file.lines().next().and_then(|pid| pid.trim().parse().ok()).context("postmaster.pid")?;
        let version = format!("PostgreSQL {version}, {}", settings.join(", "));
        Ok(Engine::Postgres(Arc::new(Cluster { url, postmaster, version, made: AtomicU64::new(0) })))
    }

    /// A connection to the cluster itself.
    pub async fn client(&self) -> anyhow::Result<Client> {
        let Engine::Postgres(cluster) = self else { bail!("not on PostgreSQL") };
        connect(&format!("{}/postgres", cluster.url)).await
    }

    /// Which one.
    pub fn name(&self) -> EngineName {
        match self {
            Engine::Sqlite => EngineName::Sqlite,
            Engine::Postgres(_) => EngineName::Postgres,
        }
    }

    /// How the database was set, in words.
    pub fn settings(&self) -> String {
        match self {
            Engine::Sqlite => format!("SQLite {}, WAL, synchronous=FULL", rusqlite::version()),
            Engine::Postgres(cluster) => cluster.version.clone(),
        }
    }

    /// Milliseconds of processor that the database's own processes have used; an embedded one has none.
    pub fn cpu_ms(&self) -> anyhow::Result<f64> {
        match self {
            Engine::Sqlite => Ok(0.0),
            Engine::Postgres(cluster) => machine::family_cpu_ms(cluster.postmaster),
        }
    }
}

/// A database of this engine, with a directory for what the server keeps in files.
#[derive(Debug)]
pub struct Database {
    /// On what it is.
    pub engine: Engine,
    directory: Directory,
    /// On PostgreSQL.
    name: String,
}

#[derive(Debug)]
enum Directory {
    Passing(TempDir),
    Kept(PathBuf),
}

impl Database {
    /// A fresh one, with the files under `directory`. It is not migrated.
    pub async fn fresh(engine: &Engine, directory: &Path) -> anyhow::Result<Self> {
        let files = tempfile::Builder::new().prefix("roadstead-bench-").tempdir_in(directory)?;
        let mut name = String::new();
        if let Engine::Postgres(cluster) = engine {
            let number = cluster.made.fetch_add(1, Ordering::Relaxed);
            name = format!("roadstead_bench_{}_{number}", std::process::id());
            create(cluster, &name).await?;
        }
        Ok(Self { engine: engine.clone(), directory: Directory::Passing(files), name })
    }

    /// One that outlives this program, made if it is not there; whether it was.
    pub async fn kept(engine: &Engine, directory: &Path, name: &str) -> anyhow::Result<(Self, bool)> {
        let path = directory.join(name);
        std::fs::create_dir_all(&path)?;
        let there = match engine {
            Engine::Sqlite => path.join("roadstead.db").exists(),
            Engine::Postgres(cluster) => {
                let client = connect(&format!("{}/postgres", cluster.url)).await?;
                let found =
                    client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await?;
                if found.is_none() {
                    create(cluster, name).await?;
                }
                found.is_some()
            }
        };
        let directory = Directory::Kept(path);
        Ok((Self { engine: engine.clone(), directory, name: name.to_owned() }, there))
    }

    /// The same, if it outlives this value.
    pub fn again(&self) -> Self {
        let (engine, directory) = (self.engine.clone(), Directory::Kept(self.path().to_owned()));
        Self { engine, directory, name: self.name.clone() }
    }

    /// What PostgreSQL calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its files are.
    pub fn path(&self) -> &Path {
        match &self.directory {
            Directory::Passing(directory) => directory.path(),
            Directory::Kept(path) => path,
        }
    }

    /// The file of an embedded database.
    pub fn file(&self) -> PathBuf {
        self.path().join("roadstead.db")
    }

    /// Its address on PostgreSQL.
    pub fn url(&self) -> Option<String> {
        match &self.engine {
            Engine::Sqlite => None,
            Engine::Postgres(cluster) => Some(format!("{}/{}", cluster.url, self.name)),
        }
    }

    /// What tells the product where it is.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--data".into(), self.path().into()];
        if let Some(url) = self.url() {
            arguments.extend(["--database".into(), url.into()]);
        }
        arguments
    }

    /// Lets the product bring it to its schema: floors write into the very tables and indexes that the product has.
    pub fn migrate(&self, program: &Path) -> anyhow::Result<()> {
        let status = Command::new(program)
            .arg("migrate")
            .args(self.arguments())
            .stdout(std::process::Stdio::null())
            .status()
            .with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(status.success(), "{} migrate failed", program.display());
        Ok(())
    }

    /// A connection to look inside, past every scope and policy.
    pub async fn inside(&self) -> anyhow::Result<Inside> {
        Ok(match self.url() {
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(self.file(), flags)?;
                connection.busy_timeout(std::time::Duration::from_secs(30))?;
                Inside::Sqlite(connection)
            }
            Some(url) => Inside::Postgres(connect(&url).await?),
        })
    }

    /// A connection to PostgreSQL itself.
    pub async fn client(&self) -> anyhow::Result<Client> {
        connect(&self.url().context("not on PostgreSQL")?).await
    }

    /// Does at once what PostgreSQL's autovacuum does within minutes of a large change.
    pub async fn settle(&self) -> anyhow::Result<()> {
        if let Inside::Postgres(client) = self.inside().await? {
            vacuum(&client).await?;
        }
        Ok(())
    }

    /// Where the log of changes stands, in bytes.
    pub async fn wal_bytes(&self) -> anyhow::Result<Option<i64>> {
        let Inside::Postgres(client) = self.inside().await? else { return Ok(None) };
        let sql = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
        Ok(Some(client.query_one(sql, &[]).await?.get(0)))
    }

    /// Takes its room back. The embedded one goes with its directory.
    pub async fn remove(self) -> anyhow::Result<()> {
        if let Engine::Postgres(cluster) = &self.engine {
            let client = connect(&format!("{}/postgres", cluster.url)).await?;
            client.batch_execute(&format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name)).await?;
        }
        if let Directory::Kept(path) = &self.directory {
            std::fs::remove_dir_all(path)?;
        }
        Ok(())
    }
}

async fn create(cluster: &Cluster, name: &str) -> anyhow::Result<()> {
    let client = connect(&format!("{}/postgres", cluster.url)).await?;
    Ok(client.batch_execute(&format!("CREATE DATABASE \"{name}\" TEMPLATE template0")).await?)
}

/// A connection to look inside a database of either engine.
pub enum Inside {
    /// The embedded one.
    Sqlite(Connection),
    /// PostgreSQL.
    Postgres(Client),
}

/// A value of a statement or of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// A number.
    Int(i64),
    /// Text.
    Text(String),
    /// An identifier.
    Id(Uuid),
}

impl Cell {
    /// The number, or an error.
    pub fn int(&self) -> anyhow::Result<i64> {
        if let Cell::Int(number) = self { Ok(*number) } else { bail!("{self:?} is no number") }
    }

    /// The text, or an error.
    pub fn text(&self) -> anyhow::Result<&str> {
        if let Cell::Text(text) = self { Ok(text) } else { bail!("{self:?} is no text") }
    }

    /// The identifier, or an error.
    pub fn id(&self) -> anyhow::Result<Uuid> {
        if let Cell::Id(id) = self { Ok(*id) } else { bail!("{self:?} is no identifier") }
    }
}

impl Inside {
    /// Every row of a statement with `$1`, `$2`.
    pub async fn rows(&self, sql: &str, cells: &[Cell]) -> anyhow::Result<Vec<Vec<Cell>>> {
        match self {
            Inside::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&sql.replace('$', "?"))?;
                let columns = statement.column_count();
                let cells = cells.iter().map(|cell| -> Box<dyn rusqlite::ToSql> {
                    match cell {
                        Cell::Null => Box::new(rusqlite::types::Null),
                        Cell::Int(number) => Box::new(*number),
                        Cell::Text(text) => Box::new(text.clone()),
                        Cell::Id(id) => Box::new(id.as_bytes().to_vec()),
                    }
                });
                let rows = statement.query_map(params_from_iter(cells), |row| {
                    (0..columns).map(|at| Ok(embedded(row.get_ref(at)?))).collect::<rusqlite::Result<_>>()
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            }
            Inside::Postgres(client) => {
                let sql = &with_literals(sql, cells, &[]);
                let rows = client.query(sql, &[]).await.with_context(|| sql.clone())?;
                let read = |row: &tokio_postgres::Row| {
                    (0..row.len())
                        .map(|at| {
                            Ok(match *row.columns()[at].type_() {
                                Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Cell::Int),
                                Type::TEXT => row.try_get::<_, Option<String>>(at)?.map(Cell::Text),
                                Type::UUID => row.try_get::<_, Option<Uuid>>(at)?.map(Cell::Id),
                                ref other => bail!("a column of type {other}"),
                            }
                            .unwrap_or(Cell::Null))
                        })
                        .collect()
                };
                rows.iter().map(read).collect()
            }
        }
    }

    /// The first row.
    pub async fn row(&self, sql: &str, cells: &[Cell]) -> anyhow::Result<Vec<Cell>> {
        self.rows(sql, cells).await?.into_iter().next().with_context(|| format!("no row: {sql}"))
    }

    /// The one number.
    pub async fn number(&self, sql: &str, cells: &[Cell]) -> anyhow::Result<i64> {
        self.row(sql, cells).await?.first().context("no column")?.int()
    }
}

/// The statement with its values in place, some of them (by their place, from 0) by other expressions.
pub fn with_literals(sql: &str, cells: &[Cell], instead: &[(usize, String)]) -> String {
    let mut sql = sql.to_owned();
    for (at, cell) in cells.iter().enumerate().rev() {
        let other = instead.iter().find(|(of, _)| *of == at).map(|(_, text)| text.clone());
        let text = match (other, cell) {
            (Some(text), Cell::Id(_)) => format!("{text}::uuid"),
            (Some(text), Cell::Int(_)) => format!("{text}::bigint"),
            (Some(text), _) => text,
            (None, Cell::Null) => "NULL".to_owned(),
            (None, Cell::Int(number)) => number.to_string(),
            (None, Cell::Id(id)) => format!("'{id}'::uuid"),
            (None, Cell::Text(text)) => quoted(text),
        };
        sql = sql.replace(&format!("${}", at + 1), &text);
    }
    sql
}

/// A text as a literal of SQL.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn embedded(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Uuid::from_slice(bytes).map_or(Cell::Null, Cell::Id),
        ValueRef::Null | ValueRef::Real(_) => Cell::Null,
    }
}

/// Vacuums and analyzes every table with something in it. Autovacuum leaves empty ones alone, and a plan that was made for
/// a table known to be empty takes any index.
pub async fn vacuum(client: &Client) -> anyhow::Result<()> {
    let sql = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relkind = 'r' AND n.nspname = 'public' AND pg_relation_size(c.oid) > 0";
    for row in client.query(sql, &[]).await? {
        let table: String = row.get(0);
        client.batch_execute(&format!("VACUUM ANALYZE {table}")).await?;
    }
    Ok(())
}
