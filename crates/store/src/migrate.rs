//! Brings a database to the schema of this version: numbered texts, in ascending order, all in one transaction. Numbers
//! may have gaps.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::error::{Error, Result};

/// A number, the text for both engines, and what PostgreSQL needs besides.
type Migration = (i64, &'static str, &'static str);

/// In the order in which they run. A text that was released is never changed, and a number below the newest released
/// one is never added.
const MIGRATIONS: &[Migration] = &[
    (1, include_str!("migrations/0001_core.sql"), include_str!("migrations/0001_core.pg.sql")),
    (2, include_str!("migrations/0002_customers.sql"), include_str!("migrations/0002_customers.pg.sql")),
    (3, include_str!("migrations/0003_accounts.sql"), include_str!("migrations/0003_accounts.pg.sql")),
    (
        4,
        include_str!("migrations/0004_acknowledgements.sql"),
        include_str!("migrations/0004_acknowledgements.pg.sql"),
    ),
    (5, include_str!("migrations/0005_pool.sql"), include_str!("migrations/0005_pool.pg.sql")),
    (6, include_str!("migrations/0006_devices.sql"), include_str!("migrations/0006_devices.pg.sql")),
    (7, include_str!("migrations/0007_support.sql"), include_str!("migrations/0007_support.pg.sql")),
    (8, include_str!("migrations/0008_operations.sql"), include_str!("migrations/0008_operations.pg.sql")),
    (10, include_str!("migrations/0010_transfers.sql"), include_str!("migrations/0010_transfers.pg.sql")),
    (11, include_str!("migrations/0011_arrivals.sql"), include_str!("migrations/0011_arrivals.pg.sql")),
    (
        12,
        include_str!("migrations/0012_self_service.sql"),
        include_str!("migrations/0012_self_service.pg.sql"),
    ),
    (20, include_str!("migrations/0020_repair.sql"), include_str!("migrations/0020_repair.pg.sql")),
    (
        30,
        include_str!("migrations/0030_explanations.sql"),
        include_str!("migrations/0030_explanations.pg.sql"),
    ),
    (
        31,
        include_str!("migrations/0031_support_for_all.sql"),
        include_str!("migrations/0031_support_for_all.pg.sql"),
    ),
    (
        32,
        include_str!("migrations/0032_dispute_decisions.sql"),
        include_str!("migrations/0032_dispute_decisions.pg.sql"),
    ),
    (40, include_str!("migrations/0040_privacy.sql"), include_str!("migrations/0040_privacy.pg.sql")),
    (
        50,
        include_str!("migrations/0050_reporter_silences.sql"),
        include_str!("migrations/0050_reporter_silences.pg.sql"),
    ),
    (60, include_str!("migrations/0060_own_devices.sql"), include_str!("migrations/0060_own_devices.pg.sql")),
    (61, include_str!("migrations/0061_wipe.sql"), include_str!("migrations/0061_wipe.pg.sql")),
    (
        64,
        include_str!("migrations/0064_outside_desks.sql"),
        include_str!("migrations/0064_outside_desks.pg.sql"),
    ),
    (65, include_str!("migrations/0065_desk_hours.sql"), include_str!("migrations/0065_desk_hours.pg.sql")),
    (66, include_str!("migrations/0066_case_mails.sql"), include_str!("migrations/0066_case_mails.pg.sql")),
    (67, include_str!("migrations/0067_recalls.sql"), include_str!("migrations/0067_recalls.pg.sql")),
    (
        68,
        include_str!("migrations/0068_repair_retention.sql"),
        include_str!("migrations/0068_repair_retention.pg.sql"),
    ),
    (70, include_str!("migrations/0070_attachments.sql"), include_str!("migrations/0070_attachments.pg.sql")),
    (71, include_str!("migrations/0071_orders.sql"), include_str!("migrations/0071_orders.pg.sql")),
    (72, include_str!("migrations/0072_own_views.sql"), include_str!("migrations/0072_own_views.pg.sql")),
    (73, include_str!("migrations/0073_look_ups.sql"), ""),
    (74, include_str!("migrations/0074_own_pool.sql"), include_str!("migrations/0074_own_pool.pg.sql")),
    (
        75,
        include_str!("migrations/0075_own_placements.sql"),
        include_str!("migrations/0075_own_placements.pg.sql"),
    ),
    (76, include_str!("migrations/0076_chain_version.sql"), ""),
    (
        78,
        include_str!("migrations/0078_invited_until.sql"),
        include_str!("migrations/0078_invited_until.pg.sql"),
    ),
    (
        79,
        include_str!("migrations/0079_case_user_mails.sql"),
        include_str!("migrations/0079_case_user_mails.pg.sql"),
    ),
    (
        80,
        include_str!("migrations/0080_own_pool_reports.sql"),
        include_str!("migrations/0080_own_pool_reports.pg.sql"),
    ),
    (81, "", include_str!("migrations/0081_customer_walls.pg.sql")),
    (82, "", include_str!("migrations/0082_platform_role.pg.sql")),
    (
        83,
        include_str!("migrations/0083_check_ins_to_judge.sql"),
        include_str!("migrations/0083_check_ins_to_judge.pg.sql"),
    ),
    (
        84,
        include_str!("migrations/0084_check_ins_once.sql"),
        include_str!("migrations/0084_check_ins_once.pg.sql"),
    ),
];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY)";
pub(crate) const DONE: &str = "SELECT version FROM schema_versions ORDER BY version";
const NOTE: &str = "INSERT INTO schema_versions (version) VALUES ($1)";

