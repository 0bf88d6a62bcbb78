//! Events: what the outbox tells live pages (and later agents and webhooks). An event only says where to look.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Reach;
use crate::ids::{
    DeviceId, OperationId, RepairCaseId, ReportId, ReporterId, SupportCaseId, TenantId, TransferId,
};

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
        /// The report that did it; `None` for a transfer or an enrolment.
        report: Option<ReportId>,
    },
    /// PCs came into or left a customer tenant; told to the customer and to its partner.
    #[serde(rename = "customer_devices.changed")]
    CustomerDevicesChanged {
        /// The customer tenant.
        customer: TenantId,
        /// PCs that came.
        arrived: u64,
        /// PCs that left.
        left: u64,
    },
    /// A customer tenant was created, or its partner changed.
    #[serde(rename = "customer.changed")]
    CustomerChanged {
        /// The customer tenant.
        customer: TenantId,
    },
    /// A support case was opened or changed.
    #[serde(rename = "support_case.changed")]
    SupportCaseChanged {
        /// The case.
        case: SupportCaseId,
    },
    /// A PC that asks to join waits, or no longer does.
    #[serde(rename = "enrolments.changed")]
    EnrolmentsChanged {},
    /// Alerts were raised or have closed; told to whoever has the PCs.
    #[serde(rename = "alerts.changed")]
    AlertsChanged {},
    /// A repair case was opened or changed.
    #[serde(rename = "repair_case.changed")]
    RepairCaseChanged {
        /// The case.
        case: RepairCaseId,
    },
    /// There is something new for a PC: its own channel looks, no page is told.
    #[serde(rename = "device.changed")]
    DeviceChanged {
        /// The PC.
        device: DeviceId,
    },
    /// A transfer got on, or ended.
    #[serde(rename = "transfer.progress")]
    TransferProgress {
        /// The transfer.
        transfer: TransferId,
        /// Its operation.
        operation: OperationId,
        /// Rows done.
        done: u64,
        /// Rows in all.
        total: u64,
    },
    /// Lines about a partner were parked, or no longer are.
    #[serde(rename = "reported_lines.changed")]
    ReportedLinesChanged {
        /// The report.
        report: ReportId,
    },
    /// A reporter fell silent by its own rhythm, or was heard of again.
    #[serde(rename = "reporter.rhythm")]
    ReporterRhythm {
        /// The reporter.
        reporter: ReporterId,
        /// Whether it is silent now.
        silent: bool,
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
            Event::CustomerDevicesChanged { .. } => "customer_devices.changed",
            Event::CustomerChanged { .. } => "customer.changed",
            Event::SupportCaseChanged { .. } => "support_case.changed",
            Event::EnrolmentsChanged {} => "enrolments.changed",
            Event::AlertsChanged {} => "alerts.changed",
            Event::RepairCaseChanged { .. } => "repair_case.changed",
            Event::DeviceChanged { .. } => "device.changed",
            Event::TransferProgress { .. } => "transfer.progress",
            Event::ReportedLinesChanged { .. } => "reported_lines.changed",
            Event::ReportProgress { .. } => "report.progress",
            Event::ReporterRhythm { .. } => "reporter.rhythm",
        }
    }
}

/// Whether somebody with this reach is told of an event of this home. The operator follows reports, not pools.
pub fn is_told(reach: Reach, home: Option<Uuid>, event: &Event) -> bool {
    if matches!(event, Event::DeviceChanged { .. }) {
        return false;
    }
    match reach {
        Reach::Desk => home.is_none() && matches!(event, Event::RepairCaseChanged { .. }),
        Reach::Platform => home.is_none() || matches!(event, Event::ReportProgress { .. }),
        Reach::Reporter(reporter) => home == Some(reporter.0),
        Reach::Partner(tenant) | Reach::Customer(tenant) => home == Some(tenant.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_home_is_told_its_own() {
        let (partner, reporter) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let report = ReportId(Uuid::from_u128(3));
        let pool = Event::UnassignedDevicesChanged { arrived: 1, left: 0, report: Some(report) };
        let operation = OperationId(Uuid::from_u128(4));
        let progress = Event::ReportProgress { report, operation, done: 1, total: 2 };
        let readers = [
            Reach::Platform,
            Reach::Reporter(ReporterId(reporter)),
            Reach::Partner(TenantId(partner)),
            Reach::Partner(TenantId(reporter)),
        ];
        let told = |home, event: &Event| readers.map(|reach| is_told(reach, Some(home), event));
        assert_eq!(told(partner, &pool), [false, false, true, false]);
        // The last reader cannot be: identifiers of tenants and reporters never meet.
        assert_eq!(told(reporter, &progress)[..3], [true, true, false]);
    }
}
