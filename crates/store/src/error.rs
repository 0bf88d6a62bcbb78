//! What can go wrong below the flows.

use roadstead_domain::access::Denied;

/// A result of the store.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a statement did not do what it was to do. A row that is not there is `Ok(None)`, never an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database said no, or is not there.
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    /// There is no connection to the database, or it was cut: nothing was committed, and it is worth trying again.
    #[error("the database cannot be reached: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// There is no room left on the disk of the database: nothing was committed, and it is worth trying again when there is.
    #[error("no room is left for the database: {0}")]
    Full(String),
    /// The embedded database, asked on our own thread, said no.
    #[error("database: {0}")]
    Embedded(#[source] rusqlite::Error),
    /// The row is there already; the name of the index or of the columns that refused it.
    #[error("already there: {0}")]
    Conflict(String),
    /// The scope does not reach the row.
    #[error("out of the scope's reach")]
    Denied(Denied),
    /// Somebody else changed the row since it was read; the transaction is to be tried again.
    #[error("changed since it was read: {0}")]
    Stale(&'static str),
    /// A row that this version cannot read.
    #[error("bad data in {table}: {detail}")]
    BadData {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The database cannot be used as it is; the message says what to do.
    #[error("{0}")]
    Unusable(String),
}

impl Error {
    /// Bad data in a table.
    pub fn bad(table: &'static str, detail: impl ToString) -> Self {
        Self::BadData { table, detail: detail.to_string() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => {
                let name = db.constraint().map_or_else(|| db.message().to_owned(), str::to_owned);
                Self::Conflict(name)
            }
            // SQLite: the database or its shared memory cannot grow. PostgreSQL: disk full.
            sqlx::Error::Database(db)
                if db.code().is_some_and(|code| ["13", "4874", "53100"].contains(&code.as_ref())) =>
            {
                Self::Full(db.message().to_owned())
            }
            // Connection exceptions, a server that shuts down, starts up or ends a session, and a transaction that was
            // undone to let another one pass, as during a migration (PostgreSQL, appendix A).
            sqlx::Error::Database(db)
                if db.code().is_some_and(|code| {
                    code.starts_with("08") || code.starts_with("57P") || code == "40P01" || code == "40001"
                }) =>
            {
                Self::Unavailable(error)
            }
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                Self::Unavailable(error)
            }
            _ => Self::Database(error),
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}
