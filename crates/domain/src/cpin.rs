//! The cPIN: a company-wide code that enrols PCs into one customer tenant. It only opens the door; a PC's identity is
//! its own key (R6).
//!
//! Twelve characters of 31, shown as `7K3M-9QXP-2TRW`: eleven at random and a check character. The alphabet has no
//! `0 1 I L O`. 31 is a prime, and the weights of the places are the first twelve powers of 3, which generates the
//! field: no two are equal and none is 0. So a wrong character in one place, and any two characters that changed places,
//! always spoil the sum.
//!
//! **How long guessing takes.** 31^11 = 2.5e16 codes. The platform looks at no more than [`WRONG_IN_ALL`] wrong ones an
//! hour, from everywhere together, and at no more than [`WRONG_PER_NETWORK`] from one network. With 100,000 customers and
//! two valid cPINs each, the first hit comes after 31^11 / 200,000 / 3,600 hours: some 4,000 years on average, and the
//! chance of any hit within a century is 2.5 %. One customer's own cPIN takes 400 million years.

use std::fmt;
use std::str::FromStr;

use crate::clock::{Entropy, Micros};

/// The characters of a cPIN, each for its place in this list.
pub const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Characters of a cPIN, the check character among them.
pub const LENGTH: usize = 12;
/// 3^place mod 31.
const WEIGHTS: [u32; LENGTH] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13];

/// Wrong guesses that one network (an IPv4 address, a /64 of IPv6) has in an hour.
pub const WRONG_PER_NETWORK: i64 = 30;
/// Wrong guesses that all networks together have in an hour.
pub const WRONG_IN_ALL: i64 = 3600;

/// How long a cPIN lives if its maker does not say, in seconds.
pub const USUAL_LIFE_SECONDS: i64 = 365 * 24 * 3600;
/// How long the former cPIN goes on once a new one is made, in seconds: what is rolled out may still carry it.
pub const OVERLAP_SECONDS: i64 = 14 * 24 * 3600;
/// The most PCs that a cPIN may be made for.
pub const MOST_USES: i64 = 1_000_000;

/// A well-formed cPIN. Whether it opens anything is for the database to say.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cpin([u8; LENGTH]);

/// Why a text is no cPIN. All of these are slips of the hand: nothing was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpinError {
    /// Not twelve characters.
    Length(usize),
    /// A character that no cPIN has; its place among the characters, from 1.
    Character(usize),
    /// The check character does not fit the others: one is wrong, or two changed places.
    Check,
}

impl Cpin {
    /// A cPIN nobody can foresee.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut values = [0_u8; LENGTH];
        for value in &mut values[..LENGTH - 1] {
            // 248 is 8 times 31: whatever is above would make some characters likelier than others.
            let mut byte = [u8::MAX];
            while byte[0] >= 248 {
                entropy.fill(&mut byte);
            }
            *value = byte[0] % 31;
        }
        // The last weight times the check character must bring the sum to 0; its inverse mod 31 is 12.
        let rest = sum(&values);
        values[LENGTH - 1] = u8::try_from((31 - rest) * 12 % 31).unwrap_or(0);
        Self(values.map(|value| ALPHABET[usize::from(value)]))
    }

    /// The twelve characters without hyphens, as the database keeps them.
    pub fn as_str(&self) -> &str {
        // All of them are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn sum(values: &[u8; LENGTH]) -> u32 {
    values.iter().zip(WEIGHTS).map(|(value, weight)| u32::from(*value) * weight).sum::<u32>() % 31
}

impl FromStr for Cpin {
    type Err = CpinError;

    /// Reads what a person typed: blanks and hyphens do not matter, nor does the case.
    fn from_str(text: &str) -> Result<Self, CpinError> {
        let is_blank = |c: char| c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{feff}');
        let typed: Vec<char> = text.chars().filter(|c| !is_blank(*c)).collect();
        if typed.len() != LENGTH {
            return Err(CpinError::Length(typed.len()));
        }
        let mut values = [0_u8; LENGTH];
        for (place, (value, typed)) in values.iter_mut().zip(typed).enumerate() {
            let upper = typed.to_ascii_uppercase();
            let found = ALPHABET.iter().position(|known| char::from(*known) == upper);
            *value = found.and_then(|at| u8::try_from(at).ok()).ok_or(CpinError::Character(place + 1))?;
        }
        match sum(&values) {
            0 => Ok(Self(values.map(|value| ALPHABET[usize::from(value)]))),
            _ => Err(CpinError::Check),
        }
    }
}

impl fmt::Display for Cpin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        write!(out, "{}-{}-{}", &text[..4], &text[4..8], &text[8..])
    }
}

impl fmt::Debug for Cpin {
    /// Logs are read by more people than a cPIN is for.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Cpin(..)")
    }
}

/// What bounds a cPIN that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// When it ends by itself.
    pub expires_at: Micros,
    /// When it was taken back.
    pub revoked_at: Option<Micros>,
    /// How many PCs it may enrol.
    pub most_uses: i64,
    /// How many it has enrolled.
    pub uses: i64,
}

/// Why a cPIN that was made opens nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Taken back.
    Revoked,
    /// Past its day.
    Expired,
    /// It has enrolled as many PCs as it may.
    UsedUp,
}

