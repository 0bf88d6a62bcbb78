//! Transfers: many PCs to many targets as one operation. A preview and its commit judge by the same functions, and the
//! digest says whether anything changed in between (rules R1 to R5).

use std::collections::HashMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::clock::Micros;
use crate::customer::Assignment;
use crate::ids::{DeviceId, TenantId, TransferId};
use crate::placement::Place;
use crate::serial;

/// The target that is the partner's pool.
pub const UNASSIGNED: &str = "unassigned";

/// The most rows of one transfer.
pub const MOST_ROWS: usize = 100_000;

/// For how long a transfer can be undone, and a move's old personal data is kept sealed, in microseconds.
pub const UNDO_FOR: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// A row as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The serial as it was written.
    pub serial: String,
    /// A customer's id or Customer ID, or [`UNASSIGNED`].
    pub to: String,
}

/// A PC within the partner's reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub device: DeviceId,
    /// Its generation now.
    pub generation: i64,
    /// Where it is.
    pub place: Place,
    /// The end customer of its sale.
    pub sold_to: Option<String>,
    /// Customers that something else shows to hold it: their cPIN, their domain, their list, or an earlier stay.
    pub shown: Vec<TenantId>,
}

/// Where PCs can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The partner's pool.
    Pool(TenantId),
    /// A customer tenant of the partner.
    Customer {
        /// Its tenant.
        tenant: TenantId,
        /// Its name.
        name: String,
        /// How it stands with the partner.
        assignment: Assignment,
        /// Whether it is open to the partner.
        open: bool,
        /// Whether it is disabled.
        disabled: bool,
    },
}

impl Target {
    /// The tenant behind it.
    pub fn tenant(&self) -> TenantId {
        match self {
            Target::Pool(tenant) | Target::Customer { tenant, .. } => *tenant,
        }
    }

    /// Whether the partner sees what is in it.
    pub fn is_open(&self) -> bool {
        match self {
            Target::Pool(_) => true,
            Target::Customer { assignment, open, .. } => *open && *assignment == Assignment::Accepted,
        }
    }

    /// What keeps PCs from coming in.
    pub fn closed(&self) -> Option<Reason> {
        match self {
            Target::Customer { disabled: true, .. } => Some(Reason::CustomerDisabled),
            Target::Customer { assignment, .. } if *assignment != Assignment::Accepted => {
                Some(Reason::CustomerNotAccepted)
            }
            Target::Customer { open: false, .. } => Some(Reason::CustomerClosed),
            _ => None,
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// Why a row is blocked, or what to think of before it is moved.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $name),+ }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$name => $code),+ }
            }
        }
    };
}

reasons! {
    /// The row has no serial.
    SerialMissing = "transfer.serial_missing",
    /// It is no serial.
    SerialInvalid = "transfer.serial_invalid",
    /// The partner has no such PC, whoever else may.
    DeviceNotFound = "transfer.device_not_found",
    /// Two manufacturers gave this serial to PCs that the partner has.
    SerialAmbiguous = "transfer.serial_ambiguous",
    /// The row has no target.
    TargetMissing = "transfer.target_missing",
    /// The partner has no such customer.
    TargetNotFound = "transfer.target_not_found",
    /// The same serial and target stand in an earlier row.
    ListedTwice = "transfer.listed_twice",
    /// The same serial stands in another row with another target.
    TwoTargets = "transfer.two_targets",
    /// The PC is in the target.
    AlreadyThere = "transfer.already_there",
    /// The customer has not accepted the partner (decision 18).
    CustomerNotAccepted = "transfer.customer_not_accepted",
    /// The customer has closed its tenant to the partner.
    CustomerClosed = "transfer.customer_closed",
    /// The customer tenant is disabled.
    CustomerDisabled = "transfer.customer_disabled",
    /// The PC has moved since (undo).
    MovedSince = "transfer.moved_since",
    /// A warning: no sale, enrolment or sighting shows that this customer holds the PC.
    NothingShowsCustomer = "transfer.nothing_shows_the_customer",
}

impl Reason {
    /// Whether it keeps the row from being moved.
    pub fn blocks(self) -> bool {
        self != Reason::NothingShowsCustomer
    }

    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

/// What a row comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It will be moved.
    Ready,
    /// It will not.
    Blocked,
}

impl Verdict {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ready => "ready",
            Verdict::Blocked => "blocked",
        }
    }
}

/// A row as judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The serial in its normal form, or as written if it has none.
    pub serial: String,
    /// The PC and its generation; `None` where none was found.
    pub device: Option<(DeviceId, i64)>,
    /// Where it is.
    pub from: Option<TenantId>,
    /// Where it goes.
    pub to: Option<TenantId>,
    /// Why not, or what to think of.
    pub reasons: Vec<Reason>,
}

