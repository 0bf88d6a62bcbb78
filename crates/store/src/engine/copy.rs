//! Moves a whole platform from the embedded database to PostgreSQL: every table that the schema has, in one transaction,
//! so that a copy that does not hold leaves nothing behind.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use futures_util::TryStreamExt;
use roadstead_domain::access::Scope;
use roadstead_domain::ids::TenantId;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode, SqliteRow};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Postgres, Row, SqliteConnection,
};
use uuid::Uuid;

use super::{BY_INDEX, Inner, Tx};
use crate::error::{Error, Result};
use crate::{migrate, placements};

/// Rows on their way at a time; fewer where they are large.
const ROWS: usize = 5000;
const BYTES: usize = 8 << 20;

/// What was copied, and found to hold in the new place.
#[derive(Debug)]
pub struct Copied {
    /// Each table with its number of rows.
    pub tables: Vec<(String, i64)>,
    /// Entries of the placement log, whose chains were walked.
    pub entries: i64,
}

/// A table of ours: its columns with the types that PostgreSQL gives them.
struct Table {
    name: String,
    columns: Vec<(String, Type)>,
}

#[derive(Clone, Copy)]
enum Type {
    Uuid,
    Text,
    Int,
    Bool,
    Bytes,
}

/// Values of one column.
enum Values {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Type {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "uuid" => Self::Uuid,
            "text" => Self::Text,
            "bigint" | "integer" | "smallint" => Self::Int,
            "boolean" => Self::Bool,
            "bytea" => Self::Bytes,
            _ => return None,
        })
    }

    /// A value's part of the row's digest, as [`Values::push`] has it.
    fn digest(self, row: &PgRow, at: usize, digest: &mut DefaultHasher) -> sqlx::Result<()> {
        match self {
            Self::Uuid => row.try_get::<Option<Uuid>, _>(at)?.hash(digest),
            Self::Text => row.try_get::<Option<String>, _>(at)?.hash(digest),
            Self::Int => row.try_get::<Option<i64>, _>(at)?.hash(digest),
            Self::Bool => row.try_get::<Option<bool>, _>(at)?.hash(digest),
            Self::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.hash(digest),
        }
        Ok(())
    }

    fn array(self) -> &'static str {
        match self {
            Self::Uuid => "uuid[]",
            Self::Text => "text[]",
            Self::Int => "bigint[]",
            Self::Bool => "boolean[]",
            Self::Bytes => "bytea[]",
        }
    }

    fn values(self) -> Values {
        match self {
            Self::Uuid => Values::Uuid(Vec::new()),
            Self::Text => Values::Text(Vec::new()),
            Self::Int => Values::Int(Vec::new()),
            Self::Bool => Values::Bool(Vec::new()),
            Self::Bytes => Values::Bytes(Vec::new()),
        }
    }
}

impl Values {
    /// Takes over a value, with its part of the row's digest; how many bytes it has beside its place.
    fn push(&mut self, row: &SqliteRow, at: usize, digest: &mut DefaultHasher) -> sqlx::Result<usize> {
        macro_rules! take {
            ($values:expr, $bytes:expr) => {{
                let value = row.try_get(at)?;
                Hash::hash(&value, digest);
                let bytes = $bytes(&value);
                $values.push(value);
                bytes
            }};
        }
        Ok(match self {
            Self::Uuid(values) => take!(values, |_: &Option<Uuid>| 0),
            Self::Int(values) => take!(values, |_: &Option<i64>| 0),
            Self::Bool(values) => take!(values, |_: &Option<bool>| 0),
            Self::Text(values) => take!(values, |v: &Option<String>| v.as_ref().map_or(0, String::len)),
            Self::Bytes(values) => take!(values, |v: &Option<Vec<u8>>| v.as_ref().map_or(0, Vec::len)),
        })
    }

    fn bind<'q>(self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        match self {
            Self::Uuid(values) => query.bind(values),
            Self::Text(values) => query.bind(values),
            Self::Int(values) => query.bind(values),
            Self::Bool(values) => query.bind(values),
            Self::Bytes(values) => query.bind(values),
        }
    }
}

