//! Brings a database to the schema of this version, one numbered text after the other, each in a transaction.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::error::{Error, Result};

/// The texts in the order in which they run. A text that was released is never changed.
/// The third is what PostgreSQL needs besides.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, include_str!("migrations/0001_core.sql"), include_str!("migrations/0001_core.pg.sql")),
    (2, include_str!("migrations/0002_customers.sql"), include_str!("migrations/0002_customers.pg.sql")),
    (10, include_str!("migrations/0010_transfers.sql"), include_str!("migrations/0010_transfers.pg.sql")),
];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY)";

/// The schema of this version.
fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

fn newer_than_ours(version: i64) -> Error {
    Error::Unusable(format!(
        "the database has schema version {version}, newer than this program's {}: start a newer version of Roadstead",
        newest()
    ))
}

/// Migrates the embedded database on its only connection.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<()> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    tx.execute(VERSIONS).await?;
    let done: i64 =
        tx.fetch_one("SELECT COALESCE(MAX(version), 0) FROM schema_versions").await?.try_get(0)?;
    if done > newest() {
        return Err(newer_than_ours(done));
    }
    for (version, text, _) in MIGRATIONS.iter().filter(|(version, ..)| *version > done) {
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
    let done: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_versions")
        .fetch_one(&mut *tx)
        .await?;
    if done > newest() {
        return Err(newer_than_ours(done));
    }
    for (version, text, besides) in MIGRATIONS.iter().filter(|(version, ..)| *version > done) {
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
