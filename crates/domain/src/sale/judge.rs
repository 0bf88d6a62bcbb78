//! The ordered rules 2 to 8: what a checked line comes to, against what is known of its serial.
//!
//! The caller loads a [`SerialState`] for each serial of a batch and calls [`judge`] line after line in file order;
//! each judgement changes the state, so that a sale, its return and a new sale may stand in one file.

use std::collections::HashMap;

use super::{Reason, SaleLine, Transaction, Verdict};
use crate::ids::{ReportId, ReporterId, TenantId};

/// A partner, found by the number that a report names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seller {
    /// The partner tenant.
    pub partner: TenantId,
    /// Whether it has a valid qualification today.
    pub qualified: bool,
}

/// The known partners by number, upper case.
pub type Sellers = HashMap<String, Seller>;

/// Who has the PC now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody: never placed, or returned.
    Nobody,
    /// A partner, in its holding tenant.
    Pool(TenantId),
    /// A customer; its partner, if it has one.
    Customer(Option<TenantId>),
}

/// A parked sale that still waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parked {
    /// In which report.
    pub report: ReportId,
    /// Which line of it.
    pub line: u64,
}

/// An earlier line on the same serial that was not rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Where it stands.
    pub at: Parked,
    /// Who reported it.
    pub reporter: ReporterId,
    /// What kind it was.
    pub transaction: Transaction,
    /// The seller's number.
    pub seller: String,
    /// The invoice number.
    pub invoice: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Whether it is parked and nothing has withdrawn it.
    pub waits: bool,
}

/// What is known of one serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialState {
    /// Who has the PC.
    pub holder: Holder,
    /// The lines since the last return, in the order in which they came.
    earlier: Vec<Earlier>,
}

impl SerialState {
    /// A serial with this holder and no line yet.
    pub fn new(holder: Holder) -> Self {
        Self { holder, earlier: Vec::new() }
    }

    /// The sellers of the lines that still count: a correction may have to know them.
    pub fn sellers(&self) -> impl Iterator<Item = &str> {
        self.earlier.iter().map(|line| line.seller.as_str())
    }

    /// Adds a line that came. What was before a return no longer makes a duplicate; the return itself does, until
    /// the serial is sold again, so that a file sent twice takes nothing back twice.
    pub fn remember(&mut self, line: Earlier) {
        if line.verdict == Verdict::Returned {
            // Another seller's parked sale is not touched by this return.
            self.earlier.retain(|e| e.waits && e.seller != line.seller);
        } else if !line.transaction.takes_back() && line.verdict != Verdict::Duplicate {
            self.earlier.retain(|e| e.verdict != Verdict::Returned);
        }
        self.earlier.push(line);
    }

    fn has(&self, line: &SaleLine) -> bool {
        self.earlier.iter().any(|e| {
            e.seller == line.seller && e.transaction == line.transaction && e.invoice == line.invoice
        })
    }

    fn parked_of(&self, seller: &str) -> Vec<Parked> {
        self.earlier.iter().filter(|e| e.waits && e.seller == seller).map(|e| e.at).collect()
    }

    /// The line that a correction replaces: of the same reporter, by invoice if one is named, else the latest.
    fn superseded(&self, line: &SaleLine, reporter: ReporterId) -> Option<&Earlier> {
        self.earlier.iter().rev().find(|e| {
            e.reporter == reporter
                && !e.transaction.takes_back()
                && (e.waits || matches!(e.verdict, Verdict::Placed | Verdict::AlreadyWithCustomer))
                && (line.supersedes.is_empty() || e.invoice == line.supersedes)
        })
    }
}

/// What a judged line does to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The PC enters this partner's pool.
    Place(TenantId),
    /// The PC leaves this partner's pool.
    TakeOut(TenantId),
    /// A parked sale no longer waits.
    Withdraw(Parked),
    /// The PC gets the entitlement that was sold.
    Entitle,
}

/// What a line came to, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The code.
    pub verdict: Verdict,
    /// Finer reasons; empty where the verdict says it all.
    pub reasons: Vec<Reason>,
    /// What to do, in this order.
    pub effects: Vec<Effect>,
    /// The partner's number whose arrival or qualification frees a parked line.
    pub waits_for: Option<String>,
}

