//! The seam: the only file that knows which database it is. One SQL text serves both; statements use `$1`.
//!
//! SQLite has one writer (`BEGIN IMMEDIATE`, synchronous=FULL, so that what is acknowledged survives a power cut)
//! and a pool of readers that the engine keeps from writing. PostgreSQL has one pool, and connections of their own for
//! what an index answers at once.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use roadstead_domain::access::{Reach, Scope};
use roadstead_domain::clock::Micros;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Postgres, Row, SqlSafeStr, Sqlite};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::migrate;

mod cells;
pub mod copy;
mod pipes;
mod quick;
mod readers;
mod values;

use readers::{Reader, Readers};
pub use values::Arg;
use values::Array;
pub(crate) use values::without_nul;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The embedded one, a file in the data directory.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
}

/// The open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Pools);

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { writer: SqlitePool, readers: Arc<Readers>, waiting: Arc<AtomicUsize> },
    Postgres { pool: PgPool, at_once: PgPool, pipes: Option<Arc<pipes::Pipes>> },
}

/// Counts somebody who waits, for as long as they do: for the writer, or for a quick answer.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tells of commits on other nodes.
#[derive(Debug)]
pub struct Wakeups(PgListener);

/// What a commit brings that others wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Events for open pages and channels.
    Events,
    /// Jobs to run, or mails to send.
    Work,
}

impl Wakeups {
    /// Waits for the next commit. `None`: anything may have come, as a lost connection is back, or another release says no
    /// more.
    pub async fn next(&mut self) -> Result<Option<News>> {
        let heard = self.0.try_recv().await?;
        Ok(match heard.as_ref().map(PgNotification::payload) {
            Some("events") => Some(News::Events),
            Some("work") => Some(News::Work),
            _ => None,
        })
    }
}

/// A transaction, or for reading on SQLite a connection of the readers. Dropped without [`Tx::commit`] it is undone.
#[derive(Debug)]
pub struct Tx(Inner);

#[derive(Debug)]
enum Inner {
    SqliteRead(Reader),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    PostgresRead(PgReader),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// What reads on PostgreSQL: a transaction is begun by the first statement that needs one.
#[derive(Debug)]
struct PgReader {
    taken: Option<sqlx::Transaction<'static, Postgres>>,
    pool: PgPool,
    scope: Scope,
    pipes: Option<Arc<pipes::Pipes>>,
}

impl PgReader {
    async fn get(&mut self) -> Result<&mut PgConnection> {
        if self.taken.is_none() {
            self.taken = Some(begin(&self.pool, &self.scope, "").await?);
        }
        self.taken.as_deref_mut().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))
    }
}

/// The most texts or rows for which PostgreSQL keeps the plan of a set-based statement: planning one takes longer than
/// carrying it out for a few. For more it is planned anew each time, as a kept plan is that of the tables as they were,
/// perhaps empty.
const KEPT: usize = 1000;

/// A row type that reads from both engines (`#[derive(sqlx::FromRow)]`).
pub trait Record:
    for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}
impl<T> Record for T where
    T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

/// Tells of a statement, without its values. A test that two questions run the same statements listens.
fn asked(sql: &str) {
    tracing::trace!(target: "roadstead_store::statements", sql);
}

