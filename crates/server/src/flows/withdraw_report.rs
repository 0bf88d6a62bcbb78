//! A report that was handed in by mistake is taken back: voids of what it still holds are handed in as a report of
//! the same reporter, so that preview, progress, disputes (a PC that is with a customer by now) and history are those
//! of any report. Undoing that hands the sales in again.

use futures_util::stream;
use roadstead_domain::access::{self, Denied, Scope};
use roadstead_domain::ids::ReportId;
use roadstead_domain::sale::Field;
use roadstead_ingest::{Format, usual_header};
use roadstead_store::lines::{self, Withdrawable};
use roadstead_store::reports;
use uuid::Uuid;

use super::Refused;
use super::submit_report::{Submission, Submitted, submit};
use crate::app::App;
use crate::spool::{self, SpoolError};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Take back what the report still holds.
    Withdraw,
    /// Hand in again what a withdrawal took back.
    Undo,
}

/// What a report is made for, besides for itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct About {
    /// The report that it takes back.
    pub withdraws: Option<ReportId>,
    /// The withdrawal that it undoes.
    pub undoes: Option<ReportId>,
}

/// Lines read in one question.
const CHUNK: i64 = 2_000;

/// Takes a report back, or a withdrawal. With `validate_only` nothing changes: the preview is the answer's report.
pub async fn run(
    app: &App,
    scope: &Scope,
    id: ReportId,
    way: Way,
    validate_only: bool,
) -> Result<Submitted, Refused> {
    let mut tx = app.store.read(scope).await?;
    let report = reports::get(&mut tx, scope, id).await?.ok_or(Denied::NotFound)?;
    tx.commit().await?;
    let fits = match way {
        Way::Withdraw => report.withdraws.is_none(),
        Way::Undo => report.withdraws.is_some(),
    };
    if report.validate_only || report.finished_at.is_none() || !fits {
        return Err(Refused::invalid("report.not_withdrawable", "report"));
    }
    // The instant makes each withdrawal a file of its own.
    let reference = format!("{id} {}", app.ambient.now().rfc3339());
    let head: Vec<&str> = FIELDS.iter().map(|field| usual_header(*field)).collect();
    let pieces = stream::unfold(Some((0, row(&head))), |at| async {
        let (after, mut text) = at?;
        match some(app, id, way, after).await {
            Err(error) => Some((Err(error.to_string()), None)),
            Ok(lines) => {
                let next = lines.last().map(|last| last.line);
                for line in &lines {
                    text.extend(row(&record(line, way, &reference)));
                }
                Some((Ok(text), next.map(|after| (after, Vec::new()))))
            }
        }
    });
    let name = format!("upload-{}", app.ambient.id::<Uuid>());
    let file = spool::receive(&app.spool, &name, Box::pin(pieces), app.config.upload_bytes).await;
    let file = file.map_err(|error| match error {
        SpoolError::TooLarge(_) => Refused::invalid("upload.too_large", "report"),
        other => Refused::Internal(other.into()),
    })?;
    if file.bytes == row(&head).len() as u64 {
        return Err(Refused::invalid("report.nothing_to_withdraw", "report"));
    }
    let (sign, about) = match way {
        Way::Withdraw => ("−", About { withdraws: Some(id), undoes: None }),
        Way::Undo => ("+", About { withdraws: None, undoes: Some(id) }),
    };
    let name = format!("{sign} {}", report.file_name.trim_start_matches(['−', ' ']));
    let reporter = report.reporter.to_string();
    let submission = Submission {
        file,
        name: &name,
        format: Format::Csv,
        reporter: Some(&reporter),
        validate_only,
        about,
    };
    submit(app, scope, submission).await
}

/// Lines to be told. Whether a PC is still there is no business of the reporter's: the platform looks, and the file
/// says nothing that the reporter has not told itself.
async fn some(app: &App, id: ReportId, way: Way, after: i64) -> roadstead_store::Result<Vec<Withdrawable>> {
    let system = access::system();
    let mut tx = app.store.read(&system).await?;
    let lines = match way {
        Way::Withdraw => lines::held_by(&mut tx, &system, id, after, CHUNK).await?,
        Way::Undo => lines::taken_back_by(&mut tx, &system, id, after, CHUNK).await?,
    };
    tx.commit().await?;
    Ok(lines)
}

fn row(cells: &[&str]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

const FIELDS: [Field; 15] = [
    Field::Transaction,
    Field::TransactionDate,
    Field::ShipDate,
    Field::Seller,
    Field::Buyer,
    Field::BuyerName,
    Field::Country,
    Field::Product,
    Field::Model,
    Field::Level,
    Field::Serial,
    Field::Quantity,
    Field::Invoice,
    Field::PurchaseOrder,
    Field::Manufacturer,
];

fn record<'a>(line: &'a Withdrawable, way: Way, reference: &'a str) -> [&'a str; 15] {
    [
        if way == Way::Withdraw { "void" } else { "sale" },
        &line.sold_on,
        line.shipped_on.as_deref().unwrap_or(""),
        &line.seller,
        &line.buyer,
        &line.buyer_name,
        &line.country,
        &line.product_number,
        &line.model,
        // Taking back must not fail by a name that is no longer known.
        if way == Way::Withdraw { "" } else { &line.level },
        &line.serial,
        "1",
        &line.invoice,
        reference,
        &line.manufacturer,
    ]
}
