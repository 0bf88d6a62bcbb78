//! The pools that somebody filters, searches or groups, held in memory. The database stays the truth: before each
//! question a view catches up with its partner's log of moves, and the rows that are shown are read from the database
//! under the asker's own scope. Why not an index there: docs/decisions/0008-pools-in-memory.md.

mod view;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::TenantId;
use roadstead_store::{Result, Store, pool};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use uuid::Uuid;

pub use view::{AGES, Filter, Group, GroupBy, Name, View, day_number, read_instant};

/// The most PCs held in all pools together, some 70 bytes each. One pool is held however large it is.
const MOST: usize = 5_000_000;
/// PCs read in one question: a list's page with nobody else waiting long behind it.
const CHUNK: i64 = 1000;
/// Moves that are caught up with in one question.
const MOVES: i64 = 20_000;
/// A view that is further behind is loaded anew.
const FAR_BEHIND: i64 = 500_000;

/// Every view. Lost at a restart and built again when it is asked for.
#[derive(Debug, Default)]
pub struct Pools(Mutex<HashMap<TenantId, Arc<Pool>>>);

#[derive(Debug, Default)]
struct Pool {
    view: Arc<RwLock<View>>,
    /// The state of the pool that the view shows, see [`pool::state`]. Whoever holds it brings the view up to date.
    shown: tokio::sync::Mutex<Option<(i64, i64)>>,
    used: AtomicI64,
    size: AtomicUsize,
}

impl Pools {
    /// The view of the scope's partner, as of now.
    pub async fn of(&self, store: &Store, scope: &Scope, now: Micros) -> Result<OwnedRwLockReadGuard<View>> {
        let partner = scope.partner()?;
        let pool = self.lock().entry(partner).or_default().clone();
        pool.used.store(now.0, Ordering::Relaxed);
        pool.catch_up(store, scope).await?;
        self.make_room(partner);
        Ok(pool.view.clone().read_owned().await)
    }

    /// Whether the scope's partner has a view, or one is being made.
    pub fn holds(&self, scope: &Scope) -> bool {
        scope.partner().is_ok_and(|partner| self.lock().contains_key(&partner))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Arc<Pool>>> {
        // A poisoned map only forgets views.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of what was not asked for longest, but for this partner's.
    fn make_room(&self, partner: TenantId) {
        let mut pools = self.lock();
        let size = |pool: &Pool| pool.size.load(Ordering::Relaxed);
        while pools.values().map(|pool| size(pool)).sum::<usize>() > MOST {
            let others = pools.iter().filter(|(of, _)| **of != partner);
            let Some(oldest) = others.min_by_key(|(_, pool)| pool.used.load(Ordering::Relaxed)) else {
                break;
            };
            let oldest = *oldest.0;
            pools.remove(&oldest);
        }
    }
}

impl Pool {
    async fn catch_up(&self, store: &Store, scope: &Scope) -> Result<()> {
        let mut shown = self.shown.lock().await;
        let mut tx = store.read(scope).await?;
        let state = pool::state(&mut tx, scope).await?;
        if *shown == Some(state) {
            return Ok(());
        }
        let worn = self.view.read().await.is_worn();
        match *shown {
            Some((seq, revision)) if revision == state.1 && !worn && state.0 - seq <= FAR_BEHIND => {
                let mut from = seq;
                while from < state.0 {
                    let to = (from + MOVES).min(state.0);
                    let changes = pool::moved(&mut tx, scope, from, to).await?;
                    self.view.write().await.apply(changes);
                    from = to;
                }
            }
            // What moves meanwhile is in the log after `state` and is caught up with the next time.
            _ => {
                let mut view = View::default();
                let mut after = (String::new(), Uuid::nil());
                loop {
                    let entries = pool::entries(&mut tx, scope, (&after.0, after.1), CHUNK).await?;
                    let Some(last) = entries.last() else { break };
                    after = (last.serial.clone(), last.id);
                    view.append(&entries);
                }
                *self.view.write().await = view;
            }
        }
        tx.commit().await?;
        self.size.store(self.view.read().await.devices(), Ordering::Relaxed);
        *shown = Some(state);
        Ok(())
    }
}
