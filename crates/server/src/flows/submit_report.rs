//! A report is handed in: looked through as a whole, kept durably, and queued to be judged.

use roadstead_domain::access::{self, Denied, Scope};
use roadstead_domain::audit::AuditAction;
use roadstead_domain::clock::Micros;
use roadstead_domain::event::Event;
use roadstead_domain::ids::{OperationId, ReportId, ReporterId};
use roadstead_ingest::{FileError, Format};
use roadstead_store::audit::{self, NewEntry};
use roadstead_store::reports::{self, NewReport, Report};
use roadstead_store::{Error, Tx, jobs, operations, outbox, reporters};

use super::Refused;
use super::own_headers::{self, whose};
use super::withdraw_report::About;
use crate::app::App;
use crate::spool::{self, Spooled};

/// A file with what its sender says of it.
#[derive(Debug)]
pub struct Submission<'a> {
    /// The file.
    pub file: Spooled,
    /// What it is called.
    pub name: &'a str,
    /// What it is said to be.
    pub format: Format,
    /// The reporter's id or number; a distributor needs none.
    pub reporter: Option<&'a str>,
    /// Judge it without changing anything.
    pub validate_only: bool,
    /// The report that it takes back, or the withdrawal that it undoes.
    pub about: About,
}

/// A report that was taken.
#[derive(Clone, Copy, Debug)]
pub struct Submitted {
    /// The report.
    pub report: ReportId,
    /// The operation that judges it.
    pub operation: OperationId,
}

/// The stored name of a format.
pub fn format_code(format: Format) -> &'static str {
    match format {
        Format::Csv => "csv",
        Format::Xlsx => "xlsx",
        Format::X12 => "x12",
        Format::Edifact => "edifact",
    }
}

/// The format of this stored name.
pub fn format_of(code: &str) -> Option<Format> {
    [Format::Csv, Format::Xlsx, Format::X12, Format::Edifact]
        .into_iter()
        .find(|format| format_code(*format) == code)
}

/// Pieces written in one transaction.
const PIECES_AT_ONCE: usize = 8;

/// Takes a report. The same bytes from the same reporter again are the report that is there already.
pub async fn submit(app: &App, scope: &Scope, submission: Submission<'_>) -> Result<Submitted, Refused> {
    match prepare(app, scope, submission).await? {
        Preparation::Again(there) => again(app, scope, &there).await,
        Preparation::New(prepared) => {
            let taken = take(app, scope, &prepared).await;
            if taken.is_err() {
                // What was kept of the file would fill the disk for nobody. What cannot be forgotten now is within a day.
                let _ = forget(app, prepared.submitted.report).await;
            }
            taken
        }
    }
}

/// A report that was looked through as a whole and can be recorded.
#[derive(Debug)]
pub struct Prepared {
    submitted: Submitted,
    reporter: ReporterId,
    name: String,
    format: Format,
    file: Spooled,
    lines: u64,
    validate_only: bool,
    about: About,
    acknowledgement: Option<Vec<u8>>,
    /// The last pieces of the file, of a small one all.
    pieces: Vec<Piece>,
}

/// What becomes of a submission.
#[derive(Debug)]
pub enum Preparation {
    /// The same bytes came before, as this report.
    Again(Box<Report>),
    /// It is new.
    New(Box<Prepared>),
}

/// Looks a report through as a whole. Nothing is recorded yet.
pub(super) async fn prepare(
    app: &App,
    scope: &Scope,
    submission: Submission<'_>,
) -> Result<Preparation, Refused> {
    let Submission { file, name, format, reporter, validate_only, about } = submission;
    let mut tx = app.store.read(scope).await?;
    let reporter = whose(&mut tx, scope, reporter).await?;
    let reporter_id = ReporterId(reporter.id);
    let mut limits = app.config.file.clone();
    limits.own_headers = own_headers::of_reporter(&mut tx, scope, reporter_id).await?;
    if !validate_only
        && let Some(there) = reports::same_bytes(&mut tx, scope, reporter_id, file.sha256).await?
    {
        tx.commit().await?;
        return Ok(Preparation::Again(Box::new(there)));
    }
    tx.commit().await?;

    let (path, config) = (file.path().to_owned(), app.config.clone());
    let layout = tokio::task::spawn_blocking(move || {
        roadstead_ingest::inspect(format, &path, &limits, &config.edi_maps)
    })
    .await
    .map_err(|error| Refused::Internal(error.into()))?
    .map_err(|error| refused(error, app.ambient.now()))?;

    let submitted = Submitted { report: app.ambient.id(), operation: app.ambient.id() };
    let pieces = match keep(app, scope, submitted.report, &file).await {
        Ok(pieces) => pieces,
        Err(error) => {
            let _ = forget(app, submitted.report).await;
            return Err(error);
        }
    };
    Ok(Preparation::New(Box::new(Prepared {
        submitted,
        reporter: reporter_id,
        name: name.to_owned(),
        format,
        file,
        lines: layout.lines,
        validate_only,
        about,
        acknowledgement: layout.acknowledgement.map(|answer| answer.render(app.ambient.now())),
        pieces,
    })))
}