macro_rules! bound {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                Arg::Uuid(value) => query.bind(value),
                Arg::Text(value) => query.bind(value.map(without_nul)),
                Arg::Int(value) => query.bind(value),
                Arg::Bool(value) => query.bind(value),
                Arg::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

macro_rules! bound_arrays {
    ($query:expr, $arrays:expr) => {{
        let mut query = $query;
        for array in $arrays {
            query = match array {
                Array::Uuid(values) => query.bind(values),
                Array::Text(values) => query.bind(values),
                Array::Int(values) => query.bind(values),
                Array::Bool(values) => query.bind(values),
                Array::Bytes(values) => query.bind(values),
            };
        }
        query
    }};
}

/// The role on PostgreSQL that sees every row, for what is done on behalf of the platform (docs/decisions/0057).
const PLATFORM_ROLE: &str = "roadstead_platform";
/// The role that sees what row level security shows it, for everybody else.
const TENANT_ROLE: &str = "roadstead_app";

/// What a transaction on PostgreSQL has to say for this scope: the role, and on whose behalf. The only variable part is a
/// UUID.
fn acting_for(scope: &Scope) -> String {
    let role = if scope.reach() == Reach::Platform { PLATFORM_ROLE } else { TENANT_ROLE };
    let (reach, home) = pipes::named(scope);
    format!(
        "SET LOCAL ROLE {role}; SET LOCAL roadstead.reach = '{reach}'; SET LOCAL roadstead.home = '{home}'"
    )
}

/// Begins a transaction on PostgreSQL for this scope; one round trip.
async fn begin(pool: &PgPool, scope: &Scope, also: &str) -> Result<sqlx::Transaction<'static, Postgres>> {
    let begin = format!("BEGIN; {}{also}", acting_for(scope));
    // Whatever the reason, nothing was asked of the database yet.
    pool.begin_with(AssertSqlSafe(begin)).await.map_err(Error::Unavailable)
}