impl Row {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        if self.reasons.iter().any(|reason| reason.blocks()) { Verdict::Blocked } else { Verdict::Ready }
    }
}

/// The serial in its normal form, for looking it up.
pub fn normal(text: &str) -> Result<String, Reason> {
    if text.trim().is_empty() {
        return Err(Reason::SerialMissing);
    }
    serial::normalize(text).map_err(|_| Reason::SerialInvalid)
}

/// Judges every row. `devices` holds by normal serial what the partner can see, `targets` by the row's text what it
/// can name; what is in neither does not exist for it.
pub fn judge(
    asked: &[Asked],
    devices: &HashMap<String, Vec<Found>>,
    targets: &HashMap<String, Target>,
) -> Vec<Row> {
    let mut rows: Vec<Row> = asked.iter().map(|asked| judge_one(asked, devices, targets)).collect();
    let mut first: HashMap<String, usize> = HashMap::with_capacity(rows.len());
    for at in 0..rows.len() {
        if rows[at].device.is_none() || rows[at].to.is_none() {
            continue;
        }
        let Some(&before) = first.get(&rows[at].serial) else {
            first.insert(rows[at].serial.clone(), at);
            continue;
        };
        if rows[before].to == rows[at].to {
            rows[at].reasons.push(Reason::ListedTwice);
        } else {
            // Neither is to be guessed.
            for row in [before, at] {
                if !rows[row].reasons.contains(&Reason::TwoTargets) {
                    rows[row].reasons.push(Reason::TwoTargets);
                }
            }
        }
    }
    rows
}

fn judge_one(asked: &Asked, devices: &HashMap<String, Vec<Found>>, targets: &HashMap<String, Target>) -> Row {
    let mut reasons = Vec::new();
    let mut found = None;
    let serial = match normal(&asked.serial) {
        Ok(serial) => {
            match devices.get(&serial).map_or(&[][..], Vec::as_slice) {
                [] => reasons.push(Reason::DeviceNotFound),
                [one] => found = Some(one),
                _ => reasons.push(Reason::SerialAmbiguous),
            }
            serial
        }
        Err(reason) => {
            reasons.push(reason);
            asked.serial.trim().to_owned()
        }
    };
    let target = match asked.to.trim() {
        "" => {
            reasons.push(Reason::TargetMissing);
            None
        }
        to => {
            let target = targets.get(to);
            match target {
                None => reasons.push(Reason::TargetNotFound),
                Some(target) => reasons.extend(target.closed()),
            }
            target
        }
    };
    if let (Some(found), Some(target)) = (found, target) {
        if found.place.tenant == target.tenant() {
            reasons.push(Reason::AlreadyThere);
        } else if let Target::Customer { tenant, name, .. } = target
            && !found.shown.contains(tenant)
            && !found.sold_to.as_deref().is_some_and(|sold_to| same_company(sold_to, name))
        {
            reasons.push(Reason::NothingShowsCustomer);
        }
    }
    Row {
        serial,
        device: found.map(|found| (found.device, found.generation)),
        from: found.map(|found| found.place.tenant),
        to: target.map(Target::tenant),
        reasons,
    }
}

/// Whether two names are one company's: case, spaces and punctuation do not count.
fn same_company(a: &str, b: &str) -> bool {
    let letters =
        |text: &str| -> String { text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect() };
    !letters(a).is_empty() && letters(a) == letters(b)
}

/// A move of a transfer that was carried out, for its undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The PC's serial.
    pub serial: String,
    /// Which PC.
    pub device: DeviceId,
    /// Where it came from.
    pub from: TenantId,
    /// Where it went.
    pub to: TenantId,
    /// Its generation after the move.
    pub generation: i64,
}

/// Judges what an undo comes to: every move goes back to where it came from, unless the PC moved since or the tenant
/// that it came from takes nothing any more. `now` is each PC's generation and tenant, `targets` the partner's places
/// by tenant.
pub fn judge_undo(
    done: &[Done],
    now: &HashMap<DeviceId, (i64, Option<TenantId>)>,
    targets: &HashMap<TenantId, Target>,
) -> Vec<Row> {
    let judge = |done: &Done| {
        let mut reasons = Vec::new();
        let unmoved = now.get(&done.device) == Some(&(done.generation, Some(done.to)));
        if !unmoved {
            reasons.push(Reason::MovedSince);
        }
        match targets.get(&done.from) {
            None => reasons.push(Reason::TargetNotFound),
            Some(target) => reasons.extend(target.closed()),
        }
        Row {
            serial: done.serial.clone(),
            device: Some((done.device, done.generation)),
            from: Some(done.to),
            to: Some(done.from),
            reasons,
        }
    };
    done.iter().map(judge).collect()
}

