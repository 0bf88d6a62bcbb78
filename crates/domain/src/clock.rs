//! Time and randomness as arguments: nothing in Roadstead asks the machine for either behind the caller's back.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// This instant moved by whole seconds.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The UTC calendar day of this instant.
    pub fn date(self) -> jiff::civil::Date {
        self.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// RFC 3339 in UTC, whole microseconds where there are any: `2026-11-22T19:05:00Z`.
    pub fn rfc3339(self) -> String {
        self.timestamp().to_string()
    }

    /// The same instant for date arithmetic and formatting; out of jiff's range it is the epoch.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Debug for Micros {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.rfc3339())
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Micros;
}

/// Gives randomness fit for secrets.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The clock and the randomness that a use case works with.
#[derive(Clone)]
pub struct Ambient {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// The present instant.
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// A fresh UUIDv7 of the present instant.
    pub fn id<T: From<Uuid>>(&self) -> T {
        let mut random = [0_u8; 10];
        self.entropy.fill(&mut random);
        uuid_v7(self.now(), random).into()
    }

    /// `count` fresh UUIDv7 in rising order, so that a bulk insert appends to its index.
    pub fn ids<T: From<Uuid>>(&self, count: usize) -> Vec<T> {
        let mut random = [0_u8; 10];
        self.entropy.fill(&mut random);
        // Head room, so that counting up never overflows the 62 bits that count.
        random[2] &= 0x1f;
        let now = self.now();
        let start = u64::from_be_bytes([
            random[2], random[3], random[4], random[5], random[6], random[7], random[8], random[9],
        ]);
        (0..count as u64)
            .map(|step| {
                random[2..].copy_from_slice(&(start + step).to_be_bytes());
                uuid_v7(now, random).into()
            })
            .collect()
    }

    /// 32 random bytes, for tokens and session keys.
    pub fn secret(&self) -> [u8; 32] {
        let mut secret = [0_u8; 32];
        self.entropy.fill(&mut secret);
        secret
    }
}

/// The least UUIDv7 of this instant: ids before it were made earlier.
pub fn first_id_at<T: From<Uuid>>(at: Micros) -> T {
    uuid_v7(at, [0; 10]).into()
}

fn uuid_v7(at: Micros, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.0 / 1000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still;
    impl Clock for Still {
        fn now(&self) -> Micros {
            Micros(1_795_374_000_000_000)
        }
    }
    impl Entropy for Still {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0xff);
        }
    }

    #[test]
    fn a_run_of_ids_rises_and_keeps_version_7() {
        let ambient = Ambient { clock: Arc::new(Still), entropy: Arc::new(Still) };
        let ids: Vec<Uuid> = ambient.ids(3);
        assert!(ids[0] < ids[1] && ids[1] < ids[2], "{ids:?}");
        assert!(ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
    }

    #[test]
    fn an_instant_reads_as_rfc_3339() {
        assert_eq!(Micros(1_795_374_000_000_000).rfc3339(), "2026-11-22T19:00:00Z");
        assert_eq!(Micros(0).date().to_string(), "1970-01-01");
    }
}
