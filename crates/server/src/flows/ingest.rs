//! A report is judged: a batch of lines a transaction, in file order. What is committed stays; after a crash the work
//! goes on with the next batch.

use std::ops::ControlFlow;

use anyhow::Context;
use roadstead_domain::access::{self, Scope};
use roadstead_domain::event::Event;
use roadstead_domain::ids::{JobId, OperationId, ReportId, ReporterId};
use roadstead_domain::sale::{self, Field, Parked, Reason, ReceivedLine, SaleLine, Sender, Verdict};
use roadstead_ingest::FileError;
use roadstead_store::engine::Kind;
use roadstead_store::lines::Judged;
use roadstead_store::reports::{Counts, Report};
use roadstead_store::{Tx, dead_jobs, entitlements, jobs, lines, operations, outbox, reports};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::judge_batch::{Item, judge_batch};
use super::reporter_quality;
use super::submit_report::format_of;
use super::{disputes, own_headers};
use crate::app::App;
use crate::jobs::{LEASE_SECONDS, Stopping};

/// A line and what the first rule says of it.
type Checked = (ReceivedLine, Result<SaleLine, (Verdict, Vec<Reason>)>);

/// A batch ends early when its cells hold so many bytes, so that long cells do not fill the memory.
const MOST_BYTES: usize = 8 << 20;

/// Judges what is left of a report.
pub async fn run(app: &App, id: ReportId, job: JobId) -> anyhow::Result<()> {
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    let report = reports::get(&mut tx, &scope, id).await?.with_context(|| format!("report {id} is gone"))?;
    if report.finished_at.is_some() {
        return Ok(());
    }
    reports::set_state(&mut tx, &scope, id, "running", None).await?;
    if !report.validate_only && report.withdraws.is_none() && report.undoes.is_none() {
        reporter_quality::heard(&mut tx, &scope, ReporterId(report.reporter), app.ambient.now()).await?;
    }
    let levels = entitlements::level_names(&mut tx, &scope).await?;
    let mut limits = app.config.file.clone();
    limits.own_headers = own_headers::of_reporter(&mut tx, &scope, ReporterId(report.reporter)).await?;
    tx.commit().await?;

    let file = restore(app, &scope, id).await?;
    let done = u64::try_from(report.done).unwrap_or(0);
    let (sender, mut batches) = mpsc::channel::<Vec<Checked>>(1);
    let reading = {
        let (path, config) = (file.to_path_buf(), app.config.clone());
        let format = format_of(&report.format).with_context(|| format!("no format {:?}", report.format))?;
        let from = Sender { number: report.reporter_number.clone(), only_seller: report.only_seller.clone() };
        tokio::task::spawn_blocking(move || -> Result<(), FileError> {
            let layout = roadstead_ingest::inspect(format, &path, &limits, &config.edi_maps)?;
            let mut batch: Vec<Checked> = Vec::with_capacity(config.batch_lines);
            let (mut gone, mut bytes) = (false, 0);
            roadstead_ingest::read(&path, &layout, &limits, &config.edi_maps, &mut |line| {
                if line.line > done {
                    bytes += line.bytes();
                    let checked = sale::check(&line, &levels, &from);
                    batch.push((line, checked));
                }
                if batch.len() == config.batch_lines || bytes > MOST_BYTES {
                    bytes = 0;
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(config.batch_lines));
                    gone = sender.blocking_send(full).is_err();
                }
                if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if !gone && !batch.is_empty() {
                // The other side is gone only when a batch failed, which it says itself.
                let _ = sender.blocking_send(batch);
            }
            Ok(())
        })
    };
    let progress = Progress { id, job, report: &report };
    // One transaction over several batches writes each page of the indexes less often; it ends early for whoever waits.
    let (mut open, mut inside) = (None, 0);
    while let Some(batch) = batches.recv().await {
        let mut tx = match open.take() {
            Some(tx) => tx,
            None => app.store.write(&scope).await?,
        };
        take(app, &mut tx, &scope, &progress, &batch).await?;
        inside += 1;
        let stops = app.closing.is_cancelled();
        let alone = app.store.kind() == Kind::Sqlite && !app.store.is_awaited();
        if inside < app.config.most_batches && alone && !stops {
            open = Some(tx);
        } else {
            tx.commit().await?;
            app.hub.wake();
            inside = 0;
        }
        if stops {
            return Err(Stopping.into());
        }
    }
    if let Some(tx) = open {
        tx.commit().await?;
        app.hub.wake();
    }
    reading.await.context("the reader died")?.map_err(|error| anyhow::anyhow!("{error}"))?;
    finish(app, &scope, &report).await
}

struct Progress<'a> {
    id: ReportId,
    job: JobId,
    report: &'a Report,
}

