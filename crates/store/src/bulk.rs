//! Many rows in few statements: `VALUES` blocks as large as the engine binds, of a fixed size so that the prepared
//! statement is found again.

use crate::engine::{Arg, Tx};
use crate::error::Result;

/// Rows of one table on their way in. Blocks of more than this many rows were no faster where it was measured.
const BLOCK: usize = 1000;

/// Takes rows one by one and inserts them block by block, so that a large batch needs the memory of one block.
#[derive(Debug)]
pub struct Bulk {
    head: &'static str,
    tail: &'static str,
    columns: usize,
    values: Vec<Arg>,
    pushed: u64,
    touched: u64,
}

impl Bulk {
    /// `head` is `INSERT INTO t (a, b)`, with this many columns; `tail` is what follows the values, as
    /// `ON CONFLICT ...`.
    pub fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, tail, columns, values: Vec::new(), pushed: 0, touched: 0 }
    }

    /// Adds a row, and inserts what waits if that fills a block.
    pub async fn push(&mut self, tx: &mut Tx, row: Vec<Arg>) -> Result<()> {
        debug_assert_eq!(row.len(), self.columns, "{}", self.head);
        self.values.extend(row);
        self.pushed += 1;
        let block = BLOCK.min(tx.most_values() / self.columns).max(1);
        if self.values.len() == block * self.columns { self.insert(tx, block).await } else { Ok(()) }
    }

    /// How many rows were pushed.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Inserts the rest; the number of rows that were touched in all.
    pub async fn finish(mut self, tx: &mut Tx) -> Result<u64> {
        while !self.values.is_empty() {
            // Powers of two for the rest: at most a dozen statements a table are ever prepared.
            self.insert(tx, 1 << (self.values.len() / self.columns).ilog2()).await?;
        }
        Ok(self.touched)
    }

    async fn insert(&mut self, tx: &mut Tx, rows: usize) -> Result<()> {
        let rest = self.values.split_off(rows * self.columns);
        let block = std::mem::replace(&mut self.values, rest);
        self.touched += tx
            .execute_bulk(text(self.head, self.columns, rows, self.tail, tx.numbers_values()), block)
            .await?;
        Ok(())
    }
}

fn text(head: &str, columns: usize, rows: usize, tail: &str, numbered: bool) -> String {
    let mut text = String::with_capacity(rows * columns * 7 + 200);
    text.push_str(head);
    text.push_str(" VALUES ");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            text.push_str(if column == 0 { "" } else { "," });
            if numbered {
                text.push('$');
                text.push_str(&(row * columns + column + 1).to_string());
            } else {
                text.push('?');
            }
        }
        text.push(')');
    }
    text.push(' ');
    text.push_str(tail);
    text
}
