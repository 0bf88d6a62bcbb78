//! Brings a database to the schema of this version, one numbered text after the other, each in a transaction.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::error::{Error, Result};

/// The texts in the order in which they run. A text that was released is never changed.
/// The third is what PostgreSQL needs besides.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, include_str!("migrations/0001_core.sql"), include_str!("migrations/0001_core.pg.sql")),
    (2, include_str!("migrations/0002_customers.sql"), include_str!("migrations/0002_customers.pg.sql")),
    (5, include_str!("migrations/0005_pool.sql"), include_str!("migrations/0005_pool.pg.sql")),
    (10, include_str!("migrations/0010_transfers.sql"), include_str!("migrations/0010_transfers.pg.sql")),
];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY)";

/// Those that are not done yet. Numbers are given to branches, so a lower one may come after a higher one.
fn to_do(done: &[i64]) -> Result<impl Iterator<Item = &'static (i64, &'static str, &'static str)>> {
    let newest = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
    if let Some(newer) = done.iter().find(|version| **version > newest) {
        return Err(Error::Unusable(format!(
            "the database has schema version {newer}, newer than this program's {newest}: start a newer version of \
             Roadstead"
        )));
    }
    Ok(MIGRATIONS.iter().filter(move |(version, ..)| !done.contains(version)))
}

/// Migrates the embedded database on its only connection.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<()> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    tx.execute(VERSIONS).await?;
    let rows = tx.fetch_all("SELECT version FROM schema_versions").await?;
    let done = rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<Vec<i64>>>()?;
    for (version, text, _) in to_do(&done)? {
        let text = text.replace("<sequence>", "INTEGER PRIMARY KEY AUTOINCREMENT");
        tx.execute(sqlx::raw_sql(AssertSqlSafe(text))).await?;
        sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *tx)
            .await?;
    }
    Ok(tx.commit().await?)
}

/// Migrates a PostgreSQL database; nodes that start together wait for one another.
pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<()> {
    let server: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut *connection)
        .await?;
    if server < 150_000 {
        return Err(Error::Unusable(format!(
            "PostgreSQL 15 or newer is needed; this is {}",
            server / 10_000
        )));
    }
    // Keyset pages compare text in the database and cursors in bytes: a linguistic order would skip rows.
    let byte_order: bool = sqlx::query_scalar(
        "SELECT datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8') AND datlocprovider = 'c' \
         FROM pg_database WHERE datname = current_database()",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !byte_order {
        return Err(Error::Unusable(
            "the database compares text by the rules of a language: create it with \
             TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
                .to_owned(),
        ));
    }
    let mut tx = connection.begin().await?;
    // "migr" in ASCII: one number for this one lock.
    tx.execute("SELECT pg_advisory_xact_lock(1835624306)").await?;
    tx.execute(VERSIONS).await?;
    let done: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM schema_versions").fetch_all(&mut *tx).await?;
    for (version, text, besides) in to_do(&done)? {
        let text = text.replace("<sequence>", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
        tx.execute(sqlx::raw_sql(AssertSqlSafe(text))).await?;
        tx.execute(*besides).await?;
        sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *tx)
            .await?;
    }
    Ok(tx.commit().await?)
}
