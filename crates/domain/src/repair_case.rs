//! Repair cases: who gets one, where it can stand, and who may take which step.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::TenantId;
use crate::partner::{PartnerRole, Qualification, Standing, SupportLevel};

/// Who repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desk {
    /// The vendor's customer support.
    CustomerSupport,
    /// The CSDP account of this partner.
    Csdp(TenantId),
}

impl Desk {
    /// What Submit carries: names this desk and no other.
    pub fn code(self) -> String {
        match self {
            Desk::CustomerSupport => "customer_support".to_owned(),
            Desk::Csdp(partner) => format!("csdp:{partner}"),
        }
    }

    /// The partner whose account it is.
    pub fn partner(self) -> Option<TenantId> {
        match self {
            Desk::CustomerSupport => None,
            Desk::Csdp(partner) => Some(partner),
        }
    }
}

/// Why a case goes where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The partner delivers service for the PC's level.
    ServiceDelivery,
    /// The partner resells and watches.
    ViewMonitor,
    /// The partner delivers service, but not for this level.
    LevelNotCovered,
    /// No qualification of the partner holds on this day.
    PartnerLapsed,
    /// The customer tenant wants it so.
    CustomerOverride,
    /// The PC's tenant has no partner.
    NoPartner,
    /// The desk that had it before handed it over.
    HandedOver,
}

impl Reason {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Reason::ServiceDelivery => "route.service_delivery",
            Reason::ViewMonitor => "route.view_monitor",
            Reason::LevelNotCovered => "route.level_not_covered",
            Reason::PartnerLapsed => "route.partner_lapsed",
            Reason::CustomerOverride => "route.customer_override",
            Reason::NoPartner => "route.no_partner",
            Reason::HandedOver => "route.handed_over",
        }
    }
}

/// What routing looks at, all of it of the moment of Submit.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// The PC's highest support level on this day.
    pub level: Option<SupportLevel>,
    /// The partner of the tenant that the PC is in.
    pub partner: Option<TenantId>,
    /// That partner's qualifications.
    pub qualifications: &'a [Qualification],
    /// Whether the customer tenant sends its cases to customer support whatever its partner is.
    pub customer_override: bool,
    /// The day.
    pub today: Date,
}

/// Who gets a case, and why (behaviours 31 and 33; decisions 2 and 3).
pub fn route(at: &Circumstances<'_>) -> (Desk, Reason) {
    let Some(partner) = at.partner else { return (Desk::CustomerSupport, Reason::NoPartner) };
    if at.customer_override {
        return (Desk::CustomerSupport, Reason::CustomerOverride);
    }
    let valid = || at.qualifications.iter().filter(|q| q.standing(at.today) == Standing::Valid);
    let delivers = || valid().filter(|q| q.role == PartnerRole::ServiceDelivery);
    if delivers().any(|q| Some(q.support_level) == at.level) {
        return (Desk::Csdp(partner), Reason::ServiceDelivery);
    }
    let reason = if delivers().next().is_some() {
        Reason::LevelNotCovered
    } else if valid().next().is_some() {
        Reason::ViewMonitor
    } else {
        Reason::PartnerLapsed
    };
    (Desk::CustomerSupport, reason)
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has looked at it.
    New,
    /// Somebody of the desk has it.
    Claimed,
    /// The desk asked the user.
    WaitingForUser,
    /// There is an appointment.
    Scheduled,
    /// Parts are on their way or in.
    InRepair,
    /// It is over.
    Closed,
    /// Whoever opened it has taken it back.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [State; 7] = [
        State::New,
        State::Claimed,
        State::WaitingForUser,
        State::Scheduled,
        State::InRepair,
        State::Closed,
        State::Cancelled,
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            State::New => "new",
            State::Claimed => "claimed",
            State::WaitingForUser => "waiting_for_user",
            State::Scheduled => "scheduled",
            State::InRepair => "in_repair",
            State::Closed => "closed",
            State::Cancelled => "cancelled",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == code)
    }

    /// Whether something may still happen.
    pub fn is_open(self) -> bool {
        !matches!(self, State::Closed | State::Cancelled)
    }
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes it on.
    Claim,
    /// Asks the user.
    Ask,
    /// The user answers.
    Answer,
    /// Says when somebody comes.
    Appoint,
    /// Orders parts.
    OrderParts,
    /// Gives it to the other desk.
    HandOver,
    /// Takes it back.
    Cancel,
    /// Ends it with a result.
    Close,
}

