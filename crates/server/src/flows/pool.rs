//! The partner looks at its pool: pages, counts, groups. Without a filter a page is one walk of an index; with one it
//! is found in the view that is held in memory (see [`crate::pools`]) and read from the database.

use std::collections::HashMap;

use jiff::civil::Date;
use roadstead_domain::access::Scope;
use roadstead_store::check_ins;
use roadstead_store::page::{Page, Rows};
use roadstead_store::pool::{self, Reporters, Sort, Unassigned};
use tokio::sync::OwnedRwLockReadGuard;
use uuid::Uuid;

use super::Refused;
use crate::app::App;
use crate::pools::{Filter, Group, GroupBy, Name, View, day_number};

/// A page of the pool, and how many PCs pass in all.
#[derive(Debug)]
pub struct Found {
    /// The page.
    pub rows: Rows<Unassigned>,
    /// How many pass, if that was counted.
    pub devices: Option<u64>,
}

/// A page of groups.
#[derive(Debug)]
pub struct Groups {
    /// The groups, each with its value as a report wrote it, where that is a text.
    pub items: Vec<(Group, Option<String>)>,
    /// How many groups there are.
    pub all: u64,
    /// How many PCs pass the filter.
    pub devices: u64,
}

/// A page of the pool; without a filter its PCs are not counted. `None` for a cursor that is none.
pub async fn list(
    app: &App,
    scope: &Scope,
    filter: &Filter,
    sort: Sort,
    page: &Page,
    reporters: Reporters,
) -> Result<Option<Found>, Refused> {
    let today = app.ambient.now().date();
    if filter.is_empty() {
        let mut tx = app.store.read(scope).await?;
        let Some(rows) = pool::list(&mut tx, scope, sort, page, today, reporters).await? else {
            return Ok(None);
        };
        tx.commit().await?;
        return Ok(Some(Found { rows, devices: None }));
    }
    let most = usize::try_from(page.rows()).unwrap_or(0) + 1;
    let day = day_of(today);
    let (names, devices) = match sort {
        Sort::Serial => {
            let Ok(after) = page.after::<(String, Uuid)>() else { return Ok(None) };
            let (serial, id) = after.unwrap_or_default();
            asked(app, scope, filter, move |view, filter| {
                let rows = view.passing(filter, day);
                (view.by_serial(&rows, (&serial, id), most), rows.len())
            })
            .await?
        }
        Sort::Newest => {
            let Ok(after) = page.after::<(i64, Uuid)>() else { return Ok(None) };
            let after = after.unwrap_or((i64::MAX, Uuid::max()));
            asked(app, scope, filter, move |view, filter| {
                let rows = view.passing(filter, day);
                (view.newest(&rows, after, most), rows.len())
            })
            .await?
        }
    };
    let names = match sort {
        Sort::Serial => Rows::cut(names, page.rows(), |name: &Name| (name.serial.clone(), name.id)),
        Sort::Newest => Rows::cut(names, page.rows(), |name: &Name| (name.since, name.id)),
    };
    let items = in_full(app, scope, &names.items, today).await?;
    let rows = Rows { items, next_cursor: names.next_cursor };
    Ok(Some(Found { rows, devices: Some(devices as u64) }))
}

/// Every PC that passes, by name, in its order: what an export walks through.
pub async fn names(app: &App, scope: &Scope, filter: &Filter, sort: Sort) -> Result<Vec<Name>, Refused> {
    let day = day_of(app.ambient.now().date());
    asked(app, scope, filter, move |view, filter| {
        let rows = view.passing(filter, day);
        match sort {
            Sort::Serial => view.by_serial(&rows, ("", Uuid::nil()), usize::MAX),
            Sort::Newest => view.newest(&rows, (i64::MAX, Uuid::max()), rows.len()),
        }
    })
    .await
}

