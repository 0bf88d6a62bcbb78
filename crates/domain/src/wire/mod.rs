//! What the agent on a PC and the server say to each other under `/device/v1`: the only types that both sides share, so
//! a field may be added and never be renamed.

pub mod signature;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;

/// A public key as text: base64url without padding. It is the `keyid` of signatures as well.
pub fn key_text(key: &VerifyingKey) -> String {
    URL_SAFE_NO_PAD.encode(key.as_bytes())
}

/// Reads a public key in any of base64's spellings. A weak one, under which several messages share a signature, is
/// none.
pub fn read_key(text: &str) -> Option<VerifyingKey> {
    let bytes = [URL_SAFE_NO_PAD, URL_SAFE, STANDARD_NO_PAD, STANDARD]
        .iter()
        .find_map(|alphabet| alphabet.decode(text.trim()).ok())?;
    let key = VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()?;
    (!key.is_weak()).then_some(key)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    #[test]
    fn a_key_reads_back_in_every_spelling() {
        // Its base64 has characters that differ between the alphabets.
        let key = (0..=255).map(|n| SigningKey::from_bytes(&[n; 32]).verifying_key());
        let key = key.into_iter().find(|key| key_text(key).contains(['-', '_'])).unwrap();
        assert_eq!(read_key(&key_text(&key)), Some(key));
        for text in [STANDARD.encode(key), STANDARD_NO_PAD.encode(key), URL_SAFE.encode(key)] {
            assert_eq!(read_key(&text), Some(key), "{text}");
        }
        for text in ["", "no key", "AAAA", &STANDARD.encode([0; 32]), &STANDARD.encode([0; 31])] {
            assert_eq!(read_key(text), None, "{text}");
        }
    }
}
