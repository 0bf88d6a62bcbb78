//! SQLite's answers on the thread that asks. The driver gives each connection a thread of its own, and waking it twice
//! costs more than a look-up; a statement that an index answers at once runs here instead.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, ToSql, params_from_iter};
use serde::de::value::{Error as Mismatch, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::Arg;
use crate::error::{Error, Result};

/// Connections that only read.
#[derive(Debug)]
pub(super) struct Quick {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Quick {
    /// On a database that is there and migrated.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "cache_size", -8192)?;
        Ok(connection)
    }

    /// Every row, here and now. Nothing waits inside, so there are never more connections than threads.
    pub(super) fn all<T: DeserializeOwned>(&self, sql: &str, args: &[Arg]) -> Result<Vec<T>> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().map_err(unreadable)?,
        };
        let rows = rows(&connection, sql, args);
        self.idle().push(connection);
        rows.map_err(unreadable)?.into_iter().collect()
    }

    /// Closes every connection; one that is asked for later is opened anew.
    pub(super) fn close(&self) {
        self.idle().clear();
    }
}

fn unreadable(error: rusqlite::Error) -> Error {
    Error::Embedded(error)
}

fn rows<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    args: &[Arg],
) -> rusqlite::Result<Vec<Result<T>>> {
    // SQLite takes `$1` for a name, `?1` for a number.
    let mut statement = connection.prepare_cached(&sql.replace('$', "?"))?;
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let read = |row: &Row<'_>| {
        Ok(T::deserialize(Columns { row, names: &names, at: 0 })
            .map_err(|error| Error::bad("a row read at once", error)))
    };
    statement.query_map(params_from_iter(args), read)?.collect()
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

/// A row for serde: by the columns' names for a struct, by their order for a tuple.
struct Columns<'a> {
    row: &'a Row<'a>,
    names: &'a [String],
    at: usize,
}

impl<'a> Columns<'a> {
    fn value(&self) -> std::result::Result<Cell<'a>, Mismatch> {
        self.row.get_ref(self.at).map(Cell).map_err(Mismatch::custom)
    }
}

impl<'de> serde::Deserializer<'de> for Columns<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        visitor.visit_seq(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Mismatch> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> SeqAccess<'de> for Columns<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> std::result::Result<Option<T::Value>, Mismatch> {
        if self.at == self.names.len() {
            return Ok(None);
        }
        let value = seed.deserialize(self.value()?)?;
        self.at += 1;
        Ok(Some(value))
    }
}

impl<'de> MapAccess<'de> for Columns<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> std::result::Result<Option<K::Value>, Mismatch> {
        let Some(name) = self.names.get(self.at) else { return Ok(None) };
        let name: StrDeserializer<'_, Mismatch> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> std::result::Result<V::Value, Mismatch> {
        let value = seed.deserialize(self.value()?)?;
        self.at += 1;
        Ok(value)
    }
}

/// One value of a row.
struct Cell<'a>(ValueRef<'a>);

impl<'de> serde::Deserializer<'de> for Cell<'_> {
    type Error = Mismatch;

    fn is_human_readable(&self) -> bool {
        // An identifier is its sixteen bytes.
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        match self.0 {
            ValueRef::Null => visitor.visit_unit(),
            ValueRef::Integer(number) => visitor.visit_i64(number),
            ValueRef::Real(number) => visitor.visit_f64(number),
            ValueRef::Text(text) => visitor.visit_str(std::str::from_utf8(text).map_err(Mismatch::custom)?),
            ValueRef::Blob(bytes) => visitor.visit_bytes(bytes),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        match self.0 {
            ValueRef::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        match self.0 {
            ValueRef::Integer(number) => visitor.visit_bool(number != 0),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> std::result::Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
