//! Check-ins: many at once in few statements. Nothing here can move a PC, and what is known of persons is bound to the
//! generation of its placement (R1).

use std::collections::HashMap;

use roadstead_domain::access::Scope;
use roadstead_domain::clock::Micros;
use roadstead_domain::ids::{DeviceId, TenantId};
use roadstead_domain::wire::signature::MOST_SKEW_SECONDS;
use sqlx::error::ErrorKind;
use uuid::Uuid;

use crate::args;
use crate::bulk::Bulk;
use crate::device_keys::Once;
use crate::engine::{Kind, Store, Tx, without_nul};
use crate::error::{Error, Result};

/// A PC that speaks by its key, as the books have it at this moment.
#[derive(Clone, Debug)]
pub struct Speaking {
    /// Which PC.
    pub device: DeviceId,
    /// The tenant that it is in, if in any.
    pub tenant: Option<TenantId>,
    /// Whether that is a customer tenant.
    pub with_customer: bool,
    /// The generation of its placement; 0 if it was never placed.
    pub generation: i64,
    /// Whether the tenant wants to know who is signed in. Never in a pool.
    pub collect_user: bool,
    /// Whether the tenant wants to know where the PC is. Never in a pool.
    pub collect_location: bool,
    /// Whether it is still to be shown that it is in the tenant's hands, and the tenant names domains, from inside of which
    /// the PC can show it. Never in a pool.
    pub has_to_prove: bool,
    /// Whether something is wrong with it, as far as is known.
    pub has_alerts: bool,
}

/// What a PC says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The key that it speaks by.
    pub key: &'a str,
    /// What keeps it from being taken twice.
    pub once: Once,
    /// The agent's version.
    pub agent: &'a str,
    /// The readings, JSON.
    pub readings: &'a str,
    /// Who is signed in.
    pub user: Option<&'a str>,
    /// Where it is.
    pub location: Option<&'a str>,
    /// Whether its readings show something that is wrong.
    pub is_ill: bool,
}

#[derive(sqlx::FromRow)]
struct SpeakingRow {
    public_key: String,
    device: Uuid,
    tenant: Option<Uuid>,
    kind: Option<String>,
    generation: Option<i64>,
    collect_user: Option<bool>,
    collect_location: Option<bool>,
    has_to_prove: bool,
    has_alerts: bool,
}

impl SpeakingRow {
    fn speaking(self) -> (String, Speaking) {
        let with_customer = self.kind.as_deref() == Some("customer");
        let speaking = Speaking {
            device: DeviceId(self.device),
            tenant: self.tenant.map(TenantId),
            with_customer,
            generation: self.generation.unwrap_or(0),
            collect_user: with_customer && self.collect_user == Some(true),
            collect_location: with_customer && self.collect_location == Some(true),
            has_to_prove: with_customer && self.has_to_prove,
            has_alerts: self.has_alerts,
        };
        (self.public_key, speaking)
    }
}

/// PCs that speak, found by a condition on their keys `k`, with columns of `$from` in front. `EXISTS` would let PostgreSQL
/// read every open alert of the platform first (docs/decisions/0059).
macro_rules! speaking_sql {
    ($columns:expr, $from:expr, $which:literal) => {
        concat!(
            "SELECT ",
            $columns,
            "k.public_key, k.device, p.tenant, t.kind, p.generation, c.collect_user, c.collect_location, ",
            "CASE WHEN (SELECT m.customer FROM customer_domains m WHERE m.customer = p.tenant LIMIT 1) IS NULL THEN FALSE ",
            "ELSE (SELECT o.device FROM possessions o WHERE o.device = p.device AND o.generation = p.generation LIMIT 1) ",
            "IS NULL END AS has_to_prove, ",
            "(SELECT a.id FROM alerts a WHERE a.device = k.device AND a.state <> 'closed' LIMIT 1) IS NOT NULL ",
            "AS has_alerts FROM ",
            $from,
            " CROSS JOIN device_keys k LEFT JOIN placements p ON p.device = k.device ",
            "LEFT JOIN tenants t ON t.id = p.tenant LEFT JOIN customer_privacy c ON c.customer = p.tenant ",
            "WHERE ",
            $which,
            " AND k.replaced_at IS NULL"
        )
    };
}

// Twice of it stands in the SQL below: the clocks of nodes may be as far apart as that of a PC.
const _: () = assert!(2 * MOST_SKEW_SECONDS == 600);