impl Bounds {
    /// Whether it opens at this instant.
    pub fn check(&self, now: Micros) -> Result<(), Closed> {
        if self.revoked_at.is_some_and(|at| at <= now) {
            Err(Closed::Revoked)
        } else if self.expires_at <= now {
            Err(Closed::Expired)
        } else if self.uses >= self.most_uses {
            Err(Closed::UsedUp)
        } else {
            Ok(())
        }
    }
}

/// What a new cPIN does to those before it, given by their ends from the newest made to the oldest: when each ends now.
/// The newest goes on for [`OVERLAP_SECONDS`] at most, the others end: two are valid at once, never three.
pub fn rotate(ends: &[Micros], now: Micros) -> Vec<Micros> {
    let overlap = now.plus_seconds(OVERLAP_SECONDS);
    ends.iter().enumerate().map(|(age, end)| (*end).min(if age == 0 { overlap } else { now })).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Bytes(std::sync::Mutex<Vec<u8>>);
    impl Entropy for Bytes {
        fn fill(&self, buffer: &mut [u8]) {
            let mut bytes = self.0.lock().unwrap();
            for byte in buffer {
                *byte = bytes.pop().unwrap_or(0);
            }
        }
    }

    fn made_of(bytes: Vec<u8>) -> Cpin {
        Cpin::random(&Bytes(std::sync::Mutex::new(bytes)))
    }

    proptest! {
        #[test]
        fn every_wrong_character_and_every_swap_is_caught(bytes in prop::collection::vec(any::<u8>(), 11..40)) {
            let pin = made_of(bytes);
            let right: Vec<char> = pin.as_str().chars().collect();
            for place in 0..LENGTH {
                for other in ALPHABET.iter().map(|c| char::from(*c)).filter(|c| *c != right[place]) {
                    let mut wrong = right.clone();
                    wrong[place] = other;
                    prop_assert_eq!(wrong.iter().collect::<String>().parse::<Cpin>(), Err(CpinError::Check));
                }
                // Not only neighbours.
                for second in place + 1..LENGTH {
                    if right[place] != right[second] {
                        let mut wrong = right.clone();
                        wrong.swap(place, second);
                        prop_assert_eq!(wrong.iter().collect::<String>().parse::<Cpin>(), Err(CpinError::Check));
                    }
                }
            }
        }

        #[test]
        fn what_is_shown_reads_back(bytes in prop::collection::vec(any::<u8>(), 11..40)) {
            let pin = made_of(bytes);
            prop_assert_eq!(pin.to_string().parse(), Ok(pin));
            prop_assert_eq!(pin.to_string().to_lowercase().replace('-', " ").parse(), Ok(pin));
            prop_assert_eq!(pin.as_str().parse(), Ok(pin));
        }

        #[test]
        fn any_text_is_a_cpin_or_refused(text in "\\PC{0,20}") {
            let _ = text.parse::<Cpin>();
        }
    }

    #[test]
    fn slips_are_told_apart() {
        let pin = made_of(vec![5; 11]);
        assert_eq!(pin.to_string().len(), 14);
        assert_eq!("".parse::<Cpin>(), Err(CpinError::Length(0)));
        assert_eq!("7K3M".parse::<Cpin>(), Err(CpinError::Length(4)));
        let zero = format!("{}0{}", &pin.as_str()[..2], &pin.as_str()[3..]);
        assert_eq!(zero.parse::<Cpin>(), Err(CpinError::Character(3)));
        assert_eq!("ä23456789ABC".parse::<Cpin>(), Err(CpinError::Character(1)));
    }

    #[test]
    fn no_character_is_likelier_than_another() {
        // 248 to 255 are thrown away; the check character follows from the rest.
        let all = made_of((0..=255).collect());
        assert_eq!(all, made_of((0..248).collect()));
    }

    #[test]
    fn guessing_takes_longer_than_a_century() {
        let codes = 31_f64.powi(11);
        let valid = 2.0 * 100_000.0;
        let hours_of_a_century = 100.0 * 365.25 * 24.0;
        assert!(codes / valid / WRONG_IN_ALL as f64 > 30.0 * hours_of_a_century);
    }

    #[test]
    fn bounds_and_rotation() {
        let at = |seconds| Micros(0).plus_seconds(seconds);
        let open = Bounds { expires_at: at(100), revoked_at: None, most_uses: 2, uses: 1 };
        assert_eq!(open.check(at(99)), Ok(()));
        assert_eq!(open.check(at(100)), Err(Closed::Expired));
        assert_eq!(Bounds { uses: 2, ..open }.check(at(1)), Err(Closed::UsedUp));
        assert_eq!(Bounds { revoked_at: Some(at(5)), ..open }.check(at(5)), Err(Closed::Revoked));

        let far = at(10 * OVERLAP_SECONDS);
        assert_eq!(rotate(&[], at(0)), []);
        assert_eq!(rotate(&[far], at(0)), [at(OVERLAP_SECONDS)]);
        assert_eq!(rotate(&[far, far, at(-5)], at(0)), [at(OVERLAP_SECONDS), at(0), at(-5)]);
        assert_eq!(rotate(&[at(60)], at(0)), [at(60)]);
    }
}
