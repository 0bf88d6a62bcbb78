//! What an enrolment comes to: a PC asks to join, by its serial alone, by a cPIN, or because its serial is on a
//! zero-touch list. A cPIN is the customer's word for its own PCs and nobody else's (decision 10). What cannot be decided
//! waits in quarantine, with a reason, for whoever may decide it; it never shows up in somebody's list (R9).

use crate::cpin::Closed;
use crate::ids::TenantId;

/// New enrolments that concern nobody which one network (an IPv4 address, a /64 of IPv6) has in an hour: a company may
/// roll its PCs out from behind one address before they are reported.
pub const UNKNOWN_PER_NETWORK: i64 = 2_000;
/// New enrolments that concern nobody which all networks together have in an hour.
pub const UNKNOWN_IN_ALL: i64 = 50_000;

/// Whether a new enrolment that concerns nobody is kept, after so many of this hour from its network and in all.
pub fn keeps_unknown(of_network: i64, in_all: i64) -> bool {
    of_network < UNKNOWN_PER_NETWORK && in_all < UNKNOWN_IN_ALL
}

/// A customer tenant with the partner that manages it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The tenant.
    pub tenant: TenantId,
    /// Its partner, if it has accepted one.
    pub partner: Option<TenantId>,
}

/// Who speaks for the PC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nobody: it shows its serial alone.
    Nobody,
    /// It shows a cPIN of this customer; why that opens nothing any more, if so.
    Cpin(Customer, Result<(), Closed>),
    /// It shows a cPIN that nobody has.
    UnknownCpin,
    /// Its serial is on this customer's zero-touch list.
    Listed(Customer),
    /// Its serial is on the lists of several customers.
    ListedTwice,
}

impl Word {
    /// The customer that speaks for it.
    pub fn customer(&self) -> Option<Customer> {
        match self {
            Word::Cpin(customer, _) | Word::Listed(customer) => Some(*customer),
            Word::Nobody | Word::UnknownCpin | Word::ListedTwice => None,
        }
    }

    /// Whether nobody speaks for it, not even two at once: what it shows anybody can make up.
    pub fn is_nobodys(&self) -> bool {
        matches!(self, Word::Nobody | Word::UnknownCpin)
    }
}

/// Where the PC is by the platform's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nowhere: never reported, parked, or returned.
    Nowhere,
    /// In a partner's pool.
    Pool(TenantId),
    /// With a customer.
    Customer(Customer),
}

/// How the key that the PC shows stands to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The PC has no key yet, and nobody else asks for it.
    First,
    /// It is the PC's key already.
    Same,
    /// The PC has no key yet, and another key asks for the same serial.
    Rival,
    /// The PC has another key.
    Second,
    /// The key is another PC's: a copied disk, or a new mainboard.
    Taken,
}

/// The PC's domain beside the customer's list of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// On the list, or there is no list.
    Known,
    /// Not on the list.
    Foreign,
    /// Not on the list, and the user at the PC has confirmed that it is meant so.
    Confirmed,
}

/// Whose yes an enrolment already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Of those who have the PC.
    pub by_holder: bool,
    /// Of those who are to get it.
    pub by_customer: bool,
}

/// One enrolment, with all that decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Who speaks for the PC.
    pub word: Word,
    /// Where it is.
    pub held: Held,
    /// Its key.
    pub key: Key,
    /// Its domain.
    pub domain: Domain,
    /// Whether the customer that speaks for it was disabled.
    pub disabled: bool,
    /// Whose yes it has.
    pub released: Released,
}

/// By what a PC was believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its serial alone: trust on first use. It opens no personal data.
    Serial,
    /// A zero-touch list.
    Listed,
    /// A cPIN: whoever set the PC up has it from the customer.
    Cpin,
    /// Somebody who may has released it.
    Released,
}

impl Proof {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::Serial => "serial",
            Proof::Listed => "zero_touch",
            Proof::Cpin => "cpin",
            Proof::Released => "released",
        }
    }
}

/// What an enrolment comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The key is the PC's from now on; the PC stays where it is.
    Stay(Proof),
    /// The key is the PC's, and the PC comes to this customer: out of a pool, from another customer that let it go, or,
    /// never reported, from nowhere.
    Join(TenantId, Proof),
    /// It waits in quarantine.
    Wait(Reason),
}