/// Of a PC's check-ins that were signed in one second each is told by its nonce, and none is taken that was signed before the
/// last one: without a nonce the row is refused. A last one that no node can have taken by now, for its time is still to come,
/// was taken by a clock that has been set back since, and keeps nobody out (docs/decisions/0061).
macro_rules! unless_repeated_sql {
    () => {
        " ON CONFLICT (device) DO UPDATE SET seen_at = excluded.seen_at, agent = excluded.agent, \
         readings = excluded.readings, signed_at = excluded.signed_at, \
         nonces = CASE WHEN excluded.signed_at > check_ins.signed_at \
         OR check_ins.signed_at > excluded.seen_at / 1000000 + 600 THEN excluded.nonces \
         WHEN excluded.signed_at = check_ins.signed_at AND check_ins.nonces NOT LIKE '%' || excluded.nonces || '%' \
         THEN check_ins.nonces || excluded.nonces END"
    };
}

/// The check-in that is taken is the PC's last one, whatever the clocks of nodes say.
macro_rules! to_judge_sql {
    () => {
        " ON CONFLICT (device) DO UPDATE SET seen_at = excluded.seen_at"
    };
}

macro_rules! personal_sql {
    () => {
        " ON CONFLICT (device, generation) DO UPDATE SET \
         last_user = COALESCE(excluded.last_user, personal_data.last_user), \
         location = COALESCE(excluded.location, personal_data.location), at = excluded.at"
    };
}

/// All of it in one statement, which is its own transaction: one round trip. Rows are written in the PCs' order, so that no
/// two nodes wait for each other. Each table costs whether it is written or not, and each column of what was said.
macro_rules! take_sql {
    ($arrays:literal, $columns:literal, $more:literal, $persons:expr) => {
        concat!(
            "WITH s AS MATERIALIZED (",
            speaking_sql!(
                concat!("g.signed_at, g.nonce, g.agent, g.readings, g.is_ill, ", $more),
                concat!(
                    "unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::boolean[]",
                    $arrays,
                    ") AS g (key, signed_at, nonce, agent, readings, is_ill",
                    $columns,
                    ")"
                ),
                "k.public_key = g.key"
            ),
            " ORDER BY k.device), \
             written AS (INSERT INTO check_ins (device, seen_at, agent, readings, signed_at, nonces) \
             SELECT device, $1, agent, readings, signed_at, nonce FROM s",
            unless_repeated_sql!(),
            "), \
             to_judge AS (INSERT INTO check_ins_to_judge (device, seen_at) SELECT device, $1 FROM s \
             WHERE tenant IS NOT NULL AND (is_ill OR has_alerts)",
            to_judge_sql!(),
            ")",
            $persons,
            " SELECT public_key, device, tenant, kind, generation, collect_user, collect_location, has_to_prove, \
             has_alerts FROM s"
        )
    };
}

const TAKE: &str = take_sql!("", "", "", "");

/// [`TAKE`], where one of them says who is signed in or where it is.
const TAKE_WITH_PERSONS: &str = take_sql!(
    ", $8::text[], $9::text[]",
    ", person, place",
    "g.person, g.place, ",
    concat!(
        ", personal AS (INSERT INTO personal_data (device, generation, last_user, location, at) \
         SELECT device, generation, CASE WHEN collect_user THEN person END, CASE WHEN collect_location THEN place END, $1 \
         FROM s WHERE kind = 'customer' \
         AND (collect_user AND person IS NOT NULL OR collect_location AND place IS NOT NULL)",
        personal_sql!(),
        ")"
    )
);

/// What refuses a check-in that was taken before.
pub const NONCES: &str = "check_ins.nonces";