/// Every statement is written to walk an index, in the order of its text. Where a table has grown a thousandfold since its
/// statistics were taken, the planner's own idea reads whole tables instead (docs/decisions/0048).
const BY_INDEX: [(&str, &str); 5] = [
    ("join_collapse_limit", "1"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// Connections on PostgreSQL for statements that are transactions of their own, as many as there are lanes of check-ins. They
/// take turns, and each that works has all it knows of the tables to bring back into the processor's caches.
const AT_ONCE: u32 = 2;

/// What writes finds its rows by keys: the plan is the same for every value, and is not made anew for each.
const ONE_PLAN: &str = "; SET LOCAL plan_cache_mode = 'force_generic_plan'";

impl Store {
    /// Opens and migrates the embedded database `roadstead.db` in this directory, which is made if it is not there.
    pub async fn open_sqlite(directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory).map_err(|error| {
            Error::Unusable(format!("cannot make the data directory {}: {error}", directory.display()))
        })?;
        let file = directory.join("roadstead.db");
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(30))
            // A statement of a bulk insert is long, and there are few of them.
            .statement_cache_capacity(128)
            .disable_statement_logging();
        // On one connection, closed before the pools open: a second one would keep the schema it has read.
        let mut alone = options.clone().connect().await?;
        migrate::sqlite(&mut alone).await?;
        sqlx::Connection::close(alone).await?;

        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(60))
            // On a full disk SQLite ends a transaction by itself, and the driver's rollback then fails: it would take the
            // connection to be inside of it for ever, and begin no other one.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone().pragma("cache_size", "-65536").pragma("wal_autocheckpoint", "4000"))
            .await?;
        let reading = options.pragma("query_only", "ON").pragma("cache_size", "-8192");
        let readers = Readers::open(&reading, 4, &file).await?;
        Ok(Self(Pools::Sqlite { writer, readers, waiting: Arc::default() }))
    }

    /// Connects to and migrates a PostgreSQL database, `postgres://...`.
    pub async fn open_postgres(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| Error::Unusable(format!("the database address cannot be read: {error}")))?
            .options(BY_INDEX)
            .disable_statement_logging();
        let mut alone = options.clone().connect().await?;
        migrate::postgres(&mut alone).await?;
        sqlx::Connection::close(alone).await?;
        // What `acting_for` and `ONE_PLAN` say for a transaction holds for these connections' whole life.
        let platform = [
            ("role", PLATFORM_ROLE),
            ("roadstead.reach", "platform"),
            ("roadstead.home", ""),
            ("plan_cache_mode", "force_generic_plan"),
        ];
        let at_once = PgPoolOptions::new()
            .max_connections(AT_ONCE)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(options.clone().options(platform));
        // Who waits longer for a connection is better told so.
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        let pipes = pipes::Pipes::new(url).map(Arc::new);
        Ok(Self(Pools::Postgres { pool, at_once, pipes }))
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        match &self.0 {
            Pools::Sqlite { .. } => Kind::Sqlite,
            Pools::Postgres { .. } => Kind::Postgres,
        }
    }

    /// Something to read with, on behalf of this scope. It sees what was committed.
    pub async fn read(&self, scope: &Scope) -> Result<Tx> {
        Ok(Tx(match &self.0 {
            Pools::Sqlite { readers, .. } => Inner::SqliteRead(readers.reader()),
            Pools::Postgres { pool, pipes, .. } => Inner::PostgresRead(PgReader {
                taken: None,
                pool: pool.clone(),
                scope: *scope,
                pipes: pipes.clone(),
            }),
        }))
    }

    /// A transaction to write with, on behalf of this scope. On SQLite it waits for the one before to end.
    pub async fn write(&self, scope: &Scope) -> Result<Tx> {
        Ok(Tx(match &self.0 {
            Pools::Sqlite { writer, waiting, .. } => {
                let _waits = Waits::new(waiting);
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Pools::Postgres { pool, .. } => Inner::Postgres(begin(pool, scope, ONE_PLAN).await?),
        }))
    }

    /// Whether somebody waits for the one writer of the embedded database. PostgreSQL has many.
    pub fn is_awaited(&self) -> bool {
        match &self.0 {
            Pools::Sqlite { waiting, .. } => waiting.load(Ordering::Relaxed) > 0,
            Pools::Postgres { .. } => false,
        }
    }

    /// Hears of commits on other nodes, where there can be any. It only saves waiting: a notification may be lost.
    pub async fn listen(&self) -> Result<Option<Wakeups>> {
        match &self.0 {
            Pools::Sqlite { .. } => Ok(None),
            Pools::Postgres { pool, .. } => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen("roadstead").await?;
                Ok(Some(Wakeups(listener)))
            }
        }
    }

    /// Every row of a statement on PostgreSQL that writes on behalf of the platform and is a transaction of its own: one
    /// round trip instead of three. Behind its `args` it takes rows as arrays, one a column.
    pub(crate) async fn all_at_once<T: Record>(
        &self,
        sql: &'static str,
        args: Vec<Arg>,
        columns: usize,
        rows: Vec<Arg>,
    ) -> Result<Vec<T>> {
        let Pools::Postgres { at_once, .. } = &self.0 else {
            return Err(Error::bad("many rows", "a statement for PostgreSQL alone"));
        };
        asked(sql);
        let query = bound!(sqlx::query_as::<Postgres, T>(sql), args);
        Ok(bound_arrays!(query, Array::columns(columns, rows)?).fetch_all(at_once).await?)
    }

    /// Closes every connection, once they are given back.
    pub async fn close(&self) {
        match &self.0 {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, at_once, pipes } => {
                if let Some(pipes) = pipes {
                    pipes.close().await;
                }
                at_once.close().await;
                pool.close().await;
            }
        }
    }
}

impl Tx {
    /// Makes the changes durable.
    pub async fn commit(self) -> Result<()> {
        match self.0 {
            Inner::SqliteRead(_) | Inner::PostgresRead(PgReader { taken: None, .. }) => Ok(()),
            Inner::Sqlite(tx) => Ok(tx.commit().await?),
            Inner::PostgresRead(PgReader { taken: Some(tx), .. }) => Ok(tx.commit().await?),
            Inner::Postgres(tx) => Ok(tx.commit().await?),
        }
    }

