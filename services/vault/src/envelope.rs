//! AES-256-GCM envelopes, derived keys and authenticators.

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use aileron_contract::{Error, Result};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// The bytes an envelope adds to what it seals.
pub(crate) const OVERHEAD: usize = NONCE + 16;

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|cause| Error::internal(cause.to_string()))?;
    Ok(bytes)
}

/// A fresh random nonce, the ciphertext and the tag. `associated` is authenticated, not stored.
pub(crate) fn seal(key: &[u8; 32], associated: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE] = random()?;
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: associated })
        .map_err(|_| Error::internal("AES-GCM refused to seal"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The plain bytes; none when the key, the associated data or the envelope are not the ones
/// that were sealed.
pub(crate) fn open(
    key: &[u8; 32],
    associated: &[u8],
    envelope: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = envelope.split_first_chunk::<NONCE>()?;
    Aes256Gcm::new(key.into())
        .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: associated })
        .map(Zeroizing::new)
        .ok()
}

/// A key for one purpose (`info`), of one vault (`salt`).
pub(crate) fn derive(key: &[u8; 32], salt: &[u8], info: &str) -> Result<Zeroizing<[u8; 32]>> {
    let mut derived = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), key)
        .expand(info.as_bytes(), &mut *derived)
        .map_err(|_| Error::internal("HKDF refused the length"))?;
    Ok(derived)
}

/// HMAC-SHA-256.
pub(crate) fn authenticate(key: &[u8; 32], message: &[u8]) -> Result<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).map_err(Error::internal)?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}

/// Compared in constant time.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(left, right).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_as_it_was_and_never_otherwise(
            key: [u8; 32],
            associated: Vec<u8>,
            plain: Vec<u8>,
            place: prop::sample::Index,
            mask in 1_u8..,
        ) {
            let envelope = seal(&key, &associated, &plain).unwrap();
            prop_assert_eq!(&**open(&key, &associated, &envelope).unwrap(), &*plain);
            let mut changed = envelope.clone();
            let at = place.index(changed.len());
            changed[at] ^= mask;
            prop_assert!(open(&key, &associated, &changed).is_none());
            prop_assert!(open(&key, &associated, &envelope[..at]).is_none());
            let mut other = key;
            other[at % 32] ^= mask;
            prop_assert!(open(&other, &associated, &envelope).is_none());
            let elsewhere = [associated.as_slice(), &[mask]].concat();
            prop_assert!(open(&key, &elsewhere, &envelope).is_none());
            // The same twice does not look the same.
            prop_assert_ne!(seal(&key, &associated, &plain).unwrap(), envelope);
        }

        #[test]
        fn no_envelope_is_a_panic(key: [u8; 32], envelope: Vec<u8>) {
            prop_assert!(open(&key, &[], &envelope).is_none());
        }
    }

    #[test]
    fn an_envelope_opens_only_with_its_key_and_its_associated_data() {
        let envelope = seal(&[1; 32], b"here", b"value").unwrap();
        assert_eq!(envelope.len(), b"value".len() + OVERHEAD);
        assert_eq!(&**open(&[1; 32], b"here", &envelope).unwrap(), b"value");
        assert!(open(&[2; 32], b"here", &envelope).is_none());
        assert!(open(&[1; 32], b"there", &envelope).is_none());
        assert!(open(&[1; 32], b"here", &envelope[..20]).is_none());
        assert!(open(&[1; 32], b"here", &[]).is_none());
    }
}