/// Takes check-ins, at most one of a key, in a transaction of their own: all are durable when this returns, or none is
/// written. Those from which something may follow are to be judged until [`judged`] says that they were. Of persons is kept
/// only what the tenant of this moment has switched on. The PCs, by key; a key that is no PC's is not among them.
/// [`Error::Conflict`] of [`NONCES`] if one of them was taken before, or another one that its PC signed later.
pub async fn take(
    store: &Store,
    scope: &Scope,
    said: &[Said<'_>],
    at: Micros,
) -> Result<HashMap<String, Speaking>> {
    scope.platform()?;
    let rows = match store.kind() {
        Kind::Postgres => {
            let persons = said.iter().any(|said| said.user.is_some() || said.location.is_some());
            let rows = said.iter().flat_map(|said| {
                let Said { key, agent, readings, user, location, is_ill, .. } = *said;
                let (signed_at, nonce) = said.once.parts();
                let mut row = args![key, signed_at, nonce, agent, readings, is_ill];
                if persons {
                    row.extend(args![user, location]);
                }
                row
            });
            let (sql, columns) = if persons { (TAKE_WITH_PERSONS, 8) } else { (TAKE, 6) };
            store.all_at_once(sql, args![at], columns, rows.collect()).await
        }
        Kind::Sqlite => take_in_steps(store, scope, said, at).await,
    };
    let rows: Vec<SpeakingRow> = rows.map_err(|error| match &error {
        Error::Database(sqlx::Error::Database(refused))
            if refused.kind() == ErrorKind::NotNullViolation && refused.message().contains("nonces") =>
        {
            Error::Conflict(NONCES.to_owned())
        }
        _ => error,
    })?;
    Ok(rows.into_iter().map(SpeakingRow::speaking).collect())
}

/// [`take`] on SQLite, whose statements are near and write one table each. One text carries the rows to all of them.
async fn take_in_steps(
    store: &Store,
    scope: &Scope,
    said: &[Said<'_>],
    at: Micros,
) -> Result<Vec<SpeakingRow>> {
    let row = |said: &Said<'_>| {
        let (signed_at, nonce) = said.once.parts();
        let agent = without_nul(said.agent.to_owned());
        (signed_at, nonce, said.key.to_owned(), agent, said.readings.to_owned())
    };
    let rows: Vec<_> = said.iter().map(row).collect();
    let rows = serde_json::to_string(&rows).map_err(|error| Error::bad("check_ins", error))?;
    let mut tx = store.write(scope).await?;
    tx.execute(
        concat!(
            "INSERT INTO check_ins (device, seen_at, agent, readings, signed_at, nonces) \
             SELECT k.device, $2, g.value ->> 3, g.value ->> 4, g.value ->> 0, g.value ->> 1 \
             FROM json_each($1) g CROSS JOIN device_keys k \
             WHERE k.public_key = g.value ->> 2 AND k.replaced_at IS NULL",
            unless_repeated_sql!()
        ),
        args![rows.as_str(), at],
    )
    .await?;
    let speaking: Vec<SpeakingRow> =
        tx.all(speaking_sql!("", "json_each($1) g", "k.public_key = g.value ->> 2"), args![rows]).await?;
    let mut personal = Bulk::new(
        "INSERT INTO personal_data (device, generation, last_user, location, at)",
        5,
        personal_sql!(),
    );
    let by_key: HashMap<&str, &Said<'_>> = said.iter().map(|said| (said.key, said)).collect();
    let mut to_judge = Bulk::new("INSERT INTO check_ins_to_judge (device, seen_at)", 2, to_judge_sql!());
    for row in speaking.iter().filter(|row| row.tenant.is_some()) {
        let is_ill = by_key.get(row.public_key.as_str()).is_some_and(|said| said.is_ill);
        if is_ill || row.has_alerts {
            to_judge.push(&mut tx, args![row.device, at]).await?;
        }
    }
    to_judge.finish(&mut tx).await?;
    for row in speaking.iter().filter(|row| row.kind.as_deref() == Some("customer")) {
        let Some(said) = by_key.get(row.public_key.as_str()) else { continue };
        let user = said.user.filter(|_| row.collect_user == Some(true));
        let location = said.location.filter(|_| row.collect_location == Some(true));
        if user.is_some() || location.is_some() {
            personal.push(&mut tx, args![row.device, row.generation, user, location, at]).await?;
        }
    }
    personal.finish(&mut tx).await?;
    tx.commit().await?;
    Ok(speaking)
}

/// Notes that what follows from check-ins is written: each by its PC and when it was taken. A later one of the PC stays.
pub async fn judged(tx: &mut Tx, scope: &Scope, check_ins: &[(DeviceId, Micros)]) -> Result<()> {
    scope.platform()?;
    // In the PCs' order, as check-ins are written: of two who wait for each other PostgreSQL ends one.
    let devices: Vec<Uuid> = check_ins.iter().map(|(device, _)| device.0).collect();
    let sql = "SELECT j.device FROM <set> s CROSS JOIN check_ins_to_judge j WHERE j.device = s.value ORDER BY j.device";
    let sql = format!("{sql}{}", tx.for_update());
    let _held: Vec<(Uuid,)> = tx.all_of_ids(&sql, args![], &devices).await?;
    let mut bulk = Bulk::new(
        "DELETE FROM check_ins_to_judge WHERE (device, seen_at) IN (SELECT v.column1, v.column2 FROM (",
        2,
        ") AS v)",
    );
    for (device, seen_at) in check_ins {
        bulk.push(tx, args![*device, *seen_at]).await?;
    }
    bulk.finish(tx).await?;
    Ok(())
}

/// A check-in that is to be judged.
#[derive(Clone, Debug)]
pub struct Unjudged {
    /// When it was taken.
    pub seen_at: Micros,
    /// The PC's latest readings, JSON.
    pub readings: String,
    /// The PC.
    pub speaking: Speaking,
}

/// Up to so many check-ins from before this instant that are still to be judged.
pub async fn unjudged(tx: &mut Tx, scope: &Scope, before: Micros, most: i64) -> Result<Vec<Unjudged>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        seen_at: i64,
        readings: String,
        #[sqlx(flatten)]
        speaking: SpeakingRow,
    }
    scope.platform()?;
    let sql = concat!(
        speaking_sql!(
            "j.seen_at, i.readings, ",
            "check_ins_to_judge j CROSS JOIN check_ins i",
            "j.seen_at < $1 AND i.device = j.device AND k.device = j.device"
        ),
        " LIMIT $2"
    );
    let rows: Vec<Row> = tx.all(sql, args![before, most]).await?;
    let unjudged = |row: Row| {
        let (_, speaking) = row.speaking.speaking();
        Unjudged { seen_at: Micros(row.seen_at), readings: row.readings, speaking }
    };
    Ok(rows.into_iter().map(unjudged).collect())
}