impl Prepared {
    /// The report of the same bytes that came in since this one was looked through. What was kept of this one's file is
    /// forgotten then, in the caller's transaction of the platform.
    pub(super) async fn came_meanwhile(
        &self,
        tx: &mut Tx,
        scope: &Scope,
    ) -> Result<Option<ReportId>, Refused> {
        let there = reports::same_bytes(tx, scope, self.reporter, self.file.sha256).await?;
        if there.is_some() {
            reports::forget_pieces(tx, scope, self.submitted.report).await?;
        }
        Ok(there.map(|there| ReportId(there.id)))
    }

    /// Records the report with its answer to the sender, and queues it, in the caller's transaction.
    pub(super) async fn record(&self, app: &App, tx: &mut Tx, scope: &Scope) -> Result<Submitted, Refused> {
        let (submitted, now, home) = (self.submitted, app.ambient.now(), Some(self.reporter.0));
        let report = NewReport {
            id: submitted.report,
            reporter: self.reporter,
            operation: submitted.operation,
            file_name: &self.name,
            format: format_code(self.format),
            sha256: self.file.sha256,
            bytes: self.file.bytes,
            lines: self.lines,
            validate_only: self.validate_only,
            withdraws: self.about.withdraws,
            undoes: self.about.undoes,
        };
        reports::create(tx, scope, &report, now).await?;
        if let Some(bytes) = self.acknowledgement.as_ref().filter(|bytes| !bytes.is_empty()) {
            reports::keep_acknowledgement(tx, scope, submitted.report, bytes.clone()).await?;
        }
        operations::create(tx, submitted.operation, "ingest_report", home, report.lines, now).await?;
        for (number, piece) in &self.pieces {
            reports::keep_piece(tx, scope, submitted.report, *number, piece.clone()).await?;
        }
        // A preview changes nothing, so it waits for nobody and nobody for it.
        let lane = if report.validate_only { submitted.report.0 } else { report.reporter.0 };
        let kind = jobs::Kind::IngestReport;
        jobs::enqueue(tx, kind, submitted.report.0, lane, now, &app.ambient).await?;
        let entry = NewEntry {
            home,
            action: AuditAction::ReportReceived,
            subject: Some(submitted.report.0),
            detail: serde_json::json!({
                "file": report.file_name, "lines": report.lines, "validate_only": report.validate_only,
            }),
        };
        audit::record(tx, scope.actor(), &[entry], &app.ambient).await?;
        let event = Event::ReportProgress {
            report: submitted.report,
            operation: submitted.operation,
            done: 0,
            total: report.lines,
        };
        outbox::publish(tx, &[(home, event)], now).await?;
        Ok(submitted)
    }
}

async fn forget(app: &App, report: ReportId) -> roadstead_store::Result<()> {
    let system = roadstead_domain::access::system();
    let mut tx = app.store.write(&system).await?;
    reports::forget_pieces(&mut tx, &system, report).await?;
    tx.commit().await
}

/// Records a report in a transaction of its own.
async fn take(app: &App, scope: &Scope, prepared: &Prepared) -> Result<Submitted, Refused> {
    let mut tx = app.store.write(scope).await?;
    match prepared.record(app, &mut tx, scope).await {
        Ok(submitted) => {
            tx.commit().await?;
            app.wake();
            Ok(submitted)
        }
        Err(Refused::Store(error)) => {
            drop(tx);
            same_bytes_meanwhile(app, scope, prepared, error).await
        }
        Err(refused) => Err(refused),
    }
}

/// Hands in for good what a preview has judged, without sending it again. The same bytes as an earlier report of its
/// reporter are that report.
pub async fn submit_preview(app: &App, scope: &Scope, id: ReportId) -> Result<Submitted, Refused> {
    let mut tx = app.store.read(scope).await?;
    let preview = reports::get(&mut tx, scope, id).await?.ok_or(Denied::NotFound)?;
    tx.commit().await?;
    if !preview.validate_only || preview.state != "succeeded" {
        return Err(Refused::invalid("report.no_preview", "report"));
    }
    let submitted = Submitted { report: app.ambient.id(), operation: app.ambient.id() };
    let (now, home) = (app.ambient.now(), Some(preview.reporter));
    let system = access::system();
    let mut tx = app.store.write(&system).await?;
    let sha256 = reports::digest(&mut tx, &system, id).await?.ok_or(Denied::NotFound)?;
    if let Some(there) = reports::same_bytes(&mut tx, &system, ReporterId(preview.reporter), sha256).await? {
        drop(tx);
        return again(app, scope, &there).await;
    }
    if reports::copy_pieces(&mut tx, &system, id, submitted.report).await? == 0 {
        return Err(Refused::invalid("report.no_preview", "report"));
    }
    let lines = preview.lines.unsigned_abs();
    let report = NewReport {
        id: submitted.report,
        reporter: ReporterId(preview.reporter),
        operation: submitted.operation,
        file_name: &preview.file_name,
        format: &preview.format,
        sha256,
        bytes: preview.bytes.unsigned_abs(),
        lines,
        validate_only: false,
        withdraws: preview.withdraws.map(ReportId),
        undoes: preview.undoes.map(ReportId),
    };
    reports::create(&mut tx, &system, &report, now).await?;
    reports::copy_acknowledgement(&mut tx, &system, id, submitted.report).await?;
    operations::create(&mut tx, submitted.operation, "ingest_report", home, lines, now).await?;
    let kind = jobs::Kind::IngestReport;
    jobs::enqueue(&mut tx, kind, submitted.report.0, preview.reporter, now, &app.ambient).await?;
    let entry = NewEntry {
        home,
        action: AuditAction::ReportReceived,
        subject: Some(submitted.report.0),
        detail: serde_json::json!({ "file": preview.file_name, "lines": lines, "preview": id }),
    };
    audit::record(&mut tx, scope.actor(), &[entry], &app.ambient).await?;
    let event = Event::ReportProgress {
        report: submitted.report,
        operation: submitted.operation,
        done: 0,
        total: lines,
    };
    outbox::publish(&mut tx, &[(home, event)], now).await?;
    tx.commit().await?;
    app.wake();
    Ok(submitted)
}

