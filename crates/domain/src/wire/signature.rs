//! Signatures of requests after RFC 9421, by Ed25519, over a digest of the body after RFC 9530. Both sides are here.
//!
//! A request covers at least `@method`, `@target-uri` and `content-digest`, and carries `created`, `nonce` and `keyid`.
//! Structured fields are read by the `sfv` library; the rest of the two RFCs that we need is this file. It does no more
//! than a check of form and key: whether the instant is near and the nonce new is for the server to say.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey, verify_batch};
use sfv::{BareItem, Dictionary, InnerList, ListEntry, ListSerializer, Parser};
use sha2::{Digest, Sha256, Sha512};

use super::key_text;

/// How far apart the clocks of a PC and the server may be, in seconds, either way. A request can be sent for
/// twice as long.
pub const MOST_SKEW_SECONDS: i64 = 300;
/// The longest nonce or key id that is looked at.
const LONGEST_TEXT: usize = 200;
/// Room for the text that is signed, in bytes, where a request covers no more than it has to.
const USUAL_TEXT: usize = 512;
/// What a signature has to cover.
const REQUIRED: [&str; 3] = ["@method", "@target-uri", "content-digest"];

/// What of a request is signed, as the signer sees it: the target is the whole address, with scheme and host.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The method.
    pub method: &'a str,
    /// The address, `https://host/device/v1/...`.
    pub uri: &'a str,
}

/// The headers that make a request a signed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// `Content-Digest`.
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// Why a request is not taken for a signed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header that is not there.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header that is no structured field of its kind, or a parameter that is missing or of the wrong kind.
    #[error("{0} cannot be read")]
    Malformed(&'static str),
    /// A component that has to be covered and is not, or one that is covered and unknown here.
    #[error(
        "the signature must cover @method, @target-uri and content-digest, and nothing that is not there"
    )]
    Coverage,
    /// The body is not the one that was digested.
    #[error("the body does not match its content-digest")]
    Digest,
    /// The signature was not made by this key over this request.
    #[error("the signature does not fit the key and the request")]
    Wrong,
}

/// Signs a request. `created` is in seconds; `nonce` is printable ASCII, new with every request.
pub fn sign(key: &SigningKey, target: Target<'_>, body: &[u8], created: i64, nonce: &str) -> Headers {
    let content_digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    let params = format!(
        "(\"@method\" \"@target-uri\" \"content-digest\");created={created};nonce=\"{nonce}\";keyid=\"{}\"",
        key_text(&key.verifying_key())
    );
    let values = [target.method, target.uri, &content_digest].map(Cow::from);
    let signature = key.sign(base(REQUIRED.into_iter().zip(values), &params).as_bytes());
    Headers {
        content_digest,
        signature_input: format!("sig={params}"),
        signature: format!("sig=:{}:", STANDARD.encode(signature.to_bytes())),
    }
}

/// The text that is signed (RFC 9421 2.5).
fn base<'a>(lines: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>, params: &str) -> String {
    let mut text = String::with_capacity(USUAL_TEXT);
    for (name, value) in lines {
        for part in ["\"", name, "\": ", &value, "\n"] {
            text.push_str(part);
        }
    }
    text + "\"@signature-params\": " + params
}

/// A signature as read from its headers; not yet checked.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which key is said to have made it.
    pub key_id: String,
    /// When it is said to have been made, in seconds.
    pub created: i64,
    /// What makes it one of a kind.
    pub nonce: String,
    components: Vec<String>,
    params: String,
    signature: Signature,
}

