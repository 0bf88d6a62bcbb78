//! Background work: made in the transaction that makes it necessary, claimed under a lease, tried again when it
//! fails, set aside as dead when it keeps failing. A lease only saves work; a job may run twice and must bear it.

use roadstead_domain::clock::{Ambient, Micros};
use roadstead_domain::ids::JobId;
use uuid::Uuid;

use crate::args;
use crate::engine::{News, Tx};
use crate::error::Result;

/// The kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Judge a report; the subject is the report.
    IngestReport,
    /// Open the pool of a partner if it is qualified by now, and replay what waits for it; the subject is the partner.
    ReplayPartner,
    /// Carry out a transfer; the subject is the transfer.
    CommitTransfer,
    /// Take a transfer back; the subject is the transfer.
    UndoTransfer,
    /// Tell an outside desk what it is to know; the subject is the outside desk.
    ForwardCases,
    /// Look at every PC for recall lists; there is no subject.
    ApplyRecalls,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] = [
        Kind::IngestReport,
        Kind::ReplayPartner,
        Kind::CommitTransfer,
        Kind::UndoTransfer,
        Kind::ForwardCases,
        Kind::ApplyRecalls,
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::IngestReport => "ingest_report",
            Kind::ReplayPartner => "replay_partner",
            Kind::CommitTransfer => "commit_transfer",
            Kind::UndoTransfer => "undo_transfer",
            Kind::ForwardCases => "forward_cases",
            Kind::ApplyRecalls => "apply_recalls",
        }
    }
}

/// A claimed job.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What to do.
    pub kind: Kind,
    /// To what.
    pub subject: Uuid,
}

/// After this many failures in a row a job is dead.
pub const MOST_ATTEMPTS: i64 = 8;

/// Adds a job that is due at `run_at`. Within `lane` it waits for the jobs that were added before it.
pub async fn enqueue(
    tx: &mut Tx,
    kind: Kind,
    subject: Uuid,
    lane: Uuid,
    run_at: Micros,
    ambient: &Ambient,
) -> Result<()> {
    tx.execute(
        "INSERT INTO jobs (id, kind, subject, lane, run_at, attempts, dead, created_at) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7)",
        args![ambient.id::<JobId>(), kind.as_str(), subject, lane, run_at, false, ambient.now()],
    )
    .await?;
    tx.notify(News::Work).await
}

/// Takes the job that is due longest, until the lease ends. A report that is to be tried again is waited for by those that
/// came after it: a return must not be judged before its sale. Jobs of the kind `except` are left to others.
pub async fn claim(
    tx: &mut Tx,
    except: Option<Kind>,
    now: Micros,
    lease_until: Micros,
) -> Result<Option<Job>> {
    const LEASE: &str = "UPDATE jobs SET leased_until = $2 WHERE id = $1";
    loop {
        let due: Vec<(Uuid, String, Uuid)> = tx
            .all_ending(
                "SELECT id, kind, subject FROM jobs WHERE NOT dead AND run_at <= $1 AND kind <> $2 \
                 AND (leased_until IS NULL OR leased_until <= $1) AND NOT EXISTS \
                 (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id <> jobs.id AND NOT e.dead \
                 AND ((e.id < jobs.id AND (e.run_at <= $1 OR (e.kind = 'ingest_report' AND e.last_error IS NOT NULL))) \
                 OR e.leased_until > $1)) ORDER BY run_at, id LIMIT 1",
                tx.skip_locked(),
                args![now, except.map_or("", Kind::as_str)],
            )
            .await?;
        let Some((id, kind, subject)) = due.into_iter().next() else { return Ok(None) };
        if let Some(kind) = Kind::ALL.into_iter().find(|known| known.as_str() == kind) {
            tx.execute(LEASE, args![id, lease_until]).await?;
            return Ok(Some(Job { id: JobId(id), kind, subject }));
        }
        // Made by a node of the next release, which will do it; until then it must not stand before the others.
        tx.execute(LEASE, args![id, now.plus_seconds(5)]).await?;
    }
}

