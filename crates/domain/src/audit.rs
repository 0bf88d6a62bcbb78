//! The audit log's actions, and the hash chain over placements.

use sha2::{Digest, Sha256};

use crate::ids::{DeviceId, TenantId};

/// What the log says was done. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    /// A partner was added.
    PartnerCreated,
    /// A qualification was recorded or changed.
    QualificationRecorded,
    /// A holding tenant came into being.
    HoldingTenantCreated,
    /// A reporter was added.
    ReporterCreated,
    /// A report was handed in.
    ReportReceived,
    /// A batch of a report moved PCs into or out of a pool.
    PoolChanged,
    /// Somebody signed in.
    SignedIn,
    /// Somebody signed out.
    SignedOut,
    /// A sign-in failed.
    SignInFailed,
    /// A token was made.
    TokenCreated,
    /// A token was revoked.
    TokenRevoked,
    /// A user was added.
    UserCreated,
    /// A customer tenant was created.
    CustomerCreated,
    /// The standing between a customer and a partner changed.
    AssignedPartnerChanged,
    /// What a customer's partner may see was changed.
    PartnerAccessChanged,
    /// A transfer was carried out.
    TransferCommitted,
    /// A transfer was undone.
    TransferUndone,
    /// A customer sent PCs back to where they came from.
    ArrivalDeclined,
}

impl AuditAction {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            AuditAction::PartnerCreated => "partner.created",
            AuditAction::QualificationRecorded => "qualification.recorded",
            AuditAction::HoldingTenantCreated => "holding_tenant.created",
            AuditAction::ReporterCreated => "reporter.created",
            AuditAction::ReportReceived => "report.received",
            AuditAction::PoolChanged => "pool.changed",
            AuditAction::SignedIn => "session.signed_in",
            AuditAction::SignedOut => "session.signed_out",
            AuditAction::SignInFailed => "session.sign_in_failed",
            AuditAction::TokenCreated => "token.created",
            AuditAction::TokenRevoked => "token.revoked",
            AuditAction::UserCreated => "user.created",
            AuditAction::CustomerCreated => "customer.created",
            AuditAction::AssignedPartnerChanged => "assigned_partner.changed",
            AuditAction::PartnerAccessChanged => "partner_access.changed",
            AuditAction::TransferCommitted => "transfer.committed",
            AuditAction::TransferUndone => "transfer.undone",
            AuditAction::ArrivalDeclined => "arrival.declined",
        }
    }
}

/// The hash of a partner's first placement entry's predecessor.
pub const CHAIN_START: [u8; 32] = [0; 32];

/// What the chain over a partner's placements protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEntry<'a> {
    /// Whose chain.
    pub partner: TenantId,
    /// 1 for the first entry, without gaps.
    pub seq: i64,
    /// Which PC.
    pub device: DeviceId,
    /// Its serial.
    pub serial: &'a str,
    /// Where it came from, if from anywhere in this partner's reach.
    pub from: Option<TenantId>,
    /// Where it went, if anywhere in this partner's reach.
    pub to: Option<TenantId>,
    /// Its generation after the move.
    pub generation: i64,
    /// When, in microseconds.
    pub at: i64,
}

impl ChainEntry<'_> {
    /// SHA-256 over the hash before and every field, each with its length, so that no two entries read alike.
    pub fn hash(&self, before: &[u8; 32]) -> [u8; 32] {
        let mut sha = Sha256::new();
        sha.update(before);
        let optional = |id: Option<TenantId>| id.map_or([0; 16], |id| *id.0.as_bytes());
        sha.update(self.partner.0.as_bytes());
        sha.update(self.seq.to_be_bytes());
        sha.update(self.device.0.as_bytes());
        sha.update((self.serial.len() as u64).to_be_bytes());
        sha.update(self.serial.as_bytes());
        sha.update(optional(self.from));
        sha.update(optional(self.to));
        sha.update(self.generation.to_be_bytes());
        sha.update(self.at.to_be_bytes());
        sha.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_field_changes_the_hash() {
        let entry = ChainEntry {
            partner: TenantId(Uuid::from_u128(1)),
            seq: 1,
            device: DeviceId(Uuid::from_u128(2)),
            serial: "5CG1234ABC",
            from: None,
            to: Some(TenantId(Uuid::from_u128(3))),
            generation: 1,
            at: 5,
        };
        let other = TenantId(Uuid::from_u128(9));
        let mut hashes = vec![
            entry.hash(&CHAIN_START),
            entry.hash(&[1; 32]),
            ChainEntry { partner: other, ..entry.clone() }.hash(&CHAIN_START),
            ChainEntry { seq: 2, ..entry.clone() }.hash(&CHAIN_START),
            ChainEntry { device: DeviceId(Uuid::from_u128(9)), ..entry.clone() }.hash(&CHAIN_START),
            ChainEntry { serial: "5CG1234ABD", ..entry.clone() }.hash(&CHAIN_START),
            ChainEntry { from: Some(other), ..entry.clone() }.hash(&CHAIN_START),
            ChainEntry { to: None, ..entry.clone() }.hash(&CHAIN_START),
            ChainEntry { generation: 2, ..entry.clone() }.hash(&CHAIN_START),
            ChainEntry { at: 6, ..entry }.hash(&CHAIN_START),
        ];
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 10);
    }
}
