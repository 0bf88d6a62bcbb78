//! Identifiers: UUIDv7, one type per noun, so that a partner's id is never taken for a device's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )+};
}

ids! {
    /// An account: operator, partner, holding or customer.
    TenantId,
    /// A person that signs in.
    UserId,
    /// A signed-in browser.
    SessionId,
    /// A bearer token of the API.
    TokenId,
    /// A distributor or reseller that reports sales.
    ReporterId,
    /// A sell-through report as handed in.
    ReportId,
    /// Long work with progress and a result.
    OperationId,
    /// A PC.
    DeviceId,
    /// A unit of background work.
    JobId,
    /// A line of the audit log.
    AuditId,
    /// A mail on its way out.
    MailId,
    /// That somebody may become a user.
    InvitationId,
    /// One (partner, support level, role) certification.
    QualificationId,
    /// A change of place of many PCs, as one operation.
    TransferId,
    /// A request to the operator's platform team.
    SupportCaseId,
    /// A key that asked to join.
    EnrolmentId,
    /// A cPIN.
    CpinId,
    /// A condition of a PC.
    AlertId,
    /// What a PC shows its user of an alert.
    PopUpId,
    /// A request to repair one PC.
    RepairCaseId,
    /// A repair system outside of the platform that a desk forwards its cases to.
    OutsideDeskId,
}