/// SHA-256 over the transfer and everything that was judged, so that a commit can tell whether anything changed.
pub fn digest(transfer: TransferId, rows: &[Row]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(transfer.0.as_bytes());
    sha.update((rows.len() as u64).to_be_bytes());
    for row in rows {
        sha.update((row.serial.len() as u64).to_be_bytes());
        sha.update(row.serial.as_bytes());
        let (device, generation) =
            row.device.map_or(([0; 16], 0), |(id, generation)| (*id.0.as_bytes(), generation));
        sha.update(device);
        sha.update(generation.to_be_bytes());
        for tenant in [row.from, row.to] {
            sha.update(tenant.map_or([0; 16], |id| *id.0.as_bytes()));
        }
        sha.update((row.reasons.len() as u64).to_be_bytes());
        for reason in &row.reasons {
            sha.update(reason.code().as_bytes());
            sha.update([0]);
        }
    }
    sha.finalize().into()
}

/// Whether a transfer of this time can still be undone.
pub fn is_undoable(committed_at: Micros, now: Micros) -> bool {
    now.0 - committed_at.0 < UNDO_FOR
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    fn found(n: u128, at: u128) -> Found {
        Found {
            device: DeviceId(Uuid::from_u128(n)),
            generation: 3,
            place: Place { tenant: tenant(at), partner: tenant(1) },
            sold_to: Some("Werft Nord".to_owned()),
            shown: Vec::new(),
        }
    }

    fn customer(n: u128, assignment: Assignment, open: bool, disabled: bool) -> Target {
        Target::Customer { tenant: tenant(n), name: "WERFT-Nord".to_owned(), assignment, open, disabled }
    }

    #[test]
    fn a_company_is_known_by_its_letters_however_they_are_written() {
        for (a, b) in [("WERFT-Nord", "werft nord"), ("ΝΗΣΟΣ", "νησος"), ("Straße 1", "STRAßE 1")]
        {
            assert!(same_company(a, b) && same_company(b, a), "{a} and {b}");
        }
        for (a, b) in [("Werft Nord", "Werft Süd"), ("", ""), ("--", "-")] {
            assert!(!same_company(a, b), "{a} and {b}");
        }
    }

    fn world() -> (HashMap<String, Vec<Found>>, HashMap<String, Target>) {
        let mut other = found(14, 2);
        other.sold_to = Some("Muster AG".to_owned());
        let mut known = found(15, 2);
        (known.sold_to, known.shown) = (None, vec![tenant(30)]);
        let devices = HashMap::from([
            ("5CG0000005".to_owned(), vec![known]),
            ("5CG0000001".to_owned(), vec![found(11, 2)]),
            ("5CG0000002".to_owned(), vec![found(12, 30)]),
            ("5CG0000003".to_owned(), vec![found(13, 2), found(23, 2)]),
            ("5CG0000004".to_owned(), vec![other]),
        ]);
        let targets = HashMap::from([
            (UNASSIGNED.to_owned(), Target::Pool(tenant(2))),
            ("ok".to_owned(), customer(30, Assignment::Accepted, true, false)),
            ("invited".to_owned(), customer(31, Assignment::Invited, true, false)),
            ("closed".to_owned(), customer(32, Assignment::Accepted, false, false)),
            ("disabled".to_owned(), customer(33, Assignment::Accepted, true, true)),
        ]);
        (devices, targets)
    }

    fn codes(asked: &[(&str, &str)]) -> Vec<String> {
        let (devices, targets) = world();
        let asked: Vec<Asked> = asked
            .iter()
            .map(|(serial, to)| Asked { serial: (*serial).to_owned(), to: (*to).to_owned() })
            .collect();
        judge(&asked, &devices, &targets)
            .iter()
            .map(|row| {
                let codes: Vec<&str> =
                    row.reasons.iter().map(|r| r.code().trim_start_matches("transfer.")).collect();
                format!("{} {}", row.verdict().as_str(), codes.join(" ")).trim_end().to_owned()
            })
            .collect()
    }

    #[test]
    fn rows_by_table() {
        for (row, expected) in [
            (("5cg0000001 ", "ok"), "ready"),
            (("5CG0000002", "unassigned"), "ready"),
            (("5CG0000004", "ok"), "ready nothing_shows_the_customer"),
            (("5CG0000005", "ok"), "ready"),
            (("", "ok"), "blocked serial_missing"),
            (("5CG!", "ok"), "blocked serial_invalid"),
            (("5CG0000009", "ok"), "blocked device_not_found"),
            (("5CG0000003", "ok"), "blocked serial_ambiguous"),
            (("5CG0000001", " "), "blocked target_missing"),
            (("5CG0000001", "nobody"), "blocked target_not_found"),
            (("5CG0000009", "nobody"), "blocked device_not_found target_not_found"),
            (("5CG0000002", "ok"), "blocked already_there"),
            (("5CG0000001", "unassigned"), "blocked already_there"),
            (("5CG0000001", "invited"), "blocked customer_not_accepted"),
            (("5CG0000001", "closed"), "blocked customer_closed"),
            (("5CG0000001", "disabled"), "blocked customer_disabled"),
        ] {
            assert_eq!(codes(&[row]), [expected], "{row:?}");
        }
        assert_eq!(codes(&[("5CG0000001", "ok"), ("5CG0000001", "ok")]), ["ready", "blocked listed_twice"]);
        assert_eq!(
            codes(&[("5CG0000002", "ok"), ("5CG0000002", "unassigned"), ("5CG0000001", "ok")]),
            ["blocked already_there two_targets", "blocked two_targets", "ready"]
        );
    }

    #[test]
    fn an_undo_goes_back_or_says_why_not() {
        let done = |n, from| Done {
            serial: format!("5CG000000{n}"),
            device: DeviceId(Uuid::from_u128(n)),
            from: tenant(from),
            to: tenant(30),
            generation: 4,
        };
        let targets = HashMap::from([
            (tenant(2), Target::Pool(tenant(2))),
            (tenant(33), customer(33, Assignment::Ended, true, false)),
        ]);
        let now = HashMap::from([
            (DeviceId(Uuid::from_u128(1)), (4, Some(tenant(30)))),
            (DeviceId(Uuid::from_u128(2)), (5, Some(tenant(30)))),
            (DeviceId(Uuid::from_u128(3)), (4, Some(tenant(30)))),
        ]);
        let rows = judge_undo(&[done(1, 2), done(2, 2), done(3, 33), done(4, 34)], &now, &targets);
        let codes: Vec<Vec<Reason>> = rows.iter().map(|row| row.reasons.clone()).collect();
        assert_eq!(
            codes,
            [
                vec![],
                vec![Reason::MovedSince],
                vec![Reason::CustomerNotAccepted],
                vec![Reason::MovedSince, Reason::TargetNotFound]
            ]
        );
        assert_eq!((rows[0].from, rows[0].to), (Some(tenant(30)), Some(tenant(2))));
    }

    proptest! {
        /// Whatever is listed, at most one row of a serial is ready, and a ready row has all it needs.
        #[test]
        fn no_pc_is_moved_twice(picks in prop::collection::vec((0_usize..6, 0_usize..6), 0..30)) {
            let serials = ["5CG0000001", "5CG0000002", "5CG0000003", "5CG0000004", "5CG0000009", ""];
            let names = ["unassigned", "ok", "invited", "closed", "nobody", ""];
            let (devices, targets) = world();
            let asked: Vec<Asked> = picks
                .iter()
                .map(|(s, t)| Asked { serial: serials[*s].to_owned(), to: names[*t].to_owned() })
                .collect();
            let rows = judge(&asked, &devices, &targets);
            prop_assert_eq!(rows.len(), asked.len());
            let mut moved = std::collections::HashSet::new();
            for row in rows.iter().filter(|row| row.verdict() == Verdict::Ready) {
                prop_assert!(row.device.is_some() && row.to.is_some() && row.from != row.to);
                prop_assert!(moved.insert(row.device));
            }
        }

        /// Any change of what was judged changes the digest.
        #[test]
        fn the_digest_tells_a_change(at in 0_usize..4, what in 0_usize..5) {
            let id = TransferId(Uuid::from_u128(7));
            let (devices, targets) = world();
            let asked: Vec<Asked> = ["5CG0000001", "5CG0000002", "5CG0000004", "5CG0000009"]
                .map(|serial| Asked { serial: serial.to_owned(), to: "ok".to_owned() })
                .to_vec();
            let rows = judge(&asked, &devices, &targets);
            let mut changed = rows.clone();
            let row = &mut changed[at];
            match what {
                0 => row.serial.push('X'),
                1 => row.device = Some((DeviceId(Uuid::from_u128(99)), 4)),
                2 => row.from = Some(tenant(99)),
                3 => row.to = Some(tenant(99)),
                _ => row.reasons.push(Reason::MovedSince),
            }
            prop_assert_ne!(digest(id, &rows), digest(id, &changed));
            prop_assert_eq!(digest(id, &rows), digest(id, &rows.clone()));
        }
    }
}