/// When the next job is due, if there is one that is not of the kind `except`.
pub async fn next_due(tx: &mut Tx, except: Option<Kind>) -> Result<Option<Micros>> {
    let row: Option<(Option<i64>,)> = tx
        .optional(
            "SELECT MIN(CASE WHEN leased_until IS NULL OR leased_until < run_at THEN run_at ELSE leased_until END) \
             FROM jobs WHERE NOT dead AND kind <> $1 AND NOT EXISTS \
             (SELECT 1 FROM jobs e WHERE e.lane = jobs.lane AND e.id < jobs.id AND NOT e.dead AND (e.run_at <= jobs.run_at \
             OR (e.kind = 'ingest_report' AND e.last_error IS NOT NULL)))",
            args![except.map_or("", Kind::as_str)],
        )
        .await?;
    Ok(row.and_then(|(due,)| due).map(Micros))
}

/// Keeps a job that is still being worked on, and has come further: what failed before no longer counts.
pub async fn renew(tx: &mut Tx, job: JobId, lease_until: Micros) -> Result<()> {
    tx.execute("UPDATE jobs SET leased_until = $2, attempts = 0 WHERE id = $1", args![job, lease_until])
        .await?;
    Ok(())
}

/// How often a job has failed since it last came further.
pub async fn failures(tx: &mut Tx, job: JobId) -> Result<i64> {
    tx.number("SELECT attempts FROM jobs WHERE id = $1", args![job]).await
}

/// Gives a job back that somebody else can go on with at once.
pub async fn hand_back(tx: &mut Tx, job: JobId) -> Result<()> {
    tx.execute("UPDATE jobs SET leased_until = NULL WHERE id = $1", args![job]).await?;
    tx.notify(News::Work).await
}

/// Gives every leased job back: at the start of a node that is the only one, nobody works on any.
pub async fn release_all(tx: &mut Tx) -> Result<u64> {
    tx.execute("UPDATE jobs SET leased_until = NULL WHERE leased_until IS NOT NULL", args![]).await
}

/// The job is done.
pub async fn finish(tx: &mut Tx, job: JobId) -> Result<()> {
    tx.execute("DELETE FROM jobs WHERE id = $1", args![job]).await?;
    Ok(())
}

/// The job cannot get on for a reason that is not its own: it is tried again at `retry_at`, and this does not count.
pub async fn postpone(tx: &mut Tx, job: &Job, error: &str, retry_at: Micros) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET leased_until = NULL, last_error = $2, run_at = $3 WHERE id = $1",
        args![job.id, error, retry_at],
    )
    .await?;
    Ok(())
}

/// The job failed: it is tried again at `retry_at`, or it is dead, since `now`. One that is dead stays as it is: whoever
/// went on beyond its lease, beside another runner, counts no further failure.
pub async fn fail(tx: &mut Tx, job: &Job, error: &str, retry_at: Option<Micros>, now: Micros) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET attempts = attempts + 1, leased_until = NULL, last_error = $2, dead = $3, run_at = $4 \
         WHERE id = $1 AND NOT dead",
        args![job.id, error, retry_at.is_none(), retry_at.unwrap_or(now)],
    )
    .await?;
    Ok(())
}

/// How many jobs are waiting or running, and how many are dead.
pub async fn left(tx: &mut Tx) -> Result<(i64, i64)> {
    let alive = tx.number("SELECT COUNT(*) FROM jobs WHERE NOT dead", args![]).await?;
    Ok((alive, tx.number("SELECT COUNT(*) FROM jobs WHERE dead", args![]).await?))
}

/// How many jobs are set aside as dead.
pub async fn dead(tx: &mut Tx) -> Result<i64> {
    tx.number("SELECT COUNT(*) FROM jobs WHERE dead", args![]).await
}
