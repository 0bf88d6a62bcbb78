//! Why a PC is where it is, or is not there: the chain of causes of one serial, from its first report to now, as one
//! reader may know it. What a reader may not know is not among its facts, so that a serial of somebody else and one
//! that nobody knows are explained alike.

use jiff::civil::Date;

use crate::clock::Micros;
use crate::partner::Certification;
use crate::sale::Verdict;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Sees all.
    Operator,
    /// Sees the lines that name it as seller or changed its pool, and moves within its reach.
    Partner,
    /// Sees the lines that it sent.
    Reporter,
    /// Sees its own PCs.
    Customer,
}

/// What a serial comes to for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It is no serial.
    NotASerial,
    /// The PC is in the reader's reach.
    There,
    /// The reader's line was taken.
    Accepted,
    /// A line waits for the seller's certification.
    Waits,
    /// A line waits for its seller to be known.
    SellerUnknown,
    /// A line is in dispute.
    Disputed,
    /// A line that was in dispute was decided against.
    DecidedAgainst,
    /// The PC was there and was returned, or a waiting sale was withdrawn.
    Returned,
    /// The PC was there and is no longer.
    Left,
    /// The only lines were rejected.
    Rejected,
    /// No report names the partner as its seller, whether others name it or nobody does.
    NotReported,
    /// The reporter sent no line with it.
    NotSent,
    /// The customer does not have it.
    NotOwned,
    /// Nobody ever reported it.
    Unknown,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Finding; 14] = [
        Finding::NotASerial,
        Finding::There,
        Finding::Accepted,
        Finding::Waits,
        Finding::SellerUnknown,
        Finding::Disputed,
        Finding::DecidedAgainst,
        Finding::Returned,
        Finding::Left,
        Finding::Rejected,
        Finding::NotReported,
        Finding::NotSent,
        Finding::NotOwned,
        Finding::Unknown,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Finding::NotASerial => "support.not_a_serial",
            Finding::There => "support.there",
            Finding::Accepted => "support.accepted",
            Finding::Waits => "support.waits",
            Finding::SellerUnknown => "support.seller_unknown",
            Finding::Disputed => "support.disputed",
            Finding::DecidedAgainst => "support.decided_against",
            Finding::Returned => "support.returned",
            Finding::Left => "support.left",
            Finding::Rejected => "support.rejected",
            Finding::NotReported => "support.not_reported",
            Finding::NotSent => "support.not_sent",
            Finding::NotOwned => "support.not_owned",
            Finding::Unknown => "support.unknown",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.code() == code)
    }

    /// Whether a case about it has nothing left to do.
    pub fn is_solved(self) -> bool {
        matches!(self, Finding::There | Finding::Accepted)
    }

    fn nothing(reader: Reader) -> Self {
        match reader {
            Reader::Operator => Finding::Unknown,
            Reader::Partner => Finding::NotReported,
            Reader::Reporter => Finding::NotSent,
            Reader::Customer => Finding::NotOwned,
        }
    }
}

/// A line of a report that the reader may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was judged last.
    pub at: Micros,
    /// When its report came in.
    pub received: Micros,
    /// Whether it was judged again after its report had ended: until then it waited.
    pub again: bool,
    /// What it came to.
    pub verdict: Verdict,
    /// Whether a dispute over it was decided against it.
    pub decided_against: bool,
}

/// A move that the reader may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// When.
    pub at: Micros,
    /// Why.
    pub why: Why,
    /// Whether the line that moved it, if one did, is still kept.
    pub kept: bool,
}

/// What moved a PC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A line of a report.
    Line,
    /// A transfer.
    Transfer,
    /// A transfer's undoing.
    Undo,
    /// A customer declined it.
    Decline,
    /// It enrolled.
    Enrolment,
    /// Another operation.
    Other,
}

impl Why {
    /// From the log's word; `None` there is a line.
    pub fn of(cause: Option<&str>) -> Self {
        match cause {
            None => Why::Line,
            Some("transfer") => Why::Transfer,
            Some("undo") => Why::Undo,
            Some("decline") => Why::Decline,
            Some("enrolment") => Why::Enrolment,
            Some(_) => Why::Other,
        }
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Why::Line => "moved.report",
            Why::Transfer => "moved.transfer",
            Why::Undo => "moved.undo",
            Why::Decline => "moved.decline",
            Why::Enrolment => "moved.enrolment",
            Why::Other => "moved.other",
        }
    }
}

