//! The runner of background work: claims a job, runs it under a lease, tries again when it fails.

use std::time::Duration;

use roadstead_domain::access;
use roadstead_domain::attachment;
use roadstead_domain::clock::{self, Micros};
use roadstead_domain::ids::{OutsideDeskId, ReportId, TenantId, TransferId};
use roadstead_domain::transfer::UNDO_FOR;
use roadstead_store::jobs::{self, Job, Kind, MOST_ATTEMPTS};
use roadstead_store::{
    alerts, attachments, cpins, device_keys, enrolments, idempotency, invitations, lines, mails, outbox,
    outside_desks, password_resets, privacy, repair_cases, reports, sessions, throttle, transfers,
};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::{flows, spool};

/// How long a job is left alone before another node takes it; renewed with every batch.
pub const LEASE_SECONDS: i64 = 60;

/// What a job ends with that stops between two batches because the server does: not done, and no failure.
#[derive(Debug, thiserror::Error)]
#[error("the server stops")]
pub struct Stopping;

/// How many jobs a node runs at a time.
pub const RUNNERS: usize = 3;

/// Runs jobs until told to stop.
pub async fn run(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let wait = match step(&app).await {
            Ok(true) => continue,
            Ok(false) => until_next(&app).await,
            Err(error) => {
                tracing::error!(%error, "jobs cannot be claimed");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.work.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Runs the job that is due longest; whether there was one.
pub async fn step(app: &App) -> anyhow::Result<bool> {
    // An outside desk may be slow; reports and transfers are not to wait for it.
    let forwards = app.forwards.try_acquire().ok();
    let except = forwards.is_none().then_some(Kind::ForwardCases);
    let now = app.ambient.now();
    let mut tx = app.store.write(&access::system()).await?;
    let job = jobs::claim(&mut tx, except, now, now.plus_seconds(LEASE_SECONDS)).await?;
    tx.commit().await?;
    let Some(job) = job else { return Ok(false) };
    let _forwards = forwards.filter(|_| job.kind == Kind::ForwardCases);
    // Where there is one job there may be another, for another runner.
    app.work.notify_one();
    match work(app, &job).await {
        Ok(()) => {
            let mut tx = app.store.write(&access::system()).await?;
            jobs::finish(&mut tx, job.id).await?;
            tx.commit().await?;
        }
        Err(error) if error.is::<Stopping>() => {
            let mut tx = app.store.write(&access::system()).await?;
            jobs::hand_back(&mut tx, job.id).await?;
            tx.commit().await?;
            return Ok(false);
        }
        // A report must not be given up because the disk was full over the weekend. Where even this cannot be written,
        // the job is free again when its lease ends.
        Err(error) if has_no_room(&error) => {
            tracing::error!(job = %job.id, kind = ?job.kind, "{error:#}");
            let retry = app.ambient.now().plus_seconds(LEASE_SECONDS / 2);
            let mut tx = app.store.write(&access::system()).await?;
            jobs::postpone(&mut tx, &job, &format!("{error:#}"), retry).await?;
            tx.commit().await?;
        }
        Err(error) => {
            let mut tx = app.store.read(&access::system()).await?;
            let failures = jobs::failures(&mut tx, job.id).await?;
            drop(tx);
            tracing::error!(job = %job.id, kind = ?job.kind, failures, "{error:#}");
            let last = failures + 1 >= MOST_ATTEMPTS;
            if last {
                give_up(app, &job, &error).await?;
            }
            let now = app.ambient.now();
            let retry = (!last).then(|| now.plus_seconds(1 << failures.min(10)));
            let mut tx = app.store.write(&access::system()).await?;
            jobs::fail(&mut tx, &job, &format!("{error:#}"), retry, now).await?;
            tx.commit().await?;
        }
    }
    Ok(true)
}

/// Whether it failed because a disk is full: the database's or the spool's.
fn has_no_room(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(roadstead_store::Error::Full(_)))
            || cause.downcast_ref().is_some_and(spool::is_full)
    })
}

async fn work(app: &App, job: &Job) -> anyhow::Result<()> {
    match job.kind {
        Kind::IngestReport => {
            flows::ingest::run(app, ReportId(job.subject), job.id).await?;
            Ok(flows::support_cases::settle(app).await?)
        }
        Kind::ReplayPartner => {
            flows::replay::run(app, TenantId(job.subject), job.id).await?;
            Ok(flows::support_cases::settle(app).await?)
        }
        Kind::CommitTransfer | Kind::UndoTransfer => {
            flows::transfers::in_background::run(app, TransferId(job.subject), job.kind).await
        }
        Kind::ApplyRecalls => flows::recalls::apply(app, job.id).await,
        Kind::ForwardCases => flows::outside_desks::forward(app, OutsideDeskId(job.subject), job.id).await,
    }
}

/// Ends the operation of a job that is not tried again, where it has one.
async fn give_up(app: &App, job: &Job, error: &anyhow::Error) -> anyhow::Result<()> {
    match job.kind {
        Kind::IngestReport => {
            Ok(flows::ingest::give_up(app, ReportId(job.subject), &format!("{error:#}")).await?)
        }
        Kind::CommitTransfer | Kind::UndoTransfer => {
            flows::transfers::in_background::give_up(app, TransferId(job.subject), job.kind).await
        }
        Kind::ReplayPartner | Kind::ForwardCases | Kind::ApplyRecalls => Ok(()),
    }
}