/// As what somebody stands to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The desk that it was routed to.
    Desk,
    /// The user at the PC, or whoever opened it in their place.
    Opener,
    /// Whoever else may see it.
    Onlooker,
}

/// Why a step is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStep {
    /// It is another side's to take.
    NotYours,
    /// The case is over.
    Over,
    /// There is an appointment already, or parts were ordered.
    TooLate,
    /// Nothing was asked.
    NothingAsked,
}

impl NoStep {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            NoStep::NotYours => "repair_case.not_yours",
            NoStep::Over => "repair_case.over",
            NoStep::TooLate => "repair_case.too_late",
            NoStep::NothingAsked => "repair_case.nothing_asked",
        }
    }
}

/// Where a case stands, with what was done about it that a question does not undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// Whether there is an appointment.
    pub has_appointment: bool,
    /// Whether parts were ordered.
    pub has_parts: bool,
}

impl Progress {
    /// Where it goes on once a question was answered. Whoever waits for somebody to come is to read that they come, whatever
    /// was ordered besides.
    fn resumed(self) -> State {
        match self {
            Progress { has_appointment: true, .. } => State::Scheduled,
            Progress { has_parts: true, .. } => State::InRepair,
            _ => State::Claimed,
        }
    }
}

/// Where a case stands after a step of this side. Only the desk that it was routed to may set the appointment
/// (behaviours 32 and 34); it may be taken back until there is one or parts were ordered, and a question changes neither.
pub fn after(now: Progress, step: Step, by: Side) -> Result<State, NoStep> {
    let is_mine = match step {
        Step::Answer | Step::Cancel => by == Side::Opener,
        _ => by == Side::Desk,
    };
    if !is_mine {
        return Err(NoStep::NotYours);
    }
    if !now.state.is_open() {
        return Err(NoStep::Over);
    }
    Ok(match (step, now.state) {
        (Step::Claim, State::New) => State::Claimed,
        (Step::Claim, state) => state,
        (Step::Ask, _) => State::WaitingForUser,
        (Step::Answer, State::WaitingForUser) => now.resumed(),
        (Step::Answer, _) => return Err(NoStep::NothingAsked),
        (Step::Appoint, _) => State::Scheduled,
        (Step::OrderParts, _) => State::InRepair,
        (Step::HandOver, _) => State::New,
        (Step::Cancel, _) if now.has_appointment || now.has_parts => return Err(NoStep::TooLate),
        (Step::Cancel, _) => State::Cancelled,
        (Step::Close, _) => State::Closed,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn b31_b33_routing_by_table() {
        use PartnerRole::{ResellAndViewMonitor as Watch, ServiceDelivery as Deliver};
        use SupportLevel::{Premium, PremiumPlus};
        let partner = TenantId(Uuid::from_u128(1));
        let today = date(2026, 11, 28);
        let of = |level, role, lapsed: bool| Qualification {
            support_level: level,
            role,
            course_completed_on: Some(date(2026, 1, 1)),
            certified_on: Some(date(2026, 1, 2)),
            expires_on: lapsed.then_some(today),
        };
        let desk = Desk::Csdp(partner);
        let support = Desk::CustomerSupport;
        for (qualifications, level, customer_override, expected) in [
            (vec![of(Premium, Watch, false)], Some(Premium), false, (support, Reason::ViewMonitor)),
            (vec![of(Premium, Watch, false)], Some(PremiumPlus), false, (support, Reason::ViewMonitor)),
            (vec![of(Premium, Deliver, false)], Some(Premium), false, (desk, Reason::ServiceDelivery)),
            (vec![of(Premium, Deliver, false)], Some(PremiumPlus), false, (support, Reason::LevelNotCovered)),
            (vec![of(Premium, Deliver, false)], None, false, (support, Reason::LevelNotCovered)),
            // Both roles: Service Delivery wins for the levels it covers.
            (
                vec![of(Premium, Watch, false), of(Premium, Deliver, false)],
                Some(Premium),
                false,
                (desk, Reason::ServiceDelivery),
            ),
            (
                vec![of(PremiumPlus, Watch, false), of(Premium, Deliver, false)],
                Some(PremiumPlus),
                false,
                (support, Reason::LevelNotCovered),
            ),
            (vec![of(Premium, Deliver, true)], Some(Premium), false, (support, Reason::PartnerLapsed)),
            (
                vec![of(Premium, Deliver, true), of(Premium, Watch, false)],
                Some(Premium),
                false,
                (support, Reason::ViewMonitor),
            ),
            (vec![], Some(Premium), false, (support, Reason::PartnerLapsed)),
            (vec![of(Premium, Deliver, false)], Some(Premium), true, (support, Reason::CustomerOverride)),
        ] {
            let at = Circumstances {
                level,
                partner: Some(partner),
                qualifications: &qualifications,
                customer_override,
                today,
            };
            assert_eq!(route(&at), expected, "{at:?}");
            let nobody = Circumstances { partner: None, ..at };
            assert_eq!(route(&nobody), (support, Reason::NoPartner));
        }
    }

    /// The states in which a case is open, each with what was done about it by then.
    fn open() -> [Progress; 9] {
        use State::{Claimed, InRepair, New, Scheduled, WaitingForUser};
        [
            (New, false, false),
            (Claimed, false, false),
            (WaitingForUser, false, false),
            (WaitingForUser, true, false),
            (WaitingForUser, false, true),
            (WaitingForUser, true, true),
            (Scheduled, true, false),
            (InRepair, false, true),
            // Handed over after parts were ordered.
            (New, false, true),
        ]
        .map(|(state, has_appointment, has_parts)| Progress { state, has_appointment, has_parts })
    }

    #[test]
    fn b32_b34_steps_by_table() {
        use State::{Cancelled, Claimed, Closed, InRepair, New, Scheduled, WaitingForUser};
        let [claimed, waiting, scheduled, in_repair] =
            [Claimed, WaitingForUser, Scheduled, InRepair].map(Some);
        let cancelled = Some(Cancelled);
        for (step, side, expected) in [
            (
                Step::Claim,
                Side::Desk,
                [claimed, claimed, waiting, waiting, waiting, waiting, scheduled, in_repair, claimed],
            ),
            (Step::Ask, Side::Desk, [waiting; 9]),
            // A question changes nothing about an appointment or about parts.
            (
                Step::Answer,
                Side::Opener,
                [None, None, claimed, scheduled, in_repair, scheduled, None, None, None],
            ),
            (Step::Appoint, Side::Desk, [scheduled; 9]),
            (Step::OrderParts, Side::Desk, [in_repair; 9]),
            (Step::HandOver, Side::Desk, [Some(New); 9]),
            (
                Step::Cancel,
                Side::Opener,
                [cancelled, cancelled, cancelled, None, None, None, None, None, None],
            ),
            (Step::Close, Side::Desk, [Some(Closed); 9]),
        ] {
            for (now, expected) in open().into_iter().zip(expected) {
                assert_eq!(after(now, step, side).ok(), expected, "{step:?} when {now:?}");
                for other in [Side::Desk, Side::Opener, Side::Onlooker] {
                    if other != side {
                        assert_eq!(after(now, step, other), Err(NoStep::NotYours), "{step:?} by {other:?}");
                    }
                }
                for over in [Closed, Cancelled] {
                    let over = Progress { state: over, ..now };
                    assert_eq!(after(over, step, side), Err(NoStep::Over), "{step:?} when {over:?}");
                }
            }
        }
    }

    /// Why not is said, too: the refusal names what is in the way.
    #[test]
    fn too_late_is_not_the_same_as_nothing_asked() {
        for now in open() {
            let is_late = now.has_appointment || now.has_parts;
            let cancel = after(now, Step::Cancel, Side::Opener).err();
            assert_eq!(cancel, is_late.then_some(NoStep::TooLate), "{now:?}");
            let answer = after(now, Step::Answer, Side::Opener).err();
            let is_asked = now.state == State::WaitingForUser;
            assert_eq!(answer, (!is_asked).then_some(NoStep::NothingAsked), "{now:?}");
        }
    }
}