/// Writes into the logs of the operator and of the reporter that a file was refused which nobody waited for.
pub async fn note_refusal(
    app: &App,
    scope: &Scope,
    reporter: &str,
    name: &str,
    code: &str,
) -> Result<(), Refused> {
    let mut tx = app.store.write(scope).await?;
    let found = reporters::find(&mut tx, scope, reporter).await?;
    let entry = |home| NewEntry {
        home,
        action: AuditAction::ReportRefused,
        subject: found.as_ref().map(|reporter| reporter.id),
        detail: serde_json::json!({ "reporter": reporter, "file": name, "code": code }),
    };
    let own = found.as_ref().map(|reporter| entry(Some(reporter.id)));
    let entries: Vec<NewEntry> = std::iter::once(entry(None)).chain(own).collect();
    audit::record(&mut tx, scope.actor(), &entries, &app.ambient).await?;
    tx.commit().await?;
    Ok(())
}

/// Also a file that is refused is answered, if it says to whom.
fn refused(error: FileError, at: Micros) -> Refused {
    let acknowledgement = error.acknowledgement.as_ref().map(|answer| answer.render(at));
    let acknowledgement = acknowledgement.filter(|bytes| !bytes.is_empty());
    Refused::File { error: Box::new(error), acknowledgement }
}

/// The same bytes came before. A report that was given up is tried again; its pieces are still there.
async fn again(app: &App, scope: &Scope, there: &Report) -> Result<Submitted, Refused> {
    let submitted = Submitted { report: ReportId(there.id), operation: OperationId(there.operation) };
    if there.state == "failed" {
        let now = app.ambient.now();
        let mut tx = app.store.write(scope).await?;
        reports::retry(&mut tx, scope, submitted.report).await?;
        operations::retry(&mut tx, submitted.operation, now).await?;
        let kind = jobs::Kind::IngestReport;
        jobs::enqueue(&mut tx, kind, submitted.report.0, there.reporter, now, &app.ambient).await?;
        tx.commit().await?;
        app.wake();
    }
    Ok(submitted)
}

/// Two uploads of the same bytes at once: the second one is the first.
async fn same_bytes_meanwhile(
    app: &App,
    scope: &Scope,
    prepared: &Prepared,
    error: Error,
) -> Result<Submitted, Refused> {
    let system = roadstead_domain::access::system();
    let mut tx = app.store.write(&system).await?;
    reports::forget_pieces(&mut tx, &system, prepared.submitted.report).await?;
    let there = reports::same_bytes(&mut tx, scope, prepared.reporter, prepared.file.sha256).await?;
    tx.commit().await?;
    match (error, there) {
        (Error::Conflict(_), Some(there)) => {
            Ok(Submitted { report: ReportId(there.id), operation: OperationId(there.operation) })
        }
        (error, _) => Err(error.into()),
    }
}

/// A piece of a file with its number.
type Piece = (i64, Vec<u8>);

/// Keeps the file in the database, where every node finds it, some pieces at a time so that others may write too. The
/// last pieces, of a small file all, are handed back: they go in with the report itself.
async fn keep(app: &App, scope: &Scope, report: ReportId, file: &Spooled) -> Result<Vec<Piece>, Refused> {
    let internal = |error: std::io::Error| Refused::Internal(error.into());
    let mut source = tokio::fs::File::open(file.path()).await.map_err(internal)?;
    let mut pieces: Vec<Piece> = Vec::new();
    for number in 0.. {
        let piece = spool::next_piece(&mut source).await.map_err(internal)?;
        if piece.is_empty() {
            break;
        }
        if pieces.len() == PIECES_AT_ONCE {
            let mut tx = app.store.write(scope).await?;
            for (number, piece) in pieces.drain(..) {
                reports::keep_piece(&mut tx, scope, report, number, piece).await?;
            }
            tx.commit().await?;
        }
        pieces.push((number, piece));
    }
    Ok(pieces)
}
