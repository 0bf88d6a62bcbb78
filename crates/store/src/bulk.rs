//! Many rows in few statements. On SQLite `VALUES` blocks as large as it binds, of a fixed size so that the prepared
//! statement is found again; on PostgreSQL one array a column, so that any number of rows is one short statement.

use crate::engine::{Arg, Tx};
use crate::error::Result;

/// Rows of a block on SQLite. More were no faster where it was measured.
const BLOCK: usize = 1000;
/// Rows of a block on PostgreSQL, where each is planned and waited for: a whole batch of a report.
const BLOCK_OF_ARRAYS: usize = 10_000;

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
        let most = tx.most_rows(self.columns);
        let block = if most == usize::MAX { BLOCK_OF_ARRAYS } else { BLOCK.min(most).max(1) };
        if self.values.len() == block * self.columns { self.insert(tx, block).await } else { Ok(()) }
    }

    /// How many rows were pushed.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Inserts the rest; the number of rows that were touched in all.
    pub async fn finish(mut self, tx: &mut Tx) -> Result<u64> {
        while !self.values.is_empty() {
            let rest = self.values.len() / self.columns;
            // Powers of two: at most a dozen statements a table are ever prepared.
            let rows = if tx.most_rows(self.columns) < usize::MAX { 1 << rest.ilog2() } else { rest };
            self.insert(tx, rows).await?;
        }
        Ok(self.touched)
    }

    async fn insert(&mut self, tx: &mut Tx, rows: usize) -> Result<()> {
        let rest = self.values.split_off(rows * self.columns);
        let block = std::mem::replace(&mut self.values, rest);
        self.touched += tx.execute_rows(self.head, self.columns, block, self.tail).await?;
        Ok(())
    }
}