impl Judgement {
    fn of(verdict: Verdict) -> Self {
        Self { verdict, reasons: Vec::new(), effects: Vec::new(), waits_for: None }
    }
}

/// Judges a line and lets the state know of it.
///
/// `at` is where the line stands and `reporter` who sent it. `replay` says that the line was parked before: it is
/// then not its own duplicate, and its place among the earlier lines stays.
pub fn judge(
    line: &SaleLine,
    state: &mut SerialState,
    sellers: &Sellers,
    at: Parked,
    reporter: ReporterId,
    replay: bool,
) -> Judgement {
    let judgement = if replay {
        state.earlier.retain(|e| e.at != at);
        decide(line, state, sellers, reporter)
    } else if state.has(line) {
        // Word for word what is known already: nothing to remember.
        return Judgement::of(Verdict::Duplicate);
    } else {
        decide(line, state, sellers, reporter)
    };
    for effect in &judgement.effects {
        match effect {
            Effect::Place(partner) => state.holder = Holder::Pool(*partner),
            Effect::TakeOut(_) => state.holder = Holder::Nobody,
            Effect::Withdraw(parked) => {
                for earlier in state.earlier.iter_mut().filter(|e| e.at == *parked) {
                    earlier.waits = false;
                }
            }
            Effect::Entitle => {}
        }
    }
    state.remember(Earlier {
        at,
        reporter,
        transaction: line.transaction,
        seller: line.seller.clone(),
        invoice: line.invoice.clone(),
        verdict: judgement.verdict,
        waits: judgement.verdict.is_parked(),
    });
    judgement
}

fn decide(line: &SaleLine, state: &SerialState, sellers: &Sellers, reporter: ReporterId) -> Judgement {
    let Some(seller) = sellers.get(&line.seller) else {
        return Judgement { waits_for: Some(line.seller.clone()), ..Judgement::of(Verdict::UnknownSeller) };
    };
    match line.transaction {
        Transaction::Return | Transaction::Void => take_back(line, state, *seller),
        Transaction::Sale => sell(line, state.holder, *seller, sellers),
        Transaction::Correction => correct(line, state, *seller, sellers, reporter),
    }
}

fn take_back(line: &SaleLine, state: &SerialState, seller: Seller) -> Judgement {
    let mut effects: Vec<Effect> = state.parked_of(&line.seller).into_iter().map(Effect::Withdraw).collect();
    match state.holder {
        Holder::Pool(partner) if partner == seller.partner => effects.push(Effect::TakeOut(partner)),
        Holder::Customer(partner) if partner.is_none_or(|p| p == seller.partner) => {
            return Judgement::of(Verdict::ReturnOfAssigned);
        }
        _ if effects.is_empty() => return Judgement::of(Verdict::ReturnOfUnheld),
        _ => {}
    }
    Judgement { effects, ..Judgement::of(Verdict::Returned) }
}

fn sell(line: &SaleLine, holder: Holder, seller: Seller, sellers: &Sellers) -> Judgement {
    match holder {
        Holder::Customer(Some(partner)) if partner == seller.partner => {
            Judgement { effects: vec![Effect::Entitle], ..Judgement::of(Verdict::AlreadyWithCustomer) }
        }
        Holder::Customer(_) => Judgement::of(Verdict::CustomerOfOtherPartner),
        Holder::Pool(partner) if partner == seller.partner => match sellers.get(&line.buyer) {
            Some(buyer) if buyer.partner != partner => {
                let mut resale = enter(*buyer, &line.buyer);
                resale.reasons.push(Reason::new("resale"));
                if resale.verdict == Verdict::Placed {
                    resale.effects.insert(0, Effect::TakeOut(partner));
                }
                resale
            }
            // Its invoice is a new one, so the line itself is remembered.
            _ => Judgement {
                reasons: vec![Reason::new("held_by_seller")],
                ..Judgement::of(Verdict::Duplicate)
            },
        },
        Holder::Pool(_) => Judgement::of(Verdict::SoldByOtherPartner),
        Holder::Nobody => enter(seller, &line.seller),
    }
}

