//! Support cases: a request to the operator's platform team, never a repair. States and steps; what a listed
//! serial comes to is in [`crate::explanation`].

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
}
