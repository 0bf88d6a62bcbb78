//! Placement: where a PC is now, and the moves that are written by one writer, by compare-and-swap (R1).

use crate::ids::{DeviceId, TenantId};

/// One PC's change of place, as decided against the generation that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which PC.
    pub device: DeviceId,
    /// Its serial, for the log and for the order of lists.
    pub serial: String,
    /// The generation that was read; 0 for a PC that has no placement yet.
    pub generation: i64,
    /// Where it was.
    pub from: Option<Place>,
    /// Where it goes; nowhere when it was returned.
    pub to: Option<Place>,
}

/// A tenant that can hold PCs, with the partner in whose log its moves stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The holding or customer tenant.
    pub tenant: TenantId,
    /// Its partner.
    pub partner: TenantId,
}