/// Where the PC is, if it is in the reader's reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// In a holding tenant.
    Pool,
    /// With a customer.
    Customer,
}

/// What a reader may know of a serial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Lines, oldest judgement first.
    pub lines: Vec<Line>,
    /// Moves, oldest first.
    pub moves: Vec<Move>,
    /// Where it is.
    pub here: Option<Here>,
    /// Whether a line of another seller disputes the reader's PC.
    pub contested: bool,
    /// Where the partner stands that a line waits for, if the reader may know.
    pub certification: Option<Certification>,
    /// Lines that came in before this day may be forgotten.
    pub kept_since: Option<Date>,
}

/// Where a cause comes from: what the server shows as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The line with this index among the facts.
    Line(usize),
    /// The move with this index.
    Move(usize),
    /// The state of now.
    Now,
}

/// What the reader can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Move the PC to a customer.
    Transfer,
    /// Open the PC's page.
    OpenDevice,
    /// Open the report, with its error file.
    OpenReport,
    /// Decide the dispute.
    OpenDispute,
    /// Look at the partner and its qualifications.
    OpenPartners,
    /// Open a support case with this serial.
    OpenCase,
}

impl Next {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Next::Transfer => "next.transfer",
            Next::OpenDevice => "next.open_device",
            Next::OpenReport => "next.open_report",
            Next::OpenDispute => "next.open_dispute",
            Next::OpenPartners => "next.open_partners",
            Next::OpenCase => "next.open_case",
        }
    }
}

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The stable code: a line's verdict, a move's, or the finding.
    pub code: &'static str,
    /// When; `None` for the state of now.
    pub at: Option<Micros>,
    /// The day that it speaks of.
    pub day: Option<Date>,
    /// Its evidence.
    pub source: Source,
}

/// A chain with what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it comes to.
    pub finding: Finding,
    /// From the first report to now; the last one is the finding.
    pub causes: Vec<Cause>,
    /// What to do.
    pub next: Option<Next>,
}

/// What a serial comes to.
pub fn finding(reader: Reader, facts: &Facts) -> Finding {
    if facts.here.is_some() {
        return Finding::There;
    }
    // A rejected line is as if it had never been sent; a repeated one says what the first said.
    let counts = |line: &&Line| !line.verdict.is_rejected() && line.verdict != Verdict::Duplicate;
    let Some(line) = facts.lines.iter().rev().find(counts).or(facts.lines.last()) else {
        return if facts.moves.is_empty() { Finding::nothing(reader) } else { Finding::Left };
    };
    match line.verdict.family() {
        "rejected" => Finding::Rejected,
        "disputed" if line.decided_against => Finding::DecidedAgainst,
        "disputed" => Finding::Disputed,
        "returned" => Finding::Returned,
        _ if line.verdict == Verdict::UnknownSeller => Finding::SellerUnknown,
        "parked" => Finding::Waits,
        // Placed, recorded, repeated. Where the PC is by now is none of a reporter's business.
        _ if reader == Reader::Reporter => Finding::Accepted,
        _ => Finding::Left,
    }
}

fn next(reader: Reader, finding: Finding, here: Option<Here>) -> Option<Next> {
    match (reader, finding) {
        (_, Finding::NotASerial) | (Reader::Reporter, Finding::Accepted) => None,
        (Reader::Partner, Finding::There) if here == Some(Here::Pool) => Some(Next::Transfer),
        (Reader::Partner, Finding::There) => Some(Next::OpenDevice),
        (Reader::Operator | Reader::Reporter | Reader::Customer, Finding::There) => None,
        (Reader::Operator, Finding::Waits | Finding::SellerUnknown) => Some(Next::OpenPartners),
        (Reader::Operator, Finding::Disputed | Finding::DecidedAgainst) => Some(Next::OpenDispute),
        (Reader::Operator, Finding::Unknown) => None,
        (Reader::Operator, _) | (Reader::Reporter, Finding::Rejected | Finding::SellerUnknown) => {
            Some(Next::OpenReport)
        }
        _ => Some(Next::OpenCase),
    }
}

