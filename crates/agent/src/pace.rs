//! How long to wait: jitter keeps ten thousand PCs from coming in the same second, backoff keeps a server that is down
//! from being run over when it comes back.

use std::time::Duration;

use roadstead_domain::clock::Ambient;

/// The first wait after a failure.
const FIRST: u64 = 5;
/// The longest wait.
const LONGEST: u64 = 1800;

/// Any number.
pub fn random(ambient: &Ambient) -> u32 {
    let mut bytes = [0; 4];
    ambient.entropy.fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// The wait before the next check-in: four fifths to six fifths of what the server said.
pub fn next(seconds: u32, random: u32) -> Duration {
    let seconds = u64::from(seconds.clamp(5, 86_400));
    spread(seconds * 1000, 2, random)
}

/// The wait after so many failures in a row: it doubles up to half an hour, and lies anywhere between half and all of it.
pub fn after_failures(failures: u32, random: u32) -> Duration {
    let seconds = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(LONGEST);
    Duration::from_millis(seconds * 500 + seconds * 500 * u64::from(random) / u64::from(u32::MAX))
}

/// `millis` plus or minus so many tenths of it.
fn spread(millis: u64, tenths: u64, random: u32) -> Duration {
    let width = millis / 10 * tenths;
    Duration::from_millis(millis - width + 2 * width * u64::from(random) / u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(after_failures(1, u32::MAX).as_secs(), 5);
        assert_eq!(after_failures(2, u32::MAX).as_secs(), 10);
        assert_eq!(after_failures(4, 0).as_secs(), 20);
        assert_eq!(after_failures(1000, u32::MAX).as_secs(), 1800);
        assert_eq!(next(300, 0).as_secs(), 240);
        assert_eq!(next(300, u32::MAX).as_secs(), 360);
    }

    proptest! {
        #[test]
        fn no_wait_is_nothing_or_endless(failures in 1..u32::MAX, seconds in any::<u32>(), random in any::<u32>()) {
            for wait in [after_failures(failures, random), next(seconds, random)] {
                prop_assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_secs(110_000), "{wait:?}");
            }
        }
    }
}