/// The number of the newest schema that this program knows.
pub fn newest() -> i64 {
    MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0)
}

/// Every number, ascending.
pub(crate) fn versions() -> Vec<i64> {
    MIGRATIONS.iter().map(|(version, ..)| *version).collect()
}

/// How many rows the migrations themselves put into each table.
pub(crate) async fn seeds() -> Result<BTreeMap<String, i64>> {
    let mut empty = SqliteConnection::connect("sqlite::memory:").await?;
    sqlite(&mut empty).await?;
    let mut seeds = BTreeMap::new();
    for table in tables(&mut empty).await? {
        // Safe: names of our own schema.
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{table}\""));
        let rows = sqlx::query_scalar(sql).fetch_one(&mut empty).await?;
        seeds.insert(table, rows);
    }
    Ok(seeds)
}

/// The tables of an embedded database, but for those that SQLite keeps for itself.
pub(crate) async fn tables(connection: &mut SqliteConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
         AND name NOT LIKE 'sqlite%' AND name <> 'schema_versions' ORDER BY name",
    )
    .fetch_all(connection)
    .await?)
}

/// What is left to run where `done` has run.
async fn left(known: &[Migration], done: &[i64]) -> Result<Vec<Migration>> {
    let newest = known.iter().map(|(version, ..)| *version).max().unwrap_or(0);
    if let Some(unknown) = done.iter().rfind(|done| known.iter().all(|(version, ..)| version != *done)) {
        return Err(Error::Unusable(if *unknown > newest {
            format!(
                "the database has schema version {unknown}, newer than this program's {newest}: start a newer \
                 version of Roadstead"
            )
        } else {
            format!(
                "the database has schema version {unknown}, which this program does not know although it knows \
                 {newest}: start the program that made it"
            )
        }));
    }
    let left: Vec<Migration> =
        known.iter().filter(|(version, ..)| !done.contains(version)).copied().collect();
    let last = done.last().copied().unwrap_or(0);
    let late: Vec<Migration> = left.iter().filter(|(version, ..)| *version < last).copied().collect();
    if let Some((version, ..)) = late.first()
        && !may_be_late(known, done, &left, &late).await
    {
        return Err(Error::Unusable(format!(
            "the database has schema version {last} without {version}, and to add it now may not come to the same: \
             copy the data into a new database, or start the program that made this one"
        )));
    }
    Ok(left)
}

/// Whether it makes no difference that a lower number runs after a higher one, which happens between releases only: it
/// reads and changes no rows, and both orders come to the same schema and rows in an empty database.
async fn may_be_late(known: &[Migration], done: &[i64], left: &[Migration], late: &[Migration]) -> bool {
    let touches_rows = |(_, text, _): &Migration| {
        let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or("")).collect();
        let code = code.join(" ").to_uppercase();
        let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| ["SELECT", "UPDATE", "DELETE", "REPLACE", "TRIGGER"].contains(&word))
    };
    if late.iter().any(touches_rows) {
        return false;
    }
    let first = known.iter().filter(|(version, ..)| done.contains(version));
    match (rehearse(first.chain(left)).await, rehearse(known.iter()).await) {
        (Ok(late), Ok(in_order)) => late == in_order,
        _ => false,
    }
}