/// Copies the embedded database of this directory, which nobody may have open, into an empty PostgreSQL database, and
/// holds the two against each other before anything is committed.
pub async fn to_postgres(directory: &Path, url: &str, scope: &Scope) -> Result<Copied> {
    scope.platform()?;
    let mut source = open_source(directory).await?;
    let pool = open_target(url).await?;
    let mut tx = pool.begin().await?;
    // Nodes that start now wait as they do for a migration.
    migrate::lock(&mut tx).await?;
    // The owner of the tables is bound by their policies too.
    tx.execute("SET LOCAL roadstead.reach = 'platform'").await?;
    let tables = tables(&mut source, &mut tx).await?;
    for table in &tables {
        execute(&mut tx, format!("LOCK TABLE \"{}\" IN ACCESS EXCLUSIVE MODE", table.name)).await?;
    }

    // Rows come in the order of the tables' names: references are checked when all are there, and what triggers do was
    // done once.
    let references: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace",
    )
    .fetch_all(&mut *tx)
    .await?;
    for (table, name, _) in &references {
        execute(&mut tx, format!("ALTER TABLE {table} DROP CONSTRAINT {name}")).await?;
    }
    clear(&mut tx, &tables).await?;
    let mut copied = Vec::new();
    for table in &tables {
        execute(&mut tx, format!("ALTER TABLE \"{}\" DISABLE TRIGGER USER", table.name)).await?;
        let sent = copy_rows(&mut source, &mut tx, table).await?;
        execute(&mut tx, format!("ALTER TABLE \"{}\" ENABLE TRIGGER USER", table.name)).await?;
        let arrived = read_back(&mut tx, table).await?;
        if arrived != sent {
            return Err(Error::Unusable(format!(
                "{} did not arrive as it was ({} rows, {} of them arrived)",
                table.name, sent.rows, arrived.rows
            )));
        }
        copied.push((table.name.clone(), arrived.rows));
    }
    for (table, name, definition) in &references {
        execute(&mut tx, format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")).await?;
    }
    go_on_counting(&mut source, &mut tx).await?;

    // What checks asks by index, as the server does: of these tables there are no statistics yet.
    for (name, value) in BY_INDEX {
        execute(&mut tx, format!("SET LOCAL {name} = {value}")).await?;
    }
    let mut tx = Tx(Inner::Postgres(tx));
    let entries = hold_chains(&mut source, &mut tx, scope).await?;
    compare_places(&mut tx, scope).await?;
    tx.commit().await?;
    // Not the empty ones: a plan for a table that is known to be empty may take any index, and would be kept.
    for (table, _) in copied.iter().filter(|(_, rows)| *rows > 0) {
        pool.execute(AssertSqlSafe(format!("ANALYZE \"{table}\""))).await?;
    }
    pool.close().await;
    source.close().await?;
    Ok(Copied { tables: copied, entries })
}

/// The embedded database, locked for as long as it is open.
async fn open_source(directory: &Path) -> Result<SqliteConnection> {
    let file = directory.join("roadstead.db");
    if !file.exists() {
        return Err(Error::Unusable(format!("there is no embedded database {}", file.display())));
    }
    let in_use = |error: sqlx::Error| match error {
        sqlx::Error::Database(db) if db.message().contains("locked") => Error::Unusable(format!(
            "the embedded database {} is in use: stop the server and every other roadstead command first",
            file.display()
        )),
        other => other.into(),
    };
    let mut source = SqliteConnectOptions::new()
        .filename(&file)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(Duration::from_secs(1))
        .disable_statement_logging()
        .connect()
        .await
        .map_err(in_use)?;
    // In this mode the first look takes the lock, which even an idle connection of somebody else refuses.
    source.execute(sqlx::raw_sql("BEGIN EXCLUSIVE; COMMIT")).await.map_err(in_use)?;
    let has: Vec<i64> = sqlx::query_scalar(migrate::DONE).fetch_all(&mut source).await?;
    same_schema("the embedded database", &has, "bring it there by `roadstead migrate --data`")?;
    Ok(source)
}

