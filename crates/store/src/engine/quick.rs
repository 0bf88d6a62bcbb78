//! SQLite's answers on the thread that asks. The driver gives each connection a thread of its own, and waking it twice
//! costs more than a look-up; a statement that an index answers at once runs here instead.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, ToSql, params_from_iter};
use serde::de::DeserializeOwned;
use serde::de::value::Error as Mismatch;

use super::Arg;
use super::cells::{self, Cell, Cells, Names, mismatch};
use crate::error::{Error, Result};

/// Connections that only read.
#[derive(Debug)]
pub(super) struct Quick {
    path: PathBuf,
    /// As many as there are processors (docs/decisions/0054).
    connections: Vec<Mutex<Option<Connection>>>,
    /// Which one is waited for next where none is free.
    next: AtomicUsize,
}

impl Quick {
    /// On a database that is there and migrated.
    pub(super) fn new(path: &Path) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let connections = (0..processors).map(|_| Mutex::default()).collect();
        Self { path: path.to_owned(), connections, next: AtomicUsize::new(0) }
    }

    /// The connection that this thread had last, if it is free: its pages are still near this processor. Otherwise one that is
    /// free, or else the next one.
    fn turn(&self) -> MutexGuard<'_, Option<Connection>> {
        thread_local! {
            static LAST: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
        }
        let count = self.connections.len();
        let last = LAST.get() % count;
        for at in (last..count).chain(0..last) {
            if let Ok(connection) = self.connections[at].try_lock() {
                LAST.set(at);
                return connection;
            }
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed) % count;
        self.connections[next].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "cache_size", -8192)?;
        // Otherwise a statement is planned anew for each value that its plan could depend on, which costs as much as
        // running it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(connection)
    }

    /// Every row, on this thread.
    pub(super) fn all<T: DeserializeOwned>(&self, sql: &str, args: &[Arg]) -> Result<Vec<T>> {
        let mut turn = self.turn();
        let connection = match turn.take() {
            Some(connection) => connection,
            None => self.open().map_err(unreadable)?,
        };
        let rows = rows(&connection, sql, args);
        *turn = Some(connection);
        drop(turn);
        rows.map_err(unreadable)?.into_iter().collect()
    }

    /// Closes every connection; one that is asked for later is opened anew.
    pub(super) fn close(&self) {
        for connection in &self.connections {
            *connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

fn unreadable(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(code, _) if [13, 4874].contains(&code.extended_code) => {
            Error::Full(error.to_string())
        }
        other => Error::Embedded(other),
    }
}

fn rows<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    args: &[Arg],
) -> rusqlite::Result<Vec<Result<T>>> {
    // SQLite takes `$1` for a name, `?1` for a number.
    let mut statement = connection.prepare_cached(&sql.replace('$', "?"))?;
    let names = Names::new(statement.column_names().into_iter().map(str::to_owned).collect());
    statement.query_map(params_from_iter(args), |row| Ok(cells::read(row, &names)))?.collect()
}

impl ToSql for Arg {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Arg::Uuid(Some(id)) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Arg::Text(Some(text)) if text.contains('\0') => {
                ToSqlOutput::Owned(Value::Text(super::without_nul(text.clone())))
            }
            Arg::Text(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Arg::Int(Some(number)) => ToSqlOutput::Owned(Value::Integer(*number)),
            Arg::Bool(truth) => ToSqlOutput::Owned(Value::Integer(i64::from(*truth))),
            Arg::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Arg::Uuid(None) | Arg::Text(None) | Arg::Int(None) => ToSqlOutput::Owned(Value::Null),
        })
    }
}

impl Cells for Row<'_> {
    fn cell(&self, at: usize) -> std::result::Result<Cell<'_>, Mismatch> {
        Ok(match self.get_ref(at).map_err(mismatch)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Int(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).map_err(mismatch)?),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        })
    }
}