/// Judges one batch in the transaction that is open.
async fn take(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    progress: &Progress<'_>,
    batch: &[Checked],
) -> anyhow::Result<()> {
    let Progress { id, job, report } = *progress;
    let preview = report.validate_only.then_some(id);
    let reporter = ReporterId(report.reporter);
    let items: Vec<Item<'_>> = batch
        .iter()
        .filter_map(|(received, checked)| {
            Some(Item {
                at: Parked { report: id, line: received.line },
                reporter,
                line: checked.as_ref().ok()?,
                product_number: received.get(Field::Product).trim(),
                model: received.get(Field::Model).trim(),
                buyer_name: received.get(Field::BuyerName).trim(),
                order: received.get(Field::PurchaseOrder).trim(),
                replay: false,
            })
        })
        .collect();
    let now = app.ambient.now();
    let judged = judge_batch(app, tx, scope, &items, preview, now).await?;

    let mut counts = Counts::default();
    let mut outcomes = judged.outcomes.iter();
    let mut rows = Vec::with_capacity(batch.len());
    for (received, checked) in batch {
        rows.push(match checked {
            Err((verdict, reasons)) => {
                counts.add(id, None, *verdict, 1);
                Judged { received, line: None, verdict: *verdict, reasons, pool: None, waits_for: None }
            }
            Ok(line) => {
                let outcome = outcomes.next().context("a line without an outcome")?;
                counts.add(id, outcome.about, outcome.verdict, 1);
                Judged {
                    received,
                    line: Some(line),
                    verdict: outcome.verdict,
                    reasons: &outcome.reasons,
                    pool: outcome.pool,
                    waits_for: outcome.waits_for.as_deref(),
                }
            }
        });
    }
    let serial = |judged: &Judged<'_>| judged.line.map(|line| line.serial.clone());
    rows.sort_by_cached_key(serial);
    lines::insert(tx, scope, id, rows.into_iter(), now).await?;
    counts.write(tx, scope, preview.is_none()).await?;
    for parked in judged.withdrawn {
        lines::withdraw(tx, scope, parked).await?;
    }

    let done = batch.last().map_or(0, |(line, _)| line.line);
    let operation = OperationId(report.operation);
    operations::progress(tx, operation, done, now).await?;
    let total = u64::try_from(report.lines).unwrap_or(0);
    let event = Event::ReportProgress { report: id, operation, done, total };
    outbox::publish(tx, &[(Some(report.reporter), event)], now).await?;
    jobs::renew(tx, job, app.ambient.now().plus_seconds(LEASE_SECONDS)).await?;
    Ok(())
}

async fn finish(app: &App, scope: &Scope, report: &Report) -> anyhow::Result<()> {
    let id = ReportId(report.id);
    let mut tx = app.store.write(scope).await?;
    let now = app.ambient.now();
    reports::set_state(&mut tx, scope, id, "succeeded", Some(now)).await?;
    // A preview's file stays for as long as the preview: it may be handed in for good.
    if !report.validate_only {
        reports::forget_pieces(&mut tx, scope, id).await?;
    }
    if let Some(withdrawal) = report.undoes.filter(|_| !report.validate_only) {
        disputes::close_undone(app, &mut tx, scope, ReportId(withdrawal)).await?;
    }
    // Sent again after it was given up, it was done by another job.
    dead_jobs::forget(&mut tx, scope, jobs::Kind::IngestReport, id.0).await?;
    let counts = reports::counts(&mut tx, scope, id).await?;
    let result = serde_json::json!({ "report": id, "counts": counts }).to_string();
    let operation = OperationId(report.operation);
    operations::end(&mut tx, operation, true, &result, now).await?;
    let total = u64::try_from(report.lines).unwrap_or(0);
    let event = Event::ReportProgress { report: id, operation, done: total, total };
    outbox::publish(&mut tx, &[(Some(report.reporter), event)], now).await?;
    tx.commit().await?;
    app.hub.wake();
    Ok(())
}

/// The report cannot be judged, whatever we try: its operation says so. Batches that were committed stay.
pub async fn give_up(app: &App, id: ReportId, why: &str) -> roadstead_store::Result<()> {
    let scope = access::system();
    let mut tx = app.store.write(&scope).await?;
    let now = app.ambient.now();
    if let Some(report) = reports::get(&mut tx, &scope, id).await? {
        reports::set_state(&mut tx, &scope, id, "failed", Some(now)).await?;
        let result = serde_json::json!({ "code": "report.gave_up", "detail": why }).to_string();
        let operation = OperationId(report.operation);
        operations::end(&mut tx, operation, false, &result, now).await?;
        let (done, total) = (report.done.unsigned_abs(), report.lines.unsigned_abs());
        let event = Event::ReportProgress { report: id, operation, done, total };
        outbox::publish(&mut tx, &[(Some(report.reporter), event)], now).await?;
    }
    tx.commit().await
}

/// The file as a file again, from its pieces.
async fn restore(app: &App, scope: &Scope, id: ReportId) -> anyhow::Result<tempfile::TempPath> {
    tokio::fs::create_dir_all(&app.spool).await?;
    let (file, path) = tempfile::Builder::new().prefix("ingest-").tempfile_in(&app.spool)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    for number in 0.. {
        let mut tx = app.store.read(scope).await?;
        let Some(piece) = reports::piece(&mut tx, scope, id, number).await? else { break };
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok(path)
}
