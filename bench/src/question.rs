//! One question to the database alone, put as fast as it answers: by `rusqlite` on threads, or by `pgbench`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::engine::{Cell, Database, Inside, quoted, with_literals};
use crate::load::Slice;

/// Threads of the database floor on SQLite: as many as the machine of the bounds has processors.
const READERS: usize = 2;
/// The settings of the product's connections for such questions (`engine/pipes.rs`).
const PLANNER: &str = "-c join_collapse_limit=1 -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off \
                       -c enable_hashjoin=off -c enable_mergejoin=off -c enable_material=off -c jit=off \
                       -c plan_cache_mode=force_generic_plan";

/// A statement with `$1`, `$2`, and what to ask about, one list of values for each time.
#[derive(Clone, Debug)]
pub struct Question {
    /// The statement.
    pub sql: &'static str,
    /// What it is asked with, in no order.
    pub keys: Vec<Vec<Cell>>,
}

/// A question that is ready to be asked of one database.
pub struct Asking {
    how: How,
}

enum How {
    Sqlite { file: PathBuf, question: Question },
    Pgbench { url: String, script: tempfile::NamedTempFile },
}

impl Question {
    /// Makes it ready. PostgreSQL gets a table with what to ask about, named so.
    pub async fn ready(self, database: &Database, name: &str) -> anyhow::Result<Asking> {
        let Some(url) = database.url() else {
            return Ok(Asking { how: How::Sqlite { file: database.file(), question: self } });
        };
        let text = match self.keys.as_slice() {
            [key] => format!("{};\n", with_literals(self.sql, key, &[])),
            _ => self.sampled(database, name).await?,
        };
        let mut script = tempfile::NamedTempFile::new()?;
        script.write_all(text.as_bytes())?;
        Ok(Asking { how: How::Pgbench { url, script } })
    }

    /// A script that asks about a row of a table, whichever the dice say. What differs from row to row is looked up
    /// there by its number within the statement, which costs it one more step in a small index.
    async fn sampled(&self, database: &Database, name: &str) -> anyhow::Result<String> {
        let first = self.keys.first().context("nothing to ask about")?;
        let varying: Vec<usize> =
            (0..first.len()).filter(|at| self.keys.iter().any(|key| key[*at] != first[*at])).collect();
        let columns: Vec<String> = varying.iter().map(|at| format!("v{at} text")).collect();
        let mut sql = format!(
            "DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (i int PRIMARY KEY, {});",
            columns.join(", ")
        );
        for (number, key) in (1..).zip(&self.keys) {
            let cells: Vec<String> = varying.iter().map(|at| quoted(&bare(&key[*at]))).collect();
            write!(sql, "INSERT INTO {name} VALUES ({number}, {});", cells.join(", "))?;
        }
        write!(sql, "ANALYZE {name};")?;
        database.client().await?.batch_execute(&sql).await?;
        let looked_up: Vec<(usize, String)> =
            varying.iter().map(|at| (*at, format!("(SELECT v{at} FROM {name} WHERE i = :i)"))).collect();
        let statement = with_literals(self.sql, first, &looked_up);
        Ok(format!("\\set i random(1, {})\n{statement};\n", self.keys.len()))
    }
}

/// A cell as PostgreSQL reads it from text.
fn bare(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Id(id) => id.to_string(),
    }
}

/// Every row that the database answers to the first of a question's keys, for comparing.
pub async fn answer(inside: &Inside, question: &Question) -> anyhow::Result<Vec<Vec<Cell>>> {
    inside.rows(question.sql, question.keys.first().context("nothing to ask about")?).await
}

impl Asking {
    /// Who asks, in words.
    pub fn who(&self, connections: usize) -> String {
        match &self.how {
            How::Sqlite { .. } => format!("floor, database, {} threads", connections.min(READERS)),
            How::Pgbench { .. } => "floor, pgbench".to_owned(),
        }
    }

    /// Asks for `length`.
    pub async fn ask(&self, connections: usize, length: Duration) -> anyhow::Result<Slice> {
        match &self.how {
            How::Sqlite { file, question } => {
                let (file, question) = (file.clone(), question.clone());
                let threads = connections.min(READERS);
                tokio::task::spawn_blocking(move || on_threads(&file, &question, threads, length)).await?
            }
            How::Pgbench { url, script } => {
                let (url, script) = (url.clone(), script.path().to_owned());
                tokio::task::spawn_blocking(move || pgbench(&url, &script, connections, length)).await?
            }
        }
    }
}

