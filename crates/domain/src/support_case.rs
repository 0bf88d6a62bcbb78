//! Support cases: a request to the operator's platform team, never a repair. States and steps; what a listed
//! serial comes to is in [`crate::explanation`].

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::explanation::{Facts, Finding};

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

/// By what a listed serial was solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It was there when it was listed.
    WasThere,
    /// A report that came later.
    LateReport,
    /// A line that had waited was judged again.
    Replay,
    /// The operator approved it.
    Approval,
    /// It was transferred, taken back, or it enrolled.
    Move,
}

impl Rule {
    /// Every one.
    pub const ALL: [Rule; 5] = [Rule::WasThere, Rule::LateReport, Rule::Replay, Rule::Approval, Rule::Move];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Rule::WasThere => "solved.was_there",
            Rule::LateReport => "solved.late_report",
            Rule::Replay => "solved.replay",
            Rule::Approval => "solved.approval",
            Rule::Move => "solved.move",
        }
    }
}

/// By what a serial was solved that was listed at `listed_at`, when it came to `listed`, and is solved now by these
/// facts. `approved`: the operator's report of this case has a line of it.
pub fn solved_by(listed: Option<Finding>, listed_at: Micros, facts: &Facts, approved: bool) -> Rule {
    let takes = |verdict: crate::sale::Verdict| matches!(verdict.family(), "placed" | "recorded");
    let line = facts.lines.iter().rev().find(|line| takes(line.verdict));
    match line {
        _ if listed.is_some_and(Finding::is_solved) => Rule::WasThere,
        Some(_) if approved => Rule::Approval,
        Some(line) if line.received > listed_at => Rule::LateReport,
        Some(line) if line.at > listed_at => Rule::Replay,
        _ => Rule::Move,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanation::Line;
    use crate::sale::Verdict;

    #[test]
    fn what_solved_a_serial_by_table() {
        let line = |received, at, verdict| Line {
            at: Micros(at),
            received: Micros(received),
            again: false,
            verdict,
            decided_against: false,
        };
        let (waits, missing) = (Some(Finding::Waits), Some(Finding::NotReported));
        for (listed, lines, approved, expected) in [
            (Some(Finding::There), vec![line(1, 2, Verdict::Placed)], false, Rule::WasThere),
            (Some(Finding::Accepted), vec![line(20, 21, Verdict::Placed)], false, Rule::WasThere),
            (missing, vec![line(11, 12, Verdict::Placed)], false, Rule::LateReport),
            (missing, vec![line(11, 12, Verdict::AlreadyWithCustomer)], false, Rule::LateReport),
            (waits, vec![line(1, 12, Verdict::Placed)], false, Rule::Replay),
            (missing, vec![line(11, 12, Verdict::Placed)], true, Rule::Approval),
            // A repeated line that came later brought nothing.
            (
                waits,
                vec![line(1, 12, Verdict::Placed), line(20, 21, Verdict::Duplicate)],
                false,
                Rule::Replay,
            ),
            (missing, vec![], false, Rule::Move),
            (missing, vec![line(1, 2, Verdict::Placed)], false, Rule::Move),
            (None, vec![line(11, 12, Verdict::Placed)], false, Rule::LateReport),
        ] {
            let facts = Facts { lines: lines.clone(), ..Facts::default() };
            assert_eq!(solved_by(listed, Micros(10), &facts, approved), expected, "{listed:?} {lines:?}");
        }
    }

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
