//! A publisher's own key pair, in the files that release jobs and people read.

use std::fmt;

use aileron_contract::{Error, Reason, Result, Secret};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    Signer as _,
    pkcs8::{
        DecodePrivateKey as _, EncodePublicKey as _, KeypairBytes, spki::der::pem::LineEnding,
    },
};

use crate::packages::keys::{self, Key};

/// What a publisher signs with. Wiped when dropped, never printed.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// What people trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(Key);

impl SigningKey {
    /// The key of 32 random bytes.
    pub fn from_seed(seed: &Secret) -> Result<Self> {
        seed.expose(|bytes| {
            let seed = bytes.try_into().map_err(Error::internal)?;
            Ok(Self(ed25519_dalek::SigningKey::from_bytes(seed)))
        })
    }

    /// Reads a key file: PEM `PRIVATE KEY` (PKCS#8), or base64 of that, as release jobs get it.
    pub fn read(file: &Secret) -> Result<Self> {
        file.expose(|bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
            if text.contains("-----BEGIN") {
                return Self::from_pem(text);
            }
            let packed =
                Secret::new(bytes.iter().copied().filter(|c| !c.is_ascii_whitespace()).collect());
            let pem =
                Secret::new(packed.expose(|it| STANDARD.decode(it)).map_err(|_| unreadable())?);
            pem.expose(|pem| Self::from_pem(std::str::from_utf8(pem).map_err(|_| unreadable())?))
        })
    }

    fn from_pem(text: &str) -> Result<Self> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(text.trim()).map(Self).map_err(|_| unreadable())
    }

    /// The PEM file that OpenSSL and the published release job read.
    pub fn pem(&self) -> Result<Secret> {
        // Without the public half, which older versions of OpenSSL do not accept here.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = ed25519_dalek::pkcs8::EncodePrivateKey::to_pkcs8_pem(&pair, LineEnding::LF)
            .map_err(Error::internal)?;
        Ok(Secret::new(pem.as_bytes().to_vec()))
    }

    /// The PEM file in base64, on one line: what the published release job wants as its secret.
    pub fn pem_base64(&self) -> Result<Secret> {
        Ok(Secret::from(self.pem()?.expose(|pem| STANDARD.encode(pem))))
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().fingerprint())
    }
}

impl PublicKey {
    /// Reads `keys/publisher.pub`.
    pub fn read(file: &[u8]) -> Result<Self> {
        keys::parse(file).map(Self)
    }

    /// The text of `keys/publisher.pub`: PEM, which OpenSSL reads, too.
    pub fn pem(&self) -> Result<String> {
        let point = ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(Error::internal)?;
        point.to_public_key_pem(LineEnding::LF).map_err(Error::internal)
    }

    /// As people compare it.
    pub fn fingerprint(&self) -> String {
        keys::fingerprint(&self.0)
    }

    /// Did this key make `signature` over `message`?
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        keys::signer([&self.0], message, signature).is_some()
    }
}

fn unreadable() -> Error {
    let text = "a signing key is an Ed25519 key in PEM (\"PRIVATE KEY\", PKCS#8), or base64 of \
                that: make one with aileron keyring generate";
    Error::new(Reason::ValidationError, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&Secret::new(vec![7; 32])).unwrap()
    }

    #[test]
    fn the_published_key_comes_back_from_every_file_it_is_written_to() {
        let expected = PublicKey::read(b"6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=").unwrap();
        assert_eq!(key().public(), expected);
        for file in [key().pem().unwrap(), key().pem_base64().unwrap()] {
            assert_eq!(SigningKey::read(&file).unwrap().public(), expected);
        }
        assert_eq!(PublicKey::read(expected.pem().unwrap().as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", key()), format!("SigningKey({})", key().public().fingerprint()));
    }

    #[test]
    fn what_is_no_signing_key_is_refused() {
        let public = key().public().pem().unwrap();
        for text in
            ["", "AAAA", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", &public]
        {
            assert!(SigningKey::read(&Secret::from(text.to_owned())).is_err(), "{text}");
        }
    }
}
