use aileron_contract::publishers::{
    DistrustRequest, Keyring, PublishedKey, TrustRequest, Trusted, TrustedKey,
};

use super::{name, time};

pub(crate) fn keyring(full: bool) -> Keyring {
    Keyring { keys: keys(full), verified: full.then_some(false), path: "keyring.json".to_owned() }
}

fn key(authority: &str) -> TrustedKey {
    let bytes = std::array::from_fn(|at| u8::try_from(at).unwrap() ^ 0xa5);
    TrustedKey { authority: name(authority), key: bytes, fingerprint: "sha256:f".to_owned() }
}

pub(crate) fn keys(full: bool) -> Vec<TrustedKey> {
    if full { vec![key("github://acme"), key("github://acme/tools")] } else { Vec::new() }
}

pub(crate) fn published_key(full: bool) -> PublishedKey {
    PublishedKey {
        authority: name("github://acme/tools"),
        key: [7; 32],
        fingerprint: String::new(),
        trusted: full,
        fetched_at: time(),
    }
}

pub(crate) fn trust_request(full: bool) -> TrustRequest {
    TrustRequest { authority: name("github://acme"), key: [u8::from(full); 32] }
}

pub(crate) fn trusted(full: bool) -> Trusted {
    Trusted { key: key("github://acme"), already: full, path: String::new() }
}

pub(crate) fn distrust_request(full: bool) -> DistrustRequest {
    if full {
        DistrustRequest::Authority(name("github://acme"))
    } else {
        DistrustRequest::Fingerprint("sha256:f".to_owned())
    }
}