/// Why an enrolment waits. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No report has placed the PC yet, and no cPIN speaks for it.
    NotPlaced,
    /// The PC has another key: it was set up anew, or one of the two is not this PC.
    SecondKey,
    /// The key is another PC's: the PC has to make one of its own.
    KeyTaken,
    /// Several keys ask for this serial, and none came with a cPIN.
    RivalKeys,
    /// The PC is in the pool of another partner than the customer's.
    OtherPartnersPool,
    /// The PC is with another customer.
    OtherCustomersTenant,
    /// Several customers have the serial on their lists.
    ListedTwice,
    /// The PC's domain is none of the customer's.
    ForeignDomain,
    /// The cPIN is nobody's.
    CpinUnknown,
    /// The cPIN is past its day.
    CpinExpired,
    /// The cPIN has enrolled as many PCs as it may.
    CpinUsedUp,
    /// The cPIN was taken back.
    CpinRevoked,
    /// The customer tenant is disabled.
    CustomerDisabled,
}

/// Who can end the waiting by a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// Those who have the PC.
    Holder,
    /// Those who are to get it.
    Customer,
    /// Nobody: something else has to happen first.
    Nobody,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 13] = [
        Reason::NotPlaced,
        Reason::SecondKey,
        Reason::KeyTaken,
        Reason::RivalKeys,
        Reason::OtherPartnersPool,
        Reason::OtherCustomersTenant,
        Reason::ListedTwice,
        Reason::ForeignDomain,
        Reason::CpinUnknown,
        Reason::CpinExpired,
        Reason::CpinUsedUp,
        Reason::CpinRevoked,
        Reason::CustomerDisabled,
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NotPlaced => "enrolment.not_placed",
            Reason::SecondKey => "enrolment.second_key",
            Reason::KeyTaken => "enrolment.key_taken",
            Reason::RivalKeys => "enrolment.rival_keys",
            Reason::OtherPartnersPool => "enrolment.other_partners_pool",
            Reason::OtherCustomersTenant => "enrolment.other_customers_tenant",
            Reason::ListedTwice => "enrolment.listed_twice",
            Reason::ForeignDomain => "enrolment.foreign_domain",
            Reason::CpinUnknown => "enrolment.cpin_unknown",
            Reason::CpinExpired => "enrolment.cpin_expired",
            Reason::CpinUsedUp => "enrolment.cpin_used_up",
            Reason::CpinRevoked => "enrolment.cpin_revoked",
            Reason::CustomerDisabled => "enrolment.customer_disabled",
        }
    }

    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }

    /// Who can end it.
    pub fn decider(self) -> Decider {
        match self {
            Reason::SecondKey
            | Reason::RivalKeys
            | Reason::OtherPartnersPool
            | Reason::OtherCustomersTenant => Decider::Holder,
            Reason::ForeignDomain | Reason::CpinExpired | Reason::CpinUsedUp | Reason::CpinRevoked => {
                Decider::Customer
            }
            Reason::NotPlaced
            | Reason::KeyTaken
            | Reason::ListedTwice
            | Reason::CpinUnknown
            | Reason::CustomerDisabled => Decider::Nobody,
        }
    }
}

/// Decides an enrolment.
pub fn decide(case: &Case) -> Decision {
    use Decision::{Join, Stay, Wait};
    if case.key == Key::Taken {
        return Wait(Reason::KeyTaken);
    }
    match case.word {
        Word::ListedTwice => return Wait(Reason::ListedTwice),
        Word::UnknownCpin => return Wait(Reason::CpinUnknown),
        Word::Nobody | Word::Cpin(..) | Word::Listed(_) => {}
    }
    let Some(customer) = case.word.customer() else {
        return match (case.held, case.key) {
            (Held::Nowhere, _) => Wait(Reason::NotPlaced),
            (_, Key::First | Key::Same) => Stay(Proof::Serial),
            _ if case.released.by_holder => Stay(Proof::Released),
            (_, Key::Rival) => Wait(Reason::RivalKeys),
            (_, Key::Second | Key::Taken) => Wait(Reason::SecondKey),
        };
    };
    let is_there = matches!(case.held, Held::Customer(holder) if holder.tenant == customer.tenant);
    if is_there && case.key == Key::Same && (case.disabled || matches!(case.word, Word::Cpin(_, Err(_)))) {
        // A roll-out runs again after the cPIN has ended or in a disabled tenant: nothing is proved anew, and nothing is
        // lost.
        return Stay(Proof::Serial);
    }
    if case.disabled {
        return Wait(Reason::CustomerDisabled);
    }
    let by_cpin = matches!(case.word, Word::Cpin(..));
    let mut proof = if by_cpin { Proof::Cpin } else { Proof::Listed };
    if !case.released.by_customer {
        if let Word::Cpin(_, Err(closed)) = case.word {
            return Wait(match closed {
                Closed::Revoked => Reason::CpinRevoked,
                Closed::Expired => Reason::CpinExpired,
                Closed::UsedUp => Reason::CpinUsedUp,
            });
        }
        if case.domain == Domain::Foreign {
            return Wait(Reason::ForeignDomain);
        }
    } else {
        proof = Proof::Released;
    }
    // A list proves nothing of a PC that nobody has reported: anybody's serial can stand on it.
    if !by_cpin && case.held == Held::Nowhere {
        return Wait(Reason::NotPlaced);
    }
    let at_home = match case.held {
        Held::Nowhere => true,
        Held::Pool(partner) => customer.partner == Some(partner),
        Held::Customer(_) => is_there,
    };
    let key_waits = match case.key {
        Key::First | Key::Same => None,
        // Of several the one with the cPIN is believed.
        Key::Rival => (!by_cpin).then_some(Reason::RivalKeys),
        Key::Second | Key::Taken => Some(Reason::SecondKey),
    };
    if !at_home || key_waits.is_some() {
        if !case.released.by_holder {
            return Wait(match case.held {
                Held::Pool(_) if !at_home => Reason::OtherPartnersPool,
                Held::Customer(_) if !at_home => Reason::OtherCustomersTenant,
                _ => key_waits.unwrap_or(Reason::SecondKey),
            });
        }
        proof = Proof::Released;
    }
    if is_there { Stay(proof) } else { Join(customer.tenant, proof) }
}

