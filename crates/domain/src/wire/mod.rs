//! What the agent on a PC and the server say to each other under `/device/v1`: the only types that both sides share, so
//! a field may be added and never be renamed.

pub mod pop_up;
pub mod readings;
pub mod repair_case;
pub mod signature;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST enrolments`: a PC asks to join, signed by the key that it presents. Asked again it is judged again; a PC that
/// waits asks from time to time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrol {
    /// The serial, as the machine says it.
    pub serial: String,
    /// The product number.
    #[serde(default)]
    pub product_number: String,
    /// Its Ed25519 key, base64.
    pub public_key: String,
    /// The cPIN, as somebody typed it or as the roll-out carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpin: Option<String>,
    /// The domain that the PC belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Whether the user at the PC was asked and said that the foreign domain is meant so.
    #[serde(default)]
    pub confirmed: bool,
}

/// `POST check-ins`: what a PC says of itself. Of persons only what its tenant has switched on is kept, whatever is sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckIn {
    /// The machine's health.
    pub readings: serde_json::Value,
    /// Who is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the PC is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The agent's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The domain that the PC belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The challenge of the last answer. It is signed with the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
}

/// The answer to [`CheckIn`], once it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedIn {
    /// In how many seconds to come again.
    pub next_seconds: u32,
    /// Whether to say who is signed in.
    pub collect_user: bool,
    /// Whether to say where the PC is.
    pub collect_location: bool,
    /// To be sent back with the next check-in: it shows in whose hands the PC is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
}

/// What an enrolment came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentState {
    /// The key is the PC's.
    Enrolled,
    /// Somebody or something has to come first.
    Waiting,
    /// Somebody said no.
    Refused,
}

/// The answer to [`Enrol`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    /// The enrolment; also good as `keyid`.
    pub id: Uuid,
    /// Where it stands.
    pub state: EnrolmentState,
    /// Why it waits or was refused: a stable code.
    pub reason: Option<String>,
    /// The same in words, in the PC's language.
    pub message: Option<String>,
    /// In how many seconds to ask again, where that makes sense.
    pub retry_after_seconds: Option<u32>,
}

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
