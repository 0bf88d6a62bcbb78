//! The outbox: what live pages are told, written in the transaction that made it true.

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::engine::{News, Tx};
use crate::error::{Error, Result};

/// An event with its place in the order of all.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Rises with every event.
    pub seq: i64,
    /// The tenant or reporter that it happened to; `None` is the operator's.
    pub home: Option<Uuid>,
    /// What happened.
    pub event: Event,
}

/// Writes events, each for its home.
pub async fn publish(tx: &mut Tx, events: &[(Option<Uuid>, Event)], at: Micros) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    tx.order_events().await?;
    let mut bulk = Bulk::new("INSERT INTO outbox (home, event, at)", 3, "");
    for (home, event) in events {
        let text = serde_json::to_string(event).map_err(|error| Error::bad("outbox", error))?;
        bulk.push(tx, args![*home, text, at]).await?;
    }
    bulk.finish(tx).await?;
    tx.notify(News::Events).await
}

/// The number of the newest event; 0 if there is none.
pub async fn newest(tx: &mut Tx, scope: &Scope) -> Result<i64> {
    scope.platform()?;
    tx.number("SELECT COALESCE(MAX(seq), 0) FROM outbox", args![]).await
}

/// Up to `limit` events after this number, of every home: for the dispatcher, which tells each page its own.
pub async fn after(tx: &mut Tx, scope: &Scope, seq: i64, limit: i64) -> Result<Vec<Stored>> {
    scope.platform()?;
    let rows: Vec<(i64, Option<Uuid>, String)> = tx
        .all_quick(
            "SELECT seq, home, event FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2",
            args![seq, limit],
        )
        .await?;
    rows.into_iter()
        .map(|(seq, home, text)| {
            let event = serde_json::from_str(&text).map_err(|error| Error::bad("outbox", error))?;
            Ok(Stored { seq, home, event })
        })
        .collect()
}

/// Forgets events older than this.
pub async fn forget(tx: &mut Tx, scope: &Scope, before: Micros) -> Result<u64> {
    scope.platform()?;
    tx.execute("DELETE FROM outbox WHERE at < $1", args![before]).await
}