/// The schema and the rows that these texts make of nothing.
async fn rehearse(texts: impl Iterator<Item = &Migration>) -> Result<Vec<String>> {
    let mut empty = SqliteConnection::connect("sqlite::memory:").await?;
    for (_, text, _) in texts {
        empty.execute(sqlx::raw_sql(AssertSqlSafe(on_sqlite(text)))).await?;
    }
    let mut made: Vec<String> =
        sqlx::query_scalar("SELECT COALESCE(sql, name) FROM sqlite_master").fetch_all(&mut empty).await?;
    for table in tables(&mut empty).await? {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info($1)")
                .bind(&table)
                .fetch_all(&mut empty)
                .await?;
        // Safe: names of our own schema.
        let rows = format!("SELECT '{table} ' || {} FROM \"{table}\"", columns.join(" || ' ' || "));
        made.extend(sqlx::query_scalar::<_, String>(AssertSqlSafe(rows)).fetch_all(&mut empty).await?);
    }
    made.sort();
    empty.close().await?;
    Ok(made)
}

fn on_sqlite(text: &str) -> String {
    text.replace("<sequence>", "INTEGER PRIMARY KEY AUTOINCREMENT")
}

fn on_postgres(text: &str) -> String {
    text.replace("<sequence>", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
}

/// Migrates the embedded database on its only connection.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<()> {
    migrate_sqlite(connection, MIGRATIONS).await
}