    /// Runs a statement; the number of rows it touched.
    pub async fn execute(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64> {
        self.execute_made(sql.into_sql_str(), args).await
    }

    async fn execute_made(&mut self, sql: sqlx::SqlStr, args: Vec<Arg>) -> Result<u64> {
        asked(sql.as_str());
        Ok(match &mut self.0 {
            Inner::SqliteRead(c) => {
                bound!(sqlx::query::<Sqlite>(sql), args).execute(&mut *c.get().await?).await?.rows_affected()
            }
            Inner::Sqlite(c) => {
                bound!(sqlx::query::<Sqlite>(sql), args).execute(&mut **c).await?.rows_affected()
            }
            Inner::PostgresRead(c) => {
                bound!(sqlx::query::<Postgres>(sql), args).execute(c.get().await?).await?.rows_affected()
            }
            Inner::Postgres(c) => {
                bound!(sqlx::query::<Postgres>(sql), args).execute(&mut **c).await?.rows_affected()
            }
        })
    }

    /// Every row of the answer.
    pub async fn all<T: Record>(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Vec<T>> {
        self.all_made(sql.into_sql_str(), args).await
    }

    async fn all_made<T: Record>(&mut self, sql: sqlx::SqlStr, args: Vec<Arg>) -> Result<Vec<T>> {
        asked(sql.as_str());
        Ok(match &mut self.0 {
            Inner::SqliteRead(c) => {
                bound!(sqlx::query_as::<Sqlite, T>(sql), args).fetch_all(&mut *c.get().await?).await?
            }
            Inner::Sqlite(c) => bound!(sqlx::query_as::<Sqlite, T>(sql), args).fetch_all(&mut **c).await?,
            Inner::PostgresRead(c) => {
                bound!(sqlx::query_as::<Postgres, T>(sql), args).fetch_all(c.get().await?).await?
            }
            Inner::Postgres(c) => {
                bound!(sqlx::query_as::<Postgres, T>(sql), args).fetch_all(&mut **c).await?
            }
        })
    }

    /// Which database this is: for what both have to be asked for in words of their own.
    pub(crate) fn kind(&self) -> Kind {
        match &self.0 {
            Inner::SqliteRead(_) | Inner::Sqlite(_) => Kind::Sqlite,
            Inner::PostgresRead(_) | Inner::Postgres(_) => Kind::Postgres,
        }
    }

    /// Every row of a statement that an index answers at once: a look-up, a page of a list without a filter. On SQLite
    /// it runs on this very thread, so it must never have to search; on PostgreSQL it goes down a connection that others
    /// share, behind their questions. Rows are read by serde, columns by their names.
    pub async fn all_quick<T: Record + DeserializeOwned>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Vec<T>> {
        asked(sql);
        match &self.0 {
            Inner::SqliteRead(reader) => return reader.readers.quick.all(sql, &args),
            Inner::PostgresRead(PgReader { pipes: Some(pipes), scope, .. }) => {
                if let Some(rows) = pipes.all(scope, sql, &args).await {
                    return rows;
                }
            }
            Inner::Sqlite(_) | Inner::PostgresRead(_) | Inner::Postgres(_) => {}
        }
        self.all(sql, args).await
    }

    /// The row of a look-up that an index answers at once, if there is one; see [`Tx::all_quick`].
    pub async fn optional_quick<T: Record + DeserializeOwned>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Option<T>> {
        Ok(self.all_quick(sql, args).await?.into_iter().next())
    }

    /// The one number that an index answers at once; see [`Tx::all_quick`].
    pub async fn number_quick(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<i64> {
        Ok(self.optional_quick::<(i64,)>(sql, args).await?.map_or(0, |(number,)| number))
    }

    /// The row, if there is one.
    pub async fn optional<T: Record>(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Option<T>> {
        asked(sql);
        Ok(match &mut self.0 {
            Inner::SqliteRead(c) => {
                bound!(sqlx::query_as::<Sqlite, T>(sql), args).fetch_optional(&mut *c.get().await?).await?
            }
            Inner::Sqlite(c) => {
                bound!(sqlx::query_as::<Sqlite, T>(sql), args).fetch_optional(&mut **c).await?
            }
            Inner::PostgresRead(c) => {
                bound!(sqlx::query_as::<Postgres, T>(sql), args).fetch_optional(c.get().await?).await?
            }
            Inner::Postgres(c) => {
                bound!(sqlx::query_as::<Postgres, T>(sql), args).fetch_optional(&mut **c).await?
            }
        })
    }

    /// The one number that the statement answers.
    pub async fn number(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<i64> {
        Ok(self.optional::<(i64,)>(sql, args).await?.map_or(0, |(number,)| number))
    }

    /// Every row of a statement whose `<set>` stands for a table with one text column `value`, made of these texts.
    /// The set is the last `$n`. One bind carries any number of texts.
    pub async fn all_of_set<T: Record>(&mut self, sql: &str, args: Vec<Arg>, set: &[&str]) -> Result<Vec<T>> {
        let place = args.len() + 1;
        match &self.0 {
            Inner::SqliteRead(_) | Inner::Sqlite(_) => self.all_of_json(sql, args, "value", set).await,
            Inner::PostgresRead(_) | Inner::Postgres(_) => {
                let table = format!("(SELECT value FROM json_array_elements_text(${place}::json))");
                let json = serde_json::to_string(set).map_err(|error| Error::bad("a set of texts", error))?;
                self.all_of_table(sql, &table, args, json, set.len()).await
            }
        }
    }

    /// [`Tx::all_of_set`] of ids.
    pub async fn all_of_ids<T: Record>(&mut self, sql: &str, args: Vec<Arg>, ids: &[Uuid]) -> Result<Vec<T>> {
        let place = args.len() + 1;
        match &self.0 {
            Inner::SqliteRead(_) | Inner::Sqlite(_) => {
                let set: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
                self.all_of_json(sql, args, "unhex(value)", &set).await
            }
            // Ids as they are: a cast of texts may fail, so that PostgreSQL puts it behind the wall of a table, and reads the
            // whole table (docs/decisions/0056).
            Inner::PostgresRead(_) | Inner::Postgres(_) => {
                let table = format!("(SELECT u.value FROM unnest(${place}::uuid[]) AS u (value))");
                self.all_of_table(sql, &table, args, ids.to_vec(), ids.len()).await
            }
        }
    }

    /// On SQLite: `read` makes an element of the set of its text.
    async fn all_of_json<T: Record>(
        &mut self,
        sql: &str,
        mut args: Vec<Arg>,
        read: &'static str,
        set: &[impl Serialize],
    ) -> Result<Vec<T>> {
        let table = format!("(SELECT {read} AS value FROM json_each(${}))", args.len() + 1);
        args.push(serde_json::to_string(set).map_err(|error| Error::bad("a set of texts", error))?.into());
        // Safe: the text is a constant of this crate, the only other part is the table above.
        self.all_made(AssertSqlSafe(sql.replace("<set>", &table)).into_sql_str(), args).await
    }

    /// On PostgreSQL: `set` is what `table` reads, of so many elements.
    async fn all_of_table<T: Record>(
        &mut self,
        sql: &str,
        table: &str,
        args: Vec<Arg>,
        set: impl for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres> + Send + 'static,
        elements: usize,
    ) -> Result<Vec<T>> {
        // Safe: both are constants of this crate.
        let sql = AssertSqlSafe(sql.replace("<set>", table)).into_sql_str();
        asked(sql.as_str());
        let query = bound!(sqlx::query_as::<Postgres, T>(sql).persistent(elements <= KEPT), args).bind(set);
        Ok(match &mut self.0 {
            Inner::Postgres(c) => query.fetch_all(&mut **c).await?,
            Inner::PostgresRead(c) => query.fetch_all(c.get().await?).await?,
            Inner::SqliteRead(_) | Inner::Sqlite(_) => {
                return Err(Error::bad("a set", "a statement for PostgreSQL alone"));
            }
        })
    }

    /// Puts rows, their values one after the other, between `head` and `tail` of a statement of [`crate::bulk`], where
    /// they are a table with the columns `column1`, `column2` and so on; the number of rows touched.
    pub(crate) async fn execute_rows(
        &mut self,
        head: &str,
        columns: usize,
        values: Vec<Arg>,
        tail: &str,
    ) -> Result<u64> {
        // Safe: head and tail are constants of this crate, between them are placeholders alone.
        match &mut self.0 {
            Inner::Postgres(c) => {
                let rows = values.len() / columns;
                let arrays = Array::columns(columns, values)?;
                let types: Vec<String> = (1..)
                    .zip(&arrays)
                    .map(|(place, array)| format!("${place}::{}[]", array.type_name()))
                    .collect();
                let names: Vec<String> = (1..=columns).map(|place| format!("column{place}")).collect();
                let sql = format!(
                    "{head} SELECT * FROM unnest({}) AS u ({}) {tail}",
                    types.join(", "),
                    names.join(", ")
                );
                let keeps = rows <= KEPT;
                let query = sqlx::query::<Postgres>(AssertSqlSafe(sql)).persistent(keeps);
                Ok(bound_arrays!(query, arrays).execute(&mut **c).await?.rows_affected())
            }
            Inner::PostgresRead(_) => Err(Error::bad("many rows", "a reader writes nothing")),
            Inner::SqliteRead(_) | Inner::Sqlite(_) => {
                // A bare `?`: SQLite takes `$1` for a name, and the driver looks every name up in a list at each run;
                // with thousands of values that is nearly all the time.
                let row = format!("({}),", vec!["?"; columns].join(","));
                let rows = row.repeat(values.len() / columns);
                let sql = AssertSqlSafe(format!("{head} VALUES {} {tail}", rows.trim_end_matches(',')));
                self.execute_made(sql.into_sql_str(), values).await
            }
        }
    }

    /// The most rows of so many columns that one statement of [`Tx::execute_rows`] takes.
    pub(crate) fn most_rows(&self, columns: usize) -> usize {
        match &self.0 {
            // It binds so many values at most.
            Inner::SqliteRead(_) | Inner::Sqlite(_) => 32_766 / columns,
            Inner::PostgresRead(_) | Inner::Postgres(_) => usize::MAX,
        }
    }

    /// From here on the transaction acts for this scope: what its own has judged is carried out on rows of other homes.
    /// On SQLite there is no second wall.
    pub async fn act_for(&mut self, scope: &Scope) -> Result<()> {
        if let Inner::Postgres(c) = &mut self.0 {
            // Safe: constants and a UUID.
            sqlx::raw_sql(AssertSqlSafe(acting_for(scope))).execute(&mut **c).await?;
        }
        Ok(())
    }

    /// Holds every other writer of placements off until this transaction ends. On SQLite there is none.
    pub async fn lock_placements(&mut self) -> Result<()> {
        match &mut self.0 {
            Inner::SqliteRead(_) | Inner::Sqlite(_) | Inner::PostgresRead(_) => {}
            Inner::Postgres(c) => {
                // "road" in ASCII: one number for this one lock.
                sqlx::query("SELECT pg_advisory_xact_lock(1919901540)").execute(&mut **c).await?;
            }
        }
        Ok(())
    }

    /// From here to the commit no other transaction numbers events, so that their numbers rise in the order of the
    /// commits and a reader that has seen one has seen all before it. On SQLite writers stand in line anyway.
    pub(crate) async fn order_events(&mut self) -> Result<()> {
        if let Inner::Postgres(c) = &mut self.0 {
            // "evnt" in ASCII: one number for this one lock.
            sqlx::query("SELECT pg_advisory_xact_lock(1702260340)").execute(&mut **c).await?;
        }
        Ok(())
    }

    /// Makes the partitions that rows of this year and the next one go into, where there are partitions; how many were
    /// missing.
    pub(crate) async fn make_partitions(&mut self, now: Micros) -> Result<u64> {
        let Inner::Postgres(_) = &self.0 else { return Ok(0) };
        let made = self.number("SELECT roadstead_make_partitions($1)", vec![now.into()]).await?;
        Ok(made.unsigned_abs())
    }

    /// Drops the partitions of lines that were all reported before this instant; how many. `None` where there are none.
    pub(crate) async fn drop_partitions(&mut self, before: Micros) -> Result<Option<u64>> {
        let Inner::Postgres(_) = &self.0 else { return Ok(None) };
        let dropped = self.number("SELECT roadstead_drop_partitions($1)", vec![before.into()]).await?;
        Ok(Some(dropped.unsigned_abs()))
    }

    /// Lets all nodes know of this, at the commit. The same twice in one transaction is once.
    pub(crate) async fn notify(&mut self, news: News) -> Result<()> {
        if let Inner::Postgres(c) = &mut self.0 {
            let said = match news {
                News::Events => "events",
                News::Work => "work",
            };
            sqlx::query("SELECT pg_notify('roadstead', $1)").bind(said).execute(&mut **c).await?;
        }
        Ok(())
    }

    /// ` FOR UPDATE SKIP LOCKED` where several nodes may take from one table.
    pub(crate) fn skip_locked(&self) -> &'static str {
        match &self.0 {
            Inner::SqliteRead(_) | Inner::Sqlite(_) => "",
            Inner::PostgresRead(_) | Inner::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// ` FOR SHARE OF p SKIP LOCKED` where there are several writers: until this transaction ends nobody changes these rows
    /// of `p`; those that somebody is changing are left out.
    pub(crate) fn share_of_p(&self) -> &'static str {
        match &self.0 {
            Inner::SqliteRead(_) | Inner::Sqlite(_) => "",
            Inner::PostgresRead(_) | Inner::Postgres(_) => " FOR SHARE OF p SKIP LOCKED",
        }
    }

    /// ` FOR UPDATE` where there are several writers.
    pub(crate) fn for_update(&self) -> &'static str {
        match &self.0 {
            Inner::SqliteRead(_) | Inner::Sqlite(_) => "",
            Inner::PostgresRead(_) | Inner::Postgres(_) => " FOR UPDATE",
        }
    }

    /// The row, if there is one. Until this transaction ends nobody else changes it.
    pub(crate) async fn hold<T: Record>(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Option<T>> {
        let ending = self.for_update();
        Ok(self.all_ending(sql, ending, args).await?.into_iter().next())
    }

    /// Runs a query with an ending of this file's own making.
    pub(crate) async fn all_ending<T: Record>(
        &mut self,
        sql: &'static str,
        ending: &'static str,
        args: Vec<Arg>,
    ) -> Result<Vec<T>> {
        self.all_made(AssertSqlSafe(format!("{sql}{ending}")).into_sql_str(), args).await
    }
}

/// Runs a text of several statements as the owner of the tables, on SQLite on the writer: for tests, to break things.
pub async fn run_text(store: &Store, sql: &'static str) -> Result<()> {
    match &store.0 {
        Pools::Sqlite { writer, .. } => {
            sqlx::raw_sql(sql).execute(writer).await?;
        }
        Pools::Postgres { pool, .. } => {
            sqlx::raw_sql(sql).execute(pool).await?;
        }
    }
    Ok(())
}

/// Every statement's plan, for tests: SQLite's `EXPLAIN QUERY PLAN`, PostgreSQL's `EXPLAIN`, which below 16 takes values and
/// no `$1`.
pub async fn explain(store: &Store, sql: &'static str) -> Result<String> {
    let mut lines = Vec::new();
    match &store.0 {
        Pools::Sqlite { readers, .. } => {
            let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let mut reader = readers.reader();
            for row in sqlx::query(sql).fetch_all(reader.get().await?).await? {
                lines.push(row.try_get::<String, _>("detail")?);
            }
        }
        Pools::Postgres { pool, .. } => {
            let sql = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {sql}"));
            for row in sqlx::query(sql).fetch_all(pool).await? {
                lines.push(row.try_get::<String, _>(0)?);
            }
        }
    }
    Ok(lines.join("\n"))
}