/// Refuses a schema that is not this program's.
fn same_schema(which: &str, has: &[i64], remedy: &str) -> Result<()> {
    let ours = migrate::versions();
    if has == ours {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "{which} has the schema versions {has:?}, this program has {ours:?}: {remedy}"
    )))
}

/// PostgreSQL, with this program's schema: made in a database that has no table, else it must be there already.
async fn open_target(url: &str) -> Result<sqlx::PgPool> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::Unusable(format!("the database address cannot be read: {error}")))?
        .disable_statement_logging();
    let mut alone = options.connect().await?;
    let there: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')",
    )
    .fetch_all(&mut alone)
    .await?;
    match there.first() {
        None => migrate::postgres(&mut alone).await?,
        Some(_) if there.iter().any(|name| name == "schema_versions") => {
            let has: Vec<i64> = sqlx::query_scalar(migrate::DONE).fetch_all(&mut alone).await?;
            same_schema("the PostgreSQL database", &has, "give a fresh database")?;
        }
        Some(table) => {
            return Err(Error::Unusable(format!(
                "the PostgreSQL database is not empty: it has the table {table}; give a fresh database"
            )));
        }
    }
    alone.close().await?;
    Ok(PgPoolOptions::new().max_connections(1).connect_with(options).await?)
}

/// Every table of the source; each must have its like in the target.
async fn tables(source: &mut SqliteConnection, target: &mut PgConnection) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    for name in migrate::tables(source).await? {
        let there: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0")
                .bind(&name)
                .fetch_all(&mut *source)
                .await?;
        let here: Vec<(String, String)> = sqlx::query_as(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute \
             WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        )
        .bind(&name)
        .fetch_all(&mut *target)
        .await?;
        let mut columns = Vec::with_capacity(there.len());
        for column in there {
            let kind = here.iter().find(|(here, _)| *here == column).and_then(|(_, kind)| Type::of(kind));
            let Some(kind) = kind else {
                return Err(Error::Unusable(format!(
                    "{name}.{column} has no column in PostgreSQL that it can be copied into"
                )));
            };
            columns.push((column, kind));
        }
        tables.push(Table { name, columns });
    }
    Ok(tables)
}

/// Refuses a target that holds more than what its migrations put there, and takes that away: the source has it.
async fn clear(target: &mut PgConnection, tables: &[Table]) -> Result<()> {
    let seeds = migrate::seeds().await?;
    for Table { name, .. } in tables {
        let rows = count(target, name).await?;
        if rows > seeds.get(name).copied().unwrap_or(0) {
            return Err(Error::Unusable(format!(
                "the PostgreSQL database is not empty: {name} has {rows} rows; give a fresh database"
            )));
        }
        if rows > 0 {
            execute(target, format!("DELETE FROM \"{name}\"")).await?;
        }
    }
    Ok(())
}

/// What a table holds, in whatever order: its rows counted, and their digests added up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Contents {
    rows: i64,
    sum: u64,
}

impl Contents {
    fn add(&mut self, digest: &DefaultHasher) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(digest.finish());
    }
}

/// Copies the rows of a table; what they were.
async fn copy_rows(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    table: &Table,
) -> Result<Contents> {
    let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let names = names.join(", ");
    let arrays: Vec<String> =
        (1..).zip(&table.columns).map(|(place, (_, kind))| format!("${place}::{}", kind.array())).collect();
    let insert = format!(
        "INSERT INTO \"{}\" ({names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({})",
        table.name,
        arrays.join(", ")
    );
    let empty = || -> Vec<Values> { table.columns.iter().map(|(_, kind)| kind.values()).collect() };
    // Safe, here and below: the names come from our own schema.
    let rows = AssertSqlSafe(format!("SELECT {names} FROM \"{}\"", table.name));
    let mut rows = sqlx::query(rows).fetch(source);
    let (mut batch, mut waiting, mut bytes) = (empty(), 0, 0);
    let mut contents = Contents::default();
    loop {
        let row = rows.try_next().await?;
        if let Some(row) = &row {
            let mut digest = DefaultHasher::new();
            for (at, values) in batch.iter_mut().enumerate() {
                bytes += values.push(row, at, &mut digest)?;
            }
            contents.add(&digest);
            waiting += 1;
        }
        if waiting == ROWS || bytes > BYTES || (row.is_none() && waiting > 0) {
            let full = std::mem::replace(&mut batch, empty());
            let query = sqlx::query(AssertSqlSafe(insert.as_str()));
            full.into_iter().fold(query, |query, values| values.bind(query)).execute(&mut *target).await?;
            (waiting, bytes) = (0, 0);
        }
        if row.is_none() {
            return Ok(contents);
        }
    }
}

