//! How fast somebody may guess: after some free tries each failure doubles the pause before the next try.

use crate::clock::Micros;

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Sign-ins with one account's address from one network address.
    SignInOfAccount,
    /// Sign-ins from one network address, whosever.
    SignInFrom,
    /// Requests for a new password of one account.
    ResetOfAccount,
    /// Requests for a new password from one network address.
    ResetFrom,
}

/// The longest pause, in seconds.
pub const LONGEST_PAUSE: i64 = 15 * 60;
/// Who has done nothing for this long begins anew, in seconds.
pub const FORGOTTEN_AFTER: i64 = 3600;

/// A PC checks in once in five minutes. One that comes more often than this for long is slowed, in seconds.
pub const CHECK_IN_PACE: i64 = 10;
/// Besides, a PC makes a few calls an hour. One that makes more than one in so many seconds for long is slowed.
pub const CALL_PACE: i64 = 1;
/// So many of these calls may come at once.
pub const CALLS_AT_ONCE: u32 = 120;

/// Takes a request of somebody who keeps a pace: until when, in microseconds, what came so far counts; or how many seconds
/// are to be waited. `counted` is what the request before gave, and so many may come at once. What that cannot come to by
/// now was counted by a clock that has been set back since: it keeps nobody out.
pub fn paced(counted: Micros, now: Micros, pace: i64, at_once: u32) -> Result<Micros, i64> {
    let most = now.plus_seconds(pace.saturating_mul(i64::from(at_once).saturating_sub(1)));
    // A second more: threads do not count in the order in which they looked at the clock.
    let is_set_back = counted > most.plus_seconds(pace).plus_seconds(1);
    let from = if is_set_back { now.0 } else { counted.0.max(now.0) };
    if from > most.0 {
        return Err((from - most.0).div_euclid(1_000_000) + 1);
    }
    Ok(Micros(from).plus_seconds(pace))
}

impl Counted {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Counted::SignInOfAccount => "sign_in_of_account",
            Counted::SignInFrom => "sign_in_from",
            Counted::ResetOfAccount => "reset_of_account",
            Counted::ResetFrom => "reset_from",
        }
    }

    /// Tries that cost nothing. Many people may share a network address; a mailbox is not to be filled by others.
    fn free(self) -> i64 {
        match self {
            Counted::SignInOfAccount => 5,
            Counted::SignInFrom => 50,
            Counted::ResetOfAccount => 2,
            Counted::ResetFrom => 20,
        }
    }

    /// The first pause, in seconds.
    fn first_pause(self) -> i64 {
        match self {
            Counted::ResetOfAccount => 60,
            _ => 1,
        }
    }

    /// The pause after so many tries that failed, in seconds.
    pub fn pause(self, failures: i64) -> i64 {
        match failures - self.free() {
            ..0 => 0,
            doublings @ 0..20 => (self.first_pause() << doublings).min(LONGEST_PAUSE),
            _ => LONGEST_PAUSE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_by_table() {
        let second = |n: i64| Micros(n * 1_000_000);
        for (counted, now, expected) in [
            // Three at once, one in ten seconds.
            (0, 100, Ok(110)),
            (110, 100, Ok(120)),
            (120, 100, Ok(130)),
            (130, 100, Err(11)),
            (130, 109, Err(2)),
            (130, 110, Ok(140)),
            (130, 500, Ok(510)),
            // A clock that was set back: by a second, by more, by a day.
            (130, 99, Err(12)),
            (130, 98, Ok(108)),
            (86_400, 0, Ok(10)),
        ] {
            let next = paced(second(counted), second(now), 10, 3);
            assert_eq!(next, expected.map(second), "{counted} at {now}");
        }
        assert_eq!(paced(second(1 << 40), second(0), 10, u32::MAX), Ok(second(10)));
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let pauses = |counted: Counted, from: i64| [0, 1, 2, 3, 9, 10, 60].map(|n| counted.pause(from + n));
        assert_eq!(pauses(Counted::SignInOfAccount, 4), [0, 1, 2, 4, 256, 512, 900]);
        assert_eq!(pauses(Counted::SignInFrom, 49), [0, 1, 2, 4, 256, 512, 900]);
        assert_eq!(pauses(Counted::ResetOfAccount, 1), [0, 60, 120, 240, 900, 900, 900]);
        assert_eq!(Counted::SignInOfAccount.pause(i64::MAX), LONGEST_PAUSE);
        assert_eq!(Counted::SignInOfAccount.pause(0), 0);
    }
}