/// These PCs in full, in this order, without those that have left meanwhile.
pub async fn in_full(
    app: &App,
    scope: &Scope,
    names: &[Name],
    today: Date,
) -> Result<Vec<Unassigned>, Refused> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut serials: Vec<&str> = names.iter().map(|name| name.serial.as_str()).collect();
    serials.dedup();
    let mut tx = app.store.read(scope).await?;
    let found = pool::with_serials(&mut tx, scope, &serials, today).await?;
    tx.commit().await?;
    let mut found: HashMap<Uuid, Unassigned> = found.into_iter().map(|pc| (pc.id, pc)).collect();
    Ok(names.iter().filter_map(|name| found.remove(&name.id)).collect())
}

/// When the agents of these PCs last said how they are, in microseconds, by PC; one that never did is not among them.
pub async fn last_seen(app: &App, scope: &Scope, pcs: &[Unassigned]) -> Result<HashMap<Uuid, i64>, Refused> {
    let ids: Vec<Uuid> = pcs.iter().map(|pc| pc.id).collect();
    let mut tx = app.store.read(scope).await?;
    let seen = check_ins::last_of(&mut tx, &ids).await?;
    tx.commit().await?;
    Ok(seen.into_iter().collect())
}

/// `most` groups from the `skip`-th on, largest first; ages go by time.
pub async fn groups(
    app: &App,
    scope: &Scope,
    filter: &Filter,
    by: GroupBy,
    skip: usize,
    most: usize,
) -> Result<Groups, Refused> {
    let now = app.ambient.now();
    let day = day_of(now.date());
    let (groups, all, devices) = asked(app, scope, filter, move |view, filter| {
        let rows = view.passing(filter, day);
        let (groups, all) = view.groups(&rows, by, (day, now.0), skip, most);
        (groups, all, rows.len())
    })
    .await?;
    let samples: Vec<Name> = groups.iter().map(|group| group.sample.clone()).collect();
    let samples = in_full(app, scope, &samples, now.date()).await?;
    let mut samples: HashMap<Uuid, Unassigned> = samples.into_iter().map(|pc| (pc.id, pc)).collect();
    let items = groups.into_iter().map(|group| {
        let written = samples.remove(&group.sample.id).and_then(|pc| written(pc, by));
        (group, written.filter(|text| !text.is_empty()))
    });
    Ok(Groups { items: items.collect(), all: all as u64, devices: devices as u64 })
}

/// The value of a PC's group as it was written.
fn written(pc: Unassigned, by: GroupBy) -> Option<String> {
    match by {
        GroupBy::EndCustomer => pc.buyer_name,
        GroupBy::Invoice => pc.invoice,
        GroupBy::Order => Some(pc.order()),
        GroupBy::Model => Some(pc.model),
        GroupBy::Reporter => pc.reporter_name,
        GroupBy::Level | GroupBy::Age => None,
    }
}

/// Begins to hold the pool in memory, so that the first filter need not wait for it.
pub fn prepare(app: &App, scope: &Scope) {
    if app.pools.holds(scope) {
        return;
    }
    let (app, scope) = (app.clone(), *scope);
    tokio::spawn(async move {
        // Whoever filters hears of what is wrong.
        let _ = app.pools.of(&app.store, &scope, app.ambient.now()).await;
    });
}

/// Asks the view on a blocking thread: it may be busy for some milliseconds.
async fn asked<T: Send + 'static>(
    app: &App,
    scope: &Scope,
    filter: &Filter,
    ask: impl FnOnce(&View, &Filter) -> T + Send + 'static,
) -> Result<T, Refused> {
    let view: OwnedRwLockReadGuard<View> = app.pools.of(&app.store, scope, app.ambient.now()).await?;
    let filter = filter.clone();
    tokio::task::spawn_blocking(move || ask(&view, &filter))
        .await
        .map_err(|error| Refused::Internal(error.into()))
}

fn day_of(today: Date) -> u32 {
    day_number(&today.to_string())
}