/// Explains a serial.
pub fn explain(reader: Reader, facts: &Facts) -> Explanation {
    let mut causes: Vec<Cause> = Vec::with_capacity(facts.lines.len() + facts.moves.len() + 2);
    for (index, line) in facts.lines.iter().enumerate() {
        let (code, source) = (line.verdict.as_str(), Source::Line(index));
        if line.again {
            let (at, day) = (Some(line.received), Some(line.at.date()));
            causes.push(Cause { code: "explanation.waited", at, day, source });
        }
        causes.push(Cause { code, at: Some(line.at), day: None, source });
    }
    for (index, moved) in facts.moves.iter().enumerate() {
        // Whoever sees the line knows the move by it, unless the line is forgotten.
        let code = match (moved.why, reader) {
            (Why::Line, Reader::Operator | Reader::Partner | Reader::Reporter) if moved.kept => continue,
            (Why::Line, Reader::Operator | Reader::Partner | Reader::Reporter) => "archived.line",
            (why, _) => why.code(),
        };
        causes.push(Cause { code, at: Some(moved.at), day: None, source: Source::Move(index) });
    }
    causes.sort_by_key(|cause| cause.at);
    let now = |code, day| Cause { code, at: None, day, source: Source::Now };
    if facts.contested && facts.here.is_some() {
        causes.push(now("explanation.contested", None));
    }
    if let Some(since) = facts.kept_since.filter(|_| facts.lines.is_empty() && reader != Reader::Customer) {
        causes.push(now("archived.before", Some(since)));
    }
    let finding = finding(reader, facts);
    if let Some(certification) = facts.certification.filter(|_| finding == Finding::Waits) {
        causes.push(match certification {
            Certification::Open => now("explanation.not_certified", None),
            Certification::From(day) => now("explanation.certified_from", Some(day)),
            Certification::Ended(day) => now("explanation.certified_until", Some(day)),
        });
    }
    causes.push(now(finding.code(), None));
    Explanation { finding, causes, next: next(reader, finding, facts.here) }
}

