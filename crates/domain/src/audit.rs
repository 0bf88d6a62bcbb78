//! The audit log's actions, and the hash chain over placements.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ids::{DeviceId, ReportId, TenantId};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident => $code:literal),+ $(,)?) => {
        /// What the log says was done. The codes are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum AuditAction {
            $($(#[$doc])* $name,)+
        }

        impl AuditAction {
            /// Every action, for whoever filters a log.
            pub const ALL: &[AuditAction] = &[$(AuditAction::$name),+];

            /// The stable code.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(AuditAction::$name => $code,)+
                }
            }
        }
    };
}

actions! {
    /// A partner was added.
    PartnerCreated => "partner.created",
    /// A qualification was recorded or changed.
    QualificationRecorded => "qualification.recorded",
    /// A holding tenant came into being.
    HoldingTenantCreated => "holding_tenant.created",
    /// A reporter was added.
    ReporterCreated => "reporter.created",
    /// A reporter is late by its own rhythm.
    ReporterSilent => "reporter.silent",
    /// A report was handed in.
    ReportReceived => "report.received",
    /// A file that came by a folder was refused as a whole.
    ReportRefused => "report.refused",
    /// A batch of a report moved PCs into or out of a pool.
    PoolChanged => "pool.changed",
    /// A reporter's columns were named.
    ColumnsNamed => "columns.named",
    /// The operator said what a service SKU stands for.
    ServiceTermChanged => "service_term.changed",
    /// The operator corrected a PC's entitlement.
    EntitlementCorrected => "entitlement.corrected",
    /// The operator looked at a partner's PC.
    DeviceLookedAt => "device.looked_at",
    /// Somebody signed in.
    SignedIn => "session.signed_in",
    /// Somebody signed out.
    SignedOut => "session.signed_out",
    /// A sign-in failed.
    SignInFailed => "session.sign_in_failed",
    /// A token was made.
    TokenCreated => "token.created",
    /// A token was revoked.
    TokenRevoked => "token.revoked",
    /// A user was added.
    UserCreated => "user.created",
    /// A customer tenant was created.
    CustomerCreated => "customer.created",
    /// A customer tenant was disabled by its partner.
    CustomerDisabled => "customer.disabled",
    /// A disabled customer tenant was enabled again.
    CustomerEnabled => "customer.enabled",
    /// A customer's primary IT admin was invited again.
    CustomerInvitedAgain => "customer.invited_again",
    /// The standing between a customer and a partner changed.
    AssignedPartnerChanged => "assigned_partner.changed",
    /// What a customer's partner may see was changed.
    PartnerAccessChanged => "partner_access.changed",
    /// A self-service switch was turned.
    SelfServiceTurned => "self_service.turned",
    /// A support case was opened.
    SupportCaseOpened => "support_case.opened",
    /// A support case was written in, decided or closed.
    SupportCaseChanged => "support_case.changed",
    /// A dispute was decided.
    DisputeDecided => "dispute.decided",
    /// A decision over a dispute was undone.
    DisputeReopened => "dispute.reopened",
    /// A transfer was carried out.
    TransferCommitted => "transfer.committed",
    /// A transfer was undone.
    TransferUndone => "transfer.undone",
    /// A customer sent PCs back to where they came from.
    ArrivalDeclined => "arrival.declined",
    /// Somebody was invited.
    UserInvited => "user.invited",
    /// An invitation was taken back.
    InvitationWithdrawn => "invitation.withdrawn",
    /// A user got another role, or may no longer or again sign in.
    UserChanged => "user.changed",
    /// A link for a new password was asked for.
    PasswordResetRequested => "password.reset_requested",
    /// A user set a new password.
    PasswordChanged => "password.changed",
    /// A user changed their profile.
    ProfileChanged => "profile.changed",
    /// A customer said that PCs are in its hands.
    ArrivalConfirmed => "arrival.confirmed",
    /// A PC enrolled by its own key.
    DeviceEnrolled => "device.enrolled",
    /// An enrolment waits for somebody.
    EnrolmentWaiting => "enrolment.waiting",
    /// An enrolment was refused by somebody.
    EnrolmentRefused => "enrolment.refused",
    /// A cPIN was made.
    CpinCreated => "cpin.created",
    /// A cPIN was sent to the customer by mail.
    CpinSent => "cpin.sent",
    /// A cPIN was taken back.
    CpinRevoked => "cpin.revoked",
    /// A customer's domains were changed.
    EnrolmentDomainsChanged => "enrolment_domains.changed",
    /// A zero-touch list was changed.
    ZeroTouchListed => "zero_touch.changed",
    /// A repair case was opened.
    RepairCaseOpened => "repair_case.opened",
    /// A repair case got on.
    RepairCaseChanged => "repair_case.changed",
    /// Where a customer's repair cases go was changed.
    RepairRouteSet => "repair_route.set",
    /// To which outside desk cases are forwarded was changed.
    OutsideDeskSet => "outside_desk.set",
    /// When a repair desk works was changed.
    DeskHoursSet => "desk_hours.set",
    /// A recall list was changed.
    RecallListChanged => "recall_list.changed",
    /// What agents may tell of persons was changed.
    PrivacyChanged => "privacy.changed",
    /// Background work that was given up is tried again.
    JobRetried => "job.retried",
}

