//! Durable commits by the database alone: the floor of whatever has to be durable before it is answered.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::engine::{Database, Inside};
use crate::load::Slice;

/// Tables of their own, each a number and a text.
const TABLES: [&str; 3] = ["bench_commits", "bench_commits_b", "bench_commits_c"];

/// What is committed.
#[derive(Clone, Copy, Debug)]
pub struct Commits {
    /// From so many connections at a time. The embedded database has one writer, whatever stands here.
    pub connections: usize,
    /// Rows that a commit puts into each table.
    pub rows: usize,
    /// Tables that it writes to, three at most.
    pub tables: usize,
}

impl Commits {
    /// Commits for so long. A commit of several rows is as many answers.
    pub async fn run(self, database: &Database, inside: &Inside, length: Duration) -> anyhow::Result<Slice> {
        let (text, tables) = ("x".repeat(90), &TABLES[..self.tables]);
        match inside {
            Inside::Sqlite(connection) => {
                for table in tables {
                    let sql =
                        format!("CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, text TEXT)");
                    connection.execute_batch(&sql)?;
                }
                connection.execute_batch("PRAGMA synchronous = FULL")?;
                let (start, mut before, mut millis) = (Instant::now(), Instant::now(), Vec::new());
                while before < start + length {
                    connection.execute_batch("BEGIN IMMEDIATE")?;
                    for table in tables {
                        let sql = format!("INSERT INTO {table} (text) VALUES (?1)");
                        let mut insert = connection.prepare_cached(&sql)?;
                        for _ in 0..self.rows {
                            insert.execute([&text])?;
                        }
                    }
                    connection.execute_batch("COMMIT")?;
                    self.answered(&mut before, &mut millis);
                }
                Ok(Slice::gather(start, [(before, millis)]))
            }
            Inside::Postgres(client) => {
                let mut inserts = Vec::new();
                for table in tables {
                    let sql =
                        format!("CREATE TABLE IF NOT EXISTS {table} (id bigserial PRIMARY KEY, text text)");
                    client.batch_execute(&sql).await?;
                    inserts.push(format!("INSERT INTO {table} (text) SELECT $1 FROM generate_series(1, $2)"));
                }
                // One statement, so that a commit is one round trip.
                let last = inserts.pop().unwrap_or_default();
                let others = inserts.iter().enumerate().map(|(at, insert)| format!("t{at} AS ({insert})"));
                let others = others.collect::<Vec<_>>().join(", ");
                let sql = if others.is_empty() { last } else { format!("WITH {others} {last}") };
                let mut clients = Vec::with_capacity(self.connections);
                for _ in 0..self.connections {
                    let client = database.client().await?;
                    let insert = client.prepare(&sql).await?;
                    clients.push((client, insert));
                }
                let start = Instant::now();
                let mut workers = JoinSet::new();
                for (client, insert) in clients {
                    let (text, rows) = (text.clone(), i32::try_from(self.rows)?);
                    workers.spawn(async move {
                        let (mut before, mut millis) = (Instant::now(), Vec::new());
                        while before < start + length {
                            client.execute(&insert, &[&text, &rows]).await?;
                            self.answered(&mut before, &mut millis);
                        }
                        anyhow::Ok((before, millis))
                    });
                }
                let mut parts = Vec::new();
                while let Some(part) = workers.join_next().await {
                    parts.push(part??);
                }
                Ok(Slice::gather(start, parts))
            }
        }
    }

    fn answered(self, before: &mut Instant, millis: &mut Vec<f64>) {
        let now = Instant::now();
        millis.extend(std::iter::repeat_n((now - *before).as_secs_f64() * 1000.0, self.rows));
        *before = now;
    }
}
