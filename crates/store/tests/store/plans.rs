//! What PostgreSQL and SQLite read for a question, by their plans.

use super::*;

/// An explanation is answered by indexes on both engines, however many lines there are.
#[rstest]
#[tokio::test]
async fn no_explanation_walks_a_table(#[values(Sqlite, Postgres)] kind: Kind) {
    let world = World::new(kind, "explanations").await;
    let (yes, serial, id) = ("false", "'5CG0000001'", "CAST('01a20000-0000-7000-8000-000000000000' AS UUID)");
    let lines = vec![yes, "'R-1'", id, id];
    let values = [lines.clone(), lines, vec![yes, id, id], vec![serial, yes, id, id], vec![serial, "'R-1'"]];
    for (sql, values) in roadstead_store::explanations::STATEMENTS.into_iter().zip(values) {
        let mut sql = sql.replace("<set>", "(SELECT CAST('5CG0000001' AS TEXT) AS value)");
        for (at, value) in values.into_iter().enumerate().filter(|_| kind == Postgres) {
            sql = sql.replace(&format!("${}", at + 1), value);
        }
        let sql: &'static str = sql.leak();
        let plan = roadstead_store::engine::explain(&world.store, sql).await.unwrap();
        let big = ["report_lines", "placement_log", "devices", "placements"];
        let walks = |line: &str| match kind {
            Sqlite => line.starts_with("SCAN l") || line.starts_with("SCAN m") || line.starts_with("SCAN d"),
            Postgres => big.iter().any(|table| line.contains(&format!("Seq Scan on {table}"))),
        };
        assert!(!plan.lines().any(walks), "{sql}\n{plan}");
    }
}

/// The hot questions are answered by an index, never by a walk over a table.
#[tokio::test]
async fn no_hot_question_walks_a_table() {
    let world = World::new(Sqlite, "plans").await;
    for sql in [
        "SELECT l.line FROM (SELECT value FROM json_each($1)) s CROSS JOIN report_lines l \
         WHERE l.serial = s.value AND l.transaction_kind IS NOT NULL \
         AND (l.verdict <> 'duplicate' OR l.reasons IS NOT NULL)",
        "SELECT d.id FROM (SELECT value FROM json_each($1)) s CROSS JOIN devices d WHERE d.serial = s.value",
        "SELECT line FROM report_lines WHERE waits_for = $1 AND (report, line) > ($2, $3) ORDER BY report, line LIMIT 9",
        "SELECT device FROM placements WHERE tenant = $1 AND (serial, device) > ($2, $3) \
         ORDER BY serial, device LIMIT 9",
        "SELECT device FROM placements WHERE tenant = $1 AND (since, device) < ($2, $3) \
         ORDER BY since DESC, device DESC LIMIT 9",
    ] {
        let plan = roadstead_store::engine::explain(&world.store, sql).await.unwrap();
        let walks = plan.lines().any(|line| line.starts_with("SCAN") && !line.contains("json_each"));
        assert!(!walks && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

/// Whatever a table's wall asks: PostgreSQL does not put a cast, which may fail, in front of it (docs/decisions/0056).
#[tokio::test]
async fn rows_of_a_set_of_ids_are_looked_up_by_their_keys() {
    let world = World::new(Postgres, "ids_by_keys").await;
    let mut tx = world.store.write(&world.system).await.unwrap();
    for sql in [
        "EXPLAIN (COSTS OFF) SELECT p.device FROM <set> s CROSS JOIN placements p WHERE p.device = s.value FOR SHARE OF p",
        "EXPLAIN (COSTS OFF) SELECT k.device FROM <set> s CROSS JOIN check_ins k WHERE k.device = s.value",
    ] {
        let plan: Vec<(String,)> = tx.all_of_ids(sql, vec![], &[uuid::Uuid::nil()]).await.unwrap();
        let plan: Vec<&str> = plan.iter().map(|(line,)| line.trim()).collect();
        assert!(plan.contains(&"Index Cond: (device = u.value)"), "{plan:#?}");
    }
}

/// A set of all tenants is no look-up, and makes PostgreSQL take any plan for as good as any other (docs/decisions/0056).
#[tokio::test]
async fn no_wall_reads_a_whole_table() {
    let world = World::new(Postgres, "walls_by_index").await;
    let mut tx = world.store.read(&world.system).await.unwrap();
    let policies: Vec<(String,)> = tx
        .all("SELECT CONCAT(tablename, ': ', qual) FROM pg_policies ORDER BY tablename, policyname", vec![])
        .await
        .unwrap();
    assert!(policies.len() > 50, "{}", policies.len());
    let whole: Vec<&(String,)> = policies.iter().filter(|(policy,)| policy.contains("IN ( SELECT")).collect();
    assert!(whole.is_empty(), "{whole:#?}");
}