fn pgbench(url: &str, script: &Path, connections: usize, length: Duration) -> anyhow::Result<Slice> {
    let seconds = length.as_secs().max(1);
    let output = Command::new(program())
        .args(["-n", "-M", "prepared", "-T", &seconds.to_string(), "-c", &connections.to_string()])
        .args(["-j", &connections.min(READERS).to_string(), "-f"])
        .arg(script)
        .arg(url)
        .env("PGOPTIONS", PLANNER)
        .output()
        .context("cannot run pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
    let figure = |name: &str| {
        let rest = text.split_once(name).map(|(_, rest)| rest.trim_start());
        let word = rest.and_then(|rest| rest.split_whitespace().next());
        word.and_then(|word| word.parse::<f64>().ok()).with_context(|| format!("no {name} in {text}"))
    };
    ensure!(figure("failed transactions:")? == 0.0, "pgbench: {text}");
    // Its clock runs from when every connection stands.
    let (rate, answers) = (figure("tps =")?, figure("actually processed:")?);
    Ok(Slice { answers: answers as u64, seconds: answers / rate, millis: Vec::new() })
}

/// The newest that is installed.
fn program() -> PathBuf {
    let found = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        found.map(|entry| entry.path().join("bin/pgbench")).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| "pgbench".into())
}

/// A connection with the settings of the product's readers.
fn open(database: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.pragma_update(None, "cache_size", -8192)?;
    Ok(connection)
}

/// A value as a program reads it.
#[expect(dead_code, reason = "what is read counts, not what is done with it")]
enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes([u8; 16]),
}

fn rows(connection: &Connection, sql: &str, key: &[Cell]) -> anyhow::Result<Vec<Vec<Value>>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let key = key.iter().map(|cell| -> rusqlite::types::ToSqlOutput<'_> {
        match cell {
            Cell::Null => rusqlite::types::ToSqlOutput::Borrowed(ValueRef::Null),
            Cell::Int(number) => rusqlite::types::ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Cell::Text(text) => rusqlite::types::ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Id(id) => rusqlite::types::ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
        }
    });
    let rows = statement.query_map(params_from_iter(key), |row| {
        (0..columns)
            .map(|at| {
                Ok(match row.get_ref(at)? {
                    ValueRef::Null | ValueRef::Real(_) => Value::Null,
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Blob(_) => Value::Bytes(row.get(at)?),
                })
            })
            .collect()
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Asks SQLite from this many threads with a connection each.
fn on_threads(
    database: &Path,
    question: &Question,
    threads: usize,
    length: Duration,
) -> anyhow::Result<Slice> {
    let ready = Barrier::new(threads + 1);
    // SQLite takes `$n` for a name, and `rusqlite` binds by number.
    let sql = question.sql.replace('$', "?");
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let (sql, ready) = (&sql, &ready);
                scope.spawn(move || {
                    let mut dice = number as u64 * 7919 + 1;
                    let mut any = || {
                        dice = dice * 48_271 % 2_147_483_647;
                        &question.keys[dice as usize % question.keys.len()]
                    };
                    let opened = open(database).and_then(|c| rows(&c, sql, any()).map(|_| c));
                    // Everybody comes to the barrier, whatever went wrong.
                    ready.wait();
                    let connection = opened?;
                    let mut millis = Vec::new();
                    let mut before = Instant::now();
                    let until = before + length;
                    while before < until {
                        let rows = std::hint::black_box(rows(&connection, sql, any())?);
                        ensure!(!rows.is_empty(), "an answer without a row");
                        drop(rows);
                        let now = Instant::now();
                        millis.push((now - before).as_secs_f64() * 1000.0);
                        before = now;
                    }
                    Ok((before, millis))
                })
            })
            .collect();
        ready.wait();
        let start = Instant::now();
        let parts = workers.into_iter().map(|worker| match worker.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        Ok(Slice::gather(start, parts.collect::<anyhow::Result<Vec<_>>>()?))
    })
}
