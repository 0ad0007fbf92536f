use aileron_api::packages::{KeyTrusted, Keyring, KeysRevoked, PublishedKey, TrustedKey};
use aileron_contract::{
    names::{Authority, Sha256Hash},
    publishers,
};
use base64::{Engine, engine::general_purpose::STANDARD};

pub(crate) fn keyring(keyring: publishers::Keyring) -> Keyring {
    let publishers::Keyring { keys, verified, path } = keyring;
    Keyring { items: keys.into_iter().map(trusted_key).collect(), verified, path }
}

fn trusted_key(key: publishers::TrustedKey) -> TrustedKey {
    let publishers::TrustedKey { authority, key, fingerprint } = key;
    one_key(&authority, &key, fingerprint)
}

fn one_key(authority: &Authority, key: &[u8; 32], fingerprint: String) -> TrustedKey {
    TrustedKey {
        authority: authority.to_string(),
        key: STANDARD.encode(key),
        fingerprint,
        digest: Sha256Hash::of(&[key]).to_string(),
    }
}

pub(crate) fn published_key(published: publishers::PublishedKey) -> PublishedKey {
    let publishers::PublishedKey { authority, key, fingerprint, trusted, fetched_at, source } =
        published;
    let key = one_key(&authority, &key, fingerprint);
    PublishedKey { key, trusted, fetched_at: fetched_at.to_string(), source: Some(source) }
}

pub(crate) fn trusted(trusted: publishers::Trusted) -> KeyTrusted {
    let publishers::Trusted { key, already, path } = trusted;
    KeyTrusted { key: trusted_key(key), already_trusted: already, path }
}

pub(crate) fn keys_revoked(removed: Vec<publishers::TrustedKey>) -> KeysRevoked {
    KeysRevoked { removed: removed.into_iter().map(trusted_key).collect() }
}
