//! Pages: a limit, and a cursor that names the last row seen. No page is found by counting.

use serde::{Deserialize, Serialize};

/// The most rows of a page.
pub const MOST: i64 = 1000;
/// The rows of a page if nobody says how many.
pub const USUAL: i64 = 50;

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// How many rows, 1 to [`MOST`].
    pub limit: Option<i64>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A cursor that nobody here made.
#[derive(Debug, PartialEq, Eq)]
pub struct BadCursor;

impl Page {
    /// The limit within its bounds.
    pub fn rows(&self) -> i64 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// The last row's key; `None` at the start of the list.
    pub fn after<K: for<'de> Deserialize<'de>>(&self) -> Result<Option<K>, BadCursor> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = hex::decode(cursor).map_err(|_| BadCursor)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| BadCursor)
    }
}

/// Some rows of a list, and where the next ones begin.
#[derive(Clone, Debug, Serialize)]
pub struct Rows<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> Rows<T> {
    /// A page of rows that were asked for with one row more than its limit, so as to know whether there is a next.
    pub fn cut<K: Serialize>(mut items: Vec<T>, rows: i64, key: impl Fn(&T) -> K) -> Self {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let more = items.len() > rows;
        items.truncate(rows);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            // A key is a tuple of texts and numbers, which always has a JSON form.
            hex::encode(serde_json::to_vec(&key(last)).unwrap_or_default())
        });
        Self { items, next_cursor }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Rows<U> {
        Rows { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(serial in "\\PC{0,40}", number in any::<i64>()) {
            let rows = Rows::cut(vec![1, 2], 1, |_| (serial.clone(), number));
            let cursor = rows.next_cursor.unwrap();
            prop_assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            let page = Page { limit: None, cursor: Some(cursor) };
            prop_assert_eq!(page.after::<(String, i64)>(), Ok(Some((serial, number))));
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in "\\PC{0,60}") {
            let page = Page { limit: None, cursor: Some(text) };
            let _ = page.after::<(String, i64)>();
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        assert_eq!(Rows::cut(vec![1, 2], 2, |n| *n).next_cursor, None);
        assert!(Rows::cut(vec![1, 2, 3], 2, |n| *n).next_cursor.is_some());
        assert_eq!(Page { limit: Some(5000), cursor: None }.rows(), MOST);
    }
}
