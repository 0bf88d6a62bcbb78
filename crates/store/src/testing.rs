//! For tests: a fresh database a test, on either engine, and ambient time and randomness that tests steer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use roadstead_domain::clock::{Ambient, Clock, Entropy, Micros};

use crate::engine::{Kind, Store};
use crate::error::{Error, Result};

/// Where `make test` says that the private PostgreSQL cluster is; its user may create databases.
pub const POSTGRES: &str = "ROADSTEAD_TEST_POSTGRES";

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct SteppedClock(AtomicI64);

impl SteppedClock {
    /// Starts at 2026-11-22T12:00:00Z.
    pub fn noon() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_795_348_800_000_000)))
    }

    /// Moves on.
    pub fn step_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for SteppedClock {
    /// Each look is a microsecond later than the one before, as on a real clock.
    fn now(&self) -> Micros {
        Micros(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Repeatable bytes that differ from call to call.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// Starts from this seed.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(8) {
            // splitmix64
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            part.copy_from_slice(&bytes[..part.len()]);
        }
    }
}

/// Time that stands and randomness that repeats.
pub fn ambient() -> (Ambient, Arc<SteppedClock>) {
    let clock = SteppedClock::noon();
    (Ambient { clock: clock.clone(), entropy: SeededEntropy::new(7) }, clock)
}

/// An empty, migrated database of this kind. `directory` holds SQLite's file; `name` must be the test's own.
pub async fn fresh(kind: Kind, directory: &std::path::Path, name: &str) -> Result<Store> {
    match kind {
        Kind::Sqlite => Store::open_sqlite(directory).await,
        Kind::Postgres => Store::open_postgres(&fresh_postgres(name).await?).await,
    }
}

/// The names that tests of this process have taken on the cluster.
static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The address of an empty database on the test cluster. A missing cluster fails, it does not skip; so does a name that
/// another test of this process has.
pub async fn fresh_postgres(name: &str) -> Result<String> {
    use sqlx::{AssertSqlSafe, Connection, Executor};
    if !TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(database_name(name)) {
        return Err(Error::Unusable(format!("another test has the database {name}")));
    }
    let cluster = std::env::var(POSTGRES)
        .map_err(|_| Error::Unusable(format!("{POSTGRES} is not set: run the tests by `make test`")))?;
    let name = database_name(name);
    let mut connection = sqlx::PgConnection::connect(&format!("{cluster}/postgres")).await?;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}")))).await?;
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(format!(
            "CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        ))))
        .await?;
    connection.close().await?;
    Ok(format!("{cluster}/{name}"))
}

fn database_name(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("t_{}_{name}", std::process::id()).to_lowercase()
}

/// Cuts every connection to the database that [`fresh`] made under this name on PostgreSQL; with `shut` it lets nobody in
/// until this is called without.
pub async fn cut_postgres(name: &str, shut: bool) -> Result<()> {
    use sqlx::{AssertSqlSafe, Connection, Executor};
    let cluster = std::env::var(POSTGRES).map_err(|_| Error::Unusable(format!("{POSTGRES} is not set")))?;
    let name = database_name(name);
    let mut connection = sqlx::PgConnection::connect(&format!("{cluster}/postgres")).await?;
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !shut))))
        .await?;
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
        .bind(name)
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

/// Says a text to a PostgreSQL database as one client would, statement after statement where `;;` lines part them; how
/// many there were.
pub async fn say(url: &str, text: &str) -> Result<usize> {
    use sqlx::{AssertSqlSafe, Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(url).await?;
    let mut said = 0;
    for statement in text.split("\n;;\n").filter(|statement| !statement.trim().is_empty()) {
        let answer = connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await;
        answer.map_err(|error| Error::Unusable(format!("{error}: {statement}")))?;
        said += 1;
    }
    connection.close().await?;
    Ok(said)
}

/// Keeps migrations of this PostgreSQL database waiting until it is dropped.
#[derive(Debug)]
pub struct Held {
    _connection: sqlx::PgConnection,
}

/// Begins what looks like a migration of another program.
pub async fn hold_migrations(url: &str) -> Result<Held> {
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(url).await?;
    connection.execute("BEGIN").await?;
    crate::migrate::lock(&mut connection).await?;
    Ok(Held { _connection: connection })
}
