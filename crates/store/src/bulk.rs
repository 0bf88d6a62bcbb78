//! Many rows in few statements: `VALUES` blocks as large as the engine binds, of a fixed size so that the prepared
//! statement is found again.

use crate::engine::{Arg, Tx};
use crate::error::Result;

/// Rows of one table on their way in. Blocks of more than this many rows were no faster where it was measured.
const BLOCK: usize = 1000;

/// Collects rows and inserts them.
#[derive(Debug)]
pub struct Bulk {
    head: &'static str,
    tail: &'static str,
    columns: usize,
    values: Vec<Arg>,
}

impl Bulk {
    /// `head` is `INSERT INTO t (a, b)`, with this many columns; `tail` is what follows the values, as
    /// `ON CONFLICT ...`.
    pub fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, tail, columns, values: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Arg>) {
        debug_assert_eq!(row.len(), self.columns, "{}", self.head);
        self.values.extend(row);
    }

    /// How many rows wait.
    pub fn len(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Inserts what waits; the number of rows that were touched.
    pub async fn insert(self, tx: &mut Tx) -> Result<u64> {
        let block = BLOCK.min(tx.most_values() / self.columns).max(1);
        let mut touched = 0;
        let Self { head, tail, columns, values } = self;
        let mut left = values.len() / columns;
        let mut values = values.into_iter();
        while left > 0 {
            // Powers of two for the rest: at most a dozen statements a table are ever prepared.
            let rows = if left >= block { block } else { 1 << left.ilog2() };
            let part: Vec<Arg> = values.by_ref().take(rows * columns).collect();
            touched += tx.execute_bulk(text(head, columns, rows, tail), part).await?;
            left -= rows;
        }
        Ok(touched)
    }
}

fn text(head: &str, columns: usize, rows: usize, tail: &str) -> String {
    let mut text = String::with_capacity(rows * columns * 7 + 200);
    text.push_str(head);
    text.push_str(" VALUES ");
    let mut place = 0;
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            place += 1;
            if column > 0 {
                text.push(',');
            }
            text.push('$');
            text.push_str(&place.to_string());
        }
        text.push(')');
    }
    text.push(' ');
    text.push_str(tail);
    text
}