/// Reads back what a table holds now.
async fn read_back(target: &mut PgConnection, table: &Table) -> Result<Contents> {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|(name, kind)| format!("\"{name}\"::{}", kind.array().trim_end_matches("[]")))
        .collect();
    let rows = AssertSqlSafe(format!("SELECT {} FROM \"{}\"", names.join(", "), table.name));
    let mut rows = sqlx::query(rows).fetch(target);
    let mut contents = Contents::default();
    while let Some(row) = rows.try_next().await? {
        let mut digest = DefaultHasher::new();
        for (at, (_, kind)) in table.columns.iter().enumerate() {
            kind.digest(&row, at, &mut digest)?;
        }
        contents.add(&digest);
    }
    Ok(contents)
}

/// What counts its own rows goes on after the highest number that was ever given, not only after those still there.
async fn go_on_counting(source: &mut SqliteConnection, target: &mut PgConnection) -> Result<()> {
    let counting: Vec<(String, String)> = sqlx::query_as(
        "SELECT relname::text, attname::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid \
         WHERE attidentity <> '' AND relnamespace = 'public'::regnamespace AND NOT relispartition",
    )
    .fetch_all(&mut *target)
    .await?;
    for (table, column) in counting {
        let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = $1")
            .bind(&table)
            .fetch_optional(&mut *source)
            .await?;
        if let Some(last) = last.filter(|last| *last > 0) {
            sqlx::query("SELECT setval(pg_get_serial_sequence(quote_ident($1), $2), $3)")
                .bind(&table)
                .bind(&column)
                .bind(last)
                .execute(&mut *target)
                .await?;
        }
    }
    Ok(())
}

async fn count(target: &mut PgConnection, table: &str) -> Result<i64> {
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{table}\""));
    Ok(sqlx::query_scalar(sql).fetch_one(target).await?)
}

/// Walks every partner's chain in the target, up to the head that the source has; the number of entries.
async fn hold_chains(source: &mut SqliteConnection, tx: &mut Tx, scope: &Scope) -> Result<i64> {
    let heads: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT partner, seq FROM placement_log_heads").fetch_all(source).await?;
    let mut entries = 0;
    for (partner, last) in heads {
        if placements::verify_chain(tx, scope, TenantId(partner)).await? != Ok(last) {
            return Err(Error::Unusable(format!(
                "the placement log of partner {partner} does not hold, as `roadstead audit verify` will say of the \
                 embedded database too"
            )));
        }
        entries += last;
    }
    Ok(entries)
}

/// Compares where every PC is in the target with what the logs of moves say.
async fn compare_places(tx: &mut Tx, scope: &Scope) -> Result<()> {
    let (mut strays, mut first, mut after) = (0, None, Some(Uuid::nil()));
    while let Some(from) = after {
        let (found, next) = placements::strays(tx, scope, from).await?;
        strays += found.len();
        first = first.or(found.into_iter().next());
        after = next;
    }
    let Some(first) = first else { return Ok(()) };
    Err(Error::Unusable(format!(
        "{first}; {strays} PCs do not stand where the logs say, as `roadstead audit verify` will say of the embedded \
         database too"
    )))
}

async fn execute(target: &mut PgConnection, sql: String) -> Result<()> {
    // Safe: the names come from our own schema.
    target.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}