/// What is said of a text that is no serial.
pub fn not_a_serial() -> Explanation {
    let code = Finding::NotASerial.code();
    let causes = vec![Cause { code, at: None, day: None, source: Source::Now }];
    Explanation { finding: Finding::NotASerial, causes, next: None }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn line(at: i64, verdict: Verdict) -> Line {
        Line { at: Micros(at), received: Micros(at), again: false, verdict, decided_against: false }
    }

    fn lines(verdicts: &[Verdict]) -> Facts {
        let lines = (1..).zip(verdicts).map(|(at, verdict)| line(at, *verdict)).collect();
        Facts { lines, ..Facts::default() }
    }

    #[test]
    fn findings_by_table() {
        use Reader::{Customer, Operator, Partner, Reporter};
        use Verdict::{
            Duplicate, PartnerNotQualified, Placed, ReturnOfUnheld, Returned, SerialInvalid, UnknownSeller,
        };
        for (verdicts, expected) in [
            (&[][..], [Finding::Unknown, Finding::NotReported, Finding::NotSent, Finding::NotOwned]),
            (&[Placed], [Finding::Left, Finding::Left, Finding::Accepted, Finding::Left]),
            (&[Placed, Duplicate], [Finding::Left, Finding::Left, Finding::Accepted, Finding::Left]),
            (&[PartnerNotQualified], [Finding::Waits; 4]),
            (&[PartnerNotQualified, SerialInvalid], [Finding::Waits; 4]),
            (&[UnknownSeller], [Finding::SellerUnknown; 4]),
            (&[SerialInvalid], [Finding::Rejected; 4]),
            (&[Placed, Returned], [Finding::Returned; 4]),
            (&[ReturnOfUnheld], [Finding::Disputed; 4]),
        ] {
            let facts = lines(verdicts);
            let got = [Operator, Partner, Reporter, Customer].map(|reader| finding(reader, &facts));
            assert_eq!(got, expected, "{verdicts:?}");
            let here = Facts { here: Some(Here::Pool), ..facts };
            assert_eq!(finding(Partner, &here), Finding::There, "{verdicts:?}");
        }
        let decided = Line { decided_against: true, ..line(1, ReturnOfUnheld) };
        let facts = Facts { lines: vec![decided], ..Facts::default() };
        assert_eq!(finding(Partner, &facts), Finding::DecidedAgainst);
    }

    #[test]
    fn a_chain_runs_from_the_first_report_to_now() {
        let moved = |at, why| Move { at: Micros(at), why, kept: true };
        let facts = Facts {
            moves: vec![moved(10, Why::Line), moved(20, Why::Transfer), moved(30, Why::Undo)],
            lines: vec![line(10, Verdict::Placed), line(25, Verdict::Duplicate)],
            here: Some(Here::Pool),
            contested: true,
            ..Facts::default()
        };
        let codes =
            |reader| explain(reader, &facts).causes.iter().map(|cause| cause.code).collect::<Vec<_>>();
        assert_eq!(
            codes(Reader::Partner),
            ["placed", "moved.transfer", "duplicate", "moved.undo", "explanation.contested", "support.there"]
        );
        assert_eq!(explain(Reader::Partner, &facts).next, Some(Next::Transfer));
        let with_customer = Facts { here: Some(Here::Customer), ..facts };
        assert_eq!(explain(Reader::Partner, &with_customer).next, Some(Next::OpenDevice));
        assert_eq!(explain(Reader::Operator, &with_customer).next, None);
    }

    /// A chain's codes with their days.
    fn told(reader: Reader, facts: &Facts) -> Vec<String> {
        let causes = explain(reader, facts).causes;
        let day = |cause: &Cause| cause.day.map_or_else(String::new, |day| format!(" {day}"));
        causes.iter().map(|cause| format!("{}{}", cause.code, day(cause))).collect()
    }

    #[test]
    fn until_when_a_partner_is_not_certified_is_a_cause_with_its_day() {
        let day = date(2026, 12, 1);
        for (certification, expected) in [
            (None, None),
            (Some(Certification::Open), Some("explanation.not_certified")),
            (Some(Certification::From(day)), Some("explanation.certified_from 2026-12-01")),
            (Some(Certification::Ended(day)), Some("explanation.certified_until 2026-12-01")),
        ] {
            let facts = Facts { certification, ..lines(&[Verdict::PartnerNotQualified]) };
            let mut causes = vec!["parked.partner_not_qualified"];
            causes.extend(expected);
            causes.push("support.waits");
            assert_eq!(told(Reader::Partner, &facts), causes, "{certification:?}");
            let placed = Facts { certification, ..lines(&[Verdict::Placed]) };
            assert_eq!(told(Reader::Partner, &placed), ["placed", "support.left"], "only while it waits");
        }
        // Once it is certified, the chain still says until when the line had waited.
        let waited = Line { again: true, at: Micros(86_400_000_000 * 20_000), ..line(1, Verdict::Placed) };
        let facts = Facts { lines: vec![waited], here: Some(Here::Pool), ..Facts::default() };
        let causes = ["explanation.waited 2024-10-04", "placed", "support.there"];
        assert_eq!(told(Reader::Partner, &facts), causes);
        assert_eq!(explain(Reader::Partner, &facts).causes[0].at, Some(Micros(1)));
    }

    #[test]
    fn what_is_no_longer_kept_is_said_to_be_archived() {
        use Reader::{Customer, Operator, Partner, Reporter};
        let moved = |kept| Move { at: Micros(10), why: Why::Line, kept };
        let since = Some(date(2025, 11, 1));
        let gone = Facts {
            moves: vec![moved(false)],
            here: Some(Here::Pool),
            kept_since: since,
            ..Facts::default()
        };
        for (reader, expected) in [
            (Operator, vec!["archived.line", "archived.before 2025-11-01", "support.there"]),
            (Partner, vec!["archived.line", "archived.before 2025-11-01", "support.there"]),
            // How a PC was sold is none of its business.
            (Customer, vec!["moved.report", "support.there"]),
        ] {
            assert_eq!(told(reader, &gone), expected, "{reader:?}");
        }
        let kept = Facts { moves: vec![moved(true)], kept_since: since, ..lines(&[Verdict::Placed]) };
        assert_eq!(told(Partner, &kept), ["placed", "support.left"], "a line that is there says all");
        let nothing = Facts { kept_since: since, ..Facts::default() };
        assert_eq!(told(Partner, &nothing), ["archived.before 2025-11-01", "support.not_reported"]);
        assert_eq!(told(Reporter, &nothing), ["archived.before 2025-11-01", "support.not_sent"]);
        assert_eq!(told(Customer, &nothing), ["support.not_owned"]);
        assert_eq!(told(Partner, &Facts::default()), ["support.not_reported"], "nothing is ever forgotten");
    }

    #[test]
    fn every_reader_has_something_to_do_where_something_is_missing() {
        for verdict in Verdict::ALL {
            for reader in [Reader::Partner, Reader::Reporter] {
                let explained = explain(reader, &lines(&[*verdict]));
                assert!(explained.next.is_some() || explained.finding.is_solved(), "{verdict:?} {reader:?}");
            }
        }
    }
}
