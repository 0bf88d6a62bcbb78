//! Messages to and from outside systems, signed after Standard Webhooks 1.0 (standardwebhooks.com): HMAC-SHA256 over id,
//! instant and body, told in three headers. Both directions are here; what was taken before is for the store to say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far the clocks of both sides may be apart, in seconds, either way (Standard Webhooks, "Verifying webhook
/// authenticity", says some minutes).
pub const MOST_SKEW_SECONDS: i64 = 300;
/// How long the secret before still opens, in seconds, so that the other side has time to take the new one.
pub const OLD_SECRET_SECONDS: i64 = 24 * 3600;
/// The longest id of a message.
const LONGEST_ID: usize = 200;
/// What a secret begins with when it is shown.
const PREFIX: &str = "whsec_";

/// When a message that was not taken is sent again: seconds to wait after each attempt (the schedule of Standard
/// Webhooks, about 75 hours in all).
const WAITS: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Seconds until the next attempt after so many; `None` when it is given up.
pub fn wait_after(attempts: i64) -> Option<i64> {
    let done = usize::try_from(attempts).ok()?.checked_sub(1)?;
    WAITS.get(done).copied()
}

/// A secret as people copy it.
pub fn show_secret(secret: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

fn mac(secret: &[u8], id: &str, seconds: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(mac)
}

/// The header `webhook-signature` of a message sent at this second since 1970: one signature a secret, so that the other
/// side may hold either while it changes.
pub fn sign(secrets: &[&[u8]], id: &str, seconds: i64, body: &[u8]) -> String {
    let signed = secrets.iter().filter_map(|secret| mac(secret, id, seconds, body));
    let signed = signed.map(|mac| format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    signed.collect::<Vec<_>>().join(" ")
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrue {
    /// A header is missing, or cannot be read.
    Unreadable,
    /// It is older or newer than the clocks can explain.
    Skewed,
    /// None of the secrets made the signature.
    Forged,
}

/// The three headers of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`, seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or several, apart by spaces.
    pub signature: &'a str,
}

/// Whether one of these secrets signed the message, near this second.
pub fn verify(secrets: &[&[u8]], headers: Headers<'_>, body: &[u8], now: i64) -> Result<(), Untrue> {
    let Headers { id, timestamp, signature } = headers;
    let is_readable =
        !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
    let seconds: i64 = timestamp.parse().map_err(|_| Untrue::Unreadable)?;
    if !is_readable || signature.is_empty() {
        return Err(Untrue::Unreadable);
    }
    if seconds.abs_diff(now) > MOST_SKEW_SECONDS.unsigned_abs() {
        return Err(Untrue::Skewed);
    }
    let given: Vec<Vec<u8>> = signature
        .split(' ')
        .take(10)
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .collect();
    // Compared by the library in constant time.
    let fits = |secret: &&[u8]| {
        given
            .iter()
            .any(|given| mac(secret, id, seconds, body).is_some_and(|mac| mac.verify_slice(given).is_ok()))
    };
    if secrets.iter().any(fits) { Ok(()) } else { Err(Untrue::Forged) }
}

/// Whether an address is one of the public internet: messages go to no other unless the operator of the platform says so,
/// or a partner could have the platform call what stands behind its walls (the IANA special-purpose registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18)
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast alone; of it neither documentation nor tunnels that carry another address inside.
    first & 0xe000 == 0x2000
        && !(first == 0x2001 && (second == 0 || second == 0xdb8))
        && first != 0x2002
        && first != 0x3fff
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const AT: i64 = 1_614_265_330;

    fn secret() -> Vec<u8> {
        STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLsw2").unwrap()
    }

    #[test]
    fn a_signature_is_what_another_implementation_makes_of_it() {
        // Made by Python's hmac and base64.
        assert_eq!(sign(&[&secret()], ID, AT, BODY), "v1,Hd47rGyuNwwV5XZrBVqUdhFAQQ0z9nSVbKOpuf5NrK4=");
        assert_eq!(show_secret(&secret()), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLsw2");
    }

    #[test]
    fn messages_are_taken_by_table() {
        let (new, old) = (secret(), b"the one before".to_vec());
        let both: [&[u8]; 2] = [&new, &old];
        let good = sign(&[&new], ID, AT, BODY);
        let by_old = sign(&[&old], ID, AT, BODY);
        let two = format!("v1a,xyz {good}");
        let stranger = sign(&[b"somebody else"], ID, AT, BODY);
        let at = AT.to_string();
        for (id, timestamp, signature, body, now, expected) in [
            (ID, at.as_str(), good.as_str(), BODY, AT, Ok(())),
            (ID, &at, &by_old, BODY, AT, Ok(())),
            (ID, &at, &two, BODY, AT + 300, Ok(())),
            (ID, &at, &good, BODY, AT + 301, Err(Untrue::Skewed)),
            (ID, &at, &good, BODY, AT - 301, Err(Untrue::Skewed)),
            (ID, "soon", &good, BODY, AT, Err(Untrue::Unreadable)),
            ("", &at, &good, BODY, AT, Err(Untrue::Unreadable)),
            (ID, &at, "", BODY, AT, Err(Untrue::Unreadable)),
            ("another", &at, &good, BODY, AT, Err(Untrue::Forged)),
            (ID, &at, &good, b"{}", AT, Err(Untrue::Forged)),
            (ID, &at, &stranger, BODY, AT, Err(Untrue::Forged)),
            (ID, &at, "v1,", BODY, AT, Err(Untrue::Forged)),
            (ID, "-9223372036854775808", &good, BODY, AT, Err(Untrue::Skewed)),
        ] {
            let headers = Headers { id, timestamp, signature };
            assert_eq!(verify(&both, headers, body, now), expected, "{headers:?}");
        }
        let headers = Headers { id: ID, timestamp: &at, signature: &good };
        assert_eq!(verify(&[], headers, BODY, AT), Err(Untrue::Forged));
    }

    #[test]
    fn a_message_is_sent_ten_times_within_four_days() {
        let waits: Vec<i64> = (1..).map_while(wait_after).collect();
        assert_eq!((waits.len(), waits[0]), (9, 5));
        assert!(waits.iter().sum::<i64>() < 4 * 24 * 3600 && waits.is_sorted());
        assert_eq!((wait_after(0), wait_after(10)), (None, None));
    }

    #[test]
    fn addresses_behind_walls_by_table() {
        for (address, public) in [
            ("93.184.216.34", true),
            ("10.0.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("0.0.0.0", false),
            ("192.0.0.8", false),
            ("198.18.0.1", false),
            ("203.0.113.9", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:93.184.216.34", true),
            ("64:ff9b::a00:1", false),
            ("2002:a00:1::", false),
            ("2001:db8::1", false),
            ("2606:2800:220:1::1", true),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