async fn until_next(app: &App) -> Duration {
    let except = (app.forwards.available_permits() == 0).then_some(Kind::ForwardCases);
    let due = async {
        let mut tx = app.store.read(&access::system()).await?;
        jobs::next_due(&mut tx, except).await
    };
    let Ok(Some(Micros(due))) = due.await else { return Duration::from_secs(5) };
    let wait = u64::try_from(due - app.ambient.now().0).unwrap_or(0);
    Duration::from_micros(wait).clamp(Duration::from_millis(50), Duration::from_secs(5))
}

/// Makes room for lines to come, and forgets those that are older than the operator wants to keep.
pub async fn keep_lines(app: &App) -> roadstead_store::Result<()> {
    let (scope, now) = (access::system(), app.ambient.now());
    let mut tx = app.store.write(&scope).await?;
    lines::make_room(&mut tx, &scope, now).await?;
    tx.commit().await?;
    let Some(before) = app.lines_kept_since() else { return Ok(()) };
    loop {
        let mut tx = app.store.write(&scope).await?;
        let forgotten = lines::forget(&mut tx, &scope, before).await?;
        tx.commit().await?;
        if forgotten == 0 {
            return Ok(());
        }
        tracing::info!(forgotten, "report lines (on PostgreSQL: years of them) were forgotten");
    }
}

/// Deletes what moves sealed 30 days ago, a batch a transaction; the next run, here or on another node, goes on where
/// this one was stopped. How many PCs' data.
pub async fn wipe_sealed(app: &App) -> roadstead_store::Result<u64> {
    let scope = access::system();
    let mut wiped = 0;
    while !app.closing.is_cancelled() {
        let now = app.ambient.now();
        let mut tx = app.store.write(&scope).await?;
        let batch = privacy::wipe(&mut tx, &scope, Micros(now.0 - UNDO_FOR), now).await?;
        tx.commit().await?;
        let Some(batch) = batch else { break };
        wiped += batch;
    }
    Ok(wiped)
}

/// Forgets alerts, pop-ups and repair cases that have been over for longer than the operator wants to keep them.
pub async fn keep_repairs(app: &App) -> roadstead_store::Result<()> {
    /// So many of each in one transaction.
    const MOST: i64 = 500;
    let Some(months) = app.config.keep_repair_months else { return Ok(()) };
    let scope = access::system();
    let before = app.ambient.now().plus_seconds(-i64::from(months) * 31 * 24 * 3600);
    loop {
        let mut tx = app.store.write(&scope).await?;
        let cases = repair_cases::forget(&mut tx, &scope, before, MOST).await?;
        let alerts = alerts::forget(&mut tx, &scope, before, MOST).await?;
        tx.commit().await?;
        if cases + alerts == 0 {
            return Ok(());
        }
        tracing::info!(cases, alerts, "repair cases, alerts and pop-ups were forgotten");
    }
}

/// Once an hour forgets what is past its time (ended sessions, old answers, events and previews, cut-off uploads), and
/// looks for reporters that have fallen silent.
pub async fn keep_house(app: App, stop: CancellationToken) {
    const DAY: i64 = 24 * 3600;
    loop {
        let swept = async {
            let now = app.ambient.now();
            let scope = access::system();
            let mut tx = app.store.write(&scope).await?;
            sessions::forget_ended(&mut tx, now).await?;
            throttle::forget(&mut tx, now.plus_seconds(-DAY)).await?;
            // For a while they show in the list that they were not accepted.
            invitations::forget(&mut tx, now.plus_seconds(-30 * DAY)).await?;
            password_resets::forget(&mut tx, now).await?;
            idempotency::forget(&mut tx, now.plus_seconds(-DAY)).await?;
            outbox::forget(&mut tx, &scope, now.plus_seconds(-7 * DAY)).await?;
            mails::forget(&mut tx, &scope, now.plus_seconds(-30 * DAY)).await?;
            device_keys::forget_nonces(&mut tx, now).await?;
            cpins::forget_guesses(&mut tx, now).await?;
            outside_desks::forget_calls(&mut tx, &scope, now.plus_seconds(-7 * DAY)).await?;
            enrolments::forget(&mut tx, &scope, now.plus_seconds(-30 * DAY)).await?;
            attachments::forget(&mut tx, &scope, now.plus_seconds(-attachment::KEPT_DAYS * DAY), now).await?;
            reports::forget_previews(&mut tx, &scope, now.plus_seconds(-7 * DAY)).await?;
            transfers::forget_previews(&mut tx, &scope, now.plus_seconds(-7 * DAY)).await?;
            let yesterday = clock::first_id_at(now.plus_seconds(-DAY));
            reports::forget_orphans(&mut tx, &scope, yesterday).await?;
            tx.commit().await
        };
        if let Err(error) = swept.await {
            tracing::warn!(%error, "old rows could not be forgotten");
        }
        if let Err(error) = wipe_sealed(&app).await {
            tracing::warn!(%error, "sealed data could not be deleted");
        }
        if let Err(error) = flows::reporter_quality::notice_silence(&app).await {
            tracing::warn!(%error, "silent reporters could not be looked for");
        }
        if let Err(error) = keep_lines(&app).await {
            tracing::warn!(%error, "report lines could not be cared for");
        }
        if let Err(error) = keep_repairs(&app).await {
            tracing::warn!(%error, "old alerts and repair cases could not be forgotten");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(3600)) => {}
        }
    }
}
