//! What the platform writes to people. The texts stand in the portal's locales; here is what there is to write, and when
//! a mail that could not be handed over is tried again.

use crate::clock::Micros;

/// What a mail is about. Its texts are `mail-<code>-subject`, `-text`, `-button` (where it carries a link) and `-why`, with
/// dashes for underscores, in the portal's `mail.ftl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Somebody was invited and has an account once they accept.
    Invitation,
    /// Somebody may choose a new password.
    PasswordReset,
    /// Somebody wrote in a support case.
    SupportCase,
    /// The programme team decided a dispute over a PC.
    DisputeDecided,
    /// A reporter is late by its own rhythm.
    ReporterSilent,
    /// How to enrol PCs with the cPIN.
    CpinInstructions,
    /// There is something to do about a repair case, for its desk.
    RepairCaseDesk,
    /// A repair case was assigned to somebody of its desk by somebody else.
    RepairCaseAssigned,
    /// A repair case has come to a desk, for the user.
    RepairCaseReceived,
    /// A repair case got on, for the user.
    RepairCaseUser,
    /// The partner disabled a customer tenant, for its admins.
    CustomerDisabled,
    /// The partner enabled it again.
    CustomerEnabled,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [MailKind; 12] = [
        MailKind::Invitation,
        MailKind::PasswordReset,
        MailKind::SupportCase,
        MailKind::DisputeDecided,
        MailKind::ReporterSilent,
        MailKind::CpinInstructions,
        MailKind::RepairCaseDesk,
        MailKind::RepairCaseAssigned,
        MailKind::RepairCaseReceived,
        MailKind::RepairCaseUser,
        MailKind::CustomerDisabled,
        MailKind::CustomerEnabled,
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            MailKind::Invitation => "invitation",
            MailKind::PasswordReset => "password_reset",
            MailKind::SupportCase => "support_case",
            MailKind::DisputeDecided => "dispute_decided",
            MailKind::ReporterSilent => "reporter_silent",
            MailKind::CpinInstructions => "cpin_instructions",
            MailKind::RepairCaseDesk => "repair_case_desk",
            MailKind::RepairCaseAssigned => "repair_case_assigned",
            MailKind::RepairCaseReceived => "repair_case_received",
            MailKind::RepairCaseUser => "repair_case_user",
            MailKind::CustomerDisabled => "customer_disabled",
            MailKind::CustomerEnabled => "customer_enabled",
        }
    }

    /// What its texts say besides: the keys of its data. A text is taken as it is, a number is an instant in microseconds.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            MailKind::Invitation => &["name", "inviter", "organisation", "role", "until"],
            MailKind::PasswordReset => &["name", "until"],
            MailKind::SupportCase => &["name", "number"],
            MailKind::DisputeDecided => &["name", "serial"],
            MailKind::ReporterSilent => &["name", "reporter", "days", "last"],
            MailKind::RepairCaseDesk | MailKind::RepairCaseAssigned => &["name", "number", "serial", "state"],
            MailKind::RepairCaseReceived => &["name", "number", "serial", "desk"],
            MailKind::RepairCaseUser => &["name", "number", "serial", "state", "said"],
            MailKind::CpinInstructions => &["name", "organisation", "inviter", "cpin", "until"],
            MailKind::CustomerDisabled | MailKind::CustomerEnabled => &["name", "organisation", "partner"],
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }
}

/// A mail that says nothing of its own end is given up after this long, in seconds (RFC 5321 4.5.4.1 asks for four to
/// five days).
pub const GIVEN_UP_SECONDS: i64 = 4 * 24 * 3600;

/// When to try again after so many attempts failed: after half a minute, then twice as long each time, at most an hour.
/// `None` once that would be past the mail's end.
pub fn next_attempt(attempts: i64, now: Micros, ends_at: Micros) -> Option<Micros> {
    let doublings = u32::try_from(attempts.clamp(1, 8) - 1).unwrap_or(0);
    let next = now.plus_seconds((30_i64 << doublings).min(3600));
    (next < ends_at).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_grow_rarer_and_end() {
        let (now, end) = (Micros(0), Micros(0).plus_seconds(GIVEN_UP_SECONDS));
        let seconds = |attempts| next_attempt(attempts, now, end).unwrap().0 / 1_000_000;
        assert_eq!([1, 2, 3, 7, 8, 9, 5000].map(seconds), [30, 60, 120, 1920, 3600, 3600, 3600]);
        assert_eq!(next_attempt(1, end.plus_seconds(-30), end), None);
        assert!(next_attempt(1, end.plus_seconds(-31), end).is_some());
    }
}
