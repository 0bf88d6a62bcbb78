//! A copy from the embedded database to PostgreSQL: whole, or not at all with a reason.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use roadstead_domain::access;
use roadstead_store::engine::copy::{Copied, to_postgres};
use roadstead_store::{Error, Store, testing};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

/// A directory with a migrated embedded database that nobody has open.
async fn source() -> TempDir {
    let directory = TempDir::new().unwrap();
    Store::open_sqlite(directory.path()).await.unwrap().close().await;
    directory
}

async fn sqlite(directory: &TempDir) -> SqliteConnection {
    let file = directory.path().join("roadstead.db");
    SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: String) {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
}

async fn copy(from: &Path, to: &str) -> Result<Copied, Error> {
    to_postgres(from, to, &access::system()).await
}

async fn refused(from: &Path, to: &str) -> String {
    copy(from, to).await.unwrap_err().to_string()
}

const TENANTS: &str = "INSERT INTO tenants (id, kind, parent, name, created_at) VALUES \
    (x'0a000000000070008000000000000002', 'partner', NULL, 'Späth & Söhne', 7), \
    (x'0a000000000070008000000000000001', 'holding', x'0a000000000070008000000000000002', '', 8)";

/// A table that no code knows, with every type, null and edge: as of a migration yet to be written.
#[tokio::test]
async fn tables_of_later_migrations_are_copied_too() {
    let directory = source().await;
    let url = testing::fresh_postgres("copy_later").await.unwrap();
    Store::open_postgres(&url).await.unwrap().close().await;
    let later = "CREATE TABLE \"order\" (id UUID PRIMARY KEY, tenant UUID REFERENCES tenants (id), t TEXT, n BIGINT, \
                 b BOOLEAN, x BYTEA)";
    let mut small = sqlite(&directory).await;
    // A holding tenant whose number is lower than its partner's: rows come in any order.
    small.execute(TENANTS).await.unwrap();
    small.execute(later).await.unwrap();
    small
        .execute(
            "INSERT INTO \"order\" VALUES \
             (x'0b000000000070008000000000000001', x'0a000000000070008000000000000002', 'ä''\"\\', -1, 1, x'00ff'), \
             (x'0b000000000070008000000000000002', NULL, NULL, 9223372036854775807, 0, x''), \
             (x'0b000000000070008000000000000003', NULL, '', NULL, NULL, NULL)",
        )
        .await
        .unwrap();
    for n in 0..12_000 {
        sqlx::query("INSERT INTO outbox (home, event, at) VALUES (NULL, '{}', $1)")
            .bind(n)
            .execute(&mut small)
            .await
            .unwrap();
    }
    small.execute("DELETE FROM outbox WHERE seq > 11000").await.unwrap();
    small.close().await.unwrap();
    let mut large = PgConnection::connect(&url).await.unwrap();
    run(&mut large, later.to_owned()).await;

    let copied = copy(directory.path(), &url).await.unwrap();
    for (table, rows) in [("order", 3), ("tenants", 2), ("outbox", 11_000), ("devices", 0)] {
        assert!(copied.tables.contains(&(table.to_owned(), rows)), "{table}: {:?}", copied.tables);
    }
    type Row = (Option<String>, Option<i64>, Option<bool>, Option<Vec<u8>>);
    let rows: Vec<Row> =
        sqlx::query_as("SELECT t, n, b, x FROM \"order\" ORDER BY id").fetch_all(&mut large).await.unwrap();
    assert_eq!(
        rows,
        [
            (Some("ä'\"\\".to_owned()), Some(-1), Some(true), Some(vec![0, 255])),
            (None, Some(i64::MAX), Some(false), Some(vec![])),
            (Some(String::new()), None, None, None),
        ]
    );
    // Numbers of events that pages have seen are not given again.
    let next: i64 =
        sqlx::query_scalar("INSERT INTO outbox (home, event, at) VALUES (NULL, '{}', 1) RETURNING seq")
            .fetch_one(&mut large)
            .await
            .unwrap();
    assert_eq!(next, 12_001);
    let broken = "INSERT INTO \"order\" (id, tenant) SELECT id, gen_random_uuid() FROM tenants";
    assert!(large.execute(broken).await.is_err(), "references hold again");
}

