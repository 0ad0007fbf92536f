//! Publishers' Ed25519 keys: how they are written, named and used.

use aileron_contract::{Error, Reason, Result, names::Sha256Hash};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{Signature, VerifyingKey};

/// A raw public key.
pub type Key = [u8; 32];

/// The `SubjectPublicKeyInfo` of an Ed25519 key, up to the key itself (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Reads a key file: PEM `PUBLIC KEY`, or base64 of the raw key in any of four spellings.
pub fn parse(file: &[u8]) -> Result<Key> {
    let wrong = || {
        let text = "a key file holds an Ed25519 public key: PEM \"PUBLIC KEY\", or base64 of its \
                    32 bytes";
        Error::new(Reason::ValidationError, text)
    };
    let text = std::str::from_utf8(file).map_err(|_| wrong())?;
    let pem = text.split_once("-----BEGIN PUBLIC KEY-----").map(|(_, rest)| rest);
    let key = match pem {
        Some(rest) => {
            let (body, _) = rest.split_once("-----END PUBLIC KEY-----").ok_or_else(wrong)?;
            let der = STANDARD.decode(packed(body)).map_err(|_| wrong())?;
            der.strip_prefix(&SPKI).and_then(|key| key.try_into().ok()).ok_or_else(wrong)?
        }
        None => decode(&packed(text)).ok_or_else(wrong)?,
    };
    usable(key)
}

/// Refuses what no honest publisher has: bytes that are no point, or one of small order.
pub fn usable(key: Key) -> Result<Key> {
    match VerifyingKey::from_bytes(&key) {
        Ok(point) if !point.is_weak() => Ok(key),
        _ => Err(Error::new(Reason::ValidationError, "these 32 bytes are not an Ed25519 key")),
    }
}

/// Base64 of a raw key: padded or not, standard or URL alphabet.
pub fn decode(text: &str) -> Option<Key> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok()?.try_into().ok())
}

/// As files are written: standard alphabet, padded.
pub fn encode(key: &Key) -> String {
    STANDARD.encode(key)
}

/// `sha256:` and the first 22 characters of the unpadded base64 of the key's hash.
pub fn fingerprint(key: &Key) -> String {
    let text: String =
        STANDARD_NO_PAD.encode(Sha256Hash::of(&[key]).bytes()).chars().take(22).collect();
    format!("sha256:{text}")
}

/// The key among `keys` that made `signature` over `message`.
pub fn signer<'k>(
    keys: impl IntoIterator<Item = &'k Key>,
    message: &[u8],
    signature: &[u8; 64],
) -> Option<&'k Key> {
    let signature = Signature::from_bytes(signature);
    keys.into_iter().find(|key| {
        VerifyingKey::from_bytes(key)
            .is_ok_and(|point| point.verify_strict(message, &signature).is_ok())
    })
}

fn packed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "zQ+XqDem9XdybaOJylROIREFyDn3+R52NFDRauN6M4w=";

    #[test]
    fn a_published_key_has_its_published_fingerprint() {
        let key = parse(RAW.as_bytes()).unwrap();
        assert_eq!(fingerprint(&key), "sha256:tvkJIZ72HffY0lIUS95OPc");
    }

    #[test]
    fn all_spellings_of_a_key_are_the_same_key() {
        let key = decode(RAW).unwrap();
        let url = RAW.replace('+', "-").replace('/', "_");
        let pem = STANDARD.encode([&SPKI[..], &key[..]].concat());
        for text in [
            format!(" {RAW}\n"),
            RAW.trim_end_matches('=').to_owned(),
            url.clone(),
            url.trim_end_matches('=').to_owned(),
            format!("-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n"),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), key, "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let zero = STANDARD.encode([0_u8; 32]);
        let pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
        for text in ["", "AAAA", "<html>", pem, &zero] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    /// The published vector: seed 32 × 0x07.
    #[test]
    fn the_published_signature_verifies() {
        let key = decode("6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=").unwrap();
        let wasm = hex::decode("0061736d01000000").unwrap();
        let manifest = b"[connector]\nname = \"github://acme/demo\"\nversion = \"1.0.0\"\n";
        let message = [&wasm[..], &manifest[..]].concat();
        assert_eq!(
            Sha256Hash::of(&[&wasm, manifest]).to_string(),
            "sha256:5248139e84f5101a545c712488352525bb7109e6ef517657c1b638ec75fa0a34"
        );
        let text = "d71c1c8c33de2066a4a00387349e8ce38fe01eb29d872355c22a6121e03dc3f6\
                    55b42fe28d26c8dfb347e4736c8267f4ecb16641da9cfe541e8d24b49ad16b0b";
        let signature = hex::decode(text).unwrap().try_into().unwrap();
        assert_eq!(signer([&key], &message, &signature), Some(&key));
        let mut flipped = message;
        flipped[3] ^= 1;
        assert_eq!(signer([&key], &flipped, &signature), None);
    }
}