/// The hash of a partner's first placement entry's predecessor.
pub const CHAIN_START: [u8; 32] = [0; 32];

/// How entries are hashed that say what caused them; those of version 1 do not.
const WITH_GROUNDS: i64 = 2;

/// What caused a move: a report line, or something that somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds<'a> {
    /// The report.
    pub report: Option<ReportId>,
    /// The line's number.
    pub line: Option<i64>,
    /// `transfer`, `undo`, `decline` or `enrolment`.
    pub cause: Option<&'a str>,
    /// The id of the transfer or enrolment.
    pub cause_id: Option<Uuid>,
}

impl Grounds<'_> {
    /// What an entry is hashed with. A proof carries it in place of the grounds, which may be another home's business.
    pub fn digest(&self) -> [u8; 32] {
        let mut sha = Sha256::new();
        let there =
            [self.report.is_some(), self.line.is_some(), self.cause.is_some(), self.cause_id.is_some()];
        sha.update(there.map(u8::from));
        if let Some(report) = self.report {
            sha.update(report.0.as_bytes());
        }
        if let Some(line) = self.line {
            sha.update(line.to_be_bytes());
        }
        if let Some(cause) = self.cause {
            sha.update((cause.len() as u64).to_be_bytes());
            sha.update(cause.as_bytes());
        }
        if let Some(id) = self.cause_id {
            sha.update(id.as_bytes());
        }
        sha.finalize().into()
    }

    /// What entries of this version are hashed with; `Err` for a version that is not known.
    pub fn hashed_with(&self, version: i64) -> Result<Option<[u8; 32]>, i64> {
        match version {
            1 => Ok(None),
            WITH_GROUNDS => Ok(Some(self.digest())),
            other => Err(other),
        }
    }
}

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
    /// The digest of its [`Grounds`]; none in entries of version 1, which nodes write that do not know of it.
    pub grounds: Option<[u8; 32]>,
}

impl ChainEntry<'_> {
    /// By which version of the chain it is hashed.
    pub fn version(&self) -> i64 {
        if self.grounds.is_some() { WITH_GROUNDS } else { 1 }
    }

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
        // Version 1 ends here: what follows makes the other one longer for the same serial.
        if let Some(grounds) = &self.grounds {
            // No tenant and the nil one are not the same.
            sha.update([self.from.is_some(), self.to.is_some()].map(u8::from));
            sha.update(grounds);
        }
        sha.finalize().into()
    }
}