#[tokio::test]
async fn an_owner_without_further_rights_can_be_copied_to() {
    let directory = source().await;
    let mut small = sqlite(&directory).await;
    small.execute(TENANTS).await.unwrap();
    small.close().await.unwrap();
    let url = testing::fresh_postgres("copy_owner").await.unwrap();
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut boss = PgConnection::connect(&url).await.unwrap();
    let role = format!("{name}_role");
    run(
        &mut boss,
        format!(
            "DO $$ BEGIN CREATE ROLE roadstead_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation \
             THEN NULL; END $$; DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; \
             GRANT roadstead_app TO {role}; ALTER DATABASE {name} OWNER TO {role}"
        ),
    )
    .await;
    let (_, host) = server.rsplit_once('@').unwrap();
    let owners = format!("postgres://{role}@{host}/{name}");
    // It is told what to have done for it, and that is enough.
    let said = copy(directory.path(), &owners).await.unwrap_err().to_string();
    let (_, remedy) = said.split_once("run ").unwrap();
    assert!(remedy.contains(&format!("GRANT roadstead_platform TO {role}")), "{said}");
    run(
        &mut boss,
        format!(
            "DO $$ BEGIN CREATE ROLE roadstead_platform NOLOGIN IN ROLE roadstead_app; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; GRANT roadstead_platform TO {role}"
        ),
    )
    .await;
    let copied = copy(directory.path(), &owners).await.unwrap();
    assert!(copied.tables.contains(&("tenants".to_owned(), 2)), "{:?}", copied.tables);
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tenants").fetch_one(&mut boss).await.unwrap();
    assert_eq!(rows, 2);
    run(&mut boss, format!("ALTER DATABASE {name} OWNER TO CURRENT_USER; REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn what_cannot_be_copied_is_said_and_nothing_is_half_done() {
    let url = testing::fresh_postgres("copy_refused").await.unwrap();
    let empty = TempDir::new().unwrap();
    assert!(refused(empty.path(), &url).await.starts_with("there is no embedded database"));
    assert!(!empty.path().join("roadstead.db").exists());

    // In use: a connection that only has it open is enough.
    let directory = source().await;
    let mut open = sqlite(&directory).await;
    open.execute("SELECT COUNT(*) FROM tenants").await.unwrap();
    let said = refused(directory.path(), &url).await;
    assert!(said.contains("is in use: stop the server"), "{said}");
    open.execute("INSERT INTO schema_versions (version) VALUES (9999)").await.unwrap();
    open.close().await.unwrap();
    let said = refused(directory.path(), &url).await;
    assert!(
        said.contains("the embedded database has the schema versions") && said.contains("9999"),
        "{said}"
    );

    let directory = source().await;
    let mut large = PgConnection::connect(&url).await.unwrap();
    run(&mut large, "CREATE TABLE others (x TEXT)".to_owned()).await;
    let said = refused(directory.path(), &url).await;
    assert!(said.contains("not empty: it has the table others"), "{said}");
    run(&mut large, "DROP TABLE others".to_owned()).await;

    // A chain that does not hold is found, after everything was written, and all of it is undone.
    let mut small = sqlite(&directory).await;
    small.execute(TENANTS).await.unwrap();
    let head = "INSERT INTO placement_log_heads (partner, seq, hash) VALUES \
                (x'0a000000000070008000000000000002', 3, x'00')";
    small.execute(head).await.unwrap();
    small.close().await.unwrap();
    let said = refused(directory.path(), &url).await;
    assert!(said.contains("the placement log of partner 0a000000-"), "{said}");
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tenants").fetch_one(&mut large).await.unwrap();
    assert_eq!(rows, 0);

    // So is a PC that stands where no log says.
    let mut small = sqlite(&directory).await;
    small.execute("DELETE FROM placement_log_heads").await.unwrap();
    let stray = "INSERT INTO placements (device, tenant, generation, serial, search, since) VALUES \
                 (x'0c000000000070008000000000000001', NULL, 1, '5CG000000A', '', 7)";
    small.execute(stray).await.unwrap();
    small.close().await.unwrap();
    let said = refused(directory.path(), &url).await;
    let expected = "5CG000000A (0c000000-0000-7000-8000-000000000001): no log knows of it; 1 PCs do not stand where \
                    the logs say";
    assert!(said.starts_with(expected), "{said}");
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tenants").fetch_one(&mut large).await.unwrap();
    assert_eq!(rows, 0);

    let mut small = sqlite(&directory).await;
    small.execute("DELETE FROM placements").await.unwrap();
    small.close().await.unwrap();
    copy(directory.path(), &url).await.unwrap();
    let said = refused(directory.path(), &url).await;
    assert!(said.contains("not empty: tenants has 2 rows"), "{said}");

    run(&mut large, "DELETE FROM schema_versions".to_owned()).await;
    let said = refused(directory.path(), &url).await;
    assert!(said.contains("the PostgreSQL database has the schema versions []"), "{said}");
}
