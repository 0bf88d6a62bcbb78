//! Rows read by serde, whichever driver has them: by the columns' names for a struct, by their order for a tuple.

use serde::de::value::{Error as Mismatch, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::error::{Error, Result};

/// One value of a row.
pub(super) enum Cell<'a> {
    Null,
    Int(i64),
    Real(f64),
    Bool(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A row that has its values at hand.
pub(super) trait Cells {
    /// The value in this column.
    fn cell(&self, at: usize) -> std::result::Result<Cell<'_>, Mismatch>;
}

/// The columns of a statement's rows.
pub(super) struct Names {
    names: Vec<String>,
    /// The fields that were found to be these columns in this order: such a struct needs no look at the names.
    same: std::cell::Cell<Option<&'static [&'static str]>>,
}

impl Names {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self { names, same: std::cell::Cell::default() }
    }

    fn are(&self, fields: &'static [&'static str]) -> bool {
        if self.same.get().is_some_and(|same| std::ptr::eq(same, fields)) {
            return true;
        }
        let are = self.names.iter().map(String::as_str).eq(fields.iter().copied());
        if are {
            self.same.set(Some(fields));
        }
        are
    }
}

/// The row as a value.
pub(super) fn read<T: DeserializeOwned>(row: &impl Cells, names: &Names) -> Result<T> {
    T::deserialize(Columns { row, names, at: 0 }).map_err(|error| Error::bad("a row read at once", error))
}

struct Columns<'a, R> {
    row: &'a R,
    names: &'a Names,
    at: usize,
}

impl<'de, R: Cells> serde::Deserializer<'de> for Columns<'_, R> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        visitor.visit_seq(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Mismatch> {
        if self.names.are(fields) { visitor.visit_seq(self) } else { visitor.visit_map(self) }
    }

    /// A struct that has another one flattened into it asks for a map.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct enum identifier ignored_any
    }
}

impl<'de, R: Cells> SeqAccess<'de> for Columns<'_, R> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> std::result::Result<Option<T::Value>, Mismatch> {
        if self.at == self.names.names.len() {
            return Ok(None);
        }
        let value = seed.deserialize(self.row.cell(self.at)?)?;
        self.at += 1;
        Ok(Some(value))
    }
}

impl<'de, R: Cells> MapAccess<'de> for Columns<'_, R> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> std::result::Result<Option<K::Value>, Mismatch> {
        let Some(name) = self.names.names.get(self.at) else { return Ok(None) };
        let name: StrDeserializer<'_, Mismatch> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> std::result::Result<V::Value, Mismatch> {
        let value = seed.deserialize(self.row.cell(self.at)?)?;
        self.at += 1;
        Ok(value)
    }
}

impl<'de> serde::Deserializer<'de> for Cell<'_> {
    type Error = Mismatch;

    fn is_human_readable(&self) -> bool {
        // An identifier is its sixteen bytes.
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        match self {
            Cell::Null => visitor.visit_unit(),
            Cell::Int(number) => visitor.visit_i64(number),
            Cell::Real(number) => visitor.visit_f64(number),
            Cell::Bool(truth) => visitor.visit_bool(truth),
            Cell::Text(text) => visitor.visit_str(text),
            Cell::Bytes(bytes) => visitor.visit_bytes(bytes),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        match self {
            Cell::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Mismatch> {
        match self {
            // SQLite has no truth of its own.
            Cell::Int(number) => visitor.visit_bool(number != 0),
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

/// What a driver says that reading cannot go on with.
pub(super) fn mismatch(error: impl std::fmt::Display) -> Mismatch {
    Mismatch::custom(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Texts(Vec<&'static str>);

    impl Cells for Texts {
        fn cell(&self, at: usize) -> std::result::Result<Cell<'_>, Mismatch> {
            Ok(Cell::Text(self.0[at]))
        }
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Berth {
        name: String,
        quay: Option<String>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Buoy {
        quay: String,
        name: String,
    }

    /// Whatever the columns' order, and whichever struct was read by the same names before.
    #[test]
    fn a_struct_is_read_by_the_columns_names() {
        let names = |names: [&str; 2]| Names::new(names.map(str::to_owned).into());
        let texts = |texts: [&'static str; 2]| Texts(texts.into());
        let berth = Berth { name: "7".to_owned(), quay: Some("north".to_owned()) };
        let same = names(["name", "quay"]);
        for _ in 0..2 {
            assert_eq!(read::<Berth>(&texts(["7", "north"]), &same).unwrap(), berth);
            let buoy = Buoy { quay: "north".to_owned(), name: "7".to_owned() };
            assert_eq!(read::<Buoy>(&texts(["7", "north"]), &same).unwrap(), buoy);
        }
        assert_eq!(read::<Berth>(&texts(["north", "7"]), &names(["quay", "name"])).unwrap(), berth);
        assert_eq!(
            read::<(String, String)>(&texts(["a", "b"]), &same).unwrap(),
            ("a".to_owned(), "b".to_owned())
        );
        assert!(read::<Berth>(&texts(["7", "north"]), &names(["number", "quay"])).is_err());
    }
}
