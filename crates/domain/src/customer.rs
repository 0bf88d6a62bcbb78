//! Customer tenants: who manages one, which plans a partner may give, and how customer and partner come to be assigned
//! to one another (decision 18).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::partner::{Qualification, Standing, SupportLevel};

/// Who runs a customer tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Management {
    /// The customer's IT admin, who accepts the partner first.
    Customer,
    /// The partner alone, from the first moment.
    Partner,
}

impl Management {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Management::Customer => "customer",
            Management::Partner => "partner",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Management::Customer, Management::Partner].into_iter().find(|m| m.as_str() == code)
    }
}

/// What the partner chose at creation for the self-service switch (decision 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// The switch turns on with the first PC and stays until somebody turns it off.
    Default,
    /// Off from the first moment in which it may be off.
    OffWhenAllowed,
}

impl Preset {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Preset::Default => "default",
            Preset::OffWhenAllowed => "off_when_allowed",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Preset::Default, Preset::OffWhenAllowed].into_iter().find(|p| p.as_str() == code)
    }

    /// What the form preselects: whoever runs a tenant alone handles its alerts, and wants no pop-up to slip out.
    pub fn preselected(management: Management) -> Self {
        match management {
            Management::Customer => Preset::Default,
            Management::Partner => Preset::OffWhenAllowed,
        }
    }
}

/// How a customer tenant and a partner stand to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// The partner created the tenant; the customer has not answered.
    Invited,
    /// The customer asked this partner, which has not answered.
    Requested,
    /// Both agree: the partner manages.
    Accepted,
    /// The one that was asked said no. No partner has it on its list from then on.
    Declined,
    /// It was accepted once and the customer ended it, or whoever had asked took that back. No partner has it on its list
    /// from then on.
    Ended,
}

impl Assignment {
    const ALL: [Assignment; 5] = [
        Assignment::Invited,
        Assignment::Requested,
        Assignment::Accepted,
        Assignment::Declined,
        Assignment::Ended,
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Assignment::Invited => "invited",
            Assignment::Requested => "requested",
            Assignment::Accepted => "accepted",
            Assignment::Declined => "declined",
            Assignment::Ended => "ended",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == code)
    }
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The customer's IT admin.
    Customer,
    /// The partner's admin.
    Partner,
}

/// What somebody does about the assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Says yes.
    Accept,
    /// Says no.
    Decline,
    /// The customer wants no partner any more, or whoever asked takes it back.
    End,
    /// The customer asks a partner, the first or another one.
    Ask,
}

/// Why a step is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStep {
    /// The partner runs the tenant alone: there is nothing to accept or to end.
    PartnerManaged,
    /// There is nothing to answer, or not for this side.
    NothingToAnswer,
    /// There is no partner to end with.
    NoPartner,
    /// No IT admin is invited who has not answered.
    NotInvited,
    /// The IT admin has an account: what is left is the answer.
    HasJoined,
}

impl NoStep {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            NoStep::PartnerManaged => "customer.partner_managed",
            NoStep::NothingToAnswer => "customer.nothing_to_answer",
            NoStep::NoPartner => "customer.no_partner",
            NoStep::NotInvited => "customer.not_invited",
            NoStep::HasJoined => "customer.admin_joined",
        }
    }
}

/// The assignment after a step.
pub fn after(management: Management, now: Assignment, by: Side, step: Step) -> Result<Assignment, NoStep> {
    use Assignment as A;
    if management == Management::Partner {
        return Err(NoStep::PartnerManaged);
    }
    match (step, by, now) {
        (Step::Accept, Side::Customer, A::Invited) | (Step::Accept, Side::Partner, A::Requested) => {
            Ok(A::Accepted)
        }
        (Step::Decline, Side::Customer, A::Invited) | (Step::Decline, Side::Partner, A::Requested) => {
            Ok(A::Declined)
        }
        (Step::Accept | Step::Decline, ..) => Err(NoStep::NothingToAnswer),
        // What a side itself asked for it may take back.
        (Step::End, Side::Customer, A::Accepted | A::Requested) | (Step::End, Side::Partner, A::Invited) => {
            Ok(A::Ended)
        }
        (Step::End, ..) => Err(NoStep::NoPartner),
        (Step::Ask, Side::Customer, _) => Ok(A::Requested),
        (Step::Ask, Side::Partner, _) => Err(NoStep::NothingToAnswer),
    }
}

