//! Support cases: a request to the operator's platform team, never a repair. States, and what a listed serial comes to.

use serde::{Deserialize, Serialize};

/// Where a support case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has looked at it.
    New,
    /// The one who opened it is asked for more.
    WaitingForPartner,
    /// The operator works on it.
    InWork,
    /// What was asked for is done.
    Solved,
    /// It is ended.
    Closed,
}

impl State {
    const ALL: [State; 5] =
        [State::New, State::WaitingForPartner, State::InWork, State::Solved, State::Closed];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            State::New => "new",
            State::WaitingForPartner => "waiting_for_partner",
            State::InWork => "in_work",
            State::Solved => "solved",
            State::Closed => "closed",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == code)
    }
}

/// What happens to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Whoever opened it writes.
    Asked,
    /// The operator writes, which asks for an answer.
    Answered,
    /// The operator decided about serials.
    Decided,
    /// Every listed PC is there.
    AllThere,
    /// Either side ends it.
    Close,
}

/// The state after a step; `None` where the case is closed.
pub fn after(now: State, step: Step) -> Option<State> {
    match (now, step) {
        (State::Closed, _) => None,
        (_, Step::Close) => Some(State::Closed),
        (_, Step::AllThere) => Some(State::Solved),
        (_, Step::Answered) => Some(State::WaitingForPartner),
        (State::New, Step::Asked) => Some(State::New),
        (_, Step::Asked | Step::Decided) => Some(State::InWork),
    }
}

/// What is known of a serial that somebody misses, from its own side alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It is no serial.
    NotASerial,
    /// The PC is in the pool or with a customer of the partner.
    There,
    /// A line names the partner and waits for its certification.
    Waits,
    /// A line names the partner and is in dispute.
    Disputed,
    /// The PC was the partner's and was returned.
    Returned,
    /// No report names the partner as its seller, whether others name it or nobody does.
    NotReported,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Finding; 6] = [
        Finding::NotASerial,
        Finding::There,
        Finding::Waits,
        Finding::Disputed,
        Finding::Returned,
        Finding::NotReported,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Finding::NotASerial => "support.not_a_serial",
            Finding::There => "support.there",
            Finding::Waits => "support.waits",
            Finding::Disputed => "support.disputed",
            Finding::Returned => "support.returned",
            Finding::NotReported => "support.not_reported",
        }
    }

    /// What the newest line that names the partner says, unless the PC is there.
    pub fn of(there: bool, verdict: Option<&str>) -> Self {
        match verdict {
            _ if there => Finding::There,
            Some(verdict) if verdict.starts_with("parked.") => Finding::Waits,
            Some(verdict) if verdict.starts_with("disputed.") => Finding::Disputed,
            Some("returned") => Finding::Returned,
            _ => Finding::NotReported,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b25_states_by_table() {
        use State::{Closed, InWork, New, Solved, WaitingForPartner};
        for (step, expected) in [
            (Step::Asked, [Some(New), Some(InWork), Some(InWork), Some(InWork), None]),
            (
                Step::Answered,
                [
                    Some(WaitingForPartner),
                    Some(WaitingForPartner),
                    Some(WaitingForPartner),
                    Some(WaitingForPartner),
                    None,
                ],
            ),
            (Step::Decided, [Some(InWork), Some(InWork), Some(InWork), Some(InWork), None]),
            (Step::AllThere, [Some(Solved), Some(Solved), Some(Solved), Some(Solved), None]),
            (Step::Close, [Some(Closed), Some(Closed), Some(Closed), Some(Closed), None]),
        ] {
            let got = [New, WaitingForPartner, InWork, Solved, Closed].map(|state| after(state, step));
            assert_eq!(got, expected, "{step:?}");
        }
    }

    #[test]
    fn findings_by_table() {
        for (there, verdict, expected) in [
            (true, Some("placed"), Finding::There),
            (false, Some("parked.partner_not_qualified"), Finding::Waits),
            (false, Some("disputed.sold_by_other_partner"), Finding::Disputed),
            (false, Some("returned"), Finding::Returned),
            (false, Some("placed"), Finding::NotReported),
            (false, None, Finding::NotReported),
        ] {
            assert_eq!(Finding::of(there, verdict), expected, "{verdict:?}");
        }
    }
}