/// An entry of a log, as far as it says where its PC stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whose log.
    pub partner: TenantId,
    /// Its number in the log.
    pub seq: i64,
    /// The PC's serial.
    pub serial: String,
    /// Where it went, if anywhere in this partner's reach.
    pub to: Option<TenantId>,
    /// The PC's generation after the move.
    pub generation: i64,
    /// When, in microseconds.
    pub at: i64,
    /// The report that caused it, if one did.
    pub report: Option<ReportId>,
    /// The line's number.
    pub line: Option<i64>,
}

/// Where a PC stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its serial.
    pub serial: String,
    /// The tenant that has it; none after a return.
    pub tenant: Option<TenantId>,
    /// Counted up with each move.
    pub generation: i64,
    /// Since when it is there, in microseconds.
    pub since: i64,
    /// The report that moved it last; what moves it without one leaves this as it is.
    pub report: Option<ReportId>,
    /// The line's number.
    pub line: Option<i64>,
}

/// Where a PC has to stand by all its entries in all logs, which come by generation; and the newest of them, by the log
/// and the number. `None` if there is no entry.
pub fn stands(entries: &[Told]) -> Option<(Standing, (TenantId, i64))> {
    let last = entries.last()?;
    // A move between two partners stands in both logs, in each with its own half.
    let generation = last.generation;
    let mut halves = entries.iter().rev().take_while(|entry| entry.generation == generation);
    let newest = halves.find(|entry| entry.to.is_some()).unwrap_or(last);
    let reported = entries.iter().rev().find(|entry| entry.report.is_some());
    let standing = Standing {
        serial: newest.serial.clone(),
        tenant: newest.to,
        generation,
        since: newest.at,
        report: reported.and_then(|entry| entry.report),
        line: reported.and_then(|entry| entry.line),
    };
    Some((standing, (newest.partner, newest.seq)))
}

/// A row of a proof: an entry with the hash before it and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRow {
    /// Whose chain.
    pub partner: TenantId,
    /// Its number in the chain.
    pub seq: i64,
    /// Which PC.
    pub device: DeviceId,
    /// Its serial.
    pub serial: String,
    /// Where it came from.
    pub from: Option<TenantId>,
    /// Where it went.
    pub to: Option<TenantId>,
    /// Its generation after the move.
    pub generation: i64,
    /// When, in microseconds.
    pub at: i64,
    /// The digest of what caused it; none in entries of version 1.
    pub grounds: Option<[u8; 32]>,
    /// The hash of the entry before.
    pub before: [u8; 32],
    /// The hash of this entry.
    pub hash: [u8; 32],
}

impl ProofRow {
    /// What its hash covers.
    pub fn entry(&self) -> ChainEntry<'_> {
        ChainEntry {
            partner: self.partner,
            seq: self.seq,
            device: self.device,
            serial: &self.serial,
            from: self.from,
            to: self.to,
            generation: self.generation,
            at: self.at,
            grounds: self.grounds,
        }
    }
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// How many entries it has.
    pub entries: u64,
    /// How many of them move the PC with the serial.
    pub moves: u64,
    /// The number and hash of the newest entry, to be compared with the partner's head.
    pub head: (i64, [u8; 32]),
}