fn enter(partner: Seller, number: &str) -> Judgement {
    if partner.qualified {
        Judgement {
            effects: vec![Effect::Place(partner.partner), Effect::Entitle],
            ..Judgement::of(Verdict::Placed)
        }
    } else {
        Judgement { waits_for: Some(number.to_owned()), ..Judgement::of(Verdict::PartnerNotQualified) }
    }
}

/// The void of the superseded line, then the sale. Where there is none to supersede, it is a sale.
fn correct(
    line: &SaleLine,
    state: &SerialState,
    seller: Seller,
    sellers: &Sellers,
    reporter: ReporterId,
) -> Judgement {
    let Some(old) = state.superseded(line, reporter) else {
        return sell(line, state.holder, seller, sellers);
    };
    let (holder, undo) = match state.holder {
        _ if old.waits => (state.holder, Effect::Withdraw(old.at)),
        Holder::Pool(partner) if sellers.get(&old.seller).is_some_and(|s| s.partner == partner) => {
            (Holder::Nobody, Effect::TakeOut(partner))
        }
        holder => return sell(line, holder, seller, sellers),
    };
    let mut sale = sell(line, holder, seller, sellers);
    sale.effects.insert(0, undo);
    sale.reasons.push(Reason::new("supersedes"));
    sale
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const A: TenantId = TenantId(Uuid::from_u128(0xa));
    const B: TenantId = TenantId(Uuid::from_u128(0xb));
    const NEW: TenantId = TenantId(Uuid::from_u128(0xc));
    const REPORTER: ReporterId = ReporterId(Uuid::from_u128(1));
    const REPORT: ReportId = ReportId(Uuid::from_u128(2));

    fn sellers() -> Sellers {
        [("A", A, true), ("B", B, true), ("NEW", NEW, false)]
            .into_iter()
            .map(|(number, partner, qualified)| (number.to_owned(), Seller { partner, qualified }))
            .collect()
    }

    fn line(kind: Transaction, seller: &str, buyer: &str, invoice: &str) -> SaleLine {
        SaleLine {
            line: 1,
            transaction: kind,
            date: date(2026, 11, 18),
            shipped_on: None,
            seller: seller.to_owned(),
            buyer: buyer.to_owned(),
            serial: "5CG1234ABC".to_owned(),
            manufacturer: None,
            level: None,
            months: None,
            invoice: invoice.to_owned(),
            supersedes: String::new(),
        }
    }

    /// Judges lines written as `sale A 1` or `sale A>B 1` (kind, seller, buyer, invoice) one after the other.
    fn story(holder: Holder, sellers: &Sellers, lines: &[&str]) -> (SerialState, Vec<Judgement>) {
        let mut state = SerialState::new(holder);
        let mut judgements = Vec::new();
        for (index, text) in lines.iter().enumerate() {
            let words: Vec<&str> = text.split(' ').collect();
            let (seller, buyer) = words[1].split_once('>').unwrap_or((words[1], ""));
            let mut line = line(Transaction::from_code(words[0]).unwrap(), seller, buyer, words[2]);
            line.supersedes = words.get(3).unwrap_or(&"").to_string();
            let at = Parked { report: REPORT, line: index as u64 + 1 };
            judgements.push(judge(&line, &mut state, sellers, at, REPORTER, false));
        }
        (state, judgements)
    }

    fn verdicts(holder: Holder, lines: &[&str]) -> Vec<&'static str> {
        story(holder, &sellers(), lines).1.iter().map(|j| j.verdict.as_str()).collect()
    }

    #[test]
    fn the_ordered_rules() {
        use Holder::*;
        let cases: &[(Holder, &[&str], &[&str])] = &[
            (Nobody, &["sale A 1"], &["placed"]),
            (Nobody, &["sale A 1", "sale A 1"], &["placed", "duplicate"]),
            (Nobody, &["sale A 1", "sale A 2"], &["placed", "duplicate"]),
            (Nobody, &["sale A 1", "sale B 1"], &["placed", "disputed.sold_by_other_partner"]),
            (
                Nobody,
                &["sale A 1", "sale B 1", "sale B 1"],
                &["placed", "disputed.sold_by_other_partner", "duplicate"],
            ),
            (
                Nobody,
                &["sale A 1", "sale A 2", "sale A>B 3", "sale A 2"],
                &["placed", "duplicate", "placed", "duplicate"],
            ),
            (Nobody, &["sale X 1", "sale X 1"], &["parked.unknown_seller", "duplicate"]),
            (Nobody, &["sale NEW 1", "sale NEW 1"], &["parked.partner_not_qualified", "duplicate"]),
            (Nobody, &["sale NEW 1", "sale A 1"], &["parked.partner_not_qualified", "placed"]),
            (Nobody, &["sale A 1", "return A 1"], &["placed", "returned"]),
            (Nobody, &["sale A 1", "return A 1", "return A 1"], &["placed", "returned", "duplicate"]),
            (Nobody, &["sale A 1", "return A 1", "sale A 1"], &["placed", "returned", "placed"]),
            (Nobody, &["sale A 1", "return A 1", "sale B 2"], &["placed", "returned", "placed"]),
            (Nobody, &["sale A 1", "void A 1"], &["placed", "returned"]),
            (Nobody, &["sale A 1", "return B 1"], &["placed", "disputed.return_of_unheld"]),
            (Nobody, &["return A 1", "return A 1"], &["disputed.return_of_unheld", "duplicate"]),
            (Nobody, &["return A 1", "sale A 1"], &["disputed.return_of_unheld", "placed"]),
            (Nobody, &["return X 1"], &["parked.unknown_seller"]),
            (Nobody, &["sale NEW 1", "return NEW 1"], &["parked.partner_not_qualified", "returned"]),
            (Nobody, &["sale A>B 1"], &["placed"]),
            (Nobody, &["sale A 1", "sale A>B 2"], &["placed", "placed"]),
            (Nobody, &["sale A 1", "sale A>NEW 2"], &["placed", "parked.partner_not_qualified"]),
            (Nobody, &["sale A 1", "sale A>A 2"], &["placed", "duplicate"]),
            (Nobody, &["sale A 1", "sale A>C-77 2"], &["placed", "duplicate"]),
            (Customer(Some(A)), &["sale A 1"], &["recorded.already_with_customer"]),
            (Customer(Some(A)), &["sale B 1"], &["disputed.customer_of_other_partner"]),
            (Customer(None), &["sale A 1"], &["disputed.customer_of_other_partner"]),
            (Customer(Some(A)), &["return A 1"], &["disputed.return_of_assigned"]),
            (Customer(Some(A)), &["return B 1"], &["disputed.return_of_unheld"]),
            (Pool(A), &["sale A 9"], &["duplicate"]),
            (Nobody, &["sale A 1", "correction B 2 1"], &["placed", "placed"]),
            (Nobody, &["sale A 1", "correction NEW 2 1"], &["placed", "parked.partner_not_qualified"]),
            (Nobody, &["sale A 1", "correction B 2 7"], &["placed", "disputed.sold_by_other_partner"]),
            (Nobody, &["sale NEW 1", "correction A 2 1"], &["parked.partner_not_qualified", "placed"]),
            (Nobody, &["correction A 2 1"], &["placed"]),
        ];
        for (holder, lines, expected) in cases {
            assert_eq!(verdicts(*holder, lines), *expected, "{holder:?} {lines:?}");
        }
    }

    #[test]
    fn effects_follow_the_verdict() {
        let (state, judged) = story(Holder::Nobody, &sellers(), &["sale A 1", "sale A>B 2"]);
        assert_eq!(state.holder, Holder::Pool(B));
        assert_eq!(judged[1].effects, [Effect::TakeOut(A), Effect::Place(B), Effect::Entitle]);
        let (state, judged) = story(Holder::Nobody, &sellers(), &["sale NEW 1", "return NEW 1"]);
        assert_eq!(state.holder, Holder::Nobody);
        assert_eq!(judged[0].waits_for.as_deref(), Some("NEW"));
        assert_eq!(judged[1].effects, [Effect::Withdraw(Parked { report: REPORT, line: 1 })]);
    }

    #[test]
    fn another_reporter_cannot_correct() {
        let (mut state, _) = story(Holder::Nobody, &sellers(), &["sale A 1"]);
        let mut correction = line(Transaction::Correction, "B", "", "2");
        correction.supersedes = "1".to_owned();
        let at = Parked { report: REPORT, line: 9 };
        let other = ReporterId(Uuid::from_u128(77));
        let judged = judge(&correction, &mut state, &sellers(), at, other, false);
        assert_eq!(judged.verdict, Verdict::SoldByOtherPartner);
    }

    #[test]
    fn a_parked_line_is_replayed_against_the_present() {
        let (mut state, _) = story(Holder::Nobody, &sellers(), &["sale NEW 1"]);
        let mut certified = sellers();
        certified.insert("NEW".to_owned(), Seller { partner: NEW, qualified: true });
        let at = Parked { report: REPORT, line: 1 };
        let replayed =
            judge(&line(Transaction::Sale, "NEW", "", "1"), &mut state, &certified, at, REPORTER, true);
        assert_eq!((replayed.verdict, state.holder), (Verdict::Placed, Holder::Pool(NEW)));

        let (mut state, _) = story(Holder::Nobody, &sellers(), &["sale NEW 1", "sale A 1"]);
        let replayed =
            judge(&line(Transaction::Sale, "NEW", "", "1"), &mut state, &certified, at, REPORTER, true);
        assert_eq!((replayed.verdict, state.holder), (Verdict::SoldByOtherPartner, Holder::Pool(A)));
    }

    proptest! {
        /// A file sent again, in whatever order its lines were, leaves every PC where it was.
        #[test]
        fn the_same_lines_again_move_nothing(
            lines in prop::collection::vec((0..2_usize, 0..4_usize, 0..4_usize, 0..3_usize), 1..12)
        ) {
            let texts: Vec<String> = lines.iter().map(|(kind, seller, buyer, invoice)| {
                let kind = ["sale", "return"][*kind];
                let (seller, buyer) = (["A", "B", "NEW", "X"][*seller], ["", ">A", ">B", ">NEW"][*buyer]);
                format!("{kind} {seller}{buyer} {invoice}")
            }).collect();
            let once: Vec<&str> = texts.iter().map(String::as_str).collect();
            let sales_only = once.iter().all(|text| text.starts_with("sale") && !text.contains('>'));
            let (after_one, _) = story(Holder::Nobody, &sellers(), &once);
            let twice: Vec<&str> = once.iter().chain(once.iter()).copied().collect();
            let (after_two, judged) = story(Holder::Nobody, &sellers(), &twice);
            if sales_only {
                prop_assert_eq!(after_one.holder, after_two.holder);
                prop_assert!(judged[once.len()..].iter().all(|j| j.verdict == Verdict::Duplicate));
            }
        }

        /// Whatever comes, a PC is only ever in the pool of a qualified partner, and effects say how it got there.
        #[test]
        fn effects_explain_the_holder(
            lines in prop::collection::vec((0..4_usize, 0..4_usize, 0..4_usize, 0..3_usize), 1..20)
        ) {
            let mut state = SerialState::new(Holder::Nobody);
            let mut held: Option<TenantId> = None;
            for (index, (kind, seller, buyer, invoice)) in lines.into_iter().enumerate() {
                let kind = [Transaction::Sale, Transaction::Return, Transaction::Void, Transaction::Correction][kind];
                let line = line(kind, ["A", "B", "NEW", "X"][seller], ["", "A", "B", "NEW"][buyer], ["1", "2", "3"][invoice]);
                let at = Parked { report: REPORT, line: index as u64 + 1 };
                for effect in judge(&line, &mut state, &sellers(), at, REPORTER, false).effects {
                    match effect {
                        Effect::Place(partner) => {
                            prop_assert_eq!(held, None, "placed while held");
                            prop_assert!(partner == A || partner == B);
                            held = Some(partner);
                        }
                        Effect::TakeOut(partner) => {
                            prop_assert_eq!(held, Some(partner), "taken from one who does not hold it");
                            held = None;
                        }
                        _ => {}
                    }
                }
                prop_assert_eq!(state.holder, held.map_or(Holder::Nobody, Holder::Pool));
            }
        }
    }
}