/// Whether a PC's domain is the customer's, or below one of them; a customer that names none asks for none.
pub fn is_own_domain(domain: &str, own: &[String]) -> bool {
    let domain = domain.trim().trim_end_matches('.').to_lowercase();
    let below = |own: &String| {
        domain.strip_suffix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    own.is_empty() || own.iter().any(below)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const OWN: TenantId = TenantId(Uuid::from_u128(1));
    const OTHER: TenantId = TenantId(Uuid::from_u128(2));
    const MUSTER: Customer = Customer { tenant: TenantId(Uuid::from_u128(3)), partner: Some(OWN) };
    const NEIGHBOUR: Customer = Customer { tenant: TenantId(Uuid::from_u128(4)), partner: Some(OWN) };
    const ALONE: Customer = Customer { tenant: TenantId(Uuid::from_u128(5)), partner: None };

    fn case(word: Word, held: Held, key: Key) -> Case {
        let released = Released::default();
        Case { word, held, key, domain: Domain::Known, disabled: false, released }
    }

    #[test]
    fn decision_10_case_by_case() {
        use Decision::{Join, Stay, Wait};
        let pin = |customer| Word::Cpin(customer, Ok(()));
        let closed = |why| Word::Cpin(MUSTER, Err(why));
        let here = Join(MUSTER.tenant, Proof::Cpin);
        let table = [
            // A cPIN, the customer's word.
            (pin(MUSTER), Held::Pool(OWN), Key::First, here),
            (pin(MUSTER), Held::Pool(OWN), Key::Same, here),
            (pin(MUSTER), Held::Pool(OWN), Key::Rival, here),
            (pin(MUSTER), Held::Pool(OWN), Key::Second, Wait(Reason::SecondKey)),
            (pin(MUSTER), Held::Pool(OWN), Key::Taken, Wait(Reason::KeyTaken)),
            (pin(MUSTER), Held::Pool(OTHER), Key::First, Wait(Reason::OtherPartnersPool)),
            (pin(MUSTER), Held::Pool(OTHER), Key::Second, Wait(Reason::OtherPartnersPool)),
            (pin(ALONE), Held::Pool(OWN), Key::First, Wait(Reason::OtherPartnersPool)),
            (pin(MUSTER), Held::Customer(MUSTER), Key::First, Stay(Proof::Cpin)),
            (pin(MUSTER), Held::Customer(MUSTER), Key::Same, Stay(Proof::Cpin)),
            (pin(MUSTER), Held::Customer(MUSTER), Key::Second, Wait(Reason::SecondKey)),
            (pin(MUSTER), Held::Customer(NEIGHBOUR), Key::First, Wait(Reason::OtherCustomersTenant)),
            (pin(MUSTER), Held::Customer(ALONE), Key::Same, Wait(Reason::OtherCustomersTenant)),
            (pin(MUSTER), Held::Nowhere, Key::First, here),
            (pin(ALONE), Held::Nowhere, Key::First, Join(ALONE.tenant, Proof::Cpin)),
            (pin(MUSTER), Held::Nowhere, Key::Second, Wait(Reason::SecondKey)),
            // One that opens nothing any more.
            (closed(Closed::Expired), Held::Pool(OWN), Key::First, Wait(Reason::CpinExpired)),
            (closed(Closed::UsedUp), Held::Nowhere, Key::First, Wait(Reason::CpinUsedUp)),
            (closed(Closed::Revoked), Held::Customer(MUSTER), Key::First, Wait(Reason::CpinRevoked)),
            (closed(Closed::Revoked), Held::Customer(MUSTER), Key::Same, Stay(Proof::Serial)),
            (closed(Closed::Expired), Held::Pool(OWN), Key::Same, Wait(Reason::CpinExpired)),
            // A zero-touch list.
            (Word::Listed(MUSTER), Held::Pool(OWN), Key::First, Join(MUSTER.tenant, Proof::Listed)),
            (Word::Listed(MUSTER), Held::Pool(OWN), Key::Rival, Wait(Reason::RivalKeys)),
            (Word::Listed(MUSTER), Held::Pool(OTHER), Key::First, Wait(Reason::OtherPartnersPool)),
            (Word::Listed(MUSTER), Held::Customer(MUSTER), Key::First, Stay(Proof::Listed)),
            (Word::Listed(MUSTER), Held::Customer(NEIGHBOUR), Key::First, Wait(Reason::OtherCustomersTenant)),
            (Word::Listed(MUSTER), Held::Nowhere, Key::First, Wait(Reason::NotPlaced)),
            (Word::ListedTwice, Held::Pool(OWN), Key::First, Wait(Reason::ListedTwice)),
            (Word::UnknownCpin, Held::Pool(OWN), Key::First, Wait(Reason::CpinUnknown)),
            (Word::UnknownCpin, Held::Customer(MUSTER), Key::Same, Wait(Reason::CpinUnknown)),
            // The serial alone.
            (Word::Nobody, Held::Nowhere, Key::First, Wait(Reason::NotPlaced)),
            (Word::Nobody, Held::Nowhere, Key::Rival, Wait(Reason::NotPlaced)),
            (Word::Nobody, Held::Pool(OWN), Key::First, Stay(Proof::Serial)),
            (Word::Nobody, Held::Pool(OWN), Key::Same, Stay(Proof::Serial)),
            (Word::Nobody, Held::Pool(OWN), Key::Rival, Wait(Reason::RivalKeys)),
            (Word::Nobody, Held::Pool(OWN), Key::Second, Wait(Reason::SecondKey)),
            (Word::Nobody, Held::Customer(MUSTER), Key::First, Stay(Proof::Serial)),
            (Word::Nobody, Held::Customer(MUSTER), Key::Second, Wait(Reason::SecondKey)),
        ];
        for (word, held, key, expected) in table {
            assert_eq!(decide(&case(word, held, key)), expected, "{word:?} {held:?} {key:?}");
        }
    }

    #[test]
    fn a_foreign_domain_waits_until_somebody_confirms_it() {
        let base = case(Word::Cpin(MUSTER, Ok(())), Held::Pool(OWN), Key::First);
        let foreign = Case { domain: Domain::Foreign, ..base };
        assert_eq!(decide(&foreign), Decision::Wait(Reason::ForeignDomain));
        let confirmed = Case { domain: Domain::Confirmed, ..base };
        assert_eq!(decide(&confirmed), Decision::Join(MUSTER.tenant, Proof::Cpin));
        let released = Released { by_customer: true, ..Released::default() };
        let released = Case { released, ..foreign };
        assert_eq!(decide(&released), Decision::Join(MUSTER.tenant, Proof::Released));
        assert_eq!(decide(&Case { disabled: true, ..released }), Decision::Wait(Reason::CustomerDisabled));
    }

    #[test]
    fn a_disabled_customer_takes_no_pc_and_keeps_those_that_are_there() {
        use Decision::{Stay, Wait};
        let (pin, list) = (Word::Cpin(MUSTER, Ok(())), Word::Listed(MUSTER));
        let waits = Wait(Reason::CustomerDisabled);
        for (word, held, key, expected) in [
            (pin, Held::Pool(OWN), Key::First, waits),
            (pin, Held::Nowhere, Key::First, waits),
            (pin, Held::Customer(NEIGHBOUR), Key::First, waits),
            (list, Held::Pool(OWN), Key::First, waits),
            (pin, Held::Customer(MUSTER), Key::First, waits),
            (pin, Held::Customer(MUSTER), Key::Second, waits),
            (pin, Held::Customer(MUSTER), Key::Same, Stay(Proof::Serial)),
            (list, Held::Customer(MUSTER), Key::Same, Stay(Proof::Serial)),
            (Word::Nobody, Held::Customer(MUSTER), Key::First, Stay(Proof::Serial)),
        ] {
            let disabled = Case { disabled: true, ..case(word, held, key) };
            assert_eq!(decide(&disabled), expected, "{word:?} {held:?} {key:?}");
        }
    }

    #[test]
    fn what_concerns_nobody_is_kept_up_to_a_number_by_network_and_in_all() {
        for (of_network, in_all, expected) in [
            (0, 0, true),
            (UNKNOWN_PER_NETWORK - 1, UNKNOWN_IN_ALL - 1, true),
            (UNKNOWN_PER_NETWORK, UNKNOWN_PER_NETWORK, false),
            (0, UNKNOWN_IN_ALL, false),
        ] {
            assert_eq!(keeps_unknown(of_network, in_all), expected, "{of_network} {in_all}");
        }
        let list = Word::Listed(MUSTER);
        let words = [Word::Nobody, Word::UnknownCpin, list, Word::ListedTwice, Word::Cpin(MUSTER, Ok(()))];
        assert_eq!(words.map(|word| word.is_nobodys()), [true, true, false, false, false]);
    }

    #[test]
    fn domains_and_those_below_them() {
        let own = ["werft.example".to_owned(), "kai.example".to_owned()];
        for domain in ["werft.example", "Werft.Example.", "hh.kai.example"] {
            assert!(is_own_domain(domain, &own), "{domain}");
        }
        for domain in ["", "example", "notwerft.example", "werft.example.org"] {
            assert!(!is_own_domain(domain, &own), "{domain}");
        }
        assert!(is_own_domain("", &[]));
    }

    fn any_case() -> impl Strategy<Value = Case> {
        let customer = prop::sample::select(vec![MUSTER, NEIGHBOUR, ALONE]);
        let closed = prop::sample::select(vec![
            Ok(()),
            Err(Closed::Expired),
            Err(Closed::UsedUp),
            Err(Closed::Revoked),
        ]);
        let word = prop_oneof![
            Just(Word::Nobody),
            Just(Word::ListedTwice),
            Just(Word::UnknownCpin),
            (customer.clone(), closed).prop_map(|(customer, closed)| Word::Cpin(customer, closed)),
            customer.clone().prop_map(Word::Listed),
        ];
        let held = prop_oneof![
            Just(Held::Nowhere),
            prop::sample::select(vec![OWN, OTHER]).prop_map(Held::Pool),
            customer.prop_map(Held::Customer),
        ];
        let key = prop::sample::select(vec![Key::First, Key::Same, Key::Rival, Key::Second, Key::Taken]);
        let domain = prop::sample::select(vec![Domain::Known, Domain::Foreign, Domain::Confirmed]);
        (word, held, key, domain, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(word, held, key, domain, disabled, by_holder, by_customer)| {
                let released = Released { by_holder, by_customer };
                Case { word, held, key, domain, disabled, released }
            },
        )
    }

    proptest! {
        #[test]
        fn no_pc_leaves_another_without_its_holders_yes(case in any_case()) {
            if let Decision::Join(to, _) = decide(&case) {
                let customer = case.word.customer().unwrap();
                prop_assert_eq!(to, customer.tenant);
                prop_assert!(!case.disabled);
                let free = match case.held {
                    Held::Nowhere => true,
                    Held::Pool(partner) => customer.partner == Some(partner),
                    Held::Customer(_) => false,
                };
                prop_assert!(free || case.released.by_holder, "{case:?}");
            }
        }

        #[test]
        fn no_second_key_without_its_holders_yes(case in any_case()) {
            if case.key == Key::Second && !case.released.by_holder {
                prop_assert!(matches!(decide(&case), Decision::Wait(_)), "{case:?}");
            }
        }

        #[test]
        fn a_yes_of_whoever_may_ends_the_waiting(case in any_case()) {
            if let Decision::Wait(reason) = decide(&case) {
                prop_assert_eq!(Reason::from_code(reason.as_str()), Some(reason));
                let Released { by_holder, by_customer } = case.released;
                let released = match reason.decider() {
                    Decider::Holder => Released { by_holder: true, by_customer },
                    Decider::Customer => Released { by_customer: true, by_holder },
                    Decider::Nobody => return Ok(()),
                };
                prop_assert_ne!(decide(&Case { released, ..case }), Decision::Wait(reason));
            }
        }
    }
}