/// When a PC was last seen, and what it said, for whoever may see the PC.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Seen {
    /// When, in microseconds.
    pub seen_at: i64,
    /// The agent's version.
    pub agent: String,
    /// The readings, JSON.
    pub readings: String,
}

/// The last check-in of a PC. The caller has found the PC within its scope.
pub async fn last(tx: &mut Tx, device: DeviceId) -> Result<Option<Seen>> {
    tx.optional("SELECT seen_at, agent, readings FROM check_ins WHERE device = $1", args![device]).await
}

/// When each of these PCs was last seen, in microseconds; one that never was is not among them. The caller has found the PCs
/// within its scope.
pub async fn last_of(tx: &mut Tx, devices: &[Uuid]) -> Result<Vec<(Uuid, i64)>> {
    let sql = "SELECT k.device, k.seen_at FROM <set> s CROSS JOIN check_ins k WHERE k.device = s.value";
    tx.all_of_ids(sql, args![], devices).await
}

/// What a customer lets the agent tell of persons: who is signed in, and where the PC is. The caller has found the
/// customer.
pub async fn privacy(tx: &mut Tx, customer: TenantId) -> Result<(bool, bool)> {
    let row: Option<(bool, bool)> = tx
        .optional(
            "SELECT collect_user, collect_location FROM customer_privacy WHERE customer = $1",
            args![customer],
        )
        .await?;
    Ok(row.unwrap_or((false, false)))
}

/// Switches what a customer lets the agent tell of persons; what is switched off is deleted.
pub async fn set_privacy(
    tx: &mut Tx,
    scope: &Scope,
    customer: TenantId,
    user: bool,
    location: bool,
) -> Result<()> {
    scope.platform()?;
    tx.execute(
        "INSERT INTO customer_privacy (customer, collect_user, collect_location) VALUES ($1, $2, $3) \
         ON CONFLICT (customer) DO UPDATE SET collect_user = excluded.collect_user, \
         collect_location = excluded.collect_location",
        args![customer, user, location],
    )
    .await?;
    tx.execute(
        "UPDATE personal_data SET last_user = CASE WHEN $2 THEN last_user END, \
         location = CASE WHEN $3 THEN location END WHERE EXISTS (SELECT 1 FROM placements p \
         WHERE p.device = personal_data.device AND p.generation = personal_data.generation AND p.tenant = $1)",
        args![customer, user, location],
    )
    .await?;
    Ok(())
}