async fn migrate_sqlite(connection: &mut SqliteConnection, known: &[Migration]) -> Result<()> {
    let begun = connection.begin_with("BEGIN IMMEDIATE").await;
    let mut tx = begun.map_err(|error| match error {
        sqlx::Error::Database(db) if db.message().contains("locked") => Error::Unusable(
            "the database is locked: another migration or a large write is under way; try again".to_owned(),
        ),
        other => other.into(),
    })?;
    tx.execute(VERSIONS).await?;
    let done: Vec<i64> = sqlx::query_scalar(DONE).fetch_all(&mut *tx).await?;
    for (version, text, _) in left(known, &done).await? {
        tx.execute(sqlx::raw_sql(AssertSqlSafe(on_sqlite(text)))).await?;
        sqlx::query(NOTE).bind(version).execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Migrates a PostgreSQL database; whoever comes second waits for the first.
pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<()> {
    let server: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut *connection)
        .await?;
    supported(server)?;
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
    migrate_postgres(connection, MIGRATIONS).await
}

fn supported(server: i32) -> Result<()> {
    if server < 150_000 {
        return Err(Error::Unusable(format!(
            "PostgreSQL 15 or newer is needed; this is {}",
            server / 10_000
        )));
    }
    Ok(())
}

async fn migrate_postgres(connection: &mut PgConnection, known: &[Migration]) -> Result<()> {
    let mut tx = connection.begin().await?;
    lock(&mut tx).await?;
    tx.execute(VERSIONS).await?;
    let done: Vec<i64> = sqlx::query_scalar(DONE).fetch_all(&mut *tx).await?;
    for (version, text, besides) in left(known, &done).await? {
        tx.execute(sqlx::raw_sql(AssertSqlSafe(on_postgres(text)))).await?;
        tx.execute(sqlx::raw_sql(besides)).await?;
        sqlx::query(NOTE).bind(version).execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Keeps other migrations and copies out until this transaction ends.
pub(crate) async fn lock(tx: &mut PgConnection) -> Result<()> {
    // "migr" in ASCII: one number for this one lock.
    let free: bool = tx.fetch_one("SELECT pg_try_advisory_xact_lock(1835624306)").await?.try_get(0)?;
    if !free {
        tracing::warn!("another program migrates this database or copies into it; waiting for it");
        tx.execute("SELECT pg_advisory_xact_lock(1835624306)").await?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::fresh_postgres;

    const ONE: Migration = (1, "CREATE TABLE a (x TEXT PRIMARY KEY)", "");
    const FOUR: Migration = (4, "CREATE TABLE d (x BIGINT); INSERT INTO d (x) VALUES (4)", "");
    const SEVEN: Migration = (7, "ALTER TABLE d ADD COLUMN y TEXT", "");
    /// Independent of all others.
    const TWO: Migration =
        (2, "CREATE TABLE b (x BIGINT, n <sequence>);", "CREATE POLICY p ON b USING (true)");
    /// These three are not.
    const COLUMN: Migration = (2, "CREATE TABLE d (x TEXT)", "");
    const ROWS: Migration = (2, "CREATE TABLE c (x TEXT); INSERT INTO c SELECT x FROM a", "");
    const ALTERS: Migration = (5, "ALTER TABLE d ADD COLUMN z TEXT", "");

    async fn fresh() -> SqliteConnection {
        SqliteConnection::connect("sqlite::memory:").await.unwrap()
    }

    async fn versions(connection: &mut SqliteConnection) -> Vec<i64> {
        sqlx::query_scalar(DONE).fetch_all(connection).await.unwrap()
    }

    #[tokio::test]
    async fn numbers_ascend_with_gaps_and_a_late_one_is_caught_up_on_if_it_makes_no_difference() {
        let mut db = fresh().await;
        migrate_sqlite(&mut db, &[ONE, FOUR]).await.unwrap();
        migrate_sqlite(&mut db, &[ONE, FOUR, SEVEN]).await.unwrap();
        assert_eq!(versions(&mut db).await, [1, 4, 7]);
        migrate_sqlite(&mut db, &[ONE, TWO, FOUR, SEVEN]).await.unwrap();
        assert_eq!(versions(&mut db).await, [1, 2, 4, 7]);
    }

    #[tokio::test]
    async fn a_late_number_that_may_make_a_difference_is_refused_and_nothing_is_half_done() {
        for (late, known) in [
            (2, vec![ONE, COLUMN, FOUR, SEVEN]),
            (2, vec![ONE, ROWS, FOUR, SEVEN]),
            (5, vec![ONE, FOUR, ALTERS, SEVEN]),
        ] {
            let mut db = fresh().await;
            migrate_sqlite(&mut db, &[ONE, FOUR, SEVEN]).await.unwrap();
            let refused = migrate_sqlite(&mut db, &known).await;
            let said = refused.unwrap_err().to_string();
            assert!(said.contains(&format!("version 7 without {late}")), "{said}");
            assert_eq!(versions(&mut db).await, [1, 4, 7]);
        }
    }

    #[tokio::test]
    async fn a_version_that_is_not_known_is_refused() {
        let mut db = fresh().await;
        migrate_sqlite(&mut db, &[ONE, TWO, FOUR]).await.unwrap();
        let newer = migrate_sqlite(&mut db, &[ONE, TWO]).await.unwrap_err().to_string();
        assert!(newer.contains("schema version 4, newer than this program's 2"), "{newer}");
        let other = migrate_sqlite(&mut db, &[ONE, FOUR]).await.unwrap_err().to_string();
        assert!(other.contains("schema version 2, which this program does not know"), "{other}");
    }

    #[tokio::test]
    async fn postgres_is_migrated_by_the_same_rules() {
        let url = fresh_postgres("migrategaps").await.unwrap();
        let mut db = PgConnection::connect(&url).await.unwrap();
        let versions = async |db: &mut PgConnection| -> Vec<i64> {
            sqlx::query_scalar(DONE).fetch_all(db).await.unwrap()
        };
        migrate_postgres(&mut db, &[ONE, FOUR, SEVEN]).await.unwrap();
        migrate_postgres(&mut db, &[ONE, TWO, FOUR, SEVEN]).await.unwrap();
        assert_eq!(versions(&mut db).await, [1, 2, 4, 7]);
        let newer = migrate_postgres(&mut db, &[ONE, TWO, FOUR]).await.unwrap_err().to_string();
        assert!(newer.contains("schema version 7, newer than this program's 4"), "{newer}");
    }

    #[test]
    fn our_own_numbers_ascend() {
        assert!(MIGRATIONS.is_sorted_by_key(|(version, ..)| *version));
        assert_eq!(newest(), MIGRATIONS.last().unwrap().0);
    }

    #[test]
    fn an_old_server_is_refused_by_its_number() {
        let said = supported(140_009).unwrap_err().to_string();
        assert_eq!(said, "PostgreSQL 15 or newer is needed; this is 14");
        supported(150_000).unwrap();
        supported(180_001).unwrap();
    }
}
