//! Events: what the outbox tells live pages (and later agents and webhooks). An event only says where to look.

use serde::{Deserialize, Serialize};

use crate::ids::{OperationId, ReportId};

/// Something that happened in one home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A partner's pool changed; one event a batch and partner.
    #[serde(rename = "unassigned_devices.changed")]
    UnassignedDevicesChanged {
        /// PCs that came.
        arrived: u64,
        /// PCs that left.
        left: u64,
        /// The report that did it.
        report: ReportId,
    },
    /// Lines about a partner were parked, or no longer are.
    #[serde(rename = "reported_lines.changed")]
    ReportedLinesChanged {
        /// The report.
        report: ReportId,
    },
    /// A report got on, or ended.
    #[serde(rename = "report.progress")]
    ReportProgress {
        /// The report.
        report: ReportId,
        /// Its operation.
        operation: OperationId,
        /// Lines judged so far.
        done: u64,
        /// Lines in all.
        total: u64,
    },
}

impl Event {
    /// The stable name, as sent in the stream.
    pub fn name(&self) -> &'static str {
        match self {
            Event::UnassignedDevicesChanged { .. } => "unassigned_devices.changed",
            Event::ReportedLinesChanged { .. } => "reported_lines.changed",
            Event::ReportProgress { .. } => "report.progress",
        }
    }
}
