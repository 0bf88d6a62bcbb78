//! Reports of the operator's own: what it approves or decides comes in by the same way as any sale, with what it decided on
//! as the document.

use roadstead_domain::access::Scope;
use roadstead_domain::ids::ReportId;
use roadstead_ingest::Format;
use roadstead_store::{Tx, reporters};

use super::Refused;
use super::submit_report::{self, Preparation, Submission};
use super::withdraw_report::About;
use crate::app::App;
use crate::spool;

/// The reporter in whose name they are handed in.
pub(super) const OPERATOR: &str = "OPERATOR";

/// A line of today.
#[derive(Clone, Copy, Debug)]
pub struct OwnLine<'a> {
    /// `sale` or `return`.
    pub transaction: &'a str,
    /// The seller's number.
    pub seller: &'a str,
    /// The product number.
    pub product: &'a str,
    /// The serial.
    pub serial: &'a str,
    /// The manufacturer; empty for the platform's own.
    pub manufacturer: &'a str,
    /// The number of what was decided on.
    pub invoice: &'a str,
}

/// A report of these lines, to be recorded with [`record`] in the transaction of what was decided. The same lines of the
/// same day are the same report.
pub(super) async fn prepare(
    app: &App,
    scope: &Scope,
    name: &str,
    lines: &[OwnLine<'_>],
) -> Result<Preparation, Refused> {
    let mut tx = app.store.read(scope).await?;
    let known = reporters::find(&mut tx, scope, OPERATOR).await?;
    drop(tx);
    if known.is_none() {
        match super::reporters::create(app, scope, OPERATOR, "Programme team", "distributor").await {
            Ok(_) | Err(Refused::Taken { .. }) => {}
            Err(refused) => return Err(refused),
        }
    }
    let day = app.ambient.now().date().to_string();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = [
        "Transaction",
        "Transaction Date",
        "Reseller ID",
        "Product Number",
        "Serial Number",
        "Quantity",
        "Invoice Number",
        "Manufacturer",
    ];
    let broken = |error: csv::Error| Refused::Internal(error.into());
    writer.write_record(head).map_err(broken)?;
    for line in lines {
        let quantity = if line.transaction == "return" { "-1" } else { "1" };
        writer
            .write_record([
                line.transaction,
                &day,
                line.seller,
                line.product,
                line.serial,
                quantity,
                line.invoice,
                line.manufacturer,
            ])
            .map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| Refused::Internal(anyhow::anyhow!("{error}")))?;
    let spooled = format!("own-{}", app.ambient.id::<uuid::Uuid>());
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes)]);
    let file = spool::receive(&app.spool, &spooled, pieces, app.config.upload_bytes)
        .await
        .map_err(|error| Refused::Internal(anyhow::anyhow!("{error:?}")))?;
    let submission = Submission {
        file,
        name,
        format: Format::Csv,
        reporter: Some(OPERATOR),
        validate_only: false,
        about: About::default(),
    };
    submit_report::prepare(app, scope, submission).await
}

/// What became of a report that was prepared.
#[derive(Debug)]
pub(super) enum Recorded {
    /// It is in.
    New(ReportId),
    /// The same lines of the same day are in already, as this report.
    Again(ReportId),
}

/// Records a report that was prepared, in the caller's transaction, which holds what is decided on.
pub(super) async fn record(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    preparation: &Preparation,
) -> Result<Recorded, Refused> {
    match preparation {
        Preparation::Again(there) => Ok(Recorded::Again(ReportId(there.id))),
        Preparation::New(prepared) => match prepared.came_meanwhile(tx, scope).await? {
            Some(report) => Ok(Recorded::Again(report)),
            None => Ok(Recorded::New(prepared.record(app, tx, scope).await?.report)),
        },
    }
}

impl Recorded {
    /// The report, whichever way it came in.
    pub(super) fn report(&self) -> ReportId {
        match self {
            Recorded::New(report) | Recorded::Again(report) => *report,
        }
    }
}
