//! SQLite's connections for reading, and the one that a reader has for as long as it reads.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::quick::Quick;
use crate::error::{Error, Result};

/// SQLite's connections for reading. The driver's own pool asks a connection whether it still lives each time it is
/// given back, which for a file costs as much as a look-up.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Arc<Semaphore>,
    pub(super) quick: Quick,
}

/// What reads on SQLite: a connection is taken by the first statement that needs one and given back when dropped.
#[derive(Debug)]
pub(super) struct Reader {
    taken: Option<(SqliteConnection, OwnedSemaphorePermit)>,
    pub(super) readers: Arc<Readers>,
}

impl Readers {
    pub(super) async fn open(options: &SqliteConnectOptions, count: usize, path: &Path) -> Result<Arc<Self>> {
        let mut idle = Vec::with_capacity(count);
        for _ in 0..count {
            idle.push(options.connect().await?);
        }
        let (permits, quick) = (Arc::new(Semaphore::new(count)), Quick::new(path));
        Ok(Arc::new(Self { idle: Mutex::new(idle), permits, quick }))
    }

    pub(super) fn reader(self: &Arc<Self>) -> Reader {
        Reader { taken: None, readers: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody gets a connection any more; those that are given back by now are closed.
    pub(super) async fn close(&self) {
        self.permits.close();
        self.quick.close();
        let idle = std::mem::take(&mut *self.lock());
        for connection in idle {
            // A reader that does not close in order has nothing to lose.
            let _ = connection.close().await;
        }
    }
}

impl Reader {
    pub(super) async fn get(&mut self) -> Result<&mut SqliteConnection> {
        if self.taken.is_none() {
            let permits = self.readers.permits.clone();
            let permit = permits.acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            // There is a connection for each permit.
            let connection = self.readers.lock().pop().ok_or(sqlx::Error::PoolClosed)?;
            self.taken = Some((connection, permit));
        }
        self.taken.as_mut().map(|(connection, _)| connection).ok_or(Error::Database(sqlx::Error::PoolClosed))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some((connection, _permit)) = self.taken.take() {
            self.readers.lock().push(connection);
        }
    }
}