impl Claim {
    /// Reads the two headers. Of several signatures the first one that covers enough counts.
    pub fn read(signature_input: &str, signature: &str) -> Result<Self, SignatureError> {
        let malformed = || SignatureError::Malformed("signature-input");
        let inputs: Dictionary = Parser::new(signature_input).parse().map_err(|_| malformed())?;
        let signatures: Dictionary =
            Parser::new(signature).parse().map_err(|_| SignatureError::Malformed("signature"))?;
        let mut refused = SignatureError::Missing("signature-input");
        for (label, entry) in &inputs {
            let ListEntry::InnerList(list) = entry else { return Err(malformed()) };
            match Self::of(list, signatures.get(label.as_str())) {
                Ok(claim) => return Ok(claim),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn of(list: &InnerList, signature: Option<&ListEntry>) -> Result<Self, SignatureError> {
        let mut components = Vec::with_capacity(list.items.len());
        for item in &list.items {
            // None of ours has parameters (`;req`, `;bs`, ...): what we do not know we do not trust.
            let BareItem::String(name) = &item.bare_item else { return Err(SignatureError::Coverage) };
            if !item.params.is_empty() || components.iter().any(|known| known == name.as_str()) {
                return Err(SignatureError::Coverage);
            }
            components.push(name.as_str().to_owned());
        }
        if !REQUIRED.iter().all(|name| components.iter().any(|known| known == name)) {
            return Err(SignatureError::Coverage);
        }
        let text = |name, field| match list.params.get(name) {
            Some(BareItem::String(value)) if value.as_str().len() <= LONGEST_TEXT => {
                Ok(value.as_str().to_owned())
            }
            _ => Err(SignatureError::Malformed(field)),
        };
        let created = match list.params.get("created") {
            Some(BareItem::Integer(value)) => i64::from(*value),
            _ => return Err(SignatureError::Malformed("created")),
        };
        let nonce = text("nonce", "nonce")?;
        if nonce.is_empty() {
            return Err(SignatureError::Malformed("nonce"));
        }
        let algorithm = list.params.get("alg");
        if algorithm.is_some() && text("alg", "alg")? != "ed25519" {
            return Err(SignatureError::Malformed("alg"));
        }
        let bytes = match signature {
            Some(ListEntry::Item(item)) => match &item.bare_item {
                BareItem::ByteSequence(bytes) => bytes.as_slice(),
                _ => return Err(SignatureError::Malformed("signature")),
            },
            _ => return Err(SignatureError::Missing("signature")),
        };
        let signature = Signature::from_slice(bytes).map_err(|_| SignatureError::Malformed("signature"))?;
        let key_id = text("keyid", "keyid")?;
        Ok(Self { key_id, created, nonce, components, params: serialize(list), signature })
    }

    /// Whether this key made it over this request, whose body has this digest. `header` gives the value of a covered
    /// header that is none of the three that have to be covered.
    pub fn verify(
        &self,
        key: &VerifyingKey,
        target: Target<'_>,
        content_digest: &str,
        header: impl Fn(&str) -> Option<String>,
    ) -> Result<(), SignatureError> {
        self.unchecked(key, target, content_digest, header)?.check()
    }

    /// What [`Claim::verify`] has to check, to be checked with others.
    pub fn unchecked(
        &self,
        key: &VerifyingKey,
        target: Target<'_>,
        content_digest: &str,
        header: impl Fn(&str) -> Option<String>,
    ) -> Result<Unchecked, SignatureError> {
        let mut lines = Vec::with_capacity(self.components.len());
        for name in &self.components {
            let value = match name.as_str() {
                "@method" => target.method.into(),
                "@target-uri" => target.uri.into(),
                "content-digest" => content_digest.into(),
                other => header(other).ok_or(SignatureError::Coverage)?.into(),
            };
            lines.push((name.as_str(), value));
        }
        let text = base(lines, &self.params);
        Ok(Unchecked { key: *key, text, signature: self.signature })
    }
}

/// A signature with the key that is said to have made it and the text that it is said to be of.
#[derive(Clone, Debug)]
pub struct Unchecked {
    key: VerifyingKey,
    text: String,
    signature: Signature,
}

impl Unchecked {
    /// Whether the key made it over the text.
    pub fn check(&self) -> Result<(), SignatureError> {
        self.key.verify_strict(self.text.as_bytes(), &self.signature).map_err(|_| SignatureError::Wrong)
    }
}

/// Fewer are checked one by one.
const FEWEST_TOGETHER: usize = 4;

/// Which of these signatures were made by their keys, none of which is weak ([`super::read_key`]). Together they take half the
/// time; if that fails, each is checked alone. The owner of a key could make a signature that passes only in company, and
/// nobody else could (docs/decisions/0058).
pub fn check_all(all: &[&Unchecked]) -> Vec<bool> {
    if all.len() >= FEWEST_TOGETHER {
        let texts: Vec<&[u8]> = all.iter().map(|one| one.text.as_bytes()).collect();
        let signatures: Vec<Signature> = all.iter().map(|one| one.signature).collect();
        let keys: Vec<VerifyingKey> = all.iter().map(|one| one.key).collect();
        if verify_batch(&texts, &signatures, &keys).is_ok() {
            return vec![true; all.len()];
        }
    }
    all.iter().map(|one| one.check().is_ok()).collect()
}

/// The strict form of a list with its parameters, which is what was signed however it was written.
fn serialize(list: &InnerList) -> String {
    let mut serializer = ListSerializer::new();
    let mut inner = serializer.inner_list();
    inner.items(&list.items);
    inner.finish().parameters(&list.params);
    serializer.finish().unwrap_or_default()
}

/// Whether a body is the one of this `Content-Digest`, by SHA-256 or SHA-512; every digest that is there must fit.
pub fn check_digest(content_digest: &str, body: &[u8]) -> Result<(), SignatureError> {
    let malformed = SignatureError::Malformed("content-digest");
    let digests: Dictionary = Parser::new(content_digest).parse().map_err(|_| malformed)?;
    let mut known = 0;
    for (algorithm, entry) in &digests {
        let ListEntry::Item(item) = entry else { return Err(malformed) };
        let BareItem::ByteSequence(stated) = &item.bare_item else { return Err(malformed) };
        let fits = match algorithm.as_str() {
            "sha-256" => Sha256::digest(body).as_slice() == stated.as_slice(),
            "sha-512" => Sha512::digest(body).as_slice() == stated.as_slice(),
            _ => continue,
        };
        known += 1;
        if !fits {
            return Err(SignatureError::Digest);
        }
    }
    if known == 0 { Err(malformed) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::pkcs8::DecodePublicKey;
    use proptest::prelude::*;

    use super::*;

    const TARGET: Target<'_> = Target { method: "POST", uri: "https://example.com/device/v1/check-ins" };

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn check(headers: &Headers, target: Target<'_>, body: &[u8]) -> Result<Claim, SignatureError> {
        check_digest(&headers.content_digest, body)?;
        let claim = Claim::read(&headers.signature_input, &headers.signature)?;
        claim.verify(&key().verifying_key(), target, &headers.content_digest, |_| None)?;
        Ok(claim)
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does() {
        let headers = sign(&key(), TARGET, b"{}", 1_795_374_000, "n-1");
        let claim = check(&headers, TARGET, b"{}").unwrap();
        assert_eq!((claim.created, claim.nonce.as_str()), (1_795_374_000, "n-1"));
        assert_eq!(claim.key_id, key_text(&key().verifying_key()));

        assert_eq!(check(&headers, TARGET, b"{ }").unwrap_err(), SignatureError::Digest);
        let put = Target { method: "PUT", ..TARGET };
        assert_eq!(check(&headers, put, b"{}").unwrap_err(), SignatureError::Wrong);
        let elsewhere = Target { uri: "https://example.com/device/v1/enrolments", ..TARGET };
        assert_eq!(check(&headers, elsewhere, b"{}").unwrap_err(), SignatureError::Wrong);
        for (from, to) in [("1795374000", "1795374001"), ("n-1", "n-2"), ("@method\" ", "@method\"  ")] {
            let input = headers.signature_input.replace(from, to);
            let changed = Headers { signature_input: input, ..headers.clone() };
            let result = check(&changed, TARGET, b"{}").map(|_| ());
            // Blanks do not count: the strict form is what is signed.
            assert_eq!(result.is_ok(), from.starts_with('@'), "{from}");
        }
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(
            claim.verify(&other, TARGET, &headers.content_digest, |_| None),
            Err(SignatureError::Wrong)
        );
    }

    #[test]
    fn a_forgery_among_many_is_found_wherever_it_stands_and_however_many_there_are() {
        let keys: Vec<SigningKey> = (1..=9).map(|n| SigningKey::from_bytes(&[n; 32])).collect();
        let made = |key: &SigningKey, by: &SigningKey, nonce: &str| {
            let headers = sign(by, TARGET, b"{}", 5, nonce);
            let claim = Claim::read(&headers.signature_input, &headers.signature).unwrap();
            claim.unchecked(&key.verifying_key(), TARGET, &headers.content_digest, |_| None).unwrap()
        };
        for many in 0..=keys.len() {
            // None is forged, then each in turn, then each with the first.
            let forged = (0..many).flat_map(|at| [vec![at], vec![0, at]]).chain([vec![]]);
            for forged in forged {
                let all: Vec<Unchecked> = (0..many)
                    .map(|at| {
                        let by = if forged.contains(&at) { (at + 1) % keys.len() } else { at };
                        made(&keys[at], &keys[by], &format!("n-{at}"))
                    })
                    .collect();
                let expected: Vec<bool> = (0..many).map(|at| !forged.contains(&at)).collect();
                assert_eq!(check_all(&all.iter().collect::<Vec<_>>()), expected, "{forged:?} of {many}");
            }
        }
        // Two that are right in themselves, of each other's texts.
        let mut swapped: Vec<Unchecked> = keys.iter().map(|key| made(key, key, "n")).collect();
        let first = swapped[0].signature;
        swapped[0].signature = swapped[1].signature;
        swapped[1].signature = first;
        let found = check_all(&swapped.iter().collect::<Vec<_>>());
        assert_eq!((found[0], found[1], found[2..].iter().all(|right| *right)), (false, false, true));
    }

    #[test]
    fn what_lacks_something_is_refused() {
        let full = sign(&key(), TARGET, b"", 5, "n");
        let read = |input: &str| Claim::read(input, &full.signature).map(|_| ());
        assert_eq!(read(&full.signature_input), Ok(()));
        for (from, to, error) in [
            ("\"@method\" ", "", SignatureError::Coverage),
            (" \"content-digest\"", "", SignatureError::Coverage),
            ("\"@method\"", "\"@method\" \"@method\"", SignatureError::Coverage),
            ("\"@method\"", "\"@method\";req", SignatureError::Coverage),
            (";created=5", "", SignatureError::Malformed("created")),
            (";created=5", ";created=\"5\"", SignatureError::Malformed("created")),
            (";nonce=\"n\"", "", SignatureError::Malformed("nonce")),
            (";nonce=\"n\"", ";nonce=\"\"", SignatureError::Malformed("nonce")),
            (";keyid", ";key", SignatureError::Malformed("keyid")),
            (";nonce", ";alg=\"rsa-pss-sha512\";nonce", SignatureError::Malformed("alg")),
            ("sig=", "other=", SignatureError::Missing("signature")),
            ("sig=(", "sig=", SignatureError::Malformed("signature-input")),
        ] {
            assert_eq!(read(&full.signature_input.replace(from, to)), Err(error), "{from} -> {to}");
        }
        assert_eq!(read(""), Err(SignatureError::Missing("signature-input")));
        for digest in ["", "md5=:AAAA:", "sha-256=1", "sha-256", "=", "sha-256=:AAAA:"] {
            assert!(check_digest(digest, b"").is_err(), "{digest}");
        }
    }

    /// RFC 9421 B.1.4, B.2 and B.2.6: the request, the key and the signature of its Ed25519 example.
    #[test]
    fn rfc_9421_b_2_6() {
        const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
                           MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n\
                           -----END PUBLIC KEY-----\n";
        const INPUT: &str = "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
                             \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
        const SIGNATURE: &str =
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
        let key = VerifyingKey::from_public_key_pem(KEY).unwrap();
        let inputs: Dictionary = Parser::new(INPUT).parse().unwrap();
        let Some(ListEntry::InnerList(list)) = inputs.get("sig-b26") else { panic!("no list") };
        let lines = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@method", "POST"),
            ("@path", "/foo"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ];
        let base = base(lines.map(|(name, value)| (name, value.into())), &serialize(list));
        let signature = Signature::from_slice(&STANDARD.decode(SIGNATURE).unwrap()).unwrap();
        key.verify_strict(base.as_bytes(), &signature).unwrap();
        let other = base.replace("/foo", "/bar");
        assert!(key.verify_strict(other.as_bytes(), &signature).is_err());
    }

    /// RFC 9421 B.2 and RFC 9530 B.1: digests of known bodies.
    #[test]
    fn rfc_digests() {
        let sha_512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
        assert_eq!(check_digest(sha_512, b"{\"hello\": \"world\"}"), Ok(()));
        assert_eq!(check_digest(sha_512, b"{\"hello\": \"world\"} "), Err(SignatureError::Digest));
        let sha_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        assert_eq!(check_digest(sha_256, b"{\"hello\": \"world\"}"), Ok(()));
        assert_eq!(check_digest(&format!("{sha_256}, {sha_512}"), b"{\"hello\": \"world\"}"), Ok(()));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(input in "\\PC{0,80}", signature in "\\PC{0,40}", digest in "\\PC{0,40}") {
            let _ = Claim::read(&input, &signature);
            let _ = check_digest(&digest, b"");
        }
    }
}