/// Walks a proof of the moves of one serial: a stretch of a partner's chain, from the PC's first entry to the newest.
/// The error is the number of the first row, from 1, that does not follow; 0 where there is no row.
pub fn check_proof<E>(
    serial: &str,
    rows: impl IntoIterator<Item = Result<ProofRow, E>>,
) -> Result<Result<Proven, u64>, E> {
    let mut last: Option<(TenantId, i64, [u8; 32])> = None;
    let (mut entries, mut moves) = (0, 0);
    for row in rows {
        let row = row?;
        entries += 1;
        let follows = match last {
            Some((partner, seq, hash)) => (row.partner, row.seq, row.before) == (partner, seq + 1, hash),
            None => row.seq != 1 || row.before == CHAIN_START,
        };
        if !follows || row.entry().hash(&row.before) != row.hash {
            return Ok(Err(entries));
        }
        moves += u64::from(row.serial == serial);
        last = Some((row.partner, row.seq, row.hash));
    }
    Ok(match last {
        Some((_, seq, hash)) => Ok(Proven { entries, moves, head: (seq, hash) }),
        None => Err(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first entry of a chain, as version 1 hashes it.
    fn arrival() -> ChainEntry<'static> {
        ChainEntry {
            partner: TenantId(Uuid::from_u128(1)),
            seq: 1,
            device: DeviceId(Uuid::from_u128(2)),
            serial: "5CG1234ABC",
            from: None,
            to: Some(TenantId(Uuid::from_u128(3))),
            generation: 1,
            at: 5,
            grounds: None,
        }
    }

    #[test]
    fn every_field_changes_the_hash() {
        let entry = arrival();
        let other = TenantId(Uuid::from_u128(9));
        let nil = TenantId(Uuid::nil());
        let caused = ChainEntry { grounds: Some([0; 32]), ..entry.clone() };
        assert_eq!((entry.version(), caused.version()), (1, 2));
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
            caused.hash(&CHAIN_START),
            ChainEntry { grounds: Some([1; 32]), ..caused.clone() }.hash(&CHAIN_START),
            ChainEntry { from: Some(nil), ..caused.clone() }.hash(&CHAIN_START),
            ChainEntry { to: Some(nil), ..caused.clone() }.hash(&CHAIN_START),
            ChainEntry { to: None, ..caused }.hash(&CHAIN_START),
        ];
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 15);
    }

    #[test]
    fn an_entry_of_version_1_is_hashed_as_ever() {
        let entry = arrival();
        let id = |n: u128| n.to_be_bytes();
        let number = |n: u64| n.to_be_bytes();
        let bytes = [
            &[0; 32][..],
            &id(1),
            &number(1),
            &id(2),
            &number(10),
            b"5CG1234ABC",
            &id(0),
            &id(3),
            &number(1),
            &number(5),
        ]
        .concat();
        let expected: [u8; 32] = Sha256::digest(bytes).into();
        assert_eq!(entry.hash(&CHAIN_START), expected);
    }

    #[test]
    fn all_grounds_change_the_digest() {
        let report = Some(ReportId(Uuid::from_u128(1)));
        let nil = Some(ReportId(Uuid::nil()));
        let (transfer, undo) = (Some("transfer"), Some("undo"));
        let (one, two) = (Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2)));
        let all = [
            (None, None, None, None),
            (report, None, None, None),
            (nil, None, None, None),
            (report, Some(1), None, None),
            (report, Some(2), None, None),
            (None, Some(1), None, None),
            (None, None, transfer, one),
            (None, None, undo, one),
            (None, None, transfer, two),
            (None, None, transfer, None),
            (None, None, None, one),
        ];
        let grounds = all.map(|(report, line, cause, cause_id)| Grounds { report, line, cause, cause_id });
        let mut digests = grounds.map(|grounds| grounds.digest());
        digests.sort_unstable();
        assert!(digests.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(grounds[3].hashed_with(1), Ok(None));
        assert_eq!(grounds[3].hashed_with(2), Ok(Some(grounds[3].digest())));
        for unknown in [0, 3, -1] {
            assert_eq!(grounds[3].hashed_with(unknown), Err(unknown));
        }
    }

    #[test]
    fn where_a_pc_stands_follows_from_the_last_of_its_entries_in_all_logs() {
        let tenant = |n: u128| TenantId(Uuid::from_u128(n));
        let (pool, customer, other) = (Some(tenant(11)), Some(tenant(12)), Some(tenant(21)));
        // Whose log, number, generation, to, line.
        let entry =
            |(partner, seq, generation, to, line): (u128, i64, i64, Option<TenantId>, Option<i64>)| Told {
                partner: tenant(partner),
                seq,
                serial: "5CG1234ABC".to_owned(),
                to,
                generation,
                at: generation * 10,
                report: line.map(|_| ReportId(Uuid::from_u128(5))),
                line,
            };
        let arrival = (1, 1, 1, pool, Some(7));
        let transfer = (1, 2, 2, customer, None);
        let back = (1, 3, 2, None, Some(8));
        for (entries, expected) in [
            (vec![], None),
            (vec![arrival], Some((pool, 1, Some(7), (1, 1)))),
            // What moves a PC without a line leaves its line as it is.
            (vec![arrival, transfer], Some((customer, 2, Some(7), (1, 2)))),
            (vec![arrival, back], Some((None, 2, Some(8), (1, 3)))),
            // Two partners, in either order of their halves.
            (
                vec![arrival, (1, 2, 2, None, Some(9)), (2, 1, 2, other, Some(9))],
                Some((other, 2, Some(9), (2, 1))),
            ),
            (
                vec![arrival, (2, 1, 2, other, Some(9)), (1, 2, 2, None, Some(9))],
                Some((other, 2, Some(9), (2, 1))),
            ),
            // By cPIN, without any report.
            (vec![(1, 1, 1, customer, None)], Some((customer, 1, None, (1, 1)))),
        ] {
            let entries: Vec<Told> = entries.into_iter().map(entry).collect();
            let expected = expected.map(|(to, generation, line, (partner, seq))| {
                let standing = Standing {
                    serial: "5CG1234ABC".to_owned(),
                    tenant: to,
                    generation,
                    since: generation * 10,
                    report: line.map(|_| ReportId(Uuid::from_u128(5))),
                    line,
                };
                (standing, (tenant(partner), seq))
            });
            assert_eq!(stands(&entries), expected, "{entries:?}");
        }
    }

    fn chain(from: i64, count: i64) -> Vec<ProofRow> {
        let mut before = if from == 1 { CHAIN_START } else { [7; 32] };
        (from..from + count)
            .map(|seq| {
                let mut row = ProofRow {
                    partner: TenantId(Uuid::from_u128(1)),
                    seq,
                    device: DeviceId(Uuid::from_u128(2)),
                    serial: format!("5CG000000{}", seq % 2),
                    from: None,
                    to: Some(TenantId(Uuid::from_u128(3))),
                    generation: seq,
                    at: seq,
                    // Some of either version, as while a release is replaced by the next.
                    grounds: (seq % 3 != 0).then_some([5; 32]),
                    before,
                    hash: [0; 32],
                };
                row.hash = row.entry().hash(&row.before);
                before = row.hash;
                row
            })
            .collect()
    }

    fn check(rows: &[ProofRow]) -> Result<Proven, u64> {
        let rows = rows.iter().cloned().map(Ok::<_, std::convert::Infallible>);
        check_proof("5CG0000001", rows).unwrap_or_else(|never| match never {})
    }

    #[test]
    fn a_proof_holds_or_names_the_row_that_does_not_follow() {
        let rows = chain(1, 5);
        let proven = check(&rows).unwrap();
        assert_eq!((proven.entries, proven.moves, proven.head), (5, 3, (5, rows[4].hash)));
        assert!(check(&chain(8, 3)).is_ok());
        assert_eq!(check(&[]), Err(0));
        let changes: [fn(&mut Vec<ProofRow>); 7] = [
            |rows| rows[2].grounds = Some([5; 32]),
            |rows| rows[2].serial.push('X'),
            |rows| rows[2].to = None,
            |rows| rows[2].hash[31] ^= 1,
            |rows| rows[2].before[0] ^= 1,
            |rows| rows[2].at += 1,
            |rows| drop(rows.remove(2)),
        ];
        for change in changes {
            let mut rows = chain(1, 5);
            change(&mut rows);
            assert_eq!(check(&rows), Err(3));
        }
        let mut rows = chain(1, 1);
        rows[0].before = [1; 32];
        assert_eq!(check(&rows), Err(1), "the first entry of all has no other before it");
    }
}