/// Whether the partner can have the customer's IT admin invited again, who `has_joined` or not.
pub fn may_be_invited_again(management: Management, now: Assignment, has_joined: bool) -> Result<(), NoStep> {
    match (management, now) {
        (Management::Partner, _) => Err(NoStep::PartnerManaged),
        (Management::Customer, Assignment::Invited) if has_joined => Err(NoStep::HasJoined),
        (Management::Customer, Assignment::Invited) => Ok(()),
        (Management::Customer, _) => Err(NoStep::NotInvited),
    }
}

/// The plans that a partner may give: the levels of its valid qualifications.
pub fn plans(qualifications: &[Qualification], today: Date) -> Vec<SupportLevel> {
    let mut levels: Vec<SupportLevel> = qualifications
        .iter()
        .filter(|q| q.standing(today) == Standing::Valid)
        .map(|q| q.support_level)
        .collect();
    levels.sort_unstable();
    levels.dedup();
    levels
}

/// A number that people read out, as a Customer ID, from random bytes: a letter and two groups of four, without letters
/// and digits that are mistaken for one another.
pub fn public_id(kind: char, random: &[u8; 32]) -> String {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    let (first, second): (String, String) =
        (random[..4].iter().map(letter).collect(), random[4..8].iter().map(letter).collect());
    format!("{kind}-{first}-{second}")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::partner::PartnerRole;

    #[test]
    fn steps_by_table() {
        use Assignment::{Accepted, Declined, Ended, Invited, Requested};
        let table = [
            (Side::Customer, Step::Accept, [Some(Accepted), None, None, None, None]),
            (Side::Partner, Step::Accept, [None, Some(Accepted), None, None, None]),
            (Side::Customer, Step::Decline, [Some(Declined), None, None, None, None]),
            (Side::Partner, Step::Decline, [None, Some(Declined), None, None, None]),
            (Side::Customer, Step::End, [None, Some(Ended), Some(Ended), None, None]),
            (Side::Partner, Step::End, [Some(Ended), None, None, None, None]),
            (Side::Customer, Step::Ask, [Some(Requested); 5]),
            (Side::Partner, Step::Ask, [None; 5]),
        ];
        for (side, step, expected) in table {
            for (now, expected) in [Invited, Requested, Accepted, Declined, Ended].into_iter().zip(expected) {
                let got = after(Management::Customer, now, side, step);
                assert_eq!(got.ok(), expected, "{side:?} {step:?} when {now:?}");
                let alone = after(Management::Partner, now, side, step);
                assert_eq!(alone, Err(NoStep::PartnerManaged));
            }
        }
    }

    #[test]
    fn an_admin_is_invited_again_until_they_have_joined_or_somebody_answered() {
        let by_customer = |now, has_joined| may_be_invited_again(Management::Customer, now, has_joined);
        assert_eq!(by_customer(Assignment::Invited, false), Ok(()));
        assert_eq!(by_customer(Assignment::Invited, true), Err(NoStep::HasJoined));
        for now in [Assignment::Requested, Assignment::Accepted, Assignment::Declined, Assignment::Ended] {
            assert_eq!(by_customer(now, false), Err(NoStep::NotInvited), "{now:?}");
        }
        for now in Assignment::ALL {
            assert_eq!(
                may_be_invited_again(Management::Partner, now, false),
                Err(NoStep::PartnerManaged),
                "{now:?}"
            );
        }
    }

    #[test]
    fn off_when_allowed_is_preselected_where_the_partner_runs_the_tenant() {
        for (management, preset) in
            [(Management::Customer, Preset::Default), (Management::Partner, Preset::OffWhenAllowed)]
        {
            assert_eq!(Preset::preselected(management), preset, "{management:?}");
        }
    }

    #[test]
    fn plans_are_the_valid_levels() {
        let today = date(2026, 11, 25);
        let of = |support_level, expires_on| Qualification {
            support_level,
            role: PartnerRole::ServiceDelivery,
            course_completed_on: Some(date(2026, 1, 1)),
            certified_on: Some(date(2026, 1, 2)),
            expires_on,
        };
        let premium = of(SupportLevel::Premium, None);
        let lapsed = of(SupportLevel::PremiumPlus, Some(today));
        assert_eq!(plans(&[lapsed.clone(), premium.clone(), premium], today), [SupportLevel::Premium]);
        assert_eq!(plans(&[lapsed], today), []);
    }

    #[test]
    fn a_customer_id_has_no_letters_to_mistake() {
        let id = public_id('C', &std::array::from_fn(|at| at as u8 * 7));
        assert_eq!(id.len(), 11);
        assert!(!id[1..].contains(['0', '1', 'I', 'O']), "{id}");
    }
}
