//! Trusted keys and their messages.

use aileron_contract::{
    Result,
    packages::{DistrustRequest, Keyring, PublishedKey, Trusted, TrustedKey},
};
use aileron_proto::executor::v1::{self as pb, distrust_request::Which};

use crate::values::{
    bytes32_from_wire, list, parsed, required, timestamp_from_wire, timestamp_to_wire,
};

pub(in crate::packages) fn keyring_to_wire(keyring: Keyring) -> pb::Keyring {
    let Keyring { keys, verified, path } = keyring;
    pb::Keyring { keys: keys.into_iter().map(key_to_wire).collect(), verified, path }
}

pub(in crate::packages) fn keyring_from_wire(keyring: Option<pb::Keyring>) -> Result<Keyring> {
    let pb::Keyring { keys, verified, path } = required(keyring, "keyring")?;
    Ok(Keyring { keys: list(keys, key_from_wire)?, verified, path })
}

pub(in crate::packages) fn key_to_wire(key: TrustedKey) -> pb::TrustedKey {
    let TrustedKey { authority, key, fingerprint } = key;
    pb::TrustedKey { authority: authority.to_string(), key: key.to_vec(), fingerprint }
}

pub(in crate::packages) fn key_from_wire(key: pb::TrustedKey) -> Result<TrustedKey> {
    let pb::TrustedKey { authority, key, fingerprint } = key;
    Ok(TrustedKey {
        authority: parsed(authority)?,
        key: bytes32_from_wire(key, "key.key")?,
        fingerprint,
    })
}

pub(in crate::packages) fn published_key_to_wire(key: PublishedKey) -> pb::PublishedKey {
    let PublishedKey { authority, key, fingerprint, trusted, fetched_at } = key;
    pb::PublishedKey {
        authority: authority.to_string(),
        key: key.to_vec(),
        fingerprint,
        trusted,
        fetched_at: Some(timestamp_to_wire(fetched_at)),
    }
}

pub(in crate::packages) fn published_key_from_wire(
    key: Option<pb::PublishedKey>,
) -> Result<PublishedKey> {
    let pb::PublishedKey { authority, key, fingerprint, trusted, fetched_at } =
        required(key, "key")?;
    Ok(PublishedKey {
        authority: parsed(authority)?,
        key: bytes32_from_wire(key, "key.key")?,
        fingerprint,
        trusted,
        fetched_at: timestamp_from_wire(fetched_at, "key.fetched_at")?,
    })
}

pub(in crate::packages) fn trusted_to_wire(trusted: Trusted) -> pb::TrustResponse {
    let Trusted { key, already, path } = trusted;
    pb::TrustResponse { key: Some(key_to_wire(key)), already, path }
}

pub(in crate::packages) fn trusted_from_wire(trusted: pb::TrustResponse) -> Result<Trusted> {
    let pb::TrustResponse { key, already, path } = trusted;
    Ok(Trusted { key: key_from_wire(required(key, "key")?)?, already, path })
}

pub(in crate::packages) fn distrust_to_wire(request: DistrustRequest) -> Which {
    match request {
        DistrustRequest::Authority(authority) => Which::Authority(authority.to_string()),
        DistrustRequest::Fingerprint(fingerprint) => Which::Fingerprint(fingerprint),
    }
}

pub(in crate::packages) fn distrust_from_wire(which: Option<Which>) -> Result<DistrustRequest> {
    Ok(match required(which, "which")? {
        Which::Authority(authority) => DistrustRequest::Authority(parsed(authority)?),
        Which::Fingerprint(fingerprint) => DistrustRequest::Fingerprint(fingerprint),
    })
}
